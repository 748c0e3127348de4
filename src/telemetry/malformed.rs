//! Bounds the log lines of malformed HTTP, which anybody on the network can cause: a few a minute
//! are written, the rest are counted.
//!
//! actix writes an ERROR line for each, before any code of ours sees the request. Its text names
//! the fault and quotes nothing of the request.

use prometheus::IntCounter;
use std::sync::{LazyLock, Mutex, PoisonError};
use std::time::{Duration, Instant};
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::layer::{Context, Layer};

/// Errors and warnings of actix that are written in a minute.
const LINES: u32 = 10;
const MINUTE: Duration = Duration::from_secs(60);

/// Whose lines they are: the HTTP parser and the acceptor of connections.
const TARGETS: [&str; 3] = ["actix_http", "actix_server", "actix_tls"];

/// All such lines, written or not; of the whole process, as the log is.
static CAUSED: LazyLock<Option<IntCounter>> = LazyLock::new(|| {
    IntCounter::new(
        "issuer_gateway_connection_errors_total",
        "Log lines of the HTTP library, written or left out: malformed requests and broken connections",
    )
    .ok()
});

/// The counter of all such lines.
pub(super) fn caused() -> Option<IntCounter> {
    CAUSED.clone()
}

/// Lets [`LINES`] a minute through, and tells once a minute is over how many more there were.
pub(super) struct Malformed(Mutex<Minute>);

#[derive(Default)]
struct Minute {
    since: Option<Instant>,
    written: u32,
    left_out: u64,
}

impl Malformed {
    pub(super) fn new() -> Self {
        Self(Mutex::default())
    }
}

impl<S: Subscriber> Layer<S> for Malformed {
    fn event_enabled(&self, event: &Event<'_>, _: Context<'_, S>) -> bool {
        let now = Instant::now();
        let target = event.metadata().target();
        let bounded = *event.metadata().level() <= Level::WARN
            && TARGETS.iter().any(|known| target.starts_with(known));
        let (written, left_out) = {
            let mut minute = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            (!bounded || minute.writes(now), minute.left_out(now))
        };
        if bounded && let Some(caused) = &*CAUSED {
            caused.inc();
        }
        if let Some(lines) = left_out {
            tracing::warn!(
                lines,
                "more malformed requests or broken connections than are listed"
            );
        }
        written
    }
}

impl Minute {
    /// Whether a line is written; if not, it is counted.
    fn writes(&mut self, now: Instant) -> bool {
        if self.is_over(now) {
            self.since = Some(now);
            self.written = 0;
        }
        let writes = self.written < LINES;
        if writes {
            self.written += 1;
        } else {
            self.left_out += 1;
        }
        writes
    }

    /// How many were left out, once the minute in which it happened is over; they are told once.
    fn left_out(&mut self, now: Instant) -> Option<u64> {
        if self.left_out == 0 || (!self.is_over(now) && self.written != 1) {
            return None;
        }
        Some(std::mem::take(&mut self.left_out))
    }

    fn is_over(&self, now: Instant) -> bool {
        self.since
            .is_none_or(|since| now.saturating_duration_since(since) >= MINUTE)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_minute_has_so_many_lines_and_the_next_one_tells_of_the_rest() {
        let start = Instant::now();
        for next_is_malformed in [true, false] {
            let mut minute = Minute::default();
            let written = (0..1_000).filter(|_| minute.writes(start)).count();
            assert_eq!(written, LINES as usize);
            assert_eq!(minute.left_out(start), None, "the minute is not over");
            if next_is_malformed {
                assert!(minute.writes(start + MINUTE));
            }
            assert_eq!(minute.left_out(start + MINUTE), Some(990));
            assert_eq!(minute.left_out(start + MINUTE), None, "told already");
        }
    }
}
