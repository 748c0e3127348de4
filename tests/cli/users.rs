//! `users app|token`, on a sandbox while it runs, and the sandbox's own app.

use crate::process::{Running, run, text};
use crate::sandbox::description;
use crate::support::http::send;

#[test]
fn operators_make_and_revoke_keys_while_it_serves() {
    let root = tempfile::tempdir().unwrap();
    let dir = root.path().join("sandbox");
    let _running = Running::sandbox(&dir);
    let base_url = description(&dir)["base_url"].as_str().unwrap().to_owned();
    let config = dir.join("gateway.toml");
    let users = |args: &[&str]| {
        let mut all = vec!["--config", text(&config), "users"];
        all.extend(args);
        run(&all)
    };
    let call = |method: &str, target: &str, key: &str, body: &str| {
        let authorization = format!("Bearer {key}");
        let headers = [
            ("Authorization", authorization.as_str()),
            ("Content-Type", "application/json"),
        ];
        send(
            method,
            &format!("{base_url}{target}"),
            &headers,
            body.as_bytes(),
        )
        .status
    };

    // The key alone is on standard output; what else there is to say is not.
    let key = users(&["app", "add", "shop"]).ok();
    let key = key.trim();
    assert_eq!((key.len(), &key[..4]), (47, "iga_"));
    users(&["app", "add", "shop"]).refused(&["an app shop exists"]);
    users(&["app", "add", "two words"]).refused(&["name"]);
    users(&["app", "add", "other", "--anonymous"]).refused(&["anonymous already"]);
    assert_eq!(call("POST", "/users", key, r#"{"user_id":"9"}"#), 201);

    let token = users(&["token", "issue", "shop", "9"]).ok();
    let token = token.trim();
    assert_eq!(&token[..4], "igu_");
    users(&["token", "issue", "shop", "10"]).refused(&["no such user"]);
    users(&["token", "issue", "none"]).refused(&["no app none"]);
    assert_eq!(call("PUT", "/users/9", token, "{}"), 200);

    let id = |key: &str| hex::encode(&openssl::sha::sha256(key.as_bytes())[..8]);
    let list = users(&["app", "list"]).ok();
    for part in ["sandbox", "shop", &id(key), &id(token), "the app", "user "] {
        assert!(list.contains(part), "{list}");
    }
    assert!(!list.contains(key) && !list.contains(token));
    users(&["token", "revoke", &id(token)]).ok();
    assert_eq!(call("PUT", "/users/9", token, "{}"), 401);
    users(&["token", "revoke", &id(token)]).refused(&["no key"]);

    // A second key, then the first one goes.
    let second = users(&["token", "issue", "shop"]).ok();
    users(&["token", "revoke", &id(key)]).ok();
    assert_eq!(call("PUT", "/users/9", second.trim(), "{}"), 200);
    assert_eq!(call("PUT", "/users/9", key, "{}"), 401);
}

#[test]
fn the_sandbox_has_an_app_and_keeps_it() {
    let root = tempfile::tempdir().unwrap();
    let dir = root.path().join("sandbox");
    for start in 0..2 {
        let _running = Running::sandbox(&dir);
        let described = description(&dir);
        let text = |pointer: &str| described.pointer(pointer).unwrap().as_str().unwrap();
        let url = format!("{}/users/{}", text("/base_url"), text("/users/user_id"));
        for key in ["/users/app_key", "/users/user_token"] {
            let authorization = format!("Bearer {}", text(key));
            let headers = [
                ("Authorization", authorization.as_str()),
                ("Content-Type", "application/json"),
            ];
            assert_eq!(send("PUT", &url, &headers, b"{}").status, 200);
        }
        let url = format!("{}/users?id=1", text("/base_url"));
        let body = br#"{"lastName":"Renn","firstName":"David","email":"david.renn@uw.edu"}"#;
        let answer = send("PUT", &url, &[("Content-Type", "application/json")], body);
        assert_eq!(answer.status, if start == 0 { 201 } else { 200 });
    }
}
