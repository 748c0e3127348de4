//! A signed request is done once: after success and refusal, on every node, after a restart.

use super::{ENROL, Signed, assert_unauthenticated, call, enrol, now, refusals};
use crate::on_both;
use crate::support::at_rest::{audit_trail, stored};
use crate::support::gateway::{TestGateway, assert_refused, config, consumer_key, user_id};
use crate::support::peer::{Jwe, jwe_body};
use crate::support::{Backend, TestDatabase, until};
use chrono::TimeDelta;
use issuer_gateway::client::sample;
use issuer_gateway::clock::Clock;
use issuer_gateway::ids::CardholderId;
use issuer_gateway::issuers::IssuerStatus;
use issuer_gateway::oauth1::MAX_WINDOW_SECONDS;
use serde_json::json;

/// The name under which all nodes of a test are known.
const PUBLIC: &str = "http://gateway.test";

/// A node on a database that others use too.
fn node(database: &TestDatabase) -> TestGateway {
    let mut config = config(&database.url_text);
    config.server.public_base_urls = vec![PUBLIC.to_owned()];
    TestGateway::start_with(&config)
}

/// A body that enrols a new card.
fn enrolment() -> Vec<u8> {
    Jwe::new(sample::enrolment("534403").to_string()).body()
}

/// Authorization of an enrolment at any node.
fn anywhere(body: &[u8]) -> String {
    Signed::new("POST", &format!("{PUBLIC}{ENROL}"), body).authorization()
}

fn count_audited(database: &TestDatabase, outcome: &str) -> i64 {
    database.number(&format!(
        "SELECT count(*) AS n FROM audit_entries WHERE action LIKE 'user.%' AND outcome = '{outcome}'"
    ))
}

on_both!(
    a_replay_does_nothing_but_leave_a_trace,
    |backend: Backend| {
        let gateway = TestGateway::start(backend);
        let database = gateway.database.as_ref().unwrap();
        let body = enrolment();
        let authorization = Signed::enrol(&gateway, &body).authorization();
        assert_eq!(enrol(&gateway, &authorization, &body).status, 200);
        let rows = || {
            let dump = database.dump();
            let kept = dump.lines().filter(|line| {
                // Not the job's row, which a background job looks at meanwhile.
                ["users:", "cards:", "oauth_nonces:"]
                    .iter()
                    .any(|table| line.starts_with(table))
            });
            let mut kept: Vec<String> = kept.map(str::to_owned).collect();
            kept.sort();
            kept
        };
        let before = rows();
        assert_eq!(before.len(), 3);
        assert_eq!(database.count("scoring_jobs"), 1);
        for replay in 1..=3 {
            assert_unauthenticated(&enrol(&gateway, &authorization, &body), "replay");
            assert_eq!(rows(), before);
            assert_eq!(database.count("scoring_jobs"), 1);
            assert_eq!(count_audited(database, "accepted"), 1);
            assert_eq!(count_audited(database, "refused"), replay);
        }
        let last = audit_trail(&gateway).pop().unwrap();
        let said = (
            last.action.as_str(),
            last.outcome.as_str(),
            last.reason.as_deref(),
            last.subject,
        );
        assert_eq!(said, ("user.enrol", "refused", Some("nonce-used"), None));
    }
);

on_both!(
    a_replayed_update_does_not_bring_back_the_old,
    |backend: Backend| {
        let gateway = TestGateway::start(backend);
        let client = gateway.client("demo");
        let id = user_id(&client.enrol(&sample::enrolment("534403")));
        let target = format!("{ENROL}/{id}");
        let mut requests = Vec::new();
        for code in ["10001", "10002"] {
            let mut update = sample::update();
            update["billingAddress"]["postalCode"] = json!(code);
            let body = Jwe::new(update.to_string()).body();
            let signed = Signed::new("PUT", &format!("{}{target}", gateway.base_url), &body);
            requests.push((signed.authorization(), body));
        }
        let put = |(authorization, body): &(String, Vec<u8>)| {
            call(
                &gateway,
                "PUT",
                &target,
                &[("Authorization", authorization)],
                body,
            )
        };
        assert_eq!(put(&requests[0]).status, 200);
        assert_eq!(put(&requests[1]).status, 200);
        assert_unauthenticated(&put(&requests[0]), "replay");
        let user = stored(&gateway, "demo", &id);
        assert_eq!(user["billingAddress"]["postalCode"], "10002");
    }
);

