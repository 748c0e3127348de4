//! The data keys change under calls of both APIs.

use super::conflicts::at_once;
use super::{Directory, call};
use crate::data_keys::{begin, literal, rotate, until_risen};
use crate::on_both;
use crate::support::at_rest::stored;
use crate::support::gateway::{TestGateway, config, user_id};
use crate::support::{Backend, Over};
use issuer_gateway::client::sample;
use issuer_gateway::ids::AppId;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

/// The node that serves, and another one on which the operator's commands are run.
fn start(backend: Backend) -> (Directory, TestGateway) {
    let directory = Directory::start(backend);
    let other = TestGateway::start_with(&config(&directory.database().url_text));
    (directory, other)
}

/// Enrols cards and updates each; returns what each user has in the end.
fn cardholders(
    directory: &Directory,
    over: &AtomicBool,
    done: &AtomicUsize,
) -> Vec<(String, Value)> {
    let client = directory.gateway.client("demo");
    let mut all = Vec::new();
    while !over.load(Ordering::Relaxed) {
        let mut expected = sample::enrolment("534403");
        let id = user_id(&client.enrol(&expected));
        let mut update = sample::update();
        update["email"] = json!({"type": "work", "value": format!("{id}@example.com")});
        assert_eq!(client.update(&id, &update).status, 200);
        for (member, value) in update.as_object().unwrap() {
            expected[member] = value.clone();
        }
        all.push((id, expected));
        done.fetch_add(2, Ordering::Relaxed);
    }
    all
}

/// Makes records, reads and changes each; returns their ids.
fn records(directory: &Directory, key: &str, over: &AtomicBool, done: &AtomicUsize) -> Vec<String> {
    let mut all = Vec::new();
    for number in 1.. {
        if over.load(Ordering::Relaxed) {
            break;
        }
        let id = number.to_string();
        let numbered = format!("/users?id={id}");
        let email = format!("{id}@example.com");
        let body = json!({"user_id": id, "name": "First Name", "email": email});
        assert_eq!(directory.post(key, &body).status, 201);
        assert_eq!(directory.get(&format!("/users/{id}"), key).status, 200);
        let body = json!({"firstName": "Second", "lastName": "Name", "email": email});
        assert_eq!(directory.put(&numbered, key, &body).status, 200);
        let body = json!({"metadata": {"number": number}});
        let target = format!("/users/{id}");
        assert_eq!(directory.put(&target, key, &body).status, 200);
        all.push(id);
        done.fetch_add(4, Ordering::Relaxed);
    }
    all
}

on_both!(no_call_fails_while_data_keys_rotate, |backend: Backend| {
    const ROTATIONS: i32 = 24;
    let (directory, other) = start(backend);
    let key = directory.app("app", false);
    let (over, done) = (AtomicBool::new(false), AtomicUsize::new(0));
    let (users, records) = std::thread::scope(|scope| {
        let ended = Over(&over);
        let users: Vec<_> = (0..3)
            .map(|_| scope.spawn(|| cardholders(&directory, &over, &done)))
            .collect();
        let records = scope.spawn(|| records(&directory, &key, &over, &done));
        for rotation in 0..ROTATIONS {
            rotate(&other);
            if rotation == ROTATIONS / 2 {
                begin(&other);
            }
            until_risen(&done, 12);
        }
        drop(ended);
        let users: Vec<_> = users.into_iter().flat_map(|t| t.join().unwrap()).collect();
        (users, records.join().unwrap())
    });
    assert!(!users.is_empty() && !records.is_empty());
    for (id, expected) in &users {
        assert_eq!(stored(&directory.gateway, "demo", id), *expected);
    }
    for id in &records {
        let record = directory.get(&format!("/users/{id}"), &key).json();
        assert_eq!(record["name"], "Second Name");
        assert_eq!(record["email"], format!("{id}@example.com"));
        assert_eq!(record["metadata"]["number"].to_string(), *id);
    }
    let database = directory.database();
    let versions = "SELECT count(DISTINCT seal_key) AS n FROM cards";
    assert!(database.number(versions) > i64::from(ROTATIONS) / 2);
    assert_eq!(database.count("cards"), i64::try_from(users.len()).unwrap());
    assert_eq!(database.count("audit_entries WHERE outcome = 'refused'"), 0);
    // A row says the lowest version that it uses: it has never been sealed under a newer one than
    // the primary.
    let beyond = format!(
        "directory_users WHERE seal_key NOT BETWEEN 1 AND {}",
        ROTATIONS + 1
    );
    assert_eq!(database.count(&beyond), 0);
});

