//! A cardholder's month as it is stored: its transactions, with their scores, and their sums.

use super::item::{Brand, Kind, Merchant, SourceId, Unscored};
use crate::footprint::score::AsOf;
use crate::footprint::set::{Confidence, Mcc};
use crate::footprint::sums::{MonthSums, Sums, SumsOverflow, UNKNOWN_AREA};
use crate::footprint::{Assessment, Country, Grams, Money, Month, Purchase, Scorer, Verdict};
use chrono::NaiveDate;

/// One transaction of a month. `Debug` hides the merchant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredTransaction {
    /// What its sender calls it.
    pub source: SourceId,
    /// The local day of the purchase. A reversal stands in its original's month, whatever its day.
    pub date: NaiveDate,
    /// The merchant's category.
    pub mcc: Mcc,
    /// Signed as it counts.
    pub amount: Money,
    /// Of the merchant.
    pub country: Country,
    /// What happened.
    pub kind: Kind,
    /// As it came.
    pub brand: Option<Brand>,
    /// For the cardholder's page.
    pub merchant: Option<Merchant>,
    /// The transaction that it takes back.
    pub original: Option<SourceId>,
    /// What it counts.
    pub scored: Scored,
}

/// What a transaction counts under a factor set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scored {
    /// Code of the spending area; `None` if the set does not know the category.
    pub area: Option<u16>,
    /// The amount in euro cents at the day's rate.
    pub spend_eur_cents: i64,
    /// The grams, or why there are none.
    pub outcome: ScoreOutcome,
}

/// Grams, or why there are none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ScoreOutcome {
    /// It has grams.
    Grams(StoredScore),
    /// The category is not scored: the set says why.
    Category,
    /// It is never scored.
    Never(Unscored),
    /// The set does not know the category.
    InvalidMcc,
    /// The grams do not fit in 64 bits.
    OutOfRange,
}

/// The grams of a transaction, and what is needed to write the sum down again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredScore {
    /// All gases.
    pub co2e: Grams,
    /// CO2 alone.
    pub co2: Grams,
    /// How far it can be trusted.
    pub confidence: Confidence,
    /// Old rates or consumer prices were used.
    pub stale: bool,
    /// The day of the exchange rate, if one was used.
    pub rates: Option<NaiveDate>,
    /// The month of the consumer prices, if they were used.
    pub consumer_prices: Option<Month>,
}

impl StoredScore {
    /// By which dates the score is explained as it was made.
    pub fn as_of(&self, date: NaiveDate) -> AsOf {
        AsOf::stored(date, self.rates, self.consumer_prices)
    }
}

impl Scored {
    /// What a purchase counts; `never`: why it counts nothing, whatever the method says. `None`:
    /// there is no rate of its currency.
    pub fn by(scorer: &Scorer, purchase: &Purchase, never: Option<Unscored>) -> Option<Self> {
        let mut scored = Self::of(&scorer.score(purchase))?;
        if let Some(unscored) = never {
            scored.outcome = ScoreOutcome::Never(unscored);
        }
        Some(scored)
    }

    /// What the method says of a transaction. `None`: there is no rate of its currency.
    pub fn of(assessment: &Assessment) -> Option<Self> {
        let outcome = match assessment.verdict {
            Verdict::Scored(score) => ScoreOutcome::Grams(StoredScore {
                co2e: score.co2e,
                co2: score.co2,
                confidence: score.confidence,
                stale: score.stale,
                rates: score.conversion.map(|conversion| conversion.date),
                consumer_prices: score.deflator.map(|deflator| deflator.month),
            }),
            Verdict::NotScored => ScoreOutcome::Category,
            Verdict::InvalidMcc => ScoreOutcome::InvalidMcc,
            Verdict::OutOfRange => ScoreOutcome::OutOfRange,
            Verdict::UnsupportedCurrency => return None,
        };
        Some(Self {
            area: assessment.area,
            // Without grams, a currency need not have a rate.
            spend_eur_cents: assessment.spend_eur_cents?,
            outcome,
        })
    }

    /// Exactly the opposite.
    #[must_use]
    pub fn reversed(&self) -> Self {
        let outcome = match &self.outcome {
            ScoreOutcome::Grams(score) => ScoreOutcome::Grams(StoredScore {
                co2e: score.co2e.negated(),
                co2: score.co2.negated(),
                ..score.clone()
            }),
            other => other.clone(),
        };
        Self {
            spend_eur_cents: self.spend_eur_cents.saturating_neg(),
            outcome,
            ..*self
        }
    }

    /// What it adds to the sums of its area.
    pub fn sums(&self) -> Sums {
        match &self.outcome {
            ScoreOutcome::Grams(score) => Sums::scored(
                score.co2e,
                score.co2,
                score.confidence,
                self.spend_eur_cents,
            ),
            _ => Sums::not_scored(self.spend_eur_cents),
        }
    }
}

/// A cardholder's month.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredMonth {
    /// Which.
    pub month: Month,
    /// In the order in which they came.
    pub transactions: Vec<StoredTransaction>,
    /// By spending area.
    pub sums: MonthSums,
}

impl StoredMonth {
    /// Most transactions of a cardholder's month: the whole month is written again with each.
    pub const MOST: usize = 10_000;

    /// Without transactions.
    pub fn empty(month: Month) -> Self {
        Self {
            month,
            transactions: Vec::new(),
            sums: MonthSums::default(),
        }
    }

    /// Adds a transaction, also to the sums.
    ///
    /// # Errors
    /// The sums do not fit; then nothing is changed.
    pub fn push(&mut self, transaction: StoredTransaction) -> Result<(), SumsOverflow> {
        let scored = &transaction.scored;
        let area = scored.area.unwrap_or(UNKNOWN_AREA);
        self.sums.add_to(area, scored.sums())?;
        self.transactions.push(transaction);
        Ok(())
    }
}
