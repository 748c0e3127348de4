//! `GET /openapi.json`: everything that the public listener answers, as OpenAPI 3.1.
//!
//! - `operation`: the document of one endpoint
//! - `refusals`: the refusals that each layer adds, taken from the answers that the code gives
//! - `schemas`: the bodies
//! - `limits`: lengths and patterns of texts, taken from the parsers
//! - `documents`: the operations, a file for each group of handlers
//!
//! The document is put together from the tables in `http::routes`.

pub mod documents;
mod limits;
pub(super) mod operation;
mod refusals;
pub mod schemas;
mod tag;

pub use operation::{BEARER, OAUTH, Operation};
pub use tag::Tag;

use super::endpoint::{Dialect, Group};
use super::error::{Answer, HttpError};
use crate::gateway::Gateway;
use crate::oauth1::PublicOrigin;
use crate::refusal::Refusal;
use actix_web::http::{Method, StatusCode};
use actix_web::web::{Bytes, Data};
use arc_swap::ArcSwapOption;
use std::collections::BTreeSet;
use std::sync::Arc;
use utoipa::openapi::header::HeaderBuilder;
use utoipa::openapi::path::{HttpMethod, PathItem};
use utoipa::openapi::schema::{ComponentsBuilder, ObjectBuilder, Type};
use utoipa::openapi::security::{ApiKey, ApiKeyValue, HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::openapi::server::ServerBuilder;
use utoipa::openapi::tag::TagBuilder;
use utoipa::openapi::{InfoBuilder, OpenApi, OpenApiBuilder, Paths, Server};

/// What the document says first.
const INTRODUCTION: &str = include_str!("introduction.md");
/// What it says where the users API is served.
const USERS: &str = include_str!("users.md");
/// How to sign: in the introduction, because few tools show what a security scheme says, and there.
const SIGNING: &str = include_str!("signing.md");

/// The document, put together when it is first asked for and again when a reload changed the
/// origins.
pub struct Document {
    groups: Vec<Group>,
    last: ArcSwapOption<(Vec<PublicOrigin>, Bytes)>,
}

impl Document {
    /// The document of what `groups` serve.
    pub fn new(groups: impl Into<Vec<Group>>) -> Self {
        Self {
            groups: groups.into(),
            last: ArcSwapOption::empty(),
        }
    }

    /// The JSON, for a gateway that clients reach at `origins`.
    pub fn json(&self, origins: &[PublicOrigin]) -> serde_json::Result<Bytes> {
        let last = self.last.load();
        if let Some((of_origins, json)) = last.as_deref()
            && of_origins == origins
        {
            return Ok(json.clone());
        }
        let json = Bytes::from(serde_json::to_vec_pretty(&describe(&self.groups, origins))?);
        self.last
            .store(Some(Arc::new((origins.to_vec(), json.clone()))));
        Ok(json)
    }
}

/// Answers the document.
pub async fn page(gateway: Data<Gateway>, document: Data<Document>) -> Answer {
    let json = document
        .json(&gateway.reloadable().origins)
        .map_err(|_| HttpError::from(Refusal::Internal("writing the OpenAPI document")))?;
    Ok(super::json(StatusCode::OK, json.to_vec()))
}

/// Puts the document together.
fn describe(groups: &[Group], origins: &[PublicOrigin]) -> OpenApi {
    let mut paths = Paths::new();
    let mut components = ComponentsBuilder::new()
        .security_scheme(OAUTH, signature_scheme())
        .header(operation::REQUEST_ID, request_id());
    let mut introduction = INTRODUCTION.to_owned();
    if groups.iter().any(|group| group.dialect == Dialect::Message) {
        components = components.security_scheme(BEARER, bearer_scheme());
        introduction.push_str(USERS);
    }
    let mut used = BTreeSet::new();
    for group in groups {
        for endpoint in (group.endpoints)() {
            let (described, schemas) = (endpoint.document)().build();
            used.extend(described.tags.iter().flatten().cloned());
            paths.add_path_operation(endpoint.path, vec![method(&endpoint.method)], described);
            components = components.schemas_from_iter(schemas);
            if let Some(item) = paths.paths.get_mut(endpoint.path) {
                mount(item, origins, group.mounts);
            }
        }
    }
    let mut components = components.build();
    limits::apply(&mut components);
    let info = InfoBuilder::new()
        .title("issuer-gateway")
        .version(env!("CARGO_PKG_VERSION"))
        .description(Some(format!("{introduction}\n**Signatures.** {SIGNING}")));
    let tags = Tag::ALL.into_iter().filter(|tag| used.contains(tag.name()));
    let tags = tags.map(|tag| {
        TagBuilder::new()
            .name(tag.name())
            .description(Some(tag.description()))
            .build()
    });
    OpenApiBuilder::new()
        .info(info)
        .servers(Some(servers(origins, &[""])))
        .paths(paths)
        .components(Some(components))
        .tags(Some(tags))
        .build()
}

/// A path that has other mounts than the root says so itself.
fn mount(item: &mut PathItem, origins: &[PublicOrigin], mounts: &[&str]) {
    if mounts != [""] {
        item.servers = Some(servers(origins, mounts));
    }
}

fn servers(origins: &[PublicOrigin], mounts: &[&str]) -> Vec<Server> {
    let server = |url: String| ServerBuilder::new().url(url).build();
    let of_origin = |origin: &PublicOrigin| {
        let urls = mounts
            .iter()
            .map(|mount| server(format!("{}{mount}", origin.as_str())));
        urls.collect::<Vec<_>>()
    };
    origins.iter().flat_map(of_origin).collect()
}

fn method(method: &Method) -> HttpMethod {
    match method.as_str() {
        "POST" => HttpMethod::Post,
        "PUT" => HttpMethod::Put,
        "DELETE" => HttpMethod::Delete,
        "PATCH" => HttpMethod::Patch,
        _ => HttpMethod::Get,
    }
}

/// The header alone: openapi-generator knows no `http` scheme `oauth`, and its Java clients then
/// fail at every signed operation.
fn signature_scheme() -> SecurityScheme {
    SecurityScheme::ApiKey(ApiKey::Header(ApiKeyValue::with_description(
        "Authorization",
        SIGNING,
    )))
}

fn bearer_scheme() -> SecurityScheme {
    let scheme = HttpBuilder::new()
        .scheme(HttpAuthScheme::Bearer)
        .description(Some(
            "An app key, which reaches every user of its app, or a user token, which reaches its own user.",
        ));
    SecurityScheme::Http(scheme.build())
}

fn request_id() -> utoipa::openapi::Header {
    let id = ObjectBuilder::new()
        .schema_type(Type::String)
        .pattern(Some("^[0-9a-f]{32}$"));
    HeaderBuilder::new()
        .schema(Some(id))
        .description(Some("The gateway's id of this request."))
        .build()
}
