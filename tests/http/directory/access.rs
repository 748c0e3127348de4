//! Keys and tokens: what each reaches, and that nothing in clear is kept of them.

use super::{Directory, NOT_FOUND, UNAUTHORIZED, audit};
use crate::on_both;
use crate::support::Backend;
use serde_json::json;

on_both!(apps_are_isolated, |backend: Backend| {
    let directory = Directory::start(backend);
    let (one, two) = (directory.app("one", false), directory.app("two", false));
    let user = json!({"user_id": "u", "email": "u@example.com"});
    // The same id, number and e-mail are free in each.
    assert_eq!(directory.post(&one, &user).status, 201);
    directory
        .get("/users/u", &two)
        .assert_refused(404, NOT_FOUND);
    directory
        .put("/users/u", &two, &json!({}))
        .assert_refused(404, NOT_FOUND);
    directory
        .call("DELETE", "/users/u", Some(&two), "")
        .assert_refused(404, NOT_FOUND);
    assert_eq!(directory.post(&two, &user).status, 201);
    let david = json!({"lastName": "R", "firstName": "D", "email": "d@example.com"});
    assert_eq!(directory.put("/users?id=1", &one, &david).status, 201);
    directory
        .get("/users?id=1", &two)
        .assert_refused(404, NOT_FOUND);
    assert_eq!(directory.put("/users?id=1", &two, &david).status, 201);
    // One address, two apps: two unlike indexes.
    let indexes = "SELECT count(DISTINCT email_index) AS n FROM directory_users";
    assert_eq!(directory.database().number(indexes), 4);
});

on_both!(a_user_token_reaches_its_own_user, |backend: Backend| {
    let directory = Directory::start(backend);
    let key = directory.app("app", false);
    for user_id in ["5", "6"] {
        assert_eq!(
            directory.post(&key, &json!({"user_id": user_id})).status,
            201
        );
    }
    let (token, key_id) = directory.token("app", "5");
    assert_eq!(directory.get("/users/5", &token).status, 200);
    assert_eq!(directory.get("/users?id=5", &token).status, 200);
    for target in [
        "/users/6",
        "/users/7",
        "/users/two%20words",
        "/users?id=6",
        "/users?id=7",
        "/users?id=0",
    ] {
        directory
            .get(target, &token)
            .assert_refused(401, UNAUTHORIZED);
        // Whatever the body: a token is told nothing there.
        directory
            .call("PUT", target, Some(&token), "{")
            .assert_refused(401, UNAUTHORIZED);
    }
    directory
        .call("DELETE", "/users/6", Some(&token), "")
        .assert_refused(401, UNAUTHORIZED);
    directory
        .post(&token, &json!({}))
        .assert_refused(401, UNAUTHORIZED);

    // It changes its user's profile, but not under which id the app keeps things for them; and it
    // does not learn which ids there are.
    for user_id in ["5", "6", "five", "nobody"] {
        let renamed = directory.put(
            "/users/5",
            &token,
            &json!({"user_id": user_id, "name": "5"}),
        );
        if user_id == "5" {
            assert_eq!(renamed.status, 200);
        } else {
            renamed.assert_refused(401, UNAUTHORIZED);
        }
    }
    directory
        .get("/users/five", &key)
        .assert_refused(404, NOT_FOUND);

    // It follows its user through a rename.
    assert_eq!(
        directory
            .put("/users/5", &key, &json!({"user_id": "five"}))
            .status,
        200
    );
    assert_eq!(
        directory
            .put("/users/five", &token, &json!({"name": "F"}))
            .status,
        200
    );
    directory
        .get("/users/5", &token)
        .assert_refused(401, UNAUTHORIZED);

    let store = &directory.gateway.gateway.store;
    assert_eq!(
        directory
            .gateway
            .block_on(store.revoke_directory_key(&key_id, audit())),
        Ok(true)
    );
    directory
        .get("/users/five", &token)
        .assert_refused(401, UNAUTHORIZED);
    assert_eq!(
        directory
            .gateway
            .block_on(store.revoke_directory_key(&key_id, audit())),
        Ok(false)
    );

    // Tokens go with their user.
    let (token, _) = directory.token("app", "6");
    assert_eq!(
        directory
            .call("DELETE", "/users/6", Some(&token), "")
            .status,
        200
    );
    assert_eq!(directory.post(&key, &json!({"user_id": "6"})).status, 201);
    directory
        .get("/users/6", &token)
        .assert_refused(401, UNAUTHORIZED);
});

on_both!(only_whole_known_keys_open, |backend: Backend| {
    let directory = Directory::start(backend);
    let key = directory.app("app", false);
    let (start, last) = key.split_at(key.len() - 1);
    let changed = format!("{start}{}", if last == "A" { "B" } else { "A" });
    let as_token = key.replace("iga_", "igu_");
    for wrong in [
        changed.as_str(),
        start,
        &as_token,
        "",
        "your-access-token",
        "iga_",
    ] {
        directory
            .get("/users/u", wrong)
            .assert_refused(401, UNAUTHORIZED);
    }
    directory
        .get("/users/u", &key)
        .assert_refused(404, NOT_FOUND);
    directory.database().assert_no_canary(&[&key, start]);
});
