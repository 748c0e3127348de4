//! Calls as JSON, for scripts and tests.

use super::super::text::reason_codes;
use super::list::{Names, envelope};
use crate::explain::Explanation;
use crate::recording::{Body, Headers, RecordedCall};
use serde_json::{Value, json};
use std::sync::Arc;

/// The list, the newest first.
pub fn list_json<'a>(calls: impl Iterator<Item = &'a Arc<RecordedCall>>, names: &Names) -> Value {
    let calls: Vec<Value> = calls.map(|call| summary(call, names)).collect();
    json!({ "calls": calls })
}

fn summary(call: &RecordedCall, names: &Names) -> Value {
    let (issuer, proven) = names
        .caller(call)
        .map_or((None, false), |(name, proven)| (Some(name), proven));
    json!({
        "number": call.number,
        "received": call.request.received.to_rfc3339(),
        "method": call.request.method,
        "url": call.request.url,
        "status": call.answer.status,
        "reasonCodes": reason_codes(call),
        "refusal": call.answer.reason,
        "issuer": issuer,
        "proven": proven,
        "envelope": Some(envelope(call)).filter(|text| !text.is_empty()),
        "fault": call.answer.fault,
        "microseconds": micros(call.elapsed),
        "requestId": call.request_id,
    })
}

/// One call, whole.
pub fn call_json(call: &RecordedCall, names: &Names, explanation: Option<&Explanation>) -> Value {
    let found = &call.findings;
    let steps: Vec<Value> = found
        .steps
        .iter()
        .map(|(step, took)| json!({"step": step.name(), "microseconds": micros(*took)}))
        .collect();
    json!({
        "summary": summary(call, names),
        "explanation": explanation,
        "consumerKey": found.caller.as_ref().map(|caller| &caller.consumer_key),
        "key": found.key,
        "refusalDetail": call.answer.detail,
        "steps": steps,
        "request": {
            "version": call.request.version,
            "headers": headers(&call.request.headers),
            "body": text(&call.request.body),
            "bodyBytes": call.request.body.length(),
            "clear": found.clear_request.as_ref().map(clear),
        },
        "answer": {
            "headers": headers(&call.answer.headers),
            "body": text(&call.answer.body),
            "bodyBytes": call.answer.body.length(),
            "clear": found.clear_answer.as_ref().map(clear),
        },
    })
}

fn micros(time: std::time::Duration) -> u64 {
    u64::try_from(time.as_micros()).unwrap_or(u64::MAX)
}

fn headers(headers: &Headers) -> Value {
    let pairs: Vec<Value> = headers
        .iter()
        .map(|(name, value)| json!([name, value]))
        .collect();
    pairs.into()
}

fn text(body: &Body) -> Value {
    String::from_utf8_lossy(body.bytes()).into_owned().into()
}

/// JSON as it is; what was cut as text.
fn clear(body: &Body) -> Value {
    serde_json::from_slice(body.bytes()).unwrap_or_else(|_| text(body))
}
