//! Rows of a file that say something new, and rows as the text of a file.

use super::{CpiRow, DatedData, GridRow, PriceRow, RateRow, Rows, cpi, grid, prices, rates};
use std::fmt::Write;

impl DatedData {
    /// The rows that are not there, or say something else than what is there.
    pub fn changes(&self, rows: Rows) -> Rows {
        match rows {
            Rows::Rates(mut rows) => {
                rows.retain(|row| self.rate(row.currency, row.date).as_ref() != Some(row));
                Rows::Rates(rows)
            }
            Rows::Cpi(mut rows) => {
                rows.retain(|row| self.cpi(row.month) != Some(row));
                Rows::Cpi(rows)
            }
            Rows::Prices(mut rows) => {
                let known: std::collections::HashSet<_> = self.prices().collect();
                rows.retain(|row| !known.contains(row));
                Rows::Prices(rows)
            }
            Rows::Grid(mut rows) => {
                let known: std::collections::HashSet<_> = self.grids().collect();
                rows.retain(|row| !known.contains(row));
                Rows::Grid(rows)
            }
        }
    }
}

impl Rows {
    /// A file of these rows, which [`Rows::parse`] reads.
    pub fn to_csv(&self) -> String {
        let mut text = match self {
            Self::Rates(_) => rates::COLUMNS,
            Self::Cpi(_) => cpi::COLUMNS,
            Self::Prices(_) => prices::COLUMNS,
            Self::Grid(_) => grid::COLUMNS,
        }
        .join(",");
        text.push('\n');
        // Writing to a text cannot fail.
        match self {
            Self::Rates(rows) => rows.iter().for_each(|row| rate(&mut text, row)),
            Self::Cpi(rows) => rows.iter().for_each(|row| month(&mut text, row)),
            Self::Prices(rows) => rows.iter().for_each(|row| price(&mut text, row)),
            Self::Grid(rows) => rows.iter().for_each(|row| year(&mut text, row)),
        }
        text
    }
}

fn rate(text: &mut String, row: &RateRow) {
    let _ = writeln!(text, "{},{},{}", row.date, row.currency, row.per_eur);
}

fn month(text: &mut String, row: &CpiRow) {
    let status = if row.interpolated {
        "interpolated"
    } else {
        "published"
    };
    let (usd, eur) = (row.to_usd2022, row.to_eur2023);
    let _ = writeln!(text, "{},{},{usd},{eur},{status}", row.month, row.cpi_u);
}

fn price(text: &mut String, row: &PriceRow) {
    let (place, carrier, from) = (row.place, row.carrier, row.from_date);
    let (price, currency) = (row.price, row.currency);
    let source = row.source.replace('"', "\"\"");
    let _ = writeln!(
        text,
        "{place},{carrier},{from},{price},{currency},\"{source}\""
    );
}

fn year(text: &mut String, row: &GridRow) {
    let _ = writeln!(text, "{},{},{}", row.place, row.year, row.g_co2e_per_kwh);
}

#[cfg(test)]
mod tests {
    use super::super::super::builtin;
    use super::super::{Kind, Rows};

    /// Every compiled-in file comes back from its text, and says nothing new.
    #[test]
    fn rows_come_back_from_their_text() {
        let data = builtin::dated().unwrap();
        for (kind, text) in [
            (Kind::Rates, builtin::FX_RATES),
            (Kind::Cpi, builtin::DEFLATOR),
            (Kind::Prices, builtin::ENERGY_PRICES),
            (Kind::Grid, builtin::GRID_INTENSITY),
        ] {
            let rows = Rows::parse(kind, "f.csv", text).unwrap();
            assert_eq!(Rows::parse(kind, "f.csv", &rows.to_csv()).unwrap(), rows);
            assert!(data.changes(rows).is_empty(), "{kind}");
        }
    }

    #[test]
    fn other_values_and_further_rows_are_changes() {
        let data = builtin::dated().unwrap();
        for (kind, text, changed) in [
            (
                Kind::Rates,
                "date,currency,per_eur\n2024-04-02,AUD,1.6522\n2024-04-02,BRL,5.5\n2024-04-06,AUD,1.6522\n",
                "2024-04-02,BRL,5.5\n2024-04-06,AUD,1.6522\n",
            ),
            (
                Kind::Prices,
                "country,carrier,from_date,price,currency,source\nSWE,petrol,2026-11-01,1.7,EUR,\"a \"\"b\"\", c\"\n",
                "SWE,petrol,2026-11-01,1.7,EUR,\"a \"\"b\"\", c\"\n",
            ),
            (
                Kind::Grid,
                "country,year,g_co2e_per_kwh\nSWE,2030,10\n",
                "SWE,2030,10\n",
            ),
        ] {
            let rows = Rows::parse(kind, "f.csv", text).unwrap();
            let csv = data.changes(rows).to_csv();
            assert_eq!(csv.split_once('\n').unwrap().1, changed);
        }
    }
}
