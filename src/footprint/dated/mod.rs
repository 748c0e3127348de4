//! Data that belongs to a day, a month or a year, and that operators append to.
//!
//! Four kinds of files, each validated whole before a row of it is used. Rows for a key (a
//! currency's day, a month, a carrier's price from a day, a country's year) that is already there
//! replace it.

mod changes;
mod cpi;
mod grid;
mod prices;
mod rates;
#[cfg(test)]
mod tests;

pub use cpi::CpiRow;
pub use grid::GridRow;
pub use prices::PriceRow;
pub use rates::RateRow;

pub(super) use grid::Grid;
pub(super) use prices::{Prices, SeriesHandle};
pub(super) use rates::Rates;

use super::table::Faults;
use super::{Carrier, Country, Currency, Month};
use chrono::NaiveDate;
use cpi::Cpi;
use std::fmt;

/// What a file of dated data holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Kind {
    /// Units of a currency for one euro, by day: `date,currency,per_eur`, or the European Central
    /// Bank's `eurofxref-hist.csv` as it is.
    Rates,
    /// Consumer prices by month: `month,cpi_u,to_usd2022,to_eur2023,status`.
    Cpi,
    /// Consumer prices of energy carriers: `country,carrier,from_date,price,currency,source`.
    Prices,
    /// Electricity's intensity by country and year: `country,year,g_co2e_per_kwh`.
    Grid,
}

impl Kind {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Rates, Self::Cpi, Self::Prices, Self::Grid];

    /// As commands and records name it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Rates => "rates",
            Self::Cpi => "cpi",
            Self::Prices => "prices",
            Self::Grid => "grid",
        }
    }

    /// From [`Kind::name`].
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }

    /// Told by the header of a file.
    pub fn detect(text: &str) -> Option<Self> {
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        let header = text.lines().next()?;
        Self::ALL.into_iter().find(|kind| match kind {
            Self::Rates => header == rates::COLUMNS.join(",") || header.starts_with(rates::WIDE),
            Self::Cpi => header == cpi::COLUMNS.join(","),
            Self::Prices => header == prices::COLUMNS.join(","),
            Self::Grid => header == grid::COLUMNS.join(","),
        })
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.pad(self.name())
    }
}

/// The rows of one valid file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Rows {
    /// Of [`Kind::Rates`].
    Rates(Vec<RateRow>),
    /// Of [`Kind::Cpi`].
    Cpi(Vec<CpiRow>),
    /// Of [`Kind::Prices`].
    Prices(Vec<PriceRow>),
    /// Of [`Kind::Grid`].
    Grid(Vec<GridRow>),
}

impl Rows {
    /// Reads a file whole; `file` is the name that faults carry.
    ///
    /// # Errors
    ///
    /// Everything that breaks a rule, by line and column, up to 20 faults; then no row counts.
    pub fn parse(kind: Kind, file: &str, text: &str) -> Result<Self, Faults> {
        Ok(match kind {
            Kind::Rates => Self::Rates(rates::parse(file, text)?),
            Kind::Cpi => Self::Cpi(cpi::parse(file, text)?),
            Kind::Prices => Self::Prices(prices::parse(file, text)?),
            Kind::Grid => Self::Grid(grid::parse(file, text)?),
        })
    }

    /// What they are.
    pub fn kind(&self) -> Kind {
        match self {
            Self::Rates(_) => Kind::Rates,
            Self::Cpi(_) => Kind::Cpi,
            Self::Prices(_) => Kind::Prices,
            Self::Grid(_) => Kind::Grid,
        }
    }

    /// How many.
    pub fn len(&self) -> usize {
        match self {
            Self::Rates(rows) => rows.len(),
            Self::Cpi(rows) => rows.len(),
            Self::Prices(rows) => rows.len(),
            Self::Grid(rows) => rows.len(),
        }
    }

    /// Never true of a parsed file.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// A place that has data of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Place {
    /// One country.
    Country(Country),
    /// The European Union of 27 members, for those without a row of their own.
    Eu27,
    /// The world, where nothing else is known.
    World,
}

impl Place {
    pub(super) fn parse(code: &str) -> Option<Self> {
        match code {
            "EU27" => Some(Self::Eu27),
            "WRL" => Some(Self::World),
            code => Country::from_alpha3(code).map(Self::Country),
        }
    }

    /// Alpha-3, `EU27` or `WRL`.
    pub fn code(self) -> &'static str {
        match self {
            Self::Country(country) => country.code(),
            Self::Eu27 => "EU27",
            Self::World => "WRL",
        }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.pad(self.code())
    }
}

/// Rates, consumer prices, energy prices and grids, indexed for scoring.
#[derive(Debug, Clone)]
pub struct DatedData {
    pub(super) rates: Rates,
    pub(super) cpi: Cpi,
    pub(super) prices: Prices,
    pub(super) grid: Grid,
}

/// How much of one kind there is, and from when to when.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Extent {
    /// Rows.
    pub rows: usize,
    /// Day, month or year of the first, as the files write it.
    pub first: String,
    /// The same of the last.
    pub last: String,
}

