//! A factor set: everything that decides a score, apart from dated data.
//!
//! One is compiled in (`ig-2026.1`); operators may bring sets of their own in the same file
//! formats. Sets live side by side, and every score names its own.

mod category;
mod factors;
mod id;
mod parse;
#[cfg(test)]
mod tests;

pub use category::{Area, Category, Confidence, Mcc, Method};
pub use factors::{Industry, Intensity, Naics};
pub use id::{SetId, SetIdError};

use super::table::Faults;
use super::{Carrier, Country};
use category::NO_CATEGORY;
use rust_decimal::Decimal;
use std::collections::HashMap;

/// Version of the rules that turn a set into grams: those of [`super::score`].
pub const RULES: u32 = 1;

/// The texts of a set's files.
#[derive(Debug, Clone, Copy)]
pub struct SetFiles<'f> {
    /// `naics,title,kg_co2e_per_usd_no_margin,kg_co2e_per_usd,kg_co2_per_usd,useeio`
    pub emission_factors: &'f str,
    /// `naics,multiplier,lower,upper,reason`; may have no rows.
    pub adjustments: &'f str,
    /// `country,naics,kg_co2e_per_eur,kg_co2_per_eur`; may have no rows.
    pub regional_factors: &'f str,
    /// `mcc_from,mcc_to,description,area,method,basket,confidence,reason`
    pub mcc: &'f str,
    /// `area,code,main_category,sub_category`
    pub areas: &'f str,
    /// `carrier,unit,kg_co2e_use,kg_co2e_upstream,note`
    pub carriers: &'f str,
}

/// Which table of factors a purchase is scored with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Basis {
    /// US dollars of 2022: every country without a table of its own.
    Usd2022,
    /// Euros of 2023, prices of this country.
    Eur2023(Country),
}

impl Basis {
    /// `USD2022`, or the country's alpha-3 code: what a stored score keeps.
    pub fn code(self) -> &'static str {
        match self {
            Self::Usd2022 => "USD2022",
            Self::Eur2023(country) => country.code(),
        }
    }

    /// From [`Basis::code`].
    pub fn parse(code: &str) -> Option<Self> {
        match code {
            "USD2022" => Some(Self::Usd2022),
            code => Country::from_alpha3(code).map(Self::Eur2023),
        }
    }

    /// `USD` or `EUR`.
    pub fn currency_code(self) -> &'static str {
        match self {
            Self::Usd2022 => "USD",
            Self::Eur2023(_) => "EUR",
        }
    }

    /// The year of the prices that factors are for.
    pub fn price_year(self) -> i32 {
        match self {
            Self::Usd2022 => 2022,
            Self::Eur2023(_) => 2023,
        }
    }
}

/// What burning or using one unit of a carrier emits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CarrierFactor {
    /// kg CO2e per unit when it is used; `None` for electricity, whose grid is dated data.
    pub kg_use: Option<Decimal>,
    /// kg CO2e per unit before it is used.
    pub kg_upstream: Decimal,
    /// Where both come from.
    pub note: String,
}

/// An immutable, validated set.
#[derive(Debug)]
pub struct FactorSet {
    id: SetId,
    industries: HashMap<Naics, Industry>,
    /// Countries with a table of their own; a table's number is its place here plus 1, 0 is
    /// `USD2022`.
    tables: Vec<Country>,
    regional: HashMap<(Country, Naics), Intensity>,
    areas: Vec<Area>,
    categories: Vec<Category>,
    /// By merchant category code: the place in `categories`.
    by_mcc: Vec<u16>,
    carriers: [Option<CarrierFactor>; 4],
    /// Grams per unit of currency of a category's industries together: by category, then by table.
    baskets: Vec<Intensity>,
}

/// How much a set holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Counts {
    /// Industries with a factor.
    pub industries: usize,
    /// Industries whose factor is multiplied.
    pub adjusted: usize,
    /// Countries with a table of their own.
    pub tables: usize,
    /// Factors in those tables.
    pub regional: usize,
    /// Merchant category codes.
    pub codes: usize,
    /// Of them, how many are not scored.
    pub not_scored: usize,
    /// Spending areas.
    pub areas: usize,
}

