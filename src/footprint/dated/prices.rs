//! Household prices of a litre or a kilowatt-hour.

use super::super::number::{date, within};
use super::super::table::{Faults, Table};
use super::super::{Carrier, Country, Currency};
use super::{Place, latest, merge};
use chrono::NaiveDate;
use rust_decimal::Decimal;
use std::collections::HashSet;

pub(super) const COLUMNS: &[&str] = &[
    "country",
    "carrier",
    "from_date",
    "price",
    "currency",
    "source",
];

/// A price that holds from a day on, until the next one.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct PriceRow {
    /// A country, or the European Union for members without a price of their own.
    pub place: Place,
    /// What is bought.
    pub carrier: Carrier,
    /// The first day.
    pub from_date: NaiveDate,
    /// For one litre or kilowatt-hour, with all taxes, nominal.
    pub price: Decimal,
    /// The price's currency.
    pub currency: Currency,
    /// Who published it.
    pub source: String,
}

pub(super) fn parse(file: &str, text: &str) -> Result<Vec<PriceRow>, Faults> {
    let mut seen = HashSet::new();
    Table::read(file, text, COLUMNS)?.filled()?.each(|row| {
        let place = row.get(0, "must be an ISO 3166 alpha-3 code, XKX or EU27", |text| {
            Place::parse(text).filter(|place| *place != Place::World)
        });
        let rule = "must be petrol, diesel, natural_gas or electricity";
        let carrier = row.get(1, rule, Carrier::parse);
        let rule = "must be a day such as 2026-01-31, from 1990 to 2100";
        let from_date = row.get(2, rule, date);
        let rule = "must be a number from 0.0001 to 10000000 with at most 10 decimal places";
        let price = row.get(3, rule, |text| {
            within(text, Decimal::new(1, 4), Decimal::from(10_000_000))
        });
        let currency = row.get(
            4,
            "must be an ISO 4217 code such as EUR",
            Currency::from_alpha,
        );
        let source = row.get(5, "must name the source, in 1 to 200 characters", |text| {
            (1..=200).contains(&text.chars().count()).then_some(text)
        });
        let (place, carrier, from_date) = (place?, carrier?, from_date?);
        if !seen.insert((place, carrier, from_date)) {
            row.fault(2, "comes twice for this country and carrier");
        }
        Some(PriceRow {
            place,
            carrier,
            from_date,
            price: price?,
            currency: currency?,
            source: source?.to_owned(),
        })
    })
}

/// The prices of one carrier at one place, by day.
#[derive(Debug, Clone)]
struct Series {
    place: Place,
    carrier: Carrier,
    rows: Vec<PriceRow>,
}

/// By place and carrier.
#[derive(Debug, Clone, Default)]
pub(in super::super) struct Prices(Vec<Series>);

/// Where to find the prices of a carrier in a country.
#[derive(Debug, Clone, Copy)]
pub(in super::super) struct SeriesHandle(usize);

impl Prices {
    pub(super) fn append(&mut self, rows: Vec<PriceRow>) {
        for row in rows {
            let at = (row.place, row.carrier);
            let found = self
                .0
                .iter_mut()
                .find(|series| (series.place, series.carrier) == at);
            match found {
                Some(series) => merge(&mut series.rows, [row], |row| row.from_date),
                None => self.0.push(Series {
                    place: row.place,
                    carrier: row.carrier,
                    rows: vec![row],
                }),
            }
        }
        self.0.sort_by_key(|series| (series.place, series.carrier));
    }

    fn find(&self, place: Place, carrier: Carrier) -> Option<SeriesHandle> {
        let at = (place, carrier);
        let found = self
            .0
            .binary_search_by_key(&at, |series| (series.place, series.carrier));
        found.ok().map(SeriesHandle)
    }

    /// The country's own, else those of the EU27 if it is a member, else those of the USA. Natural
    /// gas is never priced by the USA's elsewhere: without a price of its own it counts as
    /// electricity.
    pub(in super::super) fn series(
        &self,
        country: Country,
        carrier: Carrier,
    ) -> Option<SeriesHandle> {
        let own = self.find(Place::Country(country), carrier);
        let union = || {
            country
                .is_eu27()
                .then(|| self.find(Place::Eu27, carrier))
                .flatten()
        };
        let usa = || {
            let usa = Country::from_alpha3("USA").filter(|_| carrier != Carrier::NaturalGas)?;
            self.find(Place::Country(usa), carrier)
        };
        own.or_else(union).or_else(usa)
    }

    /// The price that holds on a day; before the first row, the first.
    pub(in super::super) fn at(&self, series: SeriesHandle, date: NaiveDate) -> Option<&PriceRow> {
        let series = self.0.get(series.0)?;
        latest(&series.rows, date, |row| row.from_date)
    }

    pub(super) fn rows(&self) -> impl Iterator<Item = &PriceRow> {
        self.0.iter().flat_map(|series| &series.rows)
    }
}
