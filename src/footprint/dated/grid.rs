//! Grams of CO2e for a kilowatt-hour of electricity, over its life cycle.

use super::super::Country;
use super::super::number::{within, year};
use super::super::table::{Faults, Table};
use super::{Place, latest, merge};
use rust_decimal::Decimal;
use std::collections::HashSet;

pub(super) const COLUMNS: &[&str] = &["country", "year", "g_co2e_per_kwh"];

/// A country's grid in a year.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct GridRow {
    /// A country, the European Union or the world.
    pub place: Place,
    /// The year.
    pub year: i32,
    /// Grams of CO2e for 1 kWh.
    pub g_co2e_per_kwh: Decimal,
}

pub(super) fn parse(file: &str, text: &str) -> Result<Vec<GridRow>, Faults> {
    let mut seen = HashSet::new();
    Table::read(file, text, COLUMNS)?.filled()?.each(|row| {
        let rule = "must be an ISO 3166 alpha-3 code, XKX, EU27 or WRL";
        let place = row.get(0, rule, Place::parse);
        let year = row.get(1, "must be a year from 1990 to 2100", year);
        let rule = "must be a number from 0 to 5000 with at most 10 decimal places";
        let grams = row.get(2, rule, |text| {
            within(text, Decimal::ZERO, Decimal::from(5_000))
        });
        let (place, year) = (place?, year?);
        if !seen.insert((place, year)) {
            row.fault(1, "comes twice for this country");
        }
        Some(GridRow {
            place,
            year,
            g_co2e_per_kwh: grams?,
        })
    })
}

/// By place and year.
#[derive(Debug, Clone, Default)]
pub(in super::super) struct Grid(Vec<GridRow>);

impl Grid {
    pub(super) fn append(&mut self, rows: Vec<GridRow>) {
        merge(&mut self.0, rows, |row| (row.place, row.year));
    }

    /// The country's rows, else the world's.
    pub(in super::super) fn of(&self, country: Country) -> &[GridRow] {
        let own = self.slice(Place::Country(country));
        if own.is_empty() {
            self.slice(Place::World)
        } else {
            own
        }
    }

    fn slice(&self, place: Place) -> &[GridRow] {
        let start = self.0.partition_point(|row| row.place < place);
        let end = self.0.partition_point(|row| row.place <= place);
        self.0.get(start..end).unwrap_or_default()
    }

    /// Of the year, else of the latest earlier one, else of the first.
    pub(in super::super) fn at(&self, country: Country, year: i32) -> Option<&GridRow> {
        latest(self.of(country), year, |row| row.year)
    }

    pub(super) fn rows(&self) -> impl Iterator<Item = GridRow> {
        self.0.iter().copied()
    }
}
