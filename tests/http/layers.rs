//! Every answer of every layer is a JSON object with `Content-Length` and a request id
//! (wire-formats.md, rule 8): official clients die on anything else.

use crate::on_both;
use crate::support::Backend;
use crate::support::gateway::{TestGateway, config, user_id};
use crate::support::wire::{Wire, WireAnswer, exchange, request};
use issuer_gateway::client::sample;
use issuer_gateway::http::endpoint::Dialect;
use issuer_gateway::http::routes::PUBLIC;
use std::collections::BTreeMap;

const JSON: (&str, &str) = ("Content-Type", "application/json");
/// The default limit of a request body.
const LIMIT: usize = 64 * 1024;

/// Every public path with how it refuses and its methods, from the routes themselves.
fn routes() -> BTreeMap<String, (Dialect, Vec<String>)> {
    let mut routes = BTreeMap::new();
    for group in PUBLIC {
        for mount in group.mounts {
            for endpoint in (group.endpoints)() {
                let path = format!("{mount}{}", endpoint.path)
                    .replace("{userid}", "32c7ea6e-6b2a-4f5b-9cf1-9f8f2f8e1a10")
                    .replace("{user_id}", "12345")
                    .replace("{file}", "any")
                    .replace("{mode}/{view}", "v/any")
                    .replace("{code}", "101")
                    .replace("{id}", "any");
                assert!(!path.contains('{'), "{path}: say what to put there");
                let (_, methods) = routes
                    .entry(path)
                    .or_insert_with(|| (group.dialect, Vec::new()));
                methods.extend(endpoint.methods().map(str::to_owned));
            }
        }
    }
    routes
}

/// Both places that the issuer API is served at.
const ENROL: [&str; 2] = ["/issuers/users", "/cts/issuers/users"];

#[track_caller]
fn assert_request_id(answer: &WireAnswer) {
    let id = answer.header("x-request-id").expect("X-Request-Id");
    assert!(
        id.len() == 32 && id.bytes().all(|b| b.is_ascii_hexdigit()),
        "{id}"
    );
}

on_both!(wrong_methods_are_told_the_right_one, |backend: Backend| {
    let gateway = TestGateway::start(backend);
    let methods = [
        "GET", "POST", "PUT", "DELETE", "PATCH", "HEAD", "OPTIONS", "TRACE", "BREW",
    ];
    for (path, (dialect, allowed)) in routes() {
        let wrong = |method: &&str| !allowed.iter().any(|allowed| allowed == method);
        for method in methods.into_iter().filter(wrong) {
            // With a content type and no body, as Mastercard's clients send GET.
            let answer = exchange(&gateway.base_url, method, &path, &[JSON], b"");
            let allow = allowed.join(", ");
            assert_eq!(answer.header("allow"), Some(&*allow), "{method} {path}");
            assert_request_id(&answer);
            if method == "HEAD" {
                assert_eq!(answer.status, 405);
            } else if dialect == Dialect::Message {
                assert_eq!(answer.status, 405);
                assert_eq!(answer.json()["message"], "Method not allowed");
            } else {
                let error = answer.error(405, "METHOD_NOT_ALLOWED");
                assert_eq!(error["Source"], "Gateway");
            }
        }
    }
});

on_both!(unknown_paths_are_not_found, |backend: Backend| {
    let gateway = TestGateway::start(backend);
    let paths = [
        "/",
        "/cts",
        "/cts/",
        "/metrics",
        "/issuers/",
        "/issuers/users/",
        "/issuers/users/a/b",
        "/cts/cts/issuers/users",
        "/cts/health/live",
        "/issuers%2fusers",
        "//issuers/users",
        "/issuers/users;a=b",
        "/cts/../health/live",
        "/%00",
        "/%ff",
    ];
    for path in paths {
        for method in ["GET", "POST", "PUT", "OPTIONS"] {
            let answer = exchange(&gateway.base_url, method, path, &[JSON], b"");
            let error = answer.error(404, "NOT_FOUND");
            assert_eq!(error["Source"], "Gateway", "{method} {path}");
            assert_request_id(&answer);
        }
    }
});

on_both!(bodies_over_the_limit_are_too_large, |backend: Backend| {
    let gateway = TestGateway::start(backend);
    let chunked = |length: usize| {
        let mut body = format!("{length:x}\r\n").into_bytes();
        body.extend(vec![b' '; length]);
        body.extend_from_slice(b"\r\n0\r\n\r\n");
        body
    };
    let sized = |path: &str, length: usize| {
        let headers = [JSON, ("Content-Length", &length.to_string())];
        exchange(
            &gateway.base_url,
            "POST",
            path,
            &headers,
            &vec![b' '; length],
        )
    };
    for path in ENROL {
        for length in [LIMIT + 1, 40 * LIMIT] {
            let whole = sized(path, length);
            let headers = [JSON, ("Transfer-Encoding", "chunked")];
            let in_chunks = exchange(&gateway.base_url, "POST", path, &headers, &chunked(length));
            for answer in [whole, in_chunks] {
                answer.error(413, "PAYLOAD_TOO_LARGE");
                assert_request_id(&answer);
                assert_eq!(answer.header("connection"), Some("close"));
            }
        }
        // As large as may be: the next check speaks.
        sized(path, LIMIT).error(401, "AUTHENTICATION_FAILED");
    }
});

