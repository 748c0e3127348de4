//! Middleware around every request: a request id, a guard against panics, one log line, the
//! metrics.
//!
//! The log line names method, route pattern, status, reason and time. It never holds a path (paths
//! contain user ids), a query, a header or a body. Refusals for overload are answered in turn, and
//! only a bounded number a second gets a log line ([`flood`](super::flood)).

use super::directory_error::DirectoryError;
use super::error::{AnswerReason, HttpError};
use super::flood::{self, RefusalPacing};
use crate::gateway::Gateway;
use crate::ids::ClientId;
use crate::readiness::Draining;
use crate::refusal::is_for_lack_of_room;
use crate::throttle::Lines;
use crate::timeline::Timeline;
use crate::traces::{Answered, Parent, Trace};
use actix_web::body::MessageBody;
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::ConnectionType;
use actix_web::http::header::{HeaderName, HeaderValue};
use actix_web::middleware::Next;
use actix_web::web::Data;
use actix_web::{Error, HttpMessage, HttpRequest, ResponseError};
use futures_util::FutureExt;
use std::panic::AssertUnwindSafe;
use std::sync::{Arc, OnceLock};
use std::time::Instant;
use uuid::Uuid;

/// Shared by all workers, because they share the process's log.
static OVERLOADED: Lines = flood::listed();

thread_local! {
    static PACING: RefusalPacing = const { RefusalPacing::new() };
}

/// Our id of a request: in the log, in the audit trail, and in the answer's `X-Request-Id`.
#[derive(Debug, Clone)]
pub struct RequestId(pub String);

/// Whose call a request is, once its signature has verified. The use case fills it in.
#[derive(Debug, Clone, Default)]
pub struct Proven(pub Arc<OnceLock<ClientId>>);

