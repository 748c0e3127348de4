//! The JSON body around a payload: told apart, checked, opened; and sealed.
//!
//! Order of checks: a JSON object, then the envelope's members, each with a broken rule of its own.
//! From there on every failure is the same [`CryptoReason`] text to the sender.

#[cfg(test)]
mod tests;

use serde_json::Value;
use std::borrow::Cow;
use std::fmt;
use std::ops::RangeInclusive;

use crate::field_level::{self, FieldLevelHeaders, Fields, Message};
use crate::form::{EnvelopeForm, Sealed};
use crate::json::{self, Object};
use crate::jwe::{self, Token};
use crate::reason::CryptoReason;
use crate::recipient::{Recipient, SealError};

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
pub struct Envelope(pub(crate) Form);

/// The two forms.
pub(crate) enum Form {
    Jwe(Token),
    FieldLevel(Message),
}

/// A rule that a member of the envelope breaks. It never carries the member's value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BrokenRule {
    /// The member's name; empty for the whole body.
    pub member: &'static str,
    /// The rule in words: `must be 128 to 54000 characters long`.
    pub rule: Cow<'static, str>,
}

/// Why a body is no envelope.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EnvelopeError {
    /// The body or its envelope's members break these rules. The sender may know them.
    #[error("the body is not an encrypted payload")]
    Violations(Vec<BrokenRule>),
    /// The sender may not use this envelope.
    #[error("the sender may not use this envelope")]
    NotAccepted(EnvelopeKind),
    /// Unreadable. The sender may know that, and not why.
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

impl Envelope {
    /// The length of a request's `encryptedData` in characters that card APIs publish (for a JWE:
    /// of the whole token).
    pub const DATA_LENGTH: RangeInclusive<usize> = 128..=54_000;
    /// The length of `encryptedKey` in characters: RSA-2048 in base64 has 342, RSA-4096 in hex
    /// 1024.
    pub const KEY_LENGTH: RangeInclusive<usize> = 256..=1024;
    /// The published length of `publicKeyFingerprint`. Clients may leave it empty or put free text
    /// there.
    pub const FINGERPRINT_LENGTH: RangeInclusive<usize> = 0..=1000;

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
        Self::read(body, headers, accepted, Self::DATA_LENGTH)
    }

    /// Reads like [`Envelope::parse`], where `encryptedData` may be of any length: for operations
    /// that take many items at once.
    pub fn parse_batch(
        body: &[u8],
        headers: &FieldLevelHeaders<'_>,
        accepted: Accepted,
    ) -> Result<Self, EnvelopeError> {
        let none = FieldLevelHeaders::default();
        let headers = if accepted.headers { headers } else { &none };
        Self::read(
            body,
            headers,
            accepted,
            *Self::DATA_LENGTH.start()..=usize::MAX,
        )
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
        let body = json::parse_object(body).map_err(|error| {
            EnvelopeError::Violations(vec![BrokenRule {
                member: "",
                rule: error.to_string().into(),
            }])
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
            return Ok(Self(Form::Jwe(Token::parse(data)?)));
        }
        accepted.require(EnvelopeKind::FieldLevel)?;

        let any = 0..=usize::MAX;
        let key = check.required(
            field_level::ENCRYPTED_KEY,
            headers.encrypted_key,
            Self::KEY_LENGTH,
        );
        let iv_in_body = !matches!(body.get(field_level::IV), None | Some(Value::Null));
        let iv = check.required(field_level::IV, headers.iv, any.clone());
        let oaep_digest = check.optional(field_level::OAEP_DIGEST, headers.oaep_digest, any);
        let fingerprint = check.optional(
            field_level::FINGERPRINT,
            headers.fingerprint,
            Self::FINGERPRINT_LENGTH,
        );
        check.finish()?;
        let message = Message::decode(&Fields {
            encrypted_data: data,
            iv: iv.unwrap_or_default(),
            encrypted_key: key.unwrap_or_default(),
            oaep_digest,
            fingerprint,
            headers: (!iv_in_body).then_some(headers.names),
        })?;
        Ok(Self(Form::FieldLevel(message)))
    }

    /// Which of the two it is.
    pub fn kind(&self) -> EnvelopeKind {
        self.form().kind()
    }

    /// How it is written.
    pub fn form(&self) -> EnvelopeForm {
        match &self.0 {
            Form::Jwe(_) => EnvelopeForm::Jwe,
            Form::FieldLevel(message) => EnvelopeForm::FieldLevel(message.form()),
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
    violations: Vec<BrokenRule>,
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

    fn violate(&mut self, member: &'static str, rule: impl Into<Cow<'static, str>>) {
        let rule = rule.into();
        self.violations.push(BrokenRule { member, rule });
    }

    fn finish(&mut self) -> Result<(), EnvelopeError> {
        match std::mem::take(&mut self.violations) {
            none if none.is_empty() => Ok(()),
            violations => Err(EnvelopeError::Violations(violations)),
        }
    }
}

/// Seals a plaintext (JSON of ASCII characters only: see [`json::to_ascii`]) into a JSON body of
/// ASCII characters: one member for a JWE, five for field-level encryption (hex, SHA-256).
pub fn seal(
    kind: EnvelopeKind,
    recipient: &Recipient,
    plaintext: &[u8],
) -> Result<Vec<u8>, SealError> {
    Ok(seal_as(kind.into(), recipient, plaintext)?.body)
}

/// Seals like [`seal`], written as `form` says. An answer takes the form of its request
/// ([`Opened::form`](crate::Opened::form)).
pub fn seal_as(
    form: EnvelopeForm,
    recipient: &Recipient,
    plaintext: &[u8],
) -> Result<Sealed, SealError> {
    match form {
        EnvelopeForm::Jwe => {
            let token = jwe::seal(recipient, plaintext)?;
            let body = format!(r#"{{"{}":"{token}"}}"#, field_level::ENCRYPTED_DATA);
            Ok(Sealed {
                body: body.into_bytes(),
                headers: Vec::new(),
            })
        }
        EnvelopeForm::FieldLevel(form) => field_level::seal(recipient, plaintext, form),
    }
}
