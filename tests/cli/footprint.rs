//! The method against a second implementation, and the commands that show it.

use crate::process::run;
use chrono::NaiveDate;
use issuer_gateway::footprint::set::Mcc;
use issuer_gateway::footprint::{
    Country, Currency, DatedData, Kind, Money, Purchase, Rows, Scorer, Verdict,
};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

/// How many made-up purchases both scorers must agree on, with the compiled-in data and again with
/// an operator's.
const COUNT: usize = 10_000;

fn folder(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(name)
}

/// What tests/footprint/scorer.py writes. Without Python 3 the test fails: nothing else checks the
/// arithmetic.
fn python(arguments: &[&str]) -> String {
    let output = Command::new("python3")
        .arg(folder("tests/footprint/scorer.py"))
        .arg(folder("data"))
        .args(arguments)
        .output()
        .expect("python3 is needed for this test");
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{arguments:?}: {errors}");
    String::from_utf8(output.stdout).unwrap()
}

/// One purchase as scorer.py writes it, scored here, in the same columns.
fn line(scorer: &Scorer, fields: &[&str]) -> String {
    let currency = Currency::from_alpha(fields[2]).unwrap();
    let purchase = Purchase {
        mcc: Mcc::parse(fields[0]).unwrap(),
        amount: Money::parse(fields[1], currency).unwrap(),
        date: fields[3].parse::<NaiveDate>().unwrap(),
        country: Country::from_alpha3(fields[4]).unwrap(),
    };
    let found = scorer.score(&purchase);
    let (co2e, co2, table, confidence, stale) = match found.verdict {
        Verdict::Scored(score) => (
            score.co2e.to_string(),
            score.co2.to_string(),
            score.basis.code(),
            score.confidence.name(),
            if score.stale { "1" } else { "0" },
        ),
        _ => (String::new(), String::new(), "", "", ""),
    };
    let area = found.area.map(|area| area.to_string()).unwrap_or_default();
    let cents = found
        .spend_eur_cents
        .map(|cents| cents.to_string())
        .unwrap_or_default();
    let verdict = found.verdict.name();
    let purchase = fields[..5].join(",");
    format!("{purchase},{verdict},{co2e},{co2},{table},{confidence},{area},{stale},{cents}")
}

#[track_caller]
fn agree(scorer: &Scorer, text: &str) {
    let mut statuses = std::collections::BTreeMap::new();
    for expected in text.lines().skip(1) {
        let fields: Vec<_> = expected.split(',').collect();
        assert_eq!(line(scorer, &fields), expected);
        *statuses.entry(fields[5].to_owned()).or_insert(0) += 1;
    }
    assert_eq!(statuses.values().sum::<usize>(), COUNT);
    let all = [
        "INVALID_MCC",
        "NOT_SCORED",
        "SCORED",
        "UNSUPPORTED_CURRENCY",
    ];
    for (status, least) in all.into_iter().zip([100, 100, COUNT / 2, 100]) {
        assert!(statuses[status] >= least, "{statuses:?}");
    }
}

#[test]
fn the_second_scorer_agrees_on_the_worked_examples() {
    let examples = folder("tests/footprint/worked_examples.csv");
    let told = python(&["check", examples.to_str().unwrap()]);
    assert_eq!(told, "28 of 28 examples agree\n");
}

#[test]
fn the_tables_of_countries_can_be_computed_again() {
    assert_eq!(python(&["recompute"]), "7710 rows made again\n");
}

#[test]
fn the_second_scorer_agrees_to_the_centigram() {
    let text = python(&["random", &COUNT.to_string(), "20261127"]);
    agree(&Scorer::builtin().unwrap(), &text);
}

#[test]
fn the_second_scorer_agrees_with_what_an_operator_appended() {
    let appended = folder("tests/footprint/appended");
    let builtin = Scorer::builtin().unwrap();
    let mut data = DatedData::clone(builtin.data());
    for (kind, name) in [
        (Kind::Rates, "fx_rates.csv"),
        (Kind::Cpi, "deflator.csv"),
        (Kind::Prices, "energy_prices.csv"),
        (Kind::Grid, "grid_intensity.csv"),
    ] {
        let text = std::fs::read_to_string(appended.join(name)).unwrap();
        let rows = Rows::parse(kind, name, &text).unwrap();
        data.append(name, rows).unwrap();
    }
    let scorer = Scorer::new(builtin.set().clone(), Arc::new(data));
    let appended = appended.to_str().unwrap();
    let text = python(&["--append", appended, "random", &COUNT.to_string(), "7"]);
    assert!(text.contains(",KWD,") && text.contains(",CLP,"));
    agree(&scorer, &text);
}

#[test]
fn factors_score_writes_the_sum_out() {
    let told = run(&[
        "factors",
        "score",
        "--mcc",
        "5411",
        "--amount",
        "250",
        "--currency",
        "SEK",
        "--date",
        "2025-11-12",
        "--country",
        "SWE",
    ]);
    let expected = "\
250.00 SEK on 2025-11-12, merchant in Sweden (SWE)
5411 Grocery Stores, Supermarkets: Food & Drink, Groceries
6135.16 g CO2e (216.41 oz), of which CO2 2737.64 g

250.00 SEK / 10.9395 = 22.852964 EUR x 0.940083 = 21.483683 EUR of 2023 x 0.285573 kg = 6135.16 g CO2e

factors          ig-2026.1, table SWE
exchange rates   10.9395 SEK for 1 EUR, of 2025-11-12
price year       x 0.940083 from 2025-11 to EUR of 2023
confidence       medium: one kind of product or service, with a factor of its sector
";
    assert_eq!(told.ok(), expected);
}

