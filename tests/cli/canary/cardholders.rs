//! Cardholders and requests that are marked, so that any trace of them can be found.

use super::search::Secret;
use crate::support::gateway::test_key;
use issuer_gateway::client::{Prepared, sample};
use issuer_gateway::keys::source::read_private_key;
use issuer_gateway::payload::Fingerprint;
use serde_json::{Value, json};

/// A marked enrolment; `mark` is a word of letters.
pub(super) fn enrolment(mark: &str) -> Value {
    json!({
        "email": {"type": "home", "value": format!("canary.{mark}.mail@example.com")},
        "name": {"firstName": format!("Canary{mark}first"), "lastName": format!("Canary{mark}last")},
        "cardholderName": format!("Canary{mark}holder Canary{mark}owner"),
        "cardNumber": sample::card_number("534403"),
        "cardBaseCurrency": "USD",
        "expiryInfo": {"month": "10", "year": "2039"},
        "billingAddress": address(mark),
        "locale": "en-US",
    })
}

/// A marked update that changes all that can be changed.
pub(super) fn update(mark: &str) -> Value {
    json!({
        "email": {"type": "home", "value": format!("canary.{mark}.mail@example.com")},
        "name": {"firstName": format!("Canary{mark}first"), "lastName": format!("Canary{mark}last")},
        "phoneNumber": "+491517731773199",
        "billingAddress": address(mark),
        "locale": "en-US",
    })
}

fn address(mark: &str) -> Value {
    json!({
        "countryCode": "USA", "type": format!("canary{mark}type"), "locality": format!("Canary{mark}locality"),
        "postalCode": "ZQ7731XW", "state": format!("Canary{mark}state"), "city": format!("Canary{mark}city"),
        "line1": format!("Canary{mark}line1"), "line2": format!("Canary{mark}line2"), "line3": format!("Canary{mark}line3"),
    })
}

/// Enrolments whose every marked value breaks a rule.
pub(super) fn broken() -> Vec<Value> {
    let change = |pointer: &str, value: Value| {
        let mut enrolment = enrolment("broken");
        *enrolment.pointer_mut(pointer).unwrap() = value;
        enrolment
    };
    let mut unknown = enrolment("unknown");
    unknown["canaryMemberName"] = json!("canaryMemberValue");
    unknown["billingAddress"]["canaryMemberNested"] = json!(["canaryMemberList"]);
    vec![
        change("/name/firstName", json!("Canary;wrongfirst")),
        change(
            "/name/lastName",
            json!({"canaryWrongKey": "canaryWrongObject"}),
        ),
        change("/cardholderName", json!("Canary#wrongholder")),
        change("/email/value", json!("canary-wrong-mail")),
        change("/email", json!("canary-mail-as-text")),
        change("/cardNumber", json!("5344039977317731")),
        change("/cardNumber", json!("canary-no-card-number")),
        change("/cardNumber", json!(5_344_031_773_177_317_u64)),
        change("/cardBaseCurrency", json!("CanaryCurrency")),
        change("/expiryInfo/month", json!("canary-month")),
        change("/expiryInfo/year", json!("canary-year")),
        change("/billingAddress/countryCode", json!("CanaryCountry")),
        change("/billingAddress/postalCode", json!("canary-postal-code")),
        change(
            "/billingAddress/line1",
            json!("Canary line that is much too long for its place"),
        ),
        change("/locale", json!("canary-locale-".repeat(8))),
        unknown,
    ]
}

/// Plaintexts that are no JSON object.
pub(super) const NO_OBJECTS: [&str; 4] = [
    "canaryPlainText, not JSON",
    "[\"canaryPlainArray\"]",
    r#"{"canaryDuplicate": "canaryDuplicateOne", "canaryDuplicate": "canaryDuplicateTwo"}"#,
    r#"{"canaryUnfinished": "canaryUnfinishedValue"#,
];

/// All marked names and values in a payload.
pub(super) fn secrets_of(payload: &Value, secrets: &mut Vec<Secret>) {
    match payload {
        Value::String(text) if text.len() >= 8 => secrets.push(Secret::value(text, text)),
        Value::Number(number) if number.to_string().len() >= 8 => {
            secrets.push(Secret::value("a number", number.to_string()));
        }
        Value::Array(list) => list.iter().for_each(|value| secrets_of(value, secrets)),
        Value::Object(members) => {
            for (name, value) in members {
                if name.to_lowercase().starts_with("canary") {
                    secrets.push(Secret::value(name, name));
                }
                secrets_of(value, secrets);
            }
        }
        _ => {}
    }
}

/// What went over the wire: the tokens and encrypted fields of the body, and the signature. The
/// name of the gateway's key is public.
pub(super) fn tokens_of(request: &Prepared, secrets: &mut Vec<Secret>) {
    let body = String::from_utf8_lossy(&request.body);
    let gateway_key = read_private_key(&test_key("gateway.pem")).unwrap();
    let public = Fingerprint::of_public_key(&gateway_key)
        .unwrap()
        .to_string();
    let parts = body
        .split(['"', '.'])
        .filter(|part| part.len() >= 24 && *part != public);
    for part in parts {
        secrets.push(Secret::token(&format!("sent in the body: {part}"), part));
    }
    let authorization = &request.authorization;
    let signature = authorization.split("oauth_signature=\"").nth(1);
    let signature = signature
        .and_then(|rest| rest.split('"').next())
        .unwrap_or(authorization);
    secrets.push(Secret::token("oauth_signature", signature));
    let decoded = percent_encoding::percent_decode_str(signature)
        .decode_utf8()
        .unwrap();
    secrets.push(Secret::token("oauth_signature, decoded", &decoded));
}
