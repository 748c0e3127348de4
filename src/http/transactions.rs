//! `POST /issuers/transactions` and `GET /issuers/users/{userid}/aggregate-carbon-scores`.

use super::error::{Answer, HttpError};
use super::request::{Limits, RawCall};
use crate::gateway::Gateway;
use crate::refusal::Refusal;
use crate::transactions::{aggregate, take};
use actix_web::HttpRequest;
use actix_web::http::StatusCode;
use actix_web::web::{Data, Path, Payload};

/// Takes transactions. Their bodies may be large, so only a few are read at once.
pub async fn take(
    gateway: Data<Gateway>,
    limits: Data<Limits>,
    request: HttpRequest,
    payload: Payload,
) -> Answer {
    let turn = limits.feeds.try_acquire();
    let _turn = turn.map_err(|_| HttpError::from(Refusal::Overloaded))?;
    let raw = RawCall::read_up_to(limits.feed_body_bytes, &request, payload, &limits).await?;
    let reply = take::take(&gateway, &raw.call()).await?;
    Ok(super::reply(StatusCode::OK, reply))
}

/// The score of a cardholder's current month.
pub async fn aggregate(
    gateway: Data<Gateway>,
    limits: Data<Limits>,
    user_id: Path<String>,
    request: HttpRequest,
    payload: Payload,
) -> Answer {
    let raw = RawCall::read(&request, payload, &limits).await?;
    let reply = aggregate::aggregate(&gateway, &raw.call(), &user_id).await?;
    Ok(super::reply(StatusCode::OK, reply))
}
