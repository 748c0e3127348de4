//! Ended calls that wait for the collector. Bounded: who finds it full goes on without its spans.

use super::spans::Ended;
use std::collections::VecDeque;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// Calls that may wait: with a dozen spans each they take some megabytes.
pub(super) const CAPACITY: usize = 4_096;
/// Calls that are sent in one request.
pub(super) const BATCH: usize = 256;
/// A call waits so long for others to be sent with.
const PAUSE: Duration = Duration::from_secs(1);

#[derive(Default)]
pub(super) struct Outbox {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    calls: VecDeque<Ended>,
    /// When the first of them came.
    since: Option<Instant>,
    closed: bool,
}

impl Outbox {
    /// False: it is full or closed, and the call is dropped. For calls of callers who have proven
    /// nothing it is full at half of its capacity: a flood of theirs leaves room for the others.
    pub(super) fn push(&self, call: Ended) -> bool {
        let mut state = self.lock();
        let room = if call.is_proven() {
            CAPACITY
        } else {
            CAPACITY / 2
        };
        if state.closed || state.calls.len() >= room {
            return false;
        }
        state.since.get_or_insert_with(Instant::now);
        state.calls.push_back(call);
        let wake = matches!(state.calls.len(), 1 | BATCH);
        drop(state);
        if wake {
            self.changed.notify_one();
        }
        true
    }

    /// Waits for a batch, or until the first call has waited for [`PAUSE`]. `None` once it is
    /// closed and empty.
    pub(super) fn take(&self) -> Option<Vec<Ended>> {
        let mut state = self.lock();
        loop {
            let longer = match state.since {
                Some(since) => PAUSE.saturating_sub(since.elapsed()),
                None if state.closed => return None,
                None => PAUSE,
            };
            let due = longer.is_zero() || state.closed || state.calls.len() >= BATCH;
            if state.since.is_some() && due {
                let many = state.calls.len().min(BATCH);
                let batch: Vec<_> = state.calls.drain(..many).collect();
                // The rest has waited long enough.
                if state.calls.is_empty() {
                    state.since = None;
                }
                return Some(batch);
            }
            let waited = self.changed.wait_timeout(state, longer);
            state = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    /// Takes no more calls. Those that wait are given out at once.
    pub(super) fn close(&self) {
        self.lock().closed = true;
        self.changed.notify_all();
    }

    /// Waits so long, or until it is closed. True: it is.
    pub(super) fn rest(&self, pause: Duration) -> bool {
        let until = |state: &mut State| !state.closed;
        let rested = self.changed.wait_timeout_while(self.lock(), pause, until);
        rested.unwrap_or_else(PoisonError::into_inner).0.closed
    }

    /// All that waits, to be dropped.
    pub(super) fn drain(&self) -> Vec<Ended> {
        let mut state = self.lock();
        state.since = None;
        std::mem::take(&mut state.calls).into()
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
