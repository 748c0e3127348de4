//! Sealing values at rest: AES-256-GCM under versioned data keys.
//!
//! Stored: key version (4 bytes, big-endian) | IV (12 random bytes) | ciphertext (as long as the
//! plaintext) | tag (16 bytes). AAD: `issuer-gateway sealed 1`, owner (4 bytes big-endian), row id
//! and column each as length (4 bytes big-endian) and bytes, key version (4 bytes big-endian): a
//! value moved to another owner, row, column or version does not open.
//!
//! With random IVs a key is good for 2^32 values (NIST SP 800-38D, 8.3), some 700 million
//! enrolments: rotate before. Columns that are written again with every transaction
//! ([`SealedColumn::has_row_keys`]) would use that up in months. Each of their rows has a key of
//! its own: HMAC-SHA-256(data key, `issuer-gateway row key 1` and the AAD's parts), which is
//! HKDF-Expand (RFC 5869, 2.3) for one block. A row of a month has the month (4 bytes big-endian)
//! in the AAD, after the column.

use super::VaultError;
use super::blind_index::keyed;
use super::iv::{self, IV};
use super::key::KeyBytes;
use crate::ids::{AppId, IssuerId, OwnerId};
use crate::sealed::{SealedColumn, VERSION_LENGTH};
use aes_gcm::aead::AeadInOut;
use aes_gcm::{Aes256Gcm, KeyInit};
use hmac::{Hmac, Mac};
use sha2::Sha256;
use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use zeroize::Zeroizing;

/// Length of a tag, in bytes.
pub(super) const TAG: usize = 16;

/// Where a value lives; it opens nowhere else.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place<'a> {
    /// Whose row it is.
    pub owner: OwnerId,
    /// The row within the owner: the user id, or the klaim id.
    pub row_id: &'a str,
    /// The column.
    pub column: SealedColumn,
    /// The month's number, of a row that is a cardholder's month.
    pub month: Option<i32>,
}

impl<'a> Place<'a> {
    /// A place in a row of an issuer's cardholder.
    pub fn of_issuer(issuer_id: IssuerId, row_id: &'a str, column: SealedColumn) -> Self {
        Self {
            owner: issuer_id.into(),
            row_id,
            column,
            month: None,
        }
    }

    /// A place in an app's record of the users API.
    pub fn of_app(app_id: AppId, row_id: &'a str, column: SealedColumn) -> Self {
        Self {
            owner: app_id.into(),
            row_id,
            column,
            month: None,
        }
    }

    /// A cardholder's month.
    pub fn of_month(issuer_id: IssuerId, user_id: &'a str, month: i32) -> Self {
        Self {
            month: Some(month),
            ..Self::of_issuer(issuer_id, user_id, SealedColumn::TransactionMonth)
        }
    }
}

/// A sealed value and the data key that sealed it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sealed {
    /// As described above.
    pub bytes: Vec<u8>,
    /// The data key's version, for the row's `seal_key`.
    pub key_version: i32,
}

/// Every data key of purpose `seal`, its key schedule computed once.
pub(super) struct SealKeys {
    primary: u32,
    keys: HashMap<u32, SealKey>,
}

/// One data key, ready for values, and for keys of rows.
struct SealKey {
    cipher: Aes256Gcm,
    root: Hmac<Sha256>,
    /// Values that it has sealed itself.
    sealed: AtomicU64,
}

impl SealKey {
    /// What seals the value of this place, whose AAD is given.
    fn cipher(&self, place: Place<'_>, aad: &[u8]) -> Cow<'_, Aes256Gcm> {
        if !place.column.has_row_keys() {
            return Cow::Borrowed(&self.cipher);
        }
        let mut mac = self.root.clone();
        mac.update(b"issuer-gateway row key 1");
        mac.update(aad);
        mac.update(&[1]);
        let key: KeyBytes = Zeroizing::new(mac.finalize().into_bytes().into());
        Cow::Owned(aes(&key))
    }

    /// What seals tokens of the web view in this scope (an issuer and a day).
    fn visits(&self, scope: &[u8]) -> Aes256Gcm {
        let mut mac = self.root.clone();
        mac.update(b"issuer-gateway visit key 1");
        mac.update(scope);
        mac.update(&[1]);
        let key: KeyBytes = Zeroizing::new(mac.finalize().into_bytes().into());
        aes(&key)
    }
}

impl SealKeys {
    /// `primary` must be one of the keys.
    pub(super) fn new(primary: u32, keys: &[(u32, KeyBytes)]) -> Result<Self, VaultError> {
        let ready = |key: &KeyBytes| SealKey {
            cipher: aes(key),
            root: keyed(key),
            sealed: AtomicU64::new(0),
        };
        let keys: HashMap<_, _> = keys
            .iter()
            .map(|(version, key)| (*version, ready(key)))
            .collect();
        if !keys.contains_key(&primary) {
            return Err(VaultError::NoPrimary("seal"));
        }
        Ok(Self { primary, keys })
    }

