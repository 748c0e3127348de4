//! `GET /issuers` and `PUT /issuers`: plain JSON both ways.

use super::error::Answer;
use super::request::{Limits, RawCall};
use crate::gateway::Gateway;
use crate::programme::{change, show};
use actix_web::HttpRequest;
use actix_web::http::StatusCode;
use actix_web::web::{Data, Payload};

/// Shows the caller its own profile.
pub async fn show(
    gateway: Data<Gateway>,
    limits: Data<Limits>,
    request: HttpRequest,
    payload: Payload,
) -> Answer {
    let raw = RawCall::read(&request, payload, &limits).await?;
    let body = show::show(&gateway, &raw.call()).await?;
    Ok(super::json(StatusCode::OK, body))
}

/// Changes the caller's own profile.
pub async fn change(
    gateway: Data<Gateway>,
    limits: Data<Limits>,
    request: HttpRequest,
    payload: Payload,
) -> Answer {
    let raw = RawCall::read(&request, payload, &limits).await?;
    let body = change::change(&gateway, &raw.call()).await?;
    Ok(super::json(StatusCode::OK, body))
}
