//! Each call leaves exactly its entry, with who, what, when, outcome, origin and subject.

use super::{assert_whole, export, only, summary, text};
use crate::on_both;
use crate::support::Backend;
use crate::support::gateway::{TestClient, TestGateway, consumer_key, test_key, user_id};
use crate::support::http::send;
use issuer_gateway::client::{Operation, sample};
use issuer_gateway::issuers::IssuerStatus;
use issuer_gateway::keys::source::read_private_key;
use issuer_gateway::oauth1::{SignatureMethod, SigningKey};
use serde_json::{Value, json};

const CALLS: [&str; 3] = ["user.enrol", "user.update", "signature.refused"];

on_both!(every_call_leaves_its_entry, |backend: Backend| {
    let gateway = TestGateway::start(backend);
    let client = gateway.client("demo");
    let mut card = sample::enrolment("534403");
    card["email"]["value"] = json!("canary.jane@example.com");
    card["cardholderName"] = json!("Canary Sample");

    let enrolment = client.prepare(&Operation::Enrol, &card);
    let user = user_id(&client.send(&enrolment));
    let mut expected = vec![("user.enrol accepted", user.as_str())];
    let mut then = |entry: &'static str| expected.push((entry, ""));
    // The same request again, and the same card in a new one.
    assert_eq!(client.send(&enrolment).status, 401);
    then("user.enrol refused nonce-used");
    assert_eq!(client.enrol(&card).status, 400);
    then("user.enrol refused card-taken");
    let mut broken = card.clone();
    broken["email"]["value"] = json!("canary-no-address");
    assert_eq!(client.enrol(&broken).status, 400);
    then("user.enrol refused rules-broken");
    let sealed = client.prepare(&Operation::Enrol, &card).body;
    let mut forged: Value = serde_json::from_slice(&sealed).unwrap();
    let token = forged["encryptedData"].as_str().unwrap();
    let (rest, tag) = token.rsplit_once('.').unwrap();
    let other: String = tag.chars().rev().collect();
    forged["encryptedData"] = json!(format!("{rest}.{other}"));
    assert_eq!(client.post(forged.to_string().as_bytes()).status, 400);
    then("user.enrol refused crypto");

    let mut late = client.prepare(&Operation::Enrol, &card);
    let signing = SigningKey::from_private_key(
        read_private_key(&test_key("issuer-signing.pem")).unwrap(),
        consumer_key("demo"),
    );
    let method = SignatureMethod::RsaSha256;
    late.authorization = signing
        .unwrap()
        .sign_at("POST", &late.url, &late.body, method, 1_700_000_000, "late")
        .unwrap();
    assert_eq!(client.send(&late).status, 401);
    then("signature.refused refused timestamp-out-of-window");
    let mut changed = client.prepare(&Operation::Enrol, &card);
    changed.body.push(b' ');
    assert_eq!(client.send(&changed).status, 400);
    then("signature.refused refused body-hash-mismatch");
    let forger = |consumer_key: &str| {
        TestClient::new(
            &gateway.base_url,
            consumer_key,
            "other-issuer-signing",
            None,
        )
    };
    assert_eq!(forger(&consumer_key("demo")).enrol(&card).status, 401);
    then("signature.refused refused signature-invalid");
    assert_eq!(forger("demo!canary-key").enrol(&card).status, 401);
    then("signature.refused refused signature-invalid");
    assert_eq!(forger("canary-nobody!key").enrol(&card).status, 401);
    then("signature.refused refused signature-invalid");
    let url = format!("{}/issuers/users", gateway.base_url);
    let unsigned = send("POST", &url, &[("content-type", "application/json")], b"{}");
    assert_eq!(unsigned.status, 401);
    then("signature.refused refused missing-authorization");

    assert_eq!(client.update(&user, &sample::update()).status, 200);
    gateway.set_issuer_status("demo", IssuerStatus::Suspended);
    assert_eq!(client.update(&user, &sample::update()).status, 401);
    expected.push(("user.update accepted", user.as_str()));
    expected.push(("user.update refused issuer-suspended", user.as_str()));

    let database = gateway.stop().unwrap();
    assert!(!assert_whole(&database).contains("note:"));
    let entries = only(&export(&database, &[]), &CALLS);
    assert_eq!(
        summary(&entries),
        expected.iter().map(|(entry, _)| *entry).collect::<Vec<_>>()
    );
    for (entry, (_, subject)) in entries.iter().zip(&expected) {
        // A user that came to nothing has no id in the trail.
        assert_eq!(text(entry, "subject"), *subject, "{entry}");
        assert_eq!(text(entry, "origin"), "127.0.0.1", "{entry}");
        assert_eq!(text(entry, "request_id").len(), 32, "{entry}");
    }
    let actors: Vec<&str> = entries.iter().map(|entry| text(entry, "actor")).collect();
    let key = consumer_key("demo");
    let known = ["claimed demo"; 4];
    let unknown = ["unknown"; 2];
    let proven = [key.as_str(); 2];
    assert_eq!(actors[..5], [key.as_str(); 5]);
    assert_eq!(actors[5..], [&known[..], &unknown, &proven].concat());

    let number = card["cardNumber"].as_str().unwrap();
    database.assert_no_canary(&["canary", "Canary", number, "jane@example"]);
});
