//! Industries and their factors.

use super::super::number::within;
use super::super::table::{Faults, Row, Table};
use super::super::{Carrier, Country};
use super::CarrierFactor;
use rust_decimal::Decimal;
use std::collections::{HashMap, HashSet};
use std::fmt;

const EMISSION_FACTORS: &[&str] = &[
    "naics",
    "title",
    "kg_co2e_per_usd_no_margin",
    "kg_co2e_per_usd",
    "kg_co2_per_usd",
    "useeio",
];
const ADJUSTMENTS: &[&str] = &["naics", "multiplier", "lower", "upper", "reason"];
const REGIONAL: &[&str] = &["country", "naics", "kg_co2e_per_eur", "kg_co2_per_eur"];
const CARRIERS: &[&str] = &["carrier", "unit", "kg_co2e_use", "kg_co2e_upstream", "note"];

const FACTOR: &str = "must be a number from 0 to 1000 with at most 6 decimal places";

/// A six-digit code of the North American Industry Classification System, 2017.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Naics(u32);

impl Naics {
    /// From six digits.
    pub fn parse(text: &str) -> Option<Self> {
        (text.len() == 6 && text.bytes().all(|byte| byte.is_ascii_digit()))
            .then(|| text.parse().ok().map(Self))?
    }
}

impl fmt::Display for Naics {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{:06}", self.0)
    }
}

impl fmt::Debug for Naics {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, out)
    }
}

/// What one unit of money causes: all gases as CO2e, and CO2 alone. Kilograms, or grams where it
/// says so.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Intensity {
    /// All gases, as CO2 of the same effect over 100 years.
    pub co2e: Decimal,
    /// CO2 alone; never more than `co2e`.
    pub co2: Decimal,
}

impl Intensity {
    /// Both, so many times; `None` if they do not fit.
    pub(in super::super) fn times(self, factor: Decimal) -> Option<Self> {
        Some(Self {
            co2e: self.co2e.checked_mul(factor)?.normalize(),
            co2: self.co2.checked_mul(factor)?.normalize(),
        })
    }

    /// Both added.
    pub(in super::super) fn plus(self, other: Self) -> Option<Self> {
        Some(Self {
            co2e: self.co2e.checked_add(other.co2e)?.normalize(),
            co2: self.co2.checked_add(other.co2)?.normalize(),
        })
    }
}

/// An industry as the United States' factors have it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Industry {
    /// English title.
    pub title: String,
    /// kg per US dollar of 2022 at purchasers' prices, before any multiplier.
    pub per_usd: Intensity,
    /// Corrects `per_usd` (imports, effects of flight other than CO2), with its arithmetic.
    pub multiplier: Option<(Decimal, String)>,
}

impl Industry {
    /// kg per US dollar of 2022, the multiplier included.
    pub(super) fn adjusted(&self) -> Option<Intensity> {
        let multiplier = self.multiplier.as_ref();
        self.per_usd
            .times(multiplier.map_or(Decimal::ONE, |(multiplier, _)| *multiplier))
    }
}

fn factor(text: &str) -> Option<Decimal> {
    within(text, Decimal::ZERO, Decimal::ONE_THOUSAND).filter(|number| number.scale() <= 6)
}

/// Two columns that begin at `column`: CO2e, then CO2.
fn intensity(row: &mut Row<'_, '_>, column: usize) -> Option<Intensity> {
    let co2e = row.get(column, FACTOR, factor);
    let co2 = row.get(column + 1, FACTOR, factor);
    let (co2e, co2) = (co2e?, co2?);
    if co2 > co2e {
        row.fault(column + 1, "must not be above the factor of all gases");
    }
    Some(Intensity { co2e, co2 })
}

fn naics(row: &mut Row<'_, '_>, column: usize) -> Option<Naics> {
    row.get(column, "must be a NAICS code of 6 digits", Naics::parse)
}

pub(super) fn industries(text: &str) -> Result<HashMap<Naics, Industry>, Faults> {
    let mut seen = HashSet::new();
    let table = Table::read("emission_factors.csv", text, EMISSION_FACTORS)?.filled()?;
    let rows = table.each(|row| {
        let naics = naics(row, 0);
        let title = row.text(1).to_owned();
        row.get(2, FACTOR, factor);
        let per_usd = intensity(row, 3);
        let naics = naics?;
        if !seen.insert(naics) {
            row.fault(0, "comes twice");
        }
        let industry = Industry {
            title,
            per_usd: per_usd?,
            multiplier: None,
        };
        Some((naics, industry))
    })?;
    Ok(rows.into_iter().collect())
}

/// Puts the multipliers on the industries.
pub(super) fn adjust(industries: &mut HashMap<Naics, Industry>, text: &str) -> Result<(), Faults> {
    let rule = "must be a number from 0.01 to 100 with at most 4 decimal places";
    let multiplier = |text: &str| {
        within(text, Decimal::new(1, 2), Decimal::ONE_HUNDRED).filter(|number| number.scale() <= 4)
    };
    Table::read("adjustments.csv", text, ADJUSTMENTS)?.each(|row| {
        let naics = naics(row, 0);
        let value = row.get(1, rule, multiplier);
        row.get(2, rule, multiplier);
        row.get(3, rule, multiplier);
        let reason = row.get(4, "must say why", |text| (!text.is_empty()).then_some(text));
        let (naics, value, reason) = (naics?, value?, reason?);
        match industries.get_mut(&naics) {
            None => row.fault(0, "is not in emission_factors.csv"),
            Some(industry) if industry.multiplier.is_some() => row.fault(0, "comes twice"),
            Some(industry) => industry.multiplier = Some((value, reason.to_owned())),
        }
        Some(())
    })?;
    Ok(())
}

pub(super) fn regional(text: &str) -> Result<HashMap<(Country, Naics), Intensity>, Faults> {
    let mut seen = HashSet::new();
    let rows = Table::read("regional_factors.csv", text, REGIONAL)?.each(|row| {
        let rule = "must be an ISO 3166 alpha-3 code";
        let country = row.get(0, rule, Country::from_alpha3);
        let naics = naics(row, 1);
        let intensity = intensity(row, 2);
        let key = (country?, naics?);
        if !seen.insert(key) {
            row.fault(1, "comes twice for this country");
        }
        Some((key, intensity?))
    })?;
    Ok(rows.into_iter().collect())
}

pub(super) fn carriers(text: &str) -> Result<[Option<CarrierFactor>; 4], Faults> {
    let mut carriers = [None, None, None, None];
    Table::read("carriers.csv", text, CARRIERS)?.each(|row| {
        let rule = "must be petrol, diesel, natural_gas or electricity";
        let carrier = row.get(0, rule, Carrier::parse)?;
        let unit = format!("must be {} for {carrier}", carrier.unit());
        row.get(1, &unit, |text| (text == carrier.unit()).then_some(()));
        let kg_use = if carrier == Carrier::Electricity {
            let rule = "must be grid for electricity";
            row.get(2, rule, |text| (text == "grid").then_some(None))
        } else {
            row.get(2, FACTOR, |text| factor(text).map(Some))
        };
        let kg_upstream = row.get(3, FACTOR, factor);
        let found = CarrierFactor {
            kg_use: kg_use?,
            kg_upstream: kg_upstream?,
            note: row.text(4).to_owned(),
        };
        let slot = carriers.get_mut(carrier.index())?;
        if slot.replace(found).is_some() {
            row.fault(0, "comes twice");
        }
        Some(())
    })?;
    Ok(carriers)
}
