//! A wrapped key opens one message. The attacks that need more: captured ciphertexts, altered and
//! signed by another issuer, or by the same one, on one node, on several, and after a restart.

mod attack;
mod limits;
mod resent;

use crate::on_both;
use crate::support::at_rest::{audit_trail, stored};
use crate::support::gateway::{
    TestClient, TestGateway, assert_refused, config, issuers_toml_with, user_id,
};
use crate::support::http::{assert_crypto_error, post};
use crate::support::peer::{FieldLevel, Jwe};
use crate::support::{Backend, TestDatabase};
use attack::Captured;
use issuer_gateway::client::{Answered, Operation, sample};
use issuer_gateway::ids::CardholderId;
use issuer_gateway::oauth1::SignatureMethod;
use serde_json::{Value, json};

/// Signs a body as it is and sends it as an update of `user_id`.
fn put(client: &TestClient, user_id: &str, body: &[u8]) -> Answered {
    let operation = Operation::Update(CardholderId::parse(user_id).unwrap());
    let request = client
        .client
        .sign(&operation, SignatureMethod::RsaSha256, body.to_vec())
        .unwrap();
    client.send(&request)
}

/// Sent by [`post`], which does not open the answer.
#[track_caller]
fn enrolled(answer: &Answered) {
    assert_eq!(answer.status, 200, "{:?}", answer.clear);
}

/// How many RSA private operations a node has done.
fn operations(gateway: &TestGateway) -> u64 {
    let page = gateway.gateway.metrics.render();
    let counts = page
        .lines()
        .filter_map(|line| line.strip_prefix("issuer_gateway_rsa_operations_total{"))
        .map(|line| line.rsplit(' ').next().unwrap().parse::<u64>().unwrap());
    counts.sum()
}

/// Sends guesses, the right one among them: nothing that the sender or the trail gets to see tells
/// them apart.
#[track_caller]
fn assert_nothing_learnt(gateway: &TestGateway, attacker: &TestClient, captured: &Captured) {
    let before = audit_trail(gateway).len();
    let bodies: Vec<_> = captured.guesses().collect();
    let answers: Vec<_> = bodies
        .iter()
        .map(|body| post(attacker, &[], body))
        .collect();
    for answer in &answers {
        assert_crypto_error(answer, "a guess");
        assert_eq!(answer.body, answers[0].body);
    }
    let entries = audit_trail(gateway).split_off(before);
    assert_eq!(entries.len(), bodies.len());
    for entry in entries {
        assert_eq!(entry.outcome, "refused");
        assert_eq!(entry.reason.as_deref(), Some("wrapped-key-reused"));
        assert_eq!((entry.subject, entry.detail), (None, None));
    }
}

on_both!(
    another_issuer_learns_nothing_from_a_captured_message,
    |backend: Backend| {
        let gateway = TestGateway::start(backend);
        let captured = Captured::new();
        enrolled(&post(&gateway.client("demo"), &[], &captured.body()));
        let attacker = gateway.client("compat");
        let decrypted = operations(&gateway);
        assert_nothing_learnt(&gateway, &attacker, &captured);
        // As it was sent: the very message is another issuer's.
        let answer = post(&attacker, &[], &captured.body());
        assert_crypto_error(&answer, "unaltered");
        assert_eq!(operations(&gateway), decrypted, "nothing was decrypted");
        assert_eq!(gateway.database.as_ref().unwrap().count("users"), 1);
    }
);

on_both!(
    its_own_issuer_learns_nothing_from_a_captured_message,
    |backend: Backend| {
        let gateway = TestGateway::start(backend);
        let client = gateway.client("demo");
        let captured = Captured::new();
        enrolled(&post(&client, &[], &captured.body()));
        assert_nothing_learnt(&gateway, &client, &captured);
        let [right, wrong] = captured.control().map(|body| post(&client, &[], &body));
        assert_ne!(right.body, wrong.body, "the attack itself is right");

        // A message that was refused by its content has used its key too.
        let mut broken = sample::enrolment("534403");
        broken["cardBaseCurrency"] = json!("ZZZ");
        let refused = Captured::of(&broken);
        let answer = post(&client, &[], &refused.body());
        assert_refused(&answer, 400, &["UNSUPPORTED_CURRENCY"]);
        assert_nothing_learnt(&gateway, &client, &refused);

        // And so has one that did not open at all.
        let spoiled = Captured::new();
        assert_crypto_error(&post(&client, &[], &spoiled.spoiled()), "spoiled");
        assert_crypto_error(&post(&client, &[], &spoiled.body()), "the rest of its kind");
    }
);

