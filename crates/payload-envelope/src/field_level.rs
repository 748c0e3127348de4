//! Field-level encryption, "Mastercard encryption": AES-CBC under an RSA-OAEP wrapped key.
//!
//! It has no authentication tag. That is bearable only because the sender's signature over the body
//! is verified first, and because everything that fails after the key is found fails in one way.

#[cfg(test)]
mod tests;

use openssl::rand::rand_bytes;
use zeroize::Zeroizing;

use super::base64;
use super::cbc;
use super::content::{Content, Wrapped, hash_parts};
use super::oaep::OaepDigest;
use super::reason::CryptoReason;
use super::recipient::{Recipient, SealError};

/// The body's member with the ciphertext (or with a whole JWE).
pub const ENCRYPTED_DATA: &str = "encryptedData";
/// The body's member with the IV.
pub const IV: &str = "iv";
/// The body's member with the wrapped key.
pub const ENCRYPTED_KEY: &str = "encryptedKey";
/// The body's member with the digest of the OAEP padding.
pub const OAEP_DIGEST: &str = "oaepHashingAlgorithm";
/// The body's member that names the key.
pub const FINGERPRINT: &str = "publicKeyFingerprint";

/// The header for the IV, where parameters travel as headers.
pub const IV_HEADER: &str = "x-iv";
/// The header for the wrapped key.
pub const ENCRYPTED_KEY_HEADER: &str = "x-encrypted-key";
/// The headers for the digest: Node and Ruby use the first, the other libraries the second.
pub const OAEP_DIGEST_HEADERS: [&str; 2] = [
    "x-oaep-hashing-algorithm",
    "x-oaep-padding-digest-algorithm",
];
/// The headers that name the key.
pub const FINGERPRINT_HEADERS: [&str; 3] = [
    "x-public-key-fingerprint",
    "x-encryption-key-fingerprint",
    "x-encryption-certificate-fingerprint",
];

/// The lengths in bytes of content keys; a key that does not unwrap is replaced by one of the
/// first, which is what official clients send.
const KEY_LENGTHS: &[usize] = &[16, 32];

/// The parameters that may come as HTTP headers instead of members.
#[derive(Debug, Clone, Copy, Default)]
pub struct FieldLevelHeaders<'a> {
    /// [`IV_HEADER`].
    pub iv: Option<&'a str>,
    /// [`ENCRYPTED_KEY_HEADER`].
    pub encrypted_key: Option<&'a str>,
    /// The first present of [`OAEP_DIGEST_HEADERS`].
    pub oaep_digest: Option<&'a str>,
    /// The first present of [`FINGERPRINT_HEADERS`].
    pub fingerprint: Option<&'a str>,
}

impl<'a> FieldLevelHeaders<'a> {
    /// Collects the headers with a function that looks up a lower-case name.
    pub fn collect(header: impl Fn(&str) -> Option<&'a str>) -> Self {
        Self {
            iv: header(IV_HEADER),
            encrypted_key: header(ENCRYPTED_KEY_HEADER),
            oaep_digest: OAEP_DIGEST_HEADERS.into_iter().find_map(&header),
            fingerprint: FINGERPRINT_HEADERS.into_iter().find_map(&header),
        }
    }
}

/// The five texts of a message, wherever they came from.
pub(super) struct Fields<'a> {
    pub(super) encrypted_data: &'a str,
    pub(super) iv: &'a str,
    pub(super) encrypted_key: &'a str,
    pub(super) oaep_digest: Option<&'a str>,
    pub(super) fingerprint: Option<&'a str>,
}

/// A decoded message, still closed.
pub(crate) struct Message {
    pub(super) wrapped_key: Wrapped,
    iv: [u8; cbc::BLOCK],
    ciphertext: Vec<u8>,
}

impl Message {
    /// Decodes the texts. The IV decides the encoding of all three binary ones: 16 bytes are 32
    /// characters in hex, and 22 or (padded) 24 in base64.
    pub(super) fn decode(fields: &Fields<'_>) -> Result<Self, CryptoReason> {
        let decode: fn(&str) -> Option<Vec<u8>> = match fields.iv.len() {
            32 => |text| hex::decode(text).ok(),
            22 | 24 => base64::decode,
            _ => return Err(CryptoReason::IvLength),
        };
        let decode = |text| decode(text).ok_or(CryptoReason::Encoding);
        let digest = match fields.oaep_digest {
            None => OaepDigest::default(),
            Some(name) => OaepDigest::parse(name).ok_or(CryptoReason::Digest)?,
        };
        let message = Self {
            wrapped_key: Wrapped {
                hint: fields.fingerprint.map(str::to_owned),
                digest,
                bytes: decode(fields.encrypted_key)?,
                lengths: KEY_LENGTHS,
            },
            iv: decode(fields.iv)?
                .try_into()
                .map_err(|_| CryptoReason::IvLength)?,
            ciphertext: decode(fields.encrypted_data)?,
        };
        if !cbc::is_whole(&message.ciphertext) {
            return Err(CryptoReason::CiphertextLength);
        }
        Ok(message)
    }

    /// A hash of all that decides the plaintext beside the wrapped key.
    pub(super) fn hash(&self) -> [u8; 32] {
        let digest = self.wrapped_key.digest.name().as_bytes();
        hash_parts(&[b"field-level", digest, &self.iv, &self.ciphertext])
    }

    /// Decrypts with AES-128 or AES-256, by the key's length.
    pub(super) fn decrypt(&self, cek: &[u8]) -> Content {
        let fits = KEY_LENGTHS.contains(&cek.len());
        let content = fits.then(|| cbc::decrypt(cek, &self.iv, &self.ciphertext).ok());
        content.flatten().unwrap_or_else(|| Content {
            plaintext: Zeroizing::default(),
            flaw: Some(CryptoReason::Padding),
        })
    }
}

/// Seals with AES-128 into a body of exactly the five members, lower-case hex.
pub(crate) fn seal(
    recipient: &Recipient,
    plaintext: &[u8],
    digest: OaepDigest,
) -> Result<String, SealError> {
    let mut cek = Zeroizing::new([0; 16]);
    rand_bytes(&mut *cek)?;
    let mut iv = [0; cbc::BLOCK];
    rand_bytes(&mut iv)?;
    Ok(format!(
        concat!(
            r#"{{"{}":"{}","{}":"{}","{}":"{}","#,
            r#""{}":"{}","{}":"{}"}}"#
        ),
        ENCRYPTED_DATA,
        hex::encode(cbc::encrypt(&*cek, &iv, plaintext)?),
        IV,
        hex::encode(iv),
        ENCRYPTED_KEY,
        hex::encode(recipient.wrap(digest, &*cek)?),
        FINGERPRINT,
        recipient.fingerprint(),
        OAEP_DIGEST,
        digest.name(),
    ))
}