impl DatedData {
    /// From one file of each kind.
    ///
    /// # Errors
    ///
    /// Faults of the files; faults of price rows in a currency without a rate; no rate of the US
    /// dollar.
    pub(super) fn parse(rates: &str, cpi: &str, prices: &str, grid: &str) -> Result<Self, Faults> {
        let mut data = Self {
            rates: Rates::default(),
            cpi: Cpi::default(),
            prices: Prices::default(),
            grid: Grid::default(),
        };
        data.rates.append(rates::parse("fx_rates.csv", rates)?);
        data.cpi.append(cpi::parse("deflator.csv", cpi)?);
        data.grid.append(grid::parse("grid_intensity.csv", grid)?);
        if !data.has_rate(Currency::usd()) {
            return Err(Faults::of_file("fx_rates.csv", "must have rates of USD"));
        }
        let prices = Rows::Prices(prices::parse("energy_prices.csv", prices)?);
        data.append("energy_prices.csv", prices)?;
        Ok(data)
    }

    /// Appends the rows of a file, and returns how many of them have a key that was not there
    /// before.
    ///
    /// # Errors
    ///
    /// A price in a currency that has no rate; then nothing is appended.
    pub fn append(&mut self, file: &str, rows: Rows) -> Result<usize, Faults> {
        if let Rows::Prices(prices) = &rows {
            let mut faults = Faults::default();
            for row in prices.iter().filter(|row| !self.has_rate(row.currency)) {
                let rule = format!(
                    "{} has no exchange rate: load its rates first",
                    row.currency
                );
                faults.add(file, 0, "currency", rule);
            }
            faults.or(())?;
        }
        let before = self.count(rows.kind());
        let kind = rows.kind();
        match rows {
            Rows::Rates(rows) => self.rates.append(rows),
            Rows::Cpi(rows) => self.cpi.append(rows),
            Rows::Prices(rows) => self.prices.append(rows),
            Rows::Grid(rows) => self.grid.append(rows),
        }
        Ok(self.count(kind).saturating_sub(before))
    }

    fn count(&self, kind: Kind) -> usize {
        self.extent(kind).map_or(0, |extent| extent.rows)
    }

    /// Rows of a kind, with the first and the last date; `None` without rows.
    pub fn extent(&self, kind: Kind) -> Option<Extent> {
        match kind {
            Kind::Rates => extent(self.rates.rows().map(|row| row.date)),
            Kind::Cpi => extent(self.cpi.rows().map(|row| row.month)),
            Kind::Prices => extent(self.prices.rows().map(|row| row.from_date)),
            Kind::Grid => extent(self.grid.rows().map(|row| row.year)),
        }
    }

    /// Can purchases in this currency be scored?
    pub fn has_rate(&self, currency: Currency) -> bool {
        currency == Currency::eur() || self.rates.has(currency)
    }

    /// The rate of `date`, else of the latest earlier day, else the first; `None` for EUR and for a
    /// currency without any row.
    pub fn rate(&self, currency: Currency, date: NaiveDate) -> Option<RateRow> {
        self.rates.at(currency, date)
    }

    /// What a carrier costs in a country on a day: whose price counts, `docs/footprint.md` says.
    /// `None` where natural gas has no price.
    pub fn price(&self, country: Country, carrier: Carrier, date: NaiveDate) -> Option<&PriceRow> {
        self.prices.at(self.prices.series(country, carrier)?, date)
    }

    /// The grid of a year, else of the latest earlier one, else of the first; without rows of the
    /// country, the world's.
    pub fn grid(&self, country: Country, year: i32) -> Option<&GridRow> {
        self.grid.at(country, year)
    }

    /// Consumer prices of a month, else of the latest earlier one, else of the first.
    pub fn cpi(&self, month: Month) -> Option<&CpiRow> {
        self.cpi.at(month)
    }

    /// Every row of rates, by currency and date.
    pub fn rates(&self) -> impl Iterator<Item = RateRow> {
        self.rates.rows()
    }

    /// Every row of consumer prices, by month.
    pub fn months(&self) -> impl Iterator<Item = &CpiRow> {
        self.cpi.rows()
    }

    /// Every row of energy prices, by country, carrier and date.
    pub fn prices(&self) -> impl Iterator<Item = &PriceRow> {
        self.prices.rows()
    }

    /// Every row of grids, by country and year.
    pub fn grids(&self) -> impl Iterator<Item = GridRow> {
        self.grid.rows()
    }
}

fn extent<T: Ord + ToString>(keys: impl Iterator<Item = T>) -> Option<Extent> {
    let (mut rows, mut ends) = (0, None);
    for key in keys {
        rows += 1;
        ends = Some(match ends.take() {
            None => (key.to_string(), key.to_string()),
            Some((first, last)) => {
                let text = key.to_string();
                // ISO 8601 sorts as text.
                (text.clone().min(first), text.max(last))
            }
        });
    }
    ends.map(|(first, last)| Extent { rows, first, last })
}

/// Appends to sorted rows: for a key that comes twice, the row that came last stays.
fn merge<T, K: Ord>(rows: &mut Vec<T>, new: impl IntoIterator<Item = T>, key: impl Fn(&T) -> K) {
    rows.extend(new);
    rows.reverse();
    rows.sort_by_key(&key);
    rows.dedup_by_key(|row| key(row));
}

/// The last row whose key is at most `wanted`, else the first.
fn latest<T, K: PartialOrd>(rows: &[T], wanted: K, key: impl Fn(&T) -> K) -> Option<&T> {
    let after = rows.partition_point(|row| key(row) <= wanted);
    after
        .checked_sub(1)
        .and_then(|index| rows.get(index))
        .or_else(|| rows.first())
}
