//! The public gateway keys as a JWK set (RFC 7517), so that clients need no portal.

use crate::payload::{DecryptionKey, KeyError, KeyRing, KeyState, PublicNumbers};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use serde_json::{Value, json};

/// The primary keys first, RSA before EC, then the active ones; `kid` is the hex SHA-256 of the
/// key's SPKI.
pub fn document(ring: &KeyRing) -> Result<Value, KeyError> {
    let primary = ring.primaries().iter();
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

fn jwk(key: &DecryptionKey) -> Result<Value, KeyError> {
    let encode = |bytes: Vec<u8>| URL_SAFE_NO_PAD.encode(bytes);
    let kid = key.fingerprint().to_string();
    let mut jwk = match key.public_numbers()? {
        PublicNumbers::Rsa { n, e } => json!({
            "kty": "RSA",
            "use": "enc",
            "alg": "RSA-OAEP-256",
            "kid": kid,
            "n": encode(n),
            "e": encode(e),
        }),
        PublicNumbers::Ec { curve, x, y } => json!({
            "kty": "EC",
            "use": "enc",
            "alg": "ECDH-ES+A256KW",
            "kid": kid,
            "crv": curve.name(),
            "x": encode(x),
            "y": encode(y),
        }),
    };
    if let (Some(certificate), Some(members)) = (key.certificate(), jwk.as_object_mut()) {
        members.insert(
            "x5c".to_owned(),
            json!([STANDARD.encode(certificate.to_der()?)]),
        );
    }
    Ok(jwk)
}
