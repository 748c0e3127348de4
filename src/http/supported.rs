//! `GET /supported-merchant-categories` and `GET /supported-currencies`: plain JSON.

use super::error::Answer;
use super::request::{Limits, RawCall};
use crate::gateway::Gateway;
use crate::programme::supported;
use actix_web::HttpRequest;
use actix_web::http::StatusCode;
use actix_web::web::{Data, Payload};

/// Lists the merchant categories that can be scored.
pub async fn merchant_categories(
    gateway: Data<Gateway>,
    limits: Data<Limits>,
    request: HttpRequest,
    payload: Payload,
) -> Answer {
    let raw = RawCall::read(&request, payload, &limits).await?;
    let body = supported::merchant_categories(&gateway, &raw.call()).await?;
    Ok(super::json(StatusCode::OK, body))
}

/// Lists the currencies that can be scored.
pub async fn currencies(
    gateway: Data<Gateway>,
    limits: Data<Limits>,
    request: HttpRequest,
    payload: Payload,
) -> Answer {
    let raw = RawCall::read(&request, payload, &limits).await?;
    let body = supported::currencies(&gateway, &raw.call()).await?;
    Ok(super::json(StatusCode::OK, body))
}
