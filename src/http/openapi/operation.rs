//! The document of one endpoint: words, bodies, and every way in which it can refuse.

use super::refusals::{self, Refused};
use super::schemas::{
    Errors, FieldLevelAnswer, FieldLevelHeadersAnswer, JweAnswer, Message, encrypted_batch,
    encrypted_request,
};
use super::tag::Tag;
use crate::http::directory_error::DirectoryError;
use crate::http::error::HttpError;
use actix_web::ResponseError;
use actix_web::http::StatusCode;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use utoipa::ToSchema;
use utoipa::openapi::content::ContentBuilder;
use utoipa::openapi::example::{Example, ExampleBuilder};
use utoipa::openapi::extensions::ExtensionsBuilder;
use utoipa::openapi::header::HeaderBuilder;
use utoipa::openapi::path::{self, OperationBuilder, Parameter, ParameterIn};
use utoipa::openapi::request_body::{RequestBody, RequestBodyBuilder};
use utoipa::openapi::response::{ResponseBuilder, ResponsesBuilder};
use utoipa::openapi::schema::{AnyOfBuilder, ObjectBuilder, Ref, Schema, Type};
use utoipa::openapi::security::SecurityRequirement;
use utoipa::openapi::{Content, RefOr, Required};

/// The security scheme of signed calls.
pub const OAUTH: &str = "OAuth1";
/// The security scheme of the users API.
pub const BEARER: &str = "Bearer";
/// The header component that every answer has.
pub(super) const REQUEST_ID: &str = "X-Request-Id";
const JSON: &str = "application/json";
/// The schema of what is inside an encrypted body.
const CLEAR_SCHEMA: &str = "x-encrypted-schema";

type NamedSchema = (String, RefOr<Schema>);

/// An endpoint's document, built step by step.
pub struct Operation {
    id: &'static str,
    tag: Tag,
    summary: &'static str,
    description: String,
    /// The security schemes, one of which is needed.
    security: Vec<&'static str>,
    anonymous: bool,
    /// What refusals look like.
    refused: Ref,
    parameters: Vec<Parameter>,
    body: Option<RequestBody>,
    answers: BTreeMap<StatusCode, ResponseBuilder>,
    refusals: Vec<Refused>,
    schemas: Vec<NamedSchema>,
}

impl Operation {
    /// An operation that takes nothing and can only fail as every one can.
    pub fn new(id: &'static str, tag: Tag, summary: &'static str) -> Self {
        Self {
            id,
            tag,
            summary,
            description: String::new(),
            security: Vec::new(),
            anonymous: false,
            refused: reference::<Errors>(),
            parameters: Vec::new(),
            body: None,
            answers: BTreeMap::new(),
            refusals: Vec::new(),
            schemas: Vec::new(),
        }
        .with_schema::<Errors>()
        .refuses(refusals::every())
    }

    /// An operation of the users API: by a bearer key, refused with `{"message": …}`.
    pub fn of_directory(id: &'static str, summary: &'static str) -> Self {
        let blank = Self {
            refusals: Vec::new(),
            schemas: Vec::new(),
            refused: reference::<Message>(),
            ..Self::new(id, Tag::Directory, summary)
        };
        let transport = refusals::every()
            .into_iter()
            .chain(refusals::reading())
            .map(DirectoryError::Transport);
        Self {
            security: vec![BEARER],
            ..blank
        }
        .with_schema::<Message>()
        .refuses(transport)
        .refuses(refusals::users_api())
    }

    /// A page of the web view: refused with pages, but for methods that it does not have.
    pub fn of_page(id: &'static str, summary: &'static str) -> Self {
        Self {
            refusals: Vec::new(),
            ..Self::new(id, Tag::Dashboard, summary)
        }
        .refuses([HttpError::WrongMethod])
    }

    /// Also served without any credentials, where the operator has set it so.
    pub fn or_anonymous(mut self) -> Self {
        self.anonymous = true;
        self
    }

    /// What it does, in Markdown.
    pub fn description(mut self, text: &str) -> Self {
        text.clone_into(&mut self.description);
        self
    }

    /// A parameter in path, query or header.
    pub fn parameter(mut self, parameter: impl Into<Parameter>) -> Self {
        let mut parameter = parameter.into();
        // OpenAPI 3.1, 4.8.12.2.
        if parameter.parameter_in == ParameterIn::Path {
            parameter.required = Required::True;
        }
        self.parameters.push(parameter);
        self
    }

