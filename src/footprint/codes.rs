//! Countries (ISO 3166) and currencies (ISO 4217) by every code that feeds use.

use super::builtin;
use super::table::Records;
use std::collections::HashMap;
use std::fmt;
use std::sync::LazyLock;

/// In no edition of ISO 3166, and in use by card schemes, Eurostat and the World Bank.
const KOSOVO: [&str; 5] = ["XKX", "XK", "", "Kosovo", "0"];

/// Withdrawn while purchases in it may still come: the lev ended with 2025.
const WITHDRAWN: [[&str; 3]; 1] = [["BGN", "975", "2"]];

/// A country, checked. One byte; [`Country::code`] is ISO 3166 alpha-3.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Country(u8);

/// A currency, checked. [`Currency::code`] is ISO 4217 alpha.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Currency(u8);

struct CountryRow {
    alpha3: &'static str,
    alpha2: &'static str,
    numeric: &'static str,
    name: String,
    eu27: bool,
}

struct CurrencyRow {
    alpha: &'static str,
    numeric: &'static str,
    minor_unit: u32,
}

struct Codes {
    countries: Vec<CountryRow>,
    country: HashMap<&'static str, Country>,
    currencies: Vec<CurrencyRow>,
    currency: HashMap<&'static str, Currency>,
}

static CODES: LazyLock<Codes> = LazyLock::new(|| {
    let mut countries = Vec::new();
    let kosovo = KOSOVO.map(str::to_owned).to_vec();
    for row in rows(builtin::COUNTRIES).chain([kosovo]) {
        let [alpha3, alpha2, numeric, name, eu27] = row.as_slice() else {
            continue;
        };
        countries.push(CountryRow {
            alpha3: leak(alpha3),
            alpha2: leak(alpha2),
            numeric: leak(numeric),
            name: name.clone(),
            eu27: eu27 == "1",
        });
    }
    let mut currencies = Vec::new();
    let withdrawn = WITHDRAWN.iter().map(|row| row.map(str::to_owned).to_vec());
    for row in rows(builtin::CURRENCIES).chain(withdrawn) {
        let [alpha, numeric, minor_unit] = row.as_slice() else {
            continue;
        };
        currencies.push(CurrencyRow {
            alpha: leak(alpha),
            numeric: leak(numeric),
            minor_unit: minor_unit.parse().unwrap_or(2),
        });
    }
    let mut country = HashMap::new();
    for (row, index) in countries.iter().zip(0u8..) {
        for code in [row.alpha3, row.alpha2, row.numeric] {
            country.insert(code, Country(index));
        }
    }
    country.remove("");
    let mut currency = HashMap::new();
    for (row, index) in currencies.iter().zip(0u8..) {
        for code in [row.alpha, row.numeric] {
            currency.insert(code, Currency(index));
        }
    }
    Codes {
        countries,
        country,
        currencies,
        currency,
    }
});

/// The rows below the header.
fn rows(text: &'static str) -> impl Iterator<Item = Vec<String>> {
    let records = Records::new(text).skip(1).filter_map(Result::ok);
    records.map(|(_, fields)| fields.into_iter().map(|field| field.into_owned()).collect())
}

/// Once for each code, when the table is first used.
fn leak(code: &str) -> &'static str {
    Box::leak(code.to_owned().into_boxed_str())
}

impl Country {
    /// From ISO 3166 alpha-3, in capitals.
    pub fn from_alpha3(code: &str) -> Option<Self> {
        (code.len() == 3 && code.bytes().all(|byte| byte.is_ascii_uppercase()))
            .then(|| CODES.country.get(code).copied())?
    }

    /// From ISO 3166 alpha-2, in capitals.
    pub fn from_alpha2(code: &str) -> Option<Self> {
        (code.len() == 2).then(|| CODES.country.get(code).copied())?
    }

    /// From the three digits of ISO 3166.
    pub fn from_numeric(code: &str) -> Option<Self> {
        (code.len() == 3 && code.bytes().all(|byte| byte.is_ascii_digit()))
            .then(|| CODES.country.get(code).copied())?
    }

    /// All, by alpha-3.
    pub fn all() -> impl Iterator<Item = Self> {
        (0..=u8::MAX).map(Self).take(CODES.countries.len())
    }

