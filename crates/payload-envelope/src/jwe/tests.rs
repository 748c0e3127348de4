//! Tokens made by hand with the `rsa` crate and OpenSSL's ciphers.

mod accepted;
mod cbc_hs256;
mod ecdh;
mod emitted;
mod refused;

use super::*;
use crate::testing::{
    assert_refused, certificate, key, open_body, open_in, own_key, peer, recipient, ring, value,
    wrap, wrap_with,
};
use crate::{Envelope, FieldLevelHeaders, KeyState, OaepDigest};
use josekit::jwe::{JweHeader, RSA_OAEP_256};
use openssl::base64::encode_block;
use openssl::hash::MessageDigest;
use openssl::sha::sha256;
use openssl::symm::{Cipher, encrypt, encrypt_aead};
use proptest::prelude::*;
use rsa::{Oaep, RsaPrivateKey};
use serde_json::{Value, json};

const PLAINTEXT: &str = r#"{"cardNumber":"5344035133151241","name":"Zo\u00eb / & \"\\\" 日本 😀"}"#;

/// A token in the making; `body` puts the five segments into one.
#[derive(Clone)]
struct Forge {
    header: String,
    peer: RsaPrivateKey,
    wrapping: fn() -> Oaep,
    cipher: Cipher,
    cek: Vec<u8>,
    iv: Vec<u8>,
    plaintext: Vec<u8>,
}

impl Forge {
    fn new() -> Self {
        Self {
            header: header(json!({})),
            peer: peer(0),
            wrapping: Oaep::new::<rsa::sha2::Sha256>,
            cipher: Cipher::aes_256_gcm(),
            cek: vec![7; 32],
            iv: vec![9; 12],
            plaintext: PLAINTEXT.into(),
        }
    }

    fn header(mut self, header: impl Into<String>) -> Self {
        self.header = header.into();
        self
    }

    fn iv(mut self, length: usize) -> Self {
        self.iv = vec![9; length];
        self
    }

    fn cek(mut self, length: usize) -> Self {
        self.cek = vec![7; length];
        self
    }

    fn plaintext(mut self, plaintext: impl Into<Vec<u8>>) -> Self {
        self.plaintext = plaintext.into();
        self
    }

    fn peer(mut self, index: usize) -> Self {
        self.peer = peer(index);
        self
    }

    fn segments(&self) -> [String; 5] {
        self.segments_over(&base64::encode(self.header.as_bytes()))
    }

    /// The same with a header segment that is already encoded, in whatever way.
    fn segments_over(&self, aad: &str) -> [String; 5] {
        let wrapped = wrap_with(&self.peer, (self.wrapping)(), &self.cek);
        let mut tag = [0; 16];
        let (iv, aad_bytes) = (Some(&self.iv[..]), aad.as_bytes());
        // Where the key does not fit the cipher, the cipher is not what the case is about.
        let cek = &self.cek.repeat(32)[..self.cipher.key_len()];
        let ciphertext =
            encrypt_aead(self.cipher, cek, iv, aad_bytes, &self.plaintext, &mut tag).unwrap();
        let [wrapped, iv, ciphertext, tag] =
            [&wrapped[..], &self.iv, &ciphertext, &tag].map(base64::encode);
        [aad.to_owned(), wrapped, iv, ciphertext, tag]
    }

    fn body(&self) -> Vec<u8> {
        body(&self.segments().join("."))
    }
}

fn body(token: &str) -> Vec<u8> {
    json!({ "encryptedData": token }).to_string().into()
}

/// The usual header with members replaced, added, or (null) removed.
fn header(changes: Value) -> String {
    let mut header = json!({"alg": "RSA-OAEP-256", "enc": "A256GCM", "cty": "application/json"});
    for (name, value) in changes.as_object().unwrap() {
        match value {
            Value::Null => header.as_object_mut().unwrap().remove(name),
            value => header
                .as_object_mut()
                .unwrap()
                .insert(name.clone(), value.clone()),
        };
    }
    header.to_string()
}

fn assert_opens(body: &[u8], case: &str) {
    let opened = open_body(body).unwrap_or_else(|error| panic!("{case}: {}", error.as_str()));
    let expected: Value = serde_json::from_str(PLAINTEXT).unwrap();
    assert_eq!(value(&opened), expected, "{case}");
}
