//! The members of an envelope that are there and cannot be read: encodings, lengths, algorithms.

use super::super::codec;
use super::super::diff::{shown, visible};
use super::super::report::{Cause, StepId};
use super::envelope::short;
use super::raw::Scheme;
use super::unwrap::unwrap;
use super::{Case, tag};
use crate::json as strict;
use crate::payload::CryptoReason;
use crate::payload::field_level::{ENCRYPTED_DATA, ENCRYPTED_KEY, ENCRYPTED_KEY_HEADER, IV};
use serde_json::Value;

/// The step that fails, what came, what was expected, and why.
pub(super) type Unreadable = (StepId, String, String, Cause);

/// The members are there, and cannot be read.
pub(super) fn unreadable(case: &Case<'_>, reason: CryptoReason) -> Unreadable {
    let body: Option<Value> = serde_json::from_slice(strict::without_bom(&case.call.body)).ok();
    let member = |name: &str| {
        let value = body.as_ref().and_then(|body| body.get(name));
        let text = value.and_then(Value::as_str);
        text.or_else(|| match name {
            IV => case.call.header("x-iv"),
            ENCRYPTED_KEY => case.call.header(ENCRYPTED_KEY_HEADER),
            _ => None,
        })
        .unwrap_or_default()
        .to_owned()
    };
    let data = member(ENCRYPTED_DATA);
    if data.contains('.') {
        return jwe(case, reason, &data);
    }
    let parts = [ENCRYPTED_DATA, IV, ENCRYPTED_KEY].map(|name| (name, member(name)));
    field_level(case, reason, &parts)
}

fn jwe(case: &Case<'_>, reason: CryptoReason, token: &str) -> Unreadable {
    const NAMES: [&str; 5] = ["header", "encrypted key", "IV", "ciphertext", "tag"];
    let segments: Vec<&str> = token.split('.').collect();
    let header = segments
        .first()
        .and_then(|head| codec::base64(head))
        .and_then(|bytes| serde_json::from_slice::<Value>(&bytes).ok());
    let header_member = |name: &str| {
        let value = header.as_ref().and_then(|header| header.get(name));
        value.map_or_else(|| "absent".to_owned(), short)
    };
    let raw = case.raw.as_ref();
    let step = StepId::Envelope;
    match reason {
        CryptoReason::SegmentCount => {
            let count = segments.len();
            let what = match count {
                3 => "The token has three segments: it is signed (JWS), not encrypted (JWE).",
                _ => "The token has not five segments: it was cut, or is not in compact form.",
            };
            let cause = Cause::new(
                "jwe.segments",
                what,
                "Send the compact serialization: header, encrypted key, IV, ciphertext and tag, \
                 joined by dots.",
            );
            let found = codec::count(count, "segment");
            (step, found, "5 segments".to_owned(), cause)
        }
        CryptoReason::Encoding => {
            let bad = segments
                .iter()
                .zip(NAMES)
                .find_map(|(text, name)| Some((name, *text, fault(text)?)));
            let (name, text, fault) = bad.unwrap_or(("token", token, Fault::Bits));
            let cause = encoding("jwe", name, text, &fault);
            let found = short(&text.into());
            (
                step,
                format!("{name}: {found}"),
                "base64url".to_owned(),
                cause,
            )
        }
        CryptoReason::HeaderMember => {
            let names = ["zip", "crit", "p2c", "jku", "x5u"];
            let present: Vec<&str> = names
                .into_iter()
                .filter(|name| header.as_ref().is_some_and(|h| h.get(*name).is_some()))
                .collect();
            let cause = Cause::new(
                "jwe.header_member",
                format!("The JWE header has {}.", present.join(", ")),
                "Leave it out: compression, critical extensions and key addresses are refused.",
            );
            let found = header.as_ref().map_or(String::new(), Value::to_string);
            (step, found, "alg, enc, kid, cty".to_owned(), cause)
        }
        CryptoReason::Algorithm => algorithm(&header_member("alg"), &header_member("enc")),
        CryptoReason::EphemeralKey => {
            let cause = Cause::new(
                "jwe.epk",
                "The ephemeral key epk is missing, malformed, or no point of its curve.",
                "Let the library make a new key on the curve of the gateway's key, and send it as \
                 {\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"…\",\"y\":\"…\"}.",
            );
            (
                step,
                header_member("epk"),
                "a point of P-256 or P-384".to_owned(),
                cause,
            )
        }
        CryptoReason::KeyHint => {
            let cause = Cause::new(
                "jwe.kid_type",
                "The kid of the JWE header is no string.",
                "Send the fingerprint as a string, or leave kid out.",
            );
            (step, header_member("kid"), "a string".to_owned(), cause)
        }
        CryptoReason::IvLength => {
            let length = raw.map_or(0, |raw| raw.iv.len());
            let cause = Cause::new(
                "iv.length",
                format!("The IV has {}.", codec::count(length, "byte")),
                "Make a random IV of 12 bytes for GCM (16 are taken, too), of 16 for CBC. A text \
                 in hex must be decoded first.",
            );
            let found = codec::count(length, "byte");
            (StepId::Iv, found, "12 or 16 bytes".to_owned(), cause)
        }
        CryptoReason::TagLength => {
            let tag = segments.get(4).copied().unwrap_or_default();
            let length = codec::base64(tag).map_or(0, |tag| tag.len());
            let cause = Cause::new(
                "tag.length",
                format!("The tag has {}: it was cut.", codec::count(length, "byte")),
                "Send all 16 bytes of the tag (GCMParameterSpec(128, iv) in Java, authTagLength \
                 16 in Node).",
            );
            let found = codec::count(length, "byte");
            (StepId::Iv, found, "16 bytes".to_owned(), cause)
        }
        CryptoReason::CiphertextLength => {
            let length = raw.map_or(0, |raw| raw.ciphertext.len());
            ciphertext_length(length, None)
        }
        _ => {
            let cause = Cause::new(
                "jwe.header",
                "The first segment of the token is no JSON object with alg and enc, each once.",
                "Begin the token with base64url of {\"alg\":\"RSA-OAEP-256\",\"enc\":\"A256GCM\",\
                 \"kid\":\"…\"}, without a byte order mark.",
            );
            let head = segments.first().copied().unwrap_or_default();
            let decoded = codec::base64(head).map(|bytes| shown(&bytes));
            let found = decoded.unwrap_or_else(|| short(&head.into()));
            (step, found, "a JSON object".to_owned(), cause)
        }
    }
}

