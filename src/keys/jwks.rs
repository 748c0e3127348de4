//! The public gateway keys as a JWK set (RFC 7517), so that clients need no portal.

use crate::payload::{DecryptionKey, KeyRing, KeyState};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use openssl::error::ErrorStack;
use serde_json::{Value, json};

/// The primary key first, then the active ones; `kid` is the hex SHA-256 of the key's SPKI.
pub fn document(ring: &KeyRing) -> Result<Value, ErrorStack> {
    let primary = ring
        .keys()
        .iter()
        .filter(|key| key.state() == KeyState::Primary);
    let active = ring
        .keys()
        .iter()
        .filter(|key| key.state() == KeyState::Active);
    let keys = primary
        .chain(active)
        .map(|key| jwk(key))
        .collect::<Result<Vec<_>, _>>()?;
    Ok(json!({ "keys": keys }))
}

fn jwk(key: &DecryptionKey) -> Result<Value, ErrorStack> {
    let (modulus, exponent) = key.public_numbers()?;
    let mut jwk = json!({
        "kty": "RSA",
        "use": "enc",
        "alg": "RSA-OAEP-256",
        "kid": key.fingerprint().to_string(),
        "n": URL_SAFE_NO_PAD.encode(modulus),
        "e": URL_SAFE_NO_PAD.encode(exponent),
    });
    if let (Some(certificate), Some(members)) = (key.certificate(), jwk.as_object_mut()) {
        members.insert(
            "x5c".to_owned(),
            json!([STANDARD.encode(certificate.to_der()?)]),
        );
    }
    Ok(jwk)
}
