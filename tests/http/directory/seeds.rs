//! Each seed document's example request, byte for byte as curl sends it; only host and key are
//! ours.

use super::{Answer, Directory, send_raw};
use crate::on_both;
use crate::support::Backend;
use serde_json::json;

/// The request line and headers that the document prints, and what curl adds of its own.
fn curl(directory: &Directory, head: &str, body: &str) -> Answer {
    let request = format!(
        "{}\r\nHost: {}\r\nUser-Agent: curl/8.5.0\r\nAccept: */*\r\nContent-Length: {}\r\n\r\n{body}",
        head.replace('\n', "\r\n"),
        directory.address(),
        body.len()
    );
    send_raw(directory.address(), request.as_bytes())
}

on_both!(seed_002_users_update_by_id, |backend: Backend| {
    let directory = Directory::start(backend);
    let key = directory.app("app", false);
    let created = directory.post(
        &key,
        &json!({"user_id": "12345", "username": "user", "email": "user@example.com"}),
    );
    assert_eq!(created.status, 201);
    let (token, _) = directory.token("app", "12345");
    for authorization in [key, token] {
        let head = format!(
            "PUT /users/12345 HTTP/1.1\nContent-Type: application/json\nAuthorization: Bearer {authorization}"
        );
        let body =
            "{\n  \"username\": \"updatedUser\",\n  \"email\": \"updated-user@example.com\"\n}\n";
        let answer = curl(&directory, &head, body);
        assert_eq!(answer.status, 200, "{answer:?}");
        let json = answer.json();
        assert_eq!(json["id"], "12345");
        assert_eq!(json["username"], "updatedUser");
        assert_eq!(json["email"], "updated-user@example.com");
    }
});

on_both!(seed_003_klaim_update_user_profile, |backend: Backend| {
    let directory = Directory::start(backend);
    let key = directory.app("app", false);
    let created = directory.post(&key, &json!({"user_id": "current"}));
    assert_eq!(created.status, 201);
    let head = format!(
        "PUT /users/current HTTP/1.1\nContent-Type: application/json\nAuthorization: Bearer {key}"
    );
    let body = r#"{
    "metadata": {
        "test": "field"
    },
    "user_id": "testUserId",
    "email": "test@email.com",
    "name": "tester"
}"#;
    let answer = curl(&directory, &head, body);
    assert_eq!(answer.status, 200, "{answer:?}");
    let json = answer.json();
    let created_at = json["created_at"].as_i64().unwrap();
    let klaim_id = json["klaim_id"].as_str().unwrap();
    let (time, random) = klaim_id.split_once('_').unwrap();
    assert_eq!((time, random.len()), (created_at.to_string().as_str(), 5));
    assert_eq!(
        json,
        json!({
            "message": "fetch resource successfully",
            "metadata": {"test": "field"},
            "user_id": "testUserId",
            "klaim_id": created.json()["klaim_id"],
            "created_at": created_at,
            "acquisition_source": "api",
            "credit_balance": 0,
            "email": "test@email.com",
            "name": "tester",
            "id": "testUserId",
            "username": null,
        })
    );
});

on_both!(seed_004_users_put_by_query, |backend: Backend| {
    let directory = Directory::start(backend);
    directory.app("app", true);
    let head = "PUT /users?id=1 HTTP/1.1\nContent-Type: application/json";
    let body = "{\n    \"lastName\": \"Renn\",\n    \"firstName\": \"David\",\n    \"email\": \"david.renn@uw.edu\"\n  }";
    for status in [201, 200] {
        let answer = curl(&directory, head, body);
        assert_eq!(answer.status, status, "{answer:?}");
        let printed =
            r#"{"lastName":"Renn","firstName":"David","email":"david.renn@uw.edu","id":1}"#;
        assert_eq!(answer.body, printed);
    }
});
