//! The commit of sealed values, made again while the data keys change under it.

use crate::store::{Commit, Outcome, Store, StoreError, Writer};
use crate::timeline::Timeline;
use crate::vault::{Vault, VaultError, VaultKeys};
use std::sync::Arc;

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
    (vault, store, writer): (&Vault, &Store, &Writer),
    timeline: Option<&Arc<Timeline>>,
    seal: impl Fn(&Arc<VaultKeys>) -> Result<Commit, VaultError>,
) -> Result<Outcome, VaultError> {
    let mut keys = vault.current();
    for _ in 0..SEALINGS {
        let sealed_under = Some(keys.generation());
        let commit = Commit {
            sealed_under,
            ..seal(&keys)?
        };
        match writer.commit_timed(commit, timeline).await? {
            Outcome::Stale => {
                let behind = keys.generation();
                keys = vault.newer_than(store, behind).await?;
            }
            outcome => return Ok(outcome),
        }
    }
    Err(StoreError::Busy.into())
}
