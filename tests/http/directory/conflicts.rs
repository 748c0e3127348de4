//! Who gets what many want at once; what is written of it, and what is not.

use super::{Directory, EMAIL_TAKEN, call};
use crate::on_both;
use crate::support::Backend;
use issuer_gateway::audit::purged::PurgeKeys;
use issuer_gateway::audit::verify::{Event, verify};
use serde_json::json;
use std::collections::BTreeMap;
use std::sync::Barrier;

/// Runs `count` calls at the same moment; returns how often each status came.
pub(super) fn at_once(count: usize, act: impl Fn(usize) -> u16 + Sync) -> BTreeMap<u16, usize> {
    let barrier = Barrier::new(count);
    let mut statuses = BTreeMap::new();
    std::thread::scope(|scope| {
        let (barrier, act) = (&barrier, &act);
        let calls: Vec<_> = (0..count)
            .map(|number| {
                scope.spawn(move || {
                    barrier.wait();
                    act(number)
                })
            })
            .collect();
        for call in calls {
            *statuses.entry(call.join().unwrap()).or_insert(0) += 1;
        }
    });
    statuses
}

on_both!(an_address_is_one_however_it_is_spelt, |backend: Backend| {
    let directory = Directory::start(backend);
    let key = directory.app("app", false);
    for (number, spellings) in [
        [
            "zoë@example.com",
            "zoe\u{308}@example.com",
            "ZOE\u{308}@Example.COM",
        ],
        [
            "info@münchen.example",
            "INFO@xn--mnchen-3ya.EXAMPLE",
            "info@mu\u{308}nchen.example",
        ],
        ["σας@example.com", "ΣΑΣ@example.com", "σασ@example.com"],
    ]
    .into_iter()
    .enumerate()
    {
        let [first, others @ ..] = spellings;
        let id = format!("u{number}");
        let body = json!({"user_id": id, "email": first});
        assert_eq!(directory.post(&key, &body).status, 201);
        for other in others {
            let body = json!({ "email": other });
            directory.post(&key, &body).assert_refused(409, EMAIL_TAKEN);
            // Its own user may spell it otherwise, and reads it as it was sent last.
            let path = format!("/users/{id}");
            let own = directory.put(&path, &key, &body);
            assert_eq!((own.status, &own.json()["email"]), (200, &json!(other)));
        }
    }
    assert_eq!(directory.database().count("directory_users"), 3);
});

on_both!(one_of_a_hundred_gets_a_free_address, |backend: Backend| {
    let directory = Directory::start(backend);
    let key = directory.app("app", false);
    let address = directory.address();
    let created = at_once(100, |number| {
        let body = json!({"user_id": format!("u{number}")}).to_string();
        call(address, "POST", "/users", Some(&key), &body).status
    });
    assert_eq!(created, BTreeMap::from([(201, 100)]));
    let updated = at_once(100, |number| {
        let email = if number % 2 == 0 {
            "Wanted@Example.com"
        } else {
            "wanted@example.com"
        };
        let body = json!({ "email": email }).to_string();
        let answer = call(
            address,
            "PUT",
            &format!("/users/u{number}"),
            Some(&key),
            &body,
        );
        if answer.status == 409 {
            assert_eq!(answer.message(), EMAIL_TAKEN);
        }
        answer.status
    });
    assert_eq!(updated, BTreeMap::from([(200, 1), (409, 99)]));
    let klaim_ids = "SELECT count(DISTINCT klaim_id) AS n FROM directory_users";
    assert_eq!(directory.database().number(klaim_ids), 100);
});

on_both!(one_number_is_created_once, |backend: Backend| {
    let directory = Directory::start(backend);
    let key = directory.app("app", false);
    let address = directory.address();
    let statuses = at_once(20, |_| {
        let body = json!({"lastName": "Renn", "firstName": "David", "email": "david.renn@uw.edu"});
        call(address, "PUT", "/users?id=1", Some(&key), &body.to_string()).status
    });
    assert_eq!(statuses, BTreeMap::from([(200, 19), (201, 1)]));
});

on_both!(
    two_users_that_swap_addresses_do_not_block,
    |backend: Backend| {
        let directory = Directory::start(backend);
        let key = directory.app("app", false);
        let address = directory.address();
        for user in ["a", "b"] {
            let body = json!({"user_id": user, "email": format!("{user}@example.com")});
            assert_eq!(directory.post(&key, &body).status, 201);
        }
        let statuses = at_once(20, |number| {
            let (user, other) = if number % 2 == 0 {
                ("a", "b")
            } else {
                ("b", "a")
            };
            let body = json!({"email": format!("{other}@example.com")}).to_string();
            call(address, "PUT", &format!("/users/{user}"), Some(&key), &body).status
        });
        assert_eq!(statuses, BTreeMap::from([(409, 20)]));
    }
);

