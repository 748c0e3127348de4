//! Files of dated data: accepted ones and refused ones.

use super::super::{Country, Currency, Month, builtin};
use super::*;

fn refused(kind: Kind, text: &str) -> String {
    Rows::parse(kind, "f.csv", text).unwrap_err().to_string()
}

fn currency(code: &str) -> Currency {
    Currency::from_alpha(code).unwrap()
}

fn day(text: &str) -> NaiveDate {
    text.parse().unwrap()
}

#[test]
fn the_compiled_in_data() {
    let data = builtin::dated().unwrap();
    let extent = |kind| {
        let extent = data.extent(kind).unwrap();
        (extent.rows, extent.first, extent.last)
    };
    let row = |rows, first: &str, last: &str| (rows, first.to_owned(), last.to_owned());
    assert_eq!(extent(Kind::Rates), row(15_470, "2024-04-02", "2026-04-13"));
    assert_eq!(extent(Kind::Cpi), row(53, "2022-01", "2026-05"));
    assert_eq!(extent(Kind::Prices), row(105, "2023-12-25", "2026-06-01"));
    assert_eq!(extent(Kind::Grid), row(478, "2022", "2024"));
    // October 2025 was never published.
    let interpolated = data.months().filter(|row| row.interpolated);
    let months: Vec<_> = interpolated.map(|row| row.month.to_string()).collect();
    assert_eq!(months, ["2025-10"]);
}

#[test]
fn every_kind_is_told_by_its_header() {
    for (kind, text) in [
        (Kind::Rates, builtin::FX_RATES),
        (Kind::Rates, "Date,USD,JPY,\n2026-01-02,1.1,160,\n"),
        (
            Kind::Rates,
            "\u{feff}date,currency,per_eur\r\n2026-01-02,CLP,1000\r\n",
        ),
        (Kind::Cpi, builtin::DEFLATOR),
        (Kind::Prices, builtin::ENERGY_PRICES),
        (Kind::Grid, builtin::GRID_INTENSITY),
    ] {
        assert_eq!(Kind::detect(text), Some(kind));
        let rows = Rows::parse(kind, "f.csv", text).unwrap();
        assert_eq!((rows.kind(), rows.is_empty()), (kind, false));
        assert_eq!(Kind::parse(kind.name()), Some(kind));
    }
    assert_eq!(Kind::detect("a,b\n"), None);
    assert_eq!(Kind::detect(""), None);
}

#[test]
fn the_european_central_banks_file_is_read_as_it_is() {
    let text = "Date,USD,BGN,CYP,SEK,\n2026-04-14,1.17,N/A,N/A,10.9,\n1999-01-04,1.1789,,0.58231,9.4696,\n";
    let rows = match Rows::parse(Kind::Rates, "eurofxref-hist.csv", text).unwrap() {
        Rows::Rates(rows) => rows,
        other => panic!("{other:?}"),
    };
    let read: Vec<_> = rows
        .iter()
        .map(|row| format!("{} {} {}", row.date, row.currency, row.per_eur))
        .collect();
    let expected = [
        "2026-04-14 USD 1.17",
        "2026-04-14 SEK 10.9",
        "1999-01-04 USD 1.1789",
        "1999-01-04 SEK 9.4696",
    ];
    assert_eq!(read, expected);
}

#[test]
fn wide_rates_that_are_wrong_name_line_and_column() {
    let text =
        "Date,USD,XYZ,\n2026-04-14,0,1,\n2026-04-14,1.1,1,\n14.04.2026,1.1,1,\n2026-04-13,1.1\n";
    let faults = refused(Kind::Rates, text);
    let expected = [
        "f.csv, line 1, column XYZ: must be an ISO 4217 code such as SEK",
        "f.csv, line 2, column USD: must be a number from 0.0001 to 100000000 with at most 10 decimal places",
        "f.csv, line 3, column Date: comes twice",
        "f.csv, line 4, column Date: must be a day such as 2026-01-31, from 1990 to 2100",
        "f.csv, line 5: must have 4 fields, has 2",
    ];
    assert_eq!(faults, expected.join("\n"));
    let faults = refused(Kind::Rates, "Date,USD,\n2026-04-14,N/A,\n");
    assert_eq!(faults, "f.csv: has no rates");
}

