//! Bounds the log lines of malformed HTTP, which anybody on the network can cause: a few a minute
//! are written, the rest are counted.
//!
//! actix writes an ERROR line for each, before any code of ours sees the request. Its text names
//! the fault and quotes nothing of the request. No caller may alarm an operator, so faults of a
//! connection are written as INFO.

use crate::throttle::Lines;
use prometheus::IntCounter;
use std::fmt;
use std::sync::LazyLock;
use std::time::{Duration, Instant};
use tracing::field::{Field, Visit};
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::layer::{Context, Layer};

/// Errors and warnings of actix that are written in a minute.
const LINES: u32 = 10;
const MINUTE: Duration = Duration::from_secs(60);

/// Whose lines they are: the HTTP parser and the acceptor of connections.
const TARGETS: [&str; 3] = [PARSER, "actix_server", "actix_tls"];
/// What it writes is a caller's fault.
const PARSER: &str = "actix_http";

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
pub(super) struct Malformed(Lines);

impl Malformed {
    pub(super) fn new() -> Self {
        Self(Lines::new(LINES, MINUTE))
    }
}

/// The message of an event.
struct Fault(String);

impl Visit for Fault {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        if field.name() == "message" {
            self.0 = format!("{value:?}");
        }
    }
}

impl<S: Subscriber> Layer<S> for Malformed {
    fn event_enabled(&self, event: &Event<'_>, _: Context<'_, S>) -> bool {
        let now = Instant::now();
        let target = event.metadata().target();
        let bounded = *event.metadata().level() <= Level::WARN
            && TARGETS.iter().any(|known| target.starts_with(known));
        let written = !bounded || self.0.admits(now);
        let left_out = self.0.left_out(now);
        if bounded && let Some(caused) = &*CAUSED {
            caused.inc();
        }
        if let Some(lines) = left_out {
            tracing::info!(
                lines,
                "more malformed requests or broken connections than are listed"
            );
        }
        if written && bounded && target.starts_with(PARSER) {
            let mut fault = Fault(String::new());
            event.record(&mut fault);
            tracing::info!(fault = fault.0, "a malformed request or broken connection");
            return false;
        }
        written
    }
}