fn algorithm(alg: &str, enc: &str) -> Unreadable {
    let found = format!("alg {alg}, enc {enc}");
    let expected = "alg RSA-OAEP-256 with enc A256GCM, A192GCM, A128GCM or A128CBC-HS256; alg \
                    ECDH-ES or ECDH-ES+A256KW with enc A256GCM"
        .to_owned();
    let cause = match alg {
        "RSA-OAEP-256" | "ECDH-ES" | "ECDH-ES+A256KW" => Cause::new(
            "jwe.enc",
            format!("The content encryption {enc} is not accepted."),
            "Use A256GCM.",
        ),
        "RSA-OAEP" => Cause::new(
            "jwe.alg",
            "alg is RSA-OAEP, which is OAEP with SHA-1.",
            "Use RSA-OAEP-256: OAEP with SHA-256, also for MGF1.",
        ),
        "RSA1_5" => Cause::new(
            "jwe.alg",
            "alg is RSA1_5, the padding PKCS#1 v1.5.",
            "Use RSA-OAEP-256.",
        ),
        other => Cause::new(
            "jwe.alg",
            format!("alg is {other}."),
            "Use RSA-OAEP-256: a random content key, encrypted to the gateway's certificate.",
        ),
    };
    (StepId::Envelope, found, expected, cause)
}

fn ciphertext_length(length: usize, other: Option<Cause>) -> Unreadable {
    let cause = other.unwrap_or_else(|| {
        Cause::new(
            "iv.ciphertext_length",
            format!(
                "The ciphertext has {}: not whole blocks of 16, so it was cut, or is not AES-CBC \
                 with padding.",
                codec::count(length, "byte")
            ),
            "Send all of the ciphertext: AES in CBC with PKCS#7 padding makes whole blocks.",
        )
    });
    let found = codec::count(length, "byte");
    (
        StepId::Iv,
        found,
        "a multiple of 16, and not empty".to_owned(),
        cause,
    )
}

/// What is wrong with a text that should be base64.
enum Fault {
    /// It ends inside of a group.
    Cut,
    /// A character that is not of the alphabet, at this place from 1.
    Character(usize, char),
    /// Bits after the last byte, or partial padding.
    Bits,
}

/// `None`: the gateway's parser reads it, too.
fn fault(text: &str) -> Option<Fault> {
    let legal = |c: char| c.is_ascii_alphanumeric() || "+/-_=".contains(c);
    if let Some((place, c)) = codec::foreign(text, legal) {
        return Some(Fault::Character(place, c));
    }
    let bare = text.trim_end_matches('=');
    if bare.len() % 4 == 1 {
        return Some(Fault::Cut);
    }
    let standard = bare.replace('-', "+").replace('_', "/");
    let decoded = codec::base64(&standard)?;
    let again = codec::to_base64(&decoded);
    let same = again.trim_end_matches('=') == standard;
    let padded = bare.len() == text.len() || again.len() == text.len();
    (!same || !padded).then_some(Fault::Bits)
}

