//! The jobs in the writer's queue.

use super::{Commit, Outcome};
use crate::queue::Job;
use crate::store::claim::Claim;
use crate::store::error::StoreError;
use crate::timeline::Timeline;
use std::sync::Arc;
use tokio::sync::oneshot;

/// A commit and who asked for it.
pub(super) struct Item {
    pub(super) commit: Commit,
    pub(super) reply: oneshot::Sender<Result<Outcome, StoreError>>,
    /// Begun by the session, withdrawn by who asked: whoever comes first.
    pub(super) claim: Claim,
    /// Where the wait in the queue is noted.
    pub(super) timeline: Option<Arc<Timeline>>,
}

impl Item {
    /// Answers; an asker that has gone meanwhile does not matter.
    pub(super) fn answer(self, result: Result<Outcome, StoreError>) {
        self.reply.send(result).ok();
    }
}

impl Job for Item {
    fn is_awaited(&self) -> bool {
        !self.reply.is_closed()
    }

    fn taken(&self) {
        if let Some(timeline) = &self.timeline {
            timeline.taken();
        }
    }

    fn weight(&self) -> usize {
        self.commit.rows()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::queue::Queue;
    use crate::store::audit::AuditDraft;
    use crate::store::writer::Act;

    fn item() -> (Item, oneshot::Receiver<Result<Outcome, StoreError>>) {
        let (reply, answer) = oneshot::channel();
        let commit = Commit {
            nonce: None,
            act: Act::Record,
            audit: AuditDraft::accepted(0, "actor", "action"),
            opening: None,
            sealed_under: None,
        };
        let item = Item {
            commit,
            reply,
            claim: Claim::default(),
            timeline: None,
        };
        (item, answer)
    }

    #[test]
    fn a_full_queue_refuses_at_once() {
        let queue = Queue::new(2, None);
        let (a, _keep_a) = item();
        let (b, _keep_b) = item();
        queue.push(a).unwrap();
        queue.push(b).unwrap();
        let third = queue.push(item().0).map_err(StoreError::from);
        assert_eq!(third, Err(StoreError::Overloaded));
        assert_eq!(queue.take(10).unwrap().len(), 2);
    }

    #[test]
    fn what_nobody_waits_for_is_not_taken() {
        let queue = Queue::new(4, None);
        let (kept, _keep) = item();
        queue.push(item().0).unwrap();
        queue.push(kept).unwrap();
        queue.push(item().0).unwrap();
        assert_eq!(queue.take(10).unwrap().len(), 1);
        assert_eq!(queue.backlog().jobs(), 0);
    }

    #[test]
    fn a_closed_queue_is_emptied_and_takes_no_more() {
        let queue = Queue::new(4, None);
        let (waiting, _keep) = item();
        queue.push(waiting).unwrap();
        queue.close();
        assert_eq!(
            StoreError::from(queue.push(item().0).unwrap_err()).reason(),
            "database-unavailable"
        );
        assert_eq!(queue.take(1).unwrap().len(), 1);
        assert!(queue.take(1).is_none());
    }
}
