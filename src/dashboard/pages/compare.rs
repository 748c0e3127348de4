//! Comparisons: with the cardholder's own months, then with a country.

use super::super::facts::Facts;
use super::super::figures;
use super::super::reckon::{self, Difference};
use super::super::texts::Words;
use crate::footprint::benchmarks::Benchmark;
use crate::footprint::dated::Place;
use crate::footprint::{Grams, Month};
use rust_decimal::Decimal;

/// A full month against the cardholder's own past.
#[derive(Debug, Clone)]
pub struct SelfComparison {
    /// The month and its figure.
    pub month: String,
    /// Against the full month before it.
    pub previous: Option<String>,
    /// Against the usual month.
    pub usual: String,
    /// What the usual month is.
    pub note: String,
}

impl SelfComparison {
    /// `None` under two full months: there is nothing to compare with. A running month is not
    /// compared; the last full one stands in.
    pub(super) fn of(words: &Words, facts: &Facts, shown: Month) -> Option<Self> {
        let full = reckon::full_months(facts);
        let (_, last) = full.last().filter(|_| full.len() >= 2)?;
        let chosen = full.iter().find(|(month, _)| *month == shown);
        let (month, total) = match chosen {
            Some((month, facts)) => (*month, facts.total.co2e),
            None if shown == facts.running() => (full.last()?.0, last.total.co2e),
            None => return None,
        };
        let before = full.iter().rev().find(|(other, _)| *other < month);
        let values: Vec<Grams> = full.iter().map(|(_, facts)| facts.total.co2e).collect();
        let usual = reckon::median(&values)?;
        let count = i64::try_from(full.len()).unwrap_or_default();
        let name = words.formats.month(month);
        let figure = figures::rounded(words, total);
        Some(Self {
            month: words.with("self-month", &[("month", &name), ("figure", &figure)]),
            previous: before.map(|(before, facts)| {
                let difference = Difference::of(total, facts.total.co2e);
                let name = words.formats.month(*before);
                said(words, difference, "previous", &[("month", &name)])
            }),
            usual: said(words, Difference::of(total, usual), "usual", &[]),
            note: words.count("self-usual-note", count, &[]),
        })
    }
}

fn said(
    words: &Words,
    difference: Difference,
    what: &str,
    texts: &[(&'static str, &str)],
) -> String {
    if difference.is_slight() {
        return words.with(&format!("self-same-{what}"), texts);
    }
    let mut figure = figures::rounded(words, difference.size());
    // Against nothing, or less than nothing, no percentage says anything.
    if let Some(percent) = difference.percent {
        figure += &format!(" ({})", words.formats.percent(percent));
    }
    let mut all = texts.to_vec();
    all.push(("figure", figure.as_str()));
    let way = if difference.grams < Grams::default() {
        "less"
    } else {
        "more"
    };
    words.with(&format!("self-{way}-{what}"), &all)
}

/// A bar of a comparison.
#[derive(Debug, Clone)]
pub struct Bar {
    /// Whose.
    pub label: String,
    /// Rounded.
    pub figure: String,
    /// Of the longest bar, 0 to 100.
    pub width: String,
    /// Whether it is the cardholder's own.
    pub own: bool,
}

/// A month on average, beside a country's and a goal's.
#[derive(Debug, Clone)]
pub struct BenchmarkView {
    /// You, the country, the goal.
    pub bars: Vec<Bar>,
    /// A figure that is missing, and what stands in for it.
    pub missing: Option<String>,
    /// Where each figure is from.
    pub sources: Vec<String>,
}

impl BenchmarkView {
    /// `None` without a full month.
    pub(super) fn of(words: &Words, facts: &Facts) -> Option<Self> {
        let full = reckon::full_months(facts);
        let own: Vec<Grams> = full.iter().map(|(_, month)| month.total.co2).collect();
        let mean = reckon::mean(&own)?;
        let count = i64::try_from(own.len()).unwrap_or_default();
        let country = facts.benchmark.and_then(|b| Some((b, b.grams_a_month()?)));
        let goal = facts.goal.and_then(|b| Some((b, b.grams_a_month()?)));
        let mut rows = vec![(words.t("benchmark-you"), mean, true)];
        let mut sources = vec![words.count("benchmark-own", count, &[])];
        if let Some((benchmark, grams)) = country {
            rows.push((words.t(average_label(&benchmark)), grams, false));
            sources.push(source(words, "benchmark-country-source", &benchmark));
        }
        if let Some((benchmark, grams)) = goal {
            rows.push((words.t("benchmark-goal"), grams, false));
            sources.push(source(words, "benchmark-goal-source", &benchmark));
        }
        let longest = rows.iter().map(|(_, grams, _)| *grams).max()?;
        let code = facts.country.code();
        let missing = match facts.benchmark.map(|benchmark| benchmark.place) {
            None => Some("benchmark-none"),
            Some(Place::World) => Some("benchmark-missing"),
            Some(_) => None,
        };
        Some(Self {
            bars: rows
                .into_iter()
                .map(|(label, grams, own)| Bar {
                    label,
                    figure: figures::rounded(words, grams),
                    width: width(grams, longest),
                    own,
                })
                .collect(),
            missing: missing.map(|id| words.with(id, &[("country", code)])),
            sources,
        })
    }
}

/// Which text names an average: of a country or of the world.
fn average_label(benchmark: &Benchmark) -> &'static str {
    match benchmark.place {
        Place::World => "benchmark-world",
        _ => "benchmark-country",
    }
}

fn source(words: &Words, id: &str, benchmark: &Benchmark) -> String {
    let place = match benchmark.place {
        Place::World => words.t("place-world"),
        place => place.code().to_owned(),
    };
    // A year is no quantity: no separator of thousands.
    let year = benchmark.year.to_string();
    words.with(id, &[("place", &place), ("year", &year)])
}

/// The length of a bar, 0 to 100 with one decimal place.
pub(super) fn width(grams: Grams, longest: Grams) -> String {
    if longest <= Grams::default() {
        return "0".to_owned();
    }
    let share = grams.decimal().abs() * Decimal::ONE_HUNDRED / longest.decimal();
    share
        .clamp(Decimal::ZERO, Decimal::ONE_HUNDRED)
        .round_dp(1)
        .normalize()
        .to_string()
}
