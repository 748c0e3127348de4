//! How a payload is written: the choices that an answer takes over from its request.

use std::borrow::Cow;

use crate::base64;
use crate::envelope::EnvelopeKind;
use crate::field_level::OAEP_DIGEST_HEADERS;
use crate::oaep::OaepDigest;

/// The text form of the three binary values of field-level encryption.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Encoding {
    /// Hexadecimal; we write lower case.
    #[default]
    Hex,
    /// Standard base64 with padding (RFC 4648, section 4).
    Base64,
    /// base64url without padding (RFC 4648, section 5): Mastercard's Go library reads nothing else.
    Base64Url,
}

impl Encoding {
    const ALL: [Self; 3] = [Self::Hex, Self::Base64, Self::Base64Url];

    /// The name in configuration: `hex`, `base64` or `base64url`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Hex => "hex",
            Self::Base64 => "base64",
            Self::Base64Url => "base64url",
        }
    }

    /// Reads such a name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|known| known.as_str() == name)
    }

    /// The encoding of a message, told by the length of its IV: 16 bytes are 32 characters in hex,
    /// 24 in padded and 22 in unpadded base64.
    pub(crate) fn of_iv(characters: usize) -> Option<Self> {
        match characters {
            32 => Some(Self::Hex),
            24 => Some(Self::Base64),
            22 => Some(Self::Base64Url),
            _ => None,
        }
    }

    /// Decodes leniently: hex in any case; either alphabet of base64, with or without padding.
    pub(crate) fn decode(self, text: &str) -> Option<Vec<u8>> {
        match self {
            Self::Hex => hex::decode(text).ok(),
            Self::Base64 | Self::Base64Url => base64::decode(text),
        }
    }

    pub(crate) fn encode(self, bytes: &[u8]) -> String {
        match self {
            Self::Hex => hex::encode(bytes),
            Self::Base64 => base64::encode_padded(bytes),
            Self::Base64Url => base64::encode(bytes),
        }
    }
}

/// By which of their usual names the parameters of a field-level message travel as HTTP headers.
/// IV and wrapped key have one name each.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct HeaderNames {
    /// One of [`OAEP_DIGEST_HEADERS`].
    pub oaep_digest: &'static str,
    /// One of [`FINGERPRINT_HEADERS`](crate::field_level::FINGERPRINT_HEADERS); `None`: the sender
    /// names no key, and is told none.
    pub fingerprint: Option<&'static str>,
}

impl Default for HeaderNames {
    fn default() -> Self {
        let [oaep_digest, _] = OAEP_DIGEST_HEADERS;
        Self {
            oaep_digest,
            fingerprint: None,
        }
    }
}

/// How a field-level message is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct FieldLevelForm {
    /// Of ciphertext, IV and wrapped key.
    pub encoding: Encoding,
    /// Of the OAEP padding.
    pub digest: OaepDigest,
    /// The parameters travel as HTTP headers with these names; `None`: as members of the body.
    pub headers: Option<HeaderNames>,
}

/// How a payload is written, in either envelope.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum EnvelopeForm {
    /// Compact JWE, which has one form alone.
    Jwe,
    /// Field-level encryption.
    FieldLevel(FieldLevelForm),
}

impl EnvelopeForm {
    /// Which of the two envelopes.
    pub fn kind(self) -> EnvelopeKind {
        match self {
            Self::Jwe => EnvelopeKind::Jwe,
            Self::FieldLevel(_) => EnvelopeKind::FieldLevel,
        }
    }
}

/// Field-level encryption in hex with SHA-256, all in the body: what every client can be set to.
impl From<EnvelopeKind> for EnvelopeForm {
    fn from(kind: EnvelopeKind) -> Self {
        match kind {
            EnvelopeKind::Jwe => Self::Jwe,
            EnvelopeKind::FieldLevel => Self::FieldLevel(FieldLevelForm::default()),
        }
    }
}

/// A sealed payload, ready to be sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sealed {
    /// The JSON body, of ASCII characters only.
    pub body: Vec<u8>,
    /// Lower-case names and ASCII values; empty unless the form says that parameters travel as
    /// headers.
    pub headers: Vec<(&'static str, Cow<'static, str>)>,
}
