//! The one place that turns refusals of the users API into answers: `{"message": …}`, as Klaim
//! documents it (cce-api.md B2), whatever the status. A body that breaks its rules also gets
//! `details`, one line for each rule: field and rule, never a value that was sent.

use super::error::{AnswerReason, HttpError};
use crate::directory::DirectoryRefusal;
use actix_web::body::BoxBody;
use actix_web::http::header::{self, HeaderValue};
use actix_web::http::{ConnectionType, StatusCode};
use actix_web::{HttpResponse, ResponseError};
use serde_json::json;
use std::fmt;

/// A refusal, or what the HTTP layer itself refuses.
#[derive(Debug)]
pub enum DirectoryError {
    /// A use case refused.
    Refused(DirectoryRefusal),
    /// The request did not get that far.
    Transport(HttpError),
}

impl From<DirectoryRefusal> for DirectoryError {
    fn from(refusal: DirectoryRefusal) -> Self {
        Self::Refused(refusal)
    }
}

impl From<HttpError> for DirectoryError {
    fn from(error: HttpError) -> Self {
        Self::Transport(error)
    }
}

impl fmt::Display for DirectoryError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.reason())
    }
}

impl DirectoryError {
    fn reason(&self) -> &'static str {
        match self {
            Self::Refused(refusal) => refusal.reason(),
            Self::Transport(error) => error.reason(),
        }
    }

    fn status_and_message(&self) -> (StatusCode, &'static str) {
        use StatusCode as S;
        match self {
            Self::Refused(refusal) => match refusal {
                DirectoryRefusal::Unauthorized => (S::UNAUTHORIZED, "Unauthorized"),
                DirectoryRefusal::Limited => (S::TOO_MANY_REQUESTS, "Too many requests"),
                DirectoryRefusal::MediaType => (
                    S::UNSUPPORTED_MEDIA_TYPE,
                    "Content-Type must be application/json",
                ),
                DirectoryRefusal::ContentEncoding(_) => {
                    (S::UNSUPPORTED_MEDIA_TYPE, "The body must not be compressed")
                }
                DirectoryRefusal::Invalid(_) => (S::BAD_REQUEST, "Invalid request body"),
                DirectoryRefusal::InvalidId => (S::BAD_REQUEST, "Invalid id parameter"),
                DirectoryRefusal::NotFound => {
                    (S::NOT_FOUND, "Can not find user with the given user_id.")
                }
                DirectoryRefusal::EmailTaken => (S::CONFLICT, "Email already exists"),
                DirectoryRefusal::UserIdTaken => (S::CONFLICT, "User ID already exists"),
                DirectoryRefusal::Overloaded | DirectoryRefusal::Unavailable => {
                    (S::SERVICE_UNAVAILABLE, "Service unavailable, try again")
                }
                DirectoryRefusal::Internal(_) => (S::INTERNAL_SERVER_ERROR, "Internal error"),
            },
            Self::Transport(error) => {
                let message = match error {
                    HttpError::BodyTooLarge => "Request body too large",
                    HttpError::BodyTimeout => "Request body did not arrive in time",
                    HttpError::BodyUnreadable => "Request body could not be read",
                    HttpError::UnknownPath => "Not found",
                    HttpError::WrongMethod => "Method not allowed",
                    // The last two are of the web view.
                    HttpError::Panicked
                    | HttpError::Refused(_)
                    | HttpError::ViewClosed(_)
                    | HttpError::ViewBusy => "Internal error",
                };
                (error.status_code(), message)
            }
        }
    }
}

impl ResponseError for DirectoryError {
    fn status_code(&self) -> StatusCode {
        self.status_and_message().0
    }

    fn error_response(&self) -> HttpResponse<BoxBody> {
        let (status, message) = self.status_and_message();
        let mut body = json!({ "message": message });
        if let (Self::Refused(DirectoryRefusal::Invalid(violations)), Some(members)) =
            (self, body.as_object_mut())
        {
            let details = violations.iter().map(|broken| match broken.path.as_ref() {
                "" => broken.rule.to_string(),
                path => format!("{path}: {}", broken.rule),
            });
            members.insert("details".to_owned(), details.collect());
        }
        if let (Self::Refused(DirectoryRefusal::ContentEncoding(coding)), Some(members)) =
            (self, body.as_object_mut())
        {
            let rule = format!("Content-Encoding: must be absent or identity, not {coding}");
            members.insert("details".to_owned(), json!([rule]));
        }
        let mut response = super::json(status, body.to_string().into_bytes());
        let headers = response.headers_mut();
        match status {
            StatusCode::UNAUTHORIZED => {
                headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
            }
            // A bucket gains at least one token a second.
            StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE => {
                headers.insert(header::RETRY_AFTER, HeaderValue::from_static("1"));
            }
            _ => {}
        }
        if matches!(self, Self::Transport(error) if error.leaves_body()) {
            response
                .head_mut()
                .set_connection_type(ConnectionType::Close);
        }
        let detail = match self {
            Self::Refused(DirectoryRefusal::Internal(detail)) => Some(*detail),
            _ => None,
        };
        response
            .extensions_mut()
            .insert(AnswerReason(self.reason(), detail));
        response
    }
}

/// 405, naming the methods that the path has.
pub fn wrong_method(allow: Option<HeaderValue>) -> HttpResponse {
    let mut response = DirectoryError::Transport(HttpError::WrongMethod).error_response();
    if let Some(allow) = allow {
        response.headers_mut().insert(header::ALLOW, allow);
    }
    response
}
