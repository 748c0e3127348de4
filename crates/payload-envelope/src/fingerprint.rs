//! SHA-256 fingerprints of public keys and certificates, as `kid` and `publicKeyFingerprint` carry
//! them.
//!
//! Clients name a key by the digest of its SPKI or of its certificate, in hex or base64, or by its
//! JWK thumbprint, depending on library and configuration.

use ::base64::Engine as _;
use ::base64::engine::general_purpose::STANDARD;
use openssl::error::ErrorStack;
use openssl::hash::MessageDigest;
use openssl::pkey::{HasPublic, PKey, PKeyRef};
use openssl::sha::sha256;
use openssl::x509::X509Ref;
use std::fmt;

use super::base64;
use super::key::{KeyError, PublicNumbers};

/// A SHA-256 digest that names a key. `Display` is 64 lower-case hex digits.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Fingerprint([u8; 32]);

impl Fingerprint {
    /// The digest of a public key's SubjectPublicKeyInfo in DER (RFC 5280, 4.1.2.7).
    pub fn of_public_key<T: HasPublic>(key: &PKeyRef<T>) -> Result<Self, ErrorStack> {
        Ok(Self(sha256(&key.public_key_to_der()?)))
    }

    /// The digest of a whole certificate in DER.
    pub fn of_certificate(certificate: &X509Ref) -> Result<Self, ErrorStack> {
        let mut digest = [0; 32];
        digest.copy_from_slice(&certificate.digest(MessageDigest::sha256())?);
        Ok(Self(digest))
    }

    /// The JWK thumbprint (RFC 7638): what several JOSE libraries put into `kid` by themselves, in
    /// base64url.
    pub fn thumbprint(key: &PublicNumbers) -> Self {
        let required = match key {
            PublicNumbers::Rsa { n, e } => {
                let (e, n) = (base64::encode(e), base64::encode(n));
                format!(r#"{{"e":"{e}","kty":"RSA","n":"{n}"}}"#)
            }
            PublicNumbers::Ec { curve, x, y } => {
                let (curve, x, y) = (curve.name(), base64::encode(x), base64::encode(y));
                format!(r#"{{"crv":"{curve}","kty":"EC","x":"{x}","y":"{y}"}}"#)
            }
        };
        Self(sha256(required.as_bytes()))
    }

    /// The thumbprint of any key.
    ///
    /// # Errors
    /// No payloads are encrypted to such keys.
    pub fn thumbprint_of<T: HasPublic>(key: &PKeyRef<T>) -> Result<Self, KeyError> {
        let public = PKey::public_key_from_der(&key.public_key_to_der()?)?;
        Ok(Self::thumbprint(&PublicNumbers::of(&public)?))
    }

    /// base64url without padding: how JOSE libraries name a key.
    pub fn to_base64url(self) -> String {
        base64::encode(&self.0)
    }

    /// The 32 bytes.
    pub(super) fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// The first 8 bytes, big-endian: enough to tell one's own keys apart in rows that are
    /// many.
    pub fn short(self) -> i64 {
        let [a, b, c, d, e, f, g, h, ..] = self.0;
        i64::from_be_bytes([a, b, c, d, e, f, g, h])
    }

    /// Standard base64 with padding: how some libraries name a certificate.
    pub fn to_base64(self) -> String {
        STANDARD.encode(self.0)
    }

    /// Reads a digest from a hint: 64 hex digits in any case, or base64 of 32 bytes in either
    /// alphabet, with or without padding.
    ///
    /// The length tells the two apart: base64 of 32 bytes has 43 or 44 characters.
    pub fn parse(hint: &str) -> Option<Self> {
        let bytes = if hint.len() == 64 {
            hex::decode(hint).ok()?
        } else {
            base64::decode(hint)?
        };
        bytes.try_into().ok().map(Self)
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}

impl fmt::Debug for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing;
    use openssl::bn::BigNum;
    use openssl::pkey::PKey;
    use openssl::rsa::Rsa;
    use rsa::pkcs8::EncodePublicKey;
    use sha2::{Digest, Sha256};

    #[test]
    fn the_digests_are_those_of_the_der_encodings() {
        let (key, certificate) = (testing::key(0), testing::certificate(0));
        let spki = testing::peer(0)
            .to_public_key()
            .to_public_key_der()
            .unwrap();
        assert_eq!(
            Fingerprint::of_public_key(&key).unwrap().to_string(),
            hex::encode(Sha256::digest(spki.as_bytes()))
        );
        assert_eq!(
            Fingerprint::of_certificate(&certificate)
                .unwrap()
                .to_string(),
            hex::encode(Sha256::digest(certificate.to_der().unwrap()))
        );
    }

    #[test]
    fn the_thumbprint_is_that_of_rfc_7638() {
        // Section 3.1.
        let modulus = concat!(
            "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_B",
            "JECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_F",
            "DW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4",
            "vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw"
        );
        let number = |text: &str| BigNum::from_slice(&base64::decode(text).unwrap()).unwrap();
        let rsa = Rsa::from_public_components(number(modulus), number("AQAB")).unwrap();
        let thumbprint = Fingerprint::thumbprint_of(&PKey::from_rsa(rsa).unwrap()).unwrap();
        let kid = "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs";
        assert_eq!(thumbprint.to_base64url(), kid);
        assert_eq!(Fingerprint::parse(kid), Some(thumbprint));
    }

    #[test]
    fn hints_are_hex_or_base64() {
        let digest = Fingerprint([0xfb; 32]);
        let hex = "fb".repeat(32);
        let standard = "+/v7".repeat(10) + "+/s";
        for hint in [
            hex.clone(),
            hex.to_uppercase(),
            "fB".repeat(32),
            standard.clone(),
            format!("{standard}="),
            standard.replace('+', "-").replace('/', "_"),
            standard.replace('+', "-"),
        ] {
            assert_eq!(Fingerprint::parse(&hint), Some(digest), "{hint}");
        }
        for hint in [
            "",
            "my-key",
            &hex[1..],
            &hex[2..],
            &format!("{hex}fb"),
            &format!(" {hex}"),
            &"g".repeat(64),
            &format!("{standard}=="),
            &format!("{standard}A"),
        ] {
            assert_eq!(Fingerprint::parse(hint), None, "{hint}");
        }
    }
}
