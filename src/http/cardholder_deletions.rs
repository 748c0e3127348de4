//! `POST /issuers/user-deletions`.

use super::error::Answer;
use super::request::{Limits, RawCall};
use crate::enrolment::terminate;
use crate::gateway::Gateway;
use actix_web::HttpRequest;
use actix_web::http::StatusCode;
use actix_web::web::{Data, Payload};

/// Accepts users for deletion. The answer is a JSON array, as the public API has it; every other
/// body is an object.
pub async fn delete(
    gateway: Data<Gateway>,
    limits: Data<Limits>,
    request: HttpRequest,
    payload: Payload,
) -> Answer {
    let raw = RawCall::read(&request, payload, &limits).await?;
    let body = terminate::terminate(&gateway, &raw.call()).await?;
    Ok(super::json(StatusCode::ACCEPTED, body))
}
