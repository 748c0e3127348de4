//! The users API: `/users`, `/users?id=` and `/users/{user_id}` (spec decision 6).

use super::directory_error::DirectoryError;
use super::error::HttpError;
use super::request::{Limits, RawCall};
use crate::directory::{read, write};
use crate::gateway::Gateway;
use actix_web::http::StatusCode;
use actix_web::web::{Data, Payload, Query};
use actix_web::{HttpRequest, HttpResponse};
use percent_encoding::percent_decode_str;
use std::borrow::Cow;

/// What a handler of the users API returns.
pub type Answer = Result<HttpResponse, DirectoryError>;

/// `POST /users`
pub async fn create(
    gateway: Data<Gateway>,
    limits: Data<Limits>,
    request: HttpRequest,
    payload: Payload,
) -> Answer {
    let raw = RawCall::read(&request, payload, &limits).await?;
    let body = write::create(&gateway, &raw.call()).await?;
    Ok(super::json(StatusCode::CREATED, body))
}

/// `PUT /users/{user_id}`
pub async fn update(
    gateway: Data<Gateway>,
    limits: Data<Limits>,
    request: HttpRequest,
    payload: Payload,
) -> Answer {
    let raw = RawCall::read(&request, payload, &limits).await?;
    let body = write::update(&gateway, &raw.call(), &user_id(&request)).await?;
    Ok(super::json(StatusCode::OK, body))
}

/// `GET /users/{user_id}`
pub async fn show(
    gateway: Data<Gateway>,
    limits: Data<Limits>,
    request: HttpRequest,
    payload: Payload,
) -> Answer {
    let raw = RawCall::read(&request, payload, &limits).await?;
    let body = read::by_user_id(&gateway, &raw.call(), &user_id(&request)).await?;
    Ok(super::json(StatusCode::OK, body))
}

/// `DELETE /users/{user_id}`
pub async fn delete(
    gateway: Data<Gateway>,
    limits: Data<Limits>,
    request: HttpRequest,
    payload: Payload,
) -> Answer {
    let raw = RawCall::read(&request, payload, &limits).await?;
    write::delete(&gateway, &raw.call(), &user_id(&request)).await?;
    let body = br#"{"message":"delete resource successfully"}"#;
    Ok(super::json(StatusCode::OK, body.to_vec()))
}

/// `PUT /users?id=`
pub async fn replace(
    gateway: Data<Gateway>,
    limits: Data<Limits>,
    request: HttpRequest,
    payload: Payload,
) -> Answer {
    let raw = RawCall::read(&request, payload, &limits).await?;
    let replaced = write::replace(&gateway, &raw.call(), query_id(&request).as_deref()).await?;
    let status = if replaced.created {
        StatusCode::CREATED
    } else {
        StatusCode::OK
    };
    Ok(super::json(status, replaced.body))
}

/// `GET /users?id=`
pub async fn show_number(
    gateway: Data<Gateway>,
    limits: Data<Limits>,
    request: HttpRequest,
    payload: Payload,
) -> Answer {
    let raw = RawCall::read(&request, payload, &limits).await?;
    let id = query_id(&request);
    let body = read::by_number(&gateway, &raw.call(), id.as_deref()).await?;
    Ok(super::json(StatusCode::OK, body))
}

/// 404 for a path below a user.
pub async fn unknown_path() -> Answer {
    Err(DirectoryError::Transport(HttpError::UnknownPath))
}

/// The last segment of the path as it came, decoded once. actix would decode in two steps, and
/// answer bytes that are no UTF-8 by itself; no user id has those.
fn user_id(request: &HttpRequest) -> Cow<'_, str> {
    let path = request.uri().path();
    let segment = path.rsplit_once('/').map_or(path, |(_, segment)| segment);
    percent_decode_str(segment)
        .decode_utf8()
        .unwrap_or_default()
}

/// The query's `id`, if it is there exactly once.
fn query_id(request: &HttpRequest) -> Option<String> {
    let pairs = Query::<Vec<(String, String)>>::from_query(request.query_string()).ok()?;
    let mut ids = pairs
        .into_inner()
        .into_iter()
        .filter(|(name, _)| name == "id");
    let (_, id) = ids.next()?;
    ids.next().is_none().then_some(id)
}
