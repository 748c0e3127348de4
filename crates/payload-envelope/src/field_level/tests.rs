//! Messages made by hand with the `rsa` crate and CBC over the `aes` crate's block cipher.

mod accepted;
mod refused;

use super::*;
use crate::testing::{
    assert_refused, certificate, key, open_body, open_with, own_key, peer, recipient, value, wrap,
    wrap_with,
};
use crate::{Envelope, EnvelopeForm, KeyState};
use aes_gcm::aes::cipher::consts::U16;
use aes_gcm::aes::cipher::{BlockCipherDecrypt, BlockCipherEncrypt, KeyInit};
use aes_gcm::aes::{Aes128, Aes256, Block};
use openssl::base64::{decode_block, encode_block};
use openssl::hash::MessageDigest;
use openssl::sha::sha256;
use proptest::prelude::*;
use rsa::Oaep;
use serde_json::{Map, Value, json};

const PLAINTEXT: &str = r#"{"cardNumber":"5344035133151241","name":"Zo\u00eb / & \"\\\" 日本 😀","filler":"0123456789"}"#;

/// CBC as NIST SP 800-38A, 6.2 has it; the caller pads.
fn cbc_encrypt<C: BlockCipherEncrypt<BlockSize = U16>>(
    cipher: &C,
    iv: &[u8],
    padded: &[u8],
) -> Vec<u8> {
    let mut previous = iv[..16].to_vec();
    let mut out = Vec::new();
    for chunk in padded.chunks(16) {
        let mut block = Block::default();
        for (target, (a, b)) in block.iter_mut().zip(chunk.iter().zip(&previous)) {
            *target = a ^ b;
        }
        cipher.encrypt_block(&mut block);
        previous = block.to_vec();
        out.extend_from_slice(&block);
    }
    out
}

fn lower_hex(bytes: &[u8]) -> String {
    hex::encode(bytes)
}

fn pkcs7(text: &[u8]) -> Vec<u8> {
    let padding = 16 - text.len() % 16;
    [text, &vec![u8::try_from(padding).unwrap(); padding]].concat()
}

/// A message in the making.
struct Forge {
    cek: Vec<u8>,
    padded: Vec<u8>,
    wrapped: Option<Vec<u8>>,
    digest: OaepDigest,
    key: usize,
}

impl Forge {
    fn new() -> Self {
        Self {
            cek: vec![7; 16],
            padded: pkcs7(PLAINTEXT.as_bytes()),
            wrapped: None,
            digest: OaepDigest::Sha256,
            key: 0,
        }
    }

    fn cek(length: usize) -> Self {
        let cek = (1..).take(length).collect();
        Self { cek, ..Self::new() }
    }

    fn plaintext(text: &[u8]) -> Self {
        Self {
            padded: pkcs7(text),
            ..Self::new()
        }
    }

    /// IV, wrapped key, ciphertext.
    fn binary(&self) -> [Vec<u8>; 3] {
        let iv: Vec<u8> = (200..216).collect();
        let ciphertext = match self.cek.len() {
            32 => cbc_encrypt(
                &Aes256::new_from_slice(&self.cek).unwrap(),
                &iv,
                &self.padded,
            ),
            _ => {
                let cek = &self.cek.repeat(16)[..16];
                cbc_encrypt(&Aes128::new_from_slice(cek).unwrap(), &iv, &self.padded)
            }
        };
        let wrapped = self.wrapped.clone();
        let wrapped = wrapped.unwrap_or_else(|| wrap(&peer(self.key), self.digest, &self.cek));
        [iv, wrapped, ciphertext]
    }

    /// The body with a text encoding and further members (null removes one).
    fn body_with(&self, encode: impl Fn(&[u8]) -> String, changes: Value) -> Vec<u8> {
        let [iv, wrapped, ciphertext] = self.binary();
        let mut body = json!({
            "encryptedData": encode(&ciphertext),
            "iv": encode(&iv),
            "encryptedKey": encode(&wrapped),
            "oaepHashingAlgorithm": "SHA256",
        });
        let members: &mut Map<String, Value> = body.as_object_mut().unwrap();
        for (name, value) in changes.as_object().unwrap() {
            match value {
                Value::Null => members.remove(name),
                value => members.insert(name.clone(), value.clone()),
            };
        }
        body.to_string().into()
    }

    fn body(&self) -> Vec<u8> {
        self.body_with(lower_hex, json!({}))
    }
}

fn assert_opens(body: &[u8], case: &str) {
    let opened = open_body(body).unwrap_or_else(|error| panic!("{case}: {}", error.as_str()));
    let expected: Value = serde_json::from_str(PLAINTEXT).unwrap();
    assert_eq!(value(&opened), expected, "{case}");
}
