//! The dates between which a certificate may be used.

use chrono::{DateTime, Duration, Utc};

/// A certificate is used this long before it begins: clocks differ (spec decision 22).
pub const TOLERANCE: Duration = Duration::minutes(5);
/// Warnings begin this long before a certificate ends.
pub const AHEAD: Duration = Duration::days(30);

/// First and last moment of a certificate's validity; a bare key has neither.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Validity {
    /// First moment.
    pub not_before: DateTime<Utc>,
    /// Last moment.
    pub not_after: DateTime<Utc>,
}

impl Validity {
    /// From microseconds since 1970 UTC; what is absent is no bound.
    pub fn from_micros(not_before: Option<i64>, not_after: Option<i64>) -> Self {
        let moment = |micros: Option<i64>| micros.and_then(DateTime::from_timestamp_micros);
        Self {
            not_before: moment(not_before).unwrap_or(DateTime::<Utc>::MIN_UTC),
            not_after: moment(not_after).unwrap_or(DateTime::<Utc>::MAX_UTC),
        }
    }

    /// Whether it may be used already: five minutes before its first moment.
    pub fn has_begun(&self, now: DateTime<Utc>) -> bool {
        now + TOLERANCE >= self.not_before
    }

    /// Whether its last moment is over.
    pub fn has_ended(&self, now: DateTime<Utc>) -> bool {
        now > self.not_after
    }

    /// Begun and not ended.
    pub fn holds(&self, now: DateTime<Utc>) -> bool {
        self.has_begun(now) && !self.has_ended(now)
    }

    /// What an operator must know about it at `now`, if anything.
    pub fn remark(&self, now: DateTime<Utc>) -> Option<String> {
        let day = |moment: DateTime<Utc>| moment.format("%Y-%m-%d %H:%M:%S UTC");
        if self.has_ended(now) {
            Some(format!("has ended on {}", day(self.not_after)))
        } else if now < self.not_before {
            Some(format!("is not valid before {}", day(self.not_before)))
        } else if self.not_after.signed_duration_since(now) < AHEAD {
            Some(format!("ends soon, on {}", day(self.not_after)))
        } else {
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_holds_from_five_minutes_before_its_beginning_to_its_end() {
        let second = 1_000_000;
        let validity = Validity::from_micros(Some(1_000 * second), Some(2_000 * second));
        let at = |seconds: i64| DateTime::from_timestamp(seconds, 0).unwrap();
        for (seconds, holds) in [
            (699, false),
            (700, true),
            (1_000, true),
            (2_000, true),
            (2_001, false),
        ] {
            assert_eq!(validity.holds(at(seconds)), holds, "{seconds}");
        }
        let remark = |seconds| validity.remark(at(seconds)).unwrap();
        assert!(remark(900).starts_with("is not valid before 1970-01-01 00:16:40"));
        assert!(remark(1_500).starts_with("ends soon"));
        assert!(remark(2_500).starts_with("has ended"));
    }

    #[test]
    fn a_bare_key_has_no_end() {
        let bare = Validity::from_micros(None, None);
        assert!(bare.holds(Utc::now()));
        assert_eq!(bare.remark(Utc::now()), None);
    }
}
