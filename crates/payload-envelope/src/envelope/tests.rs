//! Which bodies are envelopes, what is said about those that are not, and the way there and back.

use super::*;
use crate::jwe::ContentEncryption;
use crate::testing::{crypto, key, open_body, open_in, own_key, recipient, ring, value};
use crate::{DecryptionKey, JwePolicy, KeyRing, KeyState, open};
use proptest::prelude::*;
use serde_json::json;

fn parse(body: &Value) -> Result<Envelope, EnvelopeError> {
    Envelope::parse(
        body.to_string().as_bytes(),
        &FieldLevelHeaders::default(),
        Accepted::ALL,
    )
}

fn violations(body: &Value) -> Vec<(String, String)> {
    match parse(body) {
        Err(EnvelopeError::Violations(violations)) => violations
            .into_iter()
            .map(|violation| (violation.member.to_owned(), violation.rule.into_owned()))
            .collect(),
        other => panic!("{body}: {other:?}"),
    }
}

fn field_level(changes: Value) -> Value {
    let mut body = json!({
        "encryptedData": "ab".repeat(64),
        "iv": "ab".repeat(16),
        "encryptedKey": "ab".repeat(256),
    });
    let members = body.as_object_mut().unwrap();
    members.extend(changes.as_object().unwrap().clone());
    body
}

#[test]
fn the_body_is_a_json_object() {
    for body in [
        &b""[..],
        b"[]",
        b"null",
        b"\"a.b.c.d.e\"",
        b"{",
        b"{}{}",
        b"\xff",
        b"{\"encryptedData\":\"a\",\"encryptedData\":\"b\"}",
        b"{\"x\":{\"y\":1,\"y\":2}}",
    ] {
        let error =
            Envelope::parse(body, &FieldLevelHeaders::default(), Accepted::ALL).unwrap_err();
        let expected = BrokenRule {
            member: "",
            rule: json::parse_object(body).unwrap_err().to_string().into(),
        };
        assert_eq!(error, EnvelopeError::Violations(vec![expected]));
        assert_eq!(error.reason(), "envelope-violations");
    }
}

#[test]
fn fields_that_break_a_rule_are_named() {
    let length = "must be 128 to 54000 characters long";
    for (body, expected) in [
        (json!({}), vec![("encryptedData", "is required")]),
        (
            json!({"cardNumber": "1"}),
            vec![("encryptedData", "is required")],
        ),
        (
            json!({"encryptedValue": "ab".repeat(64)}),
            vec![("encryptedData", "is required")],
        ),
        (
            json!({"encryptedData": null}),
            vec![("encryptedData", "is required")],
        ),
        (
            json!({"encryptedData": 1}),
            vec![("encryptedData", "must be a string")],
        ),
        (
            json!({"encryptedData": ["a.b.c.d.e"]}),
            vec![("encryptedData", "must be a string")],
        ),
        (
            json!({"encryptedData": "a.b.c.d.e"}),
            vec![("encryptedData", length)],
        ),
        (
            json!({"encryptedData": format!("{}....", "a".repeat(54_000))}),
            vec![("encryptedData", length)],
        ),
        (
            json!({"encryptedData": ""}),
            vec![
                ("encryptedData", length),
                ("encryptedKey", "is required"),
                ("iv", "is required"),
            ],
        ),
        (
            json!({"encryptedData": "é".repeat(127), "encryptedKey": false, "iv": {}}),
            vec![
                ("encryptedData", length),
                ("encryptedKey", "must be a string"),
                ("iv", "must be a string"),
            ],
        ),
        (
            field_level(json!({"encryptedData": "a".repeat(54_001)})),
            vec![("encryptedData", length)],
        ),
        (
            field_level(json!({"encryptedKey": "a".repeat(255)})),
            vec![("encryptedKey", "must be 256 to 1024 characters long")],
        ),
        (
            field_level(json!({"encryptedKey": "a".repeat(1025)})),
            vec![("encryptedKey", "must be 256 to 1024 characters long")],
        ),
        (
            field_level(json!({"iv": null})),
            vec![("iv", "is required")],
        ),
        (
            field_level(json!({"oaepHashingAlgorithm": 256})),
            vec![("oaepHashingAlgorithm", "must be a string")],
        ),
        (
            field_level(json!({"publicKeyFingerprint": ["a"]})),
            vec![("publicKeyFingerprint", "must be a string")],
        ),
        (
            field_level(json!({"publicKeyFingerprint": "a".repeat(1001)})),
            vec![(
                "publicKeyFingerprint",
                "must be at most 1000 characters long",
            )],
        ),
    ] {
        let expected: Vec<_> = expected
            .into_iter()
            .map(|(path, rule)| (path.to_owned(), rule.to_owned()))
            .collect();
        assert_eq!(violations(&body), expected);
    }
}

