//! The answers of faults on demand.

use super::super::openapi::Document;
use crate::console::Console;
use crate::console::faults::Fault;
use crate::gateway::Gateway;
use crate::payload::{Envelope, seal_as};
use crate::recording::Findings;
use actix_web::body::{BodySize, MessageBody};
use actix_web::http::StatusCode;
use actix_web::http::header::{CACHE_CONTROL, CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE};
use actix_web::web::{Bytes, Data};
use actix_web::{HttpRequest, HttpResponse};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

/// Each `ReasonCode` of the API with its status: as `/openapi.json` has them.
pub(super) fn codes(request: &HttpRequest) -> Vec<(String, u16)> {
    let refusals = refusals(request).unwrap_or_default();
    let codes = refusals.into_iter();
    codes.map(|(code, (status, _))| (code, status)).collect()
}

/// Every refusal that the document shows: `ReasonCode` to status and body.
fn refusals(request: &HttpRequest) -> Option<BTreeMap<String, (u16, Value)>> {
    let gateway = request.app_data::<Data<Gateway>>()?;
    let document = request.app_data::<Data<Document>>()?;
    let document = document.json(&gateway.reloadable().origins).ok()?;
    let document: Value = serde_json::from_slice(&document).ok()?;
    let paths = document.get("paths")?.as_object()?;
    let operations = paths.values().filter_map(Value::as_object);
    let responses = operations
        .flat_map(|path| path.values())
        .filter_map(|operation| operation.get("responses")?.as_object())
        .flatten();
    let mut found = BTreeMap::new();
    for (status, response) in responses {
        let examples = response.pointer("/content/application~1json/examples");
        let examples = examples.and_then(Value::as_object).into_iter().flatten();
        for (_, example) in examples {
            let body = example.get("value");
            let code = body.and_then(|body| body.pointer("/Errors/Error/0/ReasonCode")?.as_str());
            if let (Some(body), Some(code), Ok(status)) = (body, code, status.parse()) {
                found
                    .entry(code.to_owned())
                    .or_insert_with(|| (status, body.clone()));
            }
        }
    }
    Some(found)
}

/// The answer of a fault that keeps the call from being handled.
pub(super) fn instead(fault: &Fault, request: &HttpRequest) -> Option<HttpResponse> {
    match fault {
        Fault::Reason(code) => Some(refused(code, request)),
        Fault::Unavailable(seconds) => {
            let mut response = refused("SERVICE_UNAVAILABLE", request);
            response
                .headers_mut()
                .insert(RETRY_AFTER, (*seconds).into());
            Some(response)
        }
        Fault::Delay(_) | Fault::Cut | Fault::WrongKey => None,
    }
}

fn refused(code: &str, request: &HttpRequest) -> HttpResponse {
    let known = refusals(request).and_then(|mut refusals| refusals.remove(code));
    let (status, body) = known.unwrap_or_else(|| {
        let error = json!({"Source": "sandbox", "ReasonCode": code, "Recoverable": false,
            "Description": "X-Sandbox-Fault names a ReasonCode that the API does not have.",
            "Details": ""});
        (400, json!({"Errors": {"Error": [error]}}))
    });
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::BAD_REQUEST);
    let mut response = HttpResponse::build(status);
    response
        .insert_header((CONTENT_TYPE, "application/json"))
        .insert_header((CACHE_CONTROL, "no-store"));
    match status {
        StatusCode::UNAUTHORIZED => {
            response.insert_header((WWW_AUTHENTICATE, r#"OAuth realm="issuer-gateway""#));
        }
        StatusCode::SERVICE_UNAVAILABLE | StatusCode::TOO_MANY_REQUESTS => {
            response.insert_header((RETRY_AFTER, "1"));
        }
        _ => {}
    }
    response.body(body.to_string())
}

/// The same answer, encrypted to a key that nobody has; `None`: the answer is not encrypted.
pub(super) fn wrong_key(console: &Console, findings: &Findings, answer: &[u8]) -> Option<Vec<u8>> {
    let form = Envelope::parse_answer(answer).ok()?.form();
    let clear = findings.clear_answer.as_ref()?;
    Some(seal_as(form, console.stranger()?, clear.bytes()).ok()?.body)
}

/// The first half of a body. Then the connection breaks.
pub(super) struct Cut {
    half: Option<Bytes>,
    size: u64,
}

impl Cut {
    pub(super) fn of(body: &Bytes) -> Self {
        Self {
            half: Some(body.slice(..body.len() / 2)),
            size: u64::try_from(body.len().max(2)).unwrap_or(2),
        }
    }
}

impl MessageBody for Cut {
    type Error = io::Error;

    fn size(&self) -> BodySize {
        BodySize::Sized(self.size)
    }

    fn poll_next(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Bytes, io::Error>>> {
        let broken = || Err(io::Error::from(io::ErrorKind::ConnectionAborted));
        Poll::Ready(Some(self.half.take().map_or_else(broken, Ok)))
    }
}
