//! The content in clear, where it is no JSON object with unique names.

use super::super::codec;
use super::super::diff::shown;
use super::super::json_text::duplicate;
use super::super::recorded::Recorded;
use super::super::report::{Cause, StepId};
use super::super::walk::Walk;
use super::members::is_token;
use super::raw::Scheme;
use super::unwrap::unwrap;
use super::{Case, content};
use crate::json;
use serde_json::Value;

const EXPECTED: &str = "a JSON object in UTF-8 with each name once";

/// The decrypted content is refused.
pub(super) fn refused(walk: &mut Walk, case: &Case<'_>, text: &[u8]) {
    let rule = match json::parse_object(text) {
        Err(error) => error.to_string(),
        Ok(_) => "must be JSON".to_owned(),
    };
    let cause =
        zero_iv(case).unwrap_or_else(|| broken_text(text, &rule, "decrypted payload", "json"));
    walk.failed(StepId::Json, beginning(text), EXPECTED, cause);
}

/// A body in clear is refused.
pub(super) fn broken_body(walk: &mut Walk, call: &Recorded, error: &json::Error) {
    let cause = broken_text(&call.body, &error.to_string(), "body", "json");
    walk.failed(StepId::Json, beginning(&call.body), EXPECTED, cause);
}

fn beginning(text: &[u8]) -> String {
    let shown_text = shown(text.get(..80).unwrap_or(text));
    match shown_text.as_str() {
        "" => "nothing".to_owned(),
        _ => shown_text,
    }
}

/// Field-level content whose first block alone is garbage: the IV that is sent is not the one that
/// was used.
fn zero_iv(case: &Case<'_>) -> Option<Cause> {
    let raw = case.raw.as_ref()?;
    if !matches!(raw.scheme, Scheme::FieldLevel { .. }) {
        return None;
    }
    let keys = case.known.gateway.iter();
    let mut keys = keys.filter_map(|known| known.key.private());
    let cek = keys.find_map(|key| unwrap(key, raw.declared(), &raw.wrapped))?;
    let clear = content::cbc(&cek, &[0; 16], &raw.ciphertext).ok()?;
    json::parse_object(&clear).ok()?;
    Some(
        Cause::new(
            "iv.zero",
            "The client encrypted with an IV of zeros, and sends another one.",
            "Give the cipher the same random IV that is sent.",
        )
        .proven("With an IV of zeros the content is JSON."),
    )
}

/// Two families of codes: for the body, and for what was in it.
fn code(family: &str, name: &str) -> &'static str {
    match (family, name) {
        ("envelope", "duplicate_member") => "envelope.duplicate_member",
        ("envelope", "utf16") => "envelope.utf16",
        ("envelope", "latin1") => "envelope.latin1",
        ("envelope", "compressed") => "envelope.compressed",
        ("envelope", "not_object") => "envelope.not_object",
        ("envelope", _) => "envelope.not_json",
        (_, "duplicate_member") => "json.duplicate_member",
        (_, "utf16") => "json.utf16",
        (_, "latin1") => "json.latin1",
        (_, "compressed") => "json.compressed",
        (_, "not_object") => "json.not_object",
        (_, "string") => "json.string_in_string",
        (_, "base64") => "json.base64",
        (_, "token") => "json.encrypted_twice",
        (_, "end") => "json.end",
        _ => "json.not_json",
    }
}

/// Why a text is no JSON object; `what` is what the text is.
pub(super) fn broken_text(bytes: &[u8], rule: &str, what: &str, family: &str) -> Cause {
    let cause =
        |name: &str, told: String, advice: &str| Cause::new(code(family, name), told, advice);
    const UTF8: &str = "Turn the JSON text into bytes as UTF-8.";
    let is_json = |text: &str| serde_json::from_str::<Value>(text.trim()).is_ok();
    if bytes.starts_with(b"\x1f\x8b") || bytes.starts_with(b"\x78\x9c") {
        return cause(
            "compressed",
            format!("The {what} is compressed."),
            "Send it as it is.",
        );
    }
    if let Some(text) = utf16(bytes).filter(|text| is_json(text)) {
        let beginning: String = text.chars().take(20).collect();
        return cause("utf16", format!("The {what} is in UTF-16."), UTF8)
            .proven(format!("Read as UTF-16 it is JSON: {beginning}…"));
    }
    let Ok(text) = std::str::from_utf8(json::without_bom(bytes)) else {
        let latin1: String = bytes.iter().map(|byte| char::from(*byte)).collect();
        if is_json(&latin1) {
            return cause("latin1", format!("The {what} is in Latin-1."), UTF8)
                .proven("Read as Latin-1 it is JSON.");
        }
        return cause(
            "not_json",
            format!("The {what} {rule}."),
            "Encrypt JSON text in UTF-8.",
        );
    };
    if rule.contains("name twice") {
        let path = duplicate(text).unwrap_or_default();
        let last = path.rsplit('.').next().unwrap_or_default().to_owned();
        return cause(
            "duplicate_member",
            format!("The {what} has the name {last:?} twice in one object: {rule}."),
            "Send each name once; readers differ in which of two values they take.",
        )
        .with(path, "twice", "must come once");
    }
    if is_token(text.trim()) {
        return cause(
            "token",
            format!("The {what} is a JWE again: it was encrypted twice."),
            "Encrypt once; an interceptor of the client library may do it a second time.",
        );
    }
    match serde_json::from_str::<Value>(text.trim()) {
        Ok(Value::String(inner)) if is_json(&inner) => {
            return cause(
                "string",
                format!("The {what} is a JSON string with JSON in it: it was serialized twice."),
                "Encrypt the JSON object's text, not a string of it.",
            );
        }
        Ok(_) => {
            return cause(
                "not_object",
                format!("The {what} is JSON, but no object."),
                "Send an object: {\"name\": …}.",
            );
        }
        Err(_) => {}
    }
    let decoded = codec::base64(text.trim()).and_then(|bytes| String::from_utf8(bytes).ok());
    if decoded.is_some_and(|text| is_json(&text)) {
        return cause(
            "base64",
            format!("The {what} is base64 of JSON."),
            "Encrypt the JSON text itself.",
        )
        .proven("Decoded it is JSON.");
    }
    let trimmed = text.trim_end_matches(|c: char| c == '\0' || c.is_control());
    if trimmed.len() < text.len() && is_json(trimmed) {
        return cause(
            "end",
            format!(
                "The {what} has {} behind the JSON: padding that was not asked for.",
                codec::count(text.len() - trimmed.len(), "control character")
            ),
            "Encrypt the text alone; the cipher pads by itself.",
        )
        .proven("Without them it is JSON.");
    }
    cause(
        "not_json",
        format!("The {what} {rule}."),
        "Write it with a JSON library: double quotes, no comma after the last member, no comments.",
    )
}

/// Text in UTF-16, with or without a mark.
fn utf16(bytes: &[u8]) -> Option<String> {
    if bytes.len() < 4 || !bytes.len().is_multiple_of(2) {
        return None;
    }
    let little = bytes.starts_with(b"\xFF\xFE") || bytes.get(1) == Some(&0);
    let big = bytes.starts_with(b"\xFE\xFF") || bytes.first() == Some(&0);
    if !little && !big {
        return None;
    }
    let pairs = bytes.as_chunks::<2>().0.iter();
    let units: Vec<u16> = match little {
        true => pairs.map(|pair| u16::from_le_bytes(*pair)).collect(),
        false => pairs.map(|pair| u16::from_be_bytes(*pair)).collect(),
    };
    let text = String::from_utf16(&units).ok()?;
    Some(text.trim_start_matches('\u{feff}').to_owned())
}