#[test]
fn every_kind_refuses_what_breaks_a_rule() {
    let rates = "date,currency,per_eur\n";
    let cpi = "month,cpi_u,to_usd2022,to_eur2023,status\n";
    let prices = "country,carrier,from_date,price,currency,source\n";
    let grid = "country,year,g_co2e_per_kwh\n";
    let cases = [
        (
            Kind::Rates,
            rates,
            "2026-01-02,EUR,1",
            "currency: must not be EUR",
        ),
        (
            Kind::Rates,
            rates,
            "2026-01-02,usd,1",
            "currency: must be an ISO 4217",
        ),
        (
            Kind::Rates,
            rates,
            "2026-02-30,USD,1",
            "date: must be a day",
        ),
        (
            Kind::Rates,
            rates,
            "2026-01-02,USD,-1",
            "per_eur: must be a number",
        ),
        (
            Kind::Rates,
            rates,
            "2026-01-02,USD,1e1",
            "per_eur: must be a number",
        ),
        (
            Kind::Cpi,
            cpi,
            "2026-13,330,0.886833,0.92,published",
            "month: must be a month",
        ),
        (
            Kind::Cpi,
            cpi,
            "2026-06,330,0.9,0.92,published",
            "to_usd2022: must be 292.654917 / cpi_u, here 0.886833",
        ),
        (
            Kind::Cpi,
            cpi,
            "2026-06,330,0.886833,0,published",
            "to_eur2023: must be a number",
        ),
        (
            Kind::Cpi,
            cpi,
            "2026-06,330,0.886833,0.92,guessed",
            "status: must be published or",
        ),
        (
            Kind::Prices,
            prices,
            "WRL,petrol,2026-01-01,1,EUR,me",
            "country: must be",
        ),
        (
            Kind::Prices,
            prices,
            "SWE,coal,2026-01-01,1,EUR,me",
            "carrier: must be",
        ),
        (
            Kind::Prices,
            prices,
            "SWE,petrol,2026-1-1,1,EUR,me",
            "from_date: must be",
        ),
        (
            Kind::Prices,
            prices,
            "SWE,petrol,2026-01-01,0,EUR,me",
            "price: must be",
        ),
        (
            Kind::Prices,
            prices,
            "SWE,petrol,2026-01-01,1,XYZ,me",
            "currency: must be",
        ),
        (
            Kind::Prices,
            prices,
            "SWE,petrol,2026-01-01,1,EUR,",
            "source: must name",
        ),
        (Kind::Grid, grid, "ZZZ,2025,1", "country: must be"),
        (Kind::Grid, grid, "SWE,25,1", "year: must be"),
        (Kind::Grid, grid, "SWE,2025,5001", "g_co2e_per_kwh: must be"),
    ];
    for (kind, header, line, rule) in cases {
        let faults = refused(kind, &format!("{header}{line}\n"));
        let start = format!("f.csv, line 2, column {rule}");
        assert!(faults.starts_with(&start), "{line}: {faults}");
    }
    let twice = [
        (Kind::Rates, rates, "2026-01-02,USD,1"),
        (Kind::Cpi, cpi, "2026-06,330,0.886833,0.92,published"),
        (Kind::Prices, prices, "SWE,petrol,2026-01-01,1,EUR,me"),
        (Kind::Grid, grid, "SWE,2025,1"),
    ];
    for (kind, header, line) in twice {
        assert!(Rows::parse(kind, "f.csv", &format!("{header}{line}\n")).is_ok());
        let faults = refused(kind, &format!("{header}{line}\n{line}\n"));
        assert!(
            faults.starts_with("f.csv, line 3") && faults.contains("comes twice"),
            "{faults}"
        );
    }
}

#[test]
fn appended_rows_add_to_the_old_ones_and_replace_them() {
    let mut data = builtin::dated().unwrap();
    let mut load = |kind, text: &str| {
        let rows = Rows::parse(kind, "f.csv", text).unwrap();
        data.append("f.csv", rows).unwrap()
    };
    let rates = "date,currency,per_eur\n2026-04-13,SEK,11\n2026-04-14,SEK,12\n2024-01-02,SEK,13\n";
    assert_eq!(load(Kind::Rates, rates), 2);
    let months = "month,cpi_u,to_usd2022,to_eur2023,status\n2026-06,330,0.886833,0.9,published\n";
    assert_eq!(load(Kind::Cpi, months), 1);
    let grids = "country,year,g_co2e_per_kwh\nSWE,2024,30\nSWE,2025,20\n";
    assert_eq!(load(Kind::Grid, grids), 1);
    let rate = |date| {
        data.rate(currency("SEK"), day(date))
            .unwrap()
            .per_eur
            .to_string()
    };
    let found = ["2023-01-01", "2024-01-05", "2026-04-13", "2026-04-14"].map(rate);
    assert_eq!(found, ["13", "13", "11", "12"]);
    let month = data.cpi(Month::parse("2027-01").unwrap()).unwrap();
    assert_eq!(month.to_eur2023.to_string(), "0.9");
    let sweden = Country::from_alpha3("SWE").unwrap();
    let grid = |year| data.grid(sweden, year).unwrap().g_co2e_per_kwh.to_string();
    assert_eq!([2024, 2030].map(grid), ["30", "20"]);
}

#[test]
fn a_price_needs_a_rate_of_its_currency() {
    let mut data = builtin::dated().unwrap();
    let text =
        "country,carrier,from_date,price,currency,source\nCHL,petrol,2026-01-01,1300,CLP,test\n";
    let rows = Rows::parse(Kind::Prices, "f.csv", text).unwrap();
    let faults = data.append("f.csv", rows.clone()).unwrap_err().to_string();
    assert_eq!(
        faults,
        "f.csv, column currency: CLP has no exchange rate: load its rates first"
    );
    let rates = Rows::parse(
        Kind::Rates,
        "r.csv",
        "date,currency,per_eur\n2026-01-01,CLP,1050\n",
    );
    data.append("r.csv", rates.unwrap()).unwrap();
    assert_eq!(data.append("f.csv", rows), Ok(1));
}

#[test]
fn whose_price_counts() {
    let data = builtin::dated().unwrap();
    let place = |country: &str, carrier| {
        let country = Country::from_alpha3(country).unwrap();
        let price = data.price(country, carrier, day("2026-04-13"));
        price.map(|row| row.place.code())
    };
    use super::super::Carrier::{Electricity, NaturalGas, Petrol};
    assert_eq!(place("SWE", Petrol), Some("SWE"));
    assert_eq!(place("FIN", Petrol), Some("EU27"));
    assert_eq!(place("GBR", Petrol), Some("USA"));
    assert_eq!(place("XKX", Electricity), Some("XKX"));
    assert_eq!(place("CHN", Electricity), Some("USA"));
    assert_eq!(place("USA", NaturalGas), Some("USA"));
    assert_eq!(place("SWE", NaturalGas), None);
    assert_eq!(place("GBR", NaturalGas), None);
}
