//! The rules for the decrypted fields, with the values that break them.

use super::super::report::{Cause, StepId};
use super::super::walk::Walk;
use super::envelope::short;
use super::members::{alike, at, is_token, wrapped_in};
use super::{Case, Operation};
use crate::enrolment::rules::{self, IssuerRules};
use crate::issuers::Issuer;
use crate::json::Object;
use crate::transactions::rules as items;
use crate::violation::{Code, Violation};
use chrono::Utc;
use serde_json::{Map, Value};

/// Updates are for issuers whose donation toggle is on: the gateway says so before it decrypts.
pub(super) fn examine_toggle(walk: &mut Walk, case: &Case<'_>) {
    let issuer = case.issuer.and_then(|known| known.issuer.as_ref());
    if case.operation != Operation::Update || issuer.is_none_or(|issuer| issuer.donation) {
        return;
    }
    let cause = Cause::new(
        "rules.donation_off",
        "Updates are open to issuers with the donation feature alone, and this one has it off.",
        "Enrol the card again to change a cardholder, or have the operator set donation = true.",
    );
    walk.failed(StepId::Rules, "donation off", "donation on", cause);
}

pub(super) fn examine(walk: &mut Walk, case: &Case<'_>, object: &Object) {
    let members = object.members();
    if let Some(again) = encrypted_again(members) {
        let cause = Cause::new(
            "json.encrypted_twice",
            "The decrypted payload is an encrypted payload again.",
            "Encrypt once; an interceptor of the client library may do it a second time.",
        );
        walk.failed(StepId::Json, again, "the fields in clear", cause);
        return;
    }
    let names: Vec<&str> = members.keys().map(String::as_str).collect();
    walk.passed(StepId::Json, format!("an object with {}", names.join(", ")));
    if walk.reached(StepId::Rules).is_some() {
        return;
    }
    let Some(issuer) = case.issuer.and_then(|known| known.issuer.as_ref()) else {
        walk.not_checked(StepId::Rules, "the issuer's rules are not known here");
        return;
    };
    let today = case.call.at.unwrap_or_else(Utc::now).date_naive();
    let of_issuer = IssuerRules::of(issuer);
    let broken = match case.operation {
        Operation::Enrol => rules::enrolment(object, &of_issuer, today).err(),
        Operation::Update => rules::update(object, &of_issuer).err(),
        _ => match items::items(object, issuer) {
            Ok(received) => {
                transactions(walk, &received, members);
                return;
            }
            Err(violations) => Some(violations),
        },
    };
    match broken {
        None => walk.passed(StepId::Rules, "every rule holds"),
        Some(violations) => {
            let cause = cause(case, issuer, &violations, members);
            let found = format!("{} broken", super::codec::count(violations.len(), "rule"));
            walk.failed(StepId::Rules, found, "none", cause);
        }
    }
}

/// `encryptedData` in what was decrypted.
fn encrypted_again(members: &Map<String, Value>) -> Option<String> {
    let token = |value: &Value| value.as_str().is_some_and(is_token);
    let (name, _) = members
        .iter()
        .find(|(name, value)| *name == "encryptedData" || token(value))?;
    Some(format!("an object with {name}"))
}

/// Items break rules alone: the call is done, and its answer says which.
fn transactions(walk: &mut Walk, received: &[items::Received], members: &Map<String, Value>) {
    let broken: Vec<String> = received
        .iter()
        .enumerate()
        .filter_map(|(index, item)| {
            let violations = item.item.as_ref().err()?;
            let first = violations.first()?;
            let path = format!("transactions.{index}.{}", first.path);
            let value = members.get("transactions").and_then(|items| {
                let item = items.get(index)?.as_object()?;
                at(item, &first.path)
            });
            let value = value.map_or_else(|| "absent".to_owned(), short);
            Some(format!("{path} {}: {value}", first.rule))
        })
        .collect();
    let found = match broken.as_slice() {
        [] => format!(
            "{} without a fault",
            super::codec::count(received.len(), "item")
        ),
        broken => format!(
            "{} of {} are refused alone: {}",
            broken.len(),
            super::codec::count(received.len(), "item"),
            broken.join("; ")
        ),
    };
    walk.passed(StepId::Rules, found);
}

