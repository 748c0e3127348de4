//! Traces of calls for an OpenTelemetry collector, by OTLP over HTTP (`[traces]`); off by default.
//!
//! - [`Parent`]: what a caller's `traceparent` says
//! - [`Trace`]: one call under way that may be traced; [`Answered`]: how it ended
//! - `spans`: a call's spans, made of its [`Timeline`] once it has ended
//! - `outbox`: ended calls that wait to be sent, bounded: no call ever waits for a collector
//! - `collector`: the thread that sends them; `otlp`: the messages
//!
//! Spans hold what the log may hold: our own ids, route patterns, statuses, reasons, times, and the
//! client id of a proven issuer.

mod collector;
mod otlp;
mod outbox;
mod parent;
mod spans;
#[cfg(test)]
mod tests;

pub use parent::Parent;

use crate::config;
use crate::telemetry::Spans;
use crate::timeline::Timeline;
use collector::Collector;
use outbox::Outbox;
use spans::Ended;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant, SystemTime};
use uuid::Uuid;

/// Random bits of an id of ours that decide whether it is sampled.
const DICE: u32 = 48;

/// Sends traces until it is stopped.
pub struct Traces {
    /// So many of `2^DICE` calls are sampled.
    sampled: u64,
    outbox: Arc<Outbox>,
    counters: Spans,
    thread: Mutex<Option<JoinHandle<()>>>,
}

/// A call under way that may be traced.
pub struct Trace {
    parent: Option<Parent>,
    /// Our own dice say that it is sampled.
    chosen: bool,
    timeline: Arc<Timeline>,
    /// The same moment by both clocks.
    clocks: (SystemTime, Instant),
}

/// How a traced call ended. Everything in it is from a closed set, but for the ids.
pub struct Answered<'a> {
    /// Our id of the request.
    pub request_id: Uuid,
    /// `GET`, `POST`, …; `other`
    pub method: &'static str,
    /// The route's pattern; `None`: no route.
    pub route: Option<String>,
    /// HTTP status.
    pub status: u16,
    /// The stable name of the refusal; `None`: done.
    pub reason: Option<&'static str>,
    /// Client id of the issuer, once its signature has verified.
    pub issuer: Option<&'a str>,
}

impl Traces {
    /// Whether it could be started: reads the files of the settings.
    ///
    /// # Errors
    /// Those of [`Traces::start`] about files.
    pub fn check(settings: &config::Traces) -> anyhow::Result<()> {
        Collector::new(settings).map(drop)
    }

    /// Starts the thread that sends. The collector may be away.
    ///
    /// # Errors
    /// Files of the settings that cannot be read; those of starting a thread.
    pub fn start(settings: &config::Traces, counters: Spans) -> anyhow::Result<Self> {
        let collector = Collector::new(settings)?;
        tracing::info!(endpoint = settings.endpoint, "traces");
        let outbox = Arc::<Outbox>::default();
        let (waiting, counted) = (Arc::clone(&outbox), counters.clone());
        let thread = std::thread::Builder::new()
            .name("traces".to_owned())
            .spawn(move || collector::run(&collector, &waiting, &counted))?;
        Ok(Self {
            sampled: threshold(settings.sample_ratio),
            outbox,
            counters,
            thread: Mutex::new(Some(thread)),
        })
    }

    /// A call has come. `None`: it is not traced, whatever becomes of it.
    ///
    /// A parent that is sampled makes us sample, but only for a caller that proves who it is. Our
    /// own ratio decides for the others: else anybody could fill the outbox.
    pub fn begin(
        &self,
        parent: Option<Parent>,
        request_id: Uuid,
        timeline: impl FnOnce() -> Arc<Timeline>,
    ) -> Option<Trace> {
        let chosen = dice(request_id) < self.sampled;
        let may_be_sampled = match &parent {
            Some(parent) => parent.sampled,
            None => chosen,
        };
        may_be_sampled.then(|| Trace {
            parent,
            chosen,
            timeline: timeline(),
            clocks: (SystemTime::now(), Instant::now()),
        })
    }

    /// A call was answered: its spans will be sent, or dropped if too many wait.
    pub fn end(&self, trace: Trace, answered: Answered<'_>) {
        let chosen = trace.chosen;
        let ended = Ended::new(trace, answered);
        if !chosen && !ended.is_proven() {
            return;
        }
        let spans = ended.count();
        if !self.outbox.push(ended) {
            self.counters.dropped(spans);
        }
    }

    /// Sends what waits, for `patience` at most; drops the rest. Blocks: call it off the event
    /// loop.
    pub fn stop(&self, patience: Duration) {
        self.outbox.close();
        let mut thread = self.thread.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(thread) = thread.take() else { return };
        let until = Instant::now() + patience;
        while !thread.is_finished() && Instant::now() < until {
            std::thread::sleep(Duration::from_millis(5));
        }
        let left: usize = self.outbox.drain().iter().map(Ended::count).sum();
        if left > 0 {
            self.counters.dropped(left);
            tracing::warn!(spans = left, "spans were not sent before the stop");
        }
        if thread.is_finished() {
            thread.join().ok();
        }
    }
}

impl Drop for Traces {
    fn drop(&mut self) {
        self.outbox.close();
    }
}

/// How many of `2^DICE` calls a ratio of 0 to 1 samples.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::cast_precision_loss,
    reason = "a ratio of 0 to 1 makes a number of at most 2^48"
)]
fn threshold(ratio: f64) -> u64 {
    (ratio.clamp(0.0, 1.0) * (1_u64 << DICE) as f64) as u64
}

/// The last bits of a random id: of ours, so nobody outside chooses them.
fn dice(id: Uuid) -> u64 {
    let (_, low) = id.as_u64_pair();
    low & ((1 << DICE) - 1)
}