    /// Signed by an issuer that must be active: adds what reading, authenticating and settling
    /// refuse.
    pub fn signed(mut self) -> Self {
        self.security.push(OAUTH);
        self.refuses(refusals::reading())
            .refuses(refusals::authentication())
            .refuses(refusals::storage())
    }

    /// Takes a JSON body in clear, refused as the catalogue does.
    pub fn takes_json<T: ToSchema>(self, example: Value) -> Self {
        self.takes::<T>(example).refuses(refusals::json_body())
    }

    /// Takes a JSON body in clear.
    pub fn takes<T: ToSchema>(mut self, example: Value) -> Self {
        let content = ContentBuilder::new()
            .schema(Some(reference::<T>()))
            .example(Some(example))
            .build();
        self.body = Some(body(content).build());
        self.with_schema::<T>()
    }

    /// Takes a `T` in either encrypted envelope.
    pub fn takes_encrypted<T: ToSchema>(self, example: &Value) -> Self {
        self.takes_envelope::<T>(example, encrypted_request())
    }

    /// The same with a `T` that may be large.
    pub fn takes_encrypted_batch<T: ToSchema>(self, example: &Value) -> Self {
        self.takes_envelope::<T>(example, encrypted_batch())
    }

    fn takes_envelope<T: ToSchema>(
        mut self,
        example: &Value,
        (schema, schemas): (Ref, Vec<NamedSchema>),
    ) -> Self {
        let clear = json!({"$ref": format!("#/components/schemas/{}", T::name())});
        let content = ContentBuilder::new()
            .schema(Some(schema))
            .examples_from_iter(envelope_examples())
            .extensions(Some(
                ExtensionsBuilder::new().add(CLEAR_SCHEMA, clear).build(),
            ))
            .build();
        let description = format!(
            "An encrypted `{}`. In clear:\n\n```json\n{example:#}\n```",
            T::name()
        );
        self.body = Some(body(content).description(Some(description)).build());
        self.parameters.extend(super::schemas::envelope_headers());
        self.schemas.extend(schemas);
        self.with_schema::<T>()
            .refuses(refusals::json_body())
            .refuses(refusals::decryption())
    }

    /// Succeeds with a JSON body in clear.
    pub fn answers_json<T: ToSchema>(
        self,
        status: StatusCode,
        description: &str,
        example: Value,
    ) -> Self {
        let content = ContentBuilder::new()
            .schema(Some(reference::<T>()))
            .example(Some(example));
        self.with_schema::<T>()
            .answers(status, description, JSON, content.build())
    }

    /// Succeeds with a `T` in the envelope of the request, or in clear where the issuer is set so.
    pub fn answers_encrypted<T: ToSchema>(
        self,
        status: StatusCode,
        description: &str,
        example: Value,
    ) -> Self {
        let schema = AnyOfBuilder::new()
            .item(reference::<JweAnswer>())
            .item(reference::<FieldLevelAnswer>())
            .item(reference::<FieldLevelHeadersAnswer>())
            .item(reference::<T>());
        let clear = json!({"$ref": format!("#/components/schemas/{}", T::name())});
        let content = ContentBuilder::new()
            .schema(Some(Schema::AnyOf(schema.build())))
            .extensions(Some(
                ExtensionsBuilder::new().add(CLEAR_SCHEMA, clear).build(),
            ))
            .example(Some(example));
        let description = format!(
            "{description} A `{}` in the envelope of the request; in clear for issuers whose answers are not encrypted.",
            T::name()
        );
        self.with_schema::<T>()
            .with_schema::<JweAnswer>()
            .with_schema::<FieldLevelAnswer>()
            .with_schema::<FieldLevelHeadersAnswer>()
            .answers(status, &description, JSON, content.build())
    }

    /// Answers with any content; a second time for the same status adds a media type.
    pub fn answers(
        mut self,
        status: StatusCode,
        description: &str,
        media_type: &str,
        content: Content,
    ) -> Self {
        let response = self.answers.remove(&status).unwrap_or_default();
        let response = response
            .description(description)
            .content(media_type, content);
        self.answers.insert(status, response);
        self
    }

