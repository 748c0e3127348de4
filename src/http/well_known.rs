//! `GET /.well-known/jwks.json`: the public gateway keys.

use super::error::{Answer, HttpError};
use crate::gateway::Gateway;
use crate::keys::jwks;
use crate::refusal::Refusal;
use actix_web::HttpResponse;
use actix_web::http::header;
use actix_web::web::Data;

/// How long clients may keep the set, in seconds: an active key is published long before it is
/// needed.
const MAX_AGE: &str = "public, max-age=300";

/// The keys that a request may be encrypted to, the primary one first.
pub async fn jwks(gateway: Data<Gateway>) -> Answer {
    let keys = &gateway.reloadable().keys;
    let document = jwks::document(keys)
        .map_err(|_| HttpError::from(Refusal::Internal("writing the key set")))?;
    Ok(HttpResponse::Ok()
        .insert_header((header::CONTENT_TYPE, "application/json"))
        .insert_header((header::CACHE_CONTROL, MAX_AGE))
        .body(document.to_string()))
}
