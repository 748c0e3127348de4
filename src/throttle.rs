//! How often something may happen: what every limit on this node is built of.
//!
//! - [`Rate`] and [`Bucket`]: a token bucket that also says how far away the next turn is
//! - [`Buckets`]: one for each key, their number bounded
//! - [`Shares`]: what each issuer may take of this node, at once and a second
//! - [`Lines`]: so many log lines in a window, the rest counted
//!
//! Callers pass the time, so that tests need not wait.

mod buckets;
mod lines;
mod shares;

pub use buckets::Buckets;
pub use lines::Lines;
pub use shares::{Place, ShareLimit, ShareRules, Shares};

use std::time::{Duration, Instant};

const SECOND: Duration = Duration::from_secs(1);

/// So many turns at once after a rest, then so many a second.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rate {
    /// Time between two turns.
    turn: Duration,
    /// What a rest saves up: the time of all turns of a burst but the first.
    saved: Duration,
}

impl Rate {
    /// Both numbers count as at least 1.
    pub const fn new(per_second: u32, burst: u32) -> Self {
        let per_second = if per_second == 0 { 1 } else { per_second };
        let turn = SECOND.checked_div(per_second);
        let turn = match turn {
            Some(turn) => turn,
            None => SECOND,
        };
        Self {
            turn,
            saved: turn.saturating_mul(burst.saturating_sub(1)),
        }
    }
}

/// The turns that were taken at one [`Rate`].
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Bucket {
    /// When the turn after the last one taken comes, if nothing was saved up.
    next: Option<Instant>,
}

impl Bucket {
    /// No turn was taken yet.
    pub const fn new() -> Self {
        Self { next: None }
    }

    /// How far away the next turn is; nothing is taken.
    pub fn wait(&self, now: Instant) -> Duration {
        self.next
            .map_or(Duration::ZERO, |next| next.saturating_duration_since(now))
    }

    /// Takes the next turn and says how far away it is. A turn that is `furthest` away or more is
    /// not taken.
    pub fn take(&mut self, rate: Rate, now: Instant, furthest: Duration) -> Duration {
        let earliest = now.checked_sub(rate.saved);
        let turn = self.next.max(earliest).unwrap_or(now);
        let wait = turn.saturating_duration_since(now);
        if wait < furthest {
            self.next = Some(turn + rate.turn);
        }
        wait
    }

    /// Takes the next turn if it is now; says whether it was.
    pub fn take_now(&mut self, rate: Rate, now: Instant) -> bool {
        self.take(rate, now, Duration::from_nanos(1)).is_zero()
    }

    /// Whether a whole burst is saved up again: then this says no more than [`Bucket::new`] would.
    fn is_rested(&self, rate: Rate, now: Instant) -> bool {
        self.next
            .is_none_or(|next| now.saturating_duration_since(next) >= rate.saved)
            && self.wait(now).is_zero()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RATE: Rate = Rate::new(10, 100);
    const TURN: Duration = Duration::from_millis(100);
    const FURTHEST: Duration = Duration::from_secs(60);

    #[test]
    fn a_burst_comes_at_once_and_the_rest_in_turn() {
        let mut turns = Bucket::new();
        let now = Instant::now();
        let waits: Vec<_> = (0..1_000)
            .map(|_| turns.take(RATE, now, FURTHEST))
            .collect();
        assert!(waits[..100].iter().all(Duration::is_zero));
        assert_eq!(waits[100..102], [TURN, 2 * TURN]);
        assert_eq!(waits.iter().max(), Some(&FURTHEST), "not taken");
        assert_eq!(turns.wait(now), FURTHEST);
        assert!(!turns.take_now(RATE, now + FURTHEST - TURN));
        assert!(turns.take_now(RATE, now + FURTHEST));
    }

    #[test]
    fn a_rest_saves_up_one_burst_and_no_more() {
        let mut turns = Bucket::new();
        let start = Instant::now();
        for now in [start, start + FURTHEST, start + 1_000 * FURTHEST] {
            let taken = (0..1_000).filter(|_| turns.take_now(RATE, now)).count();
            assert_eq!(taken, 100);
            assert!(!turns.is_rested(RATE, now));
        }
    }

    #[test]
    fn who_comes_no_faster_than_the_rate_never_waits() {
        let mut turns = Bucket::new();
        let start = Instant::now();
        assert!((0..1_000).all(|turn| turns.take_now(Rate::new(10, 1), start + TURN * turn)));
    }

    #[test]
    fn a_rate_of_nothing_is_one_a_second() {
        let (mut turns, now) = (Bucket::new(), Instant::now());
        let rate = Rate::new(0, 0);
        assert_eq!(rate, Rate::new(1, 1));
        assert!(turns.take_now(rate, now) && !turns.take_now(rate, now));
        assert!(turns.take_now(rate, now + SECOND));
    }

    #[test]
    fn any_rate_and_burst_can_be_configured() {
        let (mut turns, now) = (Bucket::new(), Instant::now());
        let rate = Rate::new(1, u32::MAX);
        assert!((0..1_000).all(|_| turns.take_now(rate, now)));
        assert!(Bucket::new().take_now(Rate::new(u32::MAX, u32::MAX), now));
    }
}