#[test]
fn lengths_at_the_limits_pass() {
    for changes in [
        json!({"encryptedData": "ab".repeat(64)}),
        json!({"encryptedData": "ab".repeat(26_992)}),
        json!({"encryptedKey": "ab".repeat(128)}),
        json!({"encryptedKey": "ab".repeat(384)}),
        json!({"encryptedKey": "ab".repeat(512)}),
        json!({"publicKeyFingerprint": "a".repeat(1000)}),
        json!({"publicKeyFingerprint": ""}),
    ] {
        let envelope = parse(&field_level(changes)).unwrap();
        assert_eq!(envelope.kind(), EnvelopeKind::FieldLevel);
    }
}

#[test]
fn a_dot_makes_a_jwe() {
    let error = parse(&field_level(
        json!({"encryptedData": "ab".repeat(64) + "."}),
    ))
    .unwrap_err();
    assert_eq!(error, EnvelopeError::Crypto(CryptoReason::SegmentCount));
    let body = seal(EnvelopeKind::Jwe, &recipient(0), b"{}").unwrap();
    let mut body: Value = serde_json::from_slice(&body).unwrap();
    body["iv"] = json!(1);
    body["other"] = json!([]);
    assert_eq!(parse(&body).unwrap().kind(), EnvelopeKind::Jwe);
}

#[test]
fn refusals_have_one_text_and_debug_shows_nothing() {
    let text = "the encrypted payload cannot be opened";
    assert_eq!(
        EnvelopeError::Crypto(CryptoReason::Encoding).to_string(),
        text
    );
    assert_eq!(CryptoReason::Padding.to_string(), text);
    assert_eq!(CryptoReason::Padding.as_str(), "padding");
    let envelope = parse(&field_level(json!({}))).unwrap();
    assert_eq!(format!("{envelope:?}"), "Envelope(FieldLevel, …)");
}

#[test]
fn what_is_sealed_is_ascii_and_opens_again() {
    let plaintext =
        json::to_ascii(&json!({"name": "Zoë 日本 😀 \"\\/&", "filler": "x".repeat(60)}));
    for (kind, members) in [(EnvelopeKind::Jwe, 1), (EnvelopeKind::FieldLevel, 5)] {
        let body = seal(kind, &recipient(0), &plaintext).unwrap();
        assert!(body.is_ascii());
        let parsed: Value = serde_json::from_slice(&body).unwrap();
        assert_eq!(parsed.as_object().unwrap().len(), members);
        let opened = open_body(&body).unwrap();
        assert_eq!(opened.form, kind.into());
        assert_eq!(opened.key, ring().primary().fingerprint());
        assert_eq!(
            value(&opened),
            serde_json::from_slice::<Value>(&plaintext).unwrap()
        );
        assert!(!format!("{opened:?}").contains("Zo"));
    }
}

#[test]
fn a_client_opens_short_answers_with_a_ring_of_its_own_key() {
    let own = DecryptionKey::new(key(3), None, Vec::new(), KeyState::Primary).unwrap();
    let own = KeyRing::new(vec![own]).unwrap();
    for kind in [EnvelopeKind::Jwe, EnvelopeKind::FieldLevel] {
        let body = seal(kind, &recipient(3), b"{}").unwrap();
        let opened = open(&own, &body).unwrap();
        assert_eq!(value(&opened), json!({}));
        let refused = open(ring(), &body).unwrap_err();
        assert_eq!(crypto(refused), CryptoReason::UnknownKey);
    }
}

#[test]
fn a_disabled_key_stops_opening_at_once() {
    let body = seal(EnvelopeKind::Jwe, &recipient(1), b"{}").unwrap();
    for (state, opens) in [
        (KeyState::Active, true),
        (KeyState::Disabled, false),
        (KeyState::Destroyed, false),
    ] {
        let keys = vec![own_key(0, &[], KeyState::Primary), own_key(1, &[], state)];
        let ring = KeyRing::new(keys).unwrap();
        let envelope =
            Envelope::parse(&body, &FieldLevelHeaders::default(), Accepted::ALL).unwrap();
        let policy = JwePolicy {
            enc: vec![ContentEncryption::A256Gcm],
        };
        let opened = open_in(&ring, &policy, &envelope);
        assert_eq!(opened.is_ok(), opens, "{state}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn any_bytes_are_parsed_or_refused(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
        let _ = Envelope::parse(&bytes, &FieldLevelHeaders::default(), Accepted::ALL);
        let text = String::from_utf8_lossy(&bytes);
        let body = json!({"encryptedData": text, "iv": text, "encryptedKey": text}).to_string();
        let _ = Envelope::parse(body.as_bytes(), &FieldLevelHeaders::default(), Accepted::ALL);
        let _ = Envelope::parse_answer(body.as_bytes());
    }

    #[test]
    fn sealed_text_comes_back(text in ".{0,300}", jwe: bool) {
        let kind = if jwe { EnvelopeKind::Jwe } else { EnvelopeKind::FieldLevel };
        let object = json!({ "text": text });
        let body = seal(kind, &recipient(0), &json::to_ascii(&object)).unwrap();
        let opened = open(ring(), &body).unwrap();
        prop_assert_eq!(value(&opened), object);
    }
}
