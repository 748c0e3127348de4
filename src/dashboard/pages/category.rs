//! One category: its months, and its payments of a month.

use super::super::facts::Facts;
use super::super::figures;
use super::super::reckon;
use super::chart::Chart;
use super::frame::{Frame, Visit};
use super::payments::PaymentRow;
use super::total::Picker;
use super::{Query, area_name};
use askama::Template;

/// A category of a month.
#[derive(Debug, Template)]
#[template(path = "category.html", config = "src/dashboard/askama.toml")]
pub struct CategoryPage {
    /// What stands round it.
    pub frame: Frame,
    /// Its name.
    pub category: String,
    /// Its address behind the root, without the month.
    pub path: String,
    /// The month, for links.
    pub month: String,
    /// The choice of a month.
    pub picker: Picker,
    /// Rounded.
    pub figure: String,
    /// Whether "about" stands before it.
    pub about: bool,
    /// Exact.
    pub exact: String,
    /// Of the month's footprint.
    pub share: Option<String>,
    /// Its months.
    pub chart: Option<Chart>,
    /// The heading of its payments.
    pub payments_heading: String,
    /// Its payments in the month.
    pub payments: Vec<PaymentRow>,
}

impl CategoryPage {
    /// `None` if the factor set has no such category.
    pub fn of(visit: &Visit<'_>, facts: &Facts, code: u16, query: &Query) -> Option<Self> {
        let words = &visit.words;
        facts.area(code)?;
        let shown = query.month.unwrap_or(facts.running());
        let name = words.formats.month(shown);
        let category = area_name(words, facts, Some(code));
        let heading = words.with(
            "category-title",
            &[("category", &category), ("month", &name)],
        );
        let path = format!("category/{code}");
        let month = facts.month(shown);
        let grams = month.map(|month| reckon::area_grams(month, code));
        let grams = grams.unwrap_or_default();
        let total = month.map(|month| month.total.co2e).unwrap_or_default();
        let share = figures::share(grams.decimal(), total.decimal());
        let payments = month.map(|month| month.payments.as_slice());
        Some(Self {
            frame: Frame::of(visit, facts, &heading, format!("{path}?month={shown}")),
            category,
            path,
            month: shown.to_string(),
            picker: Picker::of(words, facts, shown),
            figure: figures::rounded(words, grams),
            about: figures::is_rounded(grams),
            exact: figures::exact(words, grams),
            share: share
                .filter(|share| (0..=100).contains(share))
                .map(|share| {
                    let share = words.formats.percent(share);
                    words.with("category-share", &[("share", &share)])
                }),
            chart: Chart::of(words, facts, Some(code)),
            payments_heading: words.with("category-payments", &[("month", &name)]),
            payments: payments
                .unwrap_or_default()
                .iter()
                .filter(|payment| payment.area == Some(code))
                .map(|payment| PaymentRow::of(words, facts, payment))
                .collect(),
        })
    }
}
