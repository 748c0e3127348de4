//! The key encryption key: wraps data keys, and is never stored beside them.
//!
//! Wrapped key: IV 12 random bytes | ciphertext 32 | tag 16, AES-256-GCM. AAD:
//! `issuer-gateway data key 1`, then purpose and KEK id each as length (4 bytes big-endian) and
//! bytes, then the version (4 bytes big-endian).

use super::VaultError;
use super::blind_index::keyed;
use super::cipher::{IV, TAG, aes, decrypt, encrypt};
use super::key::{KEY, KeyBytes, decode_key, random_key};
use super::shares::{self, Share, ShareError};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::Mac;
use std::fmt;
use zeroize::Zeroizing;

/// A key encryption key, wiped when dropped. `Debug` shows its id alone.
pub struct Kek {
    key: KeyBytes,
    id: String,
}

impl fmt::Debug for Kek {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Kek({})", self.id)
    }
}

impl Kek {
    /// Parses 32 bytes in standard base64; white space around them does not matter.
    pub fn from_base64(text: &str) -> Result<Self, VaultError> {
        let key = decode_key(text.trim()).ok_or(VaultError::MalformedKek)?;
        Ok(Self::new(key))
    }

    /// A new random KEK in base64, to be kept by its custodians.
    pub fn generate() -> Result<Zeroizing<String>, VaultError> {
        Ok(Zeroizing::new(STANDARD.encode(random_key()?.as_slice())))
    }

    /// The same KEK as two shares for two custodians, one line each; see [`shares`](super::shares).
    ///
    /// # Errors
    /// [`VaultError::CannotSeal`] if the operating system gives no random bytes.
    pub fn split(&self) -> Result<[Zeroizing<String>; 2], VaultError> {
        shares::split(&self.key)
    }

    /// The KEK of two shares, in whichever order.
    ///
    /// # Errors
    /// [`ShareError`] if they do not belong together.
    pub fn from_shares(one: &Share, other: &Share) -> Result<Self, ShareError> {
        Ok(Self::new(shares::join(one, other)?))
    }

    fn new(key: KeyBytes) -> Self {
        // One way, and under a label of its own: the id says nothing about the key.
        let mut mac = keyed(&key);
        mac.update(b"issuer-gateway kek id");
        let digest = mac.finalize().into_bytes();
        let id = hex::encode(digest.get(..8).unwrap_or_default());
        Self { key, id }
    }

    /// A name for the key that reveals nothing of it: 16 hex digits.
    pub fn id(&self) -> &str {
        &self.id
    }

    pub(super) fn wrap(
        &self,
        purpose: &str,
        version: i32,
        key: &KeyBytes,
    ) -> Result<Vec<u8>, VaultError> {
        let mut wrapped = Vec::with_capacity(IV + KEY + TAG);
        encrypt(
            &aes(&self.key),
            &self.aad(purpose, version),
            key.as_slice(),
            &mut wrapped,
        )?;
        Ok(wrapped)
    }

    pub(super) fn unwrap(
        &self,
        purpose: &str,
        version: i32,
        wrapped: &[u8],
    ) -> Result<KeyBytes, VaultError> {
        let altered = || VaultError::AlteredDataKey {
            purpose: purpose.to_owned(),
            version,
        };
        let opened = decrypt(&aes(&self.key), &self.aad(purpose, version), wrapped)
            .map_err(|_| altered())?;
        let mut key = KeyBytes::default();
        if opened.len() != KEY {
            return Err(altered());
        }
        key.copy_from_slice(&opened);
        Ok(key)
    }

    fn aad(&self, purpose: &str, version: i32) -> Vec<u8> {
        let mut aad = b"issuer-gateway data key 1".to_vec();
        for text in [purpose, &self.id] {
            super::cipher::push_prefixed(&mut aad, text.as_bytes());
        }
        aad.extend_from_slice(&version.to_be_bytes());
        aad
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_kek_is_32_bytes_in_base64() {
        let text = Kek::generate().unwrap();
        assert_eq!(text.len(), 44);
        let kek = Kek::from_base64(&format!(" {}\n", *text)).unwrap();
        assert_eq!(kek.id().len(), 16);
        assert_eq!(format!("{kek:?}"), format!("Kek({})", kek.id()));
        assert_eq!(kek.id(), Kek::from_base64(&text).unwrap().id());
        for bad in [
            "",
            "AAAA",
            "not base64",
            &STANDARD.encode([0; 31]),
            &STANDARD.encode([0; 33]),
        ] {
            assert_eq!(Kek::from_base64(bad).err(), Some(VaultError::MalformedKek));
        }
    }

    #[test]
    fn neither_id_nor_debug_shows_the_key() {
        let kek = Kek::from_base64(&STANDARD.encode([0xab; 32])).unwrap();
        assert!(!format!("{kek:?}").contains("abab"));
    }

    #[test]
    fn a_wrapped_key_opens_only_as_what_it_was_wrapped_for() {
        let kek = Kek::from_base64(&Kek::generate().unwrap()).unwrap();
        let key = random_key().unwrap();
        let wrapped = kek.wrap("seal", 1, &key).unwrap();
        assert_eq!(wrapped.len(), 60);
        assert_eq!(*kek.unwrap("seal", 1, &wrapped).unwrap(), *key);
        assert!(kek.unwrap("index", 1, &wrapped).is_err());
        assert!(kek.unwrap("seal", 2, &wrapped).is_err());
        let other = Kek::from_base64(&Kek::generate().unwrap()).unwrap();
        assert!(other.unwrap("seal", 1, &wrapped).is_err());
        for at in 0..wrapped.len() {
            let mut altered = wrapped.clone();
            altered[at] ^= 1;
            assert!(kek.unwrap("seal", 1, &altered).is_err(), "byte {at}");
        }
        assert!(kek.unwrap("seal", 1, &wrapped[..27]).is_err());
    }
}
