//! `GET /health/live` and `GET /health/ready`, for load balancers and orchestrators.

use crate::readiness::{Readiness, Verdict};
use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::web::Data;

/// The process runs and its event loop turns.
pub async fn live() -> HttpResponse {
    super::json(StatusCode::OK, br#"{"status":"live"}"#.to_vec())
}

/// The gateway can do its work. Answered from memory: it asks the database nothing.
pub async fn ready(readiness: Data<Readiness>) -> HttpResponse {
    let Verdict { ready, body } = readiness.judge().verdict();
    let status = if ready {
        StatusCode::OK
    } else {
        StatusCode::SERVICE_UNAVAILABLE
    };
    super::json(status, body.to_string().into_bytes())
}
