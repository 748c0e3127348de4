//! The commit of sealed values, made again while the data keys change under it.

use crate::gateway::Gateway;
use crate::store::{Commit, Outcome, StoreError};
use crate::vault::{VaultError, VaultKeys};

/// How often something is sealed because the data keys have changed under it.
const SEALINGS: u32 = 8;

/// Commits what `seal` makes with the data keys in force. If the writer finds that they have
/// changed, it has written nothing: `seal` runs again with the new ones. So this never returns
/// [`Outcome::Stale`].
///
/// # Errors
/// Those of `seal`, of the writer and of the vault; [`StoreError::Busy`] if the keys change faster
/// than this can follow.
pub(crate) async fn commit(
    gateway: &Gateway,
    seal: impl Fn(&VaultKeys) -> Result<Commit, VaultError>,
) -> Result<Outcome, VaultError> {
    let mut keys = gateway.vault.current();
    for _ in 0..SEALINGS {
        let sealed_under = Some(keys.generation());
        let commit = Commit {
            sealed_under,
            ..seal(&keys)?
        };
        match gateway.writer.commit(commit).await? {
            Outcome::Stale => {
                let behind = keys.generation();
                keys = gateway.vault.newer_than(&gateway.store, behind).await?;
            }
            outcome => return Ok(outcome),
        }
    }
    Err(StoreError::Busy.into())
}
