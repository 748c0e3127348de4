//! What a key encryption key is to the vault, wherever it lies: in memory ([`Kek`](super::Kek)), in
//! a token, or at a service. The vault never asks it for its bytes.
//!
//! A wrapped key is one of these, the format in its first byte:
//!
//! | format | the rest | made by |
//! | --- | --- | --- |
//! | none; 60 bytes in all | IV 12, ciphertext 32, tag 16 | a KEK in memory, by versions before the format byte |
//! | 1 | IV 12, ciphertext 32, tag 16 | a KEK in memory: AES-256-GCM |
//! | 2 | IV 12, ciphertext 32, tag 16 | a token: `CKM_AES_GCM` |
//! | 3 | text, `vault:vN:…` | a transit service; it encrypts 64 bytes, see [`KeyName::bind`] |
//!
//! Formats 1 and 2 authenticate [`KeyName::aad`].

use super::cipher::push_prefixed;
use super::key::{KEY, KeyBytes};
use sha2::{Digest, Sha256};
use std::fmt;
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

/// Format byte of a KEK in memory.
pub(super) const IN_MEMORY: u8 = 1;
/// Format byte of a token.
pub const IN_TOKEN: u8 = 2;
/// Format byte of a transit service.
pub const AT_TRANSIT: u8 = 3;

/// A key encryption key.
pub trait KeyWrap: Send + Sync + fmt::Debug {
    /// Names the key, and the version of it that wraps now. Stored beside each wrapped key.
    fn id(&self) -> &str;

    /// Whether it unwraps keys that are stored under `id`: its own id, or that of an older version.
    fn opens(&self, id: &str) -> bool {
        id == self.id()
    }

    /// Wraps a data key, format byte first.
    ///
    /// # Errors
    /// [`KekFault`].
    fn wrap(&self, name: &KeyName<'_>, key: &KeyBytes) -> Result<Vec<u8>, KekFault>;

    /// Unwraps a data key, of whichever version of this KEK.
    ///
    /// # Errors
    /// [`KekFault::Altered`] if `wrapped` was not made for this name by this KEK.
    fn unwrap(&self, name: &KeyName<'_>, wrapped: &[u8]) -> Result<KeyBytes, KekFault>;

    /// Brings a key that an older version wrapped under the newest one, where the key's keeper does
    /// that itself. `None`: unwrap and wrap.
    fn rewrap(&self, _wrapped: &[u8]) -> Option<Result<Vec<u8>, KekFault>> {
        None
    }
}

/// Which data key a wrapped key is. A wrapped key opens under no other name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KeyName<'a> {
    /// `seal` or `index`.
    pub purpose: &'a str,
    /// From 1.
    pub version: i32,
}

impl KeyName<'_> {
    /// `issuer-gateway data key 1`, then purpose and `kek` each as length (4 bytes big-endian) and
    /// bytes, then the version (4 bytes big-endian).
    pub fn aad(&self, kek: &str) -> Vec<u8> {
        let mut aad = b"issuer-gateway data key 1".to_vec();
        for text in [self.purpose, kek] {
            push_prefixed(&mut aad, text.as_bytes());
        }
        aad.extend_from_slice(&self.version.to_be_bytes());
        aad
    }

    /// The key (32 bytes) and the SHA-256 of [`aad`](Self::aad): for a keeper that takes no
    /// additional data, or cannot wrap anew what has some.
    pub fn bind(&self, kek: &str, key: &KeyBytes) -> Zeroizing<Vec<u8>> {
        let mut bound = Zeroizing::new(Vec::with_capacity(2 * KEY));
        bound.extend_from_slice(key.as_slice());
        bound.extend_from_slice(&Sha256::digest(self.aad(kek)));
        bound
    }

    /// The key out of [`bind`](Self::bind). `None` if it was bound to another name or KEK.
    pub fn unbind(&self, kek: &str, bound: &[u8]) -> Option<KeyBytes> {
        let (key, digest) = bound.split_at_checked(KEY)?;
        let own: [u8; 32] = Sha256::digest(self.aad(kek)).into();
        if !bool::from(own.as_slice().ct_eq(digest)) {
            return None;
        }
        key_of(key)
    }
}

/// A key out of 32 bytes.
pub fn key_of(bytes: &[u8]) -> Option<KeyBytes> {
    let mut key = KeyBytes::default();
    (bytes.len() == KEY).then(|| key.copy_from_slice(bytes))?;
    Some(key)
}

/// What follows the format byte.
pub fn of_format(format: u8, wrapped: &[u8]) -> Result<&[u8], KekFault> {
    match wrapped.split_first() {
        Some((first, rest)) if *first == format => Ok(rest),
        _ => Err(KekFault::Altered),
    }
}

/// Why a KEK does not wrap or unwrap. The texts hold no key and no PIN.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum KekFault {
    /// The wrapped key was altered, or belongs to another name.
    #[error("the wrapped key does not open")]
    Altered,
    /// No random bytes from the operating system.
    #[error("there are no random bytes")]
    NoRandomBytes,
    /// Its keeper does not answer, and may do so later.
    #[error("{text}")]
    Away {
        /// Stable id for logs and audit.
        reason: &'static str,
        /// What is wrong.
        text: String,
    },
    /// Its keeper refuses, and will until somebody changes something.
    #[error("{text}")]
    Refused {
        /// Stable id for logs and audit.
        reason: &'static str,
        /// What is wrong.
        text: String,
    },
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::vault::key::random_key;

    #[test]
    fn a_bound_key_is_found_under_its_own_name_alone() {
        let key = random_key().unwrap();
        let name = KeyName {
            purpose: "seal",
            version: 3,
        };
        let bound = name.bind("kek", &key);
        assert_eq!(bound.len(), 64);
        assert_eq!(name.unbind("kek", &bound), Some(key));
        for (purpose, version, kek) in [
            ("index", 3, "kek"),
            ("seal", 4, "kek"),
            ("seal", 3, "kek2"),
            ("sea", 3, "lkek"),
        ] {
            let other = KeyName { purpose, version };
            assert_eq!(other.unbind(kek, &bound), None, "{purpose} {version} {kek}");
        }
        for at in 32..64 {
            let mut altered = bound.clone();
            altered[at] ^= 1;
            assert_eq!(name.unbind("kek", &altered), None, "{at}");
        }
        for cut in [0, 31, 32, 63] {
            assert_eq!(name.unbind("kek", &bound[..cut]), None, "{cut}");
        }
    }

    #[test]
    fn a_format_is_its_first_byte() {
        assert_eq!(of_format(2, &[2, 7, 8]), Ok(&[7_u8, 8][..]));
        assert_eq!(of_format(2, &[2]), Ok(&[][..]));
        assert_eq!(of_format(2, &[1, 7]), Err(KekFault::Altered));
        assert_eq!(of_format(2, &[]), Err(KekFault::Altered));
    }
}
