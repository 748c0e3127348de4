//! The writer's own state, known without asking the database: for readiness and metrics.
//!
//! The threads note the beginning and the end of each batch in atomics. Nobody waits for a reader.

mod gauges;

use crate::queue::Fill;
use crate::store::error::StoreError;
pub(super) use gauges::Gauges;
use prometheus::core::Collector;
use prometheus::{Histogram, HistogramOpts, IntCounter, Opts};
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::{Duration, Instant};

/// Seconds that a batch takes, from the first statement to the confirmed COMMIT.
const COMMIT_SECONDS: &[f64] = &[
    0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0,
];

/// What may share a transaction or a query.
pub(in crate::store) const BATCH_SIZES: &[f64] =
    &[1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 256.0];

/// The state of the writer at one moment. Reading it takes no I/O and waits for no thread that
/// commits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WriterHealth {
    /// When a batch was last confirmed by the database; `None` until the first one.
    pub last_commit: Option<Instant>,
    /// When a batch last failed for a reason that lies with the database (not with the data);
    /// `None` until then.
    pub last_failure: Option<Instant>,
    /// When the oldest batch under way was begun; `None` if none is under way.
    pub oldest_under_way: Option<Instant>,
    /// Commits in the batches under way: should the process end now, nobody could know what became
    /// of them.
    pub commits_under_way: usize,
    /// Commits that wait in the queue.
    pub waiting: usize,
    /// Commits that may wait (`database.write_queue`).
    pub capacity: usize,
    /// How long the first commit in the queue has waited; `None` if the queue is empty.
    pub oldest_waiting: Option<Duration>,
    /// Threads that write (`database.writers`; SQLite: one).
    pub threads: usize,
    /// Threads that have a database connection. They connect when there is something to write.
    pub connected: usize,
    /// Batches since the start whose outcome is not known: the connection was lost during COMMIT.
    pub in_doubt: u64,
    /// Connections since the start that were given up because the database did not answer on them.
    pub given_up: u64,
    /// Acknowledged audit entries since the start that the database did not have any more after a
    /// reconnect.
    pub lost_entries: u64,
}

impl WriterHealth {
    /// Whether the writer does its work: nothing is under way or waits for longer than `patience`,
    /// and the last batch was not refused by the database.
    pub fn is_writing(&self, patience: Duration) -> bool {
        let young = |since: Instant| since.elapsed() <= patience;
        self.oldest_under_way.is_none_or(young)
            && self.oldest_waiting.is_none_or(|waited| waited <= patience)
            && self.last_failure <= self.last_commit
    }
}

/// Notes what the writer's threads do. Cheap to clone.
#[derive(Clone)]
pub(super) struct Monitor {
    shared: Arc<Shared>,
}

struct Shared {
    /// Instants are kept as microseconds since this one.
    base: Instant,
    last_commit: AtomicU64,
    last_failure: AtomicU64,
    threads: Mutex<Vec<Weak<Thread>>>,
    commit_seconds: Histogram,
    batch_sizes: Histogram,
    in_doubt: IntCounter,
    given_up: IntCounter,
    lost_entries: IntCounter,
}

/// What one thread does. It counts as long as its [`Probe`] lives.
#[derive(Default)]
struct Thread {
    began: AtomicU64,
    commits: AtomicUsize,
    connected: AtomicBool,
}

/// A thread's side of the monitor.
pub(super) struct Probe {
    shared: Arc<Shared>,
    thread: Arc<Thread>,
}