    fn row(self) -> Option<&'static CountryRow> {
        CODES.countries.get(usize::from(self.0))
    }

    /// ISO 3166 alpha-3.
    pub fn code(self) -> &'static str {
        self.row().map_or("", |row| row.alpha3)
    }

    /// English short name.
    pub fn name(self) -> &'static str {
        self.row().map_or("", |row| row.name.as_str())
    }

    /// Is it one of the 27 members of the European Union?
    pub fn is_eu27(self) -> bool {
        self.row().is_some_and(|row| row.eu27)
    }

    pub(super) fn index(self) -> usize {
        usize::from(self.0)
    }
}

impl Currency {
    /// From ISO 4217 alpha, in capitals.
    pub fn from_alpha(code: &str) -> Option<Self> {
        (code.len() == 3 && code.bytes().all(|byte| byte.is_ascii_uppercase()))
            .then(|| CODES.currency.get(code).copied())?
    }

    /// From the three digits of ISO 4217 (data elements 49, 50, 51 of a clearing file).
    pub fn from_numeric(code: &str) -> Option<Self> {
        (code.len() == 3 && code.bytes().all(|byte| byte.is_ascii_digit()))
            .then(|| CODES.currency.get(code).copied())?
    }

    /// The euro: European factors, and the base of every rate.
    pub fn eur() -> Self {
        Self::named("EUR")
    }

    /// The US dollar: factors of every other country.
    pub fn usd() -> Self {
        Self::named("USD")
    }

    /// Of a code that the compiled-in table has (a test says so).
    fn named(code: &str) -> Self {
        CODES.currency.get(code).copied().unwrap_or(Self(0))
    }

    /// All, by alpha code; withdrawn ones last.
    pub fn all() -> impl Iterator<Item = Self> {
        (0..=u8::MAX).map(Self).take(CODES.currencies.len())
    }

    fn row(self) -> Option<&'static CurrencyRow> {
        CODES.currencies.get(usize::from(self.0))
    }

    /// ISO 4217 alpha.
    pub fn code(self) -> &'static str {
        self.row().map_or("", |row| row.alpha)
    }

    /// ISO 4217 numeric, three digits.
    pub fn numeric(self) -> &'static str {
        self.row().map_or("", |row| row.numeric)
    }

    /// Decimal places of the currency: 2 for most, 0 for JPY, 3 for KWD.
    pub fn minor_unit(self) -> u32 {
        self.row().map_or(2, |row| row.minor_unit)
    }

    pub(super) fn index(self) -> usize {
        usize::from(self.0)
    }
}

impl fmt::Display for Country {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.pad(self.code())
    }
}

impl fmt::Debug for Country {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(self.code())
    }
}

impl fmt::Display for Currency {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.pad(self.code())
    }
}

impl fmt::Debug for Currency {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(self.code())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_finds_its_row() {
        assert_eq!(
            (Country::all().count(), Currency::all().count()),
            (250, 166)
        );
        for country in Country::all() {
            assert_eq!(Country::from_alpha3(country.code()), Some(country));
        }
        for currency in Currency::all() {
            assert_eq!(Currency::from_alpha(currency.code()), Some(currency));
            assert_eq!(Currency::from_numeric(currency.numeric()), Some(currency));
        }
        let sweden = Country::from_alpha3("SWE");
        assert_eq!(Country::from_alpha2("SE"), sweden);
        assert_eq!(Country::from_numeric("752"), sweden);
        assert_eq!(sweden.map(Country::is_eu27), Some(true));
        assert_eq!(
            Country::all().filter(|country| country.is_eu27()).count(),
            27
        );
        assert_eq!(
            Country::from_alpha3("XKX").map(Country::name),
            Some("Kosovo")
        );
    }

    #[test]
    fn what_is_no_code_of_its_kind_is_none() {
        for code in ["", "SE", "752", "swe", "ZZZ", "SWED", "EU27", "WRL"] {
            assert_eq!(Country::from_alpha3(code), None, "{code}");
        }
        assert_eq!(Country::from_numeric("SWE"), None);
        assert_eq!(Country::from_alpha2("SWE"), None);
        for code in ["", "US", "840", "usd", "USDX", "XXX"] {
            assert_eq!(Currency::from_alpha(code), None, "{code}");
        }
        assert_eq!(Currency::from_numeric("USD"), None);
    }

    #[test]
    fn the_two_currencies_of_factors() {
        assert_eq!(
            (Currency::eur().code(), Currency::usd().code()),
            ("EUR", "USD")
        );
    }

    #[test]
    fn minor_units() {
        let minor = |code| Currency::from_alpha(code).map(Currency::minor_unit);
        let units = ["JPY", "USD", "KWD", "CLF", "BGN"].map(minor);
        assert_eq!(units, [Some(0), Some(2), Some(3), Some(4), Some(2)]);
    }
}
