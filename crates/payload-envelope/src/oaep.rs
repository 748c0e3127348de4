//! RSA-OAEP (RFC 8017, 7.1) in OpenSSL: one digest for OAEP and MGF1, empty label.
//!
//! OpenSSL, not the `rsa` crate, does the private operation: it is blinded, its OAEP check takes
//! constant time, and it is four times as fast.

use openssl::encrypt::{Decrypter, Encrypter};
use openssl::error::ErrorStack;
use openssl::hash::MessageDigest;
use openssl::pkey::{PKeyRef, Private, Public};
use openssl::rsa::Padding;
use zeroize::Zeroizing;

/// The digest of OAEP and of its mask generation function.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum OaepDigest {
    /// SHA-256: JWE's RSA-OAEP-256, and the default of field-level encryption.
    #[default]
    Sha256,
    /// SHA-512: field-level encryption only.
    Sha512,
}

impl OaepDigest {
    /// Reads `SHA256`, `SHA-256`, `SHA512` or `SHA-512` in any case.
    pub fn parse(name: &str) -> Option<Self> {
        match name.to_ascii_uppercase().as_str() {
            "SHA256" | "SHA-256" => Some(Self::Sha256),
            "SHA512" | "SHA-512" => Some(Self::Sha512),
            _ => None,
        }
    }

    /// The name as we write it: `SHA256` or `SHA512`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Sha256 => "SHA256",
            Self::Sha512 => "SHA512",
        }
    }

    /// The same digest in OpenSSL.
    pub fn message_digest(self) -> MessageDigest {
        match self {
            Self::Sha256 => MessageDigest::sha256(),
            Self::Sha512 => MessageDigest::sha512(),
        }
    }
}

/// Encrypts a content key of at most 126 bytes; the result is as long as the modulus.
pub(super) fn encrypt(
    key: &PKeyRef<Public>,
    digest: OaepDigest,
    cek: &[u8],
) -> Result<Vec<u8>, ErrorStack> {
    let mut encrypter = Encrypter::new(key)?;
    encrypter.set_rsa_padding(Padding::PKCS1_OAEP)?;
    encrypter.set_rsa_oaep_md(digest.message_digest())?;
    encrypter.set_rsa_mgf1_md(digest.message_digest())?;
    let mut wrapped = vec![0; encrypter.encrypt_len(cek)?];
    let length = encrypter.encrypt(cek, &mut wrapped)?;
    wrapped.truncate(length);
    Ok(wrapped)
}

/// Decrypts a content key: the private operation, a quarter of a millisecond for RSA-2048.
pub(super) fn decrypt(
    key: &PKeyRef<Private>,
    digest: OaepDigest,
    wrapped: &[u8],
) -> Result<Zeroizing<Vec<u8>>, ErrorStack> {
    let mut decrypter = Decrypter::new(key)?;
    decrypter.set_rsa_padding(Padding::PKCS1_OAEP)?;
    decrypter.set_rsa_oaep_md(digest.message_digest())?;
    decrypter.set_rsa_mgf1_md(digest.message_digest())?;
    let mut cek = Zeroizing::new(vec![0; decrypter.decrypt_len(wrapped)?]);
    let length = decrypter.decrypt(wrapped, &mut cek)?;
    cek.truncate(length);
    Ok(cek)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing;
    use rsa::Oaep;

    #[test]
    fn digest_names_in_any_case() {
        for name in ["SHA256", "SHA-256", "sha256", "Sha-256"] {
            assert_eq!(OaepDigest::parse(name), Some(OaepDigest::Sha256), "{name}");
        }
        for name in ["SHA512", "SHA-512", "sha512", "sha-512"] {
            assert_eq!(OaepDigest::parse(name), Some(OaepDigest::Sha512), "{name}");
        }
        for name in [
            "", "SHA1", "SHA-1", "SHA384", "SHA-384", "SHA224", "SHA 256", "SHA--256",
        ] {
            assert_eq!(OaepDigest::parse(name), None, "{name}");
        }
    }

    #[test]
    fn the_rsa_crate_reads_and_writes_the_same() {
        let (key, peer) = (testing::key(0), testing::peer(0));
        let public = testing::public_key(0);
        for (digest, padding) in [
            (
                OaepDigest::Sha256,
                Oaep::new::<rsa::sha2::Sha256> as fn() -> Oaep,
            ),
            (OaepDigest::Sha512, Oaep::new::<rsa::sha2::Sha512>),
        ] {
            let wrapped = encrypt(&public, digest, &[7; 32]).unwrap();
            assert_eq!(peer.decrypt(padding(), &wrapped).unwrap(), [7; 32]);
            let wrapped = peer
                .to_public_key()
                .encrypt(&mut rsa::rand_core::OsRng, padding(), &[8; 16])
                .unwrap();
            assert_eq!(*decrypt(&key, digest, &wrapped).unwrap(), [8; 16]);
        }
    }

    #[test]
    fn digests_are_not_interchangeable() {
        let wrapped = encrypt(&testing::public_key(0), OaepDigest::Sha256, &[7; 32]).unwrap();
        assert!(decrypt(&testing::key(0), OaepDigest::Sha512, &wrapped).is_err());
    }
}
