//! The one place that turns refusals into answers.
//!
//! Policy:
//! - Every answer, whatever its status and layer, is the API's error object (cce-api.md 3.10) as
//!   JSON with `Content-Length`: official clients fail on anything else (wire-formats.md 4.2).
//! - Errors are never encrypted. They name fields and rules, never a value that was sent.
//! - `Source` is `Gateway` for faults of signature and transport, and our product's name for
//!   everything behind it.
//! - Every payload that does not decrypt gets the same `CRYPTO_ERROR`; the log alone has the cause.
//! - One element for each broken rule; clients key on `ReasonCode`.
//! - `Recoverable` says whether the same request can succeed later. It is true for 429 and 5xx,
//!   and, because the catalogue has it so, for a list of the wrong size.

mod elements;
mod refused;

use crate::refusal::Refusal;
use actix_web::body::BoxBody;
use actix_web::http::StatusCode;
use actix_web::http::header::{self, HeaderValue};
use actix_web::{HttpResponse, ResponseError};
use refused::{internal, log_detail, refused};
use serde_json::{Value, json};
use std::fmt;

/// What a handler returns.
pub type Answer = Result<HttpResponse, HttpError>;

/// `Source` of our own errors (cce-api.md 3.10).
const SERVICE: &str = "CARBON CALCULATOR EXPERIENCE";
/// `Source` of signature and transport errors.
const GATEWAY: &str = "Gateway";

/// `WWW-Authenticate` of every 401 of the issuer API.
const CHALLENGE: HeaderValue = HeaderValue::from_static(r#"OAuth realm="issuer-gateway""#);

/// A refusal, or what the HTTP layer itself refuses.
#[derive(Debug)]
pub enum HttpError {
    /// A use case refused.
    Refused(Refusal),
    /// The body is larger than the limit.
    BodyTooLarge,
    /// The body did not come in time.
    BodyTimeout,
    /// The connection or the transfer coding broke.
    BodyUnreadable,
    /// No such path.
    UnknownPath,
    /// The path exists, with other methods.
    WrongMethod,
    /// A handler panicked.
    Panicked,
    /// The token of the web view is not in force; why, for the log.
    ViewClosed(&'static str),
    /// Too many requests of one cardholder, or of strangers, to the web view.
    ViewBusy,
}

impl From<Refusal> for HttpError {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

impl fmt::Display for HttpError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.reason())
    }
}

/// Stable reason of a refused request, left in the response's extensions for log and metrics.
#[derive(Debug, Clone, Copy)]
pub struct AnswerReason(pub &'static str, pub Option<&'static str>);

/// One element of `Errors.Error`.
struct Element {
    source: &'static str,
    code: &'static str,
    description: &'static str,
    recoverable: bool,
    details: String,
}

fn service(code: &'static str, description: &'static str, details: &str) -> Element {
    Element {
        source: SERVICE,
        code,
        description,
        recoverable: false,
        details: details.to_owned(),
    }
}

fn gateway(code: &'static str, description: &'static str) -> Element {
    Element {
        source: GATEWAY,
        code,
        description,
        recoverable: false,
        details: String::new(),
    }
}