impl Monitor {
    /// `writer` is the writer's name.
    pub(super) fn new(writer: &str) -> Result<Self, prometheus::Error> {
        let histogram = |name: &str, help: &str, buckets: &[f64]| {
            let options = HistogramOpts::new(name, help).const_label("writer", writer);
            Histogram::with_opts(options.buckets(buckets.to_vec()))
        };
        let counter = |name: &str, help: &str| {
            IntCounter::with_opts(Opts::new(name, help).const_label("writer", writer))
        };
        let shared = Shared {
            base: Instant::now(),
            last_commit: AtomicU64::new(0),
            last_failure: AtomicU64::new(0),
            threads: Mutex::default(),
            commit_seconds: histogram(
                "issuer_gateway_commit_seconds",
                "Time of a batch from its first statement to the confirmed COMMIT",
                COMMIT_SECONDS,
            )?,
            batch_sizes: histogram(
                "issuer_gateway_commit_batch_size",
                "Commits that shared a transaction",
                BATCH_SIZES,
            )?,
            in_doubt: counter(
                "issuer_gateway_batches_in_doubt_total",
                "Batches whose outcome is not known: the connection was lost during COMMIT",
            )?,
            given_up: counter(
                "issuer_gateway_writer_connections_given_up_total",
                "Writer connections that were ended because the database did not answer on them",
            )?,
            lost_entries: counter(
                "issuer_gateway_acknowledged_entries_lost_total",
                "Acknowledged audit entries that the database did not have any more after a reconnect",
            )?,
        };
        Ok(Self {
            shared: Arc::new(shared),
        })
    }

    /// For one more thread.
    pub(super) fn probe(&self) -> Probe {
        let thread = Arc::new(Thread::default());
        let mut threads = self.shared.threads();
        threads.retain(|thread| thread.strong_count() > 0);
        threads.push(Arc::downgrade(&thread));
        drop(threads);
        Probe {
            shared: Arc::clone(&self.shared),
            thread,
        }
    }

    pub(super) fn health(&self, queue: Fill) -> WriterHealth {
        let shared = &self.shared;
        let threads: Vec<_> = shared.threads().iter().filter_map(Weak::upgrade).collect();
        let began = threads
            .iter()
            .filter_map(|thread| shared.instant(&thread.began));
        WriterHealth {
            last_commit: shared.instant(&shared.last_commit),
            last_failure: shared.instant(&shared.last_failure),
            oldest_under_way: began.min(),
            commits_under_way: threads
                .iter()
                .map(|thread| thread.commits.load(Ordering::Relaxed))
                .sum(),
            waiting: queue.waiting,
            capacity: queue.capacity,
            oldest_waiting: queue.oldest,
            threads: threads.len(),
            connected: threads
                .iter()
                .filter(|thread| thread.connected.load(Ordering::Relaxed))
                .count(),
            in_doubt: shared.in_doubt.get(),
            given_up: shared.given_up.get(),
            lost_entries: shared.lost_entries.get(),
        }
    }

    /// The metrics that count; [`Gauges`] are those that are looked up.
    pub(super) fn collectors(&self) -> [Box<dyn Collector>; 5] {
        [
            Box::new(self.shared.commit_seconds.clone()),
            Box::new(self.shared.batch_sizes.clone()),
            Box::new(self.shared.in_doubt.clone()),
            Box::new(self.shared.given_up.clone()),
            Box::new(self.shared.lost_entries.clone()),
        ]
    }
}

impl Shared {
    fn threads(&self) -> std::sync::MutexGuard<'_, Vec<Weak<Thread>>> {
        self.threads.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Zero stands for "never", so the first microsecond counts as one.
    fn now(&self) -> u64 {
        u64::try_from(self.base.elapsed().as_micros())
            .unwrap_or(u64::MAX)
            .max(1)
    }

    fn instant(&self, noted: &AtomicU64) -> Option<Instant> {
        match noted.load(Ordering::Relaxed) {
            0 => None,
            micros => Some(self.base + Duration::from_micros(micros)),
        }
    }
}

impl Probe {
    /// A batch of so many commits is begun. It is under way until the guard is dropped, a panic
    /// included.
    pub(super) fn begin(&self, commits: usize) -> UnderWay {
        let began = self.shared.now();
        self.thread.commits.store(commits, Ordering::Relaxed);
        self.thread.began.store(began, Ordering::Relaxed);
        UnderWay(Arc::clone(&self.thread))
    }

    /// So many commits became durable in a transaction that was begun at `began`.
    pub(super) fn committed(&self, commits: usize, began: Instant) {
        let shared = &self.shared;
        shared.last_commit.store(shared.now(), Ordering::Relaxed);
        shared.commit_seconds.observe(began.elapsed().as_secs_f64());
        shared
            .batch_sizes
            .observe(f64::from(u32::try_from(commits).unwrap_or(u32::MAX)));
    }

