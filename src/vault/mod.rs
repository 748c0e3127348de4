//! The vault: what is personal is sealed before it reaches the database, and found by blind index.
//!
//! A key encryption key ([`Kek`], held outside of the database) wraps the data keys, which are versioned rows. A data key
//! of purpose `seal` encrypts values ([`cipher`]), one of purpose `index` is the root of the blind indexes
//! ([`blind_index`]).

pub mod blind_index;
pub mod cipher;
mod data_keys;
pub mod kek;

pub use blind_index::BlindIndex;
pub use cipher::{Column, Place, Sealed};
pub use kek::Kek;

use crate::ids::{AppId, IssuerId};
use crate::store::{Store, StoreError};
use blind_index::{IndexRoot, Kind};
use cipher::SealKeys;
use std::fmt;
use zeroize::Zeroizing;

/// Why the vault cannot do what was asked. No key and no plaintext is in it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum VaultError {
    /// The KEK is not 32 bytes in base64.
    #[error("a KEK is 32 random bytes in base64 (44 characters)")]
    MalformedKek,
    /// The data keys were wrapped with another KEK.
    #[error("the data keys are wrapped with KEK {stored}, but the KEK given is {given}")]
    WrongKek {
        /// Id of the KEK that wrapped them.
        stored: String,
        /// Id of the KEK at hand.
        given: String,
    },
    /// A wrapped data key does not open although its KEK id fits: it was altered.
    #[error("data key {purpose} {version} was altered in the database")]
    AlteredDataKey {
        /// `seal` or `index`.
        purpose: String,
        /// Its version.
        version: i32,
    },
    /// There is not exactly one primary data key of this purpose.
    #[error("there is not exactly one primary data key of purpose {0}")]
    NoPrimary(&'static str),
    /// A sealed value names a data key that is not loaded.
    #[error("no data key of version {0}")]
    UnknownVersion(u32),
    /// A sealed value was altered, or belongs to another place.
    #[error("a sealed value does not open in its place")]
    DoesNotOpen,
    /// No random bytes from the operating system, or a value beyond AES-GCM's limit.
    #[error("a value cannot be sealed")]
    CannotSeal,
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl VaultError {
    /// Stable id for logs and audit.
    pub fn reason(&self) -> &'static str {
        match self {
            Self::MalformedKek => "kek-malformed",
            Self::WrongKek { .. } => "kek-wrong",
            Self::AlteredDataKey { .. } => "data-key-altered",
            Self::NoPrimary(_) => "data-key-no-primary",
            Self::UnknownVersion(_) => "data-key-unknown",
            Self::DoesNotOpen => "sealed-value-does-not-open",
            Self::CannotSeal => "value-cannot-be-sealed",
            Self::Store(error) => error.reason(),
        }
    }
}

/// All data keys, unwrapped and ready. `Debug` shows none.
pub struct Vault {
    seal: SealKeys,
    index: IndexRoot,
}

impl fmt::Debug for Vault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Vault(…)")
    }
}

impl Vault {
    /// Loads the data keys and unwraps them; on an empty database creates version 1 of both purposes.
    ///
    /// # Errors
    /// [`VaultError::WrongKek`] if a data key that is not retired was wrapped with another KEK.
    pub async fn open(store: &Store, kek: &Kek) -> Result<Self, VaultError> {
        data_keys::open(store, kek).await
    }

    /// Seals a value for its place under the primary data key.
    pub fn seal(&self, place: Place<'_>, plaintext: &[u8]) -> Result<Sealed, VaultError> {
        self.seal.seal(place, plaintext)
    }

    /// Opens a value sealed for the same place, under whichever data key it names.
    pub fn open_sealed(
        &self,
        place: Place<'_>,
        sealed: &[u8],
    ) -> Result<Zeroizing<Vec<u8>>, VaultError> {
        self.seal.open(place, sealed)
    }

    /// Blind index of a PAN: over all of its digits, per issuer.
    pub fn pan_index(&self, issuer_id: IssuerId, digits: &str) -> BlindIndex {
        self.index.compute(Kind::Pan, issuer_id, digits.as_bytes())
    }

    /// Blind index of an e-mail address, per issuer. Surrounding white space and case do not count.
    pub fn email_index(&self, issuer_id: IssuerId, address: &str) -> BlindIndex {
        let normal = Zeroizing::new(address.trim().to_lowercase());
        self.index
            .compute(Kind::Email, issuer_id, normal.as_bytes())
    }

    /// Blind index of an e-mail address of the users API, per app. Case does not count.
    pub fn app_email_index(&self, app_id: AppId, address: &str) -> BlindIndex {
        let normal = Zeroizing::new(address.trim().to_lowercase());
        self.index
            .compute(Kind::DirectoryEmail, IssuerId(app_id.0), normal.as_bytes())
    }
}
