//! The envelope: why the gateway's parser refuses the body.

use super::super::codec;
use super::super::diff::visible;
use super::super::report::{Cause, StepId};
use super::super::walk::Walk;
use super::members::{alike, encrypted, is_token, wrapped_in};
use super::raw::Scheme;
use super::unreadable::unreadable;
use super::{Case, Operation, json};
use crate::json as strict;
use crate::payload::field_level::{ENCRYPTED_DATA, ENCRYPTED_KEY, ENCRYPTED_KEY_HEADER, IV};
use crate::payload::{BrokenRule, EnvelopeError, EnvelopeKind};
use serde_json::{Map, Value};

const EXPECTED: &str = "{\"encryptedData\": \"…\"} with a compact JWE, or field-level encryption";

/// The envelope is in order.
pub(super) fn accepted(walk: &mut Walk, case: &Case<'_>) {
    let Some(raw) = &case.raw else {
        walk.passed(StepId::Envelope, "an envelope");
        return;
    };
    let (kind, lengths) = match &raw.scheme {
        Scheme::Jwe { alg, enc, .. } => (
            format!("JWE with {alg} and {enc}"),
            format!(
                "IV of {}, tag of {}",
                codec::count(raw.iv.len(), "byte"),
                codec::count(raw.tag.len(), "byte")
            ),
        ),
        Scheme::FieldLevel { digest } => (
            format!(
                "field-level encryption, OAEP with {}",
                digest
                    .as_deref()
                    .unwrap_or("SHA-256 (nothing else is said)")
            ),
            format!(
                "IV of {}, ciphertext of {}",
                codec::count(raw.iv.len(), "byte"),
                codec::count(raw.ciphertext.len(), "byte")
            ),
        ),
    };
    walk.passed(StepId::Envelope, kind);
    walk.passed(StepId::Iv, lengths);
}

/// The parser's refusal.
pub(super) fn refused(walk: &mut Walk, case: &Case<'_>, error: &EnvelopeError) {
    let reason = match error {
        EnvelopeError::NotAccepted(kind) => {
            let kind = match kind {
                EnvelopeKind::Jwe => "a JWE",
                EnvelopeKind::FieldLevel => "field-level encryption",
            };
            let cause = Cause::new(
                "envelope.not_accepted",
                format!("This issuer is not set to send {kind}."),
                "Send the other envelope, or have the operator change the issuer's setting \
                 envelopes.",
            );
            walk.failed(StepId::Envelope, kind, "the other envelope", cause);
            return;
        }
        EnvelopeError::Violations(rules) => {
            let cause = violations(case, rules);
            walk.failed(
                StepId::Envelope,
                beginning(&case.call.body),
                EXPECTED,
                cause,
            );
            return;
        }
        EnvelopeError::Crypto(reason) => *reason,
    };
    let (step, found, expected, cause) = unreadable(case, reason);
    if step == StepId::Iv {
        walk.passed(StepId::Envelope, "an envelope with its members");
    }
    walk.failed(step, found, expected, cause);
}

fn beginning(body: &[u8]) -> String {
    const SHOWN: usize = 80;
    let text = super::super::diff::shown(body.get(..SHOWN).unwrap_or(body));
    let dots = if body.len() > SHOWN { "…" } else { "" };
    match text.as_str() {
        "" => "an empty body".to_owned(),
        text => format!("{text}{dots}"),
    }
}

/// Members that a payload in clear has.
fn clear_names(operation: Operation) -> &'static [&'static str] {
    match operation {
        Operation::PostTransactions => &["transactions"],
        Operation::Update => &["name", "locale", "billingAddress", "email", "phoneNumber"],
        _ => &["cardNumber", "cardholderName", "expiryInfo", "email"],
    }
}

fn violations(case: &Case<'_>, rules: &[BrokenRule]) -> Cause {
    let body = &case.call.body;
    let Some(first) = rules.first() else {
        return Cause::new("envelope.member", "The envelope is not in order.", EXPECTED);
    };
    if first.member.is_empty() {
        return no_object(body, &first.rule);
    }
    let Ok(object) = strict::parse_object(body) else {
        return Cause::new("envelope.not_json", "The body is no JSON object.", EXPECTED);
    };
    let members = object.members();
    let with_rules = |cause: Cause| {
        rules.iter().fold(cause, |cause, broken| {
            let value = members.get(broken.member);
            let found = value.map_or_else(|| "absent".to_owned(), short);
            cause.with(broken.member, found, broken.rule.as_ref())
        })
    };
    if first.member == ENCRYPTED_DATA && first.rule == "is required" {
        return without_data(case, members);
    }
    if first.rule == "is required" {
        let header = case.call.header(ENCRYPTED_KEY_HEADER).is_some();
        if header {
            return Cause::new(
                "envelope.headers_not_accepted",
                "The parameters of field-level encryption come as headers, which this issuer is \
                 not set to send.",
                "Configure the client to put them into the body, or have the operator set \
                 field_level_headers = true.",
            );
        }
        let missing: Vec<&str> = rules
            .iter()
            .filter(|broken| broken.rule == "is required")
            .map(|broken| broken.member)
            .collect();
        let mut cause = Cause::new(
            "envelope.missing_member",
            format!("The envelope has no {}.", missing.join(" and no ")),
            format!(
                "Field-level encryption has {ENCRYPTED_DATA}, {IV} and {ENCRYPTED_KEY}; a JWE is \
                 recognized by the dots in {ENCRYPTED_DATA}."
            ),
        );
        for name in missing {
            if let Some(other) = alike(members, name) {
                cause = cause.with(name, other, "is spelt otherwise");
            }
        }
        return cause;
    }
    let code = match first.rule.as_ref() {
        "must be a string" => "envelope.not_a_string",
        rule if rule.contains("characters long") => "envelope.length",
        _ => "envelope.member",
    };
    let advice = match code {
        "envelope.not_a_string" => {
            "Send the compact serialization of the JWE: five segments joined by dots, as one \
             string."
        }
        _ => "Send all of what the encryption gave, and nothing else.",
    };
    with_rules(Cause::new(
        code,
        format!("{} {}.", first.member, first.rule),
        advice,
    ))
}

