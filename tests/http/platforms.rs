//! What platforms, proxies and writers around issuers do, beyond what Mastercard's libraries do.

use crate::on_both;
use crate::support::Backend;
use crate::support::gateway::{TestGateway, assert_refused, errors, user_id};
use crate::support::http::{post, send};
use crate::support::peer::{FieldLevel, Jwe};
use crate::support::wire::{Wire, exchange, request};
use issuer_gateway::client::{Answered, sample};
use issuer_gateway::http::routes::PUBLIC;
use serde_json::{Value, json};

const JSON: (&str, &str) = ("Content-Type", "application/json");
/// What .NET's writers put before UTF-8.
const BOM: &[u8] = b"\xEF\xBB\xBF";

/// A signed call of the issuer `demo`, with further headers.
fn call(
    gateway: &TestGateway,
    method: &str,
    path: &str,
    headers: &[(&str, &str)],
    body: &[u8],
) -> Answered {
    let url = format!("{}{path}", gateway.base_url);
    let authorization = gateway.client("demo").authorization(method, &url, body);
    let mut all = vec![("Authorization", authorization.as_str()), JSON];
    all.extend_from_slice(headers);
    send(method, &url, &all, body)
}

/// Method and path of every route of the issuer API that takes a body.
fn with_body() -> Vec<(String, String)> {
    let mut routes = Vec::new();
    for endpoint in (PUBLIC[0].endpoints)() {
        if endpoint.method != "GET" {
            let id = "c8b38606-12b2-43c6-a641-be8eb0ab9dec";
            let path = endpoint.path.replace("{userid}", id);
            routes.push((endpoint.method.to_string(), path));
        }
    }
    assert!(routes.len() >= 4);
    routes
}

on_both!(head_is_get_without_the_body, |backend: Backend| {
    let gateway = TestGateway::start(backend);
    let mut compared = 0;
    for group in PUBLIC {
        for mount in group.mounts {
            for endpoint in (group.endpoints)().iter().filter(|e| e.method == "GET") {
                let path = format!("{mount}{}", endpoint.path)
                    .replace("{userid}", "c8b38606-12b2-43c6-a641-be8eb0ab9dec")
                    .replace("{user_id}", "12345")
                    .replace("{file}", "any");
                let [get, head] = ["GET", "HEAD"]
                    .map(|method| exchange(&gateway.base_url, method, &path, &[], b""));
                assert_eq!(head.status, get.status, "{path}");
                assert!(head.body.is_empty(), "{path}");
                for name in ["content-type", "content-length", "www-authenticate"] {
                    assert_eq!(head.header(name), get.header(name), "{path}: {name}");
                }
                compared += 1;
            }
        }
    }
    assert!(compared >= 8);
    // Signed as HEAD, because the method is signed.
    let url = format!("{}/issuers", gateway.base_url);
    let client = gateway.client("demo");
    let [get, head] = ["GET", "HEAD"].map(|method| {
        let authorization = client.authorization(method, &url, b"");
        let headers = [("Authorization", authorization.as_str())];
        exchange(&gateway.base_url, method, "/issuers", &headers, b"")
    });
    assert_eq!((head.status, get.status), (200, 200));
    assert_eq!(head.header("content-length"), get.header("content-length"));
    assert!(head.body.is_empty());
});

on_both!(who_asks_for_http_2_is_told_to_close, |backend: Backend| {
    // Java's HttpClient, by default and without TLS.
    let gateway = TestGateway::start(backend);
    let mut wire = Wire::connect(&gateway.base_url);
    let headers = [
        ("Connection", "Upgrade, HTTP2-Settings"),
        ("Upgrade", "h2c"),
        ("HTTP2-Settings", "AAEAAEAAAAIAAAABAAMAAABkAAQBAAAAAAUAAEAA"),
    ];
    wire.send(&request("GET", "/health/live", &headers, b""));
    let answer = wire.read("GET").unwrap();
    assert_eq!(
        (answer.status, answer.header("connection")),
        (200, Some("close"))
    );
    assert!(wire.is_closed());
});

on_both!(compressed_bodies_are_refused_by_name, |backend: Backend| {
    let gateway = TestGateway::start(backend);
    for (method, path) in with_body() {
        for (sent, named) in [
            ("gzip", "gzip"),
            ("identity, BR", "br"),
            ("canary", "another coding"),
        ] {
            let headers = [("Content-Encoding", sent)];
            let answer = call(&gateway, &method, &path, &headers, b"\x1f\x8b\x08");
            assert_refused(&answer, 415, &["UNSUPPORTED_MEDIA_TYPE"]);
            let details = errors(&answer)[0].3.as_str().unwrap().to_owned();
            assert!(details.starts_with("Content-Encoding: "), "{details}");
            assert!(
                details.contains(named) && !details.contains("canary"),
                "{details}"
            );
        }
    }
    let identity = [("Content-Encoding", "identity")];
    let changed = call(&gateway, "PUT", "/issuers", &identity, b"{}");
    assert_eq!(changed.status, 200);
});

