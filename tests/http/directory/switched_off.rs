//! `users.enabled = false`.

use super::{Directory, send_raw};
use crate::support::Backend;

#[test]
fn a_gateway_without_the_users_api_neither_serves_nor_documents_it() {
    let directory = Directory::start_with(Backend::Sqlite, |config| config.users.enabled = false);
    let key = directory.app("app", true);
    let send = |line: &str| {
        let request = format!(
            "{line} HTTP/1.1\r\nHost: {}\r\nAuthorization: Bearer {key}\r\n\r\n",
            directory.address()
        );
        send_raw(directory.address(), request.as_bytes())
    };
    for line in [
        "GET /users?id=1",
        "PATCH /users",
        "GET /users/u",
        "DELETE /users/u",
        "GET /users/u/v",
    ] {
        let answer = send(line);
        assert_eq!(answer.status, 404, "{line}: {answer:?}");
        let reason = answer.json()["Errors"]["Error"][0]["ReasonCode"].clone();
        assert_eq!(reason, "NOT_FOUND", "{line}");
    }
    let document = send("GET /openapi.json").json();
    let paths: Vec<_> = document["paths"].as_object().unwrap().keys().collect();
    assert!(paths.iter().any(|path| *path == "/issuers/users"));
    assert!(!paths.iter().any(|path| path.starts_with("/users")));
    let text = document.to_string();
    for gone in ["app key", "user token", "(`/users`)"] {
        assert!(!text.contains(gone), "{gone}");
    }
    let tags = document["tags"].as_array().unwrap();
    assert!(tags.iter().all(|tag| tag["name"] != "directory"));
}
