//! `/users?id=`: every status of B3, and that it is the same resource.

use super::{Directory, EMAIL_TAKEN, INVALID, NOT_FOUND, UNAUTHORIZED, send_raw};
use crate::on_both;
use crate::support::Backend;
use serde_json::{Value, json};

fn david() -> Value {
    json!({"lastName": "Renn", "firstName": "David", "email": "david.renn@uw.edu"})
}

on_both!(both_addresses_reach_one_record, |backend: Backend| {
    let directory = Directory::start(backend);
    let key = directory.app("app", false);
    assert_eq!(directory.put("/users?id=7", &key, &david()).status, 201);
    let profile = directory.get("/users/7", &key).json();
    assert_eq!(
        (&profile["user_id"], &profile["name"], &profile["email"]),
        (
            &json!("7"),
            &json!("David Renn"),
            &json!("david.renn@uw.edu")
        )
    );

    // Renamed, the number still means it; what B3 does not know stays.
    let change = json!({"user_id": "david", "metadata": {"k": 1}, "username": "dr"});
    assert_eq!(directory.put("/users/7", &key, &change).status, 200);
    let mut new = david();
    new["lastName"] = json!("Rennie");
    assert_eq!(directory.put("/users?id=7", &key, &new).status, 200);
    let profile = directory.get("/users/david", &key).json();
    assert_eq!(
        (&profile["name"], &profile["metadata"], &profile["username"]),
        (&json!("David Rennie"), &json!({"k": 1}), &json!("dr"))
    );
    directory
        .get("/users/7", &key)
        .assert_refused(404, NOT_FOUND);

    // Another display name replaces the two parts.
    assert_eq!(
        directory
            .put("/users/david", &key, &json!({"name": "Dave van Dyk"}))
            .status,
        200
    );
    assert_eq!(
        directory.get("/users?id=7", &key).json(),
        json!({"lastName": "Dyk", "firstName": "Dave van", "email": "david.renn@uw.edu", "id": 7})
    );

    // A record made by user id is reached by its number as well.
    assert_eq!(
        directory.post(&key, &json!({"user_id": "12345"})).status,
        201
    );
    let empty = json!({"lastName": "", "firstName": "", "email": "", "id": 12345});
    assert_eq!(directory.get("/users?id=12345", &key).json(), empty);
    let other = json!({"lastName": "O", "firstName": "P", "email": "o.p@example.com", "id": 99});
    let replaced = directory.put("/users?id=12345", &key, &other);
    assert_eq!(
        (replaced.status, &replaced.json()["id"]),
        (200, &json!(12345))
    );
    assert_eq!(directory.database().count("directory_users"), 2);
});

on_both!(each_documented_refusal, |backend: Backend| {
    let directory = Directory::start(backend);
    let key = directory.app("app", false);
    assert_eq!(directory.put("/users?id=1", &key, &david()).status, 201);

    directory
        .put("/users?id=2", &key, &david())
        .assert_refused(409, EMAIL_TAKEN);
    let mut upper = david();
    upper["email"] = json!("DAVID.RENN@UW.EDU");
    directory
        .put("/users?id=2", &key, &upper)
        .assert_refused(409, EMAIL_TAKEN);
    assert_eq!(directory.put("/users?id=1", &key, &upper).status, 200);

    for query in [
        "",
        "?",
        "?id=",
        "?id=abc",
        "?id={id}",
        "?id=1&id=1",
        "?ID=1",
        "?id=NaN",
    ] {
        let target = format!("/users{query}");
        directory
            .put(&target, &key, &david())
            .assert_refused(400, "Invalid id parameter");
        directory
            .get(&target, &key)
            .assert_refused(400, "Invalid id parameter");
    }
    for id in [
        "0",
        "-1",
        "1.5",
        "9007199254740992",
        "1e400",
        "123456789012345678901234567890",
    ] {
        let target = format!("/users?id={id}");
        directory
            .put(&target, &key, &david())
            .assert_refused(404, NOT_FOUND);
        directory.get(&target, &key).assert_refused(404, NOT_FOUND);
    }
    directory
        .get("/users?id=3", &key)
        .assert_refused(404, NOT_FOUND);
    for member in ["lastName", "firstName", "email"] {
        let mut partial = david();
        partial.as_object_mut().unwrap().remove(member);
        directory
            .put("/users?id=1", &key, &partial)
            .assert_refused(400, INVALID);
        partial[member] = json!(null);
        directory
            .put("/users?id=3", &key, &partial)
            .assert_refused(400, INVALID);
    }
    let largest = directory.put(
        "/users?id=9007199254740991",
        &key,
        &json!({"lastName": "L", "firstName": "F", "email": "l.f@example.com"}),
    );
    assert_eq!(
        (largest.status, &largest.json()["id"]),
        (201, &json!(9_007_199_254_740_991_i64))
    );
});

