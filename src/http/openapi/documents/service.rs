//! Documents of the endpoints in `http::health`, `http::well_known`, `http::openapi` and
//! `http::docs`.

use crate::http::docs::FILES;
use crate::http::error::HttpError;
use crate::http::openapi::schemas::{Health, JwkSet, Readiness};
use crate::http::openapi::{Operation, Tag};
use actix_web::http::StatusCode;
use serde_json::json;
use utoipa::openapi::Content;
use utoipa::openapi::content::ContentBuilder;
use utoipa::openapi::path::{ParameterBuilder, ParameterIn};
use utoipa::openapi::schema::{Object, ObjectBuilder, Type};

/// `GET /health/live`
pub fn live() -> Operation {
    Operation::new("live", Tag::Service, "Is the process alive").answers_json::<Health>(
        StatusCode::OK,
        "Alive.",
        json!({"status": "live"}),
    )
}

/// `GET /health/ready`
pub fn ready() -> Operation {
    let state = |status: &str, writes: &str| json!({"status": status, "writes": writes, "reads": "ok", "clock": "ok", "jobs": "ok"});
    Operation::new("ready", Tag::Service, "Can the gateway do its work")
        .description("Whether commits become durable. Answered from memory, without asking the database.")
        .answers_json::<Readiness>(StatusCode::OK, "Ready.", state("ready", "ok"))
        .answers_json::<Readiness>(
            StatusCode::SERVICE_UNAVAILABLE,
            "Commits fail or hang, the clock is off, a background job fails, or a shutdown has begun.",
            state("not ready", "hanging"),
        )
}

/// `GET /.well-known/jwks.json`
pub fn jwks() -> Operation {
    let example = json!({"keys": [{
        "kty": "RSA", "use": "enc", "alg": "RSA-OAEP-256", "e": "AQAB", "n": "sXchDaQ…",
        "kid": "80810fc13a8319fcf0e2ec322c82a4c304b782cc3ce671176343cfe8160c2279"
    }]});
    Operation::new("jwks", Tag::Service, "The keys to encrypt to")
        .description("The current key first, then those that requests may still be encrypted to.")
        .answers_json::<JwkSet>(StatusCode::OK, "A JWK set (RFC 7517).", example)
}

/// `GET /openapi.json`
pub fn openapi() -> Operation {
    let document = ContentBuilder::new().schema(Some(Object::with_type(Type::Object)));
    Operation::new("openapi", Tag::Service, "This document").answers(
        StatusCode::OK,
        "OpenAPI 3.1.",
        "application/json",
        document.build(),
    )
}

/// `GET /docs`
pub fn docs() -> Operation {
    Operation::new("docs", Tag::Service, "This document as a page")
        .description("For people. It loads nothing from elsewhere.")
        .answers(StatusCode::OK, "The page.", "text/html", text())
}

/// `GET /docs/{file}`
pub fn docs_file() -> Operation {
    let names = ObjectBuilder::new()
        .schema_type(Type::String)
        .enum_values(Some(FILES.map(|file| file.name)));
    let file = ParameterBuilder::new()
        .name("file")
        .parameter_in(ParameterIn::Path)
        .schema(Some(names));
    let operation = Operation::new("docsFile", Tag::Service, "The page's scripts and styles")
        .parameter(file)
        .refuses([HttpError::UnknownPath]);
    ["text/css", "text/javascript"]
        .into_iter()
        .fold(operation, |operation, media_type| {
            operation.answers(StatusCode::OK, "The file.", media_type, text())
        })
}

fn text() -> Content {
    ContentBuilder::new()
        .schema(Some(Object::with_type(Type::String)))
        .build()
}
