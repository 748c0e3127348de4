//! A bounded queue from which a thread takes all that waits.

use super::{Commit, Outcome};
use crate::store::error::StoreError;
use std::collections::VecDeque;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use tokio::sync::oneshot;

/// A commit and who asked for it.
pub(super) struct Item {
    pub(super) commit: Commit,
    pub(super) reply: oneshot::Sender<Result<Outcome, StoreError>>,
}

impl Item {
    /// Whether its asker still waits.
    pub(super) fn is_awaited(&self) -> bool {
        !self.reply.is_closed()
    }

    /// Answers; an asker that has gone meanwhile does not matter.
    pub(super) fn answer(self, result: Result<Outcome, StoreError>) {
        self.reply.send(result).ok();
    }
}

pub(super) struct Queue {
    state: Mutex<State>,
    filled: Condvar,
    capacity: usize,
}

#[derive(Default)]
struct State {
    items: VecDeque<Item>,
    closed: bool,
}

impl Queue {
    pub(super) fn new(capacity: usize) -> Self {
        Self {
            state: Mutex::default(),
            filled: Condvar::new(),
            capacity,
        }
    }

    /// Appends, or refuses at once.
    pub(super) fn push(&self, item: Item) -> Result<(), StoreError> {
        let mut state = self.lock();
        if state.closed {
            return Err(StoreError::Unavailable("the writer is stopping".into()));
        }
        if state.items.len() >= self.capacity {
            return Err(StoreError::Overloaded);
        }
        state.items.push_back(item);
        drop(state);
        self.filled.notify_one();
        Ok(())
    }

    /// Waits until something is there, then takes items whose askers still wait until they write `limit` rows. `None` once the
    /// queue is closed and empty.
    pub(super) fn take(&self, limit: usize) -> Option<Vec<Item>> {
        let mut state = self.lock();
        loop {
            let mut taken = Vec::new();
            let mut rows = 0;
            while rows < limit
                && let Some(item) = state.items.pop_front()
            {
                if item.is_awaited() {
                    rows += item.commit.rows();
                    taken.push(item);
                }
            }
            if !taken.is_empty() {
                return Some(taken);
            }
            if state.closed {
                return None;
            }
            state = self
                .filled
                .wait(state)
                .unwrap_or_else(PoisonError::into_inner);
        }
    }

    pub(super) fn close(&self) {
        self.lock().closed = true;
        self.filled.notify_all();
    }

    pub(super) fn is_full(&self) -> bool {
        self.len() >= self.capacity
    }

    pub(super) fn len(&self) -> usize {
        self.lock().items.len()
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::audit::AuditDraft;
    use crate::store::writer::Act;

    fn item() -> (Item, oneshot::Receiver<Result<Outcome, StoreError>>) {
        let (reply, answer) = oneshot::channel();
        let commit = Commit {
            nonce: None,
            act: Act::Record,
            audit: AuditDraft::accepted(0, "actor", "action"),
            sealed_under: None,
        };
        (Item { commit, reply }, answer)
    }

    #[test]
    fn a_full_queue_refuses_at_once() {
        let queue = Queue::new(2);
        let (a, _keep_a) = item();
        let (b, _keep_b) = item();
        queue.push(a).unwrap();
        queue.push(b).unwrap();
        assert_eq!(queue.push(item().0), Err(StoreError::Overloaded));
        assert_eq!(queue.take(10).unwrap().len(), 2);
    }

    #[test]
    fn what_nobody_waits_for_is_not_taken() {
        let queue = Queue::new(4);
        let (kept, _keep) = item();
        queue.push(item().0).unwrap();
        queue.push(kept).unwrap();
        queue.push(item().0).unwrap();
        assert_eq!(queue.take(10).unwrap().len(), 1);
        assert_eq!(queue.len(), 0);
    }

    #[test]
    fn a_closed_queue_is_emptied_and_takes_no_more() {
        let queue = Queue::new(4);
        let (waiting, _keep) = item();
        queue.push(waiting).unwrap();
        queue.close();
        assert_eq!(
            queue.push(item().0).unwrap_err().reason(),
            "database-unavailable"
        );
        assert_eq!(queue.take(1).unwrap().len(), 1);
        assert!(queue.take(1).is_none());
    }
}
