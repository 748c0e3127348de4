//! Keys that lie elsewhere, in a token for example: a stage for each keeper. It has as many threads
//! as the keeper does operations at once, however many cores the node has.
//!
//! A keeper that hangs or that is away costs the calls to its own keys, and nobody else.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use super::engine::Counters;
use super::{Job, Reply, UnwrapError};
use crate::payload::{Keeper, UnwrapError as KeyError};
use crate::queue::{Queue, Refused, Stage};

/// The stage of one keeper.
pub(super) struct Keeping {
    stage: Stage<Job>,
    at_once: usize,
    timeout: Duration,
    pace: Arc<Pace>,
}

/// How fast the keeper is, and whether it answers at all.
#[derive(Default)]
struct Pace {
    /// Moving mean of an operation's time; 0: none yet.
    nanos: AtomicU64,
    /// A caller has waited in vain, and nothing was done since.
    stuck: AtomicBool,
}

impl Pace {
    fn note(&self, took: Duration) {
        let took = u64::try_from(took.as_nanos()).unwrap_or(u64::MAX).max(1);
        let mean = self.nanos.load(Ordering::Relaxed);
        // Threads may overwrite each other's mean: it is good enough.
        let mean = if mean == 0 {
            took
        } else {
            mean - mean / 8 + took / 8
        };
        self.nanos.store(mean, Ordering::Relaxed);
        self.stuck.store(false, Ordering::Relaxed);
    }
}

impl Keeping {
    /// Starts the threads of a keeper, with a queue of at most `queue` keys.
    pub(super) fn start(
        keeper: &dyn Keeper,
        queue: usize,
        counters: &Arc<Counters>,
    ) -> io::Result<Self> {
        let pace = Arc::<Pace>::default();
        let name = keeper.name().to_owned();
        let (counters, paced) = (Arc::clone(counters), Arc::clone(&pace));
        let worker = move || {
            let (counters, pace, name) = (Arc::clone(&counters), Arc::clone(&paced), name.clone());
            move |jobs: Vec<Job>| {
                for job in jobs {
                    let begun = Instant::now();
                    let unwrapped = job.key.unwrap(&job.travel, &job.wrapped);
                    pace.note(begun.elapsed());
                    let away = matches!(unwrapped, Err(KeyError::KeeperAway(_)));
                    counters.kept(&name, !away);
                    let reply: Reply = if away {
                        Err(UnwrapError::KeeperAway)
                    } else {
                        Ok(unwrapped.ok())
                    };
                    let _ = job.reply.send(reply);
                }
            }
        };
        let at_once = keeper.at_once().max(1);
        Ok(Self {
            stage: Stage::start(Queue::new(queue.max(1), None), at_once, "token", 1, worker)?,
            at_once,
            timeout: keeper.timeout(),
            pace,
        })
    }

    /// Whether it still fits the keeper's settings.
    pub(super) fn fits(&self, keeper: &dyn Keeper) -> bool {
        self.at_once == keeper.at_once().max(1) && self.timeout == keeper.timeout()
    }

    /// How long a caller waits.
    pub(super) fn timeout(&self) -> Duration {
        self.timeout
    }

    /// Whether a key that came now would not be unwrapped in time: so many wait at the keeper's
    /// pace, or the queue is full.
    pub(super) fn is_full(&self) -> bool {
        let queue = self.stage.queue();
        let waiting = u64::try_from(queue.backlog().jobs()).unwrap_or(u64::MAX);
        let at_once = u64::try_from(self.at_once).unwrap_or(1);
        let nanos = self.pace.nanos.load(Ordering::Relaxed);
        let wait = Duration::from_nanos(nanos.saturating_mul(waiting) / at_once);
        queue.is_full() || wait >= self.timeout
    }

    /// Queues a key, unless it would be in vain.
    pub(super) fn push(&self, job: Job) -> Result<(), UnwrapError> {
        // All threads hang: one key waits for the first of them to come back, the others need not.
        let waits = self.stage.queue().backlog().jobs() > 0;
        if self.pace.stuck.load(Ordering::Relaxed) && waits {
            return Err(UnwrapError::KeeperAway);
        }
        if self.is_full() {
            return Err(UnwrapError::Overloaded);
        }
        self.stage
            .queue()
            .push(job)
            .map_err(|refused| match refused {
                Refused::Full => UnwrapError::Overloaded,
                Refused::Closed => UnwrapError::Failed,
            })
    }

    /// A caller has waited for the whole timeout.
    pub(super) fn note_timeout(&self) {
        self.pace.stuck.store(true, Ordering::Relaxed);
    }

    pub(super) fn stop(&self) {
        self.stage.queue().close();
    }
}

#[cfg(test)]
mod tests;
