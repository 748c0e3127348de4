//! Payments: rows on several screens, and the list of all of them.

use super::super::facts::{Facts, Payment, PaymentKind};
use super::super::figures;
use super::super::texts::Words;
use super::frame::{Frame, Visit};
use super::{Query, area_name, encoded};
use askama::Template;
use std::fmt;

/// Payments on a page.
pub const PAGE: usize = 20;

/// A payment in a list. `Debug` hides it.
#[derive(Clone)]
pub struct PaymentRow {
    /// Its address behind the root.
    pub href: String,
    /// Its day.
    pub date: String,
    /// Its merchant, or its category where the feed names none.
    pub merchant: String,
    /// Its category.
    pub category: String,
    /// Amount and currency.
    pub amount: String,
    /// Refund or reversal.
    pub kind: Option<String>,
    /// Rounded, or "not counted".
    pub figure: String,
    /// `high`, `medium`, `low` or `none`: which circle stands before the word.
    pub class: &'static str,
    /// The confidence in words.
    pub confidence: String,
}

impl fmt::Debug for PaymentRow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PaymentRow(…)")
    }
}

impl PaymentRow {
    pub(super) fn of(words: &Words, facts: &Facts, payment: &Payment) -> Self {
        let category = area_name(words, facts, payment.area);
        let counted = payment.grams();
        Self {
            href: format!("transactions/{}", encoded(&payment.id)),
            date: words.formats.date(payment.date),
            merchant: merchant(words, payment),
            category,
            amount: words.formats.money(payment.amount),
            kind: kind(words, payment.kind),
            figure: match counted {
                Some((grams, confidence)) => figures::trusted(words, grams, confidence),
                None => words.t("payments-not-counted"),
            },
            class: counted.map_or("none", |(_, confidence)| confidence.name()),
            confidence: match counted {
                Some((_, confidence)) => words.t(&format!("confidence-{}", confidence.name())),
                None => words.t("confidence-none"),
            },
        }
    }
}

pub(super) fn merchant(words: &Words, payment: &Payment) -> String {
    let merchant = payment.merchant.clone();
    merchant.unwrap_or_else(|| words.t("payment-unknown-merchant"))
}

fn kind(words: &Words, kind: PaymentKind) -> Option<String> {
    match kind {
        PaymentKind::Purchase => None,
        PaymentKind::Refund => Some(words.t("payments-refund")),
        PaymentKind::Reversal => Some(words.t("payments-reversal")),
    }
}

/// The list.
#[derive(Debug, Template)]
#[template(path = "payments.html", config = "src/dashboard/askama.toml")]
pub struct PaymentsPage {
    /// What stands round it.
    pub frame: Frame,
    /// Month or category.
    pub heading: String,
    /// Which of how many.
    pub range: Option<String>,
    /// At most [`PAGE`] of them, newest first.
    pub payments: Vec<PaymentRow>,
    /// Address of the page before.
    pub previous: Option<String>,
    /// Address of the page after.
    pub next: Option<String>,
}

impl PaymentsPage {
    /// Of what the address asks for.
    pub fn of(visit: &Visit<'_>, facts: &Facts, query: &Query) -> Self {
        let words = &visit.words;
        let heading = match (query.month, query.category) {
            (Some(month), _) => {
                let name = words.formats.month(month);
                words.with("payments-title", &[("month", &name)])
            }
            (None, Some(code)) => {
                let category = area_name(words, facts, Some(code));
                words.with("payments-title-category", &[("category", &category)])
            }
            (None, None) => words.t("payments-title-all"),
        };
        let found: Vec<&Payment> = chosen(facts, query).collect();
        let total = found.len();
        let offset = query.offset.min(total.saturating_sub(1)) / PAGE * PAGE;
        let shown: Vec<PaymentRow> = found
            .iter()
            .skip(offset)
            .take(PAGE)
            .map(|payment| PaymentRow::of(words, facts, payment))
            .collect();
        let number = |number: usize| words.formats.integer(i64::try_from(number).unwrap_or(0));
        let range = (total > 0).then(|| {
            words.with(
                "payments-range",
                &[
                    ("first", &number(offset + 1)),
                    ("last", &number(offset + shown.len())),
                    ("total", &number(total)),
                ],
            )
        });
        let next = offset + PAGE;
        Self {
            frame: Frame::of(visit, facts, &heading, address(query, offset)),
            heading,
            range,
            payments: shown,
            previous: (offset > 0).then(|| address(query, offset.saturating_sub(PAGE))),
            next: (next < total).then(|| address(query, next)),
        }
    }
}

/// The payments of a month, a category, or all, newest first.
pub(crate) fn chosen<'f>(facts: &'f Facts, query: &'f Query) -> impl Iterator<Item = &'f Payment> {
    facts
        .payments()
        .filter(|(month, _)| query.month.is_none_or(|wanted| wanted == *month))
        .map(|(_, payment)| payment)
        .filter(|payment| query.category.is_none() || payment.area == query.category)
}

fn address(query: &Query, offset: usize) -> String {
    let mut address = format!("transactions?offset={offset}");
    if let Some(month) = query.month {
        address += &format!("&month={month}");
    }
    if let Some(category) = query.category {
        address += &format!("&category={category}");
    }
    address
}
