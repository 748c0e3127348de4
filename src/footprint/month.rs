//! A calendar month, the key of sums.

use chrono::{Datelike, NaiveDate};
use std::fmt;

/// Months count from year 0; [`Month::key`] is that number.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Month(i32);

impl Month {
    /// `month` counts from 1.
    pub fn new(year: i32, month: u32) -> Option<Self> {
        NaiveDate::from_ymd_opt(year, month, 1).map(Self::of)
    }

    /// The month that `date` lies in.
    pub fn of(date: NaiveDate) -> Self {
        Self(date.year() * 12 + i32::try_from(date.month0()).unwrap_or_default())
    }

    /// From `2026-01`.
    pub fn parse(text: &str) -> Option<Self> {
        let (year, month) = text.split_once('-')?;
        if year.len() != 4
            || month.len() != 2
            || !(year.to_owned() + month)
                .bytes()
                .all(|byte| byte.is_ascii_digit())
        {
            return None;
        }
        Self::new(year.parse().ok()?, month.parse().ok()?)
    }

    /// For columns of a database: `year * 12 + month - 1`, so that months in a row differ by 1.
    pub fn key(self) -> i32 {
        self.0
    }

    /// The month of such a key, if its year has four digits.
    pub fn from_key(key: i32) -> Option<Self> {
        (0..120_000).contains(&key).then_some(Self(key))
    }

    /// So many months later; earlier if negative.
    #[must_use]
    pub fn plus(self, months: i32) -> Self {
        Self(self.0.saturating_add(months))
    }

    /// How many months `self` is after `earlier`; negative if it is before.
    pub fn since(self, earlier: Self) -> i32 {
        self.0.saturating_sub(earlier.0)
    }

    /// The year.
    pub fn year(self) -> i32 {
        self.0.div_euclid(12)
    }

    /// Counted from 1.
    pub fn month(self) -> u32 {
        u32::try_from(self.0.rem_euclid(12)).unwrap_or_default() + 1
    }

    /// The first day of the month; `None` only outside the calendar of a quarter million years.
    pub fn first_day(self) -> Option<NaiveDate> {
        NaiveDate::from_ymd_opt(self.year(), self.month(), 1)
    }

    /// The last day of the month.
    pub fn last_day(self) -> Option<NaiveDate> {
        self.plus(1).first_day()?.pred_opt()
    }
}

impl fmt::Display for Month {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{:04}-{:02}", self.year(), self.month())
    }
}

impl fmt::Debug for Month {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, out)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_month_is_its_text_its_key_and_its_days() {
        let month = Month::parse("2024-02").unwrap();
        assert_eq!(month.to_string(), "2024-02");
        assert_eq!(Month::from_key(month.key()), Some(month));
        let day = |text: &str| text.parse::<NaiveDate>().ok();
        assert_eq!(month.first_day(), day("2024-02-01"));
        assert_eq!(month.last_day(), day("2024-02-29"));
        assert_eq!(Month::of(day("2024-02-29").unwrap()), month);
        assert_eq!(month.plus(-2).to_string(), "2023-12");
        assert_eq!(month.plus(11).to_string(), "2025-01");
        assert_eq!(month.plus(-25).since(month), -25);
    }

    #[test]
    fn other_texts_are_no_months() {
        for text in [
            "",
            "2024",
            "2024-13",
            "2024-00",
            "24-01",
            "2024-1",
            "2024-01-01",
            "+024-01",
            "2024-+1",
        ] {
            assert_eq!(Month::parse(text), None, "{text}");
        }
        assert_eq!(Month::from_key(-1), None);
    }
}
