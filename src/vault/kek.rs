//! A key encryption key in memory: wraps data keys, and is never stored beside them.
//!
//! [`key_wrap`](super::key_wrap) describes the wrapped key.

use super::VaultError;
use super::blind_index::keyed;
use super::cipher::{TAG, aes, decrypt, encrypt};
use super::iv::IV;
use super::key::{KEY, KeyBytes, decode_key, random_key};
use super::key_wrap::{IN_MEMORY, KekFault, KeyName, KeyWrap, key_of, of_format};
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
}

/// Length of a wrapped key without its format byte, in bytes.
const WRAPPED: usize = IV + KEY + TAG;

impl KeyWrap for Kek {
    fn id(&self) -> &str {
        &self.id
    }

    fn wrap(&self, name: &KeyName<'_>, key: &KeyBytes) -> Result<Vec<u8>, KekFault> {
        let mut wrapped = Vec::with_capacity(1 + WRAPPED);
        wrapped.push(IN_MEMORY);
        let aad = name.aad(&self.id);
        encrypt(&aes(&self.key), &aad, key.as_slice(), &mut wrapped)
            .map_err(|_| KekFault::NoRandomBytes)?;
        Ok(wrapped)
    }

    fn unwrap(&self, name: &KeyName<'_>, wrapped: &[u8]) -> Result<KeyBytes, KekFault> {
        // Rows of versions before the format byte have no other length.
        let sealed = match wrapped.len() {
            WRAPPED => wrapped,
            _ => of_format(IN_MEMORY, wrapped)?,
        };
        let opened = decrypt(&aes(&self.key), &name.aad(&self.id), sealed);
        key_of(&opened.map_err(|_| KekFault::Altered)?).ok_or(KekFault::Altered)
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

    const SEAL: KeyName<'static> = KeyName {
        purpose: "seal",
        version: 1,
    };

    #[test]
    fn a_wrapped_key_opens_only_as_what_it_was_wrapped_for() {
        let kek = Kek::from_base64(&Kek::generate().unwrap()).unwrap();
        let key = random_key().unwrap();
        let wrapped = kek.wrap(&SEAL, &key).unwrap();
        assert_eq!((wrapped.len(), wrapped[0]), (61, 1));
        assert_eq!(kek.unwrap(&SEAL, &wrapped).unwrap(), key);
        for (purpose, version) in [("index", 1), ("seal", 2)] {
            let name = KeyName { purpose, version };
            assert_eq!(kek.unwrap(&name, &wrapped), Err(KekFault::Altered));
        }
        let other = Kek::from_base64(&Kek::generate().unwrap()).unwrap();
        assert!(other.unwrap(&SEAL, &wrapped).is_err());
        for at in 0..wrapped.len() {
            let mut altered = wrapped.clone();
            altered[at] ^= 1;
            assert!(kek.unwrap(&SEAL, &altered).is_err(), "byte {at}");
        }
        for cut in [0, 1, 28, 59] {
            assert!(kek.unwrap(&SEAL, &wrapped[..cut]).is_err(), "{cut}");
        }
    }

    #[test]
    fn keys_that_were_wrapped_before_the_format_byte_open() {
        let kek = Kek::from_base64(&STANDARD.encode([0xab; 32])).unwrap();
        let mut wrapped = Vec::new();
        encrypt(&aes(&kek.key), &SEAL.aad(kek.id()), &[7; 32], &mut wrapped).unwrap();
        assert_eq!(wrapped.len(), 60);
        assert_eq!(*kek.unwrap(&SEAL, &wrapped).unwrap(), [7; 32]);
        let longer = [&wrapped[..], &[0]].concat();
        assert!(kek.unwrap(&SEAL, &longer).is_err());
    }
}
