//! What a request leaves in the database: sealed columns, an audit entry, a scoring job; and what
//! an update changes.

mod moved;

use crate::on_both;
use crate::support::Backend;
use crate::support::at_rest::{audit_trail, sealed, stored};
use crate::support::gateway::{TestClient, TestGateway, consumer_key, user_id};
use crate::support::http::exchange;
use crate::support::peer::{FieldLevel, Jwe, jwe_body};
use chrono::{DateTime, Datelike, NaiveTime, Utc};
use issuer_gateway::client::sample;
use issuer_gateway::ids::CardholderId;
use issuer_gateway::store;
use issuer_gateway::store::audit::AuditEntry;
use serde_json::{Value, json};

/// Personal data that is found nowhere else, so that any trace of it is a leak.
fn canary() -> Value {
    let mut enrolment = sample::enrolment("534403");
    enrolment["email"]["value"] = json!("Canary.Xylophone@kanari.example");
    enrolment["name"] = json!({"firstName": "Quintessa", "lastName": "Xylophone"});
    enrolment["cardholderName"] = json!("Quintessa Xylophone");
    enrolment["billingAddress"]["line1"] = json!("77 Kanarienstr. \u{f6}\u{1f426}");
    enrolment["billingAddress"]["city"] = json!("Zwitscherhausen");
    enrolment["locale"] = json!("qq-KANARI");
    enrolment
}

/// Everything in it that nobody may find in the database.
fn canaries(enrolment: &Value) -> Vec<String> {
    let mut all: Vec<String> = ["Xylophone", "Quintessa", "kanari", "Zwitscherhausen"]
        .map(str::to_owned)
        .to_vec();
    let pan = enrolment["cardNumber"].as_str().unwrap();
    // Whole, without the last four digits, and without the first six.
    all.extend([pan, &pan[..12], &pan[6..]].map(str::to_owned));
    all
}

/// Signs and sends a body; the status and the answer's `X-Request-Id`.
fn call(client: &TestClient, method: &str, url: &str, body: &[u8]) -> (u16, String) {
    let authorization = client.authorization(method, url, body);
    let headers = [
        ("Authorization", authorization.as_str()),
        ("Content-Type", "application/json"),
    ];
    let (answer, request_id) = exchange(method, url, &headers, body);
    (answer.status, request_id)
}

fn newest_user(gateway: &TestGateway) -> String {
    let sql = "SELECT user_id AS t FROM users ORDER BY created_at DESC";
    gateway.database.as_ref().unwrap().texts(sql).remove(0)
}

on_both!(personal_data_is_stored_only_sealed, |backend: Backend| {
    let gateway = TestGateway::start(backend);
    let client = gateway.client("demo");
    let enrolment = canary();
    let id = user_id(&client.enrol(&enrolment));
    let mut update = sample::update();
    update["name"] = enrolment["name"].clone();
    update["billingAddress"] = enrolment["billingAddress"].clone();
    update["locale"] = enrolment["locale"].clone();
    update["email"] = json!({"value": "second.xylophone@kanari.example"});
    update["phoneNumber"] = json!("+4915209876543");
    assert_eq!(client.update(&id, &update).status, 200);
    // Refused requests leave nothing behind either.
    let mut refused = enrolment.clone();
    refused["cardBaseCurrency"] = json!("ZZZ");
    assert_eq!(client.enrol(&refused).status, 400);
    assert_eq!(client.enrol(&enrolment).status, 400);

    let mut all = canaries(&enrolment);
    all.push("15209876543".to_owned());
    let all: Vec<&str> = all.iter().map(String::as_str).collect();
    gateway.database.as_ref().unwrap().assert_no_canary(&all);

    let (user, card) = sealed(&gateway, "demo", &id);
    assert_eq!(
        card.last_four,
        enrolment["cardNumber"].as_str().unwrap()[12..]
    );
    let columns = [
        user.profile.name,
        user.profile.email,
        user.profile.phone,
        user.profile.billing_address,
        user.profile.locale,
    ];
    for bytes in columns.into_iter().flatten().chain([card.card]) {
        // Key version 1, IV, ciphertext, tag.
        assert_eq!(bytes[..4], [0, 0, 0, 1]);
        assert!(bytes.len() > 4 + 12 + 16);
    }
    assert_eq!(
        (
            card.pan_index.len(),
            user.profile.email_index.unwrap().len()
        ),
        (32, 32)
    );
});

