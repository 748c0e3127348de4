//! A limit of our own on how long a database may be silent.
//!
//! libpq waits for an answer without limit. The server enforces `statement_timeout`, so a frozen
//! server does not, and it does not end a COMMIT. TCP's limits end a connection whose peer is gone,
//! but a load balancer that keeps sessions, or the kernel of a frozen server, goes on
//! acknowledging. So one thread of this process, the watchdog, looks at the running statements ten
//! times a second. If one has waited too long, the watchdog shuts the connection's socket down
//! (`shutdown(2)` on a second descriptor). libpq then reads the end of the stream and returns an
//! error on the waiting thread. So no thread is lost, and the connection is closed like any broken
//! one.
//!
//! The connection's server process may go on and hold locks. The watchdog notes it, and the next
//! connection to the same database ends it with `pg_terminate_backend`.

use super::statements::Timer;
use diesel::PgConnection;
use diesel::connection::{Connection, Instrumentation, InstrumentationEvent};
use std::cell::Cell;
use std::collections::VecDeque;
use std::net::{Shutdown, TcpStream};
use std::os::fd::OwnedFd;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Condvar, LazyLock, Mutex, MutexGuard, PoisonError, Weak};
use std::time::{Duration, Instant};

/// How often the watchdog looks.
const TICK: Duration = Duration::from_millis(100);

/// How long a new connection may take for the first statements, which Diesel sends by itself.
const FIRST: Duration = Duration::from_secs(3);

/// Server processes that wait to be ended; the oldest is forgotten beyond that.
const LEFT_BEHIND: usize = 64;

/// How long a connection waits for an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Limits {
    /// To a statement.
    pub(super) statement: Duration,
    /// To a COMMIT.
    pub(super) commit: Duration,
}

/// A server process, told from a later one with the same number by its start.
#[derive(Clone)]
pub(super) struct Backend {
    pub(super) pid: i32,
    /// Microseconds since 1970 UTC, by the server's clock.
    pub(super) started_at: i64,
    /// Where it runs: the connection URI, which may hold a password.
    pub(super) place: Arc<str>,
}

/// The watchdog's side of a connection.
pub(super) struct Line {
    socket: TcpStream,
    /// The number that the server, or a pooler before it, has told of its process.
    told_pid: i32,
    /// When the answer is due: microseconds since the watchdog's start. Zero: nothing is under way.
    due: AtomicU64,
    cut: AtomicBool,
    backend: Mutex<Option<Backend>>,
}

struct Watchdog {
    base: Instant,
    lines: Mutex<Vec<Weak<Line>>>,
    opened: Condvar,
    left_behind: Mutex<VecDeque<Backend>>,
}

/// Where its thread cannot be started, nothing is cut off.
static WATCHDOG: LazyLock<Watchdog> = LazyLock::new(|| {
    let watching = std::thread::Builder::new()
        .name("db-watchdog".to_owned())
        .spawn(|| WATCHDOG.watch());
    if let Err(error) = watching {
        tracing::error!(%error, "the watchdog over database connections cannot be started");
    }
    Watchdog {
        base: Instant::now(),
        lines: Mutex::default(),
        opened: Condvar::new(),
        left_behind: Mutex::default(),
    }
});

thread_local! {
    static GIVEN_UP: Cell<bool> = const { Cell::new(false) };
}