    /// A batch failed. Only what lies with the database counts as its failure.
    pub(super) fn failed(&self, error: &StoreError) {
        if error.is_recoverable() {
            let shared = &self.shared;
            shared.last_failure.store(shared.now(), Ordering::Relaxed);
        }
    }

    /// The outcome of a batch is not known.
    pub(super) fn in_doubt(&self) {
        self.shared.in_doubt.inc();
    }

    /// A connection was given up.
    pub(super) fn given_up(&self) {
        self.shared.given_up.inc();
    }

    /// So many confirmed audit entries are gone.
    pub(super) fn lost(&self, entries: i64) {
        let entries = u64::try_from(entries).unwrap_or(0);
        self.shared.lost_entries.inc_by(entries);
    }

    /// The thread has a connection, or has none any more.
    pub(super) fn connected(&self, connected: bool) {
        self.thread.connected.store(connected, Ordering::Relaxed);
    }
}

/// Marks a batch as under way.
pub(super) struct UnderWay(Arc<Thread>);

impl Drop for UnderWay {
    fn drop(&mut self) {
        self.0.began.store(0, Ordering::Relaxed);
        self.0.commits.store(0, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn idle() -> Fill {
        Fill {
            waiting: 0,
            capacity: 10,
            oldest: None,
        }
    }

    #[test]
    fn batches_leave_their_marks() {
        let monitor = Monitor::new("calls").unwrap();
        let (probe, other) = (monitor.probe(), monitor.probe());
        let health = monitor.health(idle());
        assert_eq!((health.threads, health.connected), (2, 0));
        assert_eq!((health.last_commit, health.oldest_under_way), (None, None));

        probe.connected(true);
        let first = probe.begin(3);
        let second = other.begin(4);
        let under_way = monitor.health(idle());
        assert_eq!(under_way.commits_under_way, 7);
        drop(first);
        let later = monitor.health(idle());
        assert!(under_way.oldest_under_way <= later.oldest_under_way);
        drop(second);
        probe.committed(3, Instant::now());
        let health = monitor.health(idle());
        assert!(health.oldest_under_way.is_none() && health.last_commit.is_some());
        assert_eq!(health.commits_under_way, 0);
        assert_eq!(health.connected, 1);
        drop(probe);
        let health = monitor.health(idle());
        assert_eq!((health.threads, health.connected), (1, 0));
    }

    #[test]
    fn a_thread_that_panics_has_nothing_under_way() {
        let monitor = Monitor::new("calls").unwrap();
        let probe = monitor.probe();
        let panicked = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            let _under_way = probe.begin(1);
            panic!("in a batch");
        }));
        assert!(panicked.is_err());
        assert_eq!(monitor.health(idle()).oldest_under_way, None);
    }

    #[test]
    fn writing_means_young_batches_and_a_success_after_every_failure() {
        let monitor = Monitor::new("calls").unwrap();
        let probe = monitor.probe();
        let patience = Duration::from_secs(3_600);
        assert!(monitor.health(idle()).is_writing(patience));
        probe.failed(&StoreError::internal("the data"));
        assert!(monitor.health(idle()).is_writing(patience));
        probe.failed(&StoreError::Timeout);
        assert!(!monitor.health(idle()).is_writing(patience));
        probe.committed(1, Instant::now());
        let health = monitor.health(idle());
        assert!(health.is_writing(patience));
        let since = Instant::now();
        let waits = WriterHealth {
            oldest_waiting: Some(patience),
            ..health.clone()
        };
        assert!(waits.is_writing(patience) && !waits.is_writing(Duration::ZERO));
        let under_way = WriterHealth {
            oldest_under_way: Some(since),
            ..health
        };
        while since.elapsed().is_zero() {}
        assert!(under_way.is_writing(patience) && !under_way.is_writing(Duration::ZERO));
    }

    #[test]
    fn every_metric_has_a_name_of_its_own() {
        let monitor = Monitor::new("calls").unwrap();
        let looked_up = monitor.clone();
        let registry = prometheus::Registry::new();
        for collector in monitor.collectors() {
            registry.register(collector).unwrap();
        }
        let gauges = Gauges::new("calls", move || looked_up.health(idle())).unwrap();
        registry.register(Box::new(gauges)).unwrap();
        let families = registry.gather();
        assert_eq!(families.len(), 7);
    }
}
