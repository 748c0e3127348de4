//! What every path of the users API answers to requests that are no good as HTTP, and to too many
//! of them.

use super::{Directory, NOT_FOUND, send_raw};
use crate::on_both;
use crate::support::Backend;
use serde_json::json;

on_both!(transport_errors_carry_a_message, |backend: Backend| {
    let directory = Directory::start(backend);
    let key = directory.app("app", false);
    let raw = |head: &str, body: &str| {
        let request = format!(
            "{head}\r\nHost: {}\r\nAuthorization: Bearer {key}\r\nContent-Length: {}\r\n\r\n{body}",
            directory.address(),
            body.len()
        );
        send_raw(directory.address(), request.as_bytes())
    };
    let too_large = "x".repeat(64 * 1024 + 1);
    for target in ["PUT /users/u", "PUT /users?id=1", "POST /users"] {
        let line = format!("{target} HTTP/1.1");
        let declared = format!("{line}\r\nContent-Type: application/json");
        raw(&declared, &too_large).assert_refused(413, "Request body too large");
        for media_type in [
            "",
            "\r\nContent-Type: application/x-www-form-urlencoded",
            "\r\nContent-Type: text/json",
        ] {
            if target != "PUT /users/u" || media_type.is_empty() {
                let answer = raw(&format!("{line}{media_type}"), "{}");
                answer.assert_refused(415, "Content-Type must be application/json");
            }
        }
    }
    let charset = "POST /users HTTP/1.1\r\nContent-Type: Application/JSON; charset=utf-8";
    assert_eq!(raw(charset, "{}").status, 201);

    for (method, target, allow) in [
        ("DELETE", "/users", "GET, HEAD, POST, PUT"),
        ("PATCH", "/users?id=1", "GET, HEAD, POST, PUT"),
        ("POST", "/users/u", "DELETE, GET, HEAD, PUT"),
        ("PATCH", "/users/u", "DELETE, GET, HEAD, PUT"),
    ] {
        let answer = raw(&format!("{method} {target} HTTP/1.1"), "");
        answer.assert_refused(405, "Method not allowed");
        assert_eq!(answer.header("allow").as_deref(), Some(allow));
    }
    for target in ["/users/", "/users/u/", "/users/u/v", "/users//"] {
        raw(&format!("GET {target} HTTP/1.1"), "").assert_refused(404, "Not found");
    }
});

on_both!(each_key_has_its_rate, |backend: Backend| {
    let directory = Directory::start_with(backend, |config| {
        config.users.requests_per_second = 1;
        config.users.burst = 3;
    });
    let (one, two) = (directory.app("one", true), directory.app("two", false));
    for _ in 0..3 {
        directory
            .get("/users/u", &one)
            .assert_refused(404, NOT_FOUND);
    }
    // More calls than a second's worth of tokens, however slow this machine is.
    let refused = (0..200)
        .map(|_| directory.get("/users/u", &one))
        .find(|answer| answer.status == 429);
    let refused = refused.expect("no call was refused");
    refused.assert_refused(429, "Too many requests");
    assert_eq!(refused.header("retry-after").as_deref(), Some("1"));
    directory
        .get("/users/u", &two)
        .assert_refused(404, NOT_FOUND);
    let anonymous = json!({"lastName": "R", "firstName": "D", "email": "d@example.com"});
    assert_eq!(
        directory
            .call("PUT", "/users?id=1", None, &anonymous.to_string())
            .status,
        201
    );
});
