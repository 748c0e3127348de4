//! The spans of a call that has ended: the call itself, and one for each part of its steps.

use super::otlp::{self, KeyValue, Span, Status};
use super::parent::Parent;
use super::{Answered, Trace};
use crate::timeline::{Lap, Step};
use std::time::{Instant, SystemTime, UNIX_EPOCH};
use uuid::Uuid;

/// W3C's flag `sampled`, and OTLP's that says we know whether the parent is remote.
const FLAGS: u32 = 1 | 0x100;
/// The parent is remote.
const REMOTE: u32 = 0x200;

/// An ended call, without borrowed parts.
pub(super) struct Ended {
    parent: Option<Parent>,
    /// The caller has proven who it is.
    is_proven: bool,
    request_id: Uuid,
    method: &'static str,
    route: Option<String>,
    status: u16,
    reason: Option<&'static str>,
    issuer: Option<String>,
    /// The same moment by both clocks.
    clocks: (SystemTime, Instant),
    begun: Instant,
    ended: Instant,
    laps: Vec<Lap>,
}

impl Ended {
    /// The call ends now.
    pub(super) fn new(trace: Trace, answered: Answered<'_>) -> Self {
        let laps = trace.timeline.laps();
        // By a signature, or by a key of the users API.
        let is_proven = answered.issuer.is_some() || laps.iter().any(|lap| lap.step == Step::Key);
        Self {
            // The ids of a stranger would put his call into the trace of somebody else.
            parent: trace.parent.filter(|_| is_proven),
            is_proven,
            request_id: answered.request_id,
            method: answered.method,
            route: answered.route,
            status: answered.status,
            reason: answered.reason,
            issuer: answered.issuer.map(str::to_owned),
            clocks: trace.clocks,
            begun: trace.timeline.begun(),
            ended: Instant::now(),
            laps,
        }
    }

    /// The caller has proven who it is.
    pub(super) fn is_proven(&self) -> bool {
        self.is_proven
    }

    /// How many spans it has.
    pub(super) fn count(&self) -> usize {
        1 + self.laps.iter().flat_map(parts).count()
    }

    /// Its spans, the call's own first.
    pub(super) fn spans(&self) -> Vec<Span> {
        let parent = self.parent.as_ref();
        // A root's trace has the id of the request, as log and audit trail have it.
        let trace_id = parent.map_or(self.request_id.into_bytes(), |parent| parent.trace_id);
        let span = |name: String, parent: Vec<u8>, from, to| Span {
            trace_id: trace_id.to_vec(),
            span_id: span_id().to_vec(),
            parent_span_id: parent,
            name,
            kind: otlp::INTERNAL,
            start_time_unix_nano: self.nanos(from),
            end_time_unix_nano: self.nanos(to),
            attributes: Vec::new(),
            status: None,
            flags: FLAGS,
        };
        let above = parent.map(|parent| parent.span_id.to_vec());
        let remote = if above.is_some() { REMOTE } else { 0 };
        let whole = Span {
            kind: otlp::SERVER,
            attributes: self.attributes(),
            status: (self.status >= 500).then(Status::error),
            flags: FLAGS | remote,
            ..span(
                self.name(),
                above.unwrap_or_default(),
                self.begun,
                self.ended,
            )
        };
        let own = whole.span_id.clone();
        let parts = self.laps.iter().flat_map(parts);
        let parts = parts.map(|(name, from, to)| span(name.to_owned(), own.clone(), from, to));
        std::iter::once(whole).chain(parts).collect()
    }

    /// As the semantic conventions for HTTP have it: method and route.
    fn name(&self) -> String {
        let method = if self.is_known() { self.method } else { "HTTP" };
        match &self.route {
            Some(route) => format!("{method} {route}"),
            None => method.to_owned(),
        }
    }

    fn is_known(&self) -> bool {
        self.method != "other"
    }

    fn attributes(&self) -> Vec<KeyValue> {
        let method = if self.is_known() {
            self.method
        } else {
            "_OTHER"
        };
        let id = self.request_id.simple().to_string();
        let mut attributes = vec![
            KeyValue::text("http.request.method", method),
            KeyValue::number("http.response.status_code", self.status.into()),
            KeyValue::text("issuer_gateway.request_id", &id),
        ];
        let mut more = |key: &str, value: Option<&str>| {
            attributes.extend(value.map(|value| KeyValue::text(key, value)));
        };
        more("http.route", self.route.as_deref());
        more("issuer_gateway.issuer", self.issuer.as_deref());
        more("issuer_gateway.reason", self.reason);
        if self.status >= 500 {
            let status = self.status.to_string();
            more("error.type", Some(self.reason.unwrap_or(&status)));
        }
        attributes
    }

    /// Nanoseconds since 1970 UTC.
    fn nanos(&self, at: Instant) -> u64 {
        let (by_clock, same) = self.clocks;
        let since = by_clock.duration_since(UNIX_EPOCH).unwrap_or_default();
        // The call has begun a little before.
        let since = match at.checked_duration_since(same) {
            Some(later) => since.saturating_add(later),
            None => since.saturating_sub(same.saturating_duration_since(at)),
        };
        u64::try_from(since.as_nanos()).unwrap_or(u64::MAX)
    }
}

/// Random, never all zero.
fn span_id() -> [u8; 8] {
    let (high, low) = Uuid::new_v4().as_u64_pair();
    // Version and variant are at different bits of the two halves.
    (high ^ low.rotate_left(32)).max(1).to_be_bytes()
}

/// What a step's spans are called.
struct Names {
    /// From its begin to the queue; `None`: too short to be shown.
    before: Option<&'static str>,
    queue: &'static str,
    work: &'static str,
    /// The whole step, if it came to no queue.
    alone: &'static str,
}

fn names(step: Step) -> Names {
    let alone = |alone| Names {
        before: None,
        queue: "queue",
        work: alone,
        alone,
    };
    match step {
        Step::Body => alone("read body"),
        Step::Signature | Step::Key => alone("verify"),
        Step::Checks => alone("checks"),
        Step::Rules => alone("rules"),
        Step::Answer => alone("seal answer"),
        Step::Lookup => Names {
            before: None,
            queue: "lookup queue",
            work: "lookup",
            alone: "lookup",
        },
        Step::Decryption => Names {
            before: None,
            queue: "unwrap queue",
            work: "unwrap",
            alone: "find key",
        },
        Step::Commit => Names {
            before: Some("seal rows"),
            queue: "commit queue",
            work: "commit",
            alone: "commit",
        },
    }
}

/// The spans of one step: before the queue, in the queue, and after it.
fn parts(lap: &Lap) -> impl Iterator<Item = (&'static str, Instant, Instant)> + use<> {
    let names = names(lap.step);
    let parts = match lap.wait {
        None => [Some((names.alone, lap.from, lap.to)), None, None],
        Some(wait) => {
            let taken = wait.taken.unwrap_or(lap.to);
            [
                names.before.map(|name| (name, lap.from, wait.queued)),
                Some((names.queue, wait.queued, taken)),
                wait.taken.map(|taken| (names.work, taken, lap.to)),
            ]
        }
    };
    parts.into_iter().flatten()
}
