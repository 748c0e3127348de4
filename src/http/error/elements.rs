//! Elements of `Errors.Error` whose content depends on the fault.

use super::{Element, service};
use crate::payload::EnvelopeKind;
use crate::violation::{Code, Violation};

pub(super) fn violation(violation: &Violation) -> Element {
    let (code, description) = match violation.code {
        Code::InvalidRequestParameter => (
            "INVALID_REQUEST_PARAMETER",
            "A value in the request is not acceptable.",
        ),
        Code::ListSize => (
            "INVALID_REQUEST_PARAMETER",
            "The list in the request has too few or too many items.",
        ),
        Code::InvalidFpan => (
            "INVALID_FPAN",
            "The card number is not acceptable for this issuer.",
        ),
        Code::AccountRangeTaken => (
            "SERVICE_PROVIDER_ACCOUNT_RANGES_ALREADY_EXIST",
            "An account range belongs to another issuer.",
        ),
        Code::UnsupportedCurrency => (
            "UNSUPPORTED_CURRENCY",
            "The card's currency is not supported.",
        ),
    };
    let details = match violation.path.as_ref() {
        "" => violation.rule.to_string(),
        path => format!("{path}: {}", violation.rule),
    };
    Element {
        recoverable: violation.code == Code::ListSize,
        ..service(code, description, &details)
    }
}

/// The issuer's setting `envelopes` does not list the envelope of the request.
pub(super) fn not_accepted(kind: EnvelopeKind) -> Element {
    service(
        "INVALID_REQUEST_PARAMETER",
        "This issuer may not use the encrypted envelope that was sent.",
        match kind {
            EnvelopeKind::Jwe => "encryptedData: must not be a JWE",
            EnvelopeKind::FieldLevel => "encryptedData: must be a compact JWE",
        },
    )
}

/// The issuer has no valid key that the answer could be encrypted to.
pub(super) fn no_certificate() -> Element {
    service(
        "NO_VALID_ENCRYPTION_CERTIFICATE",
        "The answer cannot be encrypted: give the operator a certificate that is valid now.",
        "",
    )
}