on_both!(
    each_call_leaves_one_audit_entry_without_personal_data,
    |backend: Backend| {
        let gateway = TestGateway::start(backend);
        let client = gateway.client("demo");
        let before = audit_trail(&gateway).len();
        let enrolment = canary();
        let enrol_url = format!("{}/issuers/users", gateway.base_url);
        let body = |clear: &Value| Jwe::new(clear.to_string()).body();
        let mut broken = enrolment.clone();
        broken["locale"] = json!("");
        let unopened = jwe_body(&format!("{}.a.b.c.d", "e".repeat(200)));
        let update = body(&json!({"name": enrolment["name"], "locale": "qq-KANARI"}));

        let started = store::now();
        let enrolled = call(&client, "POST", &enrol_url, &body(&enrolment));
        let id = newest_user(&gateway);
        let nobody = CardholderId::random();
        let url = |id: &str| format!("{enrol_url}/{id}");
        let calls = [
            (200, "user.enrol", None, Some(id.as_str()), enrolled),
            (
                400,
                "user.enrol",
                Some("card-taken"),
                None,
                call(&client, "POST", &enrol_url, &body(&enrolment)),
            ),
            (
                400,
                "user.enrol",
                Some("rules-broken"),
                None,
                call(&client, "POST", &enrol_url, &body(&broken)),
            ),
            (
                400,
                "user.enrol",
                Some("crypto"),
                None,
                call(&client, "POST", &enrol_url, &unopened),
            ),
            (
                200,
                "user.update",
                None,
                Some(id.as_str()),
                call(&client, "PUT", &url(&id), &update),
            ),
            (
                404,
                "user.update",
                Some("user-not-found"),
                Some(nobody.as_str()),
                call(&client, "PUT", &url(nobody.as_str()), &update),
            ),
        ];
        let entries = audit_trail(&gateway).split_off(before);
        assert_eq!(entries.len(), calls.len());
        let issuer = gateway.issuer_id("demo").0;
        for (entry, (status, action, reason, subject, (got, request_id))) in
            entries.iter().zip(calls)
        {
            assert_eq!(got, status, "{action} {reason:?}");
            assert_eq!(entry.actor, consumer_key("demo"));
            assert_eq!(entry.action, action);
            let outcome = if reason.is_some() {
                "refused"
            } else {
                "accepted"
            };
            assert_eq!(
                (entry.outcome.as_str(), entry.reason.as_deref()),
                (outcome, reason)
            );
            assert_eq!(
                entry.request_id.as_deref(),
                Some(request_id.as_str()),
                "{action} {reason:?}"
            );
            assert_eq!(entry.subject.as_deref(), subject, "{action} {reason:?}");
            assert_eq!(
                (entry.issuer_id, entry.origin.as_deref()),
                (Some(issuer), Some("127.0.0.1"))
            );
            assert!((started..=store::now()).contains(&entry.at));
        }
        let text = entries
            .iter()
            .map(without_hashes)
            .collect::<String>()
            .to_lowercase();
        for canary in canaries(&enrolment) {
            assert!(!text.contains(&canary.to_lowercase()), "{canary}");
        }
    }
);

fn without_hashes(entry: &AuditEntry) -> String {
    let entry = AuditEntry {
        previous_hash: Vec::new(),
        hash: Vec::new(),
        ..entry.clone()
    };
    format!("{entry:?}")
}

