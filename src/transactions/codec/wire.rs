//! The parts of a month's value.

use crate::footprint::set::{Confidence, Mcc};
use crate::footprint::sums::Sums;
use crate::footprint::{Country, Currency, Grams, Money, Month};
use crate::transactions::item::{Brand, Kind, Merchant, SourceId, Unscored};
use crate::transactions::stored::{ScoreOutcome, Scored, StoredScore, StoredTransaction};
use chrono::{Days, NaiveDate};
use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive;
use serde::{Deserialize, Serialize};

/// A spending area's code and its sums.
#[derive(Serialize, Deserialize)]
pub(super) struct WireArea(u16, i64, i64, i64, i64, i64, i64, [i64; 3]);

impl WireArea {
    pub(super) fn of((area, sums): (u16, &Sums)) -> Self {
        Self(
            area,
            sums.co2e.centigrams(),
            sums.co2.centigrams(),
            sums.spend_scored,
            sums.spend_not_scored,
            sums.scored,
            sums.not_scored,
            sums.by_confidence.map(Grams::centigrams),
        )
    }

    pub(super) fn read(self) -> (u16, Sums) {
        let sums = Sums {
            co2e: Grams::from_centigrams(self.1),
            co2: Grams::from_centigrams(self.2),
            spend_scored: self.3,
            spend_not_scored: self.4,
            scored: self.5,
            not_scored: self.6,
            by_confidence: self.7.map(Grams::from_centigrams),
        };
        (self.0, sums)
    }
}

#[derive(Serialize, Deserialize)]
enum WireSource<'a> {
    Text(&'a str),
    Uuid([u8; 16]),
    Clearing([u8; 32]),
}

impl<'a> WireSource<'a> {
    fn of(source: &'a SourceId) -> Self {
        match source {
            SourceId::Text(text) => Self::Text(text),
            SourceId::Uuid(bytes) => Self::Uuid(*bytes),
            SourceId::Clearing(bytes) => Self::Clearing(*bytes),
        }
    }

    fn read(self) -> SourceId {
        match self {
            Self::Text(text) => SourceId::Text(text.into()),
            Self::Uuid(bytes) => SourceId::Uuid(bytes),
            Self::Clearing(bytes) => SourceId::Clearing(bytes),
        }
    }
}

#[derive(Serialize, Deserialize)]
pub(super) struct WireTransaction<'a> {
    #[serde(borrow)]
    source: WireSource<'a>,
    /// From the month's first day: 0 to 30, but for reversals in their original's month.
    day: i32,
    mcc: u16,
    /// In the currency's minor units.
    units: i64,
    currency: [u8; 3],
    country: [u8; 3],
    kind: u8,
    brand: u8,
    merchant: &'a str,
    #[serde(borrow)]
    original: Option<WireSource<'a>>,
    area: Option<u16>,
    spend: i64,
    outcome: WireOutcome,
}

#[derive(Serialize, Deserialize)]
enum WireOutcome {
    Grams {
        co2e: i64,
        co2: i64,
        confidence: u8,
        stale: bool,
        /// Days that the rate is older than the purchase.
        rates: Option<i32>,
        /// Months that the consumer prices are older than the purchase's month.
        consumer_prices: Option<i32>,
    },
    Category,
    Cash,
    Transfer,
    InvalidMcc,
    OutOfRange,
}

const KINDS: [Kind; 4] = [
    Kind::Purchase,
    Kind::Refund,
    Kind::Reversal,
    Kind::Authorisation,
];

/// Its place, from `first` on.
fn place<T: PartialEq>(all: &[T], of: &T, first: u8) -> Option<u8> {
    let place = all.iter().position(|one| one == of)?;
    u8::try_from(place).ok()?.checked_add(first)
}

impl<'a> WireTransaction<'a> {
    /// `None` if a part is beyond what a transaction can have.
    pub(super) fn of(month: Month, transaction: &'a StoredTransaction) -> Option<Self> {
        let StoredTransaction { date, amount, .. } = transaction;
        let scored = &transaction.scored;
        let brand = transaction.brand.as_ref();
        Some(Self {
            source: WireSource::of(&transaction.source),
            day: days(month.first_day()?, *date)?,
            mcc: transaction.mcc.number(),
            units: minor_units(*amount)?,
            currency: letters(amount.currency().code())?,
            country: letters(transaction.country.code())?,
            kind: place(&KINDS, &transaction.kind, 0)?,
            brand: brand.map_or(Some(0), |brand| place(&Brand::ALL, brand, 1))?,
            merchant: transaction.merchant.as_ref().map_or("", Merchant::as_str),
            original: transaction.original.as_ref().map(WireSource::of),
            area: scored.area,
            spend: scored.spend_eur_cents,
            outcome: WireOutcome::of(*date, &scored.outcome)?,
        })
    }