on_both!(
    refused_requests_use_up_their_nonce_too,
    |backend: Backend| {
        let gateway = TestGateway::start(backend);
        let mut expired = sample::enrolment("534403");
        expired["expiryInfo"]["year"] = json!("2020");
        let unopened = jwe_body(&format!("{}.a.b.c.d", "e".repeat(200)));
        let (broken, good) = (Jwe::new(expired.to_string()).body(), enrolment());
        let taken = enrolment();
        assert_eq!(
            enrol(
                &gateway,
                &Signed::enrol(&gateway, &taken).authorization(),
                &taken
            )
            .status,
            200
        );
        for (body, code) in [
            (&unopened, "CRYPTO_ERROR"),
            (&broken, "INVALID_REQUEST_PARAMETER"),
            (&taken, "USER_ALREADY_EXISTS"),
        ] {
            let signed = Signed::enrol(&gateway, body);
            assert_refused(
                &enrol(&gateway, &signed.authorization(), body),
                400,
                &[code],
            );
            assert_unauthenticated(&enrol(&gateway, &signed.authorization(), body), code);
            // Nor is the nonce good for another request.
            let (_, nonce) = signed
                .oauth
                .iter()
                .find(|(name, _)| name == "oauth_nonce")
                .unwrap();
            let other = Signed::enrol(&gateway, &good).with("oauth_nonce", nonce);
            assert_unauthenticated(&enrol(&gateway, &other.authorization(), &good), code);
        }

        // What a state refused does not pass once the state has changed.
        let signed = Signed::enrol(&gateway, &good).authorization();
        gateway.set_issuer_status("demo", IssuerStatus::Suspended);
        assert_refused(
            &enrol(&gateway, &signed, &good),
            401,
            &["ACCOUNT_SUSPENDED"],
        );
        gateway.set_issuer_status("demo", IssuerStatus::Active);
        assert_unauthenticated(&enrol(&gateway, &signed, &good), "was suspended");

        let target = format!("{ENROL}/{}", CardholderId::random());
        let body = Jwe::new(sample::update().to_string()).body();
        let signed =
            Signed::new("PUT", &format!("{}{target}", gateway.base_url), &body).authorization();
        let put = || {
            call(
                &gateway,
                "PUT",
                &target,
                &[("Authorization", &signed)],
                &body,
            )
        };
        assert_refused(&put(), 404, &["USER_NOT_FOUND"]);
        assert_unauthenticated(&put(), "unknown user");
        assert_eq!(gateway.database.as_ref().unwrap().count("users"), 1);
    }
);

on_both!(
    a_replay_is_refused_on_every_node_and_after_a_restart,
    |backend: Backend| {
        let database = TestDatabase::new(backend);
        let (here, there) = (node(&database), node(&database));
        let (first, second) = (enrolment(), enrolment());
        let (first_signed, second_signed) = (anywhere(&first), anywhere(&second));
        assert_eq!(enrol(&here, &first_signed, &first).status, 200);
        assert_unauthenticated(&enrol(&there, &first_signed, &first), "another node");
        assert_eq!(enrol(&there, &second_signed, &second).status, 200);
        assert_unauthenticated(&enrol(&here, &second_signed, &second), "another node");
        drop((here, there));

        let again = node(&database);
        for (signed, body) in [(&first_signed, &first), (&second_signed, &second)] {
            assert_unauthenticated(&enrol(&again, signed, body), "after a restart");
        }
        assert_eq!(database.count("users"), 2);
        assert_eq!(count_audited(&database, "accepted"), 2);
        assert_eq!(count_audited(&database, "refused"), 4);
    }
);

on_both!(of_simultaneous_replays_one_is_done, |backend: Backend| {
    let database = TestDatabase::new(backend);
    let nodes = [node(&database), node(&database)];
    for round in 1..=3 {
        let body = enrolment();
        let authorization = anywhere(&body);
        let statuses: Vec<u16> = std::thread::scope(|scope| {
            let calls: Vec<_> = (0..8)
                .map(|index| {
                    let (node, authorization, body) = (&nodes[index % 2], &authorization, &body);
                    scope.spawn(move || enrol(node, authorization, body).status)
                })
                .collect();
            calls.into_iter().map(|call| call.join().unwrap()).collect()
        });
        let with = |status| statuses.iter().filter(|got| **got == status).count();
        assert_eq!((with(200), with(401)), (1, 7), "{statuses:?}");
        assert_eq!(database.count("users"), round);
        assert_eq!(count_audited(&database, "accepted"), round);
    }
});

on_both!(each_issuer_has_nonces_of_its_own, |backend: Backend| {
    let gateway = TestGateway::start(backend);
    for (issuer, prefix) in [("demo", "534403"), ("basic", "510665")] {
        let body = Jwe::new(sample::enrolment(prefix).to_string()).body();
        let signed = Signed::enrol(&gateway, &body)
            .with("oauth_nonce", "Ab3dEf9h")
            .with("oauth_consumer_key", &consumer_key(issuer));
        assert_eq!(
            enrol(&gateway, &signed.authorization(), &body).status,
            200,
            "{issuer}"
        );
        assert_unauthenticated(&enrol(&gateway, &signed.authorization(), &body), issuer);
    }
});

