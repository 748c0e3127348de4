//! Donation turned on after off: every user must register again, no row is rewritten, and one of
//! two at once wins (cce-api.md 7.1; spec decision 7).

use crate::data_keys::move_card;
use crate::on_both;
use crate::support::gateway::{TestGateway, accepted, assert_refused, user_id};
use crate::support::{Backend, TestDatabase, until};
use issuer_gateway::client::sample;
use issuer_gateway::ids::ClientId;
use issuer_gateway::issuers::declaration;
use issuer_gateway::rotation::primary::begin_index_rotation;
use issuer_gateway::store::audit::AuditDraft;
use issuer_gateway::store::cardholders::{CardholderStatus, Switched};
use issuer_gateway::store::issuers::Toggled;
use issuer_gateway::store::now;
use issuer_gateway::vault::{Place, SealedColumn};
use serde_json::json;

fn audit() -> AuditDraft {
    AuditDraft::accepted(now(), "test", "test")
}

fn set_donation(gateway: &TestGateway, issuer: &str, on: bool) -> Toggled {
    let id = ClientId::parse(issuer).unwrap();
    let store = &gateway.gateway.store;
    gateway.block_on(async {
        let toggled = store.set_donation(&id, on, audit()).await.unwrap();
        gateway.gateway.registry.refresh(store).await.unwrap();
        toggled
    })
}

/// Off and on again: everybody must register again.
fn toggle(gateway: &TestGateway, issuer: &str) {
    assert_eq!(set_donation(gateway, issuer, false), Toggled::Changed);
    assert_eq!(set_donation(gateway, issuer, true), Toggled::Changed);
}

fn database(gateway: &TestGateway) -> &TestDatabase {
    gateway.database.as_ref().unwrap()
}

on_both!(turning_it_on_means_to_register_again, |backend: Backend| {
    let gateway = TestGateway::start(backend);
    let client = gateway.client("demo");
    let enrolment = sample::enrolment("534403");
    let id = user_id(&client.enrol(&enrolment));
    assert_eq!(set_donation(&gateway, "demo", false), Toggled::Changed);
    assert_eq!(set_donation(&gateway, "demo", false), Toggled::Unchanged);
    assert_refused(
        &client.update(&id, &sample::update()),
        401,
        &["UPDATE_USER_NOT_ACCESSIBLE"],
    );
    // Off changes nothing for those who are there.
    assert_refused(&client.enrol(&enrolment), 400, &["USER_ALREADY_EXISTS"]);
    assert_eq!(set_donation(&gateway, "demo", true), Toggled::Changed);
    assert_refused(
        &client.update(&id, &sample::update()),
        404,
        &["USER_NOT_FOUND"],
    );

    // All of the profile and the card are new; id and scoring job are the old ones.
    let mut again = enrolment.clone();
    again["name"] = json!({"firstName": "Janet", "lastName": "Married"});
    again["cardholderName"] = json!("Janet Married");
    again["expiryInfo"] = json!({"month": "12", "year": "2044"});
    again["locale"] = json!("sv-SE");
    again["email"] = json!({"value": "janet@example.com"});
    let jobs = database(&gateway)
        .texts("SELECT user_id || window_from || window_to AS t FROM scoring_jobs");
    assert_eq!(user_id(&client.enrol(&again)), id);
    assert_eq!(
        database(&gateway)
            .texts("SELECT user_id || window_from || window_to AS t FROM scoring_jobs"),
        jobs
    );
    for table in ["users", "cards", "scoring_jobs"] {
        assert_eq!(database(&gateway).count(table), 1, "{table}");
    }
    let store = &gateway.gateway.store;
    let parsed = issuer_gateway::ids::CardholderId::parse(&id).unwrap();
    let issuer_id = gateway.issuer_id("demo");
    let (user, card) = gateway
        .block_on(store.load_sealed_user(issuer_id, &parsed))
        .unwrap()
        .unwrap();
    let open = |column, sealed: &[u8]| {
        let row_id = id.as_str();
        let place = Place {
            owner: issuer_id.into(),
            row_id,
            column,
            month: None,
        };
        let clear = gateway
            .gateway
            .vault
            .current()
            .open_sealed(place, sealed)
            .unwrap();
        String::from_utf8(clear.to_vec()).unwrap()
    };
    assert!(open(SealedColumn::CardholderName, &user.profile.name.unwrap()).contains("Married"));
    assert!(open(SealedColumn::CardholderEmail, &user.profile.email.unwrap()).contains("janet@"));
    assert!(
        open(
            SealedColumn::CardholderLocale,
            &user.profile.locale.unwrap()
        )
        .contains("sv-SE")
    );
    let card = open(SealedColumn::Card, &card.unwrap().card);
    assert!(card.contains("2044") && card.contains("Janet Married"));
    assert_eq!(user.enrolment_epoch, 2);

    assert_refused(&client.enrol(&again), 400, &["USER_ALREADY_EXISTS"]);
    assert_eq!(client.update(&id, &sample::update()).status, 200);
    let entries = database(&gateway).number(&format!(
        "SELECT count(*) AS n FROM audit_entries WHERE action = 'user.re-enrol' AND outcome = 'accepted' AND subject = '{id}'"
    ));
    assert_eq!(entries, 1);
});

