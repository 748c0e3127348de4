//! From a purchase to grams of CO2e.
//!
//! **Method `spend`.** The amount is converted into the table's currency at the day's rate, brought
//! to the table's price year, and multiplied by the basket's factor. **Method `fuel`.** Each energy
//! carrier's share is divided by its price into litres or kilowatt-hours and multiplied by what
//! burning and making a unit emits; the basket's industries are scored as with `spend`.
//! **`not_scored`.** No grams, a reason.
//!
//! **Precision.** `rust_decimal`: 96 bits, 28 digits. All factors of a term are multiplied before
//! its one division, so a term of amounts, rates, deflators and factors as they are published is
//! exact up to that division, which is off by at most one unit in the 28th digit. The largest sum,
//! 10^9 dollars at 10 kg, has 13 digits before the point and leaves 15 behind it, where 2 are
//! wanted. The total is rounded once, half to even, to a hundredth of a gram.

mod as_of;
mod convert;
mod explain;
mod line;
mod sum;
#[cfg(test)]
mod tests;

pub use as_of::AsOf;
pub use convert::Conversion;
pub use explain::{BasketShare, ConfidenceReason, EnergyStep, Explanation, SpendStep};

use super::dated::{Prices, SeriesHandle};
use super::set::{Basis, Confidence, Mcc};
use super::{Carrier, Country, DatedData, FactorSet, Faults, Grams, Money, Month, builtin};
use chrono::NaiveDate;
use convert::Refused;
use rust_decimal::Decimal;
use std::sync::Arc;

/// What is scored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Purchase {
    /// The merchant's category.
    pub mcc: Mcc,
    /// Negative for refunds, reversals and chargebacks.
    pub amount: Money,
    /// Where the purchase took place, local date: decides rate, consumer prices, energy prices and
    /// month.
    pub date: NaiveDate,
    /// Of the merchant: decides the table of factors, and the prices of method `fuel`.
    pub country: Country,
}

/// What became of a purchase.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Assessment {
    /// Code of the spending area; `None` for an unknown merchant category.
    pub area: Option<u16>,
    /// The amount in euro cents at the day's rate, rounded half to even: what shares of spending
    /// are counted in. `None` if the currency has no rate.
    pub spend_eur_cents: Option<i64>,
    /// The score, or why there is none.
    pub verdict: Verdict,
}

/// A score, or why there is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// It has grams.
    Scored(Score),
    /// The category is not scored; [`super::set::Category::reason`] says why.
    NotScored,
    /// No category has the code: `INVALID_MCC`.
    InvalidMcc,
    /// There is not one rate of the currency: `UNSUPPORTED_CURRENCY`.
    UnsupportedCurrency,
    /// The grams do not fit: only with rates or prices that an operator loaded and that cannot be
    /// right.
    OutOfRange,
}

impl Verdict {
    /// `SCORED`, `NOT_SCORED`, `INVALID_MCC`, `UNSUPPORTED_CURRENCY` or `OUT_OF_RANGE`.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Scored(_) => "SCORED",
            Self::NotScored => "NOT_SCORED",
            Self::InvalidMcc => "INVALID_MCC",
            Self::UnsupportedCurrency => "UNSUPPORTED_CURRENCY",
            Self::OutOfRange => "OUT_OF_RANGE",
        }
    }
}

/// The grams of a purchase, and what a stored score keeps of the way to them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Score {
    /// All gases: the figure that is shown.
    pub co2e: Grams,
    /// CO2 alone: only to compare with a country's CO2 per head.
    pub co2: Grams,
    /// How far it can be trusted.
    pub confidence: Confidence,
    /// The table of factors.
    pub basis: Basis,
    /// Into the table's currency, or that of the first carrier's price; `None` where both are the
    /// same.
    pub conversion: Option<Conversion>,
    /// To the table's price year; `None` where energy carriers are all that was bought.
    pub deflator: Option<Deflator>,
    /// A rate from more than 7 days or consumer prices from more than 3 months before the purchase
    /// were used.
    pub stale: bool,
}

impl Assessment {
    /// Of a reversal that names its original: exactly the original's grams and spending, negative,
    /// whatever rates and prices have become since.
    #[must_use]
    pub fn reversed(self) -> Self {
        Self {
            spend_eur_cents: self.spend_eur_cents.map(i64::saturating_neg),
            verdict: match self.verdict {
                Verdict::Scored(score) => Verdict::Scored(Score {
                    co2e: score.co2e.negated(),
                    co2: score.co2.negated(),
                    ..score
                }),
                other => other,
            },
            ..self
        }
    }
}

/// A correction to the price year.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Deflator {
    /// Multiplies the amount.
    pub factor: Decimal,
    /// The month whose consumer prices it is from.
    pub month: Month,
}

/// What a country decides.
#[derive(Debug, Clone, Copy)]
struct Merchant {
    table: usize,
    basis: Basis,
    prices: [Option<SeriesHandle>; 4],
}

/// A set with dated data, ready to score; share it, it never changes.
#[derive(Debug)]
pub struct Scorer {
    set: Arc<FactorSet>,
    data: Arc<DatedData>,
    merchants: Vec<Merchant>,
}

impl Scorer {
    /// Looks up once what depends on the country alone.
    pub fn new(set: Arc<FactorSet>, data: Arc<DatedData>) -> Self {
        let merchants = Country::all().map(|country| Merchant {
            table: set.table_number(country),
            basis: set.basis(country),
            prices: prices_of(&data.prices, country),
        });
        Self {
            merchants: merchants.collect(),
            set,
            data,
        }
    }

    /// The compiled-in set and data.
    ///
    /// # Errors
    ///
    /// A compiled-in file with a wrong checksum, or one that breaks a rule.
    pub fn builtin() -> Result<Self, Faults> {
        Ok(Self::new(builtin::set()?, Arc::new(builtin::dated()?)))
    }

    /// The set that it scores with.
    pub fn set(&self) -> &Arc<FactorSet> {
        &self.set
    }

    /// The dated data that it scores with.
    pub fn data(&self) -> &Arc<DatedData> {
        &self.data
    }

    /// Scores one purchase: the same purchase, set and data always give the same grams.
    pub fn score(&self, purchase: &Purchase) -> Assessment {
        self.score_as_of(purchase, AsOf::date(purchase.date))
    }

    /// The same with rates and consumer prices of other days: a stored score again.
    pub fn score_as_of(&self, purchase: &Purchase, as_of: AsOf) -> Assessment {
        let category = self.set.category(purchase.mcc);
        let area = category.and_then(|category| self.set.area(category));
        Assessment {
            area: area.map(|area| area.code),
            spend_eur_cents: self.spend_eur_cents(purchase, as_of),
            verdict: match self.sum(purchase, as_of) {
                Ok(sum) => Verdict::Scored(sum.score),
                Err(Refused::InvalidMcc) => Verdict::InvalidMcc,
                Err(Refused::NotScored) => Verdict::NotScored,
                Err(Refused::UnsupportedCurrency) => Verdict::UnsupportedCurrency,
                Err(Refused::OutOfRange) => Verdict::OutOfRange,
            },
        }
    }
}

fn prices_of(prices: &Prices, country: Country) -> [Option<SeriesHandle>; 4] {
    Carrier::ALL.map(|carrier| prices.series(country, carrier))
}
