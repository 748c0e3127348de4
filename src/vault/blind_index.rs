//! Blind indexes: find a PAN or an e-mail address without storing it.
//!
//! index = HMAC-SHA-256(key of the issuer, whole value); key of the issuer = HMAC-SHA-256(root,
//! `issuer-gateway blind index KIND|ISSUER`) with KIND `pan` or `email` and ISSUER in decimal
//! (`directory-email` and the app's number for the users API). The root is the data key of purpose
//! `index`. Keyed and over the whole value, as PCI DSS 3.5.1.1 asks: a bare hash of a PAN is found
//! by trying all PANs. Per issuer: the same card at two issuers has two unlike indexes.

use super::key::KeyBytes;
use crate::ids::OwnerId;
use crate::store::data_keys::FormerIndex;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use std::collections::HashMap;
use std::sync::{PoisonError, RwLock};
use zeroize::Zeroizing;

/// Most keys that are remembered; beyond, all are forgotten and derived again.
const REMEMBERED: usize = 10_000;

/// A value's blind index and the key version it was made with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BlindIndex {
    /// HMAC-SHA-256.
    pub bytes: [u8; 32],
    /// Version of the root key, for the index column's key column.
    pub key_version: i32,
}

impl From<BlindIndex> for FormerIndex {
    fn from(index: BlindIndex) -> Self {
        Self {
            index: index.bytes.to_vec(),
            key: index.key_version,
        }
    }
}

/// What is indexed. The labels are part of the derivation: never change one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Kind {
    Pan,
    Email,
    /// E-mail of the users API; its owner is the app.
    DirectoryEmail,
}

/// The root key and the keys derived from it, each a MAC with its key already absorbed.
pub(super) struct IndexRoot {
    version: i32,
    root: Hmac<Sha256>,
    derived: RwLock<HashMap<(Kind, OwnerId), Hmac<Sha256>>>,
}

impl IndexRoot {
    pub(super) fn new(version: i32, root: &KeyBytes) -> Self {
        Self {
            version,
            root: keyed(root),
            derived: RwLock::default(),
        }
    }

    pub(super) fn version(&self) -> i32 {
        self.version
    }

    pub(super) fn compute(&self, kind: Kind, owner: OwnerId, value: &[u8]) -> BlindIndex {
        let mut mac = self.key_of(kind, owner);
        mac.update(value);
        BlindIndex {
            bytes: mac.finalize().into_bytes().into(),
            key_version: self.version,
        }
    }

    fn key_of(&self, kind: Kind, owner: OwnerId) -> Hmac<Sha256> {
        let slot = (kind, owner);
        let known = self
            .derived
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .get(&slot)
            .cloned();
        known.unwrap_or_else(|| {
            let derived = self.derive(kind, owner);
            let mut all = self.derived.write().unwrap_or_else(PoisonError::into_inner);
            if all.len() >= REMEMBERED {
                all.clear();
            }
            all.insert(slot, derived.clone());
            derived
        })
    }

    fn derive(&self, kind: Kind, owner: OwnerId) -> Hmac<Sha256> {
        let kind = match kind {
            Kind::Pan => "pan",
            Kind::Email => "email",
            Kind::DirectoryEmail => "directory-email",
        };
        let mut mac = self.root.clone();
        mac.update(format!("issuer-gateway blind index {kind}|{}", owner.number()).as_bytes());
        let key: KeyBytes = Zeroizing::new(mac.finalize().into_bytes().into());
        keyed(&key)
    }
}

/// HMAC-SHA-256 with this key.
pub(super) fn keyed(key: &KeyBytes) -> Hmac<Sha256> {
    // A key shorter than SHA-256's block is padded with zeros (RFC 2104): done here, `new` takes a
    // block.
    let mut block = Zeroizing::new([0; 64]);
    if let Some(start) = block.first_chunk_mut() {
        *start = **key;
    }
    Hmac::new(&(*block).into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::IssuerId;
    use crate::vault::key::random_key;

    fn issuer(number: i32) -> OwnerId {
        IssuerId(number).into()
    }

    /// The same construction with OpenSSL's HMAC.
    fn openssl(key: &[u8], data: &[u8]) -> Vec<u8> {
        let key = openssl::pkey::PKey::hmac(key).unwrap();
        let digest = openssl::hash::MessageDigest::sha256();
        let mut signer = openssl::sign::Signer::new(digest, &key).unwrap();
        signer.sign_oneshot_to_vec(data).unwrap()
    }

    #[test]
    fn it_is_hmac_under_a_key_of_the_issuer() {
        let root = random_key().unwrap();
        let index = IndexRoot::new(3, &root);
        let key = openssl(root.as_slice(), b"issuer-gateway blind index pan|42");
        let expected = openssl(&key, b"5344035555555557");
        for _ in 0..2 {
            let got = index.compute(Kind::Pan, issuer(42), b"5344035555555557");
            assert_eq!((got.bytes.to_vec(), got.key_version), (expected.clone(), 3));
        }
    }

    #[test]
    fn issuers_kinds_roots_and_values_are_kept_apart() {
        let index = IndexRoot::new(1, &random_key().unwrap());
        let other_root = IndexRoot::new(1, &random_key().unwrap());
        let one = index.compute(Kind::Pan, issuer(1), b"5344035555555557");
        assert_ne!(
            one,
            index.compute(Kind::Pan, issuer(2), b"5344035555555557")
        );
        assert_ne!(
            one,
            index.compute(Kind::Email, issuer(1), b"5344035555555557")
        );
        assert_ne!(
            one,
            index.compute(Kind::Pan, issuer(1), b"5344035555555558")
        );
        assert_ne!(
            one,
            other_root.compute(Kind::Pan, issuer(1), b"5344035555555557")
        );
    }

    #[test]
    fn what_is_remembered_is_bounded() {
        let index = IndexRoot::new(1, &random_key().unwrap());
        for number in 0..10_500 {
            index.compute(Kind::Pan, issuer(number), b"1");
        }
        assert!(index.derived.read().unwrap().len() <= REMEMBERED);
    }
}
