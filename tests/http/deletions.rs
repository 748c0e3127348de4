//! `POST /issuers/user-deletions`: every rule of cce-api.md 7.5 and every error that the operation
//! can return (sections 4 and 5). What happens to the users afterwards is in `erasure`.

use crate::on_both;
use crate::support::Backend;
use crate::support::gateway::{TestGateway, accepted, assert_refused, errors, user_id};
use crate::support::http::send;
use issuer_gateway::client::sample;
use issuer_gateway::ids::CardholderId;
use issuer_gateway::issuers::IssuerStatus;
use issuer_gateway::store::cardholders::CardholderStatus;
use serde_json::json;

const SERVICE: &str = "CARBON CALCULATOR EXPERIENCE";
const GATEWAY: &str = "Gateway";

/// Enrols `count` cards of the demo issuer.
fn enrol(gateway: &TestGateway, count: usize) -> Vec<String> {
    let client = gateway.client("demo");
    (0..count)
        .map(|_| user_id(&client.enrol(&sample::enrolment("534403"))))
        .collect()
}

fn unknown() -> String {
    CardholderId::random().as_str().to_owned()
}

/// How often the audit trail has this action, outcome and user.
fn entries(gateway: &TestGateway, action: &str, outcome: &str, subject: &str) -> i64 {
    gateway.database.as_ref().unwrap().number(&format!(
        "SELECT count(*) AS n FROM audit_entries WHERE action = '{action}' AND outcome = '{outcome}' \
         AND {subject}"
    ))
}

on_both!(
    accepted_ids_come_back_once_each_in_the_order_of_the_request,
    |backend: Backend| {
        let gateway = TestGateway::start_without_erasure(backend);
        let users = enrol(&gateway, 3);
        let foreign = user_id(&gateway.client("compat").enrol(&sample::enrolment("222300")));
        let sent = [
            users[2].clone(),
            unknown(),
            users[0].to_uppercase(),
            foreign.clone(),
            users[2].to_uppercase(),
            users[0].clone(),
            users[1].clone(),
        ];
        let answer = gateway.client("demo").delete(&sent);
        let expected = [users[2].clone(), users[0].clone(), users[1].clone()];
        assert_eq!(accepted(&answer), expected);

        let database = gateway.database.as_ref().unwrap();
        let marked = "SELECT count(*) AS n FROM users WHERE status = 'TERMINATING'";
        assert_eq!(database.number(marked), 3, "202 means that it is stored");
        for user in &users {
            let subject =
                format!("subject = '{user}' AND actor LIKE 'demo!%' AND origin IS NOT NULL");
            assert_eq!(entries(&gateway, "user.delete", "accepted", &subject), 1);
        }
        let others = "subject IS NULL OR subject NOT IN (SELECT user_id FROM users)";
        assert_eq!(
            entries(&gateway, "user.delete", "accepted", &format!("({others})")),
            0
        );
    }
);

on_both!(
    users_of_nobody_and_of_others_are_not_found,
    |backend: Backend| {
        let gateway = TestGateway::start_without_erasure(backend);
        let foreign = user_id(&gateway.client("compat").enrol(&sample::enrolment("222300")));
        let client = gateway.client("demo");
        let missing = client.delete(&[unknown(), unknown()]);
        let others = client.delete(&[foreign.as_str()]);
        assert_refused(&missing, 404, &["USER_NOT_FOUND"]);
        assert_eq!(errors(&missing)[0].0, SERVICE);
        assert_refused(&others, 404, &["USER_NOT_FOUND"]);
        assert_eq!(
            missing.body, others.body,
            "another issuer's user looks like a missing one"
        );
        assert_eq!(
            accepted(&gateway.client("compat").delete(&[foreign.as_str()])),
            [foreign]
        );
        let refused = entries(
            &gateway,
            "user.delete",
            "refused",
            "reason = 'user-not-found'",
        );
        assert_eq!(refused, 2);
    }
);

on_both!(
    users_under_termination_are_accepted_again,
    |backend: Backend| {
        let gateway = TestGateway::start_without_erasure(backend);
        let client = gateway.client("demo");
        let enrolment = sample::enrolment("534403");
        let user = user_id(&client.enrol(&enrolment));
        assert_eq!(accepted(&client.delete(&[&user])), [user.as_str()]);
        assert_eq!(accepted(&client.delete(&[&user])), [user.as_str()]);
        assert_refused(
            &client.update(&user, &sample::update()),
            401,
            &["USER_TERMINATE_IN_PROGRESS"],
        );
        assert_refused(&client.enrol(&enrolment), 400, &["USER_ALREADY_EXISTS"]);

        gateway.set_user_status("demo", &user, CardholderStatus::Deleted);
        assert_refused(&client.delete(&[&user]), 404, &["USER_NOT_FOUND"]);
        let other = enrol(&gateway, 1);
        assert_eq!(accepted(&client.delete(&[&user, &other[0]])), other);
    }
);

