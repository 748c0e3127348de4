//! The JSON body around a payload: told apart, checked, opened; and sealed.
//!
//! Order of checks (cce-api.md, section 2): a JSON object, then the envelope's fields, each with a
//! violation of its own; from there on every failure is the same [`CryptoReason`] text to the
//! sender.

#[cfg(test)]
mod tests;

use serde_json::Value;
use std::fmt;
use std::ops::RangeInclusive;
use std::sync::Arc;

use super::field_level::{self, FieldLevelHeaders, Fields, Message, SealOptions};
use super::fingerprint::Fingerprint;
use super::jwe::{self, JwePolicy, Token};
use super::key_ring::KeyRing;
use super::reason::CryptoReason;
use super::recipient::{Recipient, SealError};
use super::unwrap::{UnwrapError, Unwrapper};
use crate::json::{self, Object};
use crate::violation::Violation;

/// The published length of `encryptedData` in characters (cce-api.md, section 2; for a JWE: of the
/// whole token).
const DATA_LENGTH: RangeInclusive<usize> = 128..=54_000;
/// The length of `encryptedKey` in characters: RSA-2048 in base64 has 342, RSA-4096 in hex 1024.
const KEY_LENGTH: RangeInclusive<usize> = 256..=1024;
/// The published maximum of `publicKeyFingerprint`. Clients may leave it empty or put free text
/// there.
const FINGERPRINT_LENGTH: RangeInclusive<usize> = 0..=1000;

/// Which of the two envelopes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum EnvelopeKind {
    /// Compact JWE in `encryptedData`.
    Jwe,
    /// The five members of field-level encryption.
    FieldLevel,
}

/// What a sender may use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Accepted {
    /// Compact JWE.
    pub jwe: bool,
    /// Field-level encryption.
    pub field_level: bool,
    /// Parameters of field-level encryption as headers. The sender's signature does not cover them.
    pub headers: bool,
}

impl Accepted {
    /// Both envelopes, and headers.
    pub const ALL: Self = Self {
        jwe: true,
        field_level: true,
        headers: true,
    };

    /// Judged by the form of `encryptedData` alone, before anything is decoded: so it tells nothing
    /// about keys.
    fn require(self, kind: EnvelopeKind) -> Result<(), EnvelopeError> {
        match kind {
            EnvelopeKind::Jwe if self.jwe => Ok(()),
            EnvelopeKind::FieldLevel if self.field_level => Ok(()),
            kind => Err(EnvelopeError::NotAccepted(kind)),
        }
    }
}

/// A body whose envelope is in order, still closed.
pub enum Envelope {
    /// A compact JWE.
    Jwe(Token),
    /// Field-level encryption.
    FieldLevel(Message),
}

/// Why a body is no envelope.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EnvelopeError {
    /// The body or its envelope fields break these rules: `INVALID_REQUEST_PARAMETER`.
    #[error("the body is not an encrypted payload")]
    Violations(Vec<Violation>),
    /// The sender may not use this envelope: `INVALID_REQUEST_PARAMETER`.
    #[error("the sender may not use this envelope")]
    NotAccepted(EnvelopeKind),
    /// Unreadable: `CRYPTO_ERROR`.
    #[error(transparent)]
    Crypto(#[from] CryptoReason),
}

impl EnvelopeError {
    /// A stable kebab-case name for log and audit.
    pub fn reason(&self) -> &'static str {
        match self {
            Self::Violations(_) => "envelope-violations",
            Self::NotAccepted(_) => "envelope-not-accepted",
            Self::Crypto(reason) => reason.as_str(),
        }
    }
}

/// Why an envelope did not open.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum OpenError {
    /// `CRYPTO_ERROR`, whatever the reason.
    #[error(transparent)]
    Crypto(#[from] CryptoReason),
    /// Too much to do: 503, come back later.
    #[error("too many payloads are being opened")]
    Overloaded,
    /// A fault of ours: 500, and the payload may be sent again.
    #[error("opening the payload has failed")]
    Failed,
}

impl OpenError {
    /// A stable kebab-case name for log and audit.
    pub fn reason(self) -> &'static str {
        match self {
            Self::Crypto(reason) => reason.as_str(),
            Self::Overloaded => UnwrapError::Overloaded.reason(),
            Self::Failed => UnwrapError::Failed.reason(),
        }
    }
}

impl From<UnwrapError> for OpenError {
    fn from(error: UnwrapError) -> Self {
        match error {
            UnwrapError::Overloaded => Self::Overloaded,
            UnwrapError::Failed => Self::Failed,
        }
    }
}

