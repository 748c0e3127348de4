//! `/openapi.json` tells the truth: every route is in it, every field's limits are those of the
//! rules, and what it refers to is there. That statuses and `ReasonCode`s are in it is checked with
//! every answer of every test, in tests/support/document.rs.

use crate::support::Backend;
use crate::support::document::{DOCUMENT, documented_codes};
use crate::support::gateway::TestGateway;
use crate::support::http::send;
use chrono::NaiveDate;
use issuer_gateway::client::sample;
use issuer_gateway::enrolment::rules::{self, IssuerRules};
use issuer_gateway::http::openapi::Document;
use issuer_gateway::http::routes;
use issuer_gateway::issuers::account_range::AccountRange;
use issuer_gateway::json;
use issuer_gateway::oauth1::PublicOrigin;
use proptest::strategy::{Strategy, ValueTree};
use proptest::string::string_regex;
use proptest::test_runner::TestRunner;
use regex::Regex;
use serde_json::{Map, Value};
use std::collections::BTreeSet;

const METHODS: [&str; 5] = ["GET", "POST", "PUT", "DELETE", "PATCH"];

fn paths() -> &'static Map<String, Value> {
    DOCUMENT["paths"].as_object().unwrap()
}

/// A path with its parameters filled in.
fn example_path(pattern: &str) -> String {
    let script = issuer_gateway::http::dashboard::script_name();
    pattern
        .replace("/home/{file}", &format!("/home/{script}"))
        .replace("/{mode}/", "/v/")
        .replace("{userid}", "c8b38606-12b2-43c6-a641-be8eb0ab9dec")
        .replace("{file}", "page.js")
}

#[test]
fn the_document_is_served_as_it_is_made() {
    let gateway = TestGateway::start(Backend::Sqlite);
    let url = format!("{}/openapi.json", gateway.base_url);
    let mut served = send("GET", &url, &[], b"").clear.unwrap();
    assert_eq!(served["openapi"], "3.1.0");
    let server = |mount: &str| format!("{}{mount}", gateway.base_url);
    assert_eq!(served["servers"][0]["url"], server(""));
    let of_users: BTreeSet<&str> = served["paths"]["/issuers/users"]["servers"]
        .as_array()
        .unwrap()
        .iter()
        .map(|server| server["url"].as_str().unwrap())
        .collect();
    for mount in ["", "/cts"] {
        assert!(of_users.contains(server(mount).as_str()), "{of_users:?}");
    }
    served["servers"].take();
    assert_eq!(
        served["components"], DOCUMENT["components"],
        "the same but for the servers"
    );
    assert_eq!(
        served["paths"]
            .as_object()
            .unwrap()
            .keys()
            .collect::<Vec<_>>(),
        paths().keys().collect::<Vec<_>>()
    );
}

#[test]
fn servers_follow_a_reload_of_the_public_origins() {
    let document = Document::new(routes::PUBLIC);
    for origin in ["https://a.example", "https://b.example:8443/gateway"] {
        let origins = [PublicOrigin::parse(origin).unwrap()];
        let json: Value = serde_json::from_slice(&document.json(&origins).unwrap()).unwrap();
        assert_eq!(json["servers"][0]["url"], origin);
        let of_users = &json["paths"]["/issuers/users"]["servers"];
        assert_eq!(of_users[1]["url"], format!("{origin}/cts"));
    }
}

