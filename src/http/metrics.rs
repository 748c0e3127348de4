//! `GET /metrics` in Prometheus text format, on a loopback listener of its own.

use super::error;
use crate::gateway::Gateway;
use actix_web::HttpResponse;
use actix_web::http::header;
use actix_web::web::{self, Data, ServiceConfig, route};

/// The routes of the metrics listener.
pub fn routes(app: &mut ServiceConfig) {
    app.route("/metrics", web::get().to(page))
        .default_service(route().to(error::unknown_path));
}

async fn page(gateway: Data<Gateway>) -> HttpResponse {
    HttpResponse::Ok()
        .insert_header((header::CONTENT_TYPE, "text/plain; version=0.0.4"))
        .body(gateway.metrics.render())
}