/// For what a wrapped key is about to be used. Hashes alone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyUse {
    /// SHA-256 of the gateway key's fingerprint and the decoded wrapped key.
    pub key_hash: [u8; 32],
    /// SHA-256 of the decoded rest of the message: IV, ciphertext, and the JWE's header and tag or
    /// the OAEP digest.
    pub message_hash: [u8; 32],
    /// The envelope.
    pub kind: EnvelopeKind,
    /// The gateway key that is to unwrap it.
    pub opener: Fingerprint,
}

/// What was in an envelope.
#[derive(Debug)]
pub struct Opened {
    /// The plaintext, wiped on drop.
    pub object: Object,
    /// The envelope it came in, which the answer mirrors.
    pub kind: EnvelopeKind,
    /// The key that opened it: shows when a former key is no longer used.
    pub key: Fingerprint,
}

impl Envelope {
    /// Reads a request body of a sender who may use what is `accepted`. `encryptedData` with a dot
    /// in it is a JWE; otherwise the body is field-level, with parameters that are not in the body
    /// taken from `headers` where those are accepted. Unknown members are ignored.
    pub fn parse(
        body: &[u8],
        headers: &FieldLevelHeaders<'_>,
        accepted: Accepted,
    ) -> Result<Self, EnvelopeError> {
        let none = FieldLevelHeaders::default();
        let headers = if accepted.headers { headers } else { &none };
        Self::read(body, headers, accepted, DATA_LENGTH)
    }

    /// Reads an answer, as a client does: `encryptedData` may have any length.
    pub fn parse_answer(body: &[u8]) -> Result<Self, EnvelopeError> {
        Self::read(
            body,
            &FieldLevelHeaders::default(),
            Accepted::ALL,
            0..=usize::MAX,
        )
    }

    fn read(
        body: &[u8],
        headers: &FieldLevelHeaders<'_>,
        accepted: Accepted,
        data_length: RangeInclusive<usize>,
    ) -> Result<Self, EnvelopeError> {
        let body = json::parse_object(body).map_err(|_| {
            EnvelopeError::Violations(vec![Violation::invalid("", "must be a JSON object")])
        })?;
        let mut check = Check {
            body: &body,
            violations: Vec::new(),
        };

        let data = check.required(field_level::ENCRYPTED_DATA, None, data_length);
        // Without data there is no telling which envelope was meant, and nothing more to say.
        let Some(data) = data else {
            return Err(EnvelopeError::Violations(check.violations));
        };
        if data.contains('.') {
            accepted.require(EnvelopeKind::Jwe)?;
            check.finish()?;
            return Ok(Self::Jwe(Token::parse(data)?));
        }
        accepted.require(EnvelopeKind::FieldLevel)?;

        let any = 0..=usize::MAX;
        let key = check.required(
            field_level::ENCRYPTED_KEY,
            headers.encrypted_key,
            KEY_LENGTH,
        );
        let iv = check.required(field_level::IV, headers.iv, any.clone());
        let oaep_digest = check.optional(field_level::OAEP_DIGEST, headers.oaep_digest, any);
        let fingerprint = check.optional(
            field_level::FINGERPRINT,
            headers.fingerprint,
            FINGERPRINT_LENGTH,
        );
        check.finish()?;
        let message = Message::decode(&Fields {
            encrypted_data: data,
            iv: iv.unwrap_or_default(),
            encrypted_key: key.unwrap_or_default(),
            oaep_digest,
            fingerprint,
        })?;
        Ok(Self::FieldLevel(message))
    }

    /// Which of the two it is.
    pub fn kind(&self) -> EnvelopeKind {
        match self {
            Self::Jwe(_) => EnvelopeKind::Jwe,
            Self::FieldLevel(_) => EnvelopeKind::FieldLevel,
        }
    }
}

impl fmt::Debug for Envelope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Envelope({:?}, …)", self.kind())
    }
}

/// Takes texts out of a body, noting each one that breaks a rule.
struct Check<'a> {
    body: &'a Object,
    violations: Vec<Violation>,
}