    pub(super) fn read(self, month: Month) -> Option<StoredTransaction> {
        let date = later(month.first_day()?, self.day)?;
        let currency = Currency::from_alpha(std::str::from_utf8(&self.currency).ok()?)?;
        let brand = usize::from(self.brand).checked_sub(1);
        Some(StoredTransaction {
            source: self.source.read(),
            date,
            mcc: Mcc::new(self.mcc)?,
            amount: Money::from_minor_units(self.units, currency).ok()?,
            country: Country::from_alpha3(std::str::from_utf8(&self.country).ok()?)?,
            kind: *KINDS.get(usize::from(self.kind))?,
            brand: brand.map_or(Some(None), |place| Brand::ALL.get(place).map(|b| Some(*b)))?,
            merchant: match self.merchant {
                "" => None,
                text => Some(Merchant::parse(text)?),
            },
            original: self.original.map(WireSource::read),
            scored: Scored {
                area: self.area,
                spend_eur_cents: self.spend,
                outcome: self.outcome.read(date)?,
            },
        })
    }
}

impl WireOutcome {
    fn of(date: NaiveDate, outcome: &ScoreOutcome) -> Option<Self> {
        Some(match outcome {
            ScoreOutcome::Grams(score) => Self::Grams {
                co2e: score.co2e.centigrams(),
                co2: score.co2.centigrams(),
                confidence: place(&Confidence::ALL, &score.confidence, 0)?,
                stale: score.stale,
                rates: match score.rates {
                    None => None,
                    Some(day) => Some(days(day, date)?),
                },
                consumer_prices: score
                    .consumer_prices
                    .map(|month| Month::of(date).since(month)),
            },
            ScoreOutcome::Category => Self::Category,
            ScoreOutcome::Never(Unscored::Cash) => Self::Cash,
            ScoreOutcome::Never(Unscored::Transfer) => Self::Transfer,
            ScoreOutcome::InvalidMcc => Self::InvalidMcc,
            ScoreOutcome::OutOfRange => Self::OutOfRange,
        })
    }

    fn read(self, date: NaiveDate) -> Option<ScoreOutcome> {
        Some(match self {
            Self::Grams {
                co2e,
                co2,
                confidence,
                stale,
                rates,
                consumer_prices,
            } => ScoreOutcome::Grams(StoredScore {
                co2e: Grams::from_centigrams(co2e),
                co2: Grams::from_centigrams(co2),
                confidence: *Confidence::ALL.get(usize::from(confidence))?,
                stale,
                rates: match rates {
                    None => None,
                    Some(age) => Some(later(date, age.checked_neg()?)?),
                },
                consumer_prices: consumer_prices
                    .map(|age| Month::of(date).plus(age.saturating_neg())),
            }),
            Self::Category => ScoreOutcome::Category,
            Self::Cash => ScoreOutcome::Never(Unscored::Cash),
            Self::Transfer => ScoreOutcome::Never(Unscored::Transfer),
            Self::InvalidMcc => ScoreOutcome::InvalidMcc,
            Self::OutOfRange => ScoreOutcome::OutOfRange,
        })
    }
}

fn letters(code: &str) -> Option<[u8; 3]> {
    code.as_bytes().try_into().ok()
}

/// Days from one day to another; negative if `to` is earlier.
fn days(from: NaiveDate, to: NaiveDate) -> Option<i32> {
    i32::try_from(to.signed_duration_since(from).num_days()).ok()
}

fn later(from: NaiveDate, days: i32) -> Option<NaiveDate> {
    let distance = Days::new(u64::from(days.unsigned_abs()));
    if days < 0 {
        from.checked_sub_days(distance)
    } else {
        from.checked_add_days(distance)
    }
}

fn minor_units(amount: Money) -> Option<i64> {
    let unit = Decimal::from(10_u64.checked_pow(amount.currency().minor_unit())?);
    amount.value().checked_mul(unit)?.to_i64()
}
