//! The month's picker and total.

use super::super::facts::{Facts, MonthFacts, Scoring};
use super::super::figures;
use super::super::texts::Words;
use super::area_name;
use crate::footprint::set::Confidence;
use crate::footprint::{Grams, Month};
use rust_decimal::Decimal;

/// Months in the picker, and columns in the chart.
pub(super) const MONTHS: i32 = 13;

/// A month to choose.
#[derive(Debug, Clone)]
pub struct MonthChoice {
    /// `2026-10`
    pub value: String,
    /// Its name.
    pub name: String,
    /// Shown now.
    pub selected: bool,
}

/// The choice of a month.
#[derive(Debug, Clone)]
pub struct Picker {
    /// The month that is shown.
    pub name: String,
    /// Value and label of the month before.
    pub previous: Option<(String, String)>,
    /// Value and label of the month after.
    pub next: Option<(String, String)>,
    /// Newest first.
    pub choices: Vec<MonthChoice>,
}

/// A label with its value.
#[derive(Debug, Clone)]
pub struct Line {
    /// What.
    pub label: String,
    /// How much.
    pub value: String,
}

/// The total.
#[derive(Debug, Clone, Default)]
pub struct Total {
    /// The word over the figure: an estimate, and of what.
    pub kind: String,
    /// The rounded figure; `None` where there is none.
    pub figure: Option<String>,
    /// Whether "about" stands before it.
    pub about: bool,
    /// Payments and spending that it covers.
    pub coverage: Option<String>,
    /// Why there is nothing, or less than nothing.
    pub remark: Option<String>,
    /// Exact figures and gaps.
    pub details: Vec<Line>,
}

impl Picker {
    /// The newest months with payments, and the running one.
    pub(super) fn of(words: &Words, facts: &Facts, shown: Month) -> Self {
        let running = facts.running();
        let mut months: Vec<Month> = facts.months.keys().copied().collect();
        months.extend([running, shown]);
        months.retain(|month| *month > running.plus(-MONTHS) && *month <= running.max(shown));
        months.sort_unstable();
        months.dedup();
        let label = |id: &str, month: Month| {
            let name = words.formats.month(month);
            (month.to_string(), words.with(id, &[("month", &name)]))
        };
        let earlier = months.iter().rev().find(|month| **month < shown);
        let later = months.iter().find(|month| **month > shown);
        Self {
            name: words.formats.month(shown),
            previous: earlier.map(|month| label("month-previous", *month)),
            next: later.map(|month| label("month-next", *month)),
            choices: months
                .iter()
                .rev()
                .map(|month| MonthChoice {
                    value: month.to_string(),
                    name: words.formats.month(*month),
                    selected: *month == shown,
                })
                .collect(),
        }
    }
}

impl Total {
    pub(super) fn of(words: &Words, facts: &Facts, shown: Month) -> Self {
        let month = facts.month(shown);
        let is_whole = !matches!(facts.scoring, Scoring::Waiting | Scoring::Running { .. });
        let kind = match (shown == facts.running(), is_whole) {
            (true, true) => "total-so-far",
            (true, false) => "total-so-far-incomplete",
            (false, false) => "total-incomplete",
            (false, true) => "total-estimate",
        };
        let mut total = Self {
            kind: words.t(kind),
            ..Self::default()
        };
        let Some(month) = month.filter(|month| month.count() > 0) else {
            let name = words.formats.month(shown);
            total.remark = Some(words.with("total-no-payments", &[("month", &name)]));
            return total;
        };
        total.figure = Some(figures::rounded(words, month.total.co2e));
        total.about = figures::is_rounded(month.total.co2e);
        total.coverage = Some(coverage(words, month));
        total.remark = if month.total.scored == 0 {
            Some(words.t("total-only-unscored"))
        } else if month.total.co2e < Grams::default() {
            Some(words.t("total-negative"))
        } else {
            None
        };
        total.details = details(words, facts, month);
        total
    }
}

fn coverage(words: &Words, month: &MonthFacts) -> String {
    let share = spend_share(month).unwrap_or_default();
    let scored = words.formats.integer(month.total.scored);
    let share = words.formats.percent(share);
    let texts = [("scored", scored.as_str()), ("share", share.as_str())];
    words.count("total-coverage", month.count(), &texts)
}

/// How much of the spending has grams, in percent. Refunds count by their size.
pub(crate) fn spend_share(month: &MonthFacts) -> Option<i64> {
    let (scored, not_scored) = (
        Decimal::from(month.total.spend_scored).abs(),
        Decimal::from(month.total.spend_not_scored).abs(),
    );
    figures::share(scored, scored + not_scored)
}

fn details(words: &Words, facts: &Facts, month: &MonthFacts) -> Vec<Line> {
    let mut lines = vec![Line {
        label: words.t("exact-sum"),
        value: figures::exact(words, month.total.co2e),
    }];
    if facts.imperial {
        lines.push(Line {
            label: words.t("exact-sum"),
            value: figures::pounds(words, month.total.co2e),
        });
    }
    let mix: Vec<String> = Confidence::ALL
        .into_iter()
        .zip(month.total.by_confidence)
        .rev()
        .filter_map(|(class, grams)| {
            let share = figures::share(grams.decimal(), month.total.co2e.decimal())?;
            let class = words.t(&format!("confidence-{}", class.name()));
            (share > 0).then(|| format!("{class} {}", words.formats.percent(share)))
        })
        .collect();
    if !mix.is_empty() {
        lines.push(Line {
            label: words.t("exact-confidence"),
            value: mix.join(", "),
        });
    }
    if month.total.not_scored > 0 {
        let gaps = month.areas.areas().filter(|(_, sums)| sums.not_scored > 0);
        let gaps = gaps.map(|(code, sums)| {
            let count = words.count("payments-count", sums.not_scored, &[]);
            format!("{}: {count}", area_name(words, facts, Some(code)))
        });
        lines.push(Line {
            label: words.t("exact-not-counted"),
            value: gaps.collect::<Vec<_>>().join("; "),
        });
    }
    if let Some(updated) = month.updated {
        lines.push(Line {
            label: words.t("exact-updated"),
            value: words
                .formats
                .date(updated.with_timezone(&facts.zone).date_naive()),
        });
    }
    lines.push(Line {
        label: words.t("exact-method"),
        value: facts.set.id().to_string(),
    });
    lines
}
