//! What the gateway tells about one call while it works on it.

use super::{Body, Findings, FoundCaller};
use serde::Serialize;
use std::mem;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Notes of one call. A call without an observer, as every call in `serve`, costs a look at an
/// `Option`.
#[derive(Default)]
pub struct Observer(Mutex<Notes>);

#[derive(Default)]
struct Notes {
    findings: Findings,
    body: Option<Body>,
}

impl Observer {
    /// The body has come whole.
    pub fn received(&self, body: &[u8]) {
        self.notes().body = Some(Body::capped(body));
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_noted_is_taken_once() {
        let observer = Observer::default();
        observer.received(b"body");
        observer.answers(b"{}");
        let (findings, body) = observer.take();
        assert_eq!(body.unwrap().bytes(), b"body");
        assert_eq!(findings.clear_answer.unwrap().bytes(), b"{}");
        assert!(findings.clear_request.is_none());
        assert!(observer.take().1.is_none());
    }
}
