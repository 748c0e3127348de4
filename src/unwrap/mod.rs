//! The key-unwrapping stage: RSA private operations on threads of their own, behind a bounded
//! queue.
//!
//! The event loop never stalls on RSA, and a full queue refuses further keys. A thread takes all
//! waiting keys, up to as many as its [`Engine`] does at once. A key that does not unwrap is not an
//! error here: the caller gets a random one and goes on, so that nobody can tell the two apart from
//! outside (RFC 7516, section 11.5).
//!
//! - [`open_once`] opens a payload through the stage: start reading here;
//! - `keeping`: keys that lie in tokens have stages of their own;
//! - [`engine`] does the private operations, by OpenSSL, or by the library that `crypto_mb` loads,
//!   with the numbers of `crt`, once it has passed `known_answer`.

mod crt;
mod crypto_mb;
pub mod engine;
mod keeping;
mod known_answer;
mod opening;
#[cfg(test)]
pub(crate) mod testing;

pub use crypto_mb::unpad_oaep;
pub use engine::{Engine, MultiBuffer};
pub use opening::{OpenError, open_once};

use prometheus::core::Collector;
use std::collections::HashMap;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::slice;
use std::sync::{Arc, Mutex, PoisonError, RwLock, RwLockWriteGuard};
use tokio::sync::oneshot;
use tokio::time::timeout;

use crate::payload::{ContentKey, DecryptionKey, Keeper, KeyRing, Travel};
use crate::queue::{self, Backlog, Fill, Queue, Stage};
use crate::timeline::Timeline;
use engine::{Counters, Unwrapped, Wrapped};
use keeping::Keeping;

/// Why nothing was unwrapped. None of it is the sender's doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum UnwrapError {
    /// The queue is full, or there are no random numbers. The stage has not looked at the wrapped
    /// key.
    #[error("the key-unwrapping stage cannot take more work now")]
    Overloaded,
    /// The private key lies in a token that is away or does not answer in time.
    #[error("the keeper of the private key does not answer")]
    KeeperAway,
    /// The stage gave no answer: it panicked over this key, or it is ending.
    #[error("the key-unwrapping stage has failed")]
    Failed,
}

impl UnwrapError {
    /// A stable kebab-case name for log and audit.
    pub fn reason(self) -> &'static str {
        match self {
            Self::Overloaded => "unwrap-overloaded",
            Self::KeeperAway => "unwrap-keeper-away",
            Self::Failed => "unwrap-failed",
        }
    }
}

/// Who asks for an unwrapping.
#[derive(Clone, Default)]
pub struct Asker {
    /// Askers of different numbers take turns.
    pub number: i32,
    /// Where the wait in the queue is noted.
    pub timeline: Option<Arc<Timeline>>,
}

/// One wrapped key on its way through the stage.
struct Job {
    asker: Asker,
    key: Arc<DecryptionKey>,
    travel: Travel,
    wrapped: Vec<u8>,
    reply: oneshot::Sender<Reply>,
}

type Reply = Result<Unwrapped, UnwrapError>;

impl Job {
    fn wrapped(&self) -> Wrapped<'_> {
        Wrapped {
            key: &self.key,
            travel: &self.travel,
            bytes: &self.wrapped,
        }
    }
}

impl queue::Job for Job {
    fn is_awaited(&self) -> bool {
        !self.reply.is_closed()
    }

    fn taken(&self) {
        if let Some(timeline) = &self.asker.timeline {
            timeline.taken();
        }
    }

    fn caller(&self) -> i32 {
        self.asker.number
    }
}

