//! `POST /users` and `/users/{user_id}`: every status of B1 and B2, and what each member does.

use super::{Directory, EMAIL_TAKEN, INVALID, NOT_FOUND, UNAUTHORIZED, USER_ID_TAKEN};
use crate::on_both;
use crate::support::Backend;
use serde_json::{Value, json};

on_both!(a_record_lives_its_life, |backend: Backend| {
    let directory = Directory::start(backend);
    let key = directory.app("app", false);
    let created = directory.post(
        &key,
        &json!({"name": "Zoë 日本", "email": "Zoe@Example.com", "username": "zoe", "ignored": [1]}),
    );
    assert_eq!(created.status, 201, "{created:?}");
    let first = created.json();
    let user_id = first["user_id"].as_str().unwrap().to_owned();
    assert_eq!(first["id"], user_id.as_str());
    assert_eq!(
        (&first["name"], &first["metadata"]),
        (&json!("Zoë 日本"), &json!({}))
    );
    let path = format!("/users/{user_id}");
    assert_eq!(directory.get(&path, &key).json(), first);

    // Nothing mentioned, nothing changed.
    let unchanged = directory.put(&path, &key, &json!({}));
    assert_eq!((unchanged.status, unchanged.json()), (200, first.clone()));

    // One member at a time; the others stay. null clears name and e-mail.
    let mut expected = first.clone();
    for (member, value) in [
        ("username", json!("zoe2")),
        ("name", json!(null)),
        ("email", json!(null)),
        ("email", json!("zoe@example.com")),
        ("metadata", json!({"a": {"b": [1, 2]}})),
        ("metadata", json!({"c": 1})),
        ("name", json!("Zoë")),
    ] {
        let answer = directory.put(&path, &key, &json!({ member: value }));
        expected[member] = value;
        assert_eq!((answer.status, answer.json()), (200, expected.clone()));
        assert_eq!(directory.get(&path, &key).json(), expected);
    }

    // Renamed: reached under the new id alone; what never changes does not change.
    let renamed = directory.put(&path, &key, &json!({"user_id": "a/b ü".replace(' ', "-")}));
    expected["user_id"] = json!("a/b-ü");
    expected["id"] = json!("a/b-ü");
    assert_eq!((renamed.status, renamed.json()), (200, expected.clone()));
    directory.get(&path, &key).assert_refused(404, NOT_FOUND);
    let path = "/users/a%2Fb-%C3%BC";
    assert_eq!(directory.get(path, &key).json(), expected);

    let erased = directory.call("DELETE", path, Some(&key), "");
    assert_eq!(erased.status, 200, "{erased:?}");
    directory.get(path, &key).assert_refused(404, NOT_FOUND);
    let again = directory.call("DELETE", path, Some(&key), "");
    again.assert_refused(404, NOT_FOUND);
    assert_eq!(directory.database().count("directory_users"), 0);
});

on_both!(each_documented_refusal, |backend: Backend| {
    let directory = Directory::start(backend);
    let key = directory.app("app", false);
    let one = json!({"user_id": "one", "email": "one@example.com"});
    let two = json!({"user_id": "two", "email": "two@example.com"});
    assert_eq!(directory.post(&key, &one).status, 201);
    assert_eq!(directory.post(&key, &two).status, 201);

    let none = directory.call("PUT", "/users/one", None, "{}");
    none.assert_refused(401, UNAUTHORIZED);
    assert_eq!(none.header("www-authenticate").as_deref(), Some("Bearer"));
    for unknown in [
        "/users/three",
        "/users/%FF",
        "/users/two%20words",
        "/users/%00",
    ] {
        directory
            .put(unknown, &key, &json!({}))
            .assert_refused(404, NOT_FOUND);
    }
    for (change, message) in [
        (json!({"email": "two@example.com"}), EMAIL_TAKEN),
        (json!({"email": "TWO@Example.COM"}), EMAIL_TAKEN),
        (json!({"user_id": "two"}), USER_ID_TAKEN),
        (
            json!({"user_id": "two", "email": "two@example.com"}),
            EMAIL_TAKEN,
        ),
        (
            json!({"user_id": "two", "email": "free@example.com"}),
            USER_ID_TAKEN,
        ),
    ] {
        directory
            .put("/users/one", &key, &change)
            .assert_refused(409, message);
        let mut new = change.clone();
        new["user_id"] = change.get("user_id").cloned().unwrap_or(json!("three"));
        directory.post(&key, &new).assert_refused(409, message);
    }
    // Own values are no conflict, and of a refused change nothing was kept.
    let own = directory.put(
        "/users/one",
        &key,
        &json!({"user_id": "one", "email": "ONE@example.com"}),
    );
    assert_eq!(
        (own.status, &own.json()["email"]),
        (200, &json!("ONE@example.com"))
    );

    for body in [
        "",
        "[]",
        "{",
        "null",
        "{\"name\":1}",
        "{\"name\":\"a\",\"name\":\"b\"}",
        "{\"email\":\"x\"}",
        "{\"user_id\":null}",
        "{\"username\":null}",
        "{\"metadata\":[]}",
    ] {
        directory
            .call("PUT", "/users/one", Some(&key), body)
            .assert_refused(400, INVALID);
        directory
            .call("POST", "/users", Some(&key), body)
            .assert_refused(400, INVALID);
    }
    let several = directory.put(
        "/users/one",
        &key,
        &json!({"email": "secret-value", "name": 5}),
    );
    assert_eq!(several.json()["details"].as_array().unwrap().len(), 2);
    assert!(!several.body.contains("secret-value"));
});

on_both!(metadata_comes_back_as_it_was_sent, |backend: Backend| {
    let directory = Directory::start(backend);
    let key = directory.app("app", false);
    assert_eq!(directory.post(&key, &json!({"user_id": "u"})).status, 201);
    let put = |metadata: &str| {
        let body = format!("{{\"metadata\": {metadata}}}");
        directory.call("PUT", "/users/u", Some(&key), &body)
    };
    let sent =
        r#"{"z":1.50,"a":123456789012345678901234567890,"m":{"é":"\u00e9","x":1E2},"":null}"#;
    let answer = put(sent);
    assert_eq!(answer.status, 200);
    for answer in [answer, directory.get("/users/u", &key)] {
        assert!(
            answer.body.contains(&format!("\"metadata\":{sent}")),
            "{answer:?}"
        );
    }
    let largest = format!("{{\"a\":\"{}\"}}", "x".repeat(16 * 1024 - 8));
    assert_eq!(put(&largest).status, 200);
    put(&largest.replace("xx", "xxx")).assert_refused(400, INVALID);
    assert_eq!(
        put(&format!("{}1{}", "{\"a\":".repeat(8), "}".repeat(8))).status,
        200
    );
    put(&format!("{}1{}", "{\"a\":".repeat(9), "}".repeat(9))).assert_refused(400, INVALID);
    let kept: Value = directory.get("/users/u", &key).json();
    assert!(kept["metadata"]["a"]["a"]["a"]["a"]["a"]["a"]["a"]["a"] == 1);
});
