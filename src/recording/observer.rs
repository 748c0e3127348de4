//! What the gateway tells about one call while it works on it.

use super::{Body, Findings, FoundCaller, Step};
use serde::Serialize;
use std::mem;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// Notes of one call. A call without an observer, as every call in `serve`, costs a look at an
/// `Option`.
pub struct Observer(Mutex<Notes>);

struct Notes {
    findings: Findings,
    body: Option<Body>,
    last: Instant,
}

impl Observer {
    /// An observer whose first step begins now.
    pub fn new() -> Self {
        Self(Mutex::new(Notes {
            findings: Findings::default(),
            body: None,
            last: Instant::now(),
        }))
    }

    /// A step ends now. It began where the one before it has ended. A step that comes again is
    /// added to its first time.
    pub fn reached(&self, step: Step) {
        let mut notes = self.notes();
        let now = Instant::now();
        let took = now.saturating_duration_since(notes.last);
        notes.last = now;
        add(&mut notes.findings.steps, step, took);
    }

    /// The body has come whole.
    pub fn received(&self, body: &[u8]) {
        self.notes().body = Some(Body::capped(body));
        self.reached(Step::Body);
    }

    /// The signature has verified.
    pub fn proven(&self, caller: FoundCaller) {
        self.notes().findings.caller = Some(caller);
    }

    /// The payload is open.
    pub fn opened(&self, envelope: &'static str, key: String, clear: &impl Serialize) {
        let mut notes = self.notes();
        notes.findings.envelope = Some(envelope);
        notes.findings.key = Some(key);
        notes.findings.clear_request = serde_json::to_vec(clear)
            .ok()
            .map(|clear| Body::capped(&clear));
    }

    /// The answer, before it is sealed.
    pub fn answers(&self, clear: &[u8]) {
        self.notes().findings.clear_answer = Some(Body::capped(clear));
    }

    /// Takes all that was noted, and the body if it was read.
    pub fn take(&self) -> (Findings, Option<Body>) {
        let mut notes = self.notes();
        (mem::take(&mut notes.findings), notes.body.take())
    }

    fn notes(&self) -> MutexGuard<'_, Notes> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Default for Observer {
    fn default() -> Self {
        Self::new()
    }
}

fn add(steps: &mut Vec<(Step, Duration)>, step: Step, took: Duration) {
    match steps.iter_mut().find(|(known, _)| *known == step) {
        Some((_, time)) => *time += took,
        None => steps.push((step, took)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_step_that_comes_again_is_one_step() {
        let observer = Observer::new();
        observer.received(b"body");
        for step in [Step::Signature, Step::Commit, Step::Signature] {
            observer.reached(step);
        }
        observer.answers(b"{}");
        let (findings, body) = observer.take();
        let steps: Vec<_> = findings.steps.iter().map(|(step, _)| *step).collect();
        assert_eq!(steps, [Step::Body, Step::Signature, Step::Commit]);
        assert_eq!(body.unwrap().bytes(), b"body");
        assert_eq!(findings.clear_answer.unwrap().bytes(), b"{}");
        assert!(findings.clear_request.is_none());
    }
}
