//! The common parts of the two envelopes: a wrapped content key, and content that ends as a JSON
//! object.

use openssl::sha::{Sha256, sha256};
use std::sync::Arc;
use zeroize::Zeroizing;

use super::ecdh::Ephemeral;
use super::fingerprint::Fingerprint;
use super::oaep::OaepDigest;
use super::reason::CryptoReason;
use crate::json::{self, Object};

/// How a content key travels: what a private key needs to unwrap it.
#[derive(Clone)]
pub enum Travel {
    /// Encrypted with RSA-OAEP, with this digest of the padding.
    Oaep(OaepDigest),
    /// Agreed upon with the sender's ephemeral EC key.
    Ecdh(Arc<Ephemeral>),
}

/// A content key as it travels.
pub(super) struct Wrapped {
    /// The `kid` or fingerprint.
    pub(super) hint: Option<String>,
    /// How it travels.
    pub(super) travel: Travel,
    /// The RSA ciphertext, or what AES Key Wrap has made.
    pub(super) bytes: Vec<u8>,
    /// The lengths in bytes that the content key may have.
    pub(super) lengths: &'static [usize],
}

impl Wrapped {
    /// A hash of the wrapped key under the key `opener`, whatever encoding it came in. An RSA
    /// ciphertext has one form alone: its length is the modulus's, and its number below it. Of an
    /// ephemeral key the x coordinate counts: both points that have it give the same secret.
    pub(super) fn hash(&self, opener: Fingerprint) -> [u8; 32] {
        match &self.travel {
            Travel::Oaep(_) => sha256(&[opener.as_bytes(), self.bytes.as_slice()].concat()),
            Travel::Ecdh(ephemeral) => hash_parts(&[
                ephemeral.agreement().alg().as_bytes(),
                opener.as_bytes(),
                ephemeral.x(),
                &self.bytes,
            ]),
        }
    }
}

/// A hash of `parts`, each with its length, so that no byte can move from one to the next.
pub(super) fn hash_parts(parts: &[&[u8]]) -> [u8; 32] {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update(&(part.len() as u64).to_be_bytes());
        hash.update(part);
    }
    hash.finish()
}

/// Decrypted content that may still be worthless.
pub(super) struct Content {
    /// The plaintext; whatever there is, if there is a flaw.
    pub(super) plaintext: Zeroizing<Vec<u8>>,
    /// What was wrong with it.
    pub(super) flaw: Option<CryptoReason>,
}

impl Content {
    /// The last step of every opening. Flawed content is parsed too: a wrong padding then takes the
    /// time of a wrong key, which also ends here, with garbage.
    pub(super) fn into_object(self, genuine_key: bool) -> Result<Object, CryptoReason> {
        let parsed = json::parse_object(&self.plaintext);
        if !genuine_key {
            return Err(CryptoReason::KeyUnwrap);
        }
        match self.flaw {
            Some(flaw) => Err(flaw),
            None => parsed.map_err(|_| CryptoReason::Plaintext),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_hashed_with_their_lengths() {
        let hashes = [
            hash_parts(&[b"ab", b"c"]),
            hash_parts(&[b"a", b"bc"]),
            hash_parts(&[b"abc"]),
            hash_parts(&[b"abc", b""]),
        ];
        for (index, hash) in hashes.iter().enumerate() {
            assert!(!hashes[..index].contains(hash));
        }
    }

    #[test]
    fn an_object_counts_only_without_any_flaw() {
        let end = |text: &[u8], flaw, genuine| {
            let plaintext = Zeroizing::new(text.to_vec());
            Content { plaintext, flaw }.into_object(genuine).err()
        };
        assert_eq!(end(b"{}", None, true), None);
        assert_eq!(end(b"{}", None, false), Some(CryptoReason::KeyUnwrap));
        assert_eq!(
            end(b"{}", Some(CryptoReason::Padding), true),
            Some(CryptoReason::Padding)
        );
        assert_eq!(end(b"{", None, true), Some(CryptoReason::Plaintext));
    }
}
