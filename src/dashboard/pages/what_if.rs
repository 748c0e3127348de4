//! What if a category were smaller: arithmetic on the cardholder's own months, and nothing else.

use super::super::facts::Facts;
use super::super::figures;
use super::super::reckon;
use super::super::texts::Words;
use super::{Query, area_name};
use crate::footprint::Grams;

/// Percent that can be chosen.
pub const CUTS: [i64; 3] = [10, 25, 50];

/// A choice of a form.
#[derive(Debug, Clone)]
pub struct Choice {
    /// What is sent.
    pub value: String,
    /// What is read.
    pub name: String,
    /// Chosen now.
    pub selected: bool,
}

/// The form and its answer.
#[derive(Debug, Clone)]
pub struct WhatIf {
    /// Categories, the largest first.
    pub categories: Vec<Choice>,
    /// Percentages.
    pub cuts: Vec<Choice>,
    /// The answer.
    pub result: String,
    /// What it is worked out from.
    pub basis: String,
}

/// What a cut of a category comes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Cut {
    /// Mean of the full months.
    pub(crate) before: Grams,
    /// The same with less.
    pub(crate) after: Grams,
    /// How many full months.
    pub(crate) months: i64,
}

/// `None` without a full month, or where the mean is not above zero.
pub(crate) fn cut(facts: &Facts, area: u16, percent: i64) -> Option<Cut> {
    let (before, months) = reckon::area_mean(facts, area)?;
    let less = reckon::percent_of(before, percent);
    (before > Grams::default()).then_some(Cut {
        before,
        after: before.checked_sub(less)?,
        months: i64::try_from(months).ok()?,
    })
}

impl WhatIf {
    pub(super) fn of(words: &Words, facts: &Facts, query: &Query) -> Option<Self> {
        let mut areas: Vec<(u16, Cut)> = facts
            .set
            .areas()
            .iter()
            .filter_map(|area| Some((area.code, cut(facts, area.code, 0)?)))
            .collect();
        areas.sort_by_key(|(_, cut)| std::cmp::Reverse(cut.before));
        let wished = query
            .category
            .filter(|code| areas.iter().any(|(area, _)| area == code));
        let chosen = wished.or_else(|| areas.first().map(|(area, _)| *area))?;
        let percent = query.cut.filter(|cut| CUTS.contains(cut)).unwrap_or(25);
        let found = cut(facts, chosen, percent)?;
        let less = found.before.checked_sub(found.after)?;
        let (before, after) = (
            figures::rounded(words, found.before),
            figures::rounded(words, found.after),
        );
        Some(Self {
            categories: areas
                .iter()
                .map(|(area, _)| Choice {
                    value: area.to_string(),
                    name: area_name(words, facts, Some(*area)),
                    selected: *area == chosen,
                })
                .collect(),
            cuts: CUTS
                .into_iter()
                .map(|cut| Choice {
                    value: cut.to_string(),
                    name: words.formats.percent(cut),
                    selected: cut == percent,
                })
                .collect(),
            result: words.with(
                "what-if-result",
                &[
                    ("percent", &words.formats.percent(percent)),
                    ("category", &area_name(words, facts, Some(chosen))),
                    ("figure", &figures::rounded(words, less)),
                ],
            ),
            basis: words.count(
                "what-if-basis",
                found.months,
                &[("before", &before), ("after", &after)],
            ),
        })
    }
}
