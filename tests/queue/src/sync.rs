//! What the queue waits and wakes by here: shuttle's threads and locks, and a clock that goes on
//! only where somebody waits for it.

pub(crate) use shuttle::sync::{Arc, PoisonError, atomic};
pub(crate) use shuttle::thread;
use std::cell::Cell;
use std::ops::{Deref, DerefMut};
use std::sync::LockResult;
use std::time::Duration;

/// What happens to somebody who waits for a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Clock {
    /// It is never over: he has to be woken.
    Stands,
    /// It is over, sooner or later.
    Goes,
    /// The one or the other.
    MayGo,
}

// All of shuttle's threads are one of the system's.
thread_local! {
    static CLOCK: Cell<Clock> = const { Cell::new(Clock::Stands) };
    static NOW: Cell<Duration> = const { Cell::new(Duration::ZERO) };
}

/// Sets the clock for the order that is about to be tried.
pub(crate) fn start(clock: Clock) {
    CLOCK.set(clock);
    NOW.set(Duration::ZERO);
}

/// A time on that clock.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Instant(Duration);

impl Instant {
    pub(crate) fn now() -> Self {
        Self(NOW.get())
    }

    pub(crate) fn elapsed(self) -> Duration {
        NOW.get().saturating_sub(self.0)
    }
}

/// Shuttle's, whose guards know it.
#[derive(Debug)]
pub(crate) struct Mutex<T>(shuttle::sync::Mutex<T>);

pub(crate) struct MutexGuard<'a, T> {
    of: &'a shuttle::sync::Mutex<T>,
    guard: shuttle::sync::MutexGuard<'a, T>,
}

impl<T> Mutex<T> {
    pub(crate) fn new(value: T) -> Self {
        Self(shuttle::sync::Mutex::new(value))
    }

    pub(crate) fn lock(&self) -> LockResult<MutexGuard<'_, T>> {
        lock(&self.0)
    }
}

fn lock<T>(of: &shuttle::sync::Mutex<T>) -> LockResult<MutexGuard<'_, T>> {
    Ok(MutexGuard {
        of,
        guard: of.lock().unwrap(),
    })
}

impl<T> Deref for MutexGuard<'_, T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.guard
    }
}

impl<T> DerefMut for MutexGuard<'_, T> {
    fn deref_mut(&mut self) -> &mut T {
        &mut self.guard
    }
}

/// Shuttle's, with a time that may be over.
#[derive(Debug, Default)]
pub(crate) struct Condvar(shuttle::sync::Condvar);

impl Condvar {
    pub(crate) fn new() -> Self {
        Self::default()
    }

    pub(crate) fn notify_one(&self) {
        self.0.notify_one();
    }

    pub(crate) fn notify_all(&self) {
        self.0.notify_all();
    }

    pub(crate) fn wait<'a, T>(&self, guard: MutexGuard<'a, T>) -> LockResult<MutexGuard<'a, T>> {
        let MutexGuard { of, guard } = guard;
        let guard = self.0.wait(guard).unwrap();
        Ok(MutexGuard { of, guard })
    }

    /// Whether the time was over, nobody asks.
    pub(crate) fn wait_timeout<'a, T>(
        &self,
        guard: MutexGuard<'a, T>,
        time: Duration,
    ) -> LockResult<(MutexGuard<'a, T>, ())> {
        let over = match CLOCK.get() {
            Clock::Stands => false,
            Clock::Goes => true,
            Clock::MayGo => shuttle::rand::Rng::r#gen(&mut shuttle::rand::thread_rng()),
        };
        let guard = if over {
            let of = guard.of;
            drop(guard);
            thread::yield_now();
            NOW.set(NOW.get() + time);
            lock(of)
        } else {
            self.wait(guard)
        };
        Ok((guard.unwrap(), ()))
    }
}
