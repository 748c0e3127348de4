//! A bounded queue whose threads take all waiting jobs at once.
//!
//! It serves stages that do several jobs for little more than the price of one. While one batch is
//! done, the next gathers. A batch waits for more jobs only while another stage is the bottleneck
//! ([`Gather`]).

use crate::sync::atomic::{AtomicUsize, Ordering};
use crate::sync::thread::{Builder, JoinHandle};
use crate::sync::{Arc, Condvar, Instant, Mutex, MutexGuard, PoisonError};
use std::collections::VecDeque;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

/// What waits in a queue.
pub(crate) trait Job {
    /// Whether somebody still waits for its answer; if not, it is not taken.
    fn is_awaited(&self) -> bool;

    /// How much of a batch it takes up.
    fn weight(&self) -> usize {
        1
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

/// So many jobs waiting for the bottleneck mean that all its threads are busy and will be for a
/// while.
const DEEP: usize = 8;

/// So many jobs are a batch in any case: little is left to be saved.
const ENOUGH: usize = 32;

/// When larger batches are worth waiting for. While many jobs wait for the bottleneck, a batch's
/// fixed cost is paid with the time that the bottleneck goes without: who comes first waits for
/// those who follow. What comes while few wait there is taken at once, and with it whoever waited.
#[derive(Debug, Clone)]
pub(crate) struct Gather {
    ahead: Backlog,
    longest: Duration,
}

impl Gather {
    /// `ahead` is what waits for the bottleneck; no job waits longer than `longest` for others.
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
    jobs: VecDeque<T>,
    /// When the queue was empty for the last time.
    since: Instant,
    closed: bool,
}

impl<T: Job> Queue<T> {
    pub(crate) fn new(capacity: usize, gather: Option<Gather>) -> Self {
        let state = State {
            jobs: VecDeque::new(),
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
        if state.jobs.is_empty() {
            state.since = Instant::now();
        }
        state.jobs.push_back(job);
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
                && let Some(job) = state.jobs.pop_front()
            {
                if job.is_awaited() {
                    weight += job.weight();
                    taken.push(job);
                }
            }
            self.count(&state);
            if !taken.is_empty() {
                // What is left is another thread's, and has waited long enough.
                if !state.jobs.is_empty() {
                    self.filled.notify_one();
                }
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

    /// What waits, to be seen from elsewhere.
    pub(crate) fn backlog(&self) -> &Backlog {
        &self.waiting
    }

    /// How many jobs may wait.
    pub(crate) fn capacity(&self) -> usize {
        self.capacity
    }

    /// Looks at the job that has waited longest, if any.
    pub(crate) fn first<R>(&self, look: impl FnOnce(&T) -> R) -> Option<R> {
        self.lock().jobs.front().map(look)
    }

    /// Whether a job would be refused now: a glance, so that a flood costs nothing but this.
    pub(crate) fn is_full(&self) -> bool {
        self.waiting.jobs() >= self.capacity
    }

    /// How much longer what is there waits for more; `None` if it does not.
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

/// A panic costs those who wait for that batch, who are told that it ended early, and not the
/// thread: it goes on with a new worker, which knows nothing of what the former one had begun.
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

#[cfg(test)]
mod tests {
    use super::*;

    struct Number(u32);

    impl Job for Number {
        fn is_awaited(&self) -> bool {
            true
        }
    }

    const LONG: Duration = Duration::from_secs(3_600);

    /// A queue behind another in which `ahead` jobs wait.
    fn behind(ahead: usize, longest: Duration) -> (Queue<Number>, Backlog) {
        let backlog = Backlog::default();
        backlog.0.store(ahead, Ordering::Relaxed);
        let gather = Gather::behind(backlog.clone(), longest);
        (Queue::new(100, Some(gather)), backlog)
    }

    fn gathers(queue: &Queue<Number>) -> bool {
        queue.gathers_for(&queue.lock()).is_some()
    }

    fn push(queue: &Queue<Number>, numbers: impl IntoIterator<Item = u32>) {
        for number in numbers {
            queue.push(Number(number)).unwrap();
        }
    }

    #[test]
    fn a_deep_backlog_ahead_makes_the_first_wait_until_there_are_enough() {
        let (queue, _) = behind(DEEP, LONG);
        assert!(!gathers(&queue), "nothing is there");
        push(&queue, 1..32);
        assert!(gathers(&queue));
        push(&queue, [32]);
        assert!(!gathers(&queue));
        let taken = queue.take(100).unwrap();
        assert!(taken.iter().map(|n| n.0).eq(1..=32));
        assert_eq!(queue.backlog().jobs(), 0);
    }

    #[test]
    fn nobody_waits_once_few_wait_ahead() {
        let (queue, ahead) = behind(DEEP, LONG);
        push(&queue, [1]);
        assert!(gathers(&queue));
        ahead.0.store(DEEP - 1, Ordering::Relaxed);
        assert!(!gathers(&queue));
        assert_eq!(queue.take(10).unwrap().len(), 1);
    }

    #[test]
    fn nobody_waits_longer_than_the_longest() {
        for longest in [Duration::ZERO, Duration::from_millis(1)] {
            let (queue, _) = behind(DEEP, longest);
            push(&queue, [1]);
            assert_eq!(queue.take(10).unwrap().len(), 1);
        }
    }

    #[test]
    fn a_gathering_thread_is_woken_by_the_job_that_makes_it_enough() {
        let (queue, _) = behind(DEEP, LONG);
        let queue = Arc::new(queue);
        let taker = Arc::clone(&queue);
        let taken = std::thread::spawn(move || taker.take(100).unwrap().len());
        push(&queue, 1..=32);
        assert_eq!(taken.join().unwrap(), 32);
    }

    #[test]
    fn a_gathering_thread_is_woken_by_the_end_of_the_queue() {
        let (queue, _) = behind(DEEP, LONG);
        let queue = Arc::new(queue);
        push(&queue, [1]);
        let taker = Arc::clone(&queue);
        let taken = std::thread::spawn(move || taker.take(10).unwrap().len());
        queue.close();
        assert_eq!(taken.join().unwrap(), 1);
    }

    #[test]
    fn what_a_batch_leaves_goes_to_another_thread() {
        let (queue, _) = behind(DEEP, Duration::from_millis(1));
        let queue = Arc::new(queue);
        let takers = [(); 2].map(|()| {
            let queue = Arc::clone(&queue);
            std::thread::spawn(move || queue.take(1).unwrap().len())
        });
        push(&queue, [1, 2]);
        for taker in takers {
            assert_eq!(taker.join().unwrap(), 1);
        }
    }

    #[test]
    fn a_panic_ends_neither_the_thread_nor_the_next_batch() {
        let queue = Queue::new(10, None);
        push(&queue, 1..=3);
        queue.close();
        let (workers, done) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
        work_off(&queue, 1, || {
            let worker = workers.fetch_add(1, Ordering::Relaxed);
            let done = &done;
            move |jobs: Vec<Number>| {
                assert_ne!(jobs[0].0, 2, "the one that panics");
                done.lock().unwrap().push((worker, jobs[0].0));
            }
        });
        assert_eq!(*done.lock().unwrap(), [(0, 1), (1, 3)]);
    }

    #[test]
    fn what_waits_is_counted_and_no_more_than_the_capacity_may() {
        let queue = Queue::new(2, None);
        queue.push(Number(1)).unwrap();
        assert!(!queue.is_full());
        queue.push(Number(2)).unwrap();
        assert!(queue.is_full());
        assert_eq!(queue.push(Number(3)), Err(Refused::Full));
        assert_eq!(queue.take(1).unwrap().len(), 1);
        assert_eq!(queue.backlog().jobs(), 1);
    }
}
