//! The client's side: `Authorization` headers as official libraries write them.

use super::base_string::{ESCAPED, Message};
use super::header::{is_consumer_key, is_nonce};
use super::{PublicOrigin, SetupError, SignatureMethod, body_hash, verify};
use base64::{Engine as _, prelude::BASE64_STANDARD};
use openssl::error::ErrorStack;
use openssl::pkey::{PKey, Private};
use percent_encoding::utf8_percent_encode;
use std::fmt;
use std::time::{SystemTime, UNIX_EPOCH};

/// Why a request could not be signed.
#[derive(Debug, thiserror::Error)]
pub enum SignError {
    /// The key is not usable, or the URL's origin is malformed.
    #[error(transparent)]
    Setup(#[from] SetupError),
    /// The URL has a fragment, an `oauth_*` parameter in its query, or more than 8 KiB.
    #[error("the URL cannot be signed: no fragment, no oauth_ parameter, at most 8 KiB")]
    Url,
    /// 1..=256 visible ASCII characters other than `" % & \`, which a bare header value cannot
    /// hold.
    #[error("the consumer key cannot be written into a header")]
    ConsumerKey,
    /// 1..=128 letters, digits and `-._~+/=`.
    #[error("malformed nonce")]
    Nonce,
    /// OpenSSL failed.
    #[error("signing failed: {0}")]
    OpenSsl(#[from] ErrorStack),
}

/// A client's private key with its consumer key. `Debug` shows neither.
pub struct SigningKey {
    key: PKey<Private>,
    consumer_key: String,
}

impl SigningKey {
    /// Takes an RSA key of at least 2048 bits and the consumer key (`client_id!hex`) it belongs to.
    pub fn from_private_key(key: PKey<Private>, consumer_key: String) -> Result<Self, SignError> {
        verify::check_rsa(&key)?;
        if !is_consumer_key(&consumer_key) || consumer_key.contains(['"', '%', '&', '\\']) {
            return Err(SignError::ConsumerKey);
        }
        Ok(Self { key, consumer_key })
    }

    /// The `Authorization` header's value for a request, with the current time and a random nonce.
    ///
    /// `method` in upper case; `url` whole, escaped as it goes over the wire; `body` the bytes that
    /// are sent, empty if there are none.
    pub fn sign(
        &self,
        method: &str,
        url: &str,
        body: &[u8],
        signature_method: SignatureMethod,
    ) -> Result<String, SignError> {
        let now = SystemTime::now().duration_since(UNIX_EPOCH);
        let now = now.map_or(0, |elapsed| elapsed.as_secs());
        let timestamp = i64::try_from(now).unwrap_or(i64::MAX);
        self.sign_at(
            method,
            url,
            body,
            signature_method,
            timestamp,
            &random_nonce()?,
        )
    }

    /// The same with a given timestamp (seconds since 1970, UTC) and nonce.
    pub fn sign_at(
        &self,
        method: &str,
        url: &str,
        body: &[u8],
        signature_method: SignatureMethod,
        timestamp: i64,
        nonce: &str,
    ) -> Result<String, SignError> {
        if !is_nonce(nonce) {
            return Err(SignError::Nonce);
        }
        let (origin, path, query) = split(url)?;
        let body_hash = body_hash::of(body);
        let timestamp = timestamp.to_string();
        let parameters = [
            ("oauth_consumer_key", self.consumer_key.as_str()),
            ("oauth_nonce", nonce),
            ("oauth_timestamp", &timestamp),
            ("oauth_signature_method", signature_method.name()),
            ("oauth_version", "1.0"),
            ("oauth_body_hash", &body_hash),
        ];
        let message = Message::new(method, path, query, parameters.to_vec())
            .map_err(|_| SignError::Url)?
            .to_sign(&origin);
        let signature =
            BASE64_STANDARD.encode(verify::sign(&self.key, signature_method, &message)?);

        let mut header = String::from("OAuth ");
        for (name, value) in parameters {
            header.push_str(&format!(r#"{name}="{value}","#));
        }
        let signature = utf8_percent_encode(&signature, ESCAPED);
        header.push_str(&format!(r#"oauth_signature="{signature}""#));
        Ok(header)
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SigningKey(…)")
    }
}

/// Origin, path and query of a whole URL.
fn split(url: &str) -> Result<(PublicOrigin, &str, Option<&str>), SignError> {
    if url.contains('#') {
        return Err(SignError::Url);
    }
    let (before_query, query) = match url.split_once('?') {
        Some((before, query)) => (before, Some(query)),
        None => (url, None),
    };
    let authority = before_query.find("://").map_or(0, |at| at + "://".len());
    let path = before_query
        .get(authority..)
        .and_then(|rest| rest.find('/'));
    let (origin, path) = match path {
        Some(at) => before_query.split_at(authority + at),
        None => (before_query, ""),
    };
    Ok((PublicOrigin::parse(origin)?, path, query))
}

/// 16 lower-case letters and digits: 80 random bits.
fn random_nonce() -> Result<String, ErrorStack> {
    let mut bytes = [0; 16];
    openssl::rand::rand_bytes(&mut bytes)?;
    let digits = bytes.into_iter();
    Ok(digits
        .filter_map(|byte| char::from_digit(u32::from(byte % 32), 32))
        .collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use openssl::rsa::Rsa;

    fn key() -> PKey<Private> {
        PKey::from_rsa(Rsa::generate(2048).unwrap()).unwrap()
    }

    #[test]
    fn headers_look_like_those_of_official_libraries() {
        let key = SigningKey::from_private_key(key(), "client!0a".into()).unwrap();
        let url = "https://h/cts/issuers?lang=en-US";
        let header = key
            .sign_at(
                "POST",
                url,
                b"{}",
                SignatureMethod::RsaPss,
                1_700_000_000,
                "abcdefgh",
            )
            .unwrap();
        let (fixed, signature) = header.split_once(r#",oauth_signature=""#).unwrap();
        assert_eq!(
            fixed,
            r#"OAuth oauth_consumer_key="client!0a",oauth_nonce="abcdefgh",oauth_timestamp="1700000000",oauth_signature_method="RSA-PSS",oauth_version="1.0",oauth_body_hash="RBNvo1WzZ4oRRq0W9+hknpT7T8If536DEMBg9hyq/4o=""#
        );
        assert!(signature.ends_with("%3D%3D\""), "{signature}");
        assert!(!signature.contains(['+', '/', '=']), "{signature}");
        assert_eq!(format!("{key:?}"), "SigningKey(…)");
    }

    #[test]
    fn nonces_are_random_letters_and_digits() {
        let nonce = random_nonce().unwrap();
        assert_eq!(nonce.len(), 16);
        assert!(nonce.bytes().all(|b| b.is_ascii_alphanumeric()));
        assert_ne!(nonce, random_nonce().unwrap());
    }

    #[test]
    fn urls_are_split_without_touching_them() {
        for (url, origin, path, query) in [
            ("https://H:443", "https://h", "", None),
            ("http://h:80/?", "http://h", "/", Some("")),
            (
                "https://h/a%2Fb//c/?x=/y?z",
                "https://h",
                "/a%2Fb//c/",
                Some("x=/y?z"),
            ),
            ("https://h?x", "https://h", "", Some("x")),
        ] {
            let (parsed, got_path, got_query) = split(url).unwrap();
            assert_eq!(
                (parsed.as_str(), got_path, got_query),
                (origin, path, query)
            );
        }
    }

    #[test]
    fn what_cannot_be_signed_is_refused() {
        for consumer_key in ["", "a b", "a\"b", "a%21", "a&b", "é"] {
            let refused = SigningKey::from_private_key(key(), consumer_key.into());
            assert!(
                matches!(refused, Err(SignError::ConsumerKey)),
                "{consumer_key}"
            );
        }
        let short = PKey::from_rsa(Rsa::generate(1024).unwrap()).unwrap();
        let refused = SigningKey::from_private_key(short, "k".into());
        assert!(matches!(
            refused,
            Err(SignError::Setup(SetupError::KeyTooShort(1024)))
        ));

        let key = SigningKey::from_private_key(key(), "k".into()).unwrap();
        let sign = |url, nonce| key.sign_at("GET", url, b"", SignatureMethod::RsaSha256, 1, nonce);
        assert!(matches!(sign("https://h/", ""), Err(SignError::Nonce)));
        assert!(matches!(sign("https://h/#x", "n"), Err(SignError::Url)));
        assert!(matches!(
            sign("https://h/?oauth_x=1", "n"),
            Err(SignError::Url)
        ));
        assert!(matches!(sign("h/path", "n"), Err(SignError::Setup(_))));
        assert!(
            key.sign("GET", "https://h/", b"", SignatureMethod::RsaSha256)
                .is_ok()
        );
    }
}