    pub(super) fn seal(&self, place: Place<'_>, plaintext: &[u8]) -> Result<Sealed, VaultError> {
        let version = self.primary;
        let key = self.key(version)?;
        let mut bytes = Vec::with_capacity(VERSION_LENGTH + IV + plaintext.len() + TAG);
        bytes.extend_from_slice(&version.to_be_bytes());
        let aad = aad(place, version);
        if !place.column.has_row_keys() {
            key.sealed.fetch_add(1, Ordering::Relaxed);
        }
        encrypt(&key.cipher(place, &aad), &aad, plaintext, &mut bytes)?;
        Ok(Sealed {
            bytes,
            key_version: i32::try_from(version).map_err(|_| VaultError::UnknownVersion(version))?,
        })
    }

    pub(super) fn open(
        &self,
        place: Place<'_>,
        sealed: &[u8],
    ) -> Result<Zeroizing<Vec<u8>>, VaultError> {
        let (version, rest) = sealed
            .split_first_chunk::<VERSION_LENGTH>()
            .ok_or(VaultError::DoesNotOpen)?;
        let version = u32::from_be_bytes(*version);
        let key = self.key(version)?;
        let aad = aad(place, version);
        decrypt(&key.cipher(place, &aad), &aad, rest)
    }

    /// Values that the key that seals now has sealed itself, since it was loaded.
    pub(super) fn sealed(&self) -> u64 {
        let key = self.keys.get(&self.primary);
        key.map_or(0, |key| key.sealed.load(Ordering::Relaxed))
    }

    /// Version of the key that seals now.
    pub(super) fn primary(&self) -> u32 {
        self.primary
    }

    /// Seals a token of the web view: IV, ciphertext and tag.
    pub(super) fn seal_visit(
        &self,
        version: u32,
        scope: &[u8],
        aad: &[u8],
        plaintext: &[u8],
    ) -> Result<Vec<u8>, VaultError> {
        let mut sealed = Vec::new();
        encrypt(
            &self.key(version)?.visits(scope),
            aad,
            plaintext,
            &mut sealed,
        )?;
        Ok(sealed)
    }

    pub(super) fn open_visit(
        &self,
        version: u32,
        scope: &[u8],
        aad: &[u8],
        sealed: &[u8],
    ) -> Result<Zeroizing<Vec<u8>>, VaultError> {
        decrypt(&self.key(version)?.visits(scope), aad, sealed)
    }

    /// HMAC-SHA-256 with the key of this version, for keys to be derived from it.
    pub(super) fn root(&self, version: u32) -> Option<Hmac<Sha256>> {
        Some(self.keys.get(&version)?.root.clone())
    }

    fn key(&self, version: u32) -> Result<&SealKey, VaultError> {
        let key = self.keys.get(&version);
        key.ok_or(VaultError::UnknownVersion(version))
    }
}

pub(super) fn aes(key: &KeyBytes) -> Aes256Gcm {
    Aes256Gcm::new(&(**key).into())
}

fn aad(place: Place<'_>, version: u32) -> Vec<u8> {
    let mut aad = Vec::with_capacity(112);
    aad.extend_from_slice(b"issuer-gateway sealed 1");
    aad.extend_from_slice(&place.owner.number().to_be_bytes());
    push_prefixed(&mut aad, place.row_id.as_bytes());
    push_prefixed(&mut aad, place.column.as_str().as_bytes());
    if let Some(month) = place.month {
        aad.extend_from_slice(&month.to_be_bytes());
    }
    aad.extend_from_slice(&version.to_be_bytes());
    aad
}

/// Length and bytes. Nothing here comes near 4 GiB; saturating keeps the function total.
pub(super) fn push_prefixed(out: &mut Vec<u8>, bytes: &[u8]) {
    let length = u32::try_from(bytes.len()).unwrap_or(u32::MAX);
    out.extend_from_slice(&length.to_be_bytes());
    out.extend_from_slice(bytes);
}

/// Appends IV, ciphertext and tag to `out`, which has room for them: growing it would leave
/// plaintext behind.
pub(super) fn encrypt(
    cipher: &Aes256Gcm,
    aad: &[u8],
    plaintext: &[u8],
    out: &mut Vec<u8>,
) -> Result<(), VaultError> {
    let iv = iv::fresh()?;
    out.reserve_exact(IV + plaintext.len() + TAG);
    out.extend_from_slice(&iv);
    let start = out.len();
    out.extend_from_slice(plaintext);
    let text = out.get_mut(start..).unwrap_or_default();
    let tag = cipher
        .encrypt_inout_detached(&iv.into(), aad, text.into())
        .map_err(|_| VaultError::CannotSeal)?;
    out.extend_from_slice(&tag);
    Ok(())
}

/// Opens IV | ciphertext | tag.
pub(super) fn decrypt(
    cipher: &Aes256Gcm,
    aad: &[u8],
    sealed: &[u8],
) -> Result<Zeroizing<Vec<u8>>, VaultError> {
    let parts = sealed.split_first_chunk::<IV>().and_then(|(iv, rest)| {
        let (text, tag) = rest.split_last_chunk::<TAG>()?;
        Some((iv, text, tag))
    });
    let (iv, text, tag) = parts.ok_or(VaultError::DoesNotOpen)?;
    let mut plaintext = Zeroizing::new(text.to_vec());
    cipher
        .decrypt_inout_detached(
            &(*iv).into(),
            aad,
            plaintext.as_mut_slice().into(),
            &(*tag).into(),
        )
        .map_err(|_| VaultError::DoesNotOpen)?;
    Ok(plaintext)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::vault::key::random_key;

    const PLACE: Place<'static> = Place {
        owner: OwnerId::Issuer(IssuerId(1)),
        row_id: "c8b38606-12b2-43c6-a641-be8eb0ab9dec",
        column: SealedColumn::CardholderName,
        month: None,
    };

