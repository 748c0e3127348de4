//! The only code that knows HTTP.
//!
//! - `routes`: every path on one page, each with its document
//! - `endpoint`: one method of one path, and how it is registered
//! - `cardholders`: enrol and update
//! - `cardholder_deletions`: the list of users to delete
//! - `issuers`: an issuer's own profile
//! - `supported`: the lists of what can be scored
//! - `dashboard`: the cardholders' web view
//! - `console`: the sandbox's console, in `sandbox` alone
//! - `directory`: the users API; `directory_error`: the answer to each of its refusals
//! - `health`: liveness and readiness
//! - `openapi`: the document of all this; `docs`: the same as a page for people
//! - `request`: the raw call out of an actix request, within the limits
//! - `error`: the answer to each refusal
//! - `around`: middleware for request id, log line, metrics and panic guard; `flood`: bounds on the
//!   cost of refusals for overload
//! - `well_known`: the public gateway keys
//! - `server`: the public listener; `write_deadline`: the time a client has to read
//! - `metrics`: the Prometheus page on its own listener

pub mod around;
pub mod cardholder_deletions;
pub mod cardholders;
pub mod console;
pub mod dashboard;
pub mod directory;
pub mod directory_error;
pub mod docs;
pub mod endpoint;
pub mod error;
mod flood;
pub mod health;
pub mod issuers;
pub mod metrics;
pub mod openapi;
pub mod request;
pub mod routes;
pub mod server;
pub mod supported;
pub mod transactions;
pub mod well_known;
mod write_deadline;

use crate::answer::Reply;
use actix_web::HttpResponse;
use actix_web::http::header::{HeaderName, HeaderValue};
use actix_web::http::{StatusCode, header};

/// A JSON answer with `Content-Length` (actix writes it for sized bodies).
pub(crate) fn json(status: StatusCode, body: Vec<u8>) -> HttpResponse {
    HttpResponse::build(status)
        .insert_header((header::CONTENT_TYPE, "application/json"))
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .body(body)
}

/// [`json`] with the headers that belong to the body.
pub(crate) fn reply(status: StatusCode, reply: Reply) -> HttpResponse {
    let mut response = json(status, reply.body);
    for (name, value) in reply.headers {
        if let Ok(value) = HeaderValue::from_str(&value) {
            let name = HeaderName::from_static(name);
            response.headers_mut().insert(name, value);
        }
    }
    response
}
