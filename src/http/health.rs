//! `GET /health/live` and `GET /health/ready`, for load balancers and orchestrators.

use crate::gateway::Gateway;
use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::web::Data;
use std::sync::atomic::{AtomicBool, Ordering};

/// Set when a shutdown has begun: not ready any more, though still answering.
#[derive(Debug, Default)]
pub struct Draining(AtomicBool);

impl Draining {
    /// From now on `/health/ready` says no.
    pub fn begin(&self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// The process runs and its event loop turns.
pub async fn live() -> HttpResponse {
    super::json(StatusCode::OK, br#"{"status":"live"}"#.to_vec())
}

/// The gateway can do its work: the database answers and no shutdown has begun.
pub async fn ready(gateway: Data<Gateway>, draining: Data<Draining>) -> HttpResponse {
    let draining = draining.0.load(Ordering::Relaxed);
    let (status, body) = if draining {
        (StatusCode::SERVICE_UNAVAILABLE, r#"{"status":"draining"}"#)
    } else if gateway.store.ping().await.is_err() {
        (
            StatusCode::SERVICE_UNAVAILABLE,
            r#"{"status":"database unavailable"}"#,
        )
    } else {
        (StatusCode::OK, r#"{"status":"ready"}"#)
    };
    super::json(status, body.as_bytes().to_vec())
}
