//! Log lines that anybody on the network can cause: so many in a window are written, the rest are
//! counted and told as one number.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Lets a number of lines a window through, and counts the others.
#[derive(Debug)]
pub struct Lines {
    most: u32,
    window: Duration,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    /// When the window under way began.
    since: Option<Instant>,
    written: u32,
    /// Of the window under way.
    left_out: u64,
    /// Of windows that are over.
    to_report: u64,
}

impl Lines {
    /// At most `most` lines in each `window`.
    pub const fn new(most: u32, window: Duration) -> Self {
        Self {
            most,
            window,
            state: Mutex::new(State {
                since: None,
                written: 0,
                left_out: 0,
                to_report: 0,
            }),
        }
    }

    /// Whether a line is to be written; if not, it is counted.
    pub fn admits(&self, now: Instant) -> bool {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if state.is_over(self.window, now) {
            state.close();
            state.since = Some(now);
            state.written = 0;
        }
        let admits = state.written < self.most;
        if admits {
            state.written += 1;
        } else {
            state.left_out += 1;
        }
        admits
    }

    /// How many were left out, once the window in which it happened is over; each is told once.
    pub fn left_out(&self, now: Instant) -> Option<u64> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if state.is_over(self.window, now) {
            state.close();
        }
        let left_out = std::mem::take(&mut state.to_report);
        (left_out > 0).then_some(left_out)
    }
}

impl State {
    fn is_over(&self, window: Duration, now: Instant) -> bool {
        self.since
            .is_none_or(|since| now.saturating_duration_since(since) >= window)
    }

    fn close(&mut self) {
        self.to_report += std::mem::take(&mut self.left_out);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WINDOW: Duration = Duration::from_secs(1);

    #[test]
    fn a_window_has_so_many_lines_and_the_next_one_tells_of_the_rest() {
        let start = Instant::now();
        for next_window_has_a_line in [true, false] {
            let lines = Lines::new(100, WINDOW);
            let written = (0..1_000).filter(|_| lines.admits(start)).count();
            assert_eq!(written, 100);
            assert_eq!(lines.left_out(start), None, "the window is not over");
            let later = start + WINDOW;
            if next_window_has_a_line {
                assert!(lines.admits(later));
            }
            assert_eq!(lines.left_out(later), Some(900));
            assert_eq!(lines.left_out(later), None, "told already");
            assert!(lines.admits(later));
        }
    }

    #[test]
    fn few_lines_are_all_written() {
        let lines = Lines::new(100, WINDOW);
        let start = Instant::now();
        for window in 0..10 {
            let now = start + WINDOW * window;
            assert!((0..100).all(|_| lines.admits(now)));
            assert_eq!(lines.left_out(now + WINDOW), None);
        }
    }
}
