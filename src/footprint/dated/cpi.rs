//! Consumer prices: they convert an amount of a month into one of the factors' price year.

use super::super::Month;
use super::super::number::within;
use super::super::table::{Faults, Table};
use super::{latest, merge};
use rust_decimal::Decimal;
use rust_decimal::RoundingStrategy::MidpointNearestEven;
use std::collections::HashSet;

pub(super) const COLUMNS: &[&str] = &["month", "cpi_u", "to_usd2022", "to_eur2023", "status"];

/// Mean of the US consumer price index (CPI-U, 1982-84 = 100) over the months of 2022.
const MEAN_OF_2022: Decimal = Decimal::from_parts(292_654_917, 0, 0, false, 6);

/// Consumer prices of one month.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CpiRow {
    /// The month.
    pub month: Month,
    /// US CPI-U, all items, not seasonally adjusted, 1982-84 = 100.
    pub cpi_u: Decimal,
    /// Dollars of 2022 for one dollar of the month.
    pub to_usd2022: Decimal,
    /// Euros of 2023 for one euro of the month.
    pub to_eur2023: Decimal,
    /// The index of the month was never published: it lies between its neighbours.
    pub interpolated: bool,
}

pub(super) fn parse(file: &str, text: &str) -> Result<Vec<CpiRow>, Faults> {
    let mut seen = HashSet::new();
    Table::read(file, text, COLUMNS)?.filled()?.each(|row| {
        let month = row.get(0, "must be a month such as 2026-01", Month::parse);
        let cpi_u = row.get(1, "must be a number from 1 to 100000", |text| {
            within(text, Decimal::ONE, Decimal::from(100_000))
        });
        let rule = "must be a number from 0.0001 to 1000 with at most 6 decimal places";
        let factor = |text| {
            within(text, Decimal::new(1, 4), Decimal::ONE_THOUSAND)
                .filter(|number| number.scale() <= 6)
        };
        let to_usd2022 = row.get(2, rule, factor);
        let to_eur2023 = row.get(3, rule, factor);
        let interpolated = row.get(4, "must be published or interpolated", |text| match text {
            "published" => Some(false),
            "interpolated" => Some(true),
            _ => None,
        });
        let month = month?;
        if !seen.insert(month) {
            row.fault(0, "comes twice");
        }
        let (cpi_u, to_usd2022) = (cpi_u?, to_usd2022?);
        let exact = MEAN_OF_2022
            .checked_div(cpi_u)?
            .round_dp_with_strategy(6, MidpointNearestEven);
        if exact != to_usd2022 {
            row.fault(2, format!("must be 292.654917 / cpi_u, here {exact}"));
        }
        Some(CpiRow {
            month,
            cpi_u,
            to_usd2022,
            to_eur2023: to_eur2023?,
            interpolated: interpolated?,
        })
    })
}

/// By month.
#[derive(Debug, Clone, Default)]
pub(in super::super) struct Cpi(Vec<CpiRow>);

impl Cpi {
    pub(super) fn append(&mut self, rows: Vec<CpiRow>) {
        merge(&mut self.0, rows, |row| row.month);
    }

    pub(super) fn at(&self, month: Month) -> Option<&CpiRow> {
        latest(&self.0, month, |row| row.month)
    }

    pub(super) fn rows(&self) -> impl Iterator<Item = &CpiRow> {
        self.0.iter()
    }
}