on_both!(
    who_must_register_again_can_still_be_deleted,
    |backend: Backend| {
        let gateway = TestGateway::start(backend);
        let client = gateway.client("demo");
        let enrolment = sample::enrolment("534403");
        let id = user_id(&client.enrol(&enrolment));
        toggle(&gateway, "demo");
        assert_eq!(accepted(&client.delete(&[&id])), [id.as_str()]);
        let erased = "SELECT count(*) AS n FROM users WHERE status = 'DELETED'";
        until("the user is erased", || {
            database(&gateway).number(erased) == 1
        });
        assert_ne!(user_id(&client.enrol(&enrolment)), id, "a new user");
    }
);

on_both!(applying_a_file_toggles_too, |backend: Backend| {
    let gateway = TestGateway::start(backend);
    let client = gateway.client("basic");
    let enrolment = sample::enrolment("510665");
    let id = user_id(&client.enrol(&enrolment));
    let toml =
        crate::support::gateway::issuers_toml().replace("donation = false", "donation = true");
    let declared = declaration::parse(&toml, &crate::support::gateway::test_key("")).unwrap();
    let store = &gateway.gateway.store;
    gateway
        .block_on(store.apply_issuers(declared, audit()))
        .unwrap();
    gateway
        .block_on(gateway.gateway.registry.refresh(store))
        .unwrap();
    assert_refused(
        &client.update(&id, &sample::update()),
        404,
        &["USER_NOT_FOUND"],
    );
    assert_eq!(user_id(&client.enrol(&enrolment)), id);
    assert_eq!(client.update(&id, &sample::update()).status, 200);
});

on_both!(the_other_node_follows_by_itself, |backend: Backend| {
    let first = TestGateway::start(backend);
    let second =
        TestGateway::start_with(&crate::support::gateway::config(&database(&first).url_text));
    let client = second.client("demo");
    let id = user_id(&client.enrol(&sample::enrolment("534403")));
    toggle(&first, "demo");
    let deadline = std::time::Instant::now() + std::time::Duration::from_secs(30);
    while client.update(&id, &sample::update()).status != 404 {
        assert!(
            std::time::Instant::now() < deadline,
            "the other node follows"
        );
        std::thread::sleep(std::time::Duration::from_millis(50));
    }
});

on_both!(
    users_who_are_not_active_do_not_register_again,
    |backend: Backend| {
        let gateway = TestGateway::start(backend);
        let client = gateway.client("demo");
        let enrolment = sample::enrolment("534403");
        let id = user_id(&client.enrol(&enrolment));
        toggle(&gateway, "demo");
        for (status, http, code) in [
            (CardholderStatus::Inactive, 404, "USER_NOT_FOUND"),
            (
                CardholderStatus::Terminating,
                401,
                "USER_TERMINATE_IN_PROGRESS",
            ),
        ] {
            gateway.set_user_status("demo", &id, status);
            assert_refused(&client.enrol(&enrolment), 400, &["USER_ALREADY_EXISTS"]);
            assert_refused(&client.update(&id, &sample::update()), http, &[code]);
        }
        gateway.set_user_status("demo", &id, CardholderStatus::Active);
        assert_eq!(user_id(&client.enrol(&enrolment)), id);
    }
);

