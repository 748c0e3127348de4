//! Unwraps a content key in every way that clients wrap one, rightly or not.

use super::super::digest::Hash;
use openssl::encrypt::Decrypter;
use openssl::error::ErrorStack;
use openssl::pkey::{PKeyRef, Private};
use openssl::rsa::Padding;
use zeroize::Zeroizing;

/// How a content key is wrapped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Wrapping {
    /// OAEP with this hash, and this one for MGF1.
    Oaep(Hash, Hash),
    /// PKCS#1 v1.5: OpenSSL gives random bytes where it does not fit, so only the content tells.
    Pkcs1,
}

impl Wrapping {
    /// The right one first.
    pub(super) const ALL: [Self; 8] = [
        Self::Oaep(Hash::Sha256, Hash::Sha256),
        Self::Oaep(Hash::Sha256, Hash::Sha1),
        Self::Oaep(Hash::Sha1, Hash::Sha1),
        Self::Oaep(Hash::Sha512, Hash::Sha512),
        Self::Oaep(Hash::Sha512, Hash::Sha1),
        Self::Oaep(Hash::Sha384, Hash::Sha384),
        Self::Oaep(Hash::Sha1, Hash::Sha256),
        Self::Pkcs1,
    ];

    /// For people.
    pub(super) fn name(self) -> String {
        match self {
            Self::Pkcs1 => "PKCS#1 v1.5".to_owned(),
            Self::Oaep(hash, mgf1) if hash == mgf1 => format!("OAEP with {}", hash.name()),
            Self::Oaep(hash, mgf1) => {
                format!("OAEP with {}, MGF1 with {}", hash.name(), mgf1.name())
            }
        }
    }
}

/// The content key; `None` if this key or wrapping is not the one.
pub(super) fn unwrap(
    key: &PKeyRef<Private>,
    wrapping: Wrapping,
    wrapped: &[u8],
) -> Option<Zeroizing<Vec<u8>>> {
    if wrapped.len() != key.size() {
        return None;
    }
    decrypt(key, wrapping, wrapped).ok()
}

fn decrypt(
    key: &PKeyRef<Private>,
    wrapping: Wrapping,
    wrapped: &[u8],
) -> Result<Zeroizing<Vec<u8>>, ErrorStack> {
    let mut decrypter = Decrypter::new(key)?;
    match wrapping {
        Wrapping::Oaep(hash, mgf1) => {
            decrypter.set_rsa_padding(Padding::PKCS1_OAEP)?;
            decrypter.set_rsa_oaep_md(hash.message_digest())?;
            decrypter.set_rsa_mgf1_md(mgf1.message_digest())?;
        }
        Wrapping::Pkcs1 => decrypter.set_rsa_padding(Padding::PKCS1)?,
    }
    let mut cek = Zeroizing::new(vec![0; decrypter.decrypt_len(wrapped)?]);
    let length = decrypter.decrypt(wrapped, &mut cek)?;
    cek.truncate(length);
    Ok(cek)
}
