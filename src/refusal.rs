//! Every way in which a call can be refused, independent of HTTP.
//!
//! Modules have small errors of their own. Use cases turn them into this one, and `http::error`
//! alone turns this one into an answer. [`Refusal::reason`] is stable: logs, metrics and the audit
//! trail use it.

use crate::ids::CardholderId;
use crate::oauth1;
use crate::payload;
use crate::store::StoreError;
use crate::store::writer::KEY_REUSED;
use crate::throttle::ShareLimit;
use crate::unwrap::OpenError;
use crate::vault::VaultError;
use crate::violation::Violation;

/// The reasons of calls that are refused for lack of room.
const OVERLOADED: &str = "overloaded";
const ISSUER_LIMITED: &str = "issuer-limited";

/// Whether this is the reason of a call that was refused for lack of room: a flood brings many, so
/// they are answered in turn and not all logged.
pub fn is_for_lack_of_room(reason: &str) -> bool {
    [OVERLOADED, ISSUER_LIMITED].contains(&reason)
}

/// Why a call was not done.
#[derive(Debug)]
pub enum Refusal {
    /// The request is not proven to come from an issuer, unchanged and for the first time.
    Signature(oauth1::SignatureError),
    /// The consumer key is proven, but its issuer is not (or no longer) on board.
    IssuerNotFound,
    /// The issuer is not active yet.
    IssuerInactive,
    /// The issuer is blocked for now.
    IssuerSuspended,
    /// The issuer's programme has ended.
    IssuerTerminated,
    /// The body is not declared as JSON.
    MediaType,
    /// The body is compressed, or encoded otherwise in the way named here.
    ContentEncoding(&'static str),
    /// Updates are only for issuers whose donation toggle is on.
    UpdateNotAccessible,
    /// Fields that break their rules, all of them.
    Violations(Vec<Violation>),
    /// This issuer has no such user.
    CardholderNotFound,
    /// The operator has deactivated the user.
    CardholderInactive,
    /// The user's deletion was accepted and is under way.
    CardholderTerminating,
    /// The payload does not open. The reason inside is for the log alone.
    Crypto(&'static str),
    /// The issuer may not use this envelope.
    EnvelopeNotAccepted(payload::EnvelopeKind),
    /// No encryption certificate of the issuer is valid, so that its answer cannot be encrypted.
    NoEncryptionCertificate,
    /// The payload's wrapped key belongs to another message, or to another issuer. Answered as
    /// [`Refusal::Crypto`].
    WrappedKeyReused,
    /// This card is enrolled already, under this id unless it was erased at the same moment.
    CardAlreadyEnrolled(Option<CardholderId>),
    /// A bounded queue is full; nothing was done.
    Overloaded,
    /// The issuer has taken its share of this node; nothing was done.
    IssuerLimited(ShareLimit),
    /// The database did not answer; whether a write in flight was done is unknown.
    Unavailable,
    /// The token with the private key that the payload is for does not answer; nothing was done.
    KeyAway,
    /// A fault of ours.
    Internal(&'static str),
}

impl Refusal {
    /// A stable name for log, metrics and audit trail.
    pub fn reason(&self) -> &'static str {
        match self {
            Self::Signature(refusal) => refusal.reason(),
            Self::IssuerNotFound => "issuer-not-found",
            Self::IssuerInactive => "issuer-inactive",
            Self::IssuerSuspended => "issuer-suspended",
            Self::IssuerTerminated => "issuer-terminated",
            Self::MediaType => "media-type",
            Self::ContentEncoding(_) => "content-encoding",
            Self::UpdateNotAccessible => "update-not-accessible",
            Self::Violations(_) => "rules-broken",
            Self::CardholderNotFound => "user-not-found",
            Self::CardholderInactive => "user-inactive",
            Self::CardholderTerminating => "user-terminating",
            Self::Crypto(_) => "crypto",
            Self::EnvelopeNotAccepted(_) => "envelope-not-accepted",
            Self::NoEncryptionCertificate => "no-encryption-certificate",
            Self::WrappedKeyReused => KEY_REUSED,
            Self::CardAlreadyEnrolled(_) => "card-taken",
            Self::Overloaded => OVERLOADED,
            Self::IssuerLimited(_) => ISSUER_LIMITED,
            Self::Unavailable => "store-unavailable",
            Self::KeyAway => "key-away",
            Self::Internal(_) => "internal",
        }
    }

    /// Whether it is answered `CRYPTO_ERROR`.
    pub fn is_crypto(&self) -> bool {
        matches!(self, Self::Crypto(_) | Self::WrappedKeyReused)
    }

    /// Whether the same request may succeed later: then its nonce must not be used up by this try.
    pub fn is_recoverable(&self) -> bool {
        matches!(
            self,
            Self::Overloaded
                | Self::IssuerLimited(_)
                | Self::Unavailable
                | Self::KeyAway
                | Self::Internal(_)
        )
    }
}

impl From<oauth1::SignatureError> for Refusal {
    fn from(error: oauth1::SignatureError) -> Self {
        Self::Signature(error)
    }
}

impl From<Vec<Violation>> for Refusal {
    fn from(violations: Vec<Violation>) -> Self {
        Self::Violations(violations)
    }
}

impl From<payload::EnvelopeError> for Refusal {
    fn from(error: payload::EnvelopeError) -> Self {
        match error {
            payload::EnvelopeError::Violations(rules) => {
                let violation =
                    |broken: payload::BrokenRule| Violation::invalid(broken.member, broken.rule);
                Self::Violations(rules.into_iter().map(violation).collect())
            }
            payload::EnvelopeError::NotAccepted(kind) => Self::EnvelopeNotAccepted(kind),
            payload::EnvelopeError::Crypto(reason) => Self::Crypto(reason.as_str()),
        }
    }
}

impl From<OpenError> for Refusal {
    fn from(error: OpenError) -> Self {
        match error {
            OpenError::Overloaded => Self::Overloaded,
            OpenError::Crypto(payload::CryptoReason::WrappedKeyReused) => Self::WrappedKeyReused,
            OpenError::KeeperAway => Self::KeyAway,
            error @ OpenError::Failed => Self::Internal(error.reason()),
            OpenError::Crypto(reason) => Self::Crypto(reason.as_str()),
        }
    }
}

impl From<StoreError> for Refusal {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Overloaded => Self::Overloaded,
            error if error.is_recoverable() => Self::Unavailable,
            error => Self::Internal(error.reason()),
        }
    }
}

impl From<VaultError> for Refusal {
    fn from(error: VaultError) -> Self {
        match error {
            VaultError::Store(error) => error.into(),
            error if error.is_passing() => Self::Unavailable,
            error => Self::Internal(error.reason()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fault_of_ours_while_opening_leaves_the_nonce_unused() {
        let refusal = Refusal::from(OpenError::Failed);
        assert_eq!(refusal.reason(), "internal");
        assert!(refusal.is_recoverable());
    }
}
