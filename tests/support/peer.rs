//! The other side of both envelopes, apart from the product: RSA by the `rsa` crate, AES by
//! OpenSSL, JWE answers read by josekit. Nothing here calls the product's code.

use super::gateway::test_key;
use base64::Engine;
use base64::prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD};
use josekit::jwe::{JweHeader, RSA_OAEP_256};
use openssl::hash::MessageDigest;
use openssl::rsa::{Padding, Rsa};
use openssl::symm::{Cipher, Crypter, Mode, encrypt_aead};
use openssl::x509::X509;
use rsa::pkcs8::{DecodePrivateKey, EncodePublicKey, LineEnding};
use rsa::rand_core::{OsRng, RngCore};
use rsa::traits::PublicKeyParts;
use rsa::{Oaep, RsaPrivateKey};
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::sync::Mutex;

/// The private key `tests/keys/{name}.pem`, read and checked once.
pub fn rsa_key(name: &str) -> RsaPrivateKey {
    static KEYS: Mutex<BTreeMap<String, RsaPrivateKey>> = Mutex::new(BTreeMap::new());
    let mut keys = KEYS.lock().unwrap();
    let read = || {
        let pem = std::fs::read_to_string(test_key(&format!("{name}.pem"))).unwrap();
        RsaPrivateKey::from_pkcs8_pem(&pem).unwrap()
    };
    keys.entry(name.to_owned()).or_insert_with(read).clone()
}

/// SHA-256 of the public key's SPKI in DER.
pub fn key_digest(name: &str) -> Vec<u8> {
    let public = rsa_key(name).to_public_key();
    Sha256::digest(public.to_public_key_der().unwrap().as_bytes()).to_vec()
}

