//! New primary data keys. From then on every node seals or indexes with them. Stored rows stay
//! under the former keys until a pass rewrites them.

use crate::store::data_keys::{Promoted, Purpose};
use crate::store::{Store, StoreError};
use crate::vault::{Vault, VaultError};

/// How often somebody else may be faster.
const ATTEMPTS: u32 = 4;

/// Why there is no new primary data key.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RotationError {
    /// A second index rotation before the first one has ended.
    #[error(
        "an index rotation is under way: rows may still be under index key {0}, finish it first"
    )]
    UnderWay(i32),
    /// The vault, or the database.
    #[error(transparent)]
    Vault(#[from] VaultError),
}

impl From<StoreError> for RotationError {
    fn from(error: StoreError) -> Self {
        Self::Vault(error.into())
    }
}

/// Makes a new primary seal key; the former one goes on opening what it has sealed. Returns the new
/// version.
pub async fn rotate_seal(store: &Store, vault: &Vault) -> Result<i32, RotationError> {
    promote(store, vault, Purpose::Seal).await
}

/// Makes a new primary index key. From then on every card and e-mail address is looked up under the
/// former one too, until all rows are under the new one and the former one is retired. Returns the
/// new version.
///
/// # Errors
/// [`RotationError::UnderWay`] if that has not happened yet since the last time.
pub async fn begin_index_rotation(store: &Store, vault: &Vault) -> Result<i32, RotationError> {
    promote(store, vault, Purpose::Index).await
}

async fn promote(store: &Store, vault: &Vault, purpose: Purpose) -> Result<i32, RotationError> {
    for _ in 0..ATTEMPTS {
        let keys = store.data_keys().await?;
        let versions = keys
            .iter()
            .filter(|key| key.purpose == purpose.as_str())
            .map(|key| key.version);
        let version = versions.max().unwrap_or(0) + 1;
        let key = vault.new_data_key(purpose, version)?;
        match store.promote_data_key(key).await? {
            Promoted::Outrun => {}
            Promoted::UnderWay(former) => return Err(RotationError::UnderWay(former)),
            Promoted::Done => {
                vault.refresh(store).await?;
                return Ok(version);
            }
        }
    }
    Err(StoreError::Busy.into())
}
