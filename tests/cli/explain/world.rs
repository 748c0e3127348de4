//! A sandbox seen from a client: its keys, and requests that are made by hand from them. Signing
//! and encrypting are OpenSSL's; nothing here calls the product's code.

use crate::sandbox::description;
use base64::Engine;
use base64::prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD};
use openssl::encrypt::Encrypter;
use openssl::hash::MessageDigest;
use openssl::pkey::{PKey, Private, Public};
use openssl::rsa::Padding;
use openssl::sign::Signer;
use openssl::symm::{Cipher, encrypt, encrypt_aead};
use openssl::x509::X509;
use serde_json::{Value, json};
use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

/// An issuer's side.
pub(crate) struct Issuer {
    pub(crate) consumer_key: String,
    pub(crate) signing: PKey<Private>,
    pub(crate) decryption: PKey<Private>,
    pub(crate) ranges: Vec<String>,
}

/// What a client of the sandbox has.
pub(crate) struct World {
    pub(crate) base_url: String,
    pub(crate) gateway: X509,
    pub(crate) demo: Issuer,
    pub(crate) compat: Issuer,
    pub(crate) basic: Issuer,
    /// A key that nobody has heard of.
    pub(crate) stranger: PKey<Private>,
}

impl World {
    pub(crate) fn of(dir: &Path) -> Self {
        let sandbox = description(dir);
        let pem = |path: &Value| std::fs::read(dir.join(path.as_str().unwrap())).unwrap();
        let issuer = |name: &str| {
            let issuer = &sandbox["issuers"][name];
            let key = |purpose: &str| PKey::private_key_from_pem(&pem(&issuer[purpose])).unwrap();
            let ranges = issuer["account_ranges"].as_array().unwrap().iter();
            Issuer {
                consumer_key: issuer["consumer_key"].as_str().unwrap().to_owned(),
                signing: key("signing_key"),
                decryption: key("decryption_key"),
                ranges: ranges.map(|r| r.as_str().unwrap().to_owned()).collect(),
            }
        };
        Self {
            base_url: sandbox["base_url"].as_str().unwrap().to_owned(),
            gateway: X509::from_pem(&pem(&sandbox["gateway"]["certificate"])).unwrap(),
            demo: issuer("demo"),
            compat: issuer("compat"),
            basic: issuer("basic"),
            stranger: PKey::from_rsa(openssl::rsa::Rsa::generate(2_048).unwrap()).unwrap(),
        }
    }

    pub(crate) fn gateway_key(&self) -> PKey<Public> {
        self.gateway.public_key().unwrap()
    }

    /// SHA-256 of the gateway's public key in hex.
    pub(crate) fn kid(&self) -> String {
        fingerprint(&self.gateway_key())
    }
}

/// SHA-256 of a public key in hex.
pub(crate) fn fingerprint(key: &PKey<Public>) -> String {
    hex::encode(openssl::sha::sha256(&key.public_key_to_der().unwrap()))
}

pub(crate) fn public(key: &PKey<Private>) -> PKey<Public> {
    PKey::public_key_from_der(&key.public_key_to_der().unwrap()).unwrap()
}

pub(crate) fn base64(bytes: &[u8]) -> String {
    BASE64_STANDARD.encode(bytes)
}

pub(crate) fn base64url(bytes: &[u8]) -> String {
    BASE64_URL_SAFE_NO_PAD.encode(bytes)
}

pub(crate) fn sha256(bytes: &[u8]) -> Vec<u8> {
    openssl::sha::sha256(bytes).to_vec()
}

pub(crate) fn random(length: usize) -> Vec<u8> {
    let mut bytes = vec![0; length];
    openssl::rand::rand_bytes(&mut bytes).unwrap();
    bytes
}

