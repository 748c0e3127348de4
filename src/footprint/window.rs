//! The window of a cardholder's scored transactions.

use super::Month;
use chrono::{Days, NaiveDate};

/// Whole months before the one of enrolment.
const MONTHS: i32 = 12;

/// From the first day of the month 12 months before the month of enrolment, open-ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Window {
    first_month: Month,
}

impl Window {
    /// `enrolled_on` is a day in the issuer's time zone.
    pub fn of_enrolment(enrolled_on: NaiveDate) -> Self {
        Self {
            first_month: Month::of(enrolled_on).plus(-MONTHS),
        }
    }

    /// The first month that is scored.
    pub fn first_month(self) -> Month {
        self.first_month
    }

    /// Is a purchase of `date` in it? Not if it is earlier, nor if it is later than the day after
    /// `today` (both in the issuer's time zone): that is `OUTSIDE_WINDOW`.
    pub fn holds(self, date: NaiveDate, today: NaiveDate) -> bool {
        let tomorrow = today.checked_add_days(Days::new(1)).unwrap_or(today);
        Month::of(date) >= self.first_month && date <= tomorrow
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn twelve_whole_months_and_the_running_one() {
        let day = |text: &str| text.parse::<NaiveDate>().unwrap();
        let window = Window::of_enrolment(day("2026-11-27"));
        assert_eq!(window.first_month().to_string(), "2025-11");
        let today = day("2027-03-31");
        for (date, held) in [
            ("2025-10-31", false),
            ("2025-11-01", true),
            ("2026-11-28", true),
            ("2027-04-01", true),
            ("2027-04-02", false),
        ] {
            assert_eq!(window.holds(day(date), today), held, "{date}");
        }
        let first = Window::of_enrolment(day("2024-02-29")).first_month();
        assert_eq!(first.to_string(), "2023-02");
    }
}
