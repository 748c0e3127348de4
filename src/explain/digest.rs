//! The hashes that clients use, rightly or not.

use openssl::hash::{MessageDigest, hash};

/// A hash function.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Hash {
    Sha256,
    Sha1,
    Sha512,
    Sha384,
    Sha224,
    Md5,
}

impl Hash {
    /// The right one first.
    pub(super) const ALL: [Self; 6] = [
        Self::Sha256,
        Self::Sha1,
        Self::Sha512,
        Self::Sha384,
        Self::Sha224,
        Self::Md5,
    ];

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Sha256 => "SHA-256",
            Self::Sha1 => "SHA-1",
            Self::Sha512 => "SHA-512",
            Self::Sha384 => "SHA-384",
            Self::Sha224 => "SHA-224",
            Self::Md5 => "MD5",
        }
    }

    pub(super) fn message_digest(self) -> MessageDigest {
        match self {
            Self::Sha256 => MessageDigest::sha256(),
            Self::Sha1 => MessageDigest::sha1(),
            Self::Sha512 => MessageDigest::sha512(),
            Self::Sha384 => MessageDigest::sha384(),
            Self::Sha224 => MessageDigest::sha224(),
            Self::Md5 => MessageDigest::md5(),
        }
    }

    /// Empty where OpenSSL does not offer the hash, as in FIPS mode.
    pub(super) fn of(self, bytes: &[u8]) -> Vec<u8> {
        hash(self.message_digest(), bytes)
            .map(|digest| digest.to_vec())
            .unwrap_or_default()
    }

    /// Bytes of a digest.
    pub(super) fn len(self) -> usize {
        self.message_digest().size()
    }
}
