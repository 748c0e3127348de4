//! An amount in another currency, at the rate of a day.

use super::super::Currency;
use super::{AsOf, Purchase, Scorer};
use chrono::NaiveDate;
use rust_decimal::{Decimal, RoundingStrategy};

/// Days after which a rate is stale.
const FRESH_DAYS: i64 = 7;

/// Why there are no grams.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Refused {
    InvalidMcc,
    NotScored,
    UnsupportedCurrency,
    OutOfRange,
}

/// The rates between two currencies: amount / `from_per_eur` x `to_per_eur`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Conversion {
    /// The amount's currency.
    pub from: Currency,
    /// Its units for 1 EUR.
    pub from_per_eur: Decimal,
    /// The currency it becomes.
    pub to: Currency,
    /// Its units for 1 EUR.
    pub to_per_eur: Decimal,
    /// The day of the rates; the earlier one where they differ.
    pub date: NaiveDate,
}

/// An amount as a fraction, so that what follows is multiplied first and divided once.
#[derive(Debug, Clone, Copy)]
pub(super) struct Converted {
    pub(super) numerator: Decimal,
    pub(super) denominator: Decimal,
    pub(super) conversion: Option<Conversion>,
    pub(super) stale: bool,
}

impl Converted {
    /// The fraction's value.
    pub(super) fn value(&self) -> Option<Decimal> {
        divide(self.numerator, self.denominator)
    }
}

/// Spares the division by 1.
pub(super) fn divide(numerator: Decimal, denominator: Decimal) -> Option<Decimal> {
    if denominator == Decimal::ONE {
        Some(numerator)
    } else {
        numerator.checked_div(denominator)
    }
}

impl Scorer {
    /// The purchase's amount in `to`. The same currency needs no rate, and is never stale.
    pub(super) fn convert(
        &self,
        Purchase { amount, date, .. }: &Purchase,
        to: Currency,
        as_of: AsOf,
    ) -> Result<Converted, Refused> {
        let from = amount.currency();
        if from == to {
            return Ok(Converted {
                numerator: amount.value(),
                denominator: Decimal::ONE,
                conversion: None,
                stale: false,
            });
        }
        let (from_per_eur, from_date) = self.rate(from, as_of.rates)?;
        let (to_per_eur, to_date) = self.rate(to, as_of.rates)?;
        let numerator = amount.value().checked_mul(to_per_eur);
        let rate_date = match (from_date, to_date) {
            (Some(one), Some(other)) => one.min(other),
            (one, other) => one.or(other).unwrap_or(*date),
        };
        Ok(Converted {
            numerator: numerator.ok_or(Refused::OutOfRange)?,
            denominator: from_per_eur,
            conversion: Some(Conversion {
                from,
                from_per_eur,
                to,
                to_per_eur,
                date: rate_date,
            }),
            stale: (*date - rate_date).num_days() > FRESH_DAYS,
        })
    }

    /// Units for 1 EUR, and the rate's day; EUR itself has no day.
    fn rate(
        &self,
        currency: Currency,
        date: NaiveDate,
    ) -> Result<(Decimal, Option<NaiveDate>), Refused> {
        if currency == Currency::eur() {
            return Ok((Decimal::ONE, None));
        }
        let row = self.data.rate(currency, date);
        let row = row.ok_or(Refused::UnsupportedCurrency)?;
        Ok((row.per_eur, Some(row.date)))
    }

    /// The amount in euro cents, rounded half to even; `None` without a rate.
    pub(super) fn spend_eur_cents(&self, purchase: &Purchase, as_of: AsOf) -> Option<i64> {
        let converted = self.convert(purchase, Currency::eur(), as_of);
        let cents = converted.ok()?.value()?.checked_mul(Decimal::ONE_HUNDRED)?;
        let whole = cents.round_dp_with_strategy(0, RoundingStrategy::MidpointNearestEven);
        i64::try_from(whole).ok()
    }
}
