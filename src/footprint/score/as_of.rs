//! The dates by which a score looks up dated data.

use super::super::Month;
use super::Score;
use chrono::NaiveDate;

/// The days that rates and consumer prices are looked up for. A purchase's own date, as a rule;
/// those that a stored score names where it is explained, because rows of later days may have come
/// since.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AsOf {
    /// Rates of this day, else of the latest earlier one.
    pub rates: NaiveDate,
    /// Consumer prices of this month, else of the latest earlier one.
    pub consumer_prices: Month,
}

impl AsOf {
    /// For a new score.
    pub fn date(date: NaiveDate) -> Self {
        Self {
            rates: date,
            consumer_prices: Month::of(date),
        }
    }

    /// For a purchase of `date` whose stored score names the day of its rates and the month of its
    /// consumer prices; without one, the purchase's own.
    pub fn stored(date: NaiveDate, rates: Option<NaiveDate>, month: Option<Month>) -> Self {
        Self {
            rates: rates.unwrap_or(date),
            consumer_prices: month.unwrap_or_else(|| Month::of(date)),
        }
    }

    /// The same of a score that is still at hand.
    pub fn score(date: NaiveDate, score: &Score) -> Self {
        let rates = score.conversion.map(|conversion| conversion.date);
        Self::stored(date, rates, score.deflator.map(|deflator| deflator.month))
    }
}
