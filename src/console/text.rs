//! Bodies, headers and times as people read them.

use crate::payload::EnvelopeKind;
use crate::recording::{Body, RecordedCall};
use percent_encoding::percent_decode_str;
use serde_json::Value;
use std::time::Duration;

/// A body as text: JSON indented, anything else as it is. Bytes that are no text become U+FFFD.
pub(super) fn pretty(body: &Body) -> String {
    let mut text = match serde_json::from_slice::<Value>(body.bytes()) {
        Ok(json) => format!("{json:#}"),
        Err(_) => String::from_utf8_lossy(body.bytes()).into_owned(),
    };
    if !body.is_whole() {
        let missing = body.length() - body.bytes().len();
        text.push_str(&format!("\n… {missing} more bytes were not kept"));
    }
    text
}

/// `1.25 ms`
pub(super) fn milliseconds(time: Duration) -> String {
    let milliseconds = time.as_secs_f64() * 1_000.0;
    match milliseconds {
        ms if ms >= 100.0 => format!("{ms:.0} ms"),
        ms if ms >= 10.0 => format!("{ms:.1} ms"),
        ms => format!("{ms:.2} ms"),
    }
}

/// The client id that a call claims, proven or not.
pub fn claimed_client_id(authorization: &str) -> Option<String> {
    let (_, after) = authorization.split_once("oauth_consumer_key=\"")?;
    let (value, _) = after.split_once('"')?;
    let value = percent_decode_str(value).decode_utf8().ok()?;
    let (client_id, _) = value.split_once('!')?;
    Some(client_id.to_owned())
}

/// The `ReasonCode`s of an answer.
pub(super) fn reason_codes(call: &RecordedCall) -> Vec<String> {
    let body: Option<Value> = serde_json::from_slice(call.answer.body.bytes()).ok();
    let errors = body.as_ref().and_then(|body| body.pointer("/Errors/Error"));
    let errors = errors.and_then(Value::as_array);
    let codes = errors.into_iter().flatten();
    let codes = codes.filter_map(|error| error.get("ReasonCode")?.as_str());
    let mut codes: Vec<_> = codes.map(str::to_owned).collect();
    codes.dedup();
    codes
}

/// What a sealed body says of itself.
pub(super) struct SealedAs {
    pub(super) kind: EnvelopeKind,
    /// `kid`, or the fingerprint of field-level encryption.
    pub(super) key: Option<String>,
}

/// Reads the envelope of a body, if it is one, without opening anything.
pub(super) fn sealed_as(body: &Body) -> Option<SealedAs> {
    let json: Value = serde_json::from_slice(body.bytes()).ok()?;
    let data = json.get("encryptedData")?.as_str()?;
    if !data.contains('.') {
        let key = json.get("publicKeyFingerprint").and_then(Value::as_str);
        return Some(SealedAs {
            kind: EnvelopeKind::FieldLevel,
            key: key.map(str::to_owned),
        });
    }
    Some(SealedAs {
        kind: EnvelopeKind::Jwe,
        key: kid(data.split('.').next()?),
    })
}

fn kid(header: &str) -> Option<String> {
    use base64::Engine;
    let url_safe = header.trim_end_matches('=').replace('+', "-");
    let url_safe = url_safe.replace('/', "_");
    let header = base64::engine::general_purpose::URL_SAFE_NO_PAD
        .decode(url_safe)
        .ok()?;
    let header: Value = serde_json::from_slice(&header).ok()?;
    Some(header.get("kid")?.as_str()?.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_envelope_is_known_by_its_members() {
        let sealed = |json: &str| sealed_as(&Body::capped(json.as_bytes()));
        assert!(sealed("{}").is_none() && sealed("no JSON").is_none());
        let jwe = sealed(r#"{"encryptedData":"eyJraWQiOiJhYmMifQ.x.y.z.t"}"#).unwrap();
        assert!(jwe.kind == EnvelopeKind::Jwe && jwe.key.as_deref() == Some("abc"));
        let field_level = r#"{"encryptedData":"00ff","publicKeyFingerprint":"f"}"#;
        let field_level = sealed(field_level).unwrap();
        assert!(field_level.kind == EnvelopeKind::FieldLevel);
        assert_eq!(field_level.key.as_deref(), Some("f"));
    }

    #[test]
    fn the_claimed_issuer_stands_before_the_mark() {
        for header in [
            r#"OAuth oauth_consumer_key="abc!def",oauth_nonce="n""#,
            r#"OAuth oauth_nonce="n", oauth_consumer_key="abc%21def""#,
        ] {
            assert_eq!(claimed_client_id(header).as_deref(), Some("abc"));
        }
        assert_eq!(claimed_client_id("Bearer x"), None);
    }

    #[test]
    fn times_have_three_digits() {
        for (micros, text) in [
            (7, "0.01 ms"),
            (1_254, "1.25 ms"),
            (12_345, "12.3 ms"),
            (123_456, "123 ms"),
        ] {
            assert_eq!(milliseconds(Duration::from_micros(micros)), text);
        }
    }
}
