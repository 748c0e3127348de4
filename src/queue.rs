//! A bounded queue whose threads take all waiting jobs at once. Callers whose jobs wait take turns.
//!
//! It serves stages that do several jobs for little more than the price of one. While one batch is
//! done, the next gathers. A batch waits for more jobs only while another stage is the bottleneck
//! ([`Gather`]).

// By its path, because `make orders` takes this file as a module of another crate.
#[path = "queue/turns.rs"]
mod turns;

use crate::sync::atomic::{AtomicUsize, Ordering};
use crate::sync::thread::{Builder, JoinHandle};
use crate::sync::{Arc, Condvar, Instant, Mutex, MutexGuard, PoisonError};
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;
use turns::Turns;

/// A job in a queue.
pub(crate) trait Job {
    /// Whether somebody still waits for its answer; if not, it is not taken.
    fn is_awaited(&self) -> bool;

    /// How much of a batch it takes up.
    fn weight(&self) -> usize {
        1
    }

    /// A thread has it now.
    fn taken(&self) {}

    /// Whose it is. Jobs of one caller are taken in the order in which they came.
    fn caller(&self) -> i32 {
        0
    }
}

/// Why a job was not queued.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Refused {
    /// As many wait as may.
    Full,
    /// The stage is ending.
    Closed,
}

/// How many jobs wait in a queue, seen from elsewhere. The default belongs to no queue: nothing
/// waits.
#[derive(Debug, Clone, Default)]
pub struct Backlog(Arc<AtomicUsize>);

impl Backlog {
    /// How many.
    pub fn jobs(&self) -> usize {
        self.0.load(Ordering::Relaxed)
    }
}

/// A queue at one moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fill {
    /// Jobs that wait.
    pub waiting: usize,
    /// Jobs that may wait; further ones are refused.
    pub capacity: usize,
    /// How long the first of them has waited; `None` if none waits.
    pub oldest: Option<Duration>,
}

/// So many jobs waiting for the bottleneck mean that all its threads are busy and will be for a
/// while.
const DEEP: usize = 8;

/// So many jobs are a batch in any case: little is left to be saved.
const ENOUGH: usize = 32;

/// When a batch waits for more jobs. While at least `DEEP` jobs queue for RSA, a batch waits up to
/// `longest` for `ENOUGH` jobs. Fewer transactions leave more CPU for RSA. With fewer jobs there, a
/// batch is taken at once.
#[derive(Debug, Clone)]
pub(crate) struct Gather {
    ahead: Backlog,
    longest: Duration,
}

impl Gather {
    /// `ahead` is the queue of the bottleneck. No job waits longer than `longest` for others.
    pub(crate) fn behind(ahead: Backlog, longest: Duration) -> Self {
        Self { ahead, longest }
    }
}

/// Ends, once emptied, when it is closed.
pub(crate) struct Queue<T> {
    state: Mutex<State<T>>,
    filled: Condvar,
    capacity: usize,
    waiting: Backlog,
    gather: Option<Gather>,
}

struct State<T> {
    /// Each with the moment when it came.
    jobs: Turns<(Instant, T)>,
    /// When the queue was empty for the last time.
    since: Instant,
    closed: bool,
}

impl<T: Job> Queue<T> {
    pub(crate) fn new(capacity: usize, gather: Option<Gather>) -> Self {
        let state = State {
            jobs: Turns::new(),
            since: Instant::now(),
            closed: false,
        };
        Self {
            state: Mutex::new(state),
            filled: Condvar::new(),
            capacity,
            waiting: Backlog::default(),
            gather,
        }
    }

    /// Appends, or refuses at once.
    pub(crate) fn push(&self, job: T) -> Result<(), Refused> {
        let mut state = self.lock();
        if state.closed {
            return Err(Refused::Closed);
        }
        if state.jobs.len() >= self.capacity {
            return Err(Refused::Full);
        }
        let now = Instant::now();
        if state.jobs.is_empty() {
            state.since = now;
        }
        state.jobs.push(job.caller(), (now, job));
        self.count(&state);
        // Who gathers is woken when there is enough, and once at first, to look at the clock.
        let wake = state.jobs.len() == 1 || self.gathers_for(&state).is_none();
        drop(state);
        if wake {
            self.filled.notify_one();
        }
        Ok(())
    }