#[test]
fn every_path_answers_the_methods_that_the_document_has_and_no_other() {
    let gateway = TestGateway::start(Backend::Sqlite);
    let mut checked = 0;
    for (pattern, item) in paths() {
        let mounts: &[&str] = match item.get("servers") {
            Some(_) => &["", "/cts"],
            None => &[""],
        };
        let offered: BTreeSet<&str> = METHODS
            .into_iter()
            .filter(|method| item.get(method.to_ascii_lowercase()).is_some())
            .collect();
        assert!(!offered.is_empty(), "{pattern}");
        // Where there is GET, HEAD goes without saying (RFC 9110, 9.1).
        let head = offered.contains("GET").then_some("HEAD");
        let offered: BTreeSet<&str> = offered.into_iter().chain(head).collect();
        for mount in mounts {
            for method in METHODS {
                let url = format!("{}{mount}{}", gateway.base_url, example_path(pattern));
                let (status, allow) = probe(method, &url);
                assert_ne!(status, 404, "{method} {url} is served");
                assert_eq!(status == 405, !offered.contains(method), "{method} {url}");
                if status == 405 {
                    let allow = allow.unwrap();
                    let allowed: BTreeSet<&str> = allow.split(", ").collect();
                    assert_eq!(allowed, offered, "{method} {url}");
                }
                checked += 1;
            }
        }
    }
    assert!(checked > 0);
}

/// An empty, unsigned request: its status and its `Allow`.
fn probe(method: &str, url: &str) -> (u16, Option<String>) {
    let config = ureq::Agent::config_builder().http_status_as_error(false);
    let agent: ureq::Agent = config.build().into();
    let request = ureq::http::Request::builder().method(method).uri(url);
    let response = agent.run(request.body(()).unwrap()).unwrap();
    assert!(
        response.headers().contains_key("x-request-id"),
        "{method} {url}"
    );
    let allow = response.headers().get("allow");
    let allow = allow.map(|value| value.to_str().unwrap().to_owned());
    (response.status().as_u16(), allow)
}

#[test]
fn every_operation_says_what_a_reader_needs() {
    let mut ids = BTreeSet::new();
    for (pattern, item) in paths() {
        let operations = METHODS
            .into_iter()
            .filter_map(|m| item.get(m.to_ascii_lowercase()));
        for operation in operations {
            let id = operation["operationId"].as_str().unwrap();
            assert!(ids.insert(id), "{id} twice");
            assert!(operation["summary"].is_string(), "{id}");
            assert!(operation["tags"][0].is_string(), "{id}");
            for name in pattern.split('/').filter_map(|part| part.strip_prefix('{')) {
                let name = name.trim_end_matches('}');
                let parameters = operation["parameters"].as_array().unwrap();
                assert!(
                    parameters
                        .iter()
                        .any(|p| p["name"] == name && p["in"] == "path"),
                    "{id}: {name}"
                );
            }
            let responses = operation["responses"].as_object().unwrap();
            assert!(
                responses
                    .keys()
                    .any(|status| status.starts_with(['2', '3'])),
                "{id}"
            );
            for (status, response) in responses {
                assert_eq!(
                    response["headers"]["X-Request-Id"]["$ref"],
                    "#/components/headers/X-Request-Id",
                    "{id} {status}"
                );
            }
            for status in ["405", "500"] {
                assert!(responses.contains_key(status), "{id} {status}");
            }
        }
    }
}

#[test]
fn signed_operations_have_every_refusal_of_the_layers_in_front() {
    let everywhere = [
        ("400", "BAD_REQUEST"),
        ("400", "INVALID_BODY_HASH"),
        ("401", "AUTHENTICATION_FAILED"),
        ("401", "ACCOUNT_INACTIVE"),
        ("401", "ACCOUNT_SUSPENDED"),
        ("401", "ACCOUNT_TERMINATED"),
        ("404", "SERVICE_PROVIDER_NOT_FOUND"),
        ("405", "METHOD_NOT_ALLOWED"),
        ("408", "REQUEST_TIMEOUT"),
        ("413", "PAYLOAD_TOO_LARGE"),
        ("500", "INTERNAL_ERROR"),
        ("503", "SERVICE_UNAVAILABLE"),
    ];
    let with_body = [
        ("400", "INVALID_REQUEST_PARAMETER"),
        ("415", "UNSUPPORTED_MEDIA_TYPE"),
    ];
    let mut signed = 0;
    for item in paths().values() {
        let operations = METHODS
            .into_iter()
            .filter_map(|m| item.get(m.to_ascii_lowercase()));
        let by_issuers = |operation: &&Value| operation.pointer("/security/0/OAuth1").is_some();
        for operation in operations.filter(by_issuers) {
            signed += 1;
            let body = operation.get("requestBody").map(|_| with_body);
            for (status, code) in everywhere.into_iter().chain(body.into_iter().flatten()) {
                let documented = documented_codes(&operation["responses"][status]);
                assert!(
                    documented.iter().any(|known| known == code),
                    "{}: {status} {code}",
                    operation["operationId"]
                );
            }
        }
    }
    assert!(signed >= 2);
}

