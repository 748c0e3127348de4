//! Every refusal of a use case: its status, and its element.

use super::{Element, elements, gateway, service};
use crate::oauth1;
use crate::refusal::Refusal;
use actix_web::http::StatusCode;

pub(super) fn refused(refusal: &Refusal) -> (StatusCode, Element) {
    use StatusCode as S;
    match refusal {
        Refusal::Signature(
            oauth1::SignatureError::BodyHashMissing | oauth1::SignatureError::BodyHashMismatch,
        ) => (
            S::BAD_REQUEST,
            Element {
                details: signature_detail(refusal),
                ..gateway(
                    "INVALID_BODY_HASH",
                    "oauth_body_hash is absent or does not match the request body.",
                )
            },
        ),
        Refusal::Signature(error) => (
            S::UNAUTHORIZED,
            Element {
                details: signature_detail(refusal),
                ..gateway("AUTHENTICATION_FAILED", signature_hint(error))
            },
        ),
        Refusal::IssuerNotFound => (
            S::NOT_FOUND,
            service(
                "SERVICE_PROVIDER_NOT_FOUND",
                "No issuer is on board with this client id.",
                "",
            ),
        ),
        Refusal::IssuerInactive => (
            S::UNAUTHORIZED,
            service(
                "ACCOUNT_INACTIVE",
                "The issuer has not been activated yet.",
                "",
            ),
        ),
        Refusal::IssuerSuspended => (
            S::UNAUTHORIZED,
            service(
                "ACCOUNT_SUSPENDED",
                "The issuer is blocked for now; ask the operator.",
                "",
            ),
        ),
        Refusal::IssuerTerminated => (
            S::UNAUTHORIZED,
            service(
                "ACCOUNT_TERMINATED",
                "The issuer's programme has ended; it must register anew.",
                "",
            ),
        ),
        Refusal::MediaType => (
            S::UNSUPPORTED_MEDIA_TYPE,
            service(
                "UNSUPPORTED_MEDIA_TYPE",
                "Send the body as JSON.",
                "Content-Type: must be application/json",
            ),
        ),
        Refusal::ContentEncoding(coding) => (
            S::UNSUPPORTED_MEDIA_TYPE,
            service(
                "UNSUPPORTED_MEDIA_TYPE",
                "Send the body as it is, not compressed.",
                &format!("Content-Encoding: must be absent or identity, not {coding}"),
            ),
        ),
        Refusal::UpdateNotAccessible => (
            S::UNAUTHORIZED,
            service(
                "UPDATE_USER_NOT_ACCESSIBLE",
                "Updating users is only open to issuers with the donation feature on.",
                "",
            ),
        ),
        Refusal::CardholderNotFound => (
            S::NOT_FOUND,
            service(
                "USER_NOT_FOUND",
                "There is no such user; enrol the user first.",
                "",
            ),
        ),
        Refusal::CardholderInactive => (
            S::UNAUTHORIZED,
            service("USER_INACTIVE", "The user is deactivated.", ""),
        ),
        Refusal::CardholderTerminating => (
            S::UNAUTHORIZED,
            service(
                "USER_TERMINATE_IN_PROGRESS",
                "The user is being removed.",
                "",
            ),
        ),
        Refusal::Crypto(_) | Refusal::WrappedKeyReused => (
            S::BAD_REQUEST,
            service(
                "CRYPTO_ERROR",
                "The encrypted payload could not be opened.",
                "",
            ),
        ),
        Refusal::EnvelopeNotAccepted(kind) => (S::BAD_REQUEST, elements::not_accepted(*kind)),
        Refusal::NoEncryptionCertificate => (S::BAD_REQUEST, elements::no_certificate()),
        Refusal::CardAlreadyEnrolled(user_id) => {
            // The caller may have lost its first answer. It finds the id at the end of Details.
            let details = match user_id {
                Some(user_id) => format!("cardNumber: is enrolled already under userid {user_id}"),
                None => "cardNumber: must not be enrolled already".to_owned(),
            };
            let description = "This card is enrolled already.";
            let element = service("USER_ALREADY_EXISTS", description, &details);
            (S::BAD_REQUEST, element)
        }
        Refusal::Overloaded => (
            S::SERVICE_UNAVAILABLE,
            unavailable("The gateway is at its limit; try again shortly."),
        ),
        Refusal::IssuerLimited(_) => (
            S::SERVICE_UNAVAILABLE,
            unavailable("The issuer has too many calls under way; try again shortly."),
        ),
        Refusal::Unavailable => (
            S::SERVICE_UNAVAILABLE,
            unavailable("The gateway cannot reach its storage; try again shortly."),
        ),
        Refusal::KeyAway => (
            S::SERVICE_UNAVAILABLE,
            unavailable("The gateway cannot reach its key; try again shortly."),
        ),
        // Violations never come here: each has an element of its own.
        Refusal::Internal(_) | Refusal::Violations(_) => internal(),
    }
}

/// The parameter and the rule that it breaks, for the caller and for the log.
fn signature_detail(refusal: &Refusal) -> String {
    log_detail(refusal).unwrap_or_default().to_owned()
}

/// What the log says beside the reason.
pub(super) fn log_detail(refusal: &Refusal) -> Option<&'static str> {
    match refusal {
        Refusal::Signature(error) => error.detail(),
        Refusal::Crypto(detail) | Refusal::Internal(detail) => Some(detail),
        Refusal::IssuerLimited(limit) => Some(limit.name()),
        _ => None,
    }
}

/// Hints that help an integrator and tell an attacker nothing: an unknown consumer key and a
/// wrong signature share one text.
fn signature_hint(refusal: &oauth1::SignatureError) -> &'static str {
    use oauth1::SignatureError as R;
    match refusal {
        R::MissingAuthorization => "The request carries no OAuth 1.0a Authorization header.",
        R::TimestampOutOfWindow => "oauth_timestamp is too far from the gateway's clock.",
        R::NonceUsed => "oauth_nonce was used before.",
        R::UnsupportedSignatureMethod => "oauth_signature_method is not accepted.",
        R::SignatureInvalid => "The request's signature does not verify.",
        _ => "The Authorization header is not acceptable OAuth 1.0a.",
    }
}

fn unavailable(description: &'static str) -> Element {
    Element {
        recoverable: true,
        ..service("SERVICE_UNAVAILABLE", description, "")
    }
}

pub(super) fn internal() -> (StatusCode, Element) {
    let element = service(
        "INTERNAL_ERROR",
        "The gateway failed to handle the request.",
        "",
    );
    (
        StatusCode::INTERNAL_SERVER_ERROR,
        Element {
            recoverable: true,
            ..element
        },
    )
}