    /// Waits until something is there, then takes jobs until they weigh `limit`. `None` once the
    /// queue is closed and empty.
    pub(crate) fn take(&self, limit: usize) -> Option<Vec<T>> {
        let mut state = self.lock();
        loop {
            if let Some(longer) = self.gathers_for(&state) {
                let waited = self.filled.wait_timeout(state, longer);
                state = waited.unwrap_or_else(PoisonError::into_inner).0;
                continue;
            }
            let mut taken = Vec::new();
            let mut weight = 0;
            while weight < limit
                && let Some((_, job)) = state.jobs.pop()
            {
                if job.is_awaited() {
                    weight += job.weight();
                    taken.push(job);
                }
            }
            self.count(&state);
            if !taken.is_empty() {
                // The rest is for another thread, and has waited long enough.
                if !state.jobs.is_empty() {
                    self.filled.notify_one();
                }
                drop(state);
                taken.iter().for_each(T::taken);
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

    pub(crate) fn close(&self) {
        self.lock().closed = true;
        self.filled.notify_all();
    }

    /// How many jobs wait, for other stages to look at.
    pub(crate) fn backlog(&self) -> &Backlog {
        &self.waiting
    }

    /// How it looks now.
    pub(crate) fn fill(&self) -> Fill {
        let state = self.lock();
        Fill {
            waiting: state.jobs.len(),
            capacity: self.capacity,
            oldest: state.jobs.firsts().map(|(since, _)| since.elapsed()).max(),
        }
    }

    /// Whether a job would be refused now: a glance, so that a flood costs nothing but this.
    pub(crate) fn is_full(&self) -> bool {
        self.waiting.jobs() >= self.capacity
    }

    /// How much longer the waiting jobs wait for further ones; `None` if they do not.
    fn gathers_for(&self, state: &State<T>) -> Option<Duration> {
        let gather = self.gather.as_ref()?;
        if state.jobs.is_empty() || state.closed {
            return None;
        }
        if state.jobs.len() >= ENOUGH || gather.ahead.jobs() < DEEP {
            return None;
        }
        let longer = gather.longest.saturating_sub(state.since.elapsed());
        (!longer.is_zero()).then_some(longer)
    }

    fn count(&self, state: &State<T>) {
        self.waiting.0.store(state.jobs.len(), Ordering::Relaxed);
    }

    fn lock(&self) -> MutexGuard<'_, State<T>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A queue and the threads that work it off. Dropping it closes the queue.
pub(crate) struct Stage<T: Job> {
    queue: Arc<Queue<T>>,
    threads: Mutex<Vec<JoinHandle<()>>>,
}

impl<T: Job + Send + 'static> Stage<T> {
    /// Starts threads called `NAME-0`, `NAME-1`, …, each of which takes batches of at most `limit`
    /// for its own `worker` until the queue ends; if one cannot be started, the queue is closed,
    /// and the others end.
    pub(crate) fn start<W: FnMut(Vec<T>)>(
        queue: Queue<T>,
        threads: usize,
        name: &str,
        limit: usize,
        worker: impl Fn() -> W + Clone + Send + 'static,
    ) -> io::Result<Self> {
        let queue = Arc::new(queue);
        let start = |number| {
            let (queue, worker) = (Arc::clone(&queue), worker.clone());
            Builder::new()
                .name(format!("{name}-{number}"))
                .spawn(move || work_off(&queue, limit, worker))
        };
        let started: io::Result<_> = (0..threads).map(start).collect();
        if started.is_err() {
            queue.close();
        }
        Ok(Self {
            threads: Mutex::new(started?),
            queue,
        })
    }
}

/// A panic costs the jobs of its batch, whose askers learn that it ended early. The thread
/// survives: it continues with a new worker, which knows nothing of the former one's batch.
fn work_off<T: Job, W: FnMut(Vec<T>)>(queue: &Queue<T>, limit: usize, worker: impl Fn() -> W) {
    let mut work = worker();
    while let Some(jobs) = queue.take(limit) {
        if catch_unwind(AssertUnwindSafe(|| work(jobs))).is_err() {
            tracing::error!("a batch panicked");
            work = worker();
        }
    }
}

impl<T: Job> Stage<T> {
    pub(crate) fn queue(&self) -> &Queue<T> {
        &self.queue
    }

    /// Takes no more jobs, finishes those that wait, and ends the threads. Blocks: call it off the
    /// event loop.
    pub(crate) fn stop(&self) {
        self.queue.close();
        let threads =
            std::mem::take(&mut *self.threads.lock().unwrap_or_else(PoisonError::into_inner));
        for thread in threads {
            let name = thread.thread().name().unwrap_or_default().to_owned();
            if thread.join().is_err() {
                tracing::error!(thread = name, "a thread has panicked");
            }
        }
    }
}

impl<T: Job> Drop for Stage<T> {
    fn drop(&mut self) {
        self.queue.close();
    }
}

// By its path, because `make orders` takes this file as a module of another crate.
#[cfg(test)]
#[path = "queue/tests.rs"]
mod tests;
