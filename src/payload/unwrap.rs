//! The key-unwrapping stage: RSA private operations on threads of their own, behind a bounded queue.
//!
//! The event loop never stalls on RSA, and a flood is refused at once instead of piling up (design.md,
//! "Key unwrapping is a stage"). A thread takes whatever waits, up to as many as its [`Engine`] does at once. A key that does not unwrap is not an error here: the caller gets a random
//! one and goes on, so that nobody can tell the two apart from outside (RFC 7516, section 11.5).

use openssl::rand::rand_bytes;
use prometheus::core::Collector;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::slice;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use tokio::sync::oneshot;
use zeroize::Zeroizing;

use super::engine::{Counters, Engine, Unwrapped, Wrapped};
use super::key::GatewayKey;
use super::oaep::OaepDigest;

/// A content encryption key: the sender's, or a random one in its place.
pub struct Cek {
    /// The key: one of the lengths that were asked for.
    pub bytes: Zeroizing<Vec<u8>>,
    /// Whether it is the sender's. For the log, and to fail at the very end; nothing before may depend on it.
    pub genuine: bool,
}

/// Why nothing was unwrapped; decided before the wrapped key is looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum UnwrapError {
    /// The queue is full, or there are no random numbers.
    #[error("the key-unwrapping stage cannot take more work now")]
    Overloaded,
}

impl UnwrapError {
    /// A stable kebab-case name for log and audit.
    pub fn reason(self) -> &'static str {
        match self {
            Self::Overloaded => "unwrap-overloaded",
        }
    }
}

/// One wrapped key on its way through the stage.
struct Job {
    key: Arc<GatewayKey>,
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

/// The stage. Dropping it ends its threads.
pub struct Unwrapper {
    /// `None` only while dropping.
    queue: Option<SyncSender<Job>>,
    /// How many jobs wait in the queue, and how many may.
    waiting: Arc<AtomicUsize>,
    capacity: usize,
    threads: Vec<JoinHandle<()>>,
    counters: Arc<Counters>,
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
        let (sender, receiver) = sync_channel(capacity);
        let receiver = Arc::new(Mutex::new(receiver));
        let waiting = Arc::new(AtomicUsize::new(0));
        let threads = (0..threads.max(1))
            .map(|number| {
                let (receiver, waiting) = (Arc::clone(&receiver), Arc::clone(&waiting));
                let work = work.clone();
                std::thread::Builder::new()
                    .name(format!("unwrap-{number}"))
                    .spawn(move || run(&receiver, &waiting, at_once, work))
            })
            .collect::<io::Result<_>>()?;
        Ok(Self {
            queue: Some(sender),
            waiting,
            capacity,
            threads,
            counters,
        })
    }

    /// Whether the stage would refuse a key now: a glance, so that a flood costs nothing but this.
    pub fn is_full(&self) -> bool {
        self.waiting.load(Ordering::Relaxed) >= self.capacity
    }

    /// The stage's metrics, to be registered.
    pub fn collectors(&self) -> impl Iterator<Item = Box<dyn Collector>> {
        self.counters.collectors().into_iter()
    }

    /// Unwraps `wrapped` with `key`. If that fails, or if the result has none of the `lengths` (in bytes), a
    /// random key of the first of them takes its place.
    pub async fn unwrap(
        &self,
        key: Arc<GatewayKey>,
        digest: OaepDigest,
        wrapped: Vec<u8>,
        lengths: &[usize],
    ) -> Result<Cek, UnwrapError> {
        // Made in every case and beforehand, so that a failure takes no longer than a success.
        let mut random = Zeroizing::new(vec![0; lengths.first().copied().unwrap_or_default()]);
        rand_bytes(&mut random).map_err(|_| UnwrapError::Overloaded)?;

        let (reply, answer) = oneshot::channel();
        let job = Job {
            key,
            digest,
            wrapped,
            reply,
        };
        let queue = self.queue.as_ref().ok_or(UnwrapError::Overloaded)?;
        // Counted before it is there: whoever takes it subtracts.
        self.waiting.fetch_add(1, Ordering::Relaxed);
        queue.try_send(job).map_err(|_| {
            self.waiting.fetch_sub(1, Ordering::Relaxed);
            UnwrapError::Overloaded
        })?;

        // A reply that never comes (a worker panicked) counts as a key that does not unwrap.
        let cek = answer.await.ok().flatten();
        let cek = cek.filter(|cek| lengths.contains(&cek.len()));
        let genuine = cek.is_some();
        Ok(Cek {
            bytes: cek.unwrap_or(random),
            genuine,
        })
    }
}

impl Drop for Unwrapper {
    fn drop(&mut self) {
        drop(self.queue.take());
        for thread in self.threads.drain(..) {
            // A thread cannot have panicked: `run` catches.
            let _ = thread.join();
        }
    }
}

fn run(
    queue: &Mutex<Receiver<Job>>,
    waiting: &AtomicUsize,
    at_once: usize,
    work: impl Fn(&[Job]) -> Vec<Unwrapped>,
) {
    while let Some(mut jobs) = take(queue, at_once) {
        waiting.fetch_sub(jobs.len(), Ordering::Relaxed);
        jobs.retain(|job| !job.reply.is_closed()); // the others' clients have gone away
        let answers = answers(&jobs, &work);
        for (job, answer) in jobs.into_iter().zip(answers) {
            let _ = job.reply.send(answer);
        }
    }
}

/// Waits for a job, and takes what waits behind it; `None` when the stage is dropped.
fn take(queue: &Mutex<Receiver<Job>>, at_once: usize) -> Option<Vec<Job>> {
    // One idle thread waits in `recv`, the others for the lock: each job wakes exactly one.
    let queue = queue.lock().unwrap_or_else(PoisonError::into_inner);
    let mut jobs = vec![queue.recv().ok()?];
    jobs.extend(queue.try_iter().take(at_once.saturating_sub(1)));
    Some(jobs)
}

fn answers(jobs: &[Job], work: impl Fn(&[Job]) -> Vec<Unwrapped>) -> Vec<Unwrapped> {
    let attempt = |jobs: &[Job]| catch_unwind(AssertUnwindSafe(|| work(jobs))).ok();
    // Of several one may have caused the panic; the others do not suffer for it.
    let alone = |job| attempt(slice::from_ref(job)).and_then(|mut one| one.pop().flatten());
    match jobs {
        [] => Vec::new(),
        [job] => vec![alone(job)],
        jobs => attempt(jobs).unwrap_or_else(|| jobs.iter().map(alone).collect()),
    }
}

#[cfg(test)]
impl Unwrapper {
    /// A stage that takes no work, as if its queue were full for ever.
    pub(crate) fn full() -> Self {
        Self {
            queue: None,
            waiting: Arc::default(),
            capacity: 0,
            threads: Vec::new(),
            counters: Arc::new(Counters::new(&Engine::OneByOne).unwrap()),
        }
    }
}

#[cfg(test)]
mod tests;