impl HttpError {
    /// A stable name for log and metrics.
    pub fn reason(&self) -> &'static str {
        match self {
            Self::Refused(refusal) => refusal.reason(),
            Self::BodyTooLarge => "body-too-large",
            Self::BodyTimeout => "body-timeout",
            Self::BodyUnreadable => "body-unreadable",
            Self::UnknownPath => "unknown-path",
            Self::WrongMethod => "wrong-method",
            Self::Panicked => "panic",
            Self::ViewClosed(reason) => reason,
            Self::ViewBusy => "rate-limited",
        }
    }

    /// Whether the rest of the body is still under way, so that the connection cannot be used
    /// again.
    pub(super) fn leaves_body(&self) -> bool {
        matches!(
            self,
            Self::BodyTooLarge | Self::BodyTimeout | Self::BodyUnreadable
        )
    }

    fn status_and_elements(&self) -> (StatusCode, Vec<Element>) {
        let (status, element) = match self {
            Self::Refused(Refusal::Violations(violations)) => {
                return (
                    StatusCode::BAD_REQUEST,
                    violations.iter().map(elements::violation).collect(),
                );
            }
            Self::Refused(refusal) => refused(refusal),
            Self::BodyTooLarge => (
                StatusCode::PAYLOAD_TOO_LARGE,
                gateway(
                    "PAYLOAD_TOO_LARGE",
                    "The request body is larger than this gateway accepts.",
                ),
            ),
            Self::BodyTimeout => (
                StatusCode::REQUEST_TIMEOUT,
                gateway(
                    "REQUEST_TIMEOUT",
                    "The request body did not arrive in time.",
                ),
            ),
            Self::BodyUnreadable => (
                StatusCode::BAD_REQUEST,
                gateway("BAD_REQUEST", "The request body could not be read."),
            ),
            Self::UnknownPath => (
                StatusCode::NOT_FOUND,
                gateway("NOT_FOUND", "There is no resource at this path."),
            ),
            Self::WrongMethod => (
                StatusCode::METHOD_NOT_ALLOWED,
                gateway(
                    "METHOD_NOT_ALLOWED",
                    "This path does not offer the request's method.",
                ),
            ),
            Self::ViewClosed(_) => (
                StatusCode::UNAUTHORIZED,
                service(
                    "INVALID_TOKEN",
                    "The view has closed; fetch a new dashboard URL.",
                    "",
                ),
            ),
            Self::ViewBusy => (
                StatusCode::TOO_MANY_REQUESTS,
                Element {
                    recoverable: true,
                    ..service(
                        "TOO_MANY_REQUESTS",
                        "Too many requests; try again shortly.",
                        "",
                    )
                },
            ),
            Self::Panicked => internal(),
        };
        (status, vec![element])
    }
}

impl ResponseError for HttpError {
    fn status_code(&self) -> StatusCode {
        self.status_and_elements().0
    }

    fn error_response(&self) -> HttpResponse<BoxBody> {
        let (status, elements) = self.status_and_elements();
        let elements: Vec<Value> = elements
            .into_iter()
            .map(|e| {
                json!({"Source": e.source, "ReasonCode": e.code, "Description": e.description,
                       "Recoverable": e.recoverable, "Details": e.details})
            })
            .collect();
        let mut response = super::json(
            status,
            json!({"Errors": {"Error": elements}})
                .to_string()
                .into_bytes(),
        );
        let headers = response.headers_mut();
        match status {
            // RFC 9110, 15.5.2; RFC 5849, 3.5.1.
            StatusCode::UNAUTHORIZED => {
                headers.insert(header::WWW_AUTHENTICATE, CHALLENGE);
            }
            StatusCode::SERVICE_UNAVAILABLE => {
                headers.insert(header::RETRY_AFTER, HeaderValue::from_static("1"));
            }
            _ => {}
        }
        if self.leaves_body() {
            response
                .head_mut()
                .set_connection_type(actix_web::http::ConnectionType::Close);
        }
        let detail = match self {
            Self::Refused(refusal) => log_detail(refusal),
            _ => None,
        };
        response
            .extensions_mut()
            .insert(AnswerReason(self.reason(), detail));
        response
    }
}

/// 404 for every path that is not in the routes.
pub async fn unknown_path() -> Answer {
    Err(HttpError::UnknownPath)
}

/// 405, naming the methods that the path has.
pub fn wrong_method(allow: Option<HeaderValue>) -> HttpResponse {
    let mut response = HttpError::WrongMethod.error_response();
    if let Some(allow) = allow {
        response.headers_mut().insert(header::ALLOW, allow);
    }
    response
}
