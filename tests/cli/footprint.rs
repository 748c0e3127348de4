//! The method against a second implementation, and the commands that show it.

use chrono::NaiveDate;
use issuer_gateway::footprint::set::Mcc;
use issuer_gateway::footprint::{
    Country, Currency, DatedData, Kind, Money, Purchase, Rows, Scorer, Verdict,
};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

/// How many made-up purchases both scorers must agree on, with the compiled-in data and again with an operator's.
const COUNT: usize = 10_000;

fn folder(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(name)
}

/// What tests/footprint/scorer.py writes. Without Python 3 the test fails: nothing else checks the arithmetic.
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
    let [mcc, amount, currency, date, country, ..] = fields else {
        panic!("{fields:?}");
    };
    let currency = Currency::from_alpha(currency).unwrap();
    let purchase = Purchase {
        mcc: Mcc::parse(mcc).unwrap(),
        amount: Money::parse(amount, currency).unwrap(),
        date: date.parse::<NaiveDate>().unwrap(),
        country: Country::from_alpha3(country).unwrap(),
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
    let cents = found.spend_eur_cents.map(|cents| cents.to_string()).unwrap_or_default();
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
    let all = ["INVALID_MCC", "NOT_SCORED", "SCORED", "UNSUPPORTED_CURRENCY"];
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