#[test]
fn every_reference_leads_somewhere_and_every_component_is_used() {
    let mut references = BTreeSet::new();
    collect_references(&DOCUMENT, &mut references);
    for reference in &references {
        let pointer = reference.strip_prefix('#').unwrap();
        assert!(DOCUMENT.pointer(pointer).is_some(), "{reference}");
    }
    for kind in ["schemas", "headers"] {
        for name in DOCUMENT["components"][kind].as_object().unwrap().keys() {
            let reference = format!("#/components/{kind}/{name}");
            assert!(references.contains(&reference), "nothing uses {reference}");
        }
    }
}

fn collect_references(value: &Value, found: &mut BTreeSet<String>) {
    match value {
        Value::Object(members) => {
            for (name, member) in members {
                match member {
                    Value::String(text) if name == "$ref" => _ = found.insert(text.clone()),
                    _ => collect_references(member, found),
                }
            }
        }
        Value::Array(items) => items
            .iter()
            .for_each(|item| collect_references(item, found)),
        _ => {}
    }
}

/// A string field of a schema: where it is, how long it may be, whether it is required.
struct Field {
    path: Vec<String>,
    lengths: Option<(usize, usize)>,
    pattern: Option<String>,
    required: bool,
}

/// Every string field of a schema, nested ones too.
fn fields(schema: &str, at: &[String]) -> Vec<Field> {
    let schema = &DOCUMENT["components"]["schemas"][schema];
    let required: Vec<&str> = schema["required"]
        .as_array()
        .map(|names| names.iter().map(|name| name.as_str().unwrap()).collect())
        .unwrap_or_default();
    let mut found = Vec::new();
    for (name, property) in schema["properties"].as_object().unwrap() {
        let path: Vec<String> = at.iter().cloned().chain([name.clone()]).collect();
        match reference(property) {
            Some(inner) => found.extend(fields(inner, &path)),
            None => {
                let length =
                    |name: &str| property[name].as_u64().map(|n| usize::try_from(n).unwrap());
                found.push(Field {
                    path,
                    lengths: length("minLength").zip(length("maxLength")),
                    pattern: property["pattern"].as_str().map(str::to_owned),
                    required: required.contains(&name.as_str()),
                });
            }
        }
    }
    found
}

/// The schema that a property refers to, by itself or beside `null`.
fn reference(property: &Value) -> Option<&str> {
    let choices = property["oneOf"].as_array();
    let choices = choices.into_iter().flatten().chain([property]);
    let reference = choices.filter_map(|choice| choice["$ref"].as_str()).next();
    reference.map(|reference| reference.rsplit('/').next().unwrap())
}

/// Text of exactly this length that breaks no other rule of the field.
fn text_of(path: &str, length: usize) -> String {
    let (start, end) = match path {
        "email.value" => ("", "@b.co"),
        "cardholderName" => ("J ", ""),
        _ => ("", ""),
    };
    let filling = length.saturating_sub(start.len() + end.len());
    let text = format!("{start}{}{end}", "a".repeat(filling));
    text.chars()
        .skip(text.len().saturating_sub(length))
        .collect()
}

