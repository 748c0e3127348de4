//! A cardholder's month: sums by spending area.

use super::set::Confidence;
use super::{Assessment, Grams, Verdict};
use std::collections::BTreeMap;

/// The key of purchases whose merchant category is unknown.
pub const UNKNOWN_AREA: u16 = 0;

/// Sums of purchases. All of them are exact and free of order: what was added can be subtracted
/// again.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Sums {
    /// All gases.
    pub co2e: Grams,
    /// CO2 alone.
    pub co2: Grams,
    /// Euro cents of purchases that have grams; refunds count negative.
    pub spend_scored: i64,
    /// Euro cents of purchases that have none.
    pub spend_not_scored: i64,
    /// Purchases that have grams.
    pub scored: i64,
    /// Purchases that have none.
    pub not_scored: i64,
    /// Grams of `co2e` by class, in the order of [`Confidence::ALL`]: low, medium, high.
    pub by_confidence: [Grams; 3],
}

/// A sum that does not fit in 64 bits: more than 9 * 10^16 grams.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the sums of a month do not fit in 64 bits")]
pub struct SumsOverflow;

impl Sums {
    /// What one purchase with grams adds; spending in euro cents.
    pub fn scored(co2e: Grams, co2: Grams, confidence: Confidence, spend: i64) -> Self {
        let of_class = |class| {
            if class == confidence {
                co2e
            } else {
                Grams::default()
            }
        };
        Self {
            co2e,
            co2,
            spend_scored: spend,
            scored: 1,
            by_confidence: Confidence::ALL.map(of_class),
            ..Self::default()
        }
    }

    /// What one purchase without grams adds; spending in euro cents.
    pub fn not_scored(spend: i64) -> Self {
        Self {
            spend_not_scored: spend,
            not_scored: 1,
            ..Self::default()
        }
    }

    /// What one purchase adds.
    pub fn of(assessment: &Assessment) -> Self {
        let spend = assessment.spend_eur_cents.unwrap_or_default();
        match &assessment.verdict {
            Verdict::Scored(score) => Self::scored(score.co2e, score.co2, score.confidence, spend),
            _ => Self::not_scored(spend),
        }
    }

    fn combine(
        self,
        other: Self,
        grams: fn(Grams, Grams) -> Option<Grams>,
        number: fn(i64, i64) -> Option<i64>,
    ) -> Option<Self> {
        let [low, medium, high] = self.by_confidence;
        let [other_low, other_medium, other_high] = other.by_confidence;
        Some(Self {
            co2e: grams(self.co2e, other.co2e)?,
            co2: grams(self.co2, other.co2)?,
            spend_scored: number(self.spend_scored, other.spend_scored)?,
            spend_not_scored: number(self.spend_not_scored, other.spend_not_scored)?,
            scored: number(self.scored, other.scored)?,
            not_scored: number(self.not_scored, other.not_scored)?,
            by_confidence: [
                grams(low, other_low)?,
                grams(medium, other_medium)?,
                grams(high, other_high)?,
            ],
        })
    }

    /// Both together.
    ///
    /// # Errors
    ///
    /// The result does not fit.
    pub fn plus(self, other: Self) -> Result<Self, SumsOverflow> {
        self.combine(other, Grams::checked_add, i64::checked_add)
            .ok_or(SumsOverflow)
    }

    /// Without `other`.
    ///
    /// # Errors
    ///
    /// The result does not fit.
    pub fn minus(self, other: Self) -> Result<Self, SumsOverflow> {
        self.combine(other, Grams::checked_sub, i64::checked_sub)
            .ok_or(SumsOverflow)
    }

    /// The worst class that has grams of its own; `None` if none has.
    pub fn worst_confidence(&self) -> Option<Confidence> {
        let classes = Confidence::ALL.into_iter().zip(self.by_confidence);
        let mut used = classes.filter(|(_, grams)| *grams != Grams::default());
        used.next().map(|(class, _)| class)
    }
}

/// The sums of one month by spending area; areas without a purchase have no entry.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct MonthSums(BTreeMap<u16, Sums>);

impl MonthSums {
    /// Of stored entries: area code ([`UNKNOWN_AREA`] for none) and sums. An area that comes twice
    /// is added.
    ///
    /// # Errors
    ///
    /// A sum does not fit.
    pub fn from_areas(
        entries: impl IntoIterator<Item = (u16, Sums)>,
    ) -> Result<Self, SumsOverflow> {
        let mut month = Self::default();
        for (area, sums) in entries {
            month.add_to(area, sums)?;
        }
        Ok(month)
    }

    /// Adds sums to an area ([`UNKNOWN_AREA`] for none).
    ///
    /// # Errors
    ///
    /// A sum does not fit; then nothing is changed.
    pub fn add_to(&mut self, area: u16, sums: Sums) -> Result<(), SumsOverflow> {
        self.change(area, |old| old.plus(sums))
    }

    /// Takes sums out of an area that were added before.
    ///
    /// # Errors
    ///
    /// A sum does not fit; then nothing is changed.
    pub fn subtract_from(&mut self, area: u16, sums: Sums) -> Result<(), SumsOverflow> {
        self.change(area, |old| old.minus(sums))
    }

    /// Adds a purchase.
    ///
    /// # Errors
    ///
    /// A sum does not fit; then nothing is changed.
    pub fn add(&mut self, assessment: &Assessment) -> Result<(), SumsOverflow> {
        let area = assessment.area.unwrap_or(UNKNOWN_AREA);
        self.add_to(area, Sums::of(assessment))
    }

    /// Takes a purchase out that was added before.
    ///
    /// # Errors
    ///
    /// A sum does not fit; then nothing is changed.
    pub fn subtract(&mut self, assessment: &Assessment) -> Result<(), SumsOverflow> {
        let area = assessment.area.unwrap_or(UNKNOWN_AREA);
        self.subtract_from(area, Sums::of(assessment))
    }

    fn change(
        &mut self,
        area: u16,
        change: impl FnOnce(Sums) -> Result<Sums, SumsOverflow>,
    ) -> Result<(), SumsOverflow> {
        let old = self.0.get(&area).copied().unwrap_or_default();
        let new = change(old)?;
        if new == Sums::default() {
            self.0.remove(&area);
        } else {
            self.0.insert(area, new);
        }
        Ok(())
    }

    /// Area codes with their sums, by code.
    pub fn areas(&self) -> impl Iterator<Item = (u16, &Sums)> {
        self.0.iter().map(|(area, sums)| (*area, sums))
    }

    /// All areas together.
    ///
    /// # Errors
    ///
    /// The sum does not fit.
    pub fn total(&self) -> Result<Sums, SumsOverflow> {
        self.0
            .values()
            .try_fold(Sums::default(), |total, sums| total.plus(*sums))
    }
}