impl<'a> Check<'a> {
    /// The member, or else the header; `null` counts as absent.
    fn optional(
        &mut self,
        name: &'static str,
        header: Option<&'a str>,
        length: RangeInclusive<usize>,
    ) -> Option<&'a str> {
        let text = match self.body.get(name) {
            None | Some(Value::Null) => header?,
            Some(Value::String(text)) => text,
            Some(_) => {
                self.violate(name, "must be a string");
                return None;
            }
        };
        if !length.contains(&text.chars().count()) {
            let (least, most) = length.into_inner();
            let rule = match least {
                0 => format!("must be at most {most} characters long"),
                _ => format!("must be {least} to {most} characters long"),
            };
            self.violate(name, rule);
        }
        Some(text)
    }

    /// Like [`Check::optional`], but absence is a violation.
    fn required(
        &mut self,
        name: &'static str,
        header: Option<&'a str>,
        length: RangeInclusive<usize>,
    ) -> Option<&'a str> {
        let known = self.violations.len();
        let text = self.optional(name, header, length);
        if text.is_none() && self.violations.len() == known {
            self.violate(name, "is required");
        }
        text
    }

    fn violate(&mut self, path: &'static str, rule: impl Into<std::borrow::Cow<'static, str>>) {
        self.violations.push(Violation::invalid(path, rule));
    }

    fn finish(&mut self) -> Result<(), EnvelopeError> {
        match std::mem::take(&mut self.violations) {
            none if none.is_empty() => Ok(()),
            violations => Err(EnvelopeError::Violations(violations)),
        }
    }
}

/// Opens an envelope that was made for us alone, such as an answer: see [`open_once`].
pub async fn open(
    ring: &KeyRing,
    unwrapper: &Unwrapper,
    policy: &JwePolicy,
    envelope: Envelope,
) -> Result<Opened, OpenError> {
    open_once(ring, unwrapper, policy, envelope, |_| true).await
}

/// Opens an envelope: finds the key, asks `admit`, unwraps, decrypts, parses.
///
/// `admit` says whether this use of the wrapped key is allowed. It is asked about everything that
/// would be decrypted, before it is; if it says no, nothing is.
///
/// From the unwrapping on there is one path and no early end, so that neither the answer nor its
/// time tells a wrong key from wrong content. Must follow the verification of the sender's
/// signature.
pub async fn open_once(
    ring: &KeyRing,
    unwrapper: &Unwrapper,
    policy: &JwePolicy,
    envelope: Envelope,
    admit: impl FnOnce(KeyUse) -> bool,
) -> Result<Opened, OpenError> {
    let wrapped = match &envelope {
        Envelope::Jwe(token) if !policy.allows(token.enc()) => {
            return Err(CryptoReason::Algorithm.into());
        }
        Envelope::Jwe(token) => &token.wrapped_key,
        Envelope::FieldLevel(message) => &message.wrapped_key,
    };
    let key = ring
        .find(wrapped.hint.as_deref())
        .ok_or(CryptoReason::UnknownKey)?;
    if wrapped.bytes.len() != key.modulus_bytes() {
        return Err(CryptoReason::WrappedKeyLength.into());
    }
    let opener = key.fingerprint();
    let key_use = KeyUse {
        key_hash: wrapped.hash(opener),
        message_hash: match &envelope {
            Envelope::Jwe(token) => token.hash(),
            Envelope::FieldLevel(message) => message.hash(),
        },
        kind: envelope.kind(),
        opener,
    };
    if !admit(key_use) {
        return Err(CryptoReason::WrappedKeyReused.into());
    }

    let cek = unwrapper
        .unwrap(
            Arc::clone(key),
            wrapped.digest,
            wrapped.bytes.clone(),
            wrapped.lengths,
        )
        .await?;
    let content = match &envelope {
        Envelope::Jwe(token) => token.decrypt(&cek.bytes),
        Envelope::FieldLevel(message) => message.decrypt(&cek.bytes),
    };
    let object = content.into_object(cek.genuine)?;
    key.mark_used(chrono::Utc::now().timestamp());
    Ok(Opened {
        object,
        kind: envelope.kind(),
        key: key.fingerprint(),
    })
}

/// Seals a plaintext (JSON of ASCII characters only: see [`json::to_ascii`]) into a JSON body of
/// ASCII characters: one member for a JWE, five for field-level encryption.
pub fn seal(
    kind: EnvelopeKind,
    recipient: &Recipient,
    plaintext: &[u8],
) -> Result<Vec<u8>, SealError> {
    let body = match kind {
        EnvelopeKind::Jwe => {
            let token = jwe::seal(recipient, plaintext)?;
            format!(r#"{{"{}":"{token}"}}"#, field_level::ENCRYPTED_DATA)
        }
        EnvelopeKind::FieldLevel => {
            field_level::seal(recipient, plaintext, SealOptions::default())?
        }
    };
    Ok(body.into_bytes())
}
