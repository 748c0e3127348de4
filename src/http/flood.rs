//! A flood of refused requests does not become a flood of log lines: so many a second are listed, the rest are counted.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Lines in a second; beyond that a line costs more than the refusal that it tells of.
const LINES: u32 = 100;
const SECOND: Duration = Duration::from_secs(1);

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