on_both!(
    registering_again_finds_cards_while_index_keys_rotate,
    |backend: Backend| {
        let gateway = TestGateway::start(backend);
        let client = gateway.client("demo");
        let enrolments: Vec<_> = (0..4).map(|_| sample::enrolment("534403")).collect();
        let ids: Vec<String> = enrolments
            .iter()
            .map(|enrolment| user_id(&client.enrol(enrolment)))
            .collect();
        toggle(&gateway, "demo");
        let (store, vault) = (&gateway.gateway.store, &gateway.gateway.vault);
        gateway
            .block_on(begin_index_rotation(store, vault))
            .unwrap();
        for (number, (enrolment, id)) in enrolments.iter().zip(&ids).enumerate() {
            if number % 2 == 0 {
                move_card(&gateway, id, enrolment);
            }
            assert_eq!(user_id(&client.enrol(enrolment)), *id);
            assert_refused(&client.enrol(enrolment), 400, &["USER_ALREADY_EXISTS"]);
        }
        assert_eq!(database(&gateway).count("cards"), 4);
    }
);

on_both!(one_of_many_at_once_wins, |backend: Backend| {
    let first = TestGateway::start(backend);
    let second =
        TestGateway::start_with(&crate::support::gateway::config(&database(&first).url_text));
    let enrolments: Vec<_> = (0..4).map(|_| sample::enrolment("534403")).collect();
    let ids: Vec<String> = enrolments
        .iter()
        .map(|enrolment| user_id(&first.client("demo").enrol(enrolment)))
        .collect();
    toggle(&first, "demo");
    second
        .block_on(second.gateway.registry.refresh(&second.gateway.store))
        .unwrap();
    for (enrolment, id) in enrolments.iter().zip(&ids) {
        let answers: Vec<_> = std::thread::scope(|scope| {
            let ask = |number: usize| {
                let gateway = if number.is_multiple_of(2) {
                    &first
                } else {
                    &second
                };
                scope.spawn(move || gateway.client("demo").enrol(enrolment))
            };
            let threads: Vec<_> = (0..8).map(ask).collect();
            threads.into_iter().map(|t| t.join().unwrap()).collect()
        });
        let (won, lost): (Vec<_>, Vec<_>) = answers.iter().partition(|a| a.status == 200);
        assert_eq!(won.len(), 1);
        assert_eq!(user_id(won[0]), *id);
        for answer in lost {
            assert_refused(answer, 400, &["USER_ALREADY_EXISTS"]);
        }
    }
    for table in ["users", "cards", "scoring_jobs"] {
        assert_eq!(database(&first).count(table), 4, "{table}");
    }
});

on_both!(
    registering_again_uses_its_signature_up,
    |backend: Backend| {
        let gateway = TestGateway::start(backend);
        let client = gateway.client("demo");
        let enrolment = sample::enrolment("534403");
        let id = user_id(&client.enrol(&enrolment));
        toggle(&gateway, "demo");
        let request = client.prepare(&issuer_gateway::client::Operation::Enrol, &enrolment);
        let answers: Vec<_> = std::thread::scope(|scope| {
            let threads: Vec<_> = (0..4)
                .map(|_| scope.spawn(|| client.send(&request)))
                .collect();
            threads.into_iter().map(|t| t.join().unwrap()).collect()
        });
        let (won, lost): (Vec<_>, Vec<_>) = answers.iter().partition(|a| a.status == 200);
        assert_eq!(won.len(), 1);
        assert_eq!(user_id(won[0]), id);
        for answer in lost {
            assert_refused(answer, 401, &["AUTHENTICATION_FAILED"]);
        }
        assert_refused(&client.send(&request), 401, &["AUTHENTICATION_FAILED"]);
    }
);

