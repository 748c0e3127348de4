//! Holds every answer that a test gets against the OpenAPI document: a route, a status or a
//! `ReasonCode` that the document lacks fails the test that saw it.

use issuer_gateway::client::Answered;
use issuer_gateway::http::openapi::Document;
use issuer_gateway::http::routes;
use serde_json::Value;
use std::sync::LazyLock;

/// The document, as `/openapi.json` serves it (but for `servers`).
pub static DOCUMENT: LazyLock<Value> = LazyLock::new(|| {
    let document = Document::new(routes::PUBLIC);
    serde_json::from_slice(&document.json(&[]).unwrap()).unwrap()
});

/// Fails unless the document has this answer of the public listener.
#[track_caller]
pub fn assert_documented(method: &str, url: &str, answered: &Answered) {
    assert_status_documented(method, url, answered.status, answered.clear.as_ref());
}

/// The same for the status and the JSON of an answer.
#[track_caller]
pub fn assert_status_documented(method: &str, url: &str, status: u16, clear: Option<&Value>) {
    let codes = reason_codes(clear);
    let Some(path) = path_of(url) else {
        let told = (status, codes.as_slice());
        // What lies deeper than a user is refused in the words of the users API.
        if url.contains("/users/") && status == 404 && codes.is_empty() {
            return;
        }
        assert!(
            matches!(told, (404, [code]) if code == "NOT_FOUND"),
            "{method} {url} answers {told:?} and is not in the document: add it to http::routes"
        );
        return;
    };
    // HEAD is GET without the body.
    let documented = if method == "HEAD" { "GET" } else { method };
    let Some(operation) = path.get(documented.to_ascii_lowercase()) else {
        assert_eq!(status, 405, "{method} {url} is not in the document");
        return;
    };
    let response = &operation["responses"][status.to_string()];
    assert!(
        response.is_object(),
        "{method} {url}: {status} is not in the document"
    );
    for code in codes {
        assert!(
            documented_codes(response).contains(&code),
            "{method} {url}: {status} {code} is not in the document: add it to the operation's refusals"
        );
    }
}

/// The path item that a URL belongs to.
fn path_of(url: &str) -> Option<&'static Value> {
    let after_scheme = url.split_once("://").map_or(url, |(_, rest)| rest);
    let path = after_scheme
        .find('/')
        .map_or("/", |slash| &after_scheme[slash..]);
    let path = path.split('?').next().unwrap();
    let mounted = path.strip_prefix("/cts");
    let paths = DOCUMENT["paths"].as_object().unwrap();
    let found = |path: &str| paths.iter().find(|(pattern, _)| matches(pattern, path));
    let (_, item) = mounted.map_or_else(|| found(path), found)?;
    // Only what is mounted elsewhere too names its servers.
    (mounted.is_none() || item.get("servers").is_some()).then_some(item)
}

fn matches(pattern: &str, path: &str) -> bool {
    let (pattern, path) = (pattern.split('/'), path.split('/'));
    pattern.clone().count() == path.clone().count()
        && pattern.zip(path).all(|(pattern, part)| {
            pattern == part || (pattern.starts_with('{') && !part.is_empty())
        })
}

fn reason_codes(body: Option<&Value>) -> Vec<String> {
    let elements = body.and_then(|body| body.pointer("/Errors/Error")?.as_array());
    let code = |element: &Value| element["ReasonCode"].as_str().unwrap().to_owned();
    elements.map_or_else(Vec::new, |elements| elements.iter().map(code).collect())
}

/// The `ReasonCode`s that a response of the document shows.
pub fn documented_codes(response: &Value) -> Vec<String> {
    let examples = response["content"]["application/json"]["examples"].as_object();
    let values = examples.into_iter().flat_map(|examples| examples.values());
    values
        .flat_map(|example| reason_codes(example.get("value")))
        .collect()
}
