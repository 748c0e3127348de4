//! The vault: seals personal data before it reaches the database, and finds it by blind index.
//!
//! A key encryption key ([`KeyWrap`], held outside of the database; [`keks`] while it changes,
//! [`shares`] of one in memory) wraps the data keys, which are versioned rows. A data key of
//! purpose `seal` encrypts values ([`cipher`]), one of purpose `index` is the root of the blind
//! indexes ([`blind_index`]).
//!
//! The keys change while nodes serve: [`Vault`] holds the set in force ([`VaultKeys`]) and swaps it
//! whole. While index keys rotate, rows are found under the former one as well.

mod address;
mod anchor_keys;
pub mod blind_index;
pub mod cipher;
mod data_keys;
mod iv;
pub mod kek;
pub mod keks;
mod key;
pub mod key_wrap;
pub mod shares;

pub use crate::sealed::SealedColumn;
pub use blind_index::BlindIndex;
pub use cipher::{Place, Sealed};
pub use kek::Kek;
pub use keks::Keks;
pub use key::KeyBytes;
pub use key_wrap::{KekFault, KeyName, KeyWrap};

use crate::ids::{AppId, IssuerId, OwnerId};
use crate::store::data_keys::{DataKeyRow, Purpose};
use crate::store::{Store, StoreError};
use arc_swap::ArcSwap;
use blind_index::{IndexRoot, Kind};
use cipher::SealKeys;
use std::fmt;
use std::sync::Arc;
use tokio::sync::Mutex;
use zeroize::Zeroizing;

/// Why the vault cannot do what was asked. No key and no plaintext is in it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum VaultError {
    /// The KEK is not 32 bytes in base64.
    #[error("a KEK is 32 random bytes in base64 (44 characters)")]
    MalformedKek,
    /// A data key was wrapped with a KEK that is not at hand.
    #[error("a data key is wrapped with KEK {stored}, which is not at hand; at hand: KEK {given}")]
    WrongKek {
        /// Id of the KEK that wrapped it.
        stored: String,
        /// Ids of the KEKs at hand, separated by commas.
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
    /// The keeper of a KEK (a token, a service) does not wrap or unwrap.
    #[error("KEK {kek}: {fault}")]
    Kek {
        /// Its id.
        kek: String,
        /// Why.
        fault: KekFault,
    },
    /// There is not exactly one primary data key of this purpose.
    #[error("there is not exactly one primary data key of purpose {0}")]
    NoPrimary(&'static str),
    /// More than one index key is active beside the primary one.
    #[error("more than one former index key: duplicates could not be found")]
    SeveralFormerIndexKeys,
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
            Self::Kek { fault, .. } => match fault {
                KekFault::Away { reason, .. } | KekFault::Refused { reason, .. } => reason,
                KekFault::Altered => "data-key-altered",
                KekFault::NoRandomBytes => "value-cannot-be-sealed",
            },
            Self::NoPrimary(_) => "data-key-no-primary",
            Self::SeveralFormerIndexKeys => "data-key-several-former",
            Self::UnknownVersion(_) => "data-key-unknown",
            Self::DoesNotOpen => "sealed-value-does-not-open",
            Self::CannotSeal => "value-cannot-be-sealed",
            Self::Store(error) => error.reason(),
        }
    }

    /// Whether it may pass by itself: a database or a KEK's keeper that is away.
    pub fn is_passing(&self) -> bool {
        match self {
            Self::Store(error) => error.is_recoverable(),
            Self::Kek { fault, .. } => matches!(fault, KekFault::Away { .. }),
            _ => false,
        }
    }
}

/// The data keys of a node: see [`Vault::current`]. `Debug` shows none.
pub struct Vault {
    keks: ArcSwap<Keks>,
    current: ArcSwap<VaultKeys>,
    /// One refresh after the other: older keys must not replace newer ones.
    refreshing: Mutex<()>,
}

impl fmt::Debug for Vault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Vault(…)")
    }
}

impl Vault {
    /// Loads the data keys and unwraps them; on an empty database creates version 1 of both
    /// purposes.
    ///
    /// # Errors
    /// [`VaultError::WrongKek`] if a data key that is not retired was wrapped with a KEK that is
    /// not at hand.
    pub async fn open(store: &Store, keks: Keks) -> Result<Self, VaultError> {
        let keks = Arc::new(keks);
        let keys = data_keys::open(store, &keks).await?;
        Ok(Self {
            keks: ArcSwap::new(keks),
            current: ArcSwap::from_pointee(keys),
            refreshing: Mutex::new(()),
        })
    }

