//! Payloads that Mastercard's npm and PyPI libraries have made: `tests/fixtures/README.md`.
#![expect(clippy::unwrap_used, clippy::panic, reason = "tests")]

use openssl::pkey::PKey;
use openssl::x509::X509;
use payload_envelope::{
    Accepted, DecryptionKey, Envelope, FieldLevelHeaders, JwePolicy, KeyRing, KeyState, OpenError,
    Opened,
};
use serde::Deserialize;
use serde_json::Value;
use std::collections::BTreeMap;

#[derive(Deserialize)]
struct Fixture {
    name: String,
    #[serde(default)]
    headers: BTreeMap<String, String>,
    body: Value,
    clear: Value,
    expect: String,
}

fn open(ring: &KeyRing, fixture: &Fixture) -> Result<Opened, OpenError> {
    let header = |name: &str| fixture.headers.get(name).map(String::as_str);
    let headers = FieldLevelHeaders::collect(header);
    let body = fixture.body.to_string();
    let envelope = Envelope::parse(body.as_bytes(), &headers, Accepted::ALL)?;
    envelope.wrapped_key(ring, &JwePolicy::default())?.open()
}

/// Opens every payload of a file; returns how many opened and how many were refused.
fn open_all(json: &str) -> (usize, usize) {
    let key = PKey::private_key_from_pem(include_bytes!("fixtures/gateway.pem")).unwrap();
    let certificate = X509::from_pem(include_bytes!("fixtures/gateway-cert.pem")).unwrap();
    let key = DecryptionKey::new(key, Some(certificate), Vec::new(), KeyState::Primary).unwrap();
    let ring = KeyRing::new(vec![key]).unwrap();
    let (mut opened, mut refused) = (0, 0);
    for fixture in serde_json::from_str::<Vec<Fixture>>(json).unwrap() {
        let name = &fixture.name;
        match open(&ring, &fixture) {
            Ok(found) => {
                assert_eq!(fixture.expect, "opens", "{name}");
                let object = Value::Object(found.object.members().clone());
                assert_eq!(object, fixture.clear, "{name}");
                opened += 1;
            }
            Err(OpenError::Crypto(reason)) => {
                assert_eq!(fixture.expect, "crypto-error", "{name}: {reason:?}");
                refused += 1;
            }
            Err(error) => panic!("{name}: {error:?}"),
        }
    }
    (opened, refused)
}

#[test]
fn node_payloads() {
    assert_eq!(open_all(include_str!("fixtures/node.json")), (23, 5));
}

#[test]
fn python_payloads() {
    assert_eq!(open_all(include_str!("fixtures/python.json")), (13, 7));
}