/// RFC 3986 escaping, written out.
pub(crate) fn escape(text: &str) -> String {
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

/// A request as it goes over the wire.
#[derive(Clone)]
pub(crate) struct Request {
    pub(crate) method: String,
    pub(crate) target: String,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

impl Request {
    pub(crate) fn without(mut self, name: &str) -> Self {
        self.headers.retain(|(known, _)| known != name);
        self
    }

    pub(crate) fn with(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        let mut headers = self.headers.iter();
        &headers.find(|(known, _)| known == name).unwrap().1
    }

    /// With the `Authorization` header's text changed.
    pub(crate) fn authorized(self, change: impl Fn(&str) -> String) -> Self {
        let changed = change(self.header("Authorization"));
        self.without("Authorization")
            .with("Authorization", &changed)
    }

    /// With the body's text changed after it was signed.
    pub(crate) fn rewritten(mut self, change: impl Fn(&str) -> String) -> Self {
        self.body = change(std::str::from_utf8(&self.body).unwrap()).into_bytes();
        self
    }
}

/// Signs bytes.
pub(crate) type Sign<'w> = Box<dyn Fn(&[u8]) -> Vec<u8> + 'w>;

/// Signs, as official clients do it. What differs from them is changed before [`Signing::request`].
pub(crate) struct Signing<'w> {
    pub(crate) method: &'w str,
    /// What is signed; what is sent goes to the same path, unless [`Signing::target`] differs.
    pub(crate) url: String,
    pub(crate) target: String,
    /// The query's pairs as they are signed, before the OAuth parameters.
    pub(crate) query: String,
    pub(crate) sent_method: &'w str,
    pub(crate) parameters: Vec<(&'w str, String)>,
    pub(crate) body: Vec<u8>,
    pub(crate) join: fn(&str, &str, &str) -> String,
    pub(crate) sign: Sign<'w>,
}

impl<'w> Signing<'w> {
    pub(crate) fn new(world: &'w World, issuer: &'w Issuer, path: &str, body: Vec<u8>) -> Self {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
        Self {
            method: "POST",
            url: format!("{}{path}", world.base_url),
            target: path.to_owned(),
            query: String::new(),
            sent_method: "POST",
            parameters: vec![
                ("oauth_body_hash", base64(&sha256(&body))),
                ("oauth_consumer_key", issuer.consumer_key.clone()),
                ("oauth_nonce", hex::encode(random(8))),
                ("oauth_signature_method", "RSA-SHA256".to_owned()),
                ("oauth_timestamp", now.as_secs().to_string()),
                ("oauth_version", "1.0".to_owned()),
            ],
            body,
            join: |method, url, parameters| {
                format!("{method}&{}&{}", escape(url), escape(parameters))
            },
            sign: Box::new(|text| sign(&issuer.signing, MessageDigest::sha256(), text)),
        }
    }

    /// An enrolment.
    pub(crate) fn enrolment(world: &'w World, body: Vec<u8>) -> Self {
        Self::new(world, &world.demo, "/issuers/users", body)
    }

    pub(crate) fn set(mut self, name: &'w str, value: &str) -> Self {
        self.parameters.retain(|(known, _)| *known != name);
        self.parameters.push((name, value.to_owned()));
        self.parameters.sort();
        self
    }

    pub(crate) fn get(&self, name: &str) -> String {
        let mut parameters = self.parameters.iter();
        parameters
            .find(|(known, _)| *known == name)
            .unwrap()
            .1
            .clone()
    }

    pub(crate) fn base_string(&self) -> String {
        let pairs = self.parameters.iter().map(|(n, v)| format!("{n}={v}"));
        let parameters = pairs.collect::<Vec<_>>().join("&");
        (self.join)(
            self.method,
            &self.url,
            &format!("{}{parameters}", self.query),
        )
    }

    pub(crate) fn request(self) -> Request {
        let signature = base64(&(self.sign)(self.base_string().as_bytes()));
        let pairs = self.parameters.iter().map(|(n, v)| format!("{n}=\"{v}\","));
        let pairs: String = pairs.collect();
        let authority = self.url.split('/').nth(2).unwrap().to_owned();
        Request {
            method: self.sent_method.to_owned(),
            target: self.target,
            headers: vec![
                ("Host".to_owned(), authority),
                (
                    "Content-Type".to_owned(),
                    "application/json; charset=utf-8".to_owned(),
                ),
                (
                    "Authorization".to_owned(),
                    format!("OAuth {pairs}oauth_signature=\"{}\"", escape(&signature)),
                ),
            ],
            body: self.body,
        }
    }
}

pub(crate) fn sign(key: &PKey<Private>, digest: MessageDigest, text: &[u8]) -> Vec<u8> {
    let mut signer = Signer::new(digest, key).unwrap();
    signer.sign_oneshot_to_vec(text).unwrap()
}

/// RSA-PSS with SHA-256 and a salt of 32 bytes.
pub(crate) fn sign_pss(key: &PKey<Private>, text: &[u8]) -> Vec<u8> {
    let mut signer = Signer::new(MessageDigest::sha256(), key).unwrap();
    signer.set_rsa_padding(Padding::PKCS1_PSS).unwrap();
    signer.set_rsa_mgf1_md(MessageDigest::sha256()).unwrap();
    signer
        .set_rsa_pss_saltlen(openssl::sign::RsaPssSaltlen::custom(32))
        .unwrap();
    signer.sign_oneshot_to_vec(text).unwrap()
}

/// OAEP with a digest and a digest of MGF1; `None`: PKCS#1 v1.5.
pub(crate) fn wrap(
    key: &PKey<Public>,
    digests: Option<(MessageDigest, MessageDigest)>,
    cek: &[u8],
) -> Vec<u8> {
    let mut encrypter = Encrypter::new(key).unwrap();
    match digests {
        Some((oaep, mgf1)) => {
            encrypter.set_rsa_padding(Padding::PKCS1_OAEP).unwrap();
            encrypter.set_rsa_oaep_md(oaep).unwrap();
            encrypter.set_rsa_mgf1_md(mgf1).unwrap();
        }
        None => encrypter.set_rsa_padding(Padding::PKCS1).unwrap(),
    }
    let mut wrapped = vec![0; encrypter.encrypt_len(cek).unwrap()];
    let length = encrypter.encrypt(cek, &mut wrapped).unwrap();
    wrapped.truncate(length);
    wrapped
}

/// The right padding.
pub(crate) fn oaep(key: &PKey<Public>, cek: &[u8]) -> Vec<u8> {
    let sha256 = MessageDigest::sha256();
    wrap(key, Some((sha256, sha256)), cek)
}

/// A JWE in the making; what it starts with is right.
pub(crate) struct Jwe {
    pub(crate) header: Value,
    pub(crate) wrapped: Vec<u8>,
    pub(crate) cek: Vec<u8>,
    pub(crate) iv: Vec<u8>,
    pub(crate) clear: Vec<u8>,
    pub(crate) aad: fn(&str, &str) -> String,
}

impl Jwe {
    pub(crate) fn new(world: &World, clear: impl Into<Vec<u8>>) -> Self {
        let cek = random(32);
        Self {
            header: json!({"alg": "RSA-OAEP-256", "enc": "A256GCM", "kid": world.kid()}),
            wrapped: oaep(&world.gateway_key(), &cek),
            cek,
            iv: random(12),
            clear: clear.into(),
            aad: |encoded, _| encoded.to_owned(),
        }
    }

    /// With a member of the header set.
    pub(crate) fn naming(mut self, name: &str, value: Value) -> Self {
        self.header[name] = value;
        self
    }

    pub(crate) fn segments(&self) -> [String; 5] {
        let text = self.header.to_string();
        let head = base64url(text.as_bytes());
        let mut tag = [0; 16];
        let aad = (self.aad)(&head, &text);
        let sealed = encrypt_aead(
            Cipher::aes_256_gcm(),
            &self.cek,
            Some(&self.iv),
            aad.as_bytes(),
            &self.clear,
            &mut tag,
        );
        let parts = [&self.wrapped, &self.iv, &sealed.unwrap(), &tag.to_vec()];
        let [wrapped, iv, sealed, tag] = parts.map(|part| base64url(part));
        [head, wrapped, iv, sealed, tag]
    }

    pub(crate) fn token(&self) -> String {
        self.segments().join(".")
    }

    pub(crate) fn body(&self) -> Vec<u8> {
        body(&self.token())
    }
}

pub(crate) fn body(token: &str) -> Vec<u8> {
    json!({ "encryptedData": token }).to_string().into_bytes()
}

/// A field-level message in the making; what it starts with is right.
pub(crate) struct FieldLevel {
    pub(crate) cek: Vec<u8>,
    pub(crate) iv: Vec<u8>,
    pub(crate) wrapped: Vec<u8>,
    pub(crate) sealed: Vec<u8>,
    kid: String,
}

impl FieldLevel {
    pub(crate) fn new(world: &World, clear: &[u8]) -> Self {
        let (cek, iv) = (random(16), random(16));
        Self {
            wrapped: oaep(&world.gateway_key(), &cek),
            sealed: encrypt(Cipher::aes_128_cbc(), &cek, Some(&iv), clear).unwrap(),
            cek,
            iv,
            kid: world.kid(),
        }
    }

    pub(crate) fn value(&self) -> Value {
        json!({"encryptedData": hex::encode(&self.sealed), "iv": hex::encode(&self.iv),
               "encryptedKey": hex::encode(&self.wrapped), "oaepHashingAlgorithm": "SHA256",
               "publicKeyFingerprint": self.kid})
    }

    /// With a member replaced; null removes it.
    pub(crate) fn with(&self, name: &str, value: Value) -> Vec<u8> {
        let mut body = self.value();
        match value {
            Value::Null => drop(body.as_object_mut().unwrap().remove(name)),
            value => body[name] = value,
        }
        body.to_string().into_bytes()
    }
}