on_both!(
    inactive_users_and_those_who_must_enrol_again_can_be_deleted,
    |backend: Backend| {
        let gateway = TestGateway::start_without_erasure(backend);
        let users = enrol(&gateway, 2);
        gateway.set_user_status("demo", &users[0], CardholderStatus::Inactive);
        let database = gateway.database.as_ref().unwrap();
        database.execute(&format!(
            "UPDATE users SET enrolment_epoch = -1 WHERE user_id = '{}'",
            users[1]
        ));
        let client = gateway.client("demo");
        assert_refused(
            &client.update(&users[1], &sample::update()),
            404,
            &["USER_NOT_FOUND"],
        );
        assert_eq!(accepted(&client.delete(&users)), users);
        let marked = "SELECT count(*) AS n FROM users WHERE status = 'TERMINATING'";
        assert_eq!(database.number(marked), 2);
    }
);

on_both!(
    one_malformed_id_rejects_the_list_and_all_are_reported,
    |backend: Backend| {
        let gateway = TestGateway::start_without_erasure(backend);
        let users = enrol(&gateway, 1);
        // The deletion example of the public page has 37 characters (cce-api.md 8.14).
        let sent = json!([
            users[0],
            "4ba581a55-8d1c-4d63-a6a3-3a8d3ac3ee36",
            "nobody",
            null,
            12_345
        ]);
        let answer = gateway
            .client("demo")
            .delete_list(sent.to_string().as_bytes());
        assert_refused(&answer, 400, &["INVALID_REQUEST_PARAMETER"; 4]);
        for (position, (source, _, recoverable, details)) in errors(&answer).iter().enumerate() {
            assert_eq!((source.as_str(), *recoverable), (SERVICE, false));
            let start = format!("[{}]: must be 36 characters", position + 1);
            assert!(details.as_str().unwrap().starts_with(&start), "{details}");
        }
        let text = String::from_utf8(answer.body).unwrap();
        for value in ["4ba581a55", "nobody", "12345"] {
            assert!(!text.contains(value), "the answer repeats {value}");
        }
        let database = gateway.database.as_ref().unwrap();
        let marked = "SELECT count(*) AS n FROM users WHERE status = 'TERMINATING'";
        assert_eq!(database.number(marked), 0);
    }
);

on_both!(a_list_holds_1_to_500_ids, |backend: Backend| {
    let gateway = TestGateway::start_without_erasure(backend);
    let client = gateway.client("demo");
    let users = enrol(&gateway, 1);
    for count in [0, 501] {
        let answer = client.delete(&vec![users[0].as_str(); count]);
        assert_refused(&answer, 400, &["INVALID_REQUEST_PARAMETER"]);
        let (source, _, recoverable, details) = errors(&answer).remove(0);
        assert_eq!((source.as_str(), recoverable), (SERVICE, true), "{count}");
        assert_eq!(details, json!("must hold 1 to 500 user ids"));
    }
    let mut most: Vec<String> = (0..499).map(|_| unknown()).collect();
    most.push(users[0].clone());
    assert_eq!(accepted(&client.delete(&most)), users);
    for body in ["", "{}", "null", "[", "{\"ids\":[]}", "\u{0}"] {
        let answer = client.delete_list(body.as_bytes());
        assert_refused(&answer, 400, &["INVALID_REQUEST_PARAMETER"]);
        assert!(!errors(&answer)[0].2, "{body}");
    }
});

on_both!(every_issuer_state_refuses_deletions, |backend: Backend| {
    let gateway = TestGateway::start_without_erasure(backend);
    let client = gateway.client("demo");
    let users = enrol(&gateway, 1);
    for (status, code) in [
        (IssuerStatus::Inactive, "ACCOUNT_INACTIVE"),
        (IssuerStatus::Suspended, "ACCOUNT_SUSPENDED"),
        (IssuerStatus::Terminated, "ACCOUNT_TERMINATED"),
    ] {
        gateway.set_issuer_status("demo", status);
        assert_refused(&client.delete(&users), 401, &[code]);
    }
    gateway.set_issuer_status("demo", IssuerStatus::Active);
    assert_eq!(accepted(&client.delete(&users)), users);
    gateway.remove_issuer("basic");
    let removed = gateway.client("basic").delete(&users);
    assert_refused(&removed, 404, &["SERVICE_PROVIDER_NOT_FOUND"]);
});