on_both!(
    updates_of_different_members_are_all_kept,
    |backend: Backend| {
        let directory = Directory::start(backend);
        let key = directory.app("app", false);
        assert_eq!(directory.post(&key, &json!({"user_id": "u"})).status, 201);
        let address = directory.address();
        let bodies = [
            json!({"name": "N"}),
            json!({"email": "n@example.com"}),
            json!({"username": "n"}),
            json!({"metadata": {"n": 1}}),
        ];
        let statuses = at_once(4, |number| {
            call(
                address,
                "PUT",
                "/users/u",
                Some(&key),
                &bodies[number].to_string(),
            )
            .status
        });
        assert_eq!(statuses, BTreeMap::from([(200, 4)]));
        let record = directory.get("/users/u", &key).json();
        for body in &bodies {
            for (member, value) in body.as_object().unwrap() {
                assert_eq!(&record[member], value);
            }
        }
    }
);

on_both!(nothing_personal_is_stored_in_clear, |backend: Backend| {
    let directory = Directory::start(backend);
    let key = directory.app("app", false);
    let canaries = [
        "CanaryFirst",
        "CanaryLast",
        "CanaryName",
        "CanaryUser",
        "canary@example.com",
        "CanaryMeta",
    ];
    let replacement = json!({"lastName": "CanaryLast", "firstName": "CanaryFirst", "email": "canary@example.com"});
    assert_eq!(directory.put("/users?id=1", &key, &replacement).status, 201);
    let profile = json!({"user_id": "u", "name": "CanaryName", "username": "CanaryUser",
        "metadata": {"CanaryMeta": "CanaryMeta"}});
    assert_eq!(directory.post(&key, &profile).status, 201);
    directory
        .put("/users/u", &key, &json!({"email": "canary@example.com"}))
        .assert_refused(409, EMAIL_TAKEN);
    directory.database().assert_no_canary(&canaries);
});

on_both!(
    a_value_moved_to_another_row_does_not_open,
    |backend: Backend| {
        let directory = Directory::start(backend);
        let key = directory.app("app", false);
        for user in ["a", "b"] {
            assert_eq!(
                directory
                    .post(&key, &json!({"user_id": user, "name": user}))
                    .status,
                201
            );
        }
        directory.database().execute(
        "UPDATE directory_users SET name = (SELECT name FROM directory_users WHERE user_id = 'a') WHERE user_id = 'b'",
    );
        directory
            .get("/users/b", &key)
            .assert_refused(500, "Internal error");
        assert_eq!(directory.get("/users/a", &key).status, 200);
    }
);

on_both!(
    writes_and_refusals_are_in_the_audit_trail,
    |backend: Backend| {
        let directory = Directory::start(backend);
        let key = directory.app("app", false);
        let klaim_id = directory
            .post(&key, &json!({"user_id": "u", "email": "u@example.com"}))
            .json()["klaim_id"]
            .as_str()
            .unwrap()
            .to_owned();
        directory.post(&key, &json!({"user_id": "v", "email": "u@example.com"}));
        directory.put("/users/u", &key, &json!({"name": "N"}));
        directory.put("/users/w", &key, &json!({}));
        directory.put("/users/u", &key, &json!({"name": 1}));
        directory.put(
            "/users?id=0",
            &key,
            &json!({"lastName": "R", "firstName": "D", "email": "d@example.com"}),
        );
        directory.call("DELETE", "/users/u", Some(&key), "");
        // Reads and strangers write nothing.
        directory.get("/users/u", &key);
        directory.call("PUT", "/users/u", None, "{}");
        let trail = directory.database().texts(
        "SELECT action || ' ' || outcome || ' ' || coalesce(reason, '-') || ' ' || coalesce(subject, '-') AS t \
         FROM audit_entries WHERE actor LIKE 'users app app, key %' AND request_id IS NOT NULL ORDER BY at",
    );
        let expected = [
            format!("directory.create accepted - {klaim_id}"),
            "directory.create refused email-taken -".to_owned(),
            format!("directory.update accepted - {klaim_id}"),
            "directory.update refused user-not-found -".to_owned(),
            "directory.update refused rules-broken -".to_owned(),
            "directory.replace refused user-not-found -".to_owned(),
            format!("directory.delete accepted - {klaim_id}"),
        ];
        assert_eq!(trail, expected);

        let store = &directory.gateway.gateway.store;
        let keys = PurgeKeys::Of(&directory.gateway.gateway.vault);
        let mut broken = |event: Event<'_>| assert!(!matches!(event, Event::Broken { .. }));
        let verified = directory
            .gateway
            .block_on(verify(store, &keys, &mut broken))
            .unwrap();
        assert!(verified.entries >= 7 && verified.broken == 0);
    }
);
