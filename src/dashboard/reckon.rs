//! Means, medians and differences. All of them are of full months: the running one is compared
//! with nothing.

use super::facts::{Facts, MonthFacts};
use super::figures;
use crate::footprint::{Grams, Month};
use rust_decimal::Decimal;

/// Full months that means and medians look back.
const FULL_MONTHS: i32 = 12;

/// How one month differs from another value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Difference {
    /// Positive if it is more.
    pub grams: Grams,
    /// In whole percent of the other; `None` if the other is not above zero.
    pub percent: Option<i64>,
}

impl Difference {
    /// Of `value` from `other`.
    pub fn of(value: Grams, other: Grams) -> Self {
        let grams = value.checked_sub(other).unwrap_or_default();
        let positive = other > Grams::default();
        let share = figures::share(grams.decimal().abs(), other.decimal());
        Self {
            grams,
            percent: share.filter(|_| positive),
        }
    }

    /// Less than 3 %, or less than a kilogram: about the same.
    pub fn is_slight(&self) -> bool {
        self.percent.is_some_and(|percent| percent < 3) || self.size().centigrams() < 100_000
    }

    /// Without its sign.
    pub fn size(&self) -> Grams {
        if self.grams < Grams::default() {
            self.grams.negated()
        } else {
            self.grams
        }
    }
}

/// The full months of the last twelve that have a footprint, oldest first.
pub fn full_months(facts: &Facts) -> Vec<(Month, &MonthFacts)> {
    let running = facts.running();
    facts
        .months
        .range(running.plus(-FULL_MONTHS)..running)
        .filter(|(_, month)| month.total.scored > 0)
        .map(|(month, facts)| (*month, facts))
        .collect()
}

/// The mean, rounded to a hundredth of a gram; `None` of nothing.
pub fn mean(values: &[Grams]) -> Option<Grams> {
    let count = i64::try_from(values.len())
        .ok()
        .filter(|count| *count > 0)?;
    let sum = values
        .iter()
        .try_fold(Grams::default(), |sum, grams| sum.checked_add(*grams))?;
    Some(divided(sum, count))
}

/// The middle value; of an even number, the mean of the two in the middle. `None` of nothing.
pub fn median(values: &[Grams]) -> Option<Grams> {
    let mut sorted = values.to_vec();
    sorted.sort_unstable();
    let middle = sorted.len() / 2;
    let upper = *sorted.get(middle)?;
    if sorted.len() % 2 == 1 {
        return Some(upper);
    }
    let lower = *sorted.get(middle.checked_sub(1)?)?;
    mean(&[lower, upper])
}

/// The mean of a category's months, over the full months: what a "what if" starts from.
pub fn area_mean(facts: &Facts, area: u16) -> Option<(Grams, usize)> {
    let months = full_months(facts);
    let grams: Vec<Grams> = months
        .iter()
        .map(|(_, month)| area_grams(month, area))
        .collect();
    Some((mean(&grams)?, grams.len()))
}

/// A category's grams in a month.
pub fn area_grams(month: &MonthFacts, area: u16) -> Grams {
    let mut areas = month.areas.areas();
    let found = areas.find(|(code, _)| *code == area);
    found.map(|(_, sums)| sums.co2e).unwrap_or_default()
}

/// `percent` of grams, rounded to a hundredth.
pub fn percent_of(grams: Grams, percent: i64) -> Grams {
    Grams::from_centigrams(rounded(
        Decimal::from(grams.centigrams()) * Decimal::from(percent) / Decimal::ONE_HUNDRED,
    ))
}

fn divided(grams: Grams, by: i64) -> Grams {
    Grams::from_centigrams(rounded(
        Decimal::from(grams.centigrams()) / Decimal::from(by.max(1)),
    ))
}

fn rounded(centigrams: Decimal) -> i64 {
    i64::try_from(centigrams.round()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn grams(values: &[i64]) -> Vec<Grams> {
        values.iter().map(|g| Grams::from_centigrams(*g)).collect()
    }

    #[test]
    fn means_and_medians() {
        assert_eq!(mean(&[]), None);
        assert_eq!(median(&[]), None);
        assert_eq!(median(&grams(&[5])), Some(Grams::from_centigrams(5)));
        assert_eq!(median(&grams(&[9, 1, 5])), Some(Grams::from_centigrams(5)));
        assert_eq!(
            median(&grams(&[9, 1, 5, 7])),
            Some(Grams::from_centigrams(6))
        );
        assert_eq!(mean(&grams(&[-4, 1, 6])), Some(Grams::from_centigrams(1)));
    }

    #[test]
    fn a_difference_has_a_percentage_only_of_something() {
        let of = |value, other| {
            Difference::of(Grams::from_centigrams(value), Grams::from_centigrams(other))
        };
        assert_eq!(of(150, 100).percent, Some(50));
        assert_eq!(of(50, 100).percent, Some(50));
        assert_eq!(of(50, 0).percent, None);
        assert_eq!(of(50, -100).percent, None);
        assert!(of(1_010_000, 1_000_000).is_slight());
        assert!(!of(2_000_000, 1_000_000).is_slight());
        assert!(of(2_000, 1_000).is_slight(), "ten grams");
    }
}
