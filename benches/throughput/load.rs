//! The load generator: one thread, epoll, prepared bytes. It shares the cores with what it
//! measures, so it does little.

use super::connection::{Answer, Connection, InFlight, Received};
use super::outcome::{Outcome, Window};
use super::requests::Request;
use anyhow::{Context, ensure};
use rustix::buffer::spare_capacity;
use rustix::event::{Timespec, epoll};
use rustix::io::Errno;
use std::collections::VecDeque;
use std::net::SocketAddr;
use std::os::fd::OwnedFd;
use std::time::{Duration, Instant};

/// Events taken at once.
const EVENTS: usize = 256;
/// How often the caller is told how far it is.
const TICK: Duration = Duration::from_millis(200);
/// How long the last answers may take.
const PATIENCE: Duration = Duration::from_secs(15);
/// A request that was refused sooner than this had not been begun and may be sent again as it is. A
/// later 503 is a deadline that has passed: what was asked for may have been done.
const REFUSED_AT_ONCE: Duration = Duration::from_millis(1_000);

/// When requests are sent.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Pace {
    /// Each connection sends its next request once it has the answer; a refused one waits as
    /// `Retry-After` says.
    Closed,
    /// At a fixed rate, whatever the answers do. Latency counts from the moment a request was due,
    /// so a gateway that stalls does not hide the requests that could not be sent meanwhile.
    Open { per_second: f64 },
    /// The same, but a request that finds every connection busy when it is due is not sent at all.
    Flood { per_second: f64 },
}

/// A run.
pub(crate) struct Plan<'a> {
    /// Connections are spread over these.
    pub(crate) addresses: &'a [SocketAddr],
    pub(crate) connections: usize,
    pub(crate) pace: Pace,
    /// Before the clock starts.
    pub(crate) warm_up: Duration,
    /// How long the clock runs; it stops early if the requests run out.
    pub(crate) measured: Duration,
    pub(crate) requests: &'a [Request],
}

/// Carries a plan out; `tick` is called about five times a second with the time since the start.
pub(crate) fn drive(
    plan: &Plan<'_>,
    tick: &mut dyn FnMut(Duration) -> anyhow::Result<()>,
) -> anyhow::Result<Outcome> {
    let mut load = Load::connect(plan)?;
    let processor_time = processor_time()?;
    load.run(tick)?;
    load.outcome.generator = self::processor_time()?.saturating_sub(processor_time);
    load.outcome.whole = load.start.elapsed();
    Ok(load.outcome)
}

struct Load<'a> {
    plan: &'a Plan<'a>,
    epoll: OwnedFd,
    connections: Vec<Connection>,
    /// Connections without a request. First in, first out: the gateway closes those that nobody
    /// uses.
    idle: VecDeque<usize>,
    /// Connections that were told to come back later, and when that is.
    resting: VecDeque<(Instant, usize)>,
    /// The first request not yet sent.
    next: usize,
    /// Requests that were refused and may be sent again.
    refused: Vec<usize>,
    /// How many requests were sent or given up.
    scheduled: u64,
    in_flight: usize,
    start: Instant,
    outcome: Outcome,
}

impl<'a> Load<'a> {
    fn connect(plan: &'a Plan<'a>) -> anyhow::Result<Self> {
        let epoll = epoll::create(epoll::CreateFlags::CLOEXEC)?;
        let addresses = plan.addresses.iter().cycle();
        let connections = addresses
            .take(plan.connections)
            .map(|address| Connection::open(*address))
            .collect::<anyhow::Result<Vec<_>>>()?;
        for (number, connection) in connections.iter().enumerate() {
            watch(&epoll, connection, number)?;
        }
        let start = Instant::now();
        let from = start + plan.warm_up;
        let until = from + plan.measured;
        Ok(Self {
            plan,
            epoll,
            idle: (0..connections.len()).collect(),
            connections,
            resting: VecDeque::new(),
            next: 0,
            refused: Vec::new(),
            scheduled: 0,
            in_flight: 0,
            start,
            outcome: Outcome::new(Window { from, until }),
        })
    }

    fn run(&mut self, tick: &mut dyn FnMut(Duration) -> anyhow::Result<()>) -> anyhow::Result<()> {
        let mut events = Vec::with_capacity(EVENTS);
        let mut next_tick = self.start;
        loop {
            let now = Instant::now();
            if now >= next_tick {
                tick(now.duration_since(self.start))?;
                next_tick = now + TICK;
            }
            if now < self.outcome.window.until {
                self.send_what_is_due(now)?;
            } else if self.in_flight == 0 {
                return Ok(());
            } else {
                ensure!(
                    now < self.outcome.window.until + PATIENCE,
                    "{} requests were not answered",
                    self.in_flight
                );
            }
            let timeout = self.wake_up(now, next_tick).saturating_duration_since(now);
            let timeout = Timespec::try_from(timeout)?;
            match epoll::wait(&self.epoll, spare_capacity(&mut events), Some(&timeout)) {
                Ok(_) | Err(Errno::INTR) => {}
                Err(error) => return Err(error).context("waiting for answers"),
            }
            for event in events.drain(..) {
                self.receive(usize::try_from(event.data.u64())?)?;
            }
        }
    }

