//! A country's CO2 per head, for comparison with a cardholder's month.
//!
//! Territorial: industry, government and power included. A card's purchases are a share of it, and
//! a comparison is no verdict.

use super::dated::Place;
use super::number::{within, year};
use super::table::{Faults, Table};
use super::{Country, Grams, builtin};
use rust_decimal::Decimal;
use std::collections::BTreeMap;

const COLUMNS: &[&str] = &["country", "name", "year", "t_co2_per_capita"];

/// The year whose half is the "UN goal".
const GOAL_BASE: i32 = 2019;

/// One value, with the place and year that it is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Benchmark {
    /// The country, or the world where the country has no value.
    pub place: Place,
    /// The year it was measured in.
    pub year: i32,
    /// Tonnes of CO2 per head and year.
    pub tonnes_a_year: Decimal,
}

impl Benchmark {
    /// A twelfth, in grams.
    pub fn grams_a_month(&self) -> Option<Grams> {
        let grams = self.tonnes_a_year.checked_mul(Decimal::from(1_000_000))?;
        Grams::round(grams.checked_div(Decimal::from(12))?)
    }
}

/// Territorial CO2 per head by country and year.
#[derive(Debug, Clone)]
pub struct Benchmarks(BTreeMap<(Place, i32), Decimal>);

impl Benchmarks {
    /// The compiled-in ones.
    ///
    /// # Errors
    ///
    /// A compiled-in file with a wrong checksum, or one that breaks a rule.
    pub fn builtin() -> Result<Self, Faults> {
        builtin::verify()?;
        Self::parse("benchmarks.csv", builtin::BENCHMARKS)
    }

    /// From `country,name,year,t_co2_per_capita`; `file` is the name that faults carry.
    ///
    /// # Errors
    ///
    /// Everything that breaks a rule, by line and column.
    pub fn parse(file: &str, text: &str) -> Result<Self, Faults> {
        let mut values = BTreeMap::new();
        Table::read(file, text, COLUMNS)?.filled()?.each(|row| {
            let rule = "must be an ISO 3166 alpha-3 code, XKX, EU27 or WRL";
            let place = row.get(0, rule, Place::parse);
            let year = row.get(2, "must be a year from 1990 to 2100", year);
            let tonnes = row.get(3, "must be a number from 0 to 1000", |text| {
                within(text, Decimal::ZERO, Decimal::ONE_THOUSAND)
            });
            if values.insert((place?, year?), tonnes?).is_some() {
                row.fault(2, "comes twice for this country");
            }
            Some(())
        })?;
        Ok(Self(values))
    }

    /// The latest year of the country, else of the world.
    pub fn latest(&self, country: Country) -> Option<Benchmark> {
        self.find(country, |place| {
            self.0
                .range((place, i32::MIN)..=(place, i32::MAX))
                .next_back()
        })
    }

    /// The "UN goal": half of the value of 2019, of the country, else of the world.
    pub fn goal(&self, country: Country) -> Option<Benchmark> {
        let base = self.find(country, |place| self.0.get_key_value(&(place, GOAL_BASE)))?;
        Some(Benchmark {
            tonnes_a_year: base.tonnes_a_year.checked_div(Decimal::TWO)?,
            ..base
        })
    }

    fn find<'b>(
        &'b self,
        country: Country,
        find: impl Fn(Place) -> Option<(&'b (Place, i32), &'b Decimal)>,
    ) -> Option<Benchmark> {
        let found = find(Place::Country(country)).or_else(|| find(Place::World));
        found.map(|((place, year), tonnes)| Benchmark {
            place: *place,
            year: *year,
            tonnes_a_year: *tonnes,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn country(code: &str) -> Country {
        Country::from_alpha3(code).unwrap()
    }

    #[test]
    fn latest_year_and_half_of_2019() {
        let benchmarks = Benchmarks::builtin().unwrap();
        for (code, goal) in [("SWE", "1.98325"), ("USA", "7.75025"), ("POL", "4.1522")] {
            let found = benchmarks.goal(country(code)).unwrap();
            assert_eq!(found.tonnes_a_year, goal.parse().unwrap(), "{code}");
            assert_eq!((found.place.code(), found.year), (code, 2019));
            assert_eq!(benchmarks.latest(country(code)).unwrap().year, 2024);
        }
    }

    #[test]
    fn a_country_without_a_value_takes_the_world() {
        let benchmarks = Benchmarks::parse(
            "b.csv",
            "country,name,year,t_co2_per_capita\nWRL,World,2019,4.8\nWRL,World,2023,4.7\nSWE,Sweden,2023,3.6\n",
        );
        let benchmarks = benchmarks.unwrap();
        let found = benchmarks.latest(country("USA")).unwrap();
        assert_eq!((found.place, found.year), (Place::World, 2023));
        assert_eq!(found.grams_a_month().unwrap().to_string(), "391666.67");
        assert_eq!(
            benchmarks.goal(country("SWE")).unwrap().tonnes_a_year,
            "2.4".parse().unwrap()
        );
    }

    #[test]
    fn every_row_must_be_right() {
        let faults = Benchmarks::parse(
            "b.csv",
            "country,name,year,t_co2_per_capita\nZZZ,Nowhere,19,x\nSWE,Sweden,2019,1\nSWE,Sweden,2019,1\n",
        );
        let lines = faults.unwrap_err().to_string();
        assert_eq!(lines.lines().count(), 4, "{lines}");
        assert!(lines.contains("b.csv, line 4, column year: comes twice for this country"));
    }
}
