//! Exchange rates: units of a currency for one euro.

use super::super::Currency;
use super::super::number::{date, within};
use super::super::table::{Faults, Records, Table};
use super::{latest, merge};
use chrono::NaiveDate;
use rust_decimal::Decimal;
use std::collections::HashSet;

/// The long format.
pub(super) const COLUMNS: &[&str] = &["date", "currency", "per_eur"];

/// How the European Central Bank's wide format begins.
pub(super) const WIDE: &str = "Date,";

/// Currencies that the euro or a new currency replaced before 2023: columns of the wide format that
/// are left out.
const GONE: [&str; 11] = [
    "CYP", "EEK", "HRK", "LTL", "LVL", "MTL", "ROL", "SIT", "SKK", "TRL", "RUR",
];

const RULE: &str = "must be a number from 0.0001 to 100000000 with at most 10 decimal places";
const DATE: &str = "must be a day such as 2026-01-31, from 1990 to 2100";

/// One currency on one day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RateRow {
    /// The day that the rate is of.
    pub date: NaiveDate,
    /// Never EUR: its rate is 1.
    pub currency: Currency,
    /// Units of the currency for 1 EUR.
    pub per_eur: Decimal,
}

fn rate(text: &str) -> Option<Decimal> {
    within(text, Decimal::new(1, 4), Decimal::from(100_000_000))
}

pub(super) fn parse(file: &str, text: &str) -> Result<Vec<RateRow>, Faults> {
    let start = text.strip_prefix('\u{feff}').unwrap_or(text);
    if start.starts_with(WIDE) {
        return parse_wide(file, text);
    }
    let mut seen = HashSet::new();
    Table::read(file, text, COLUMNS)?.filled()?.each(|row| {
        let date = row.get(0, DATE, date);
        let currency = row.get(
            1,
            "must be an ISO 4217 code such as SEK",
            Currency::from_alpha,
        );
        let per_eur = row.get(2, RULE, rate);
        let (date, currency, per_eur) = (date?, currency?, per_eur?);
        if currency == Currency::eur() {
            row.fault(1, "must not be EUR: its rate is always 1");
        }
        if !seen.insert((date, currency)) {
            row.fault(1, "comes twice for this date");
        }
        Some(RateRow {
            date,
            currency,
            per_eur,
        })
    })
}

/// `Date,USD,JPY,…,` with one row for a day, newest first, `N/A` for none, and a comma at the
/// line's end.
fn parse_wide(file: &str, text: &str) -> Result<Vec<RateRow>, Faults> {
    let mut faults = Faults::default();
    let mut records = Records::new(text);
    let Some(Ok((_, header))) = records.next() else {
        return Err(Faults::of_file(file, "has no readable header"));
    };
    let mut currencies = Vec::new();
    for name in header.iter().skip(1) {
        let currency = Currency::from_alpha(name);
        if currency.is_none() && !name.is_empty() && !GONE.contains(&name.as_ref()) {
            faults.add(file, 1, name, "must be an ISO 4217 code such as SEK");
        }
        currencies.push((name, currency));
    }
    let mut seen = HashSet::new();
    let mut rows = Vec::new();
    for record in records {
        let (line, fields) = match record {
            Ok(record) => record,
            Err((line, rule)) => {
                faults.add(file, line, "", rule);
                break;
            }
        };
        if fields.len() != header.len() {
            let rule = format!("must have {} fields, has {}", header.len(), fields.len());
            faults.add(file, line, "", rule);
            continue;
        }
        let Some(date) = fields.first().and_then(|text| date(text)) else {
            faults.add(file, line, "Date", DATE);
            continue;
        };
        if !seen.insert(date) {
            faults.add(file, line, "Date", "comes twice");
        }
        for ((name, currency), text) in currencies.iter().zip(fields.iter().skip(1)) {
            let Some(currency) = *currency else { continue };
            match rate(text) {
                Some(per_eur) => rows.push(RateRow {
                    date,
                    currency,
                    per_eur,
                }),
                None if text == "N/A" || text.is_empty() => {}
                None => faults.add(file, line, name, RULE),
            }
        }
    }
    if rows.is_empty() {
        faults.add(file, 0, "", "has no rates");
    }
    faults.or(rows)
}

/// By currency, then by day.
#[derive(Debug, Clone, Default)]
pub(in super::super) struct Rates(Vec<Vec<(NaiveDate, Decimal)>>);

impl Rates {
    pub(super) fn append(&mut self, rows: Vec<RateRow>) {
        let mut new: Vec<Vec<(NaiveDate, Decimal)>> = Vec::new();
        for row in rows {
            let index = row.currency.index();
            if new.len() <= index {
                new.resize(index + 1, Vec::new());
            }
            if let Some(series) = new.get_mut(index) {
                series.push((row.date, row.per_eur));
            }
        }
        if self.0.len() < new.len() {
            self.0.resize(new.len(), Vec::new());
        }
        for (series, new) in self.0.iter_mut().zip(new) {
            merge(series, new, |(date, _)| *date);
        }
    }

    pub(super) fn at(&self, currency: Currency, date: NaiveDate) -> Option<RateRow> {
        let series = self.0.get(currency.index())?;
        latest(series, date, |(date, _)| *date).map(|(date, per_eur)| RateRow {
            date: *date,
            currency,
            per_eur: *per_eur,
        })
    }

    pub(super) fn has(&self, currency: Currency) -> bool {
        let series = self.0.get(currency.index());
        series.is_some_and(|series| !series.is_empty())
    }

    pub(super) fn rows(&self) -> impl Iterator<Item = RateRow> {
        Currency::all().zip(&self.0).flat_map(|(currency, series)| {
            series.iter().map(move |(date, per_eur)| RateRow {
                date: *date,
                currency,
                per_eur: *per_eur,
            })
        })
    }
}
