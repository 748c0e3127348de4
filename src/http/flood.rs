//! Bounds on the cost of refusals for overload, so that a flood leaves log and processors to other
//! requests.
//!
//! A node writes log lines for a bounded number of these refusals a second and counts the rest.
//! Each worker answers a bounded number a second; the rest wait for their turn.

use std::cell::Cell;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Lines in a second; beyond that a line costs more than the refusal that it tells of.
const LINES: u32 = 100;
const SECOND: Duration = Duration::from_secs(1);

/// Refusals that an event loop answers in a second: a twentieth of a core's time, at some 50 µs
/// each.
const PER_SECOND: u32 = 1_000;

/// So many of them may come all at once without waiting.
const BURST: u32 = 100;

/// No refusal waits longer for its turn; beyond 600 at once they all wait so long, and the number
/// of connections is the bound. A connection on which one waits brings no other meanwhile
/// (HTTP/1.1).
pub(super) const LONGEST_REFUSAL_DELAY: Duration = Duration::from_millis(500);

/// Whose turn it is to be answered. Each event loop has its own.
pub(super) struct RefusalPacing {
    next: Cell<Option<Instant>>,
}

impl RefusalPacing {
    pub(super) const fn new() -> Self {
        Self {
            next: Cell::new(None),
        }
    }

    /// How long a refusal that is ready now has to wait.
    pub(super) fn wait(&self, now: Instant) -> Duration {
        let earliest = now.checked_sub(SECOND / PER_SECOND * (BURST - 1));
        let turn = self.next.get().max(earliest).unwrap_or(now);
        let wait = turn.saturating_duration_since(now);
        if wait >= LONGEST_REFUSAL_DELAY {
            return LONGEST_REFUSAL_DELAY;
        }
        self.next.set(Some(turn + SECOND / PER_SECOND));
        wait
    }
}

/// Counts what is not listed.
pub(super) struct Flood(Mutex<State>);

struct State {
    /// When this second began.
    since: Option<Instant>,
    listed: u32,
    left_out: u64,
}

impl Flood {
    pub(super) const fn new() -> Self {
        Self(Mutex::new(State {
            since: None,
            listed: 0,
            left_out: 0,
        }))
    }

    /// Whether a refusal is to be listed; if not, it is counted.
    pub(super) fn lists(&self, now: Instant) -> bool {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if state.is_over(now) {
            state.since = Some(now);
            state.listed = 0;
        }
        let lists = state.listed < LINES;
        if lists {
            state.listed += 1;
        } else {
            state.left_out += 1;
        }
        lists
    }

    /// How many were left out, once the second in which it happened is over; they are told once.
    pub(super) fn left_out(&self, now: Instant) -> Option<u64> {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if state.left_out == 0 || !state.is_over(now) {
            return None;
        }
        Some(std::mem::take(&mut state.left_out))
    }
}

impl State {
    fn is_over(&self, now: Instant) -> bool {
        self.since
            .is_none_or(|since| now.saturating_duration_since(since) >= SECOND)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_has_so_many_turns_and_nobody_waits_longer_than_the_longest() {
        let turns = RefusalPacing::new();
        let start = Instant::now();
        let millisecond = Duration::from_millis(1);
        let waits: Vec<_> = (0..1_000).map(|_| turns.wait(start)).collect();
        assert!(waits[..100].iter().all(Duration::is_zero), "a burst");
        let in_turn = (1..500).map(|n| n * millisecond);
        assert!(waits[100..599].iter().copied().eq(in_turn));
        assert!(
            waits[599..]
                .iter()
                .all(|wait| *wait == LONGEST_REFUSAL_DELAY)
        );

        assert_eq!(turns.wait(start + 499 * millisecond), millisecond);
        let rested = start + SECOND;
        let waits: Vec<_> = (0..101).map(|_| turns.wait(rested)).collect();
        assert!(waits[..100].iter().all(Duration::is_zero));
        assert_eq!(waits[100], millisecond, "no more than a burst is saved up");
    }

    #[test]
    fn who_comes_no_faster_than_that_never_waits() {
        let turns = RefusalPacing::new();
        let start = Instant::now();
        let ready = (0..3 * PER_SECOND).map(|n| start + SECOND / PER_SECOND * n);
        assert!(ready.map(|now| turns.wait(now)).all(|wait| wait.is_zero()));
    }

    #[test]
    fn a_second_has_so_many_lines_and_the_next_one_tells_of_the_rest() {
        let flood = Flood::new();
        let start = Instant::now();
        let listed = (0..1_000).filter(|_| flood.lists(start)).count();
        assert_eq!(listed, LINES as usize);
        assert_eq!(flood.left_out(start), None, "the second is not over");

        let later = start + SECOND;
        assert_eq!(flood.left_out(later), Some(900));
        assert_eq!(flood.left_out(later), None, "told already");
        assert!(flood.lists(later));
    }

    #[test]
    fn few_refusals_are_all_listed() {
        let flood = Flood::new();
        let start = Instant::now();
        for second in 0..10 {
            let now = start + SECOND * second;
            assert!((0..LINES).all(|_| flood.lists(now)));
            assert_eq!(flood.left_out(now + SECOND), None);
        }
    }
}