/// Goes round everything, unknown paths included.
pub async fn around(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<impl MessageBody>, Error> {
    let started = Instant::now();
    let uuid = Uuid::new_v4();
    let id = uuid.simple().to_string();
    request.extensions_mut().insert(RequestId(id.clone()));
    let proven = Proven::default();
    request.extensions_mut().insert(proven.clone());
    let trace = begin_trace(&request, uuid);
    let mut response = next.call(request).await?;
    if let Ok(value) = HeaderValue::from_str(&id) {
        response
            .headers_mut()
            .insert(HeaderName::from_static("x-request-id"), value);
    }
    // Java's HttpClient asks for HTTP/2 by `Connection: Upgrade` where there is no TLS, and actix
    // closes the connection after such a request.
    let asks_for_more = response.request().head().upgrade();
    if asks_for_more || is_draining(response.request()) {
        // `Connection: close` makes the client open another connection for its next request.
        // This one is about to be closed.
        let head = response.response_mut().head_mut();
        head.set_connection_type(ConnectionType::Close);
    }
    let reason = response
        .response()
        .extensions()
        .get::<AnswerReason>()
        .copied();
    let overloaded = reason.is_some_and(|AnswerReason(reason, _)| is_for_lack_of_room(reason));
    // The wait is a part of what the caller sees.
    if overloaded {
        wait_for_its_turn().await;
    }
    record(&response, &id, started, reason, &proven);
    if let Some(trace) = trace {
        end_trace(trace, &response, uuid, reason, &proven);
    }
    Ok(response)
}

/// Lets the call's times be noted, if it may be traced.
fn begin_trace(request: &ServiceRequest, id: Uuid) -> Option<Trace> {
    let gateway = request.app_data::<Data<Gateway>>()?;
    let traces = gateway.traces.as_ref()?;
    let headers = request.headers();
    let values = |name| headers.get_all(name).map(HeaderValue::as_bytes);
    let parent = Parent::read(values("traceparent"));
    traces.begin(parent, id, || {
        let mut shared = request.extensions_mut();
        if let Some(timeline) = shared.get::<Arc<Timeline>>() {
            return Arc::clone(timeline);
        }
        let timeline = Arc::new(Timeline::begin());
        shared.insert(Arc::clone(&timeline));
        timeline
    })
}

fn end_trace<B>(
    trace: Trace,
    response: &ServiceResponse<B>,
    request_id: Uuid,
    reason: Option<AnswerReason>,
    proven: &Proven,
) {
    let request = response.request();
    let route = request.match_pattern();
    // Probes come every few seconds, and say nothing that the metrics do not.
    if route
        .as_deref()
        .is_some_and(|route| route.starts_with("/health/"))
    {
        return;
    }
    let Some(traces) = request
        .app_data::<Data<Gateway>>()
        .and_then(|gateway| gateway.traces.as_ref())
    else {
        return;
    };
    traces.end(
        trace,
        Answered {
            request_id,
            method: known_method(request.method().as_str()),
            route,
            status: response.status().as_u16(),
            reason: reason.map(|AnswerReason(reason, _)| reason),
            issuer: proven.0.get().map(ClientId::as_str),
        },
    );
}

fn is_draining(request: &HttpRequest) -> bool {
    request
        .app_data::<Data<Draining>>()
        .is_some_and(|draining| draining.has_begun())
}

/// Goes round one handler: a panic becomes a 500 like any other fault.
pub async fn guard(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<impl MessageBody>, Error> {
    guarded(request, next, &HttpError::Panicked).await
}

/// [`guard`] with the answer that the users API knows.
pub async fn guard_users(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<impl MessageBody>, Error> {
    guarded(
        request,
        next,
        &DirectoryError::Transport(HttpError::Panicked),
    )
    .await
}

async fn guarded(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
    panicked: &impl ResponseError,
) -> Result<ServiceResponse<impl MessageBody>, Error> {
    // Routing is over here, so a second handle on the request is allowed.
    let handle = request.request().clone();
    match AssertUnwindSafe(next.call(request)).catch_unwind().await {
        Ok(result) => result.map(ServiceResponse::map_into_boxed_body),
        Err(_) => Ok(ServiceResponse::new(handle, panicked.error_response())),
    }
}

async fn wait_for_its_turn() {
    let wait = PACING.with(|turns| turns.wait(Instant::now()));
    if !wait.is_zero() {
        tokio::time::sleep(wait).await;
    }
}

fn record<B>(
    response: &ServiceResponse<B>,
    id: &str,
    started: Instant,
    reason: Option<AnswerReason>,
    proven: &Proven,
) {
    let request = response.request();
    let route = request
        .match_pattern()
        .unwrap_or_else(|| "unknown".to_owned());
    let method = known_method(request.method().as_str());
    let status = response.status().as_u16();
    let elapsed = started.elapsed();
    if let Some(gateway) = request.app_data::<Data<Gateway>>() {
        gateway.metrics.request(method, &route, status, elapsed);
        if let Some(AnswerReason(reason, _)) = reason {
            gateway.metrics.refusal(reason);
        }
        if let Some(client_id) = proven.0.get() {
            let refused = reason.map(|AnswerReason(reason, _)| reason);
            let metrics = &gateway.metrics;
            metrics.issuer_call(client_id.as_str(), refused, elapsed);
        }
    }
    let AnswerReason(reason, detail) = reason.unwrap_or(AnswerReason("done", None));
    let now = started + elapsed;
    if let Some(requests) = OVERLOADED.left_out(now) {
        tracing::warn!(requests, "more requests were refused as overloaded");
    }
    if is_for_lack_of_room(reason) && !OVERLOADED.admits(now) {
        return;
    }
    let detail = detail.unwrap_or("");
    let micros = u64::try_from(elapsed.as_micros()).unwrap_or(u64::MAX);
    if status >= 500 {
        tracing::error!(
            request_id = id,
            method,
            route,
            status,
            reason,
            detail,
            micros,
            "request"
        );
    } else {
        tracing::info!(
            request_id = id,
            method,
            route,
            status,
            reason,
            detail,
            micros,
            "request"
        );
    }
}

/// Methods are free text on the wire; only known ones may become a label or a log field.
fn known_method(method: &str) -> &'static str {
    ["GET", "POST", "PUT", "DELETE", "PATCH", "HEAD", "OPTIONS"]
        .into_iter()
        .find(|known| *known == method)
        .unwrap_or("other")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::flood::LONGEST_REFUSAL_DELAY;
    use crate::refusal::Refusal;
    use actix_web::middleware::from_fn;
    use actix_web::test::{TestRequest, call_service, init_service, read_body};
    use actix_web::{App, HttpResponse, web};

    async fn panics() -> HttpResponse {
        panic!("a message that quotes 5344035171224363");
    }

    async fn refuses() -> Result<HttpResponse, HttpError> {
        Err(Refusal::Overloaded.into())
    }

    #[tokio::test]
    async fn refusals_without_end_wait_for_their_turn() {
        let app = App::new()
            .wrap(from_fn(around))
            .service(web::resource("/refuses").route(web::get().to(refuses)));
        let app = init_service(app).await;
        let start = Instant::now();
        let calls =
            (0..700).map(|_| call_service(&app, TestRequest::get().uri("/refuses").to_request()));
        let responses = futures_util::future::join_all(calls).await;
        assert!(responses.iter().all(|response| response.status() == 503));
        // The last one had its turn after 600 ms, or had waited the longest: on a slow machine,
        // too.
        assert!(start.elapsed() >= LONGEST_REFUSAL_DELAY);
    }

    #[tokio::test]
    async fn a_panic_is_answered_like_any_other_fault() {
        let app = App::new().wrap(from_fn(around)).service(
            web::resource("/panics")
                .route(web::get().to(panics))
                .wrap(from_fn(guard)),
        );
        let app = init_service(app).await;
        // Twice: the service must have survived the first one.
        for _ in 0..2 {
            let request = TestRequest::get().uri("/panics").to_request();
            let response = call_service(&app, request).await;
            assert_eq!(response.status(), 500);
            let headers = response.headers();
            assert_eq!(headers.get("content-type").unwrap(), "application/json");
            assert_eq!(headers.get("x-request-id").unwrap().len(), 32);
            let reason = response
                .response()
                .extensions()
                .get::<AnswerReason>()
                .copied();
            assert_eq!(reason.unwrap().0, "panic");
            let body = read_body(response).await;
            let object = crate::json::parse_object(&body).unwrap();
            let error = &object.get("Errors").unwrap()["Error"][0];
            assert_eq!(error["ReasonCode"], "INTERNAL_ERROR");
            assert_eq!(error["Recoverable"], true);
            assert!(!String::from_utf8_lossy(&body).contains("5344035171224363"));
        }
    }
}
