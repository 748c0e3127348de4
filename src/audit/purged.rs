//! The keyed anchors of purges as a verification meets them.

use crate::store::Store;
use crate::store::audit::{AuditHead, Broken, Gap, PurgeAnchor};
use crate::vault::Vault;
use futures_util::future::BoxFuture;
use tokio::sync::OnceCell;

/// Opens the vault.
type Opener<'a> = Box<dyn Fn() -> BoxFuture<'a, anyhow::Result<Vault>> + Send + Sync + 'a>;

/// Whose keys anchors are checked with.
pub enum PurgeKeys<'a> {
    /// Those of a vault that is open.
    Of(&'a Vault),
    /// Those of a vault that is opened for the first anchor: a trail without one needs no KEK.
    Later(Opener<'a>, OnceCell<Vault>),
}

impl<'a> PurgeKeys<'a> {
    /// Opens the vault when it is needed.
    pub fn later(
        open: impl Fn() -> BoxFuture<'a, anyhow::Result<Vault>> + Send + Sync + 'a,
    ) -> Self {
        Self::Later(Box::new(open), OnceCell::new())
    }

    async fn vault(&self) -> anyhow::Result<&Vault> {
        match self {
            Self::Of(vault) => Ok(vault),
            Self::Later(open, opened) => opened.get_or_try_init(open).await,
        }
    }
}

/// The anchors in the database, and the keys to check them with.
pub(super) struct Purges<'a, 'k> {
    pub(super) store: &'a Store,
    pub(super) keys: &'a PurgeKeys<'k>,
}

impl Purges<'_, '_> {
    /// Checks an anchor that was read. The one that is returned may be newer.
    pub(super) async fn check(
        &self,
        anchor: PurgeAnchor,
    ) -> anyhow::Result<Result<PurgeAnchor, Broken>> {
        let vault = self.keys.vault().await?;
        Ok(vault.check_anchor(self.store, anchor).await?)
    }

    /// The genuine anchor of a chain, if it has one now.
    pub(super) async fn of(&self, chain: &str) -> anyhow::Result<Option<PurgeAnchor>> {
        match self.store.audit_purge(chain).await? {
            Some(anchor) => Ok(self.check(anchor).await?.ok()),
            None => Ok(None),
        }
    }

    /// Whether an entry that is not there was purged.
    pub(super) async fn took(&self, head: &AuditHead) -> anyhow::Result<bool> {
        let anchor = self.of(&head.chain).await?;
        Ok(anchor.is_some_and(|anchor| anchor.covers(head.seq, &head.hash)))
    }

    /// Whether a declared gap is one: not if a purge took the confirmed entry, and the chain had
    /// gone on.
    pub(super) async fn is_gap(&self, gap: &Gap) -> anyhow::Result<bool> {
        if !gap.may_be_purge() {
            return Ok(true);
        }
        let (seq, hash) = gap.confirmed.clone();
        let chain = gap.chain.clone();
        Ok(!self.took(&AuditHead { chain, seq, hash }).await?)
    }
}
