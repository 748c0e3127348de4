//! What became of the spans of traces.

use prometheus::{IntCounterVec, Opts, Registry};

/// Each result has its line from the start.
const RESULTS: [&str; 4] = [SENT, DROPPED, FAILED, REJECTED];
const SENT: &str = "sent";
const DROPPED: &str = "dropped";
const FAILED: &str = "failed";
const REJECTED: &str = "rejected";

/// Counts spans by result.
#[derive(Clone)]
pub struct Spans(IntCounterVec);

impl Spans {
    pub(super) fn new(all: &Registry) -> Result<Self, prometheus::Error> {
        let options = Opts::new(
            "issuer_gateway_spans_total",
            "Spans of traces: sent, dropped because too many waited, failed because the collector did not take them, rejected by it",
        );
        let spans = IntCounterVec::new(options, &["result"])?;
        all.register(Box::new(spans.clone()))?;
        for result in RESULTS {
            spans.with_label_values(&[result]);
        }
        Ok(Self(spans))
    }

    /// The collector has taken them.
    pub fn sent(&self, spans: usize) {
        self.add(SENT, spans);
    }

    /// Too many waited, or the node stopped.
    pub fn dropped(&self, spans: usize) {
        self.add(DROPPED, spans);
    }

    /// The collector was away, or refused the batch.
    pub fn failed(&self, spans: usize) {
        self.add(FAILED, spans);
    }

    /// The collector took the batch, but not them.
    pub fn rejected(&self, spans: usize) {
        self.add(REJECTED, spans);
    }

    fn add(&self, result: &str, spans: usize) {
        let spans = u64::try_from(spans).unwrap_or(u64::MAX);
        self.0.with_label_values(&[result]).inc_by(spans);
    }
}