    /// Adds refusals; status, `ReasonCode` and text are taken from the answers that they become.
    pub fn refuses<E: ResponseError>(mut self, errors: impl IntoIterator<Item = E>) -> Self {
        for refused in errors.into_iter().map(|error| Refused::of(&error)) {
            // Many reasons share one answer on purpose; the page shows it once.
            if !self.refusals.iter().any(|known| known.body == refused.body) {
                self.refusals.push(refused);
            }
        }
        self
    }

    /// Adds a schema, and the schemas that it refers to, to the components.
    pub fn with_schema<T: ToSchema>(mut self) -> Self {
        self.schemas.push((T::name().into_owned(), T::schema()));
        T::schemas(&mut self.schemas);
        self
    }

    /// The OpenAPI operation, and the schemas it refers to.
    pub(super) fn build(self) -> (path::Operation, Vec<NamedSchema>) {
        let mut responses = ResponsesBuilder::new();
        for (status, response) in self.answers {
            let response = response.header_ref(REQUEST_ID, request_id());
            responses = responses.response(status.as_str(), response);
        }
        let mut by_status: BTreeMap<StatusCode, Vec<Refused>> = BTreeMap::new();
        for refused in self.refusals {
            by_status.entry(refused.status).or_default().push(refused);
        }
        for (status, refusals) in by_status {
            responses = responses.response(
                status.as_str(),
                refusal_response(status, refusals, &self.refused),
            );
        }
        let mut operation = OperationBuilder::new()
            .operation_id(Some(self.id))
            .tag(self.tag.name())
            .summary(Some(self.summary))
            .description(Some(self.description).filter(|text| !text.is_empty()))
            .request_body(self.body)
            .responses(responses.build());
        if !self.parameters.is_empty() {
            operation = operation.parameters(Some(self.parameters));
        }
        for scheme in self.security {
            operation = operation.security(SecurityRequirement::new(scheme, Vec::<String>::new()));
        }
        if self.anonymous {
            operation = operation.security(SecurityRequirement::default());
        }
        (operation.build(), self.schemas)
    }
}

/// One response for all refusals that share a status, each as an example.
fn refusal_response(status: StatusCode, refusals: Vec<Refused>, schema: &Ref) -> ResponseBuilder {
    let mut codes: Vec<&str> = refusals.iter().map(|refused| &*refused.code).collect();
    codes.sort_unstable();
    codes.dedup();
    let description = codes
        .iter()
        .map(|code| format!("`{code}`"))
        .collect::<Vec<_>>()
        .join(", ");
    let example = |refused: &Refused| {
        let example = ExampleBuilder::new()
            .summary(format!("{}: {}", refused.code, refused.text))
            .value(Some(refused.body.clone()));
        (
            format!("{}.{}", refused.code, refused.reason),
            example.build(),
        )
    };
    let content = ContentBuilder::new()
        .schema(Some(schema.clone()))
        .examples_from_iter(refusals.iter().map(example));
    let mut response = ResponseBuilder::new()
        .description(description)
        .content(JSON, content.build())
        .header_ref(REQUEST_ID, request_id());
    for (name, text) in refusals::headers(status) {
        let value = ObjectBuilder::new().schema_type(Type::String);
        let header = HeaderBuilder::new()
            .schema(Some(value))
            .description(Some(*text));
        response = response.header(*name, header.build());
    }
    response
}

/// One body of each envelope, made by Mastercard's Python library for a key that is thrown away.
fn envelope_examples() -> [(&'static str, Example); 2] {
    let example = |summary: &str, text: &str| {
        let value = serde_json::from_str::<Value>(text).ok();
        ExampleBuilder::new().summary(summary).value(value).build()
    };
    [
        ("jwe", example("JWE", include_str!("example-jwe.json"))),
        (
            "field-level",
            example(
                "Field-level encryption",
                include_str!("example-field-level.json"),
            ),
        ),
    ]
}

fn body(content: Content) -> RequestBodyBuilder {
    RequestBodyBuilder::new()
        .required(Some(Required::True))
        .content(JSON, content)
}

fn request_id() -> Ref {
    Ref::new(format!("#/components/headers/{REQUEST_ID}"))
}

pub(super) fn reference<T: ToSchema>() -> Ref {
    Ref::from_schema_name(T::name())
}
