//! The key-unwrapping stage: RSA private operations on threads of their own, behind a bounded
//! queue.
//!
//! The event loop never stalls on RSA, and a full queue refuses further keys. A thread takes all
//! waiting keys, up to as many as its [`Engine`] does at once. A key that does not unwrap is not an
//! error here: the caller gets a random one and goes on, so that nobody can tell the two apart from
//! outside (RFC 7516, section 11.5).
//!
//! - [`open_once`] opens a payload through the stage: start reading here;
//! - [`engine`] does the private operations, by OpenSSL, or by the library that `crypto_mb` loads,
//!   with the numbers of `crt`, once it has passed `known_answer`.

mod crt;
mod crypto_mb;
pub mod engine;
mod known_answer;
mod opening;
#[cfg(test)]
pub(crate) mod testing;

pub use engine::{Engine, MultiBuffer};
pub use opening::{OpenError, open_once};

use prometheus::core::Collector;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::slice;
use std::sync::{Arc, PoisonError, RwLock, RwLockWriteGuard};
use tokio::sync::oneshot;

use crate::payload::{ContentKey, DecryptionKey, OaepDigest};
use crate::queue::{self, Backlog, Queue, Stage};
use engine::{Counters, Unwrapped, Wrapped};

/// Why nothing was unwrapped. None of it is the sender's doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum UnwrapError {
    /// The queue is full, or there are no random numbers. The stage has not looked at the wrapped
    /// key.
    #[error("the key-unwrapping stage cannot take more work now")]
    Overloaded,
    /// The stage gave no answer: it panicked over this key, or it is ending.
    #[error("the key-unwrapping stage has failed")]
    Failed,
}

impl UnwrapError {
    /// A stable kebab-case name for log and audit.
    pub fn reason(self) -> &'static str {
        match self {
            Self::Overloaded => "unwrap-overloaded",
            Self::Failed => "unwrap-failed",
        }
    }
}

/// One wrapped key on its way through the stage.
struct Job {
    key: Arc<DecryptionKey>,
    digest: OaepDigest,
    wrapped: Vec<u8>,
    reply: oneshot::Sender<Unwrapped>,
}

impl Job {
    fn wrapped(&self) -> Wrapped<'_> {
        Wrapped {
            key: &self.key,
            digest: self.digest,
            bytes: &self.wrapped,
        }
    }
}

impl queue::Job for Job {
    fn is_awaited(&self) -> bool {
        !self.reply.is_closed()
    }
}

/// The stage. Dropping it ends its threads.
pub struct Unwrapper {
    stage: Stage<Job>,
    counters: Arc<Counters>,
    gate: Arc<RwLock<()>>,
}

impl Unwrapper {
    /// Starts `threads` threads that share a queue of `queue` waiting keys (at least one of each).
    pub fn start(threads: usize, queue: usize, engine: Engine) -> io::Result<Self> {
        let counters = Arc::new(Counters::new(&engine).map_err(io::Error::other)?);
        let (engine, counted) = (Arc::new(engine), Arc::clone(&counters));
        Self::start_with(threads, queue, engine.width(), counters, move |jobs| {
            let wrapped: Vec<_> = jobs.iter().map(Job::wrapped).collect();
            engine.unwrap(&wrapped, &counted)
        })
    }

    fn start_with<F>(
        threads: usize,
        queue: usize,
        at_once: usize,
        counters: Arc<Counters>,
        work: F,
    ) -> io::Result<Self>
    where
        F: Fn(&[Job]) -> Vec<Unwrapped> + Clone + Send + 'static,
    {
        let queue = Queue::new(queue.max(1), None);
        let gate = Arc::<RwLock<()>>::default();
        let open = Arc::clone(&gate);
        let worker = move || {
            let (work, open) = (work.clone(), Arc::clone(&open));
            move |jobs| {
                drop(open.read().unwrap_or_else(PoisonError::into_inner));
                reply(jobs, &work);
            }
        };
        Ok(Self {
            stage: Stage::start(queue, threads.max(1), "unwrap", at_once, worker)?,
            counters,
            gate,
        })
    }

