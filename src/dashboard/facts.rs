//! What a page is made from. Nothing here asks a database or a clock, and nothing is written into
//! a log: `Debug` shows neither merchants nor amounts.

use crate::footprint::benchmarks::Benchmark;
use crate::footprint::set::{Area, Confidence, FactorSet, Mcc};
use crate::footprint::sums::{MonthSums, Sums};
use crate::footprint::{Country, Grams, Money, Month};
use chrono::{DateTime, NaiveDate, Utc};
use chrono_tz::Tz;
use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

/// All that is known of a cardholder's view at one moment.
pub struct Facts {
    /// Who offers the view.
    pub issuer: IssuerFacts,
    /// Last four digits of the card.
    pub last_four: Option<String>,
    /// The cardholder's billing country, else the issuer's.
    pub country: Country,
    /// The moment of the page.
    pub now: DateTime<Utc>,
    /// The day that it is for the issuer's cardholders.
    pub today: NaiveDate,
    /// The zone of that day.
    pub zone: Tz,
    /// The months that have payments.
    pub months: BTreeMap<Month, MonthFacts>,
    /// How far the calculation of the past is.
    pub scoring: Scoring,
    /// That all was scored anew, for 90 days.
    pub notice: Option<NoticeFacts>,
    /// The factor set of all figures.
    pub set: Arc<FactorSet>,
    /// CO2 per head, of the latest year.
    pub benchmark: Option<Benchmark>,
    /// Half of the value of 2019.
    pub goal: Option<Benchmark>,
    /// The cardholder has closed the introduction.
    pub introduced: bool,
    /// Details show pounds, too.
    pub imperial: bool,
    /// Only with the donation toggle on, and a provider.
    pub donation: Option<DonationFacts>,
}

/// What the pages say of the issuer.
#[derive(Debug, Clone, Default)]
pub struct IssuerFacts {
    /// Its name.
    pub name: String,
    /// Its terms.
    pub terms: Option<String>,
    /// Its privacy notice.
    pub privacy: Option<String>,
    /// Where a cardholder leaves the service.
    pub opt_out: Option<String>,
    /// Back into the issuer's app.
    pub return_url: Option<String>,
}

/// One project that can be supported.
#[derive(Debug, Clone)]
pub struct DonationFacts {
    /// The provider.
    pub name: String,
    /// Where its page is: `https`.
    pub url: String,
    /// The operator's text in the language of the page.
    pub text: String,
}

/// How far the calculation of the twelve months before the enrolment is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scoring {
    /// It has not begun.
    Waiting,
    /// So many payments of so many.
    Running {
        /// Done.
        scored: i64,
        /// In all.
        total: i64,
    },
    /// Everything is counted.
    Done,
    /// It could not be done, and will be tried again.
    Failed,
}

/// That all payments were scored anew with another factor set.
#[derive(Debug, Clone)]
pub struct NoticeFacts {
    /// When.
    pub date: NaiveDate,
    /// Twelve months' total before.
    pub before: Grams,
    /// The same months' total after.
    pub after: Grams,
}

/// A month of a cardholder.
#[derive(Clone, Default)]
pub struct MonthFacts {
    /// All areas together.
    pub total: Sums,
    /// By spending area.
    pub areas: MonthSums,
    /// Newest first.
    pub payments: Vec<Payment>,
    /// When it was last scored.
    pub updated: Option<DateTime<Utc>>,
}

/// A payment.
#[derive(Clone)]
pub struct Payment {
    /// Its sender's id.
    pub id: String,
    /// The local day of the purchase.
    pub date: NaiveDate,
    /// As the feed names it.
    pub merchant: Option<String>,
    /// Its category.
    pub mcc: Mcc,
    /// Code of the spending area.
    pub area: Option<u16>,
    /// Signed as it counts.
    pub amount: Money,
    /// Of the merchant.
    pub country: Country,
    /// What happened.
    pub kind: PaymentKind,
    /// What it counts.
    pub counted: Counted,
}

/// What happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PaymentKind {
    /// A purchase.
    Purchase,
    /// Money came back.
    Refund,
    /// A payment was taken back.
    Reversal,
}

/// What a payment counts.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Counted {
    /// Grams.
    Grams {
        /// All gases.
        co2e: Grams,
        /// CO2 alone.
        co2: Grams,
        /// How far it can be trusted.
        confidence: Confidence,
    },
    /// Nothing.
    Not(Uncounted),
}

/// Why a payment counts nothing. The names end the ids of the texts `unscored-…`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Uncounted {
    /// Its category is not scored, or it is cash or a transfer.
    Category,
    /// No category has its code.
    InvalidMcc,
    /// There is no rate of its currency.
    UnsupportedCurrency,
    /// Its grams do not fit.
    OutOfRange,
}

impl Uncounted {
    /// End of the text's id.
    pub fn name(self) -> &'static str {
        match self {
            Self::Category => "not-scored",
            Self::InvalidMcc => "invalid-mcc",
            Self::UnsupportedCurrency => "unsupported-currency",
            Self::OutOfRange => "out-of-range",
        }
    }
}

impl MonthFacts {
    /// A month of its sums and payments, which are put in order: newest first.
    pub fn new(areas: MonthSums, mut payments: Vec<Payment>) -> Self {
        payments.reverse();
        payments.sort_by_key(|payment| std::cmp::Reverse(payment.date));
        Self {
            // Sums that did not fit were never stored.
            total: areas.total().unwrap_or_default(),
            areas,
            payments,
            updated: None,
        }
    }

    /// Payments that have grams and that have none.
    pub fn count(&self) -> i64 {
        self.total.scored.saturating_add(self.total.not_scored)
    }
}

impl Payment {
    /// Grams and confidence; `None` if it counts nothing.
    pub fn grams(&self) -> Option<(Grams, Confidence)> {
        match self.counted {
            Counted::Grams {
                co2e, confidence, ..
            } => Some((co2e, confidence)),
            Counted::Not(_) => None,
        }
    }
}

impl Facts {
    /// The month that is still running.
    pub fn running(&self) -> Month {
        Month::of(self.today)
    }

    /// The month's facts; none yet is a month without payments.
    pub fn month(&self, month: Month) -> Option<&MonthFacts> {
        self.months.get(&month)
    }

    /// The area of a code, if the set has it.
    pub fn area(&self, code: u16) -> Option<&Area> {
        self.set.area_by_code(code)
    }

    /// Every payment, newest first.
    pub fn payments(&self) -> impl Iterator<Item = (Month, &Payment)> {
        let months = self.months.iter().rev();
        months.flat_map(|(month, facts)| facts.payments.iter().map(move |p| (*month, p)))
    }

    /// When anything was last scored.
    pub fn last_scored(&self) -> Option<DateTime<Utc>> {
        self.months.values().filter_map(|month| month.updated).max()
    }

    /// The payment of this id.
    pub fn payment(&self, id: &str) -> Option<(Month, &Payment)> {
        self.payments().find(|(_, payment)| payment.id == id)
    }
}

impl fmt::Debug for Facts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Facts({} months)", self.months.len())
    }
}

impl fmt::Debug for MonthFacts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "MonthFacts({} payments)", self.payments.len())
    }
}

impl fmt::Debug for Payment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Payment(…)")
    }
}

impl fmt::Debug for Counted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Grams { .. } => "Grams(…)",
            Self::Not(_) => "Not",
        })
    }
}
