//! Verification as a whole, against base strings written by hand and signed by the `rsa` crate:
//! neither the escaping nor the signing here is the module's own.

mod queries;
mod rejections;
mod round_trip;
mod vectors;
mod work;

use super::*;
use openssl::pkey::PKey;
use openssl::rsa::Rsa;
use rsa::pkcs1v15;
use rsa::pkcs8::DecodePrivateKey as _;
use rsa::pss;
use rsa::rand_core::OsRng;
use rsa::sha2::{Digest as _, Sha256};
use rsa::signature::{RandomizedSigner as _, SignatureEncoding as _, Signer as _};
use std::sync::LazyLock;

const NOW: i64 = 1_700_000_000;
const NONCE: &str = "Ab3dEf9h";
const CONSUMER_KEY: &str = "fjl2fxzsYl1OpvxkBItC9nVw1PSQc_b-eQMcmQFg011ab4b5!0a0a0a0a";

/// A key pair that signs through the `rsa` crate.
struct Pair {
    private: rsa::RsaPrivateKey,
    pkcs8: Vec<u8>,
    public: VerifyingKey,
}

static KEY: LazyLock<Pair> = LazyLock::new(new_pair);
static OTHER_KEY: LazyLock<Pair> = LazyLock::new(new_pair);

fn new_pair() -> Pair {
    let pair = PKey::from_rsa(Rsa::generate(2048).unwrap()).unwrap();
    let pkcs8 = pair.private_key_to_pkcs8().unwrap();
    let public = PKey::public_key_from_der(&pair.public_key_to_der().unwrap()).unwrap();
    Pair {
        private: rsa::RsaPrivateKey::from_pkcs8_der(&pkcs8).unwrap(),
        public: VerifyingKey::from_public_key(public).unwrap(),
        pkcs8,
    }
}

fn rsa_sha256(base_string: &str) -> Vec<u8> {
    let key = pkcs1v15::SigningKey::<Sha256>::new(KEY.private.clone());
    key.sign(base_string.as_bytes()).to_vec()
}

fn rsa_pss(base_string: &str, salt_bytes: usize) -> Vec<u8> {
    let key = pss::SigningKey::<Sha256>::new_with_salt_len(KEY.private.clone(), salt_bytes);
    key.sign_with_rng(&mut OsRng, base_string.as_bytes())
        .to_vec()
}

/// RFC 3986 escaping, written out.
fn escape(text: &str) -> String {
    let mut out = String::new();
    for b in text.bytes() {
        match b {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
                out.push(char::from(b));
            }
            _ => out.push_str(&format!("%{b:02X}")),
        }
    }
    out
}

fn base64(bytes: &[u8]) -> String {
    openssl::base64::encode_block(bytes)
}

/// What an official library signs and sends, except for the query's pairs, which each test writes.
#[derive(Clone)]
struct Signed {
    verb: &'static str,
    url: String,
    oauth: Vec<(&'static str, String)>,
}

impl Signed {
    /// A request to `https://api.example.com` and `path`.
    fn new(verb: &'static str, path: &str, body: &str) -> Self {
        Self {
            verb,
            url: format!("https://api.example.com{path}"),
            oauth: vec![
                ("oauth_body_hash", base64(&Sha256::digest(body))),
                ("oauth_consumer_key", CONSUMER_KEY.into()),
                ("oauth_nonce", NONCE.into()),
                ("oauth_signature_method", "RSA-SHA256".into()),
                ("oauth_timestamp", NOW.to_string()),
                ("oauth_version", "1.0".into()),
            ],
        }
    }

    /// With another value of one parameter.
    fn with(mut self, name: &str, value: &str) -> Self {
        for (known, old) in &mut self.oauth {
            if *known == name {
                value.clone_into(old);
            }
        }
        self
    }

    fn without(mut self, name: &str) -> Self {
        self.oauth.retain(|(known, _)| *known != name);
        self
    }

    /// The parameter string: the query's pairs that sort before the `oauth_*` pairs, these, and
    /// those after.
    fn parameters(&self, before: &str, after: &str) -> String {
        let oauth: Vec<String> = self.oauth.iter().map(|(n, v)| format!("{n}={v}")).collect();
        join(before, &oauth.join("&"), after)
    }

    /// The same as RFC 5849 has it: the `oauth_*` values escaped.
    fn escaped_parameters(&self, before: &str, after: &str) -> String {
        let oauth: Vec<String> = self
            .oauth
            .iter()
            .map(|(n, v)| format!("{n}={}", escape(v)))
            .collect();
        join(before, &oauth.join("&"), after)
    }

    fn base_string(&self, parameters: &str) -> String {
        format!("{}&{}&{}", self.verb, escape(&self.url), escape(parameters))
    }

    /// The header as official libraries write it.
    fn header(&self, signature: &[u8]) -> String {
        let mut text = String::from("OAuth ");
        for (name, value) in &self.oauth {
            text.push_str(&format!(r#"{name}="{value}","#));
        }
        text + &format!(r#"oauth_signature="{}""#, escape(&base64(signature)))
    }

    /// The header of a request without a query, signed.
    fn signed_header(&self) -> String {
        self.header(&rsa_sha256(&self.base_string(&self.parameters("", ""))))
    }
}

fn join(before: &str, oauth: &str, after: &str) -> String {
    let parts = [before, oauth, after].into_iter();
    parts
        .filter(|part| !part.is_empty())
        .collect::<Vec<_>>()
        .join("&")
}

fn get<'a>(path: &'a str, query: Option<&'a str>) -> Request<'a> {
    Request {
        method: "GET",
        path,
        query,
        body: b"",
    }
}

fn origins(texts: &[&str]) -> Vec<PublicOrigin> {
    let parse = |text: &&str| PublicOrigin::parse(text).unwrap();
    texts.iter().map(parse).collect()
}

/// Verifies with [`KEY`], one origin, the default policy and the clock at [`NOW`].
fn verify(header: &str, request: &Request<'_>) -> Result<(), SignatureError> {
    Authorization::parse(header)?.verify(
        request,
        &origins(&["https://api.example.com"]),
        &[&KEY.public],
        &Policy::default(),
        NOW,
    )
}