/// Whether the last statement of this thread ended because the watchdog had given its connection
/// up.
pub(in crate::store) fn was_given_up() -> bool {
    GIVEN_UP.get()
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Watchdog {
    fn watch(&self) {
        loop {
            let mut lines = lock(&self.lines);
            lines.retain(|line| line.strong_count() > 0);
            while lines.is_empty() {
                lines = self
                    .opened
                    .wait(lines)
                    .unwrap_or_else(PoisonError::into_inner);
            }
            let now = self.micros(Duration::ZERO);
            let late: Vec<_> = lines
                .iter()
                .filter_map(Weak::upgrade)
                .filter(|line| line.is_late(now))
                .collect();
            drop(lines);
            for line in late {
                line.cut();
            }
            std::thread::sleep(TICK);
        }
    }

    /// Microseconds since the start, `later` than now.
    fn micros(&self, later: Duration) -> u64 {
        u64::try_from((self.base.elapsed() + later).as_micros()).unwrap_or(u64::MAX)
    }
}

impl Line {
    /// For a connection that was just opened, of which this is a second descriptor.
    pub(super) fn opened(socket: OwnedFd, told_pid: i32) -> Arc<Self> {
        let line = Arc::new(Self {
            // shutdown(2) is the same for every kind of socket.
            socket: TcpStream::from(socket),
            told_pid,
            due: AtomicU64::new(0),
            cut: AtomicBool::new(false),
            backend: Mutex::default(),
        });
        line.arm(FIRST);
        lock(&WATCHDOG.lines).push(Arc::downgrade(&line));
        WATCHDOG.opened.notify_one();
        line
    }

    pub(super) fn told_pid(&self) -> i32 {
        self.told_pid
    }

    /// From now on the answer is due in `limit`.
    fn arm(&self, limit: Duration) {
        self.due.store(WATCHDOG.micros(limit), Ordering::Relaxed);
    }

    /// Nothing is under way.
    pub(super) fn rest(&self) {
        self.due.store(0, Ordering::Relaxed);
    }

    /// Whether the watchdog has ended the connection.
    fn is_cut(&self) -> bool {
        self.cut.load(Ordering::Relaxed)
    }

    /// Which server process answers it.
    pub(super) fn answered_by(&self, backend: Backend) {
        *lock(&self.backend) = Some(backend);
    }

    fn is_late(&self, now: u64) -> bool {
        let due = self.due.load(Ordering::Relaxed);
        due != 0 && due <= now && !self.is_cut()
    }

    fn cut(&self) {
        self.cut.store(true, Ordering::Relaxed);
        tracing::error!("the database does not answer: a connection is given up");
        leave_behind(lock(&self.backend).take());
        self.socket.shutdown(Shutdown::Both).ok();
    }
}

/// Notes server processes that are to be ended.
pub(super) fn leave_behind(backends: impl IntoIterator<Item = Backend>) {
    let mut left_behind = lock(&WATCHDOG.left_behind);
    for backend in backends {
        if left_behind.len() >= LEFT_BEHIND {
            left_behind.pop_front();
        }
        left_behind.push_back(backend);
    }
}

/// Takes the server processes at `place` whose connections were given up.
pub(super) fn left_behind(place: &str) -> Vec<Backend> {
    let mut all = lock(&WATCHDOG.left_behind);
    let (here, elsewhere) = all.drain(..).partition(|backend| &*backend.place == place);
    *all = elsewhere;
    Vec::from(here)
}

/// Sees each statement of a connection begin and end, and lives as long as the connection.
pub(super) struct Watch {
    /// `None`: the connection's socket is not known, and never shut down.
    line: Option<Arc<Line>>,
    limits: Limits,
    committing: bool,
    /// Each transaction may run in another server session.
    shares_sessions: bool,
    timer: Timer,
}

impl Watch {
    pub(super) fn new(
        line: Option<Arc<Line>>,
        limits: Limits,
        shares_sessions: bool,
        timer: Timer,
    ) -> Self {
        Self {
            line,
            limits,
            committing: false,
            shares_sessions,
            timer,
        }
    }
}

/// Whether each transaction of this connection may run in another server session.
pub(super) fn shares_sessions(conn: &mut PgConnection) -> bool {
    let watch = conn.instrumentation().downcast_ref::<Watch>();
    watch.is_some_and(|watch| watch.shares_sessions)
}

impl Instrumentation for Watch {
    fn on_connection_event(&mut self, event: InstrumentationEvent<'_>) {
        match &event {
            InstrumentationEvent::StartQuery { .. } => self.timer.begin(),
            InstrumentationEvent::FinishQuery { .. } => self.timer.end(),
            _ => {}
        }
        let Some(line) = &self.line else {
            return;
        };
        match event {
            InstrumentationEvent::CommitTransaction { .. } => self.committing = true,
            InstrumentationEvent::StartQuery { .. } => {
                line.arm(match std::mem::take(&mut self.committing) {
                    true => self.limits.commit,
                    false => self.limits.statement,
                });
            }
            InstrumentationEvent::FinishQuery { .. } => {
                line.rest();
                GIVEN_UP.set(line.is_cut());
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Read;
    use std::net::TcpListener;

    /// A connection to a peer that says nothing, and its line.
    fn silent() -> (TcpStream, TcpStream, Arc<Line>) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let ours = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let (theirs, _) = listener.accept().unwrap();
        let line = Line::opened(ours.try_clone().unwrap().into(), 7);
        (ours, theirs, line)
    }

    #[test]
    fn a_silent_connection_ends_for_the_thread_that_reads_it() {
        let (mut ours, _theirs, line) = silent();
        line.answered_by(Backend {
            pid: 7,
            started_at: 1,
            place: "here".into(),
        });
        line.arm(Duration::from_millis(1));
        // Without the watchdog this waits for ever.
        assert_eq!(ours.read(&mut [0; 1]).unwrap(), 0);
        assert!(line.is_cut());
        assert!(left_behind("elsewhere").is_empty());
        assert_eq!(left_behind("here")[0].pid, 7);
        assert!(left_behind("here").is_empty());
    }

    #[test]
    fn what_answers_in_time_or_is_not_asked_is_left_alone() {
        let line = silent().2;
        line.arm(Duration::from_secs(3_600));
        let now = WATCHDOG.micros(Duration::ZERO);
        assert!(!line.is_late(now) && line.is_late(u64::MAX));
        line.rest();
        assert!(!line.is_late(u64::MAX));
    }
}
