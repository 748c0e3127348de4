//! Merchant categories, and the spending areas they belong to.

use super::super::Carrier;
use super::Naics;
use rust_decimal::Decimal;
use std::fmt;

/// In `by_mcc`: a code that no category has.
pub(super) const NO_CATEGORY: u16 = u16::MAX;

/// A merchant category code, 0000 to 9999.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Mcc(u16);

impl Mcc {
    /// From 1 to 4 digits; fewer than four are padded with zeros on the left.
    pub fn parse(text: &str) -> Option<Self> {
        ((1..=4).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit()))
            .then(|| text.parse().ok().map(Self))?
    }

    /// From its number.
    pub fn new(number: u16) -> Option<Self> {
        (number <= 9999).then_some(Self(number))
    }

    /// 0 to 9999.
    pub fn number(self) -> u16 {
        self.0
    }
}

impl fmt::Display for Mcc {
    /// Four digits.
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{:04}", self.0)
    }
}

impl fmt::Debug for Mcc {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, out)
    }
}

/// How a category is scored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Method {
    /// By what was paid.
    Spend,
    /// Energy carriers by quantity, told from the price; the rest by what was paid.
    Fuel,
    /// Nothing is bought, or nobody knows what.
    NotScored,
}

impl Method {
    /// From the name in `mcc.csv`.
    pub fn parse(name: &str) -> Option<Self> {
        [Self::Spend, Self::Fuel, Self::NotScored]
            .into_iter()
            .find(|method| method.name() == name)
    }

    /// As `mcc.csv` has it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Spend => "spend",
            Self::Fuel => "fuel",
            Self::NotScored => "not_scored",
        }
    }
}

/// How far a score can be trusted, in words: nobody has measured an error in percent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Confidence {
    /// From a price, a mixed basket, or a sector known to be rough.
    Low,
    /// One product or service, with a factor of its sector.
    Medium,
    /// From a measured quantity; no category today.
    High,
}

impl Confidence {
    /// All, worst first.
    pub const ALL: [Self; 3] = [Self::Low, Self::Medium, Self::High];

    /// From [`Confidence::name`].
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|class| class.name() == name)
    }

    /// `low`, `medium` or `high`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
        }
    }
}

impl fmt::Display for Confidence {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.pad(self.name())
    }
}

/// A spending area: what screens and sums group by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Area {
    /// Identifier, e.g. `groceries`.
    pub id: String,
    /// Three digits, 100 to 999.
    pub code: u16,
    /// English, e.g. `Food & Drink`.
    pub main_category: String,
    /// English, e.g. `Groceries`.
    pub sub_category: String,
}

/// One or more merchant category codes that are scored alike.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Category {
    /// First code.
    pub from: Mcc,
    /// Last code.
    pub to: Mcc,
    /// English: `sector` of the transactions API.
    pub description: String,
    /// Place among the set's areas.
    pub(super) area: usize,
    /// How it is scored.
    pub method: Method,
    /// Industries with their weights; together with `carriers` they add up to exactly 1.
    pub industries: Vec<(Naics, Decimal)>,
    /// Weights of energy carriers, by [`Carrier::index`]; 0 for those not in the basket.
    pub(in super::super) carriers: [Decimal; 4],
    /// `None` if it is not scored.
    pub confidence: Option<Confidence>,
    /// Why it is not scored; `None` if it is.
    pub reason: Option<String>,
}

impl Category {
    /// How many codes.
    pub fn codes(&self) -> usize {
        usize::from(self.to.0.saturating_sub(self.from.0)) + 1
    }

    /// Energy carriers with their weights.
    pub fn carriers(&self) -> impl Iterator<Item = (Carrier, Decimal)> {
        Carrier::ALL
            .into_iter()
            .zip(self.carriers)
            .filter(|(_, weight)| !weight.is_zero())
    }
}
