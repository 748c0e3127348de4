//! The last calls of a sandbox, in memory.

use super::RecordedCall;
use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::watch;

/// As many calls are kept.
pub const CALLS: usize = 500;
/// As many bytes are kept, all calls together.
pub const TOTAL_BYTES: usize = 64 * 1024 * 1024;

/// The last [`CALLS`] calls, or fewer where they are large.
pub struct Log {
    kept: Mutex<Kept>,
    newest: watch::Sender<u64>,
    closed: AtomicBool,
}

#[derive(Default)]
struct Kept {
    calls: VecDeque<Arc<RecordedCall>>,
    bytes: usize,
    newest: u64,
}

impl Kept {
    fn drop_oldest(&mut self) {
        if let Some(oldest) = self.calls.pop_front() {
            self.bytes = self.bytes.saturating_sub(oldest.weight());
        }
    }
}

impl Default for Log {
    fn default() -> Self {
        Self {
            kept: Mutex::default(),
            newest: watch::Sender::new(0),
            closed: AtomicBool::new(false),
        }
    }
}

impl Log {
    /// Keeps a call, gives it the next number, and tells those who watch.
    pub fn add(&self, mut call: RecordedCall) -> Arc<RecordedCall> {
        let mut kept = self.kept();
        kept.newest += 1;
        call.number = kept.newest;
        let call = Arc::new(call);
        kept.bytes += call.weight();
        kept.calls.push_back(Arc::clone(&call));
        while kept.calls.len() > CALLS || (kept.bytes > TOTAL_BYTES && kept.calls.len() > 1) {
            kept.drop_oldest();
        }
        drop(kept);
        self.newest.send_replace(call.number);
        call
    }

    /// The calls after `number`, the oldest first; 0: all.
    pub fn after(&self, number: u64) -> Vec<Arc<RecordedCall>> {
        let kept = self.kept();
        let calls = kept.calls.iter();
        calls.filter(|call| call.number > number).cloned().collect()
    }

    /// The call of this number, if it is still kept.
    pub fn get(&self, number: u64) -> Option<Arc<RecordedCall>> {
        let kept = self.kept();
        kept.calls
            .iter()
            .find(|call| call.number == number)
            .cloned()
    }

    /// Forgets all calls. Numbers go on.
    pub fn clear(&self) {
        let mut kept = self.kept();
        kept.calls.clear();
        kept.bytes = 0;
    }

    /// The number of the newest call, and each later one's.
    pub fn watch(&self) -> watch::Receiver<u64> {
        self.newest.subscribe()
    }

    /// Nobody waits for further calls: the sandbox is about to end.
    pub fn close(&self) {
        self.closed.store(true, Ordering::Relaxed);
        self.newest.send_modify(|_| ());
    }

    /// Whether it is.
    pub fn is_closed(&self) -> bool {
        self.closed.load(Ordering::Relaxed)
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::recording::{BODY_BYTES, Body, Findings, RecordedAnswer, RecordedRequest};
    use chrono::DateTime;
    use std::time::Duration;

    fn call(body: &[u8]) -> RecordedCall {
        RecordedCall {
            number: 0,
            request_id: String::new(),
            request: RecordedRequest {
                received: DateTime::UNIX_EPOCH,
                method: "POST".to_owned(),
                url: "http://localhost/issuers/users".to_owned(),
                version: "HTTP/1.1".to_owned(),
                headers: Vec::new(),
                body: Body::capped(body),
            },
            answer: RecordedAnswer {
                status: 200,
                headers: Vec::new(),
                body: Body::capped(b"{}"),
                reason: None,
                detail: None,
                fault: None,
            },
            findings: Findings::default(),
            elapsed: Duration::ZERO,
        }
    }

    #[test]
    fn the_newest_are_kept() {
        let log = Log::default();
        for _ in 0..CALLS + 3 {
            log.add(call(b""));
        }
        let kept = log.after(0);
        assert_eq!(kept.len(), CALLS);
        assert_eq!((kept[0].number, kept[CALLS - 1].number), (4, 503));
        assert!(log.get(3).is_none());
        assert_eq!(log.get(4).unwrap().number, 4);
        assert_eq!(log.after(502).len(), 1);
        log.clear();
        assert!(log.after(0).is_empty());
        assert_eq!(log.add(call(b"")).number, 504);
    }

    #[test]
    fn large_calls_push_others_out_sooner() {
        let log = Log::default();
        let large = vec![b'x'; 4 * BODY_BYTES];
        let most = TOTAL_BYTES / BODY_BYTES;
        for _ in 0..2 * most {
            log.add(call(&large));
        }
        let kept = log.after(0);
        assert!(kept.len() < most && kept.len() > most - 8, "{}", kept.len());
        let bytes: usize = kept.iter().map(|call| call.weight()).sum();
        assert!(bytes <= TOTAL_BYTES);
        for _ in 0..CALLS {
            log.add(call(b""));
        }
        assert_eq!(log.after(0).len(), CALLS);
        assert!(log.kept().bytes < CALLS * 1_024, "what went is not counted");
    }

    #[tokio::test]
    async fn who_watches_is_told_of_each_call() {
        let log = Log::default();
        let mut watch = log.watch();
        assert_eq!(*watch.borrow_and_update(), 0);
        log.add(call(b""));
        watch.changed().await.unwrap();
        assert_eq!(*watch.borrow_and_update(), 1);
        assert!(!log.is_closed());
        log.close();
        watch.changed().await.unwrap();
        assert!(log.is_closed());
    }
}
