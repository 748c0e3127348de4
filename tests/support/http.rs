//! Plain HTTP, for requests that no well-behaved client sends.

use issuer_gateway::client::Answered;
use issuer_gateway::json;
use serde_json::Value;
use std::time::Duration;

/// Sends a request with exactly these headers; panics unless the answer keeps what every answer
/// promises (wire-formats.md, rule 8): a JSON object with `Content-Length`.
pub fn send(method: &str, url: &str, headers: &[(&str, &str)], body: &[u8]) -> Answered {
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
    Answered {
        status,
        body,
        clear,
    }
}