    /// Holds up the stage until the guard is dropped: its threads take the waiting keys, and begin
    /// none of them. For tests of a busy stage.
    #[doc(hidden)]
    pub fn hold(&self) -> RwLockWriteGuard<'_, ()> {
        self.gate.write().unwrap_or_else(PoisonError::into_inner)
    }

    /// How many keys wait. If any do, all threads are busy.
    pub fn backlog(&self) -> Backlog {
        self.stage.queue().backlog().clone()
    }

    /// Whether the stage would refuse a key now.
    pub fn is_full(&self) -> bool {
        self.stage.queue().is_full()
    }

    /// The stage's metrics, to be registered.
    pub fn collectors(&self) -> impl Iterator<Item = Box<dyn Collector>> {
        self.counters.collectors().into_iter()
    }

    /// Unwraps `wrapped` with `key`. If that fails, or if the result has none of the `lengths` (in
    /// bytes), a random key of the first of them takes its place.
    ///
    /// # Errors
    /// [`UnwrapError`]: a fault of ours is never passed off as a key that does not unwrap.
    pub async fn unwrap(
        &self,
        key: Arc<DecryptionKey>,
        digest: OaepDigest,
        wrapped: Vec<u8>,
        lengths: &[usize],
    ) -> Result<ContentKey, UnwrapError> {
        let stand_in = ContentKey::stand_in(lengths).map_err(|_| UnwrapError::Overloaded)?;

        let (reply, answer) = oneshot::channel();
        let job = Job {
            key,
            digest,
            wrapped,
            reply,
        };
        let queue = self.stage.queue();
        queue.push(job).map_err(|_| UnwrapError::Overloaded)?;

        // A reply never comes if the worker panicked.
        let unwrapped = answer.await.map_err(|_| UnwrapError::Failed)?;
        Ok(stand_in.unless(unwrapped, lengths))
    }
}

impl Drop for Unwrapper {
    fn drop(&mut self) {
        self.stage.stop();
    }
}

/// Answers all jobs but those that panicked: a dropped sender tells their askers.
fn reply(jobs: Vec<Job>, work: impl Fn(&[Job]) -> Vec<Unwrapped>) {
    let answers = answers(&jobs, work);
    for (job, answer) in jobs.into_iter().zip(answers) {
        if let Some(answer) = answer {
            let _ = job.reply.send(answer);
        }
    }
}

/// One answer for each job, in their order; `None` where the work panicked.
fn answers(jobs: &[Job], work: impl Fn(&[Job]) -> Vec<Unwrapped>) -> Vec<Option<Unwrapped>> {
    let attempt = |jobs: &[Job]| catch_unwind(AssertUnwindSafe(|| work(jobs))).ok();
    // One of several may have caused the panic. Each is tried alone, so the others get an answer.
    let alone = |job| attempt(slice::from_ref(job)).and_then(|mut one| one.pop());
    match jobs {
        [] => Vec::new(),
        [job] => vec![alone(job)],
        jobs => match attempt(jobs) {
            Some(all) => all.into_iter().map(Some).collect(),
            None => jobs.iter().map(alone).collect(),
        },
    }
}

#[cfg(test)]
impl Unwrapper {
    /// A stage that panics over every key.
    pub(crate) fn panicking() -> Self {
        let counters = Arc::new(Counters::new(&Engine::OneByOne).unwrap());
        let work = |jobs: &[Job]| -> Vec<Unwrapped> { panic!("over {} jobs", jobs.len()) };
        Self::start_with(1, 4, 1, counters, work).unwrap()
    }

    /// A stage that takes no work, as if its queue were full for ever.
    pub(crate) fn full() -> Self {
        Self {
            stage: Stage::start(Queue::new(0, None), 0, "unwrap", 1, || |_| ()).unwrap(),
            counters: Arc::new(Counters::new(&Engine::OneByOne).unwrap()),
            gate: Arc::default(),
        }
    }
}

#[cfg(test)]
mod tests;