/// The JWK thumbprint (RFC 7638), as node-jose puts it into `kid`.
pub fn thumbprint(name: &str) -> Vec<u8> {
    let key = rsa_key(name).to_public_key();
    let (e, n) = (
        base64url(&key.e().to_bytes_be()),
        base64url(&key.n().to_bytes_be()),
    );
    Sha256::digest(format!(r#"{{"e":"{e}","kty":"RSA","n":"{n}"}}"#)).to_vec()
}

/// SHA-256 of the certificate in DER.
pub fn certificate_digest(name: &str) -> Vec<u8> {
    let pem = std::fs::read(test_key(&format!("{name}-cert.pem"))).unwrap();
    let certificate = X509::from_pem(&pem).unwrap();
    certificate
        .digest(MessageDigest::sha256())
        .unwrap()
        .to_vec()
}

pub fn base64url(bytes: &[u8]) -> String {
    BASE64_URL_SAFE_NO_PAD.encode(bytes)
}

pub fn from_base64url(text: &str) -> Vec<u8> {
    BASE64_URL_SAFE_NO_PAD.decode(text).unwrap()
}

pub fn base64_standard(bytes: &[u8]) -> String {
    BASE64_STANDARD.encode(bytes)
}

pub fn random(length: usize) -> Vec<u8> {
    let mut bytes = vec![0; length];
    OsRng.fill_bytes(&mut bytes);
    bytes
}

/// Wraps a content key to the test key of this name.
pub type Wrap = fn(&str, &[u8]) -> Vec<u8>;

fn wrap(name: &str, padding: Oaep, cek: &[u8]) -> Vec<u8> {
    let public = rsa_key(name).to_public_key();
    public.encrypt(&mut OsRng, padding, cek).unwrap()
}

pub fn oaep_sha256(name: &str, cek: &[u8]) -> Vec<u8> {
    wrap(name, Oaep::new::<rsa::sha2::Sha256>(), cek)
}

pub fn oaep_sha384(name: &str, cek: &[u8]) -> Vec<u8> {
    wrap(name, Oaep::new::<rsa::sha2::Sha384>(), cek)
}

pub fn oaep_sha512(name: &str, cek: &[u8]) -> Vec<u8> {
    wrap(name, Oaep::new::<rsa::sha2::Sha512>(), cek)
}

/// OpenSSL's default digest for OAEP is SHA-1.
pub fn oaep_sha1(name: &str, cek: &[u8]) -> Vec<u8> {
    let pem = std::fs::read(test_key(&format!("{name}.pem"))).unwrap();
    let key = Rsa::private_key_from_pem(&pem).unwrap();
    let mut wrapped = vec![0; 256];
    key.public_encrypt(cek, &mut wrapped, Padding::PKCS1_OAEP)
        .unwrap();
    wrapped
}

/// `object` with members replaced, added, or (null) removed.
pub fn changed(mut object: Value, changes: &Value) -> Value {
    let members = object.as_object_mut().unwrap();
    for (name, value) in changes.as_object().unwrap() {
        match value {
            Value::Null => members.remove(name),
            value => members.insert(name.clone(), value.clone()),
        };
    }
    object
}

/// A compact JWE in the making; what it starts with is what the gateway accepts.
#[derive(Clone)]
pub struct Jwe {
    /// The header's JSON text.
    pub header: String,
    /// Name of the test key that it is encrypted to.
    pub key: &'static str,
    pub wrap: Wrap,
    pub cipher: Cipher,
    pub cek: Vec<u8>,
    pub iv: Vec<u8>,
    pub plaintext: Vec<u8>,
}

impl Jwe {
    pub fn new(plaintext: impl Into<Vec<u8>>) -> Self {
        Self {
            header: String::new(),
            key: "gateway",
            wrap: oaep_sha256,
            cipher: Cipher::aes_256_gcm(),
            cek: random(32),
            iv: random(12),
            plaintext: plaintext.into(),
        }
        .with_header(&json!({}))
    }

    /// The usual header with changes; null removes a member.
    pub fn with_header(mut self, changes: &Value) -> Self {
        let usual = json!({"alg": "RSA-OAEP-256", "enc": "A256GCM", "cty": "application/json",
                           "kid": hex::encode(key_digest("gateway"))});
        self.header = changed(usual, changes).to_string();
        self
    }

    /// Wrapped key, IV, ciphertext and tag under a header segment that is already encoded, in
    /// whatever way.
    pub fn seal_under(&self, head: &str) -> [Vec<u8>; 4] {
        let mut tag = [0; 16];
        // Where the key does not fit the cipher, the cipher is not what the case is about.
        let cek = &self.cek.repeat(32)[..self.cipher.key_len()];
        let text = encrypt_aead(
            self.cipher,
            cek,
            Some(&self.iv),
            head.as_bytes(),
            &self.plaintext,
            &mut tag,
        )
        .unwrap();
        let wrapped = (self.wrap)(self.key, &self.cek);
        [wrapped, self.iv.clone(), text, tag.to_vec()]
    }

    pub fn segments(&self) -> [String; 5] {
        let head = base64url(self.header.as_bytes());
        let [wrapped, iv, text, tag] = self.seal_under(&head).map(|bytes| base64url(&bytes));
        [head, wrapped, iv, text, tag]
    }

    pub fn body(&self) -> Vec<u8> {
        jwe_body(&self.segments().join("."))
    }
}

/// A token to the gateway's key, made by josekit.
pub fn josekit_token(enc: &str, plaintext: &str) -> String {
    let pem = rsa_key("gateway")
        .to_public_key()
        .to_public_key_pem(LineEnding::LF);
    let encrypter = RSA_OAEP_256.encrypter_from_pem(pem.unwrap()).unwrap();
    let mut header = JweHeader::new();
    header.set_content_encryption(enc);
    josekit::jwe::serialize_compact(plaintext.as_bytes(), &header, &encrypter).unwrap()
}

/// The request body around a token.
pub fn jwe_body(token: &str) -> Vec<u8> {
    json!({ "encryptedData": token }).to_string().into_bytes()
}

/// A field-level message in the making; what it starts with is what the gateway accepts.
#[derive(Clone)]
pub struct FieldLevel {
    /// Name of the test key that it is encrypted to.
    pub key: &'static str,
    pub wrap: Wrap,
    /// 16 or 32 bytes choose AES-128 or AES-256.
    pub cek: Vec<u8>,
    pub iv: Vec<u8>,
    /// The plaintext with its padding: whole blocks.
    pub padded: Vec<u8>,
}

impl FieldLevel {
    pub fn new(plaintext: impl Into<Vec<u8>>) -> Self {
        Self {
            key: "gateway",
            wrap: oaep_sha256,
            cek: random(16),
            iv: random(16),
            padded: pkcs7(plaintext.into()),
        }
    }

    /// IV, wrapped key, ciphertext.
    pub fn seal(&self) -> [Vec<u8>; 3] {
        let cipher = match self.cek.len() {
            32 => Cipher::aes_256_cbc(),
            _ => Cipher::aes_128_cbc(),
        };
        let cek = &self.cek.repeat(16)[..cipher.key_len()];
        let text = cbc(cipher, Mode::Encrypt, cek, &self.iv, &self.padded);
        let wrapped = (self.wrap)(self.key, &self.cek);
        [self.iv.clone(), wrapped, text]
    }

    /// The body in a text encoding, with changes; null removes a member.
    pub fn body_with(&self, encode: impl Fn(&[u8]) -> String, changes: &Value) -> Vec<u8> {
        let [iv, wrapped, text] = self.seal();
        let body = json!({"encryptedData": encode(&text), "iv": encode(&iv), "encryptedKey": encode(&wrapped),
                          "oaepHashingAlgorithm": "SHA256",
                          "publicKeyFingerprint": hex::encode(key_digest("gateway"))});
        changed(body, changes).to_string().into_bytes()
    }

    pub fn body(&self) -> Vec<u8> {
        self.body_with(|bytes| hex::encode(bytes), &json!({}))
    }
}

/// RFC 5652, 6.3.
pub fn pkcs7(mut text: Vec<u8>) -> Vec<u8> {
    let padding = 16 - text.len() % 16;
    text.extend(vec![u8::try_from(padding).unwrap(); padding]);
    text
}

/// CBC over whole blocks, without any padding.
fn cbc(cipher: Cipher, mode: Mode, cek: &[u8], iv: &[u8], blocks: &[u8]) -> Vec<u8> {
    let mut crypter = Crypter::new(cipher, mode, cek, Some(iv)).unwrap();
    crypter.pad(false);
    let mut out = vec![0; blocks.len() + cipher.block_size()];
    let length = crypter.update(blocks, &mut out).unwrap();
    let rest = crypter.finalize(&mut out[length..]).unwrap();
    out.truncate(length + rest);
    out
}

/// The members of a body, all of which must be strings.
pub fn texts(body: &[u8]) -> Map<String, Value> {
    let body: Value = serde_json::from_slice(body).unwrap();
    let members = body.as_object().unwrap();
    assert!(members.values().all(Value::is_string), "{body}");
    members.clone()
}

/// Opens a JWE answer with josekit and the test key `name`: its header and its plaintext.
pub fn open_jwe(name: &str, body: &[u8]) -> (Value, Vec<u8>) {
    let members = texts(body);
    let token = members["encryptedData"].as_str().unwrap();
    let pem = std::fs::read(test_key(&format!("{name}.pem"))).unwrap();
    let decrypter = RSA_OAEP_256.decrypter_from_pem(pem).unwrap();
    let (plaintext, header) = josekit::jwe::deserialize_compact(token, &decrypter).unwrap();
    let header = Value::Object(header.claims_set().clone());
    (header, plaintext)
}

/// Opens a field-level answer in hex and with SHA-256, with the test key `name`.
pub fn open_field_level(name: &str, body: &[u8]) -> Vec<u8> {
    open_field_level_in(name, body, |text| hex::decode(text).unwrap(), "SHA256")
}

/// Opens a field-level answer of this encoding and digest.
pub fn open_field_level_in(
    name: &str,
    body: &[u8],
    decode: impl Fn(&str) -> Vec<u8>,
    digest: &str,
) -> Vec<u8> {
    let members = texts(body);
    let bytes = |member: &str| decode(members[member].as_str().unwrap());
    assert_eq!(members["oaepHashingAlgorithm"], digest);
    let padding = match digest {
        "SHA256" => Oaep::new::<rsa::sha2::Sha256>(),
        _ => Oaep::new::<rsa::sha2::Sha512>(),
    };
    let cek = rsa_key(name)
        .decrypt(padding, &bytes("encryptedKey"))
        .unwrap();
    let iv = bytes("iv");
    let text = bytes("encryptedData");
    let mut text = cbc(Cipher::aes_128_cbc(), Mode::Decrypt, &cek, &iv, &text);
    let padding = usize::from(*text.last().unwrap());
    assert!((1..=16).contains(&padding), "PKCS#7");
    text.truncate(text.len() - padding);
    text
}