on_both!(strict_creates_nothing, |backend: Backend| {
    let directory = Directory::start_with(backend, |config| config.users.strict = true);
    let key = directory.app("app", false);
    directory
        .put("/users?id=1", &key, &david())
        .assert_refused(404, NOT_FOUND);
    assert_eq!(directory.post(&key, &json!({"user_id": "1"})).status, 201);
    assert_eq!(directory.put("/users?id=1", &key, &david()).status, 200);
});

on_both!(
    without_a_key_only_an_anonymous_app_answers,
    |backend: Backend| {
        let directory = Directory::start(backend);
        directory.app("closed", false);
        let put = || directory.call("PUT", "/users?id=1", None, &david().to_string());
        put().assert_refused(401, UNAUTHORIZED);
        let key = directory.app("open", true);
        assert_eq!(put().status, 201);
        assert_eq!(directory.call("GET", "/users?id=1", None, "").status, 200);
        // The other documents ask for a key; and a wrong key is not no key.
        for (method, target) in [
            ("GET", "/users/1"),
            ("PUT", "/users/1"),
            ("DELETE", "/users/1"),
            ("POST", "/users"),
        ] {
            directory
                .call(method, target, None, "{}")
                .assert_refused(401, UNAUTHORIZED);
        }
        let wrong = directory.call(
            "PUT",
            "/users?id=1",
            Some("your-access-token"),
            &david().to_string(),
        );
        wrong.assert_refused(401, UNAUTHORIZED);
        assert_eq!(directory.get("/users/1", &key).status, 200);
    }
);

on_both!(anonymous_is_refused_behind_a_proxy, |backend: Backend| {
    let directory = Directory::start_with(backend, |config| config.server.behind_tls_proxy = true);
    let key = directory.app("open", true);
    let anonymous = directory.call("PUT", "/users?id=1", None, &david().to_string());
    anonymous.assert_refused(401, UNAUTHORIZED);
    assert_eq!(directory.put("/users?id=1", &key, &david()).status, 201);
});

on_both!(
    anonymous_is_for_calls_that_name_this_machine,
    |backend: Backend| {
        let directory = Directory::start(backend);
        let key = directory.app("open", true);
        let send = |target: &str, host: &str, more: &str| {
            let request = format!("GET {target} HTTP/1.1\r\nHost: {host}\r\n{more}\r\n");
            send_raw(directory.address(), request.as_bytes())
        };
        assert_eq!(directory.put("/users?id=1", &key, &david()).status, 201);
        for host in [
            directory.address(),
            "localhost",
            "LOCALHOST:8080",
            "127.0.0.2",
            "[::1]:80",
        ] {
            assert_eq!(send("/users?id=1", host, "").status, 200, "{host}");
        }
        // A name that an attacker let point here, or a proxy that lets anybody in.
        for host in [
            "rebound.example",
            "rebound.example:80",
            "localhost.example",
            "10.0.0.1",
        ] {
            send("/users?id=1", host, "").assert_refused(401, UNAUTHORIZED);
        }
        for header in [
            "X-Forwarded-For: 10.0.0.1",
            "Forwarded: for=10.0.0.1",
            "Via: 1.1 proxy",
        ] {
            let more = format!("{header}\r\n");
            send("/users?id=1", "localhost", &more).assert_refused(401, UNAUTHORIZED);
            let keyed = format!("{more}Authorization: Bearer {key}\r\n");
            assert_eq!(send("/users?id=1", "localhost", &keyed).status, 200);
        }
        let absolute = "http://rebound.example/users?id=1";
        send(absolute, "localhost", "").assert_refused(401, UNAUTHORIZED);
    }
);
