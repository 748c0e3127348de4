//! Compact JWE (RFC 7516, 7.1), read by rules of our own and written in the standard form.
//!
//! General JOSE libraries accept too much here (cut tags, `zip`, `crit`, duplicate names) and too
//! little (the `/` that Mastercard's Node library leaves in its segments). So the parser is ours,
//! and the crates below it do the cryptography.

mod cipher;
mod header;
#[cfg(test)]
mod tests;

use openssl::rand::rand_bytes;
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use super::base64;
use super::cbc;
use super::content::{Content, Wrapped, hash_parts};
use super::reason::CryptoReason;
use super::recipient::{Recipient, SealError, WrappedCek};
use header::Header;

/// The length of every tag in bytes. Shorter ones are refused: GCM would verify them.
const TAG: usize = 16;

/// The content encryptions (`enc`, RFC 7518, 5.1) that can be read. We write A256GCM.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum ContentEncryption {
    /// AES-128 in GCM.
    #[serde(rename = "A128GCM")]
    A128Gcm,
    /// AES-192 in GCM.
    #[serde(rename = "A192GCM")]
    A192Gcm,
    /// AES-256 in GCM: what official clients send.
    #[serde(rename = "A256GCM")]
    A256Gcm,
    /// AES-128 in CBC with HMAC-SHA-256.
    #[serde(rename = "A128CBC-HS256")]
    A128CbcHs256,
}

impl ContentEncryption {
    const ALL: [Self; 4] = [
        Self::A128Gcm,
        Self::A192Gcm,
        Self::A256Gcm,
        Self::A128CbcHs256,
    ];

    /// The `enc` value; compared exactly.
    pub fn name(self) -> &'static str {
        match self {
            Self::A128Gcm => "A128GCM",
            Self::A192Gcm => "A192GCM",
            Self::A256Gcm => "A256GCM",
            Self::A128CbcHs256 => "A128CBC-HS256",
        }
    }

    fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|enc| enc.name() == name)
    }

    /// The lengths in bytes that a content key may have: exactly one.
    fn key_lengths(self) -> &'static [usize] {
        match self {
            Self::A128Gcm => &[16],
            Self::A192Gcm => &[24],
            Self::A256Gcm | Self::A128CbcHs256 => &[32],
        }
    }

    /// GCM: 12 bytes, or the 16 of official clients. CBC: one block.
    fn takes_iv(self, iv: &[u8]) -> bool {
        match self {
            Self::A128CbcHs256 => iv.len() == cbc::BLOCK,
            _ => matches!(iv.len(), 12 | 16),
        }
    }
}

/// Which tokens are read at all. `alg` is RSA-OAEP-256, or with A256GCM ECDH-ES or ECDH-ES+A256KW.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JwePolicy {
    /// The content encryptions that are accepted.
    pub enc: Vec<ContentEncryption>,
}

impl Default for JwePolicy {
    /// All four that official clients can be made to send.
    fn default() -> Self {
        let enc = ContentEncryption::ALL.to_vec();
        Self { enc }
    }
}

impl JwePolicy {
    /// Whether tokens with this content encryption are accepted.
    pub fn allows(&self, enc: ContentEncryption) -> bool {
        self.enc.contains(&enc)
    }
}

/// A well-formed token, still closed.
pub(crate) struct Token {
    /// The header segment byte for byte as it came: the additional authenticated data.
    aad: String,
    enc: ContentEncryption,
    pub(super) wrapped_key: Wrapped,
    iv: Vec<u8>,
    ciphertext: Vec<u8>,
    tag: [u8; TAG],
}

impl Token {
    /// Parses the compact serialization. Everything that can be refused without a key is refused
    /// here.
    pub(crate) fn parse(compact: &str) -> Result<Self, CryptoReason> {
        let mut segments = compact.split('.');
        let five = [(); 5].map(|()| segments.next());
        let [Some(head), Some(key), Some(iv), Some(ciphertext), Some(tag)] = five else {
            return Err(CryptoReason::SegmentCount);
        };
        if segments.next().is_some() {
            return Err(CryptoReason::SegmentCount);
        }

        let decode = |segment| base64::decode(segment).ok_or(CryptoReason::Encoding);
        let Header { enc, travel, kid } = Header::parse(&decode(head)?)?;
        let token = Self {
            aad: head.to_owned(),
            enc,
            wrapped_key: Wrapped {
                hint: kid,
                travel,
                bytes: decode(key)?,
                lengths: enc.key_lengths(),
            },
            iv: decode(iv)?,
            ciphertext: decode(ciphertext)?,
            tag: decode(tag)?
                .try_into()
                .map_err(|_| CryptoReason::TagLength)?,
        };
        if !enc.takes_iv(&token.iv) {
            return Err(CryptoReason::IvLength);
        }
        if enc == ContentEncryption::A128CbcHs256 && !cbc::is_whole(&token.ciphertext) {
            return Err(CryptoReason::CiphertextLength);
        }
        Ok(token)
    }

    /// The content encryption, to be held against a [`JwePolicy`].
    pub(crate) fn enc(&self) -> ContentEncryption {
        self.enc
    }

    /// A hash of all that decides the plaintext beside the wrapped key.
    pub(super) fn hash(&self) -> [u8; 32] {
        let head = self.aad.as_bytes();
        hash_parts(&[b"jwe", head, &self.iv, &self.ciphertext, &self.tag])
    }

    /// Verifies the tag and decrypts. The key has one of the lengths that [`Wrapped`] asks for.
    pub(super) fn decrypt(&self, cek: &[u8]) -> Content {
        cipher::decrypt(
            self.enc,
            cek,
            &self.iv,
            self.aad.as_bytes(),
            &self.ciphertext,
            &self.tag,
        )
    }
}

/// Seals with A256GCM, to an RSA key with RSA-OAEP-256, to an EC key with ECDH-ES+A256KW. To an RSA
/// key in the form that every official client reads: these four header members in this order,
/// 12-byte IV, unpadded base64url.
pub(crate) fn seal(recipient: &Recipient, plaintext: &[u8]) -> Result<String, SealError> {
    // One call for both: each takes OpenSSL's generator some time.
    let mut random = Zeroizing::new([0; 44]);
    rand_bytes(&mut *random)?;
    let (cek, iv) = random.split_first_chunk::<32>().ok_or(SealError::TooLong)?;
    let iv: &[u8; 12] = iv.try_into().map_err(|_| SealError::TooLong)?;
    let WrappedCek { alg, epk, wrapped } = recipient.wrap_for_jwe(cek)?;
    let epk = epk.map_or(String::new(), |epk| format!(r#","epk":{epk}"#));
    let header = format!(
        r#"{{"kid":"{}","cty":"application/json","enc":"A256GCM","alg":"{alg}"{epk}}}"#,
        recipient.fingerprint()
    );
    let aad = base64::encode(header.as_bytes());
    let (ciphertext, tag) = cipher::encrypt_a256gcm(cek, iv, aad.as_bytes(), plaintext)?;

    let segments = [&wrapped[..], iv, &ciphertext, &tag].map(base64::encode);
    Ok(format!("{aad}.{}", segments.join(".")))
}
