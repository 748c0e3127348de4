//! What became of an item, as the answer says it (scoring.md 12.1).

use super::post::{ItemRefusal, Posted, Stored};
use super::stored::ScoreOutcome;
use super::take::Named;
use crate::footprint::set::Mcc;
use crate::footprint::{FactorSet, Grams};
use crate::violation::Violation;
use serde_json::{Map, Value, json};

/// The most rules that an outcome names.
const MOST_NAMED: usize = 5;

/// The outcome of an item that breaks rules.
pub(super) fn broken(name: Option<&str>, violations: &[Violation]) -> Value {
    let rules: Vec<String> = violations
        .iter()
        .take(MOST_NAMED)
        .map(|violation| match violation.path.as_ref() {
            "" => violation.rule.to_string(),
            path => format!("{path}: {}", violation.rule),
        })
        .collect();
    let mut outcome = begun(name, "FAILURE");
    fail(&mut outcome, "INVALID_REQUEST_PARAMETER", &rules.join("; "));
    Value::Object(outcome)
}

/// The outcome of an item that was posted.
pub(super) fn posted(item: &Named, posted: &Posted) -> Value {
    let name = item.name.as_deref();
    let mut outcome = match posted {
        Posted::Stored(stored) => self::stored(name, item.mcc, stored),
        Posted::Ignored => {
            let mut outcome = begun(name, "SUCCESS");
            let reason = "authorisation: only what is cleared counts";
            outcome.insert("notScoredReason".to_owned(), reason.into());
            outcome
        }
        Posted::Refused(refusal) => {
            let mut outcome = begun(name, "FAILURE");
            let (code, text) = refused(*refusal);
            fail(&mut outcome, code, text);
            outcome
        }
    };
    if let Some(brand) = item.brand {
        outcome.insert("cardBrand".to_owned(), brand.code().into());
    }
    Value::Object(outcome)
}

fn begun(name: Option<&str>, status: &str) -> Map<String, Value> {
    let mut outcome = Map::new();
    outcome.insert("transactionId".to_owned(), name.into());
    outcome.insert("scoreStatus".to_owned(), status.into());
    outcome
}

fn fail(outcome: &mut Map<String, Value>, code: &str, description: &str) {
    outcome.insert("errorCode".to_owned(), code.into());
    outcome.insert("errorDescription".to_owned(), description.into());
}

/// The outcome's stable name in the metrics.
pub(super) fn name(posted: &Posted) -> &'static str {
    match posted {
        Posted::Stored(stored) if stored.again => "again",
        Posted::Stored(stored) => match stored.scored.outcome {
            ScoreOutcome::Grams(_) => "scored",
            _ => "not_scored",
        },
        Posted::Ignored => "authorisation",
        Posted::Refused(ItemRefusal::NotFound) => "not_found",
        Posted::Refused(ItemRefusal::OutsideWindow) => "outside_window",
        Posted::Refused(ItemRefusal::UnsupportedCurrency) => "unsupported_currency",
        Posted::Refused(ItemRefusal::Conflict) => "conflict",
        Posted::Refused(ItemRefusal::TooMany) => "too_many",
    }
}

/// Code and text of an item that is not stored.
pub fn refused(refusal: ItemRefusal) -> (&'static str, &'static str) {
    match refusal {
        ItemRefusal::NotFound => (
            "PAYMENT_CARD_NOT_FOUND",
            "No active cardholder has this card or id.",
        ),
        ItemRefusal::OutsideWindow => (
            "OUTSIDE_WINDOW",
            "date: must not be before the 12 months before enrolment, nor after tomorrow",
        ),
        ItemRefusal::UnsupportedCurrency => (
            "UNSUPPORTED_CURRENCY",
            "amount.currencyCode: no exchange rate is known",
        ),
        ItemRefusal::Conflict => (
            "TRANSACTION_CONFLICT",
            "transactionId: the cardholder has another transaction of this id",
        ),
        ItemRefusal::TooMany => (
            "TOO_MANY_TRANSACTIONS",
            "The cardholder's month holds as many transactions as it can.",
        ),
    }
}

fn stored(name: Option<&str>, mcc: Option<Mcc>, stored: &Stored) -> Map<String, Value> {
    let set = stored.scorer.set();
    let category = mcc.and_then(|mcc| set.category(mcc));
    let scored = &stored.scored.outcome;
    let mut outcome = match scored {
        ScoreOutcome::InvalidMcc => {
            let mut outcome = begun(name, "FAILURE");
            let text = "mcc: the factor set does not know this merchant category";
            fail(&mut outcome, "INVALID_MCC", text);
            outcome
        }
        _ => begun(name, "SUCCESS"),
    };
    let mut put = |name: &str, value: Value| outcome.insert(name.to_owned(), value);
    match scored {
        ScoreOutcome::Grams(score) => {
            put("carbonEmissionInGrams", number(score.co2e));
            put(
                "carbonEmissionInOunces",
                decimal(&score.co2e.ounces().to_string()),
            );
            put("confidence", score.confidence.name().into());
        }
        ScoreOutcome::Category => {
            let reason = category.and_then(|category| category.reason.as_deref());
            put("notScoredReason", reason.unwrap_or("not scored").into());
            put("confidence", "none".into());
        }
        ScoreOutcome::Never(unscored) => {
            put("notScoredReason", unscored.reason().into());
            put("confidence", "none".into());
        }
        ScoreOutcome::OutOfRange => {
            put("notScoredReason", "the grams are out of range".into());
            put("confidence", "none".into());
        }
        ScoreOutcome::InvalidMcc => {}
    }
    if let Some(category) = mcc.and_then(|mcc| category_of(set, mcc)) {
        put("category", category);
        put("scoreReference", "MCC".into());
    }
    put("factorSet", set.id().as_str().into());
    outcome
}

/// `category` of a merchant category, as the Carbon Calculator writes it; `None` if the set does
/// not know it.
pub fn category_of(set: &FactorSet, mcc: Mcc) -> Option<Value> {
    let category = set.category(mcc)?;
    let area = set.area(category)?;
    Some(json!({
        "mainCategory": area.main_category,
        "subCategory": area.sub_category,
        "sector": category.description,
        "sectorCode": area.code.to_string(),
    }))
}

fn number(grams: Grams) -> Value {
    decimal(&grams.to_string())
}

/// A JSON number of these digits: 15 at most, so the double that serde_json keeps is written as
/// they are, but for zeros at the end.
fn decimal(text: &str) -> Value {
    let number = text.parse().ok().and_then(serde_json::Number::from_f64);
    number.map_or(Value::Null, Value::Number)
}