/// The stage. Dropping it ends its threads.
pub struct Unwrapper {
    stage: Stage<Job>,
    /// By keeper; started with the first key of it.
    keepings: Mutex<HashMap<String, Arc<Keeping>>>,
    queue: usize,
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
        let capacity = queue.max(1);
        let queue = Queue::new(capacity, None);
        let gate = Arc::<RwLock<()>>::default();
        let (open, counted) = (Arc::clone(&gate), Arc::clone(&counters));
        let worker = move || {
            let (work, open, counted) = (work.clone(), Arc::clone(&open), Arc::clone(&counted));
            move |jobs: Vec<Job>| {
                counted.taken(jobs.len());
                drop(open.read().unwrap_or_else(PoisonError::into_inner));
                reply(jobs, &work);
            }
        };
        Ok(Self {
            stage: Stage::start(queue, threads.max(1), "unwrap", at_once, worker)?,
            keepings: Mutex::default(),
            queue: capacity,
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

    /// How many keys wait, may wait, and how long.
    pub fn fill(&self) -> Fill {
        self.stage.queue().fill()
    }

    /// Whether a key would be refused now, whichever of the ring it is for.
    pub fn is_full(&self, ring: &KeyRing) -> bool {
        let here = self.stage.queue().is_full();
        let keys = ring.keys().iter().filter(|key| key.state().decrypts());
        keys.map(|key| key.keeper()).all(|keeper| match keeper {
            None => here,
            Some(keeper) => self
                .keeping(&**keeper)
                .is_ok_and(|keeping| keeping.is_full()),
        })
    }

    /// The stage of a keeper.
    fn keeping(&self, keeper: &dyn Keeper) -> io::Result<Arc<Keeping>> {
        let mut keepings = self.keepings.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = keepings.get(keeper.name())
            && known.fits(keeper)
        {
            return Ok(Arc::clone(known));
        }
        let started = Arc::new(Keeping::start(keeper, self.queue, &self.counters)?);
        if let Some(former) = keepings.insert(keeper.name().to_owned(), Arc::clone(&started)) {
            former.stop();
        }
        Ok(started)
    }

    /// The stage's metrics, to be registered.
    pub fn collectors(&self) -> impl Iterator<Item = Box<dyn Collector>> {
        self.counters.collectors().into_iter()
    }

    /// Unwraps `wrapped` with `key`. If that fails, or if the result has none of the `lengths` (in
    /// bytes), a random key of the first of them takes its place. Callers whose keys wait take
    /// turns.
    ///
    /// # Errors
    /// [`UnwrapError`]: a fault of ours is never passed off as a key that does not unwrap.
    pub async fn unwrap_for(
        &self,
        asker: Asker,
        key: Arc<DecryptionKey>,
        travel: Travel,
        wrapped: Vec<u8>,
        lengths: &[usize],
    ) -> Result<ContentKey, UnwrapError> {
        let stand_in = ContentKey::stand_in(lengths).map_err(|_| UnwrapError::Overloaded)?;
        if let Some(timeline) = &asker.timeline {
            timeline.queued();
        }

        let (reply, answer) = oneshot::channel();
        let keeper = key.keeper().cloned();
        let job = Job {
            asker,
            key,
            travel,
            wrapped,
            reply,
        };
        // A reply never comes if the worker panicked.
        let unwrapped = match keeper {
            None => {
                let queue = self.stage.queue();
                queue.push(job).map_err(|_| UnwrapError::Overloaded)?;
                answer.await.map_err(|_| UnwrapError::Failed)??
            }
            Some(keeper) => {
                let keeping = self.keeping(&*keeper);
                let keeping = keeping.map_err(|_| UnwrapError::Overloaded)?;
                keeping.push(job)?;
                let Ok(answer) = timeout(keeping.timeout(), answer).await else {
                    keeping.note_timeout();
                    return Err(UnwrapError::KeeperAway);
                };
                answer.map_err(|_| UnwrapError::Failed)??
            }
        };
        Ok(stand_in.unless(unwrapped, lengths))
    }
}

impl Drop for Unwrapper {
    fn drop(&mut self) {
        self.stage.stop();
        let keepings = self
            .keepings
            .get_mut()
            .unwrap_or_else(PoisonError::into_inner);
        // Without waiting for their threads: a token may hang.
        keepings.values().for_each(|keeping| keeping.stop());
    }
}

/// Answers all jobs but those that panicked: a dropped sender tells their askers.
fn reply(jobs: Vec<Job>, work: impl Fn(&[Job]) -> Vec<Unwrapped>) {
    let answers = answers(&jobs, work);
    for (job, answer) in jobs.into_iter().zip(answers) {
        if let Some(answer) = answer {
            let _ = job.reply.send(Ok(answer));
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
    /// The same for tests in which one caller is all there is.
    pub(crate) async fn unwrap(
        &self,
        key: Arc<DecryptionKey>,
        travel: Travel,
        wrapped: Vec<u8>,
        lengths: &[usize],
    ) -> Result<ContentKey, UnwrapError> {
        self.unwrap_for(Asker::default(), key, travel, wrapped, lengths)
            .await
    }

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
            keepings: Mutex::default(),
            queue: 1,
            counters: Arc::new(Counters::new(&Engine::OneByOne).unwrap()),
            gate: Arc::default(),
        }
    }
}

#[cfg(test)]
mod tests;