on_both!(
    a_hundred_thousand_users_are_not_rewritten,
    |backend: Backend| {
        let gateway = TestGateway::start(backend);
        let client = gateway.client("demo");
        let enrolment = sample::enrolment("534403");
        let id = user_id(&client.enrol(&enrolment));
        let issuer = gateway.issuer_id("demo").0;
        let numbers = match backend {
            Backend::Postgres => "SELECT generate_series(1, 100000) AS n",
            Backend::Sqlite => {
                "WITH RECURSIVE s(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM s WHERE n < 100000) SELECT n FROM s"
            }
        };
        database(&gateway).execute(&format!(
        "INSERT INTO users (issuer_id, user_id, status, enrolment_epoch, seal_key, created_at, updated_at) \
         SELECT {issuer}, 'bulk-' || n, 'ACTIVE', 1, 1, n, n FROM ({numbers}) AS numbers"
    ));
        let fingerprint = "SELECT count(*) || ' ' || sum(updated_at) || ' ' || sum(enrolment_epoch) AS t FROM users";
        let before = database(&gateway).texts(fingerprint);
        // PostgreSQL marks every version of a row with the transaction that wrote it.
        let versions = |gateway: &TestGateway| match backend {
            Backend::Postgres => database(gateway).texts(
                "SELECT xmin::text || ' ' || count(*) AS t FROM users GROUP BY xmin ORDER BY 1",
            ),
            Backend::Sqlite => Vec::new(),
        };
        let rows = versions(&gateway);
        toggle(&gateway, "demo");
        assert_eq!(database(&gateway).texts(fingerprint), before);
        assert_eq!(versions(&gateway), rows);
        assert_refused(
            &client.update(&id, &sample::update()),
            404,
            &["USER_NOT_FOUND"],
        );
        assert_eq!(user_id(&client.enrol(&enrolment)), id);
        let epochs = "SELECT count(*) AS n FROM users WHERE enrolment_epoch = 2";
        assert_eq!(
            database(&gateway).number(epochs),
            1,
            "one registered again, nobody else was touched"
        );
    }
);

on_both!(
    an_operator_switches_users_but_not_deleted_ones,
    |backend: Backend| {
        let gateway = TestGateway::start(backend);
        let client = gateway.client("demo");
        let id = user_id(&client.enrol(&sample::enrolment("534403")));
        let parsed = issuer_gateway::ids::CardholderId::parse(&id).unwrap();
        let store = &gateway.gateway.store;
        let found = gateway
            .block_on(store.find_users_anywhere(&parsed, None))
            .unwrap();
        assert_eq!(found.len(), 1);
        assert_eq!(
            (found[0].client_id.as_str(), found[0].status),
            ("demo", CardholderStatus::Active)
        );
        assert!(!found[0].must_enrol_again);
        let other = ClientId::parse("compat").unwrap();
        assert_eq!(
            gateway.block_on(store.find_users_anywhere(&parsed, Some(&other))),
            Ok(Vec::new())
        );

        let issuer_id = found[0].issuer_id;
        let switch = |active| {
            gateway
                .block_on(store.switch_user(issuer_id, &parsed, active, audit()))
                .unwrap()
        };
        assert_eq!(switch(false), Switched::Done);
        assert_refused(
            &client.update(&id, &sample::update()),
            401,
            &["USER_INACTIVE"],
        );
        assert_eq!(switch(true), Switched::Done);
        assert_eq!(client.update(&id, &sample::update()).status, 200);
        toggle(&gateway, "demo");
        assert!(
            gateway
                .block_on(store.find_users_anywhere(&parsed, None))
                .unwrap()[0]
                .must_enrol_again
        );
        for status in [CardholderStatus::Terminating, CardholderStatus::Deleted] {
            gateway.set_user_status("demo", &id, status);
            for active in [true, false] {
                assert_eq!(switch(active), Switched::Leaving(status));
            }
        }
        let nobody = issuer_gateway::ids::CardholderId::random();
        let switched = gateway.block_on(store.switch_user(issuer_id, &nobody, true, audit()));
        assert_eq!(switched, Ok(Switched::Unknown));
        let refused = "SELECT count(*) AS n FROM audit_entries WHERE reason IN ('user-leaving', 'user-not-found') AND outcome = 'refused'";
        assert_eq!(database(&gateway).number(refused), 5);
    }
);