fn encoding(kind: &str, name: &str, text: &str, fault: &Fault) -> Cause {
    let (code, what) = match (kind, fault) {
        ("jwe", Fault::Cut) => (
            "jwe.base64_cut",
            format!(
                "The {name} was cut: its base64 has {}, which no number of bytes has.",
                codec::count(text.len(), "character")
            ),
        ),
        ("jwe", Fault::Character(place, c)) => (
            "jwe.base64",
            format!(
                "The {name} is not base64: character {place} is {:?}.",
                visible(&c.to_string())
            ),
        ),
        ("jwe", Fault::Bits) => (
            "jwe.base64_cut",
            format!(
                "The {name} was cut: bits are left over after its last byte, or padding is missing."
            ),
        ),
        (_, Fault::Character(place, c)) => (
            "field_level.encoding",
            format!(
                "{name} is not in the encoding of the IV: character {place} is {:?}.",
                visible(&c.to_string())
            ),
        ),
        _ => (
            "field_level.cut",
            format!(
                "{name} was cut: {} are no whole bytes.",
                codec::count(text.len(), "character")
            ),
        ),
    };
    Cause::new(
        code,
        what,
        "Send the text whole, in one line, as the library made it.",
    )
}

fn field_level(case: &Case<'_>, reason: CryptoReason, parts: &[(&str, String)]) -> Unreadable {
    let text = |wanted: &str| {
        let part = parts.iter().find(|(name, _)| *name == wanted);
        part.map_or("", |(_, text)| text.as_str())
    };
    let iv = text(IV);
    match reason {
        CryptoReason::Digest => {
            let digest = case.raw.as_ref().and_then(|raw| match &raw.scheme {
                Scheme::FieldLevel { digest } => digest.clone(),
                Scheme::Jwe { .. } => None,
            });
            let digest = digest.unwrap_or_default();
            let cause = Cause::new(
                "field_level.digest_name",
                format!("oaepHashingAlgorithm is {digest:?}."),
                "Send SHA256 or SHA-256 (or SHA512), and wrap the key with it.",
            );
            let expected = "SHA256 or SHA512".to_owned();
            (StepId::Envelope, digest, expected, cause)
        }
        CryptoReason::IvLength => {
            let bytes = match codec::is_hex(iv) {
                true => iv.len() / 2,
                false => codec::base64(iv).map_or(0, |bytes| bytes.len()),
            };
            let cause = Cause::new(
                "iv.length",
                format!(
                    "The IV has {} in {}.",
                    codec::count(bytes, "byte"),
                    codec::count(iv.len(), "character")
                ),
                "Make a random IV of 16 bytes, and send it in hex (32 characters) or base64 (24, \
                 or 22 without padding).",
            );
            let expected = "16 bytes".to_owned();
            (StepId::Iv, visible(iv), expected, cause)
        }
        CryptoReason::CiphertextLength => {
            let length = case.raw.as_ref().map_or(0, |raw| raw.ciphertext.len());
            ciphertext_length(length, in_another_mode(case))
        }
        _ => {
            let hex = iv.len() == 32;
            let encoding_name = if hex { "hex" } else { "base64" };
            for (name, text) in parts {
                let mixed = match hex {
                    true => !codec::is_hex(text) && codec::base64(text).is_some(),
                    false => false,
                };
                let broken = match hex {
                    true if mixed => None,
                    true => match codec::foreign(text, |c| c.is_ascii_hexdigit()) {
                        Some((place, c)) => Some(Fault::Character(place, c)),
                        None => (text.len() % 2 == 1).then_some(Fault::Cut),
                    },
                    false => fault(text),
                };
                let cause = match broken {
                    _ if mixed => Cause::new(
                        "field_level.encoding",
                        format!("The IV is in hex, and {name} in base64."),
                        "Encode ciphertext, IV and wrapped key in one and the same way.",
                    ),
                    Some(fault) => encoding("field_level", name, text, &fault),
                    None => continue,
                };
                let found = format!("{name}: {}", short(&text.as_str().into()));
                return (StepId::Envelope, found, encoding_name.to_owned(), cause);
            }
            let cause = Cause::new(
                "field_level.encoding",
                "A member of the envelope is not in the encoding of the IV.",
                "Encode ciphertext, IV and wrapped key in one and the same way.",
            );
            (
                StepId::Envelope,
                "another encoding".to_owned(),
                encoding_name.to_owned(),
                cause,
            )
        }
    }
}

/// Where the content opens in a mode that makes no whole blocks.
fn in_another_mode(case: &Case<'_>) -> Option<Cause> {
    let raw = case.raw.as_ref()?;
    let keys = case.known.gateway.iter();
    let mut keys = keys.filter_map(|known| known.key.private());
    let cek = keys.find_map(|key| unwrap(key, raw.declared(), &raw.wrapped))?;
    tag::other_mode(raw, &cek)
}