    /// When there is something to do even if no answer comes.
    fn wake_up(&self, now: Instant, next_tick: Instant) -> Instant {
        let until = self.outcome.window.until;
        if now >= until {
            return next_tick;
        }
        let rested = self.resting.front().map(|(at, _)| *at);
        let due = (!self.idle.is_empty()).then(|| self.due(now));
        [rested, due]
            .into_iter()
            .flatten()
            .fold(next_tick.min(until), Instant::min)
    }

    /// When the next request is due: in a closed loop at once.
    fn due(&self, now: Instant) -> Instant {
        match self.plan.pace {
            Pace::Closed => now,
            Pace::Open { per_second } | Pace::Flood { per_second } => {
                self.start + Duration::from_secs_f64(self.scheduled as f64 / per_second)
            }
        }
    }

    fn send_what_is_due(&mut self, now: Instant) -> anyhow::Result<()> {
        while let Some((_, number)) = self.resting.front().filter(|(at, _)| *at <= now) {
            self.idle.push_back(*number);
            self.resting.pop_front();
        }
        while let Some(number) = self.idle.front().copied() {
            let sent = Instant::now();
            let due = self.due(sent);
            if due > sent {
                break;
            }
            let fresh = (self.next < self.plan.requests.len()).then_some(self.next);
            let Some(request) = self.refused.pop().or(fresh) else {
                self.outcome.window.until = now;
                break;
            };
            if Some(request) == fresh {
                self.next += 1;
            }
            self.idle.pop_front();
            let bytes = &self
                .plan
                .requests
                .get(request)
                .context("no such request")?
                .bytes;
            let connection = self
                .connections
                .get_mut(number)
                .context("no such connection")?;
            connection.send(bytes, InFlight { request, due, sent })?;
            self.scheduled += 1;
            self.in_flight += 1;
            self.outcome.note_sent(sent);
        }
        if let (Pace::Flood { per_second }, None) = (self.plan.pace, self.idle.front()) {
            let passed = now.duration_since(self.start).as_secs_f64() * per_second;
            self.scheduled = self.scheduled.max(passed as u64);
        }
        Ok(())
    }

    fn receive(&mut self, number: usize) -> anyhow::Result<()> {
        let connection = self
            .connections
            .get_mut(number)
            .context("no such connection")?;
        match connection.receive()? {
            Received::Part => Ok(()),
            Received::Answer(answer) if connection.busy.is_some() => self.note(number, answer),
            // An answer to nothing is the 408 to a connection that was not used in time; the
            // gateway closes it.
            Received::Answer(_) | Received::Closed => {
                if connection.busy.is_some() {
                    self.outcome.lost += 1;
                    self.in_flight -= 1;
                    self.idle.push_back(number);
                }
                connection.reopen()?;
                watch(&self.epoll, connection, number)
            }
        }
    }

    fn note(&mut self, number: usize, answer: Answer) -> anyhow::Result<()> {
        let at = Instant::now();
        let connection = self
            .connections
            .get_mut(number)
            .context("no such connection")?;
        let InFlight { request, due, sent } = connection.busy.context("an answer to nothing")?;
        let body = connection.body(answer);
        let mut rest = Duration::ZERO;
        match answer.status {
            200 => self.outcome.note_done(request, due, at, body),
            503 => {
                self.outcome
                    .note_refused(sent, at, answer.retry_after.is_some());
                if at.duration_since(sent) < REFUSED_AT_ONCE {
                    self.refused.push(request);
                }
                if matches!(self.plan.pace, Pace::Closed) {
                    rest = answer.retry_after.unwrap_or_default();
                }
            }
            status => self.outcome.note_failed(status, body),
        }
        connection.clear();
        self.in_flight -= 1;
        if rest.is_zero() {
            self.idle.push_back(number);
        } else {
            self.resting.push_back((at + rest, number));
        }
        Ok(())
    }
}

fn watch(epoll: &OwnedFd, connection: &Connection, number: usize) -> anyhow::Result<()> {
    let data = epoll::EventData::new_u64(u64::try_from(number)?);
    Ok(epoll::add(epoll, connection, data, epoll::EventFlags::IN)?)
}

/// Processor time that this thread has used so far.
fn processor_time() -> anyhow::Result<Duration> {
    let stat = std::fs::read_to_string("/proc/thread-self/schedstat")?;
    let nanoseconds = stat
        .split_whitespace()
        .next()
        .context("an empty schedstat")?;
    Ok(Duration::from_nanos(nanoseconds.parse()?))
}
