//! How one payment was estimated.

use super::super::facts::{Counted, Facts, Payment, PaymentKind};
use super::super::figures;
use super::super::texts::Words;
use super::frame::{Frame, Visit};
use super::payments::merchant;
use super::steps::Steps;
use super::total::Line;
use super::{area_name, encoded};
use crate::footprint::{Explanation, Verdict};
use askama::Template;
use std::fmt;

/// The page of a payment. `Debug` hides it.
#[derive(Template)]
#[template(path = "payment.html", config = "src/dashboard/askama.toml")]
pub struct PaymentPage {
    /// What stands round it.
    pub frame: Frame,
    /// The merchant.
    pub merchant: String,
    /// Rounded; `None` if it counts nothing.
    pub figure: Option<String>,
    /// Whether "about" stands before it.
    pub about: bool,
    /// The confidence's circle.
    pub class: &'static str,
    /// The confidence in words.
    pub confidence: String,
    /// Amount, date, kind, category, country.
    pub facts: Vec<Line>,
    /// The way from the amount to the grams.
    pub steps: Vec<Line>,
    /// The whole sum in one line.
    pub sum: Option<String>,
    /// Exact grams.
    pub exact: Option<String>,
    /// Why it counts nothing, why the confidence is what it is, and other remarks.
    pub remarks: Vec<String>,
}

impl fmt::Debug for PaymentPage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PaymentPage(…)")
    }
}

impl PaymentPage {
    /// `explanation` is of the payment with the rows that its score was made from; `None` where
    /// there is nothing to explain.
    pub fn of(
        visit: &Visit<'_>,
        facts: &Facts,
        payment: &Payment,
        explanation: Option<&Explanation<'_>>,
    ) -> Self {
        let words = &visit.words;
        let here = format!("transactions/{}", encoded(&payment.id));
        let mut page = Self {
            frame: Frame::of(visit, facts, &words.t("payment-title"), here),
            merchant: merchant(words, payment),
            figure: None,
            about: false,
            class: "none",
            confidence: words.t("confidence-none"),
            facts: of_payment(words, facts, payment),
            steps: Vec::new(),
            sum: None,
            exact: None,
            remarks: Vec::new(),
        };
        match payment.counted {
            Counted::Not(reason) => {
                let category = area_name(words, facts, payment.area);
                page.remarks = vec![
                    words.t("payment-nothing"),
                    words.with(
                        &format!("unscored-{}", reason.name()),
                        &[("category", &category)],
                    ),
                ];
            }
            Counted::Grams {
                co2e, confidence, ..
            } => {
                page.figure = Some(figures::trusted(words, co2e, confidence));
                page.about = figures::is_rounded(co2e);
                page.class = confidence.name();
                page.confidence = words.t(&format!("confidence-{}", confidence.name()));
                page.exact = Some(figures::exact(words, co2e));
                page.explain(words, payment, co2e, explanation);
            }
        }
        if payment.kind != PaymentKind::Purchase {
            page.remarks.push(words.t("payment-refund-note"));
        }
        page
    }

    fn explain(
        &mut self,
        words: &Words,
        payment: &Payment,
        stored: crate::footprint::Grams,
        explanation: Option<&Explanation<'_>>,
    ) {
        let Some(explanation) = explanation else {
            return;
        };
        if let Some(reason) = explanation.confidence_reason {
            self.remarks
                .push(words.t(&format!("reason-{}", reason.code())));
        }
        let same = match explanation.assessment.verdict {
            Verdict::Scored(score) => score.co2e == stored,
            _ => false,
        };
        if same {
            let steps = Steps::of(words, payment, explanation, stored);
            self.steps = steps.lines;
            self.sum = Some(steps.sum);
        } else if payment.kind == PaymentKind::Reversal {
            self.remarks.push(words.t("payment-reversed"));
        } else {
            self.remarks.push(words.t("payment-stored"));
        }
    }
}

fn of_payment(words: &Words, facts: &Facts, payment: &Payment) -> Vec<Line> {
    let line = |label: &str, value: String| Line {
        label: words.t(label),
        value,
    };
    let kind = words.t(match payment.kind {
        PaymentKind::Purchase => "payment-status-purchase",
        PaymentKind::Refund => "payments-refund",
        PaymentKind::Reversal => "payments-reversal",
    });
    let mcc = payment.mcc.to_string();
    let from = words.with("payment-category-mcc", &[("mcc", &mcc)]);
    let category = area_name(words, facts, payment.area);
    vec![
        line("payments-amount", words.formats.money(payment.amount)),
        line("payments-date", words.formats.date(payment.date)),
        line("payment-status", kind),
        line("payment-category", format!("{category}, {from}")),
        line("payment-country", payment.country.code().to_owned()),
    ]
}
