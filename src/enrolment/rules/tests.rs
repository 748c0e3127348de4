//! Shared parts of the rules' tests: payloads, issuers, and reading the outcome.

use super::*;
use crate::issuers::account_range::parse_list;
use crate::json::parse_object;
use serde_json::{Value, json};

mod card_fields;
mod profile_fields;
mod properties;
mod whole;

/// The docs' enrolment test case (cce-api.md, section 9).
fn official() -> Value {
    json!({"email":{"type":"home","value":"johnn.dooe@gmail.com"},"name":{"firstName":"Johnn","lastName":"Dooe"},
        "cardholderName":"Johnn Dooe","cardNumber":"2223006448842520","cardBaseCurrency":"USD",
        "expiryInfo":{"month":"01","year":"2039"},
        "billingAddress":{"countryCode":"USA","locality":"Rly Station","postalCode":"11746","state":"Huntington",
            "city":"Brooklyn","line1":"83 Mayfair Street","line2":"Main Road","line3":"Snake Hill Ave","type":"work"},
        "locale":"en-US"})
}

/// The official example with one field (`billingAddress.city`) set to `value`.
fn with(path: &str, value: Value) -> Value {
    let mut payload = official();
    *slot(&mut payload, path) = value;
    payload
}

/// The official example without one field.
fn without(path: &str) -> Value {
    let mut payload = official();
    let (parent, name) = match path.rsplit_once('.') {
        Some((parent, name)) => (slot(&mut payload, parent), name),
        None => (&mut payload, path),
    };
    parent.as_object_mut().unwrap().remove(name).unwrap();
    payload
}

fn slot<'a>(payload: &'a mut Value, path: &str) -> &'a mut Value {
    path.split('.')
        .fold(payload, |value, name| &mut value[name])
}

fn object(payload: &Value) -> Object {
    parse_object(payload.to_string().as_bytes()).unwrap()
}

fn today() -> NaiveDate {
    NaiveDate::from_ymd_opt(2026, 11, 21).unwrap()
}

/// The docs' test issuer (cce-api.md, section 9).
fn ranges() -> Vec<AccountRange> {
    parse_list("222300,552433,222305,11112,5050,5051,510665").unwrap()
}

fn enrol(
    payload: &Value,
    donation: bool,
    unicode_names: bool,
) -> Result<Enrolment, Vec<Violation>> {
    let account_ranges = &ranges();
    let rules = IssuerRules {
        donation,
        unicode_names,
        account_ranges,
    };
    enrolment(&object(payload), &rules, today())
}

fn change(payload: &Value, unicode_names: bool) -> Result<ProfileUpdate, Vec<Violation>> {
    let rules = IssuerRules {
        donation: true,
        unicode_names,
        account_ranges: &[],
    };
    update(&object(payload), &rules)
}

/// The violations as `path rule`; a code other than `INVALID_REQUEST_PARAMETER` goes in front.
fn lines<T>(outcome: Result<T, Vec<Violation>>) -> Vec<String> {
    let violations = outcome.err().unwrap_or_default();
    let line = |v: Violation| match v.code {
        Code::InvalidRequestParameter => format!("{} {}", v.path, v.rule),
        code => format!("{code:?} {} {}", v.path, v.rule),
    };
    violations.into_iter().map(line).collect()
}

/// Sends each value in `path` and expects `rule`, or acceptance where it is empty.
fn table(path: &str, unicode_names: bool, rows: &[(&str, &str)]) {
    for (value, rule) in rows {
        let payload = with(path, json!(value));
        let expected = match *rule {
            "" => vec![],
            rule => vec![format!("{path} {rule}")],
        };
        for donation in [true, false] {
            assert_eq!(
                lines(enrol(&payload, donation, unicode_names)),
                expected,
                "{path} {value:?} {donation}"
            );
        }
        if ["email", "name", "billingAddress", "locale"].contains(&path.split('.').next().unwrap())
        {
            assert_eq!(
                lines(change(&payload, unicode_names)),
                expected,
                "update {path} {value:?}"
            );
        }
    }
}

const LENGTH: &str = "must be 1 to 100 characters long";
const LETTER: &str = "must contain at least one letter";
const UNICODE_SET: &str = "must contain only letters, digits, apostrophes, commas, blanks, hyphens and \
                           periods, and joiners and middle dots between letters";
