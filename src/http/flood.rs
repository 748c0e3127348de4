//! Bounds on the cost of refusals for overload, so that a flood leaves log and processors to other
//! requests.
//!
//! A node writes log lines for a bounded number of these refusals a second and counts the rest.
//! Each worker answers a bounded number a second; the rest wait for their turn.

use crate::throttle::{Bucket, Lines, Rate};
use std::cell::Cell;
use std::time::{Duration, Instant};

/// Log lines in a second. Writing a line costs more than the refusal.
const LINES: u32 = 100;
const SECOND: Duration = Duration::from_secs(1);

/// Counts log lines of refusals, [`LINES`] a second.
pub(super) const fn listed() -> Lines {
    Lines::new(LINES, SECOND)
}

/// Refusals that an event loop answers in a second: a twentieth of a core's time, at some 50 µs
/// each.
const PER_SECOND: u32 = 1_000;

/// This many at once get their answer without a wait.
const BURST: u32 = 100;

const RATE: Rate = Rate::new(PER_SECOND, BURST);

/// The longest wait of a refusal. If more than 600 come at once, each further one waits this long,
/// so the number of connections is the bound: while a refusal waits, its connection brings no other
/// request (HTTP/1.1).
pub(super) const LONGEST_REFUSAL_DELAY: Duration = Duration::from_millis(500);

/// Spreads refusals over time. Each event loop has one.
pub(super) struct RefusalPacing {
    turns: Cell<Bucket>,
}

impl RefusalPacing {
    pub(super) const fn new() -> Self {
        Self {
            turns: Cell::new(Bucket::new()),
        }
    }

    /// How long a refusal that is ready now has to wait.
    pub(super) fn wait(&self, now: Instant) -> Duration {
        let mut turns = self.turns.get();
        let wait = turns.take(RATE, now, LONGEST_REFUSAL_DELAY);
        self.turns.set(turns);
        wait.min(LONGEST_REFUSAL_DELAY)
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
}