on_both!(
    checks_of_a_deletion_come_in_their_order,
    |backend: Backend| {
        // signature, issuer state, media type, the list, the users.
        let gateway = TestGateway::start_without_erasure(backend);
        let client = gateway.client("demo");
        let url = format!("{}/issuers/user-deletions", gateway.base_url);
        let post = |content_type: &str, body: &[u8]| {
            let authorization = client.authorization("POST", &url, body);
            let headers = [
                ("Authorization", authorization.as_str()),
                ("Content-Type", content_type),
            ];
            send("POST", &url, &headers, body)
        };
        let unsigned = send("POST", &url, &[("Content-Type", "text/plain")], b"x");
        assert_refused(&unsigned, 401, &["AUTHENTICATION_FAILED"]);
        gateway.set_issuer_status("demo", IssuerStatus::Suspended);
        assert_refused(&post("text/plain", b"x"), 401, &["ACCOUNT_SUSPENDED"]);
        gateway.set_issuer_status("demo", IssuerStatus::Active);
        assert_refused(&post("text/plain", b"x"), 415, &["UNSUPPORTED_MEDIA_TYPE"]);
        let list = json!(["short", unknown()]).to_string();
        let answer = post("application/json; charset=utf-8", list.as_bytes());
        assert_refused(&answer, 400, &["INVALID_REQUEST_PARAMETER"]);
        let list = json!([unknown()]).to_string();
        assert_refused(
            &post("application/json", list.as_bytes()),
            404,
            &["USER_NOT_FOUND"],
        );
    }
);

on_both!(a_deletion_needs_its_signature, |backend: Backend| {
    let gateway = TestGateway::start_without_erasure(backend);
    let client = gateway.client("demo");
    let users = enrol(&gateway, 2);
    let url = format!("{}/issuers/user-deletions", gateway.base_url);
    let post = |authorization: &str, body: &str| {
        let headers = [
            ("Authorization", authorization),
            ("Content-Type", "application/json"),
        ];
        send("POST", &url, &headers, body.as_bytes())
    };
    let (body, other) = (json!([users[0]]).to_string(), json!([users[1]]).to_string());
    let changed = post(&client.authorization("POST", &url, body.as_bytes()), &other);
    assert_refused(&changed, 400, &["INVALID_BODY_HASH"]);
    assert_eq!(
        (errors(&changed)[0].0.as_str(), &errors(&changed)[0].3),
        (
            GATEWAY,
            &json!("oauth_body_hash: must be the SHA-256 of the body as sent, in base64")
        )
    );
    let foreign = gateway.client("compat");
    let authorization = foreign.authorization("POST", &url, body.as_bytes());
    assert_refused(&post(&authorization, &body), 404, &["USER_NOT_FOUND"]);

    // A replay is refused, whether the first call was done or refused.
    let missing = json!([unknown()]).to_string();
    let authorization = client.authorization("POST", &url, missing.as_bytes());
    assert_refused(&post(&authorization, &missing), 404, &["USER_NOT_FOUND"]);
    assert_refused(
        &post(&authorization, &missing),
        401,
        &["AUTHENTICATION_FAILED"],
    );
    assert_eq!(accepted(&client.delete(&users)), users);
    let again = entries(&gateway, "user.delete", "refused", "reason = 'nonce-used'");
    assert_eq!(again, 1);
});

on_both!(
    deletions_are_served_under_both_mounts,
    |backend: Backend| {
        let gateway = TestGateway::start_without_erasure(backend);
        let users = enrol(&gateway, 2);
        for (mount, user) in ["", "/cts"].into_iter().zip(&users) {
            let base_url = format!("{}{mount}", gateway.base_url);
            let client = gateway.client_at("demo", &base_url);
            assert_eq!(accepted(&client.delete(&[user])), [user.as_str()]);
            let url = format!("{base_url}/issuers/user-deletions");
            for method in ["GET", "PUT", "DELETE"] {
                assert_refused(&send(method, &url, &[], b""), 405, &["METHOD_NOT_ALLOWED"]);
            }
        }
    }
);
