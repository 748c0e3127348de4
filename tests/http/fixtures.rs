//! What Mastercard's client libraries really send (crates/payload-envelope/tests/fixtures), signed
//! and sent to a gateway.

use crate::on_both;
use crate::support::Backend;
use crate::support::at_rest::stored;
use crate::support::gateway::{TestGateway, issuers_toml_with};
use crate::support::http::{assert_crypto_error, post_seeing};
use crate::support::peer::{open_field_level_in, open_jwe, texts};
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use serde::Deserialize;
use serde_json::{Map, Value};
use std::collections::BTreeMap;
use std::path::Path;
use ureq::http::HeaderMap;

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

/// Opens the answer apart from the product, in the envelope that the request came in: with its
/// encoding and digest, and in headers where the request's parameters came as such.
fn open(fixture: &Fixture, answer: &[u8], headers: &HeaderMap) -> Value {
    let key = "issuer-encryption";
    if fixture.envelope == "jwe" {
        return serde_json::from_slice(&open_jwe(key, answer).1).unwrap();
    }
    let mut members = texts(answer);
    for (header, member) in [
        ("x-iv", "iv"),
        ("x-encrypted-key", "encryptedKey"),
        ("x-oaep-hashing-algorithm", "oaepHashingAlgorithm"),
        ("x-oaep-padding-digest-algorithm", "oaepHashingAlgorithm"),
    ] {
        let value = headers.get(header).map(|value| value.to_str().unwrap());
        assert!(value.is_none() || fixture.headers.contains_key(header));
        members.extend(value.map(|value| (member.to_owned(), value.into())));
    }
    let sent = Value::from(
        fixture
            .headers
            .iter()
            .map(|(name, value)| (name.clone(), Value::from(value.as_str())))
            .collect::<Map<_, _>>(),
    );
    let sent = sent.to_string() + &fixture.body.to_string();
    let digest = if sent.to_lowercase().contains("sha512") || sent.contains("SHA-512") {
        "SHA512"
    } else {
        "SHA256"
    };
    let in_hex = |text: &str| text.bytes().all(|byte| byte.is_ascii_hexdigit());
    let sent_in_hex = in_hex(fixture.body["encryptedData"].as_str().unwrap());
    let decode = |text: &str| {
        assert_eq!(in_hex(text), sent_in_hex, "{}", fixture.name);
        if sent_in_hex {
            hex::decode(text).unwrap()
        } else {
            BASE64_STANDARD.decode(text).unwrap()
        }
    };
    let body = Value::Object(members).to_string();
    let plaintext = open_field_level_in(key, body.as_bytes(), decode, digest);
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
        let (answer, seen) = post_seeing(&client, &headers, fixture.body.to_string().as_bytes());
        if fixture.expect == "crypto-error" {
            assert_crypto_error(&answer, name);
            refused += 1;
            continue;
        }
        assert_eq!(fixture.expect, "opens", "{name}");
        assert_eq!(answer.status, 200, "{name}: {:?}", answer.clear);
        let reference = open(&fixture, &answer.body, &seen);
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