impl FactorSet {
    /// A set of an operator's own.
    ///
    /// # Errors
    ///
    /// Everything that breaks a rule of a file, or that one file says of another (a basket's key
    /// without a factor, an unknown area, weights that do not add up to 1, codes that overlap).
    pub fn parse(id: SetId, files: &SetFiles<'_>) -> Result<Self, Faults> {
        parse::parse(id, files)
    }

    /// The compiled-in one, whose id begins with `ig-`.
    pub(super) fn parse_builtin(id: &'static str, files: &SetFiles<'_>) -> Result<Self, Faults> {
        parse::parse(SetId::builtin(id), files)
    }

    /// What scores name it by.
    pub fn id(&self) -> &SetId {
        &self.id
    }

    /// The category that a code belongs to; `None` is `INVALID_MCC`.
    pub fn category(&self, mcc: Mcc) -> Option<&Category> {
        self.categories.get(self.category_index(mcc)?)
    }

    pub(super) fn category_index(&self, mcc: Mcc) -> Option<usize> {
        let index = *self.by_mcc.get(usize::from(mcc.number()))?;
        (index != NO_CATEGORY).then_some(usize::from(index))
    }

    pub(super) fn category_at(&self, index: usize) -> Option<&Category> {
        self.categories.get(index)
    }

    /// All of them, by code.
    pub fn categories(&self) -> &[Category] {
        &self.categories
    }

    /// All of them, by code.
    pub fn areas(&self) -> &[Area] {
        &self.areas
    }

    /// The area of a category.
    pub fn area(&self, category: &Category) -> Option<&Area> {
        self.areas.get(category.area)
    }

    /// The area with this three-digit code.
    pub fn area_by_code(&self, code: u16) -> Option<&Area> {
        self.areas.iter().find(|area| area.code == code)
    }

    /// Which table a merchant's country is scored with.
    pub fn basis(&self, country: Country) -> Basis {
        if self.tables.contains(&country) {
            Basis::Eur2023(country)
        } else {
            Basis::Usd2022
        }
    }

    /// Countries with a table of their own.
    pub fn tables(&self) -> &[Country] {
        &self.tables
    }

    /// 0 for `USD2022`, else the country's place among the tables plus 1.
    pub(super) fn table_number(&self, country: Country) -> usize {
        let place = self.tables.iter().position(|table| *table == country);
        place.map_or(0, |place| place + 1)
    }

    /// Grams per unit of the table's currency of a category's industries, by the weights of its
    /// basket.
    pub(super) fn basket(&self, category: usize, table: usize) -> Option<&Intensity> {
        self.baskets.get(category * (self.tables.len() + 1) + table)
    }

    /// kg per unit of the table's currency of a code's industries, by the weights of its basket;
    /// energy carriers are not in it. `None` for an unknown code.
    pub fn basket_factor(&self, mcc: Mcc, country: Country) -> Option<Intensity> {
        let category = self.category_index(mcc)?;
        let grams = self.basket(category, self.table_number(country))?;
        grams.times(Decimal::new(1, 3))
    }

    /// Title, factor and multiplier of an industry.
    pub fn industry(&self, naics: Naics) -> Option<&Industry> {
        self.industries.get(&naics)
    }

    /// kg per unit of the table's currency, the multiplier included.
    pub fn factor(&self, basis: Basis, naics: Naics) -> Option<Intensity> {
        match basis {
            Basis::Usd2022 => self.industries.get(&naics)?.adjusted(),
            Basis::Eur2023(country) => self.regional.get(&(country, naics)).copied(),
        }
    }

    /// Factors of a carrier.
    pub fn carrier(&self, carrier: Carrier) -> Option<&CarrierFactor> {
        self.carriers.get(carrier.index())?.as_ref()
    }

    /// How much it holds.
    pub fn counts(&self) -> Counts {
        let adjusted = self.industries.values();
        let not_scored = self.categories.iter();
        Counts {
            industries: self.industries.len(),
            adjusted: adjusted
                .filter(|industry| industry.multiplier.is_some())
                .count(),
            tables: self.tables.len(),
            regional: self.regional.len(),
            codes: self.categories.iter().map(Category::codes).sum(),
            not_scored: not_scored
                .filter(|category| category.method == Method::NotScored)
                .map(Category::codes)
                .sum(),
            areas: self.areas.len(),
        }
    }
}