/// The paths that the rules complain about.
fn broken(schema: &str, payload: &Value) -> Vec<String> {
    let payload = json::parse_object(payload.to_string().as_bytes()).unwrap();
    let ranges = [AccountRange::parse("534403").unwrap()];
    let issuer = IssuerRules {
        donation: false,
        unicode_names: false,
        account_ranges: &ranges,
    };
    let today = NaiveDate::from_ymd_opt(2026, 1, 1).unwrap();
    let violations = match schema {
        "UserProfile" => rules::enrolment(&payload, &issuer, today).err(),
        _ => rules::update(&payload, &issuer).err(),
    };
    let paths = violations.unwrap_or_default().into_iter();
    paths.map(|violation| violation.path.into_owned()).collect()
}

/// A valid payload of each schema, with every field that a test changes.
fn valid_payloads() -> [(&'static str, Value); 2] {
    let email = serde_json::json!({"type": "home", "value": "jane.sample@example.com"});
    let mut update = sample::update();
    update["email"] = email;
    update["phoneNumber"] = "+12025550123".into();
    [
        ("UserProfile", sample::enrolment("534403")),
        ("UpdateUserProfile", update),
    ]
}

/// `payload` with another text at `pointer`.
fn with_text(payload: &Value, pointer: &str, text: &str) -> Value {
    let mut changed = payload.clone();
    let (parent, name) = pointer.rsplit_once('/').unwrap();
    changed.pointer_mut(parent).unwrap()[name] = text.into();
    changed
}

#[test]
fn fields_have_the_limits_that_the_rules_have() {
    for (schema, valid) in valid_payloads() {
        let fields = fields(schema, &[]);
        assert!(fields.len() >= 10, "{schema}");
        assert_eq!(broken(schema, &valid), Vec::<String>::new());
        for field in fields {
            let path = field.path.join(".");
            let pointer = format!("/{}", field.path.join("/"));
            let (parent, name) = pointer.rsplit_once('/').unwrap();

            let mut without = valid.clone();
            let parent = without
                .pointer_mut(parent)
                .unwrap()
                .as_object_mut()
                .unwrap();
            parent.remove(name);
            let complains = broken(schema, &without).contains(&path);
            assert_eq!(complains, field.required, "{schema}.{path} left out");

            let Some((least, most)) = field.lengths else {
                continue;
            };
            let below = least.checked_sub(1).map(|length| (length, false));
            let others = [(least, true), (most, true), (most + 1, false)];
            for (length, fits) in below.into_iter().chain(others) {
                // Their form takes more than the least length: two words, a domain of two labels.
                if ["cardholderName", "email.value"].contains(&path.as_str()) && length == least {
                    continue;
                }
                let changed = with_text(&valid, &pointer, &text_of(&path, length));
                let complains = broken(schema, &changed).contains(&path);
                assert_eq!(complains, !fits, "{schema}.{path} of {length} characters");
            }
        }
    }
}

#[test]
fn what_the_rules_accept_matches_the_documented_patterns() {
    let mut runner = TestRunner::deterministic();
    for (schema, valid) in valid_payloads() {
        for field in fields(schema, &[]) {
            let Some(pattern) = &field.pattern else {
                continue;
            };
            let path = field.path.join(".");
            let pointer = format!("/{}", field.path.join("/"));
            let regex = Regex::new(pattern).unwrap();
            let fitting = string_regex(pattern.trim_start_matches('^').trim_end_matches('$'));
            let near = "[ -~\u{7f}-\u{a0}é+@.\n]{0,16}";
            for texts in [fitting.unwrap(), string_regex(near).unwrap()] {
                for _ in 0..200 {
                    let text = texts.new_tree(&mut runner).unwrap().current();
                    let changed = with_text(&valid, &pointer, &text);
                    if !broken(schema, &changed).contains(&path) {
                        assert!(regex.is_match(&text), "{schema}.{path}: {text:?}");
                    }
                }
            }
        }
    }
}
