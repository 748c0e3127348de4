//! Keeps each call of a sandbox, as it came and as it was answered, and makes the faults that were
//! ordered. Goes round everything else, `around` included.

use super::super::around::RequestId;
use super::super::error::AnswerReason;
use super::{faults, is_of_the_console};
use crate::console::faults::{FORMS, Fault};
use crate::console::{Console, claimed_client_id};
use crate::gateway::Gateway;
use crate::recording::{Body, Headers, Observer, RecordedAnswer, RecordedCall, RecordedRequest};
use crate::timeline::{Step, Timeline};
use actix_web::body::{BoxBody, MessageBody, to_bytes};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::header::{CONTENT_TYPE, HOST, HeaderMap};
use actix_web::middleware::Next;
use actix_web::web::{Bytes, Data};
use actix_web::{Error, HttpMessage, HttpResponse};
use chrono::{DateTime, Utc};
use std::sync::Arc;
use std::time::Instant;

/// Orders a fault for one call.
const HEADER: &str = "x-sandbox-fault";

/// Middleware of a sandbox's public listener.
pub async fn record(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    let console = request.app_data::<Data<Console>>().cloned();
    let Some(console) = console.filter(|_| !is_of_the_console(request.path())) else {
        let response = next.call(request).await?;
        return Ok(response.map_into_boxed_body());
    };
    let started = Instant::now();
    let observer = Arc::<Observer>::default();
    let timeline = Arc::new(Timeline::begin());
    request.extensions_mut().insert(Arc::clone(&observer));
    request.extensions_mut().insert(Arc::clone(&timeline));
    let asked = as_asked(&request);
    let fault = ordered(&console, &request);
    let response = match &fault {
        Ok(fault) => handled(fault.as_ref(), (&observer, &timeline), request, next).await?,
        Err(()) => request.into_response(unreadable_fault()),
    };

    let (request, response) = response.into_parts();
    let reason = response.extensions().get::<AnswerReason>().copied();
    let (head, body) = response.into_parts();
    // Answers of the API are whole in memory: there is nothing to wait for, and nothing that fails.
    let mut body = to_bytes(body).await.unwrap_or_default();
    timeline.reached(Step::Answer);
    let (mut findings, sent) = observer.take();
    findings.steps = timeline.steps();
    let fault = fault.ok().flatten();
    if fault == Some(Fault::WrongKey)
        && let Some(other) = faults::wrong_key(&console, &findings, &body)
    {
        body = other.into();
    }
    console.log.add(RecordedCall {
        number: 0,
        request_id: request
            .extensions()
            .get::<RequestId>()
            .map(|id| id.0.clone())
            .unwrap_or_default(),
        request: RecordedRequest {
            body: sent.unwrap_or_else(|| Body::whole(Vec::new())),
            ..asked
        },
        answer: RecordedAnswer {
            status: head.status().as_u16(),
            headers: headers(head.headers()),
            body: Body::capped(&body),
            reason: reason.map(|AnswerReason(reason, _)| reason),
            detail: reason.and_then(|AnswerReason(_, detail)| detail),
            fault: fault.as_ref().map(ToString::to_string),
        },
        findings,
        elapsed: started.elapsed(),
    });
    let body = match fault {
        Some(Fault::Cut) => BoxBody::new(faults::Cut::of(&body)),
        _ => BoxBody::new(body),
    };
    Ok(ServiceResponse::new(request, head.set_body(body)))
}

/// The fault that this call is to have; `Err`: its header is none.
fn ordered(console: &Console, request: &ServiceRequest) -> Result<Option<Fault>, ()> {
    if let Some(header) = request.headers().get(HEADER) {
        let fault = header.to_str().ok().and_then(Fault::parse);
        return fault.map(Some).ok_or(());
    }
    let authorization = request.headers().get("authorization");
    let authorization = authorization.and_then(|value| value.to_str().ok());
    let client_id = authorization.and_then(claimed_client_id);
    Ok(console.faults.take(client_id.as_deref()))
}

/// Handles the call, or refuses it as the fault says.
async fn handled(
    fault: Option<&Fault>,
    (observer, timeline): (&Observer, &Timeline),
    mut request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    if let Some(instead) = fault.and_then(|fault| faults::instead(fault, request.request())) {
        if let Ok(body) = request.extract::<Bytes>().await {
            observer.received(&body);
            timeline.reached(Step::Body);
        }
        return Ok(request.into_response(instead));
    }
    if let Some(Fault::Delay(delay)) = fault {
        tokio::time::sleep(*delay).await;
    }
    Ok(next.call(request).await?.map_into_boxed_body())
}

fn unreadable_fault() -> HttpResponse {
    let error = serde_json::json!({"Source": "sandbox", "ReasonCode": "INVALID_FAULT",
        "Description": "X-Sandbox-Fault is not a fault.", "Recoverable": false, "Details": FORMS});
    HttpResponse::BadRequest()
        .insert_header((CONTENT_TYPE, "application/json"))
        .body(serde_json::json!({"Errors": {"Error": [error]}}).to_string())
}

/// The request without its body.
fn as_asked(request: &ServiceRequest) -> RecordedRequest {
    let gateway = request.app_data::<Data<Gateway>>();
    let tls = gateway.is_some_and(|gateway| gateway.reloadable().tls.is_some());
    let received: DateTime<Utc> = gateway.map_or_else(Utc::now, |gateway| gateway.clock.now());
    let host = request.headers().get(HOST);
    let host = host.map_or(String::new(), |host| {
        String::from_utf8_lossy(host.as_bytes()).into_owned()
    });
    let target = request.uri();
    let url = match target.scheme() {
        Some(_) => target.to_string(),
        None => format!("{}://{host}{target}", if tls { "https" } else { "http" }),
    };
    RecordedRequest {
        received,
        method: request.method().to_string(),
        url,
        version: format!("{:?}", request.version()),
        headers: headers(request.headers()),
        body: Body::whole(Vec::new()),
    }
}

/// The order in which they came is not known: the usual ones first, the others by name.
fn headers(map: &HeaderMap) -> Headers {
    const FIRST: [&str; 4] = ["host", "authorization", "content-type", "content-length"];
    let place = |name: &str| FIRST.iter().position(|first| *first == name);
    let mut headers: Headers = map
        .iter()
        .map(|(name, value)| {
            let value = String::from_utf8_lossy(value.as_bytes()).into_owned();
            (name.as_str().to_owned(), value)
        })
        .collect();
    headers.sort_by_key(|(name, _)| (place(name).unwrap_or(FIRST.len()), name.clone()));
    headers
}