    /// The keys as last read. Take them once for all that is sealed and indexed together.
    pub fn current(&self) -> Arc<VaultKeys> {
        self.current.load_full()
    }

    /// Loads the keys again if their generation has changed; says whether it did. After a failure
    /// the last good ones stay.
    pub async fn refresh(&self, store: &Store) -> Result<bool, VaultError> {
        let _alone = self.refreshing.lock().await;
        self.load_changed(store).await
    }

    /// The keys in force, after those of `generation` have turned out to be outdated. Tasks that
    /// ask at the same time load them once.
    pub async fn newer_than(
        &self,
        store: &Store,
        generation: i64,
    ) -> Result<Arc<VaultKeys>, VaultError> {
        let _alone = self.refreshing.lock().await;
        if self.current.load().generation == generation {
            self.load_changed(store).await?;
        }
        Ok(self.current())
    }

    async fn load_changed(&self, store: &Store) -> Result<bool, VaultError> {
        if store.vault_generation().await? == self.current.load().generation {
            return Ok(false);
        }
        let keys = data_keys::load(store, &self.keks.load_full()).await?;
        self.current.store(Arc::new(keys));
        Ok(true)
    }

    /// Puts other KEKs in force, and loads the data keys with them.
    ///
    /// # Errors
    /// [`VaultError::WrongKek`] if they do not open every data key that is not retired. The former
    /// ones stay then.
    pub async fn adopt(&self, store: &Store, keks: Keks) -> Result<(), VaultError> {
        let _alone = self.refreshing.lock().await;
        let keks = Arc::new(keks);
        let keys = data_keys::load(store, &keks).await?;
        self.keks.store(keks);
        self.current.store(Arc::new(keys));
        Ok(())
    }

    /// The ids of the KEKs in force, first the one that wraps.
    pub fn kek_ids(&self) -> Vec<String> {
        let keks = self.keks.load();
        keks.ids().into_iter().map(str::to_owned).collect()
    }

    /// A new random data key, wrapped by the KEK, to be stored as primary. Blocks for as long as
    /// the KEK's keeper takes.
    pub fn new_data_key(&self, purpose: Purpose, version: i32) -> Result<DataKeyRow, VaultError> {
        data_keys::make(&self.keks.load(), purpose, version)
    }
}

/// One set of data keys, unwrapped and ready. The store writes a value that was sealed or indexed
/// with it only while its generation is in force. `Debug` shows the generation alone.
pub struct VaultKeys {
    generation: i64,
    seal_version: i32,
    seal: SealKeys,
    index: IndexRoot,
    former_index: Option<IndexRoot>,
    made: Vec<Made>,
}

/// When a data key was made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Made {
    /// `seal` or `index`.
    pub purpose: String,
    /// Its version.
    pub version: i32,
    /// Microseconds since 1970 UTC.
    pub at: i64,
}

impl fmt::Debug for VaultKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "VaultKeys({})", self.generation)
    }
}

impl VaultKeys {
    /// Random keys of this version, for the tests of what is sealed with them.
    #[cfg(test)]
    pub(crate) fn random(version: u32) -> Self {
        let random = || key::random_key().expect("random bytes");
        let number = i32::try_from(version).expect("a version");
        Self {
            generation: 1,
            seal_version: number,
            seal: SealKeys::new(version, &[(version, random())]).expect("a primary key"),
            index: IndexRoot::new(number, &random()),
            former_index: None,
            made: Vec::new(),
        }
    }

    /// Which set it is: rises with every change.
    pub fn generation(&self) -> i64 {
        self.generation
    }

    /// Every key that is not retired.
    pub fn made(&self) -> &[Made] {
        &self.made
    }

    /// Values that the primary seal key has sealed itself, since this set was loaded: the limit of
    /// AES-GCM with random IVs is 2^32. Those sealed with keys of rows do not count.
    pub fn sealed(&self) -> u64 {
        self.seal.sealed()
    }

    /// Version of the primary seal key.
    pub fn seal_version(&self) -> i32 {
        self.seal_version
    }

