//! Decryption: tag, MAC or padding, with the content key that has unwrapped.

use super::super::codec;
use super::super::report::{Cause, StepId};
use super::super::walk::Walk;
use super::Case;
use super::content::{self, Clear};
use super::raw::{Raw, Scheme};
use super::unwrap::unwrap;
use crate::json;
use zeroize::Zeroizing;

/// What opened.
pub(super) fn opened(case: &Case<'_>) -> String {
    let Some(raw) = &case.raw else {
        return "opened".to_owned();
    };
    let size = codec::count(raw.ciphertext.len(), "byte");
    match &raw.scheme {
        Scheme::Jwe { enc, .. } => format!("{enc}, {size}, the tag matches"),
        Scheme::FieldLevel { .. } => format!("AES-CBC, {size}, the padding is right"),
    }
}

/// The content key is right, and the content does not open.
pub(super) fn refused(walk: &mut Walk, case: &Case<'_>) {
    let Some((raw, cek)) = content_key(case) else {
        walk.not_checked(StepId::Tag, "the content key could not be unwrapped again");
        return;
    };
    let (found, expected, cause) = match &raw.scheme {
        Scheme::Jwe {
            head, header, enc, ..
        } => (
            format!("{enc}, the tag does not match"),
            "a tag over header, IV and ciphertext",
            jwe(raw, &cek, head, header),
        ),
        Scheme::FieldLevel { .. } => (
            "AES-CBC, the padding is wrong".to_owned(),
            "AES in CBC with PKCS#7 padding",
            field_level(raw, &cek),
        ),
    };
    walk.failed(StepId::Tag, found, expected, cause);
}

fn content_key<'a>(case: &'a Case<'_>) -> Option<(&'a Raw, Zeroizing<Vec<u8>>)> {
    let raw = case.raw.as_ref()?;
    let keys = case.known.gateway.iter();
    let mut keys = keys.filter_map(|known| known.key.private());
    let cek = keys.find_map(|key| unwrap(key, raw.declared(), &raw.wrapped))?;
    Some((raw, cek))
}

fn jwe(raw: &Raw, cek: &[u8], head: &str, header: &[u8]) -> Cause {
    let opens = |aad: &[u8], ciphertext: &[u8], tag: &[u8]| {
        content::gcm(cek, &raw.iv, aad, ciphertext, tag).is_ok()
    };
    const AAD: &str = "The additional authenticated data is the first segment of the token, as its \
                       ASCII text.";
    let bare = codec::to_base64url(header);
    let others: [(&str, &[u8]); 4] = [
        ("no additional authenticated data", b""),
        ("the header's JSON text, not its base64url", header),
        (
            "the header encoded in another way than it is sent",
            bare.as_bytes(),
        ),
        (
            "the header with padding",
            &codec::to_base64(header).into_bytes(),
        ),
    ];
    for (what, aad) in others {
        if aad != head.as_bytes() && opens(aad, &raw.ciphertext, &raw.tag) {
            return Cause::new("tag.aad", format!("The client authenticated {what}."), AAD)
                .proven("With it the tag matches.");
        }
    }
    if let Some(at) = raw.ciphertext.len().checked_sub(16) {
        let (ciphertext, tag) = raw.ciphertext.split_at(at);
        for aad in [head.as_bytes(), b""] {
            if opens(aad, ciphertext, tag) {
                return Cause::new(
                    "tag.in_ciphertext",
                    "The tag is at the end of the ciphertext's segment, and something else stands \
                     in its own.",
                    "Cut the last 16 bytes of what the cipher returns (Java's doFinal), and send \
                     them as the fifth segment.",
                )
                .proven("With these 16 bytes as the tag the content opens.");
            }
        }
    }
    Cause::new(
        "tag.mismatch",
        "The content key is right, but the tag does not match: header, IV, ciphertext or tag were \
         changed after encryption, or belong to another message.",
        "Send the five segments of one and the same encryption, and do not write the header anew.",
    )
}

fn field_level(raw: &Raw, cek: &[u8]) -> Cause {
    let is_json = |clear: &[u8]| json::parse_object(clear).is_ok();
    let as_it_is = |clear: Result<Clear, _>| -> Option<Clear> { clear.ok() };
    if let Some(clear) = as_it_is(content::cbc_as_it_is(cek, &raw.iv, &raw.ciphertext)) {
        let text = clear.trim_ascii_end();
        let without = text
            .iter()
            .rposition(|byte| *byte != 0)
            .map_or(0, |at| at + 1);
        if is_json(clear.get(..without).unwrap_or_default()) {
            return Cause::new(
                "tag.zero_padding",
                "The client filled the last block with zeros or blanks.",
                "Use PKCS#7 padding (PKCS5Padding in Java): 1 to 16 bytes, each of which is their \
                 number.",
            )
            .proven("Without them the content is JSON.");
        }
    }
    if let Some(cause) = other_mode(raw, cek) {
        return cause;
    }
    Cause::new(
        "tag.padding",
        "The content key is right, but what decrypts with it has no padding: the ciphertext was \
         cut or changed after encryption, or another key encrypted it.",
        "Send key, IV and ciphertext of one and the same encryption: AES in CBC with PKCS#7 \
         padding.",
    )
}

/// Content that was encrypted in another mode than CBC.
pub(super) fn other_mode(raw: &Raw, cek: &[u8]) -> Option<Cause> {
    if let Ok(clear) = content::ecb_as_it_is(cek, &raw.ciphertext) {
        let padding = clear.last().copied().map_or(0, usize::from);
        let end = clear.len().saturating_sub(padding);
        if json::parse_object(clear.get(..end).unwrap_or_default()).is_ok() {
            return Some(
                Cause::new(
                    "tag.ecb",
                    "The client encrypted in ECB mode.",
                    "Use CBC with the IV that is sent (Java's default for AES is ECB).",
                )
                .proven("In ECB mode the content is JSON."),
            );
        }
    }
    let at = raw.ciphertext.len().checked_sub(16)?;
    let (ciphertext, tag) = raw.ciphertext.split_at(at);
    content::gcm(cek, &raw.iv, b"", ciphertext, tag).ok()?;
    Some(
        Cause::new(
            "tag.gcm",
            "The client encrypted in GCM mode.",
            "Use CBC with PKCS#7 padding for field-level encryption, or send a JWE.",
        )
        .proven("In GCM mode, with the tag at its end, the content opens."),
    )
}
