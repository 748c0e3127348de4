//! What an issuer may send is set for it: `envelopes` and `field_level_headers`.

use super::{Bench, enrolment};
use crate::on_both;
use crate::support::Backend;
use crate::support::gateway::{TestGateway, assert_refused, errors, issuers_toml_with};
use crate::support::http::{assert_crypto_error, post};
use crate::support::peer::{FieldLevel, Jwe};
use issuer_gateway::client::{Operation, sample};
use issuer_gateway::payload::EnvelopeKind;
use serde_json::json;

const INVALID: &str = "INVALID_REQUEST_PARAMETER";

fn bench(backend: Backend, line: &str) -> Bench {
    let toml = issuers_toml_with(line);
    Bench::with(TestGateway::start_declaring(backend, &toml))
}

on_both!(
    an_issuer_of_jwe_alone_sends_nothing_else,
    |backend: Backend| {
        let bench = bench(backend, "envelopes = [\"jwe\"]");
        bench.opens("jwe", &[], &Jwe::new(enrolment()).body());
        let good = FieldLevel::new(enrolment()).body();
        let mut broken: serde_json::Value = serde_json::from_slice(&good).unwrap();
        broken["iv"] = json!("x");
        broken["encryptedKey"] = json!("0");
        let without_key = json!({"encryptedData": broken["encryptedData"]});
        // One answer to all of them, whatever they hold and whether it would open.
        let mut answers = Vec::new();
        for body in [
            good,
            broken.to_string().into(),
            without_key.to_string().into(),
        ] {
            let answer = post(&bench.client, &[], &body);
            assert_refused(&answer, 400, &[INVALID]);
            answers.push(answer.body);
        }
        assert!(answers.iter().all(|answer| *answer == answers[0]));
        let text = String::from_utf8_lossy(&answers[0]);
        assert!(
            text.contains("encryptedData: must be a compact JWE"),
            "{text}"
        );
        // What is no JWE either is unreadable as before.
        let dots = json!({"encryptedData": ".".repeat(128)}).to_string();
        assert_crypto_error(&post(&bench.client, &[], dots.as_bytes()), "dots");

        // An update likewise.
        let user = bench.client.enrol(&sample::enrolment("534403"));
        let user_id = crate::support::gateway::user_id(&user);
        let update = Operation::Update(issuer_gateway::ids::CardholderId::parse(&user_id).unwrap());
        let request = bench
            .client
            .prepare_in(EnvelopeKind::FieldLevel, &update, &sample::update());
        assert_refused(&bench.client.send(&request), 400, &[INVALID]);
        let database = bench.gateway.database.as_ref().unwrap();
        let refused =
            "SELECT count(*) AS n FROM audit_entries WHERE reason = 'envelope-not-accepted'";
        assert_eq!(database.number(refused), 4);
    }
);

on_both!(
    an_issuer_of_field_level_encryption_alone_sends_no_jwe,
    |backend: Backend| {
        let bench = bench(backend, "envelopes = [\"field-level\"]");
        bench.opens("field-level", &[], &FieldLevel::new(enrolment()).body());
        let answer = post(&bench.client, &[], &Jwe::new(enrolment()).body());
        assert_refused(&answer, 400, &[INVALID]);
        assert_eq!(errors(&answer)[0].3, "encryptedData: must not be a JWE");
    }
);

on_both!(
    headers_count_for_nothing_unless_they_are_turned_on,
    |backend: Backend| {
        let bench = Bench::start(backend);
        let [iv, key, text] = FieldLevel::new(enrolment()).seal().map(hex::encode);
        let all = [("x-iv", iv.as_str()), ("x-encrypted-key", &key)];
        let body = json!({ "encryptedData": text }).to_string();
        // The members that are missing are named.
        let answer = post(&bench.client, &all, body.as_bytes());
        assert_refused(&answer, 400, &[INVALID, INVALID]);
        let details: Vec<_> = errors(&answer).into_iter().map(|error| error.3).collect();
        assert_eq!(details, ["encryptedKey: is required", "iv: is required"]);
        // A whole body opens, whatever the headers say.
        let whole = FieldLevel::new(enrolment()).body();
        let lies = [
            ("x-iv", "0"),
            ("x-oaep-hashing-algorithm", "MD5"),
            ("x-public-key-fingerprint", "another key"),
        ];
        bench.opens("headers beside a whole body", &lies, &whole);
        let mut bare: serde_json::Value =
            serde_json::from_slice(&FieldLevel::new(enrolment()).body()).unwrap();
        let members = bare.as_object_mut().unwrap();
        members.remove("oaepHashingAlgorithm");
        members.remove("publicKeyFingerprint");
        bench.opens(
            "headers instead of optional members",
            &lies,
            bare.to_string().as_bytes(),
        );
    }
);