    /// Version of the primary index key.
    pub fn index_version(&self) -> i32 {
        self.index.version()
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

    /// Seals a token of the web view, which no row holds, under a key derived from the primary data
    /// key for its scope: version of that key, then IV, ciphertext and tag. `aad` makes the clear
    /// part that is bound to it out of the version.
    pub fn seal_visit(
        &self,
        scope: &[u8],
        aad: impl FnOnce(u32) -> Vec<u8>,
        plaintext: &[u8],
    ) -> Result<(Vec<u8>, Vec<u8>), VaultError> {
        let version = self.seal.primary();
        let aad = aad(version);
        let sealed = self.seal.seal_visit(version, scope, &aad, plaintext)?;
        Ok((aad, sealed))
    }

    /// Opens what [`VaultKeys::seal_visit`] sealed, as long as the data key is not retired.
    pub fn open_visit(
        &self,
        version: u32,
        scope: &[u8],
        aad: &[u8],
        sealed: &[u8],
    ) -> Result<Zeroizing<Vec<u8>>, VaultError> {
        self.seal.open_visit(version, scope, aad, sealed)
    }

    /// Blind index of a PAN: over all of its digits, per issuer.
    pub fn pan_index(&self, issuer_id: IssuerId, digits: &str) -> BlindIndex {
        pan_index(&self.index, issuer_id, digits)
    }

    /// The lowest version of the index keys in use: the former one's while an index rotation is
    /// under way.
    pub fn oldest_index_version(&self) -> i32 {
        let primary = self.index_version();
        self.former_index
            .as_ref()
            .map_or(primary, |former| former.version().min(primary))
    }

    /// Whether an index key of this version is in use.
    pub fn has_index_key(&self, version: i32) -> bool {
        let former = self.former_index.as_ref().map(IndexRoot::version);
        version == self.index_version() || former == Some(version)
    }

    /// The same under the former index key, while an index rotation is under way: a card that has
    /// it is the same card.
    pub fn former_pan_index(&self, issuer_id: IssuerId, digits: &str) -> Option<BlindIndex> {
        let former = self.former_index.as_ref()?;
        Some(pan_index(former, issuer_id, digits))
    }

    /// Blind index of an e-mail address, per issuer. All spellings of an address have one: composed
    /// or not, in whatever case, with the domain in Unicode or in ASCII.
    pub fn email_index(&self, issuer_id: IssuerId, address: &str) -> BlindIndex {
        email_index(&self.index, issuer_id.into(), address)
    }

    /// The same under the former index key, while an index rotation is under way.
    pub fn former_email_index(&self, issuer_id: IssuerId, address: &str) -> Option<BlindIndex> {
        let former = self.former_index.as_ref()?;
        Some(email_index(former, issuer_id.into(), address))
    }

    /// Blind index of an e-mail address of the users API, per app.
    pub fn app_email_index(&self, app_id: AppId, address: &str) -> BlindIndex {
        email_index(&self.index, OwnerId::App(app_id), address)
    }

    /// The same under the former index key, while an index rotation is under way.
    pub fn former_app_email_index(&self, app_id: AppId, address: &str) -> Option<BlindIndex> {
        let former = self.former_index.as_ref()?;
        Some(email_index(former, OwnerId::App(app_id), address))
    }

    /// The indexes that earlier versions made of this address, under every key in use: rows may
    /// have them until an index rotation. None if they are the same as today.
    pub fn old_email_indexes(&self, owner: OwnerId, address: &str) -> Vec<BlindIndex> {
        let old = address::before(address);
        if old == address::normal(address) {
            return Vec::new();
        }
        let roots = [Some(&self.index), self.former_index.as_ref()];
        let roots = roots.into_iter().flatten();
        roots
            .map(|root| root.compute(email_kind(owner), owner, old.as_bytes()))
            .collect()
    }
}

fn pan_index(root: &IndexRoot, issuer_id: IssuerId, digits: &str) -> BlindIndex {
    root.compute(Kind::Pan, issuer_id.into(), digits.as_bytes())
}

fn email_index(root: &IndexRoot, owner: OwnerId, address: &str) -> BlindIndex {
    root.compute(
        email_kind(owner),
        owner,
        address::normal(address).as_bytes(),
    )
}

fn email_kind(owner: OwnerId) -> Kind {
    match owner {
        OwnerId::Issuer(_) => Kind::Email,
        OwnerId::App(_) => Kind::DirectoryEmail,
    }
}

#[cfg(test)]
mod tests;
