//! Field-level encryption, "Mastercard encryption": AES-CBC under an RSA-OAEP wrapped key.
//!
//! It has no authentication tag. That is bearable only because the sender's signature over the body
//! is verified first, and because everything that fails after the key is found fails in one way.

#[cfg(test)]
mod tests;

use openssl::rand::rand_bytes;
use zeroize::Zeroizing;

use super::cbc;
use super::content::{Content, Travel, Wrapped, hash_parts};
use super::form::{Encoding, FieldLevelForm, HeaderNames, Sealed};
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
    /// Under which names they came, which an answer takes over.
    pub names: HeaderNames,
}

impl<'a> FieldLevelHeaders<'a> {
    /// Collects the headers with a function that looks up a lower-case name.
    pub fn collect(header: impl Fn(&str) -> Option<&'a str>) -> Self {
        let named = |name| header(name).map(|value| (name, value));
        let oaep_digest = OAEP_DIGEST_HEADERS.into_iter().find_map(named);
        let fingerprint = FINGERPRINT_HEADERS.into_iter().find_map(named);
        Self {
            iv: header(IV_HEADER),
            encrypted_key: header(ENCRYPTED_KEY_HEADER),
            oaep_digest: oaep_digest.map(|(_, value)| value),
            fingerprint: fingerprint.map(|(_, value)| value),
            names: HeaderNames {
                oaep_digest: oaep_digest
                    .map_or(HeaderNames::default().oaep_digest, |(name, _)| name),
                fingerprint: fingerprint.map(|(name, _)| name),
            },
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
    /// The names of headers, where parameters travel as such.
    pub(super) headers: Option<HeaderNames>,
}

/// A decoded message, still closed.
pub(crate) struct Message {
    pub(super) wrapped_key: Wrapped,
    digest: OaepDigest,
    encoding: Encoding,
    headers: Option<HeaderNames>,
    iv: [u8; cbc::BLOCK],
    ciphertext: Vec<u8>,
}

impl Message {
    /// Decodes the texts. The length of the IV decides the encoding of all three binary ones.
    pub(super) fn decode(fields: &Fields<'_>) -> Result<Self, CryptoReason> {
        let encoding = Encoding::of_iv(fields.iv.len()).ok_or(CryptoReason::IvLength)?;
        let decode = |text| encoding.decode(text).ok_or(CryptoReason::Encoding);
        let digest = match fields.oaep_digest {
            None => OaepDigest::default(),
            Some(name) => OaepDigest::parse(name).ok_or(CryptoReason::Digest)?,
        };
        let message = Self {
            wrapped_key: Wrapped {
                hint: fields.fingerprint.map(str::to_owned),
                travel: Travel::Oaep(digest),
                bytes: decode(fields.encrypted_key)?,
                lengths: KEY_LENGTHS,
            },
            digest,
            encoding,
            headers: fields.headers,
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

    /// How it is written.
    pub(super) fn form(&self) -> FieldLevelForm {
        FieldLevelForm {
            encoding: self.encoding,
            digest: self.digest,
            headers: self.headers,
        }
    }

    /// A hash of all that decides the plaintext beside the wrapped key.
    pub(super) fn hash(&self) -> [u8; 32] {
        let digest = self.digest.name().as_bytes();
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

/// Seals with AES-128: into a body of exactly the five members, or with all but the ciphertext as
/// headers.
pub(crate) fn seal(
    recipient: &Recipient,
    plaintext: &[u8],
    form: FieldLevelForm,
) -> Result<Sealed, SealError> {
    let mut cek = Zeroizing::new([0; 16]);
    rand_bytes(&mut *cek)?;
    let mut iv = [0; cbc::BLOCK];
    rand_bytes(&mut iv)?;
    let encode = |bytes: &[u8]| form.encoding.encode(bytes);
    let data = encode(&cbc::encrypt(&*cek, &iv, plaintext)?);
    let wrapped = encode(&recipient.wrap(form.digest, &*cek)?);
    let (iv, digest) = (encode(&iv), form.digest.name());
    let fingerprint = recipient.fingerprint();
    let Some(names) = form.headers else {
        let body = format!(
            concat!(
                r#"{{"{}":"{}","{}":"{}","{}":"{}","#,
                r#""{}":"{}","{}":"{}"}}"#
            ),
            ENCRYPTED_DATA,
            data,
            IV,
            iv,
            ENCRYPTED_KEY,
            wrapped,
            FINGERPRINT,
            fingerprint,
            OAEP_DIGEST,
            digest,
        );
        return Ok(Sealed {
            body: body.into_bytes(),
            headers: Vec::new(),
        });
    };
    let mut headers = vec![
        (IV_HEADER, iv.into()),
        (ENCRYPTED_KEY_HEADER, wrapped.into()),
        (names.oaep_digest, digest.into()),
    ];
    if let Some(name) = names.fingerprint {
        headers.push((name, fingerprint.to_string().into()));
    }
    Ok(Sealed {
        body: format!(r#"{{"{ENCRYPTED_DATA}":"{data}"}}"#).into_bytes(),
        headers,
    })
}