fn cause(
    case: &Case<'_>,
    issuer: &Issuer,
    violations: &[Violation],
    members: &Map<String, Value>,
) -> Cause {
    let Some(first) = violations.first() else {
        return Cause::new("rules.format", "A rule is broken.", "See the details.");
    };
    let missing = violations.iter().all(|v| v.rule == "is required");
    const NAMES: [&str; 4] = ["cardNumber", "cardholderName", "transactions", "email"];
    let mut cause = match wrapped_in(members, &NAMES).filter(|_| missing) {
        Some(name) => Cause::new(
            "rules.wrapped",
            format!("The fields are inside of {name}, not at the root of the payload."),
            format!("Encrypt the value of {name} itself."),
        ),
        None => {
            let value = at(members, &first.path).map_or_else(|| "absent".to_owned(), short);
            Cause::new(
                code(first),
                format!("{} {}; it is {value}.", first.path, first.rule),
                advice(case, issuer, first, members),
            )
        }
    };
    for violation in violations {
        let value = at(members, &violation.path).map_or_else(|| "absent".to_owned(), short);
        let near = match violation.rule.as_ref() {
            "is required" => nearby(members, &violation.path),
            _ => None,
        };
        let value = near.map_or(value, |name| format!("absent, but there is {name}"));
        cause = cause.with(violation.path.as_ref(), value, violation.rule.as_ref());
    }
    cause
}

/// A member beside a missing one whose name is nearly its.
fn nearby<'m>(members: &'m Map<String, Value>, path: &str) -> Option<&'m str> {
    match path.rsplit_once('.') {
        None => alike(members, path),
        Some((parent, name)) => alike(at(members, parent)?.as_object()?, name),
    }
}

fn code(violation: &Violation) -> &'static str {
    match violation.code {
        Code::InvalidFpan if violation.rule.contains("check digit") => "rules.check_digit",
        Code::InvalidFpan => "rules.account_range",
        Code::UnsupportedCurrency => "rules.currency",
        Code::ListSize => "rules.list_size",
        Code::AccountRangeTaken => "rules.range_taken",
        Code::InvalidRequestParameter => match violation.rule.as_ref() {
            "is required" => "rules.required",
            "must not be in the past" => "rules.expired",
            "must be a string" | "must be an object" | "must be an array" => "rules.type",
            _ => "rules.format",
        },
    }
}

fn advice(
    case: &Case<'_>,
    issuer: &Issuer,
    violation: &Violation,
    members: &Map<String, Value>,
) -> String {
    match code(violation) {
        "rules.account_range" => {
            let own = ranges(issuer);
            let digits = members.get("cardNumber").and_then(Value::as_str);
            let other = case.known.issuers.iter().find(|known| {
                let issues = |issuer: &Issuer| digits.is_some_and(|digits| issuer.issues(digits));
                known.issuer.as_deref().is_some_and(issues)
            });
            let other = other.map_or_else(String::new, |known| {
                format!(" This number lies in a range of {}.", known.name)
            });
            format!("The account ranges of {} are {own}.{other}", issuer.name)
        }
        "rules.check_digit" => {
            "Check the number for a typing error; made-up numbers need a Luhn digit at the end."
                .to_owned()
        }
        "rules.required" => match nearby(members, &violation.path) {
            Some(name) => format!("Rename {name}: names are case sensitive."),
            None if issuer.donation => {
                "Send the field; with the donation feature on, all fields are required.".to_owned()
            }
            None => "Send the field.".to_owned(),
        },
        _ => "Send a value that keeps the rule; /docs has the form of every field.".to_owned(),
    }
}

fn ranges(issuer: &Issuer) -> String {
    let ranges = issuer.account_ranges.iter();
    let ranges: Vec<String> = ranges.map(ToString::to_string).collect();
    ranges.join(", ")
}
