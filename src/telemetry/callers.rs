//! Calls by issuer. An issuer has series of its own only once a signature of it has verified, and
//! only so many issuers have: nobody can make a node remember without bound.

use prometheus::{HistogramOpts, HistogramVec, IntCounterVec, Opts, Registry};
use std::collections::HashSet;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// Issuers with series of their own; the others share one.
const MOST: usize = 200;
const OTHERS: &str = "other";

/// Seconds from the header to the answer: fewer buckets than for all calls together.
const SECONDS: &[f64] = &[0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5];

/// Requests, refusals and latency of each issuer.
pub(super) struct Callers {
    seconds: HistogramVec,
    refusals: IntCounterVec,
    limited: IntCounterVec,
    known: Mutex<HashSet<String>>,
}

impl Callers {
    pub(super) fn new(all: &Registry) -> Result<Self, prometheus::Error> {
        let callers = Self {
            seconds: HistogramVec::new(
                HistogramOpts::new(
                    "issuer_gateway_issuer_request_seconds",
                    "Time from header to answer of calls whose signature has verified, by client id",
                )
                .buckets(SECONDS.to_vec()),
                &["issuer"],
            )?,
            refusals: IntCounterVec::new(
                Opts::new(
                    "issuer_gateway_issuer_refusals_total",
                    "Refused calls whose signature has verified, by client id and stable reason",
                ),
                &["issuer", "reason"],
            )?,
            limited: IntCounterVec::new(
                Opts::new(
                    "issuer_gateway_issuer_limited_total",
                    "Calls refused because their issuer has taken its share of this node, by client id and limit",
                ),
                &["issuer", "limit"],
            )?,
            known: Mutex::default(),
        };
        all.register(Box::new(callers.seconds.clone()))?;
        all.register(Box::new(callers.refusals.clone()))?;
        all.register(Box::new(callers.limited.clone()))?;
        Ok(callers)
    }

    /// One call of this issuer was answered; `refused` is why it was not done.
    pub(super) fn answered(&self, client_id: &str, refused: Option<&str>, elapsed: Duration) {
        let issuer = self.label(client_id);
        let seconds = self.seconds.with_label_values(&[issuer]);
        seconds.observe(elapsed.as_secs_f64());
        if let Some(reason) = refused {
            self.refusals.with_label_values(&[issuer, reason]).inc();
        }
    }

    /// One call of this issuer exceeded a limit.
    pub(super) fn limited(&self, client_id: &str, limit: &str) {
        let labels = [self.label(client_id), limit];
        self.limited.with_label_values(&labels).inc();
    }

    fn label<'a>(&self, client_id: &'a str) -> &'a str {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if known.contains(client_id) {
            return client_id;
        }
        if known.len() < MOST {
            known.insert(client_id.to_owned());
            return client_id;
        }
        OTHERS
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn issuers_beyond_the_most_share_one_series() {
        let all = Registry::new();
        let callers = Callers::new(&all).unwrap();
        for number in 0..=MOST + 5 {
            let client_id = format!("issuer-{number}");
            callers.answered(&client_id, Some("crypto"), Duration::from_millis(7));
        }
        callers.answered("issuer-0", None, Duration::ZERO);
        let of = |issuer: &str| {
            let requests = callers.seconds.with_label_values(&[issuer]);
            let refusals = callers.refusals.with_label_values(&[issuer, "crypto"]);
            (requests.get_sample_count(), refusals.get())
        };
        assert_eq!(of("issuer-0"), (2, 1));
        assert_eq!(of(OTHERS), (6, 6));
        assert_eq!(callers.known.lock().unwrap().len(), MOST);
    }
}