on_both!(each_cause_of_unreadable_json_is_told, |backend: Backend| {
    let gateway = TestGateway::start(backend);
    for (method, path) in with_body() {
        if path.contains("c8b38606") {
            // There has to be a user first.
            continue;
        }
        for (body, rule) in [
            (
                &b"{\"a\":1,}"[..],
                "must be JSON: trailing comma at line 1, column 8",
            ),
            (
                b"{\"a\":1,\"a\":2}",
                "must not have a name twice in one object, as at line 1, column 13",
            ),
            (
                b"{\"a\":\"\xff\"}",
                "must be UTF-8, and is not from byte 7 on",
            ),
            (b"{\"a\":", "must be JSON, and ends too early"),
            (b"  ", "must not be empty"),
        ] {
            let answer = call(&gateway, &method, &path, &[], body);
            assert_refused(&answer, 400, &["INVALID_REQUEST_PARAMETER"]);
            assert_eq!(errors(&answer)[0].3, rule, "{method} {path}");
        }
    }
});

on_both!(a_byte_order_mark_is_no_fault, |backend: Backend| {
    let gateway = TestGateway::start(backend);
    let client = gateway.client("demo");
    let marked = |body: &[u8]| [BOM, body].concat();
    let clear = || marked(sample::enrolment("534403").to_string().as_bytes());
    // Inside of the payload, outside, and both.
    for body in [
        Jwe::new(clear()).body(),
        marked(&Jwe::new(clear()).body()),
        FieldLevel::new(clear()).body(),
        marked(&FieldLevel::new(clear()).body()),
    ] {
        assert_eq!(post(&client, &[], &body).status, 200);
    }
    let id = user_id(&client.enrol(&sample::enrolment("534403")));
    let update = marked(&Jwe::new(marked(sample::update().to_string().as_bytes())).body());
    let path = format!("/issuers/users/{id}");
    assert_eq!(call(&gateway, "PUT", &path, &[], &update).status, 200);
    assert_eq!(
        call(&gateway, "PUT", "/issuers", &[], &marked(b"{}")).status,
        200
    );
    let list = marked(json!([id]).to_string().as_bytes());
    let url = format!("{}/issuers/user-deletions", gateway.base_url);
    let authorization = client.authorization("POST", &url, &list);
    let length = list.len().to_string();
    let headers = [
        ("Authorization", authorization.as_str()),
        ("Content-Length", &length),
        JSON,
    ];
    let deleted = exchange(
        &gateway.base_url,
        "POST",
        "/issuers/user-deletions",
        &headers,
        &list,
    );
    assert_eq!(deleted.status, 202);
});

on_both!(
    a_refused_header_names_parameter_and_rule,
    |backend: Backend| {
        let gateway = TestGateway::start(backend);
        let url = format!("{}/issuers", gateway.base_url);
        let good = gateway.client("demo").authorization("GET", &url, b"");
        let timestamp = good.split("oauth_timestamp=\"").nth(1).unwrap();
        let timestamp = timestamp.split('"').next().unwrap();
        let millis = good.replace(timestamp, &format!("{timestamp}000"));
        for (header, details) in [
            (
                millis,
                "oauth_timestamp: must be 1 to 12 digits, the seconds (not milliseconds) since 1970",
            ),
            (
                good.replace("oauth_nonce", "oauth_other"),
                "oauth_nonce: is required",
            ),
            (
                format!("{good},oauth_nonce=\"abc\""),
                "oauth_nonce: must come once",
            ),
            (
                format!("{good},oauth_x=\"1\",oauth_x=\"1\""),
                "oauth_*: must come once",
            ),
            (
                format!("{good},lang=\"en\""),
                "Authorization: must have realm and parameters that begin with oauth_, no others",
            ),
            (
                format!("{good},"),
                "Authorization: must be a list of name=\"value\", separated by commas",
            ),
            (
                format!("{good},oauth_x=\"%zz\""),
                "Authorization: values must be printable ASCII or percent-encoded UTF-8, without \\ and &",
            ),
            (
                good.replace("\"1.0\"", "\"2.0\""),
                "oauth_version: must be 1.0",
            ),
            (
                good.replace("RSA-SHA256", "HMAC-SHA1"),
                "oauth_signature_method: must be RSA-SHA256, or RSA-PSS where the issuer allows it",
            ),
            (
                good.replace(timestamp, "1"),
                "oauth_timestamp: must be close to the gateway's clock",
            ),
            (
                "Bearer x".to_owned(),
                "Authorization: must come once and begin with OAuth",
            ),
            // Whose signature it is not, and whether anybody has this key, is told to nobody.
            (good.replace("demo!", "nobody!"), ""),
        ] {
            let answer = send("GET", &url, &[("Authorization", &header)], b"");
            assert_refused(&answer, 401, &["AUTHENTICATION_FAILED"]);
            assert_eq!(errors(&answer)[0].3, Value::from(details), "{header}");
        }
    }
);