    fn keys() -> SealKeys {
        let keys = [(1, random_key().unwrap()), (2, random_key().unwrap())];
        SealKeys::new(2, &keys).unwrap()
    }

    #[test]
    fn a_value_opens_in_its_place() {
        let keys = keys();
        let sealed = keys.seal(PLACE, b"Johnn Dooe").unwrap();
        assert_eq!(sealed.key_version, 2);
        assert_eq!(sealed.bytes.len(), 4 + 12 + 10 + 16);
        assert_eq!(sealed.bytes[..4], [0, 0, 0, 2]);
        assert!(!sealed.bytes.windows(5).any(|w| w == b"Johnn"));
        assert_eq!(**keys.open(PLACE, &sealed.bytes).unwrap(), *b"Johnn Dooe");
        assert_ne!(keys.seal(PLACE, b"Johnn Dooe").unwrap(), sealed);
        let empty = keys.seal(PLACE, b"").unwrap();
        assert!(keys.open(PLACE, &empty.bytes).unwrap().is_empty());
    }

    #[test]
    fn it_opens_nowhere_else() {
        let keys = keys();
        let sealed = keys.seal(PLACE, b"Johnn Dooe").unwrap().bytes;
        let moved = [
            Place {
                owner: OwnerId::Issuer(IssuerId(2)),
                ..PLACE
            },
            Place {
                row_id: "c8b38606-12b2-43c6-a641-be8eb0ab9ded",
                ..PLACE
            },
            Place {
                row_id: "",
                ..PLACE
            },
            Place {
                column: SealedColumn::CardholderEmail,
                ..PLACE
            },
            Place {
                column: SealedColumn::Card,
                ..PLACE
            },
        ];
        for place in moved {
            assert_eq!(
                keys.open(place, &sealed).err(),
                Some(VaultError::DoesNotOpen),
                "{place:?}"
            );
        }
        let mut other_version = sealed.clone();
        other_version[3] = 1;
        assert_eq!(
            keys.open(PLACE, &other_version).err(),
            Some(VaultError::DoesNotOpen)
        );
        other_version[3] = 9;
        assert_eq!(
            keys.open(PLACE, &other_version).err(),
            Some(VaultError::UnknownVersion(9))
        );
    }

    #[test]
    fn a_month_opens_in_its_row_alone() {
        let keys = keys();
        let user = PLACE.row_id;
        let place = Place::of_month(IssuerId(1), user, 24_323);
        let sealed = keys.seal(place, b"groceries").unwrap().bytes;
        assert_eq!(**keys.open(place, &sealed).unwrap(), *b"groceries");
        let moved = [
            Place::of_month(IssuerId(1), user, 24_324),
            Place::of_month(IssuerId(2), user, 24_323),
            Place {
                month: None,
                ..place
            },
            Place {
                column: SealedColumn::TransactionLedger,
                ..place
            },
            Place {
                column: SealedColumn::Card,
                ..place
            },
        ];
        for place in moved {
            assert!(keys.open(place, &sealed).is_err(), "{place:?}");
        }
        // Under the row's own key, not under the data key itself.
        let aad = aad(place, 2);
        assert!(decrypt(&keys.keys[&2].cipher, &aad, &sealed[4..]).is_err());
    }

    #[test]
    fn nothing_altered_or_cut_opens() {
        let keys = keys();
        let sealed = keys.seal(PLACE, b"Johnn").unwrap().bytes;
        for at in 4..sealed.len() {
            let mut altered = sealed.clone();
            altered[at] ^= 0x80;
            assert!(keys.open(PLACE, &altered).is_err(), "byte {at}");
        }
        for length in 0..sealed.len() {
            assert!(
                keys.open(PLACE, &sealed[..length]).is_err(),
                "length {length}"
            );
        }
    }
}
