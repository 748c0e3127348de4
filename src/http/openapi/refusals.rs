//! The refusals that each layer of a call can add, in the order in which a call meets them.
//!
//! This file keeps the lists only. Status, `ReasonCode` and text come from the answer that the code
//! gives to each refusal, so they cannot differ from it. Every test over HTTP checks its answer
//! against the document (tests/support/document.rs): a refusal that is missing here fails there.

use crate::directory;
use crate::http::directory_error::DirectoryError;
use crate::http::error::{AnswerReason, HttpError};
use crate::oauth1;
use crate::payload::EnvelopeKind;
use crate::refusal::Refusal;
use crate::violation::{Code, Violation};
use actix_web::ResponseError;
use actix_web::body::MessageBody;
use actix_web::http::StatusCode;
use serde_json::Value;

/// A refusal as it is answered.
pub(super) struct Refused {
    pub(super) status: StatusCode,
    /// The stable name in log and audit trail.
    pub(super) reason: &'static str,
    /// `ReasonCode`.
    pub(super) code: String,
    /// `Description`.
    pub(super) text: String,
    pub(super) body: Value,
}

impl Refused {
    pub(super) fn of(error: &impl ResponseError) -> Self {
        let response = error.error_response();
        let status = response.status();
        let reason = response
            .extensions()
            .get::<AnswerReason>()
            .map_or("refused", |reason| reason.0);
        let bytes = response.into_body().try_into_bytes().unwrap_or_default();
        let body: Value = serde_json::from_slice(&bytes).unwrap_or_default();
        let member = |name: &str| {
            let member = body.pointer(&format!("/Errors/Error/0/{name}"));
            let member = member.or_else(|| body.get("message"));
            member.and_then(Value::as_str).unwrap_or(reason).to_owned()
        };
        let (code, text) = (member("ReasonCode"), member("Description"));
        Self {
            status,
            reason,
            code,
            text,
            body,
        }
    }
}

/// What every endpoint can answer.
pub(super) fn every() -> Vec<HttpError> {
    vec![HttpError::WrongMethod, HttpError::Panicked]
}

/// Reading the request.
pub(super) fn reading() -> Vec<HttpError> {
    vec![
        HttpError::BodyUnreadable,
        HttpError::BodyTimeout,
        HttpError::BodyTooLarge,
    ]
}

/// Who calls, and may this issuer call at all.
pub(super) fn authentication() -> Vec<HttpError> {
    use oauth1::SignatureError as R;
    let signature = [
        R::MissingAuthorization,
        R::MalformedHeader(oauth1::HeaderFault::NotAList),
        R::DuplicateParameter("oauth_nonce"),
        R::ParameterInQuery,
        R::MissingParameter("oauth_nonce"),
        R::MalformedParameter("oauth_nonce"),
        R::UnsupportedVersion,
        R::UnsupportedSignatureMethod,
        R::TimestampOutOfWindow,
        R::TargetTooLong,
        R::QueryTooLarge,
        R::BodyHashMissing,
        R::BodyHashMismatch,
        R::SignatureInvalid,
        R::NonceUsed,
    ]
    .map(Refusal::Signature);
    let issuer = [
        Refusal::IssuerNotFound,
        Refusal::IssuerInactive,
        Refusal::IssuerSuspended,
        Refusal::IssuerTerminated,
    ];
    signature
        .into_iter()
        .chain(issuer)
        .map(Into::into)
        .collect()
}

/// A refusal for a single broken rule.
pub(super) fn violation(code: Code, path: &'static str, rule: &'static str) -> HttpError {
    let violation = Violation {
        code,
        path: path.into(),
        rule: rule.into(),
    };
    Refusal::Violations(vec![violation]).into()
}

/// A JSON body: its media type, and its fields.
pub(super) fn json_body() -> Vec<HttpError> {
    let rule = "must be a JSON object";
    vec![
        Refusal::MediaType.into(),
        Refusal::ContentEncoding("gzip").into(),
        violation(Code::InvalidRequestParameter, "", rule),
    ]
}

/// What every call of the users API can end in.
pub(super) fn users_api() -> Vec<DirectoryError> {
    use directory::DirectoryRefusal as R;
    [R::Unauthorized, R::Limited, R::Overloaded, R::Internal("")]
        .map(DirectoryError::from)
        .into()
}

/// Opening an encrypted payload.
pub(super) fn decryption() -> Vec<HttpError> {
    vec![
        Refusal::NoEncryptionCertificate.into(),
        Refusal::EnvelopeNotAccepted(EnvelopeKind::FieldLevel).into(),
        Refusal::Crypto("").into(),
        Refusal::WrappedKeyReused.into(),
        Refusal::Overloaded.into(),
        Refusal::KeyAway.into(),
    ]
}

/// Reading and writing the database: every signed call does, to use up its nonce.
pub(super) fn storage() -> Vec<HttpError> {
    vec![Refusal::Overloaded.into(), Refusal::Unavailable.into()]
}

/// Headers that a refusal of this status carries, with what they say.
pub(super) fn headers(status: StatusCode) -> &'static [(&'static str, &'static str)] {
    match status {
        StatusCode::METHOD_NOT_ALLOWED => &[("Allow", "The methods that the path has.")],
        StatusCode::SERVICE_UNAVAILABLE | StatusCode::TOO_MANY_REQUESTS => {
            &[("Retry-After", "Seconds to wait.")]
        }
        _ => &[],
    }
}