on_both!(
    an_enrolment_leaves_a_pending_scoring_job_of_twelve_months,
    |backend: Backend| {
        let gateway = TestGateway::start(backend);
        let database = gateway.database.as_ref().unwrap();
        let client = gateway.client("demo");
        let enrolment = canary();
        let started = store::now();
        let id = user_id(&client.enrol(&enrolment));
        let ended = store::now();
        assert_eq!(client.enrol(&enrolment).status, 400);
        assert_eq!(client.update(&id, &sample::update()).status, 200);

        assert_eq!(database.count("scoring_jobs"), 1);
        let issuer = gateway.issuer_id("demo").0;
        let pending = format!(
            "SELECT count(*) AS n FROM scoring_jobs WHERE issuer_id = {issuer} AND user_id = '{id}' \
             AND status = 'pending' AND attempts = 0 AND created_at = window_to"
        );
        assert_eq!(database.number(&pending), 1);
        let time = |column: &str| {
            let micros = database.number(&format!("SELECT {column} AS n FROM scoring_jobs"));
            (
                micros,
                DateTime::<Utc>::from_timestamp_micros(micros).unwrap(),
            )
        };
        let ((_, from), (micros, to)) = (time("window_from"), time("window_to"));
        assert!((started..=ended).contains(&micros));
        // The first of the month a year ago; the test's issuers are in UTC.
        assert_eq!(
            (from.year(), from.month(), from.day(), from.time()),
            (to.year() - 1, to.month(), 1, NaiveTime::MIN)
        );
    }
);

on_both!(
    an_update_replaces_what_was_sent_and_keeps_the_rest,
    |backend: Backend| {
        let gateway = TestGateway::start(backend);
        let client = gateway.client("demo");
        let mut expected = canary();
        let id = user_id(&client.enrol(&expected));
        let bystander = canary();
        let bystander_id = user_id(&client.enrol(&bystander));
        assert_eq!(stored(&gateway, "demo", &id), expected);
        let put = |update: &Value| {
            let url = format!("{}/issuers/users/{id}", gateway.base_url);
            for body in [
                Jwe::new(update.to_string()).body(),
                FieldLevel::new(update.to_string()).body(),
            ] {
                assert_eq!(call(&client, "PUT", &url, &body).0, 200, "{update}");
            }
        };

        // Name and locale alone: address and e-mail stay.
        let mut update = json!({"name": {"firstName": "Ana", "lastName": "O\u{2019}Neil"}, "locale": "pl-PL",
                            "comment": "unknown members are ignored"});
        let before = sealed(&gateway, "demo", &id);
        put(&update);
        expected["name"] = update["name"].clone();
        expected["locale"] = update["locale"].clone();
        assert_eq!(stored(&gateway, "demo", &id), expected);
        let after = sealed(&gateway, "demo", &id);
        assert_eq!(after.1, before.1, "the card is not touched");
        assert_eq!(
            (after.0.profile.email, after.0.profile.billing_address),
            (before.0.profile.email, before.0.profile.billing_address)
        );
        assert_eq!(after.0.created_at, before.0.created_at);
        assert!(after.0.updated_at > before.0.updated_at);

        // An address replaces the whole address: what it does not say is gone.
        update["billingAddress"] = json!({"countryCode": "POL", "type": "work", "city": "Łódź"});
        put(&update);
        expected["billingAddress"] = update["billingAddress"].clone();
        assert_eq!(stored(&gateway, "demo", &id), expected);

        // E-mail and phone change when they are sent, and stay when they are not.
        update["email"] = json!({"type": "work", "value": "ana.oneil@example.org"});
        update["phoneNumber"] = json!("+48221234567");
        put(&update);
        expected["email"] = update["email"].clone();
        expected["phoneNumber"] = update["phoneNumber"].clone();
        assert_eq!(stored(&gateway, "demo", &id), expected);
        let index = gateway
            .gateway
            .vault
            .current()
            .email_index(gateway.issuer_id("demo"), "ana.oneil@example.org");
        let (user, _) = sealed(&gateway, "demo", &id);
        assert_eq!(user.profile.email_index.unwrap(), index.bytes);
        put(&sample::update());
        for member in ["name", "locale", "billingAddress"] {
            expected[member] = sample::update()[member].clone();
        }
        assert_eq!(stored(&gateway, "demo", &id), expected);
        assert_eq!(stored(&gateway, "demo", &bystander_id), bystander);
    }
);
