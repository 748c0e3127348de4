//! `POST /issuers/users` and `PUT /issuers/users/{userid}`.

use super::error::Answer;
use super::request::{Limits, RawCall};
use crate::enrolment::{enrol, update};
use crate::gateway::Gateway;
use actix_web::HttpRequest;
use actix_web::http::StatusCode;
use actix_web::web::{Data, Path, Payload};

/// Enrols a cardholder.
pub async fn enrol(
    gateway: Data<Gateway>,
    limits: Data<Limits>,
    request: HttpRequest,
    payload: Payload,
) -> Answer {
    let raw = RawCall::read(&request, payload, &limits).await?;
    let reply = enrol::enrol(&gateway, &raw.call()).await?;
    Ok(super::reply(StatusCode::OK, reply))
}

/// Updates a cardholder.
pub async fn update(
    gateway: Data<Gateway>,
    limits: Data<Limits>,
    user_id: Path<String>,
    request: HttpRequest,
    payload: Payload,
) -> Answer {
    let raw = RawCall::read(&request, payload, &limits).await?;
    let reply = update::update(&gateway, &raw.call(), &user_id).await?;
    Ok(super::reply(StatusCode::OK, reply))
}