on_both!(
    a_node_opens_what_another_sealed_with_a_key_it_does_not_know,
    |backend: Backend| {
        let (directory, other) = start(backend);
        let key = directory.app("app", false);
        let address = other.base_url.strip_prefix("http://").unwrap();
        for number in 0..12 {
            rotate(&other);
            let body = json!({"user_id": format!("u{number}"), "name": "N"}).to_string();
            let made = call(address, "POST", "/users", Some(&key), &body);
            assert_eq!(made.status, 201, "{made:?}");
            let read = directory.get(&format!("/users/u{number}"), &key);
            assert_eq!(read.status, 200, "{read:?}");
            assert_eq!(read.json()["name"], "N");
        }
        // A key that nobody knows is looked for once, and the node goes on.
        let database = directory.database();
        let foreign = literal(&directory.gateway, &[0, 0, 0x10, 0, 1, 2, 3]);
        database.execute(&format!(
            "UPDATE directory_users SET name = {foreign} WHERE user_id = 'u0'"
        ));
        assert_eq!(directory.get("/users/u0", &key).status, 500);
        assert_eq!(directory.get("/users/u1", &key).status, 200);
    }
);

on_both!(
    addresses_stay_single_through_an_index_rotation,
    |backend: Backend| {
        let (directory, other) = start(backend);
        let key = directory.app("app", false);
        for name in ["left", "moved"] {
            let body = json!({"user_id": name, "email": format!("{name}@example.com")});
            assert_eq!(directory.post(&key, &body).status, 201);
        }
        begin(&other);
        let app_id =
            i32::try_from(directory.database().number(
                "SELECT CAST(app_id AS BIGINT) AS n FROM directory_apps WHERE name = 'app'",
            ));
        let keys = other.gateway.vault.current();
        let index = keys.app_email_index(AppId(app_id.unwrap()), "moved@example.com");
        directory.database().execute(&format!(
            "UPDATE directory_users SET email_index = {}, email_index_key = 2 WHERE user_id = 'moved'",
            literal(&directory.gateway, &index.bytes)
        ));
        let addresses = [
            directory.address(),
            other.base_url.strip_prefix("http://").unwrap(),
        ];
        let wanted_by_many = |email: &str| {
            at_once(24, |number| {
                let body = json!({ "email": email });
                let address = addresses[number % 2];
                call(address, "POST", "/users", Some(&key), &body.to_string()).status
            })
        };
        let nobody = BTreeMap::from([(409, 24)]);
        let one = BTreeMap::from([(201, 1), (409, 23)]);
        assert_eq!(wanted_by_many("Left@example.com"), nobody);
        assert_eq!(wanted_by_many("Moved@example.com"), nobody);
        assert_eq!(wanted_by_many("free@example.com"), one);

        let numbered = |email: &str| {
            let body = json!({"firstName": "A", "lastName": "B", "email": email});
            directory.put("/users?id=7", &key, &body).status
        };
        assert_eq!(numbered("left@example.com"), 409, "made by no number");
        assert_eq!(numbered("seven@example.com"), 201);
        assert_eq!(numbered("left@example.com"), 409, "not changed either");
        let set = |user_id: &str, email: &str| {
            let body = json!({ "email": email });
            directory
                .put(&format!("/users/{user_id}"), &key, &body)
                .status
        };
        assert_eq!(set("moved", "left@example.com"), 409);
        assert_eq!(set("left", "moved@example.com"), 409);
        assert_eq!(set("left", "LEFT@example.com"), 200, "one's own");
        assert_eq!(set("left", "other@example.com"), 200);
        assert_eq!(wanted_by_many("left@example.com"), one, "given up");
        let addresses = "SELECT count(*) - count(DISTINCT email_index) AS n FROM directory_users";
        assert_eq!(directory.database().number(addresses), 0);
        assert_eq!(
            directory
                .database()
                .count("directory_users WHERE email_index_key = 1"),
            0
        );
    }
);