fn score(
    mcc: &str,
    amount: &str,
    currency: &str,
    date: &str,
    country: &str,
) -> crate::process::Output {
    run(&[
        "factors",
        "score",
        "--mcc",
        mcc,
        "--amount",
        amount,
        "--currency",
        currency,
        "--date",
        date,
        "--country",
        country,
    ])
}

#[test]
fn factors_score_tells_every_case() {
    let refund = score("5651", "-79.95", "GBP", "2026-01-03", "GBR").ok();
    assert!(refund.contains("\n-18623.69 g CO2e"), "{refund}");
    let fuel = score("5541", "45", "EUR", "2026-12-31", "AUT").ok();
    for part in [
        "petrol           1.718 EUR a litre in AUT from 2026-04-13",
        "confidence       low",
        "older than 7 days",
    ] {
        assert!(fuel.contains(part), "{part}: {fuel}");
    }
    let grid = score("4900", "900", "SEK", "2026-01-31", "SWE").ok();
    assert!(grid.contains("grid of SWE in 2024"), "{grid}");
    let october = score("5411", "1", "USD", "2025-10-31", "USA").ok();
    assert!(
        october.contains("x 0.901973 from 2025-10, interpolated to USD of 2022"),
        "{october}"
    );
    let cash = score("6011", "200", "USD", "2026-01-15", "USA").ok();
    assert!(cash.contains("not scored: cash withdrawn"), "{cash}");
    score("1234", "1", "USD", "2026-01-15", "USA").refused(&["INVALID_MCC"]);
    score("5411", "1", "CLP", "2026-01-15", "CHL").refused(&["UNSUPPORTED_CURRENCY", "CLP"]);
    score("5411", "1.5", "JPY", "2026-01-15", "JPN")
        .refused(&["--amount", "at most 0 decimal places"]);
    for (mcc, currency, country) in [
        ("x", "USD", "USA"),
        ("5411", "usd", "USA"),
        ("5411", "USD", "US"),
    ] {
        assert_eq!(
            score(mcc, "1", currency, "2026-01-15", country).code,
            Some(2)
        );
    }
}

#[test]
fn factors_show_lists_the_set_and_looks_things_up() {
    let show = |arguments: &[&str]| run(&[&["factors", "show"], arguments].concat());
    let set = show(&[]).ok();
    for part in [
        "factor set ig-2026.1, rules 1",
        "1016 industries",
        "7710 factors of 30 countries",
        "1319 merchant category codes, 28 of them not scored",
        "rates     15470  2024-04-02  2026-04-13",
        "regional_factors.csv",
        "Global Carbon Project, with major processing by Our World in Data (CC BY 4.0)",
    ] {
        assert!(set.contains(part), "{part}: {set}");
    }
    let sums = std::fs::read_to_string(folder("data/SHA256SUMS")).unwrap();
    for (sum, name) in sums.lines().filter_map(|line| line.split_once("  ")) {
        assert!(set.contains(&format!("{name:<22} {sum}")), "{name}: {set}");
    }
    assert_eq!(show(&["--set", "ig-2026.1"]).ok(), set);
    let groceries = show(&["--mcc", "5411", "--country", "SWE"]).ok();
    for part in [
        "area       101 Food & Drink, Groceries",
        "method     spend",
        "by table SWE",
        "0.285573",
        "311611",
    ] {
        assert!(groceries.contains(part), "{part}: {groceries}");
    }
    let clothes = show(&["--mcc", "5651", "--country", "USA"]).ok();
    assert!(clothes.contains("(x 2.22)"), "{clothes}");
    let utilities = show(&["--mcc", "4900", "--country", "SWE"]).ok();
    for part in [
        "35.8 g CO2e a kWh, grid of SWE in 2024",
        "no price in SWE: counts as electricity",
    ] {
        assert!(utilities.contains(part), "{part}: {utilities}");
    }
    let cash = show(&["--mcc", "6011", "--country", "SWE"]).ok();
    assert!(cash.contains("not scored cash withdrawn"), "{cash}");
    for (kind, part) in [
        ("rates", "SEK     518  2024-04-02  2026-04-13"),
        ("cpi", "2025-10   324.461  0.901973  0.939101  interpolated"),
        (
            "prices",
            "USA   petrol       2026-06-01   1.0698 USD a litre  EIA weekly",
        ),
        ("grid", "WRL   2024"),
    ] {
        let rows = show(&["--kind", kind]).ok();
        assert!(rows.contains(part), "{part}: {rows}");
    }
    let sweden = show(&["--kind", "grid", "--country", "SWE"]).ok();
    assert_eq!(sweden.lines().count(), 4, "{sweden}");
    show(&["--set", "own"]).refused(&["no factor set own", "ig-2026.1"]);
    show(&["--mcc", "1234", "--country", "SWE"]).refused(&["1234 is in no merchant category"]);
    show(&["--country", "SWE"]).refused(&["needs --mcc or --kind"]);
    show(&["--kind", "cpi", "--country", "SWE"]).refused(&["--kind prices or --kind grid"]);
    assert_eq!(show(&["--mcc", "5411"]).code, Some(2));
    assert_eq!(show(&["--kind", "coal"]).code, Some(2));
}