on_both!(bodies_that_do_not_come_time_out, |backend: Backend| {
    let database = crate::support::TestDatabase::new(backend);
    let mut config = config(&database.url_text);
    config.server.body_timeout_ms = 200;
    let gateway = TestGateway::start_with(&config);
    for path in ENROL {
        let started = [
            ([JSON, ("Content-Length", "10")], ""),
            ([JSON, ("Content-Length", "10")], "{\"a"),
            ([JSON, ("Transfer-Encoding", "chunked")], "3\r\n{\"a\r\n"),
        ];
        for (headers, part) in started {
            let answer = exchange(&gateway.base_url, "POST", path, &headers, part.as_bytes());
            answer.error(408, "REQUEST_TIMEOUT");
            assert_request_id(&answer);
            assert_eq!(answer.header("connection"), Some("close"));
        }
        let broken = [JSON, ("Transfer-Encoding", "chunked")];
        let answer = exchange(&gateway.base_url, "POST", path, &broken, b"no length\r\n");
        answer.error(400, "BAD_REQUEST");
        assert_request_id(&answer);
    }
});

on_both!(errors_are_never_encrypted, |backend: Backend| {
    let gateway = TestGateway::start(backend);
    for prefix in ["", "/cts"] {
        let url = format!("{}{prefix}", gateway.base_url);
        let client = gateway.client_at("demo", &url);
        let signed = |content_type: &str, body: &[u8]| {
            let path = format!("{prefix}/issuers/users");
            let url = format!("{}{path}", gateway.base_url);
            let authorization = client.authorization("POST", &url, body);
            let headers = [
                ("Authorization", authorization.as_str()),
                ("Content-Type", content_type),
                ("Content-Length", &body.len().to_string()),
            ];
            exchange(&gateway.base_url, "POST", &path, &headers, body)
        };
        signed("text/plain", b"{}").error(415, "UNSUPPORTED_MEDIA_TYPE");
        let crypto = br#"{"encryptedData":"QUJD"}"#;
        assert!(signed("application/json", crypto).json()["Errors"].is_object());

        // An envelope that opens, and a refusal behind it.
        let mut clear = sample::enrolment("534403");
        clear["cardBaseCurrency"] = "ZZZ".into();
        let sealed = client.prepare(&issuer_gateway::client::Operation::Enrol, &clear);
        signed("application/json; charset=UTF-8", &sealed.body).error(400, "UNSUPPORTED_CURRENCY");
    }
});

on_both!(
    what_is_no_http_gets_a_bare_status_and_the_gateway_lives_on,
    |backend: Backend| {
        // The HTTP library answers before there is a request: docs/threat-model.md, "Known limits".
        let database = crate::support::TestDatabase::new(backend);
        let mut config = config(&database.url_text);
        config.server.header_timeout_ms = 4_000;
        let gateway = TestGateway::start_with(&config);
        let many: String = (0..200).map(|n| format!("X-{n}: a\r\n")).collect();
        let cases: [(Vec<u8>, u16); 7] = [
            (b"hello there\r\n\r\n".to_vec(), 400),
            (b"GET / HTTP/9.9\r\n\r\n".to_vec(), 400),
            (b"GET /\xff HTTP/1.1\r\nHost: a\r\n\r\n".to_vec(), 400),
            (
                request(
                    "POST",
                    "/issuers/users",
                    &[("Content-Length", "1"), ("Transfer-Encoding", "chunked")],
                    b"",
                ),
                400,
            ),
            (
                format!("GET / HTTP/1.1\r\nHost: a\r\n{many}\r\n").into_bytes(),
                431,
            ),
            // A folded header (RFC 9112, 5.2).
            (
                b"GET / HTTP/1.1\r\nHost: a\r\nX-A: b\r\n c\r\n\r\n".to_vec(),
                400,
            ),
            (b"GET / HTTP/1.1\r\nHost: never ends\r\n".to_vec(), 408),
        ];
        for (bytes, status) in cases {
            let mut wire = Wire::connect(&gateway.base_url);
            wire.send(&bytes);
            let answer = wire.read("GET").expect("an answer");
            assert_eq!(answer.status, status, "{}", String::from_utf8_lossy(&bytes));
            assert_eq!(answer.header("content-length"), Some("0"));
            assert_eq!(answer.header("connection"), Some("close"));
            assert!(wire.is_closed());
        }
        user_id(&gateway.client("demo").enrol(&sample::enrolment("534403")));
    }
);

on_both!(
    one_connection_carries_one_request_after_the_other,
    |backend: Backend| {
        let gateway = TestGateway::start(backend);
        let mut wire = Wire::connect(&gateway.base_url);
        let mut ids = Vec::new();
        let cases = [
            ("GET", "/health/live", "", 200),
            ("POST", "/health/live", "", 405),
            ("GET", "/nowhere", "", 404),
            ("POST", "/issuers/users", "{}", 401),
            ("GET", "/health/ready", "", 200),
            // A body that nobody reads ends the connection, and the answer says so.
            ("GET", "/nowhere", "{}", 404),
        ];
        for (method, path, body, status) in cases {
            let length = body.len().to_string();
            let headers = [("Content-Length", length.as_str()), JSON];
            wire.send(&request(method, path, &headers, body.as_bytes()));
            let answer = wire.read(method).expect("an answer");
            answer.json();
            assert_eq!(answer.status, status, "{method} {path}");
            assert_request_id(&answer);
            ids.push(answer.header("x-request-id").unwrap().to_owned());
            let last = ids.len() == cases.len();
            assert_eq!(answer.header("connection") == Some("close"), last);
        }
        assert!(wire.is_closed());
        ids.sort();
        ids.dedup();
        assert_eq!(ids.len(), cases.len(), "every request has an id of its own");
    }
);
