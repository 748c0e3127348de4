//! Plain HTTP, for requests that no well-behaved client sends.

use super::document;
use super::gateway::TestClient;
use issuer_gateway::client::{Answered, Operation};
use issuer_gateway::json;
use issuer_gateway::oauth1::SignatureMethod;
use serde_json::Value;
use std::time::Duration;
use ureq::http::HeaderMap;

/// Sends a request with exactly these headers; panics unless the answer keeps what every answer
/// promises (wire-formats.md, rule 8): a JSON object with `Content-Length`.
pub fn send(method: &str, url: &str, headers: &[(&str, &str)], body: &[u8]) -> Answered {
    exchange(method, url, headers, body).0
}

/// [`send`], with the answer's `X-Request-Id`.
pub fn exchange(
    method: &str,
    url: &str,
    headers: &[(&str, &str)],
    body: &[u8],
) -> (Answered, String) {
    let (answered, headers) = send_seeing(method, url, headers, body);
    let request_id = headers["x-request-id"].to_str().unwrap().to_owned();
    (answered, request_id)
}

/// [`send`], with the answer's headers.
pub fn send_seeing(
    method: &str,
    url: &str,
    headers: &[(&str, &str)],
    body: &[u8],
) -> (Answered, HeaderMap) {
    let config = ureq::Agent::config_builder()
        .http_status_as_error(false)
        .timeout_global(Some(Duration::from_secs(30)));
    let agent: ureq::Agent = config.build().into();
    let mut request = ureq::http::Request::builder().method(method).uri(url);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let mut response = agent.run(request.body(body).unwrap()).unwrap();
    let header = |name: &str| {
        response
            .headers()
            .get(name)
            .map(|value| value.to_str().unwrap().to_owned())
    };
    let content_type = header("content-type");
    let content_length = header("content-length");
    let seen = response.headers().clone();
    let status = response.status().as_u16();
    let body = response.body_mut().read_to_vec().unwrap();
    assert_eq!(
        content_type.as_deref(),
        Some("application/json"),
        "{method} {url}: {status}"
    );
    assert_eq!(
        content_length,
        Some(body.len().to_string()),
        "{method} {url}: {status}"
    );
    let clear = json::parse_object(&body)
        .ok()
        .map(|object| Value::Object(object.members().clone()));
    assert!(
        clear.is_some(),
        "{method} {url}: {status}: the body is no JSON object"
    );
    let answered = Answered {
        status,
        body,
        clear,
    };
    document::assert_documented(method, url, &answered);
    assert_errors_are_whole(&answered, &seen);
    (answered, seen)
}

/// `Details` is a text in every element, and a 401 says how to authenticate (RFC 9110, 15.5.2).
#[track_caller]
fn assert_errors_are_whole(answered: &Answered, headers: &HeaderMap) {
    let clear = answered.clear.as_ref();
    let Some(elements) = clear.and_then(|body| body.pointer("/Errors/Error")?.as_array()) else {
        return;
    };
    assert!(
        elements
            .iter()
            .all(|element| element["Details"].is_string())
    );
    let challenge = headers
        .get("www-authenticate")
        .map(|value| value.to_str().unwrap());
    let expected = (answered.status == 401).then_some("OAuth realm=\"issuer-gateway\"");
    assert_eq!(challenge, expected, "{}", answered.status);
}

/// Signs a body as it is and sends it to enrol, with further headers. The answer is not opened.
pub fn post(client: &TestClient, headers: &[(&str, &str)], body: &[u8]) -> Answered {
    post_seeing(client, headers, body).0
}

/// [`post`], with the answer's headers.
pub fn post_seeing(
    client: &TestClient,
    headers: &[(&str, &str)],
    body: &[u8],
) -> (Answered, HeaderMap) {
    let request = client
        .client
        .sign(&Operation::Enrol, SignatureMethod::RsaSha256, body.to_vec())
        .unwrap();
    let authorization = ("Authorization", request.authorization.as_str());
    let mut all = vec![authorization, ("Content-Type", "application/json")];
    all.extend_from_slice(headers);
    send_seeing(request.method, &request.url, &all, body)
}

/// The one answer to every payload that does not open.
const CRYPTO_ERROR: &str = concat!(
    r#"{"Errors":{"Error":[{"Source":"CARBON CALCULATOR EXPERIENCE","ReasonCode":"CRYPTO_ERROR","#,
    r#""Description":"The encrypted payload could not be opened.","Recoverable":false,"Details":""}]}}"#
);

/// Asserts status and body, byte for byte.
#[track_caller]
pub fn assert_crypto_error(answer: &Answered, case: &str) {
    let body = String::from_utf8_lossy(&answer.body);
    assert_eq!(
        (answer.status, body.as_ref()),
        (400, CRYPTO_ERROR),
        "{case}"
    );
}
