//! The overview of a month.

use super::super::facts::{Facts, MonthFacts, Scoring};
use super::super::figures;
use super::super::reckon::{self, Difference};
use super::super::texts::Words;
use super::chart::Chart;
use super::compare::{BenchmarkView, SelfComparison, width};
use super::frame::{Frame, Visit};
use super::payments::PaymentRow;
use super::total::{Picker, Total};
use super::what_if::WhatIf;
use super::{Query, area_name};
use crate::footprint::{Grams, Month};
use askama::Template;

/// Payments on the overview.
const NEWEST: usize = 5;

/// A category of a month.
#[derive(Debug, Clone)]
pub struct CategoryRow {
    /// Its code, for the link.
    pub code: u16,
    /// Its name.
    pub name: String,
    /// Rounded.
    pub figure: String,
    /// Of the month's footprint.
    pub share: Option<String>,
    /// How many payments.
    pub payments: String,
    /// Against the month before, if both are full.
    pub change: Option<String>,
    /// Of the largest, 0 to 100.
    pub width: String,
    /// Below zero.
    pub negative: bool,
}

/// A message over the page: what the calculation is doing, or that it has changed.
#[derive(Debug, Clone)]
pub struct Status {
    /// Its heading.
    pub heading: String,
    /// Its sentences.
    pub texts: Vec<String>,
    /// Whether "Check again" makes sense.
    pub again: bool,
}

/// The first screen.
#[derive(Debug, Template)]
#[template(path = "overview.html", config = "src/dashboard/askama.toml")]
pub struct OverviewPage {
    /// What stands round it.
    pub frame: Frame,
    /// Whether the introduction stands above it all.
    pub intro: bool,
    /// Messages.
    pub statuses: Vec<Status>,
    /// The choice of a month.
    pub picker: Picker,
    /// The month, for links: `2026-10`.
    pub month: String,
    /// The heading of the total.
    pub heading: String,
    /// The month's total.
    pub total: Total,
    /// Against the cardholder's own months.
    pub own: Option<SelfComparison>,
    /// Against country and goal.
    pub benchmark: Option<BenchmarkView>,
    /// The months.
    pub chart: Option<Chart>,
    /// The categories, the largest first.
    pub categories: Vec<CategoryRow>,
    /// In place of no category.
    pub no_categories: String,
    /// The form.
    pub what_if: Option<WhatIf>,
    /// The newest.
    pub payments: Vec<PaymentRow>,
    /// A project.
    pub donation: Option<(String, String, String)>,
    /// Provider, card, method.
    pub about: Vec<String>,
}

impl OverviewPage {
    /// Of what the address asks for.
    pub fn of(visit: &Visit<'_>, facts: &Facts, query: &Query) -> Self {
        let words = &visit.words;
        let shown = query.month.unwrap_or(facts.running());
        let name = words.formats.month(shown);
        let named = [("month", name.as_str())];
        let here = format!("?month={shown}");
        let failed = facts.scoring == Scoring::Failed && facts.months.is_empty();
        let month = facts.month(shown);
        let total = match failed {
            true => Total::default(),
            false => Total::of(words, facts, shown),
        };
        let statuses = statuses(words, facts);
        let state = statuses
            .first()
            .map_or(&total.kind, |status| &status.heading);
        let title = format!("{} – {state}", words.with("overview-title", &named));
        Self {
            frame: Frame::of(visit, facts, &title, here),
            intro: !facts.introduced,
            statuses,
            picker: Picker::of(words, facts, shown),
            month: shown.to_string(),
            heading: words.with("total-heading", &named),
            total,
            own: SelfComparison::of(words, facts, shown),
            benchmark: BenchmarkView::of(words, facts),
            chart: Chart::of(words, facts, None),
            categories: month
                .map(|month| categories(words, facts, shown, month))
                .unwrap_or_default(),
            no_categories: words.with("categories-none", &named),
            what_if: WhatIf::of(words, facts, query),
            payments: facts
                .payments()
                .filter(|(month, _)| *month <= shown)
                .take(NEWEST)
                .map(|(_, payment)| PaymentRow::of(words, facts, payment))
                .collect(),
            donation: facts
                .donation
                .as_ref()
                .map(|d| (d.name.clone(), d.text.clone(), d.url.clone())),
            about: about(words, facts),
        }
    }
}

