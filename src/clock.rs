//! The node's clock, and its difference from the database's clock.
//!
//! Nonces are purged by the database's clock alone, when no node accepts their timestamp any more,
//! and [`GRACE_SECONDS`] later. A node whose clock is off by more than the window of
//! `oauth.window_seconds` could accept a call whose nonce is purged already. So such a node does
//! not start, and a running one takes no signed calls. A node that is off by more than
//! [`TOLERANCE`] is not ready. An SQLite file is on this machine, so there both clocks are the
//! same.

use chrono::{DateTime, TimeDelta, Utc};
use std::sync::atomic::{AtomicI64, Ordering};

/// A node whose clock is further from the database's, either way, is not ready.
pub const TOLERANCE: TimeDelta = TimeDelta::seconds(30);

/// Nonces are kept so much longer than the clocks need it.
pub const GRACE_SECONDS: i64 = 60;

/// Stands for "never compared".
const UNKNOWN: i64 = i64::MIN;

/// A clock, and what the last comparison with the database's has shown.
#[derive(Debug)]
pub struct Clock {
    /// Microseconds that it is ahead of the machine's.
    wrong_by: AtomicI64,
    /// Microseconds that the database's clock is ahead.
    database_ahead: AtomicI64,
}

impl Clock {
    /// The machine's clock.
    pub fn system() -> Self {
        Self::wrong_by(TimeDelta::zero())
    }

    /// The machine's clock, wrong by so much: how a test gets a node whose clock is fast (or slow,
    /// if negative).
    pub fn wrong_by(wrong_by: TimeDelta) -> Self {
        Self {
            wrong_by: AtomicI64::new(micros(wrong_by)),
            database_ahead: AtomicI64::new(UNKNOWN),
        }
    }

    /// Puts it that far ahead of the machine's: how a test lets time pass for a running node.
    pub fn set_wrong_by(&self, wrong_by: TimeDelta) {
        self.wrong_by.store(micros(wrong_by), Ordering::Relaxed);
    }

    /// The time by this clock.
    pub fn now(&self) -> DateTime<Utc> {
        Utc::now() + TimeDelta::microseconds(self.wrong_by.load(Ordering::Relaxed))
    }

    /// Takes note that the database's clock said `database` (microseconds since 1970 UTC) between
    /// `before` and `after` by this one. Where within that time is unknown, so the difference that
    /// is kept is the smallest one possible.
    pub fn compare(&self, before: DateTime<Utc>, database: i64, after: DateTime<Utc>) {
        let (before, after) = (before.timestamp_micros(), after.timestamp_micros());
        let ahead = if database < before {
            database.saturating_sub(before)
        } else {
            database.saturating_sub(after).max(0)
        };
        self.database_ahead.store(ahead, Ordering::Relaxed);
    }

    /// How far the database's clock is ahead of this one (negative: behind); `None` before the
    /// first comparison.
    pub fn database_ahead(&self) -> Option<TimeDelta> {
        let ahead = self.database_ahead.load(Ordering::Relaxed);
        (ahead != UNKNOWN).then(|| TimeDelta::microseconds(ahead))
    }

    /// Whether the two clocks are at most `tolerance` apart, as far as is known.
    pub fn is_within(&self, tolerance: TimeDelta) -> bool {
        self.database_ahead()
            .is_none_or(|ahead| ahead.abs() <= tolerance)
    }
}

fn micros(delta: TimeDelta) -> i64 {
    delta.num_microseconds().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ahead(database: i64) -> i64 {
        let clock = Clock::system();
        let at = |seconds| DateTime::from_timestamp(seconds, 0).unwrap();
        clock.compare(at(100), database * 1_000_000, at(102));
        clock.database_ahead().unwrap().num_seconds()
    }

    #[test]
    fn the_smallest_possible_difference_counts() {
        let cases = [
            (100, 0),
            (101, 0),
            (102, 0),
            (103, 1),
            (99, -1),
            (0, -100),
            (200, 98),
        ];
        for (database, expected) in cases {
            assert_eq!(ahead(database), expected, "{database}");
        }
    }

    #[test]
    fn a_clock_that_was_never_compared_is_trusted() {
        assert!(Clock::system().is_within(TOLERANCE));
    }

    #[test]
    fn the_tolerance_counts_either_way() {
        let clock = Clock::system();
        let now = clock.now();
        for (seconds, within) in [(30, true), (31, false), (-30, true), (-31, false)] {
            clock.compare(now, now.timestamp_micros() + seconds * 1_000_000, now);
            assert_eq!(clock.is_within(TOLERANCE), within, "{seconds}");
        }
    }

    #[test]
    fn a_wrong_clock_is_wrong_by_what_was_asked() {
        let fast = Clock::wrong_by(TimeDelta::seconds(100));
        assert!((fast.now() - Utc::now()).num_seconds() >= 99);
        fast.set_wrong_by(TimeDelta::zero());
        assert!((fast.now() - Utc::now()).num_seconds() <= 1);
    }
}
