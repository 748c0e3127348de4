//! What Mastercard's client libraries really send (crates/payload-envelope/tests/fixtures), signed
//! and sent to a gateway.

use crate::on_both;
use crate::support::Backend;
use crate::support::at_rest::stored;
use crate::support::gateway::{TestGateway, issuers_toml_with};
use crate::support::http::{assert_crypto_error, post};
use crate::support::peer::{open_field_level, open_jwe};
use serde::Deserialize;
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::Path;

#[derive(Deserialize)]
struct Fixture {
    name: String,
    envelope: String,
    #[serde(default)]
    headers: BTreeMap<String, String>,
    body: Value,
    clear: Value,
    expect: String,
}

fn fixtures(file: &str) -> Vec<Fixture> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("crates/payload-envelope/tests/fixtures");
    serde_json::from_slice(&std::fs::read(path.join(file)).unwrap()).unwrap()
}

/// Opens the answer apart from the product, in the envelope that the request came in.
fn open(fixture: &Fixture, answer: &[u8]) -> Value {
    let plaintext = match fixture.envelope.as_str() {
        "jwe" => open_jwe("issuer-encryption", answer).1,
        _ => open_field_level("issuer-encryption", answer),
    };
    serde_json::from_slice(&plaintext).unwrap()
}

/// Sends every payload of a file to one gateway; returns how many opened and how many were refused.
fn send_all(backend: Backend, file: &str) -> (usize, usize) {
    let issuers = issuers_toml_with("field_level_headers = true");
    let gateway = TestGateway::start_declaring(backend, &issuers);
    let client = gateway.client("demo");
    let (mut opened, mut refused) = (0, 0);
    for fixture in fixtures(file) {
        let name = &fixture.name;
        assert_eq!(
            fixture.envelope == "field-level-headers",
            !fixture.headers.is_empty(),
            "{name}"
        );
        let headers: Vec<(&str, &str)> = fixture
            .headers
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
            .collect();
        let answer = post(&client, &headers, fixture.body.to_string().as_bytes());
        if fixture.expect == "crypto-error" {
            assert_crypto_error(&answer, name);
            refused += 1;
            continue;
        }
        assert_eq!(fixture.expect, "opens", "{name}");
        assert_eq!(answer.status, 200, "{name}: {:?}", answer.clear);
        let reference = open(&fixture, &answer.body);
        let card = fixture.clear["cardNumber"].as_str().unwrap();
        assert_eq!(reference["cardNumberLastFourDigits"], card[12..], "{name}");
        let user_id = reference["userid"].as_str().unwrap();
        assert_eq!(stored(&gateway, "demo", user_id), fixture.clear, "{name}");
        opened += 1;
    }
    let users = gateway.database.as_ref().unwrap().count("users");
    assert_eq!(usize::try_from(users), Ok(opened));
    (opened, refused)
}

on_both!(node_payloads, |backend: Backend| {
    assert_eq!(send_all(backend, "node.json"), (23, 5));
});

on_both!(python_payloads, |backend: Backend| {
    assert_eq!(send_all(backend, "python.json"), (13, 7));
});

#[test]
fn they_hold_text_beyond_ascii_in_both_envelopes() {
    for file in ["node.json", "python.json"] {
        let all = fixtures(file);
        for envelope in ["jwe", "field-level"] {
            assert!(
                all.iter().any(|fixture| fixture.envelope == envelope
                    && fixture.expect == "opens"
                    && !fixture.clear.to_string().is_ascii()),
                "{file}: {envelope}"
            );
        }
    }
}
