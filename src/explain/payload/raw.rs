//! A payload read as leniently as its parts can be told apart: for looking, not for accepting.

use super::super::codec;
use super::super::digest::Hash;
use super::super::recorded::Recorded;
use super::unwrap::Wrapping;
use crate::json;
use crate::payload::FieldLevelHeaders;
use serde_json::Value;

/// Which envelope, with what only it has.
pub(super) enum Scheme {
    Jwe {
        /// The header segment as it came: the AAD.
        head: String,
        /// The same, decoded.
        header: Vec<u8>,
        alg: String,
        enc: String,
    },
    FieldLevel {
        digest: Option<String>,
    },
}

/// The parts, decoded.
pub(super) struct Raw {
    pub(super) scheme: Scheme,
    /// `kid` or fingerprint.
    pub(super) hint: Option<String>,
    pub(super) wrapped: Vec<u8>,
    pub(super) iv: Vec<u8>,
    pub(super) ciphertext: Vec<u8>,
    pub(super) tag: Vec<u8>,
}

impl Raw {
    /// `None`: the body has not the parts of either envelope.
    pub(super) fn read(call: &Recorded) -> Option<Self> {
        let body: Value = serde_json::from_slice(json::without_bom(&call.body)).ok()?;
        let data = body.get("encryptedData")?.as_str()?;
        if data.contains('.') {
            return Self::jwe(data);
        }
        let headers = FieldLevelHeaders::collect(|name| call.header(name));
        let member = |name: &str, header: Option<&str>| {
            let member = body.get(name).and_then(Value::as_str).or(header);
            member.map(str::to_owned)
        };
        Some(Self {
            hint: member("publicKeyFingerprint", headers.fingerprint),
            wrapped: either(&member("encryptedKey", headers.encrypted_key)?)?,
            iv: either(&member("iv", headers.iv)?)?,
            ciphertext: either(data)?,
            tag: Vec::new(),
            scheme: Scheme::FieldLevel {
                digest: member("oaepHashingAlgorithm", headers.oaep_digest),
            },
        })
    }

    fn jwe(token: &str) -> Option<Self> {
        let segments: Vec<&str> = token.split('.').collect();
        let [head, wrapped, iv, ciphertext, tag] = segments.as_slice() else {
            return None;
        };
        let header = codec::base64(head)?;
        let parsed: Value = serde_json::from_slice(&header).ok()?;
        let text = |name: &str| {
            let value = parsed.get(name).and_then(Value::as_str);
            value.map(str::to_owned)
        };
        Some(Self {
            hint: text("kid"),
            wrapped: codec::base64(wrapped)?,
            iv: codec::base64(iv)?,
            ciphertext: codec::base64(ciphertext)?,
            tag: codec::base64(tag)?,
            scheme: Scheme::Jwe {
                head: (*head).to_owned(),
                alg: text("alg").unwrap_or_default(),
                enc: text("enc").unwrap_or_default(),
                header,
            },
        })
    }

    /// How the content key is wrapped, by what the message says.
    pub(super) fn declared(&self) -> Wrapping {
        let hash = match &self.scheme {
            Scheme::Jwe { .. } => Hash::Sha256,
            Scheme::FieldLevel { digest } => match digest.as_deref() {
                Some(name) if name.contains("512") => Hash::Sha512,
                _ => Hash::Sha256,
            },
        };
        Wrapping::Oaep(hash, hash)
    }
}

/// Hex where it can be, else base64.
fn either(text: &str) -> Option<Vec<u8>> {
    match codec::is_hex(text) && text.len().is_multiple_of(2) {
        true => hex::decode(text).ok(),
        false => codec::base64(text),
    }
}