on_both!(
    a_captured_message_says_nothing_on_another_node_or_after_a_restart,
    |backend: Backend| {
        let database = TestDatabase::new(backend);
        let config = config(&database.url_text);
        let captured = Captured::new();
        let first = TestGateway::start_with(&config);
        enrolled(&post(&first.client("demo"), &[], &captured.body()));
        // Another process has its own memory; on SQLite it is the next one.
        let second = match backend {
            Backend::Sqlite => {
                first.stop();
                TestGateway::start_with(&config)
            }
            Backend::Postgres => TestGateway::start_with(&config),
        };
        let decrypted = operations(&second);
        assert_nothing_learnt(&second, &second.client("compat"), &captured);
        assert_eq!(operations(&second), decrypted + 1, "the first one alone");
        second.stop();
        let restarted = TestGateway::start_with(&config);
        assert_nothing_learnt(&restarted, &restarted.client("demo"), &captured);
        let again = post(&restarted.client("demo"), &[], &captured.body());
        assert_refused(&again, 400, &["USER_ALREADY_EXISTS"]);
        assert_eq!(database.count("users"), 1);
    }
);

on_both!(
    a_captured_jwe_is_no_update_of_another_issuers_cardholder,
    |backend: Backend| {
        let gateway = TestGateway::start(backend);
        let (owner, thief) = (gateway.client("demo"), gateway.client("compat"));
        let clear = sample::enrolment("222300");
        let theirs = user_id(&thief.enrol(&clear));
        let enrolment = Jwe::new(sample::enrolment("534403").to_string()).body();
        enrolled(&post(&owner, &[], &enrolment));
        let issuer = gateway.issuer_id("demo").0;
        let sql = format!("SELECT user_id AS t FROM users WHERE issuer_id = {issuer}");
        let id = gateway.database.as_ref().unwrap().texts(&sql).remove(0);
        let update = Jwe::new(sample::update().to_string()).body();
        assert_eq!(put(&owner, &id, &update).status, 200);

        let before = gateway.database.as_ref().unwrap().dump_of("users");
        for captured in [&enrolment, &update] {
            assert_crypto_error(&put(&thief, &theirs, captured), "captured");
            assert_crypto_error(&post(&thief, &[], captured), "captured");
        }
        assert_eq!(gateway.database.as_ref().unwrap().dump_of("users"), before);
        assert_eq!(stored(&gateway, "compat", &theirs), clear);
        // Its owner may send it again.
        assert_eq!(put(&owner, &id, &update).status, 200);
    }
);

on_both!(
    one_of_many_messages_under_a_wrapped_key_is_answered_by_its_content,
    |backend: Backend| {
        let database = TestDatabase::new(backend);
        let config = config(&database.url_text);
        let nodes = match backend {
            Backend::Sqlite => 1,
            Backend::Postgres => 2,
        };
        let nodes: Vec<_> = (0..nodes)
            .map(|_| TestGateway::start_with(&config))
            .collect();
        for round in 0..4 {
            let bodies = attack::under_one_key(24);
            let users = database.count("users");
            let answers: Vec<_> = std::thread::scope(|scope| {
                let sending: Vec<_> = bodies
                    .iter()
                    .enumerate()
                    .map(|(number, body)| {
                        let issuer = ["demo", "compat"][number % 3 % 2];
                        let client = nodes[number % nodes.len()].client(issuer);
                        scope.spawn(move || post(&client, &[], body))
                    })
                    .collect();
                sending.into_iter().map(|one| one.join().unwrap()).collect()
            });
            let crypto = |answer: &&Answered| {
                let text = String::from_utf8_lossy(&answer.body);
                answer.status == 400 && text.contains("CRYPTO_ERROR")
            };
            let others = answers.iter().filter(|answer| !crypto(answer)).count();
            assert!(others <= 1, "round {round}: {others}");
            assert!(database.count("users") <= users + 1);
        }
        let reused = "SELECT count(*) AS n FROM audit_entries WHERE reason = 'wrapped-key-reused'";
        assert!(database.number(reused) > 0);
    }
);

