//! What comes back, read by the independent peer (wire-formats.md 1.3 and 2.2; J9, J10, F7, F8).

use super::enrolment;
use crate::on_both;
use crate::support::Backend;
use crate::support::gateway::{TestGateway, assert_refused};
use crate::support::http::{post, send};
use crate::support::peer::{FieldLevel, Jwe, key_digest, open_field_level, open_jwe, texts};
use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use issuer_gateway::client::sample;
use serde_json::{Value, json};

/// An enrolment of a card in the range `prefix`, in both envelopes.
fn bodies(prefix: &str) -> [(Value, Vec<u8>); 2] {
    let (first, second) = (sample::enrolment(prefix), sample::enrolment(prefix));
    let jwe = Jwe::new(first.to_string()).body();
    let field_level = FieldLevel::new(second.to_string()).body();
    [(first, jwe), (second, field_level)]
}

#[track_caller]
fn assert_reference(plaintext: &[u8], enrolment: &Value) -> String {
    assert!(plaintext.is_ascii());
    assert_eq!((plaintext[0], plaintext[plaintext.len() - 1]), (b'{', b'}'));
    let reference: Value = serde_json::from_slice(plaintext).unwrap();
    let user_id = reference["userid"].as_str().unwrap().to_owned();
    let last_four = &enrolment["cardNumber"].as_str().unwrap()[12..];
    assert_eq!(
        reference,
        json!({"userid": user_id, "cardNumberLastFourDigits": last_four, "status": "ACTIVE"})
    );
    user_id
}

fn assert_jwe(key: &str, body: &[u8]) -> Vec<u8> {
    assert!(body.is_ascii());
    let members = texts(body);
    assert_eq!(members.keys().collect::<Vec<_>>(), ["encryptedData"]);
    let token = members["encryptedData"].as_str().unwrap();
    let segments: Vec<Vec<u8>> = token
        .split('.')
        .map(|segment| BASE64_URL_SAFE_NO_PAD.decode(segment).unwrap())
        .collect();
    let lengths: Vec<usize> = segments.iter().map(Vec::len).collect();
    assert_eq!(
        (lengths.len(), lengths[1], lengths[2], lengths[4]),
        (5, 256, 12, 16)
    );
    let (header, plaintext) = open_jwe(key, body);
    assert_eq!(
        header,
        json!({"kid": hex::encode(key_digest(key)), "cty": "application/json",
               "enc": "A256GCM", "alg": "RSA-OAEP-256"})
    );
    plaintext
}

fn assert_field_level(key: &str, body: &[u8]) -> Vec<u8> {
    assert!(body.is_ascii());
    let members = texts(body);
    let mut names: Vec<&String> = members.keys().collect();
    names.sort();
    assert_eq!(
        names,
        [
            "encryptedData",
            "encryptedKey",
            "iv",
            "oaepHashingAlgorithm",
            "publicKeyFingerprint"
        ]
    );
    let text = |name: &str| members[name].as_str().unwrap();
    assert_eq!((text("iv").len(), text("encryptedKey").len()), (32, 512));
    assert_eq!(text("publicKeyFingerprint"), hex::encode(key_digest(key)));
    assert_eq!(text("oaepHashingAlgorithm"), "SHA256");
    for name in ["encryptedData", "iv", "encryptedKey"] {
        let lower_hex = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
        assert!(text(name).bytes().all(lower_hex), "{name}");
    }
    open_field_level(key, body)
}

/// `PUT` of an update to a user, signed, in a body that is sealed already.
fn put(gateway: &TestGateway, issuer: &str, user_id: &str, body: &[u8]) -> (u16, Vec<u8>) {
    let url = format!("{}/issuers/users/{user_id}", gateway.base_url);
    let authorization = gateway.client(issuer).authorization("PUT", &url, body);
    let headers = [
        ("Authorization", authorization.as_str()),
        ("Content-Type", "application/json"),
    ];
    let answer = send("PUT", &url, &headers, body);
    (answer.status, answer.body)
}

on_both!(
    answers_come_in_the_envelope_of_the_request,
    |backend: Backend| {
        let gateway = TestGateway::start(backend);
        let client = gateway.client("demo");
        let [(first, jwe), (second, field_level)] = bodies("534403");
        let key = "issuer-encryption";

        let answer = post(&client, &[], &jwe);
        assert_eq!(answer.status, 200);
        let first_id = assert_reference(&assert_jwe(key, &answer.body), &first);
        let answer = post(&client, &[], &field_level);
        assert_eq!(answer.status, 200);
        let second_id = assert_reference(&assert_field_level(key, &answer.body), &second);
        assert_ne!(first_id, second_id);

        // Whatever the user was enrolled in, and upper-case ids too.
        let update = sample::update().to_string();
        let (status, body) = put(
            &gateway,
            "demo",
            &second_id,
            &Jwe::new(update.clone()).body(),
        );
        assert_eq!(status, 200);
        assert_eq!(
            assert_reference(&assert_jwe(key, &body), &second),
            second_id
        );
        let body = FieldLevel::new(update).body();
        let (status, body) = put(&gateway, "demo", &first_id.to_uppercase(), &body);
        assert_eq!(status, 200);
        assert_eq!(
            assert_reference(&assert_field_level(key, &body), &first),
            first_id
        );
    }
);

on_both!(
    where_only_dashboards_are_encrypted_answers_are_plain,
    |backend: Backend| {
        let gateway = TestGateway::start(backend);
        let client = gateway.client("compat");
        for (clear, body) in bodies("222300") {
            let answer = post(&client, &[], &body);
            assert_eq!(answer.status, 200);
            let user_id = assert_reference(&answer.body, &clear);
            let update = sample::update().to_string();
            for body in [
                Jwe::new(update.clone()).body(),
                FieldLevel::new(update).body(),
            ] {
                let (status, body) = put(&gateway, "compat", &user_id, &body);
                assert_eq!(status, 200);
                assert_eq!(assert_reference(&body, &clear), user_id);
            }
        }
    }
);

on_both!(errors_are_never_encrypted, |backend: Backend| {
    let gateway = TestGateway::start(backend);
    let client = gateway.client("demo");
    let mut expired = sample::enrolment("534403");
    expired["expiryInfo"]["year"] = json!("2020");
    let enrolled = enrolment();
    assert_eq!(
        post(&client, &[], &Jwe::new(enrolled.clone()).body()).status,
        200
    );
    for (clear, code) in [
        (expired.to_string(), "INVALID_REQUEST_PARAMETER"),
        (enrolled, "USER_ALREADY_EXISTS"),
        (sample::enrolment("222300").to_string(), "INVALID_FPAN"),
    ] {
        let jwe = Jwe::new(clear.clone()).body();
        let field_level = FieldLevel::new(clear).body();
        let answers = [jwe, field_level].map(|body| post(&client, &[], &body));
        for answer in &answers {
            assert_refused(answer, 400, &[code]);
        }
        assert_eq!(answers[0].body, answers[1].body);
    }
});