on_both!(
    nonces_are_kept_as_long_as_their_timestamp_is_good,
    |backend: Backend| {
        let gateway = TestGateway::start(backend);
        let database = gateway.database.as_ref().unwrap();
        let body = enrolment();
        // From a clock that is ahead: good for longer than others.
        let timestamp = now() + 290;
        let signed = Signed::enrol(&gateway, &body).with("oauth_timestamp", &timestamp.to_string());
        assert_eq!(enrol(&gateway, &signed.authorization(), &body).status, 200);
        let purge = |kept_seconds: i64| {
            let purge = gateway.gateway.store.purge_nonces(kept_seconds * 1_000_000);
            gateway.block_on(purge).unwrap();
        };
        // As long as the widest window that can be configured would take it.
        let expires = database.number("SELECT expires_at AS n FROM oauth_nonces");
        assert_eq!(expires, (timestamp + MAX_WINDOW_SECONDS + 1) * 1_000_000);
        // As if it were later by so much.
        for later in [0, 300, MAX_WINDOW_SECONDS + 260] {
            purge(-later);
            assert_eq!(database.count("oauth_nonces"), 1, "{later}");
        }
        assert_unauthenticated(&enrol(&gateway, &signed.authorization(), &body), "replay");
        purge(-(timestamp + MAX_WINDOW_SECONDS + 2 - now()));
        assert_eq!(database.count("oauth_nonces"), 0);
    }
);

on_both!(
    a_wider_window_makes_no_used_nonce_new_again,
    |backend: Backend| {
        let database = TestDatabase::new(backend);
        let with_window = |seconds| {
            let mut config = config(&database.url_text);
            config.server.public_base_urls = vec![PUBLIC.to_owned()];
            config.oauth.window_seconds = seconds;
            TestGateway::start_with(&config)
        };
        let body = enrolment();
        let timestamp = now();
        let signed = Signed::new("POST", &format!("{PUBLIC}{ENROL}"), &body)
            .with("oauth_timestamp", &timestamp.to_string());
        let narrow = with_window(60);
        assert_eq!(enrol(&narrow, &signed.authorization(), &body).status, 200);
        // Later than the narrow window takes it, and earlier than the wide one stops taking it.
        let as_if_later = -600 * 1_000_000;
        narrow
            .block_on(narrow.gateway.store.purge_nonces(as_if_later))
            .unwrap();
        drop(narrow);
        let wide = with_window(MAX_WINDOW_SECONDS);
        assert_unauthenticated(&enrol(&wide, &signed.authorization(), &body), "replay");
        assert_eq!(database.count("users"), 1);
    }
);

on_both!(
    a_call_that_this_node_has_answered_is_refused_without_decryption,
    |backend: Backend| {
        let gateway = TestGateway::start(backend);
        let body = enrolment();
        let signed = Signed::enrol(&gateway, &body);
        let authorization = signed.authorization();
        assert_eq!(enrol(&gateway, &authorization, &body).status, 200);
        let live = gateway.gateway.reloadable();
        let used = || {
            let key = &live.keys.keys()[0];
            key.last_used()
        };
        let before = used();
        for _ in 0..3 {
            assert_unauthenticated(&enrol(&gateway, &authorization, &body), "replay");
        }
        assert_eq!(used(), before, "a replay was decrypted");
        assert_eq!(refusals(&gateway, "nonce-used"), 3);

        // Only what was proven is remembered: a forged call neither hits nor spoils a good one.
        let good = enrolment();
        let signed = Signed::enrol(&gateway, &good);
        let forged = signed.header(&[1; 256]);
        for _ in 0..2 {
            assert_unauthenticated(&enrol(&gateway, &forged, &good), "forged");
        }
        assert_eq!(refusals(&gateway, "signature-invalid"), 2);
        assert_eq!(enrol(&gateway, &signed.authorization(), &good).status, 200);
        assert_unauthenticated(&enrol(&gateway, &forged, &good), "forged");
        assert_eq!(refusals(&gateway, "signature-invalid"), 3);
    }
);

on_both!(
    a_node_with_a_fast_clock_makes_no_node_accept_a_replay,
    |backend: Backend| {
        let database = TestDatabase::new(backend);
        let right = node(&database);
        // Sent late: by a clock that is 100 s fast its nonce has expired.
        let calls: Vec<_> = (0..20)
            .map(|_| {
                let body = enrolment();
                let url = format!("{PUBLIC}{ENROL}");
                let authorization = Signed::new("POST", &url, &body)
                    .with("oauth_timestamp", &(now() - 270).to_string())
                    .authorization();
                assert_eq!(enrol(&right, &authorization, &body).status, 200);
                (authorization, body)
            })
            .collect();
        let mut config = config(&database.url_text);
        config.server.public_base_urls = vec![PUBLIC.to_owned()];
        let fast = Clock::wrong_by(TimeDelta::seconds(100));
        let fast = TestGateway::try_start(&config, fast).unwrap();
        let purged = r#"issuer_gateway_job_last_success_timestamp_seconds{job="nonce-purge"}"#;
        until("the fast node's purge", || fast.metric(purged) > 0.0);
        for (authorization, body) in &calls {
            assert_unauthenticated(&enrol(&right, authorization, body), "replay");
        }
        assert_eq!(database.count("users"), 20);
    }
);