/// A value for people, cut.
pub(super) fn short(value: &Value) -> String {
    const SHOWN: usize = 120;
    let text = match value {
        Value::String(text) => visible(text),
        other => other.to_string(),
    };
    match text.char_indices().nth(SHOWN) {
        Some((at, _)) => format!(
            "{}… ({})",
            text.get(..at).unwrap_or_default(),
            codec::count(text.chars().count(), "character")
        ),
        None => text,
    }
}

/// The body is no JSON object.
fn no_object(body: &[u8], rule: &str) -> Cause {
    let text = String::from_utf8_lossy(strict::without_bom(body));
    let text = text.trim();
    if body.is_empty() {
        return Cause::new(
            "envelope.empty",
            "The call has no body.",
            "Send the encrypted payload; a redirect or a wrong Content-Length may have lost it.",
        );
    }
    if is_token(text) {
        return Cause::new(
            "envelope.bare_token",
            "The body is the JWE itself.",
            format!("Send it in JSON: {{\"{ENCRYPTED_DATA}\": \"eyJ…\"}}."),
        );
    }
    if let Ok(Value::String(inner)) = serde_json::from_str(text) {
        let what = match is_token(&inner) {
            true => "The body is the JWE as a JSON string.",
            false => "The body is a JSON string with the JSON text in it: it was serialized twice.",
        };
        return Cause::new(
            "envelope.string",
            what,
            format!("Send an object: {{\"{ENCRYPTED_DATA}\": \"…\"}}."),
        );
    }
    if text.starts_with("encryptedData=") || text.starts_with("%7B") {
        return Cause::new(
            "envelope.form",
            "The body is form-encoded.",
            "Send JSON: with curl, --data-binary and the header Content-Type: application/json.",
        );
    }
    json::broken_text(body, rule, "body", "envelope")
}

/// There is no `encryptedData`.
fn without_data(case: &Case<'_>, members: &Map<String, Value>) -> Cause {
    let value = Value::Object(members.clone());
    let named = members.keys().cloned().collect::<Vec<_>>().join(", ");
    if let Some(place) = encrypted(&value) {
        let last = place.path.rsplit('.').next().unwrap_or_default();
        if last == ENCRYPTED_DATA {
            return Cause::new(
                "envelope.nested",
                format!("The encrypted data is at {}, not at the root.", place.path),
                format!(
                    "Set the encryption's path to the root: \"$\" to \"$\", with \
                     {ENCRYPTED_DATA} at the root of the body."
                ),
            )
            .with(place.path, short(&place.text.into()), "must be at the root");
        }
        return Cause::new(
            "envelope.other_property",
            format!("The encrypted data is in {}.", place.path),
            format!("Call the property {ENCRYPTED_DATA} (the library's encryptedValueFieldName)."),
        )
        .with(
            place.path,
            short(&place.text.into()),
            format!("must be called {ENCRYPTED_DATA}"),
        );
    }
    if let Some(other) = alike(members, ENCRYPTED_DATA) {
        return Cause::new(
            "envelope.other_property",
            format!("The property is called {other}."),
            format!("Call it {ENCRYPTED_DATA} exactly."),
        );
    }
    let names = clear_names(case.operation);
    let is_clear = names.iter().any(|name| members.contains_key(*name));
    if is_clear || wrapped_in(members, names).is_some() {
        return Cause::new(
            "envelope.not_encrypted",
            "The payload is not encrypted.",
            "Encrypt it to the gateway's certificate. If the library should have done that: its \
             encryption path does not match, so it encrypted nothing (\"$\" means the whole body).",
        )
        .with("members", named, "must be encrypted");
    }
    Cause::new(
        "envelope.no_data",
        format!("The body has no {ENCRYPTED_DATA}."),
        format!("Send {{\"{ENCRYPTED_DATA}\": \"…\"}}."),
    )
    .with("members", named, format!("must have {ENCRYPTED_DATA}"))
}