on_both!(
    every_change_of_a_message_is_another_message,
    |backend: Backend| {
        let headers_too = issuers_toml_with("field_level_headers = true");
        let gateway = TestGateway::start_declaring(backend, &headers_too);
        let client = gateway.client("demo");
        let enrol = |body: &[u8]| enrolled(&post(&client, &[], body));

        // JWE: its encoding may change, its segments may not.
        let segments = Jwe::new(sample::enrolment("534403").to_string()).segments();
        let body = |segments: &[String]| crate::support::peer::jwe_body(&segments.join("."));
        enrol(&body(&segments));
        for (index, length) in [(2, 12), (3, 200), (4, 16)] {
            let mut altered = segments.clone();
            altered[index] = attack::another(&segments[index], length);
            assert_crypto_error(&post(&client, &[], &body(&altered)), "a segment");
        }
        let again = post(&client, &[], &body(&segments));
        assert_refused(&again, 400, &["USER_ALREADY_EXISTS"]);

        // Field-level: members or headers, hex or base64, it is the same message.
        let parts = FieldLevel::new(sample::enrolment("534403").to_string()).seal();
        let [iv, wrapped, text] = parts.clone().map(hex::encode);
        let members = |iv: &str, text: &str| {
            json!({"encryptedData": text, "iv": iv, "encryptedKey": wrapped,
                   "oaepHashingAlgorithm": "SHA256"})
            .to_string()
        };
        enrol(members(&iv, &text).as_bytes());
        let [iv64, wrapped64, text64] =
            parts.map(|part| crate::support::peer::base64_standard(&part));
        let base64 = json!({"encryptedData": text64, "iv": iv64, "encryptedKey": wrapped64});
        let data_alone = json!({"encryptedData": text}).to_string();
        let headers = [("x-iv", iv.as_str()), ("x-encrypted-key", &wrapped)];
        for answer in [
            post(&client, &[], members(&iv.to_uppercase(), &text).as_bytes()),
            post(&client, &[], base64.to_string().as_bytes()),
            post(&client, &headers, data_alone.as_bytes()),
        ] {
            assert_refused(&answer, 400, &["USER_ALREADY_EXISTS"]);
        }
        let zeros = "0".repeat(32);
        let shorter = &text[..text.len() - 32];
        for (iv, text) in [(&zeros, text.as_str()), (&iv, shorter)] {
            let answer = post(&client, &[], members(iv, text).as_bytes());
            assert_crypto_error(&answer, "members");
            let data = json!({"encryptedData": text}).to_string();
            let headers = [("x-iv", iv.as_str()), ("x-encrypted-key", wrapped.as_str())];
            assert_crypto_error(&post(&client, &headers, data.as_bytes()), "headers");
        }
        let sha512 = json!({"encryptedData": text, "iv": iv, "encryptedKey": wrapped,
                            "oaepHashingAlgorithm": "SHA512"});
        let answer = post(&client, &[], sha512.to_string().as_bytes());
        assert_crypto_error(&answer, "another digest");
        // The key of a JWE is used up for field-level payloads as well.
        let standard = crate::support::peer::from_base64url(&segments[1]);
        let crossed: Value =
            json!({"encryptedData": text, "iv": iv, "encryptedKey": hex::encode(standard)});
        let answer = post(&client, &[], crossed.to_string().as_bytes());
        assert_crypto_error(&answer, "a JWE's key");
        let reasons = audit_trail(&gateway)
            .into_iter()
            .filter(|entry| entry.reason.as_deref() == Some("wrapped-key-reused"))
            .count();
        assert_eq!(reasons, 3 + 4 + 1 + 1);
    }
);