fn statuses(words: &Words, facts: &Facts) -> Vec<Status> {
    let mut all = Vec::new();
    let mut say = |heading: &str, texts: Vec<String>, again| {
        all.push(Status {
            heading: words.t(heading),
            texts,
            again,
        });
    };
    match facts.scoring {
        Scoring::Waiting if facts.months.is_empty() => {
            say("empty-heading", vec![words.t("empty-text")], true);
        }
        Scoring::Waiting => say("scoring-heading", vec![words.t("scoring-waiting")], true),
        Scoring::Running { scored, total } => {
            let (scored, total) = (words.formats.integer(scored), words.formats.integer(total));
            let progress = words.with(
                "scoring-progress",
                &[("scored", &scored), ("total", &total)],
            );
            say(
                "scoring-heading",
                vec![words.t("scoring-waiting"), progress],
                true,
            );
        }
        Scoring::Failed => {
            say(
                "scoring-failed-heading",
                vec![words.t("scoring-failed")],
                true,
            );
        }
        Scoring::Done if facts.months.is_empty() => {
            say("empty-heading", vec![words.t("empty-text")], false);
        }
        Scoring::Done => {}
    }
    if let Some(notice) = &facts.notice {
        let text = words.with(
            "notice-text",
            &[
                ("date", &words.formats.date(notice.date)),
                ("version", facts.set.id().as_str()),
                ("old", &figures::about(words, notice.before)),
                ("new", &figures::about(words, notice.after)),
            ],
        );
        say("notice-heading", vec![text], false);
    }
    all
}

fn categories(words: &Words, facts: &Facts, shown: Month, month: &MonthFacts) -> Vec<CategoryRow> {
    let mut areas: Vec<_> = month
        .areas
        .areas()
        .filter(|(_, sums)| sums.scored > 0)
        .collect();
    areas.sort_by_key(|(_, sums)| std::cmp::Reverse(sums.co2e));
    let longest = areas
        .iter()
        .map(|(_, sums)| sums.co2e.max(sums.co2e.negated()))
        .max();
    // Only full months are compared.
    let before = facts
        .month(shown.plus(-1))
        .filter(|_| shown < facts.running());
    let rows = areas.into_iter().map(|(code, sums)| CategoryRow {
        code,
        name: area_name(words, facts, Some(code)),
        figure: figures::rounded(words, sums.co2e),
        share: figures::share(sums.co2e.decimal(), month.total.co2e.decimal())
            .filter(|share| (1..=100).contains(share))
            .map(|share| words.formats.percent(share)),
        payments: words.count("payments-count", sums.scored, &[]),
        change: before.map(|before| {
            let former = reckon::area_grams(before, code);
            changed(words, Difference::of(sums.co2e, former))
        }),
        width: width(sums.co2e, longest.unwrap_or_default()),
        negative: sums.co2e < Grams::default(),
    });
    rows.collect()
}

fn changed(words: &Words, difference: Difference) -> String {
    let figure = figures::rounded(words, difference.size());
    let id = match difference.grams < Grams::default() {
        _ if difference.is_slight() => return words.t("categories-change-same"),
        true => "categories-change-less",
        false => "categories-change-more",
    };
    words.with(id, &[("figure", &figure)])
}

fn about(words: &Words, facts: &Facts) -> Vec<String> {
    let mut lines = vec![words.with("about-provider", &[("issuer", &facts.issuer.name)])];
    if let Some(digits) = &facts.last_four {
        lines.push(words.with("about-card", &[("digits", digits)]));
    }
    let version = facts.set.id().as_str();
    lines.push(match &facts.notice {
        Some(notice) => words.with(
            "about-method",
            &[
                ("version", version),
                ("date", &words.formats.date(notice.date)),
            ],
        ),
        None => words.with("about-method-plain", &[("version", version)]),
    });
    lines
}
