//! The keyed anchors of purges in the audit trail: under the newest key, and checked.

use super::{Event, Limits, Observer};
use crate::store::Store;
use crate::store::audit::PurgeAnchor;
use crate::store::audit::pages::ChainRange;
use crate::store::pace::{Pace, patiently};
use crate::vault::{Vault, VaultError};
use std::time::Instant;
use tokio::time::sleep;

/// What was done with anchors, or found.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(super) struct Anchors {
    /// Written, or read.
    pub(super) rows: u64,
    /// Those that are forged.
    pub(super) misfits: u64,
}

/// Puts every anchor that is under a key below `version` under the newest one. No anchor can come
/// under an older key again: a purge writes while the generation of its keys is in force.
pub(super) async fn renew(
    store: &Store,
    vault: &Vault,
    version: i32,
    limits: Limits,
    observer: Observer<'_>,
) -> Result<Anchors, VaultError> {
    let (mut done, mut range) = (Anchors::default(), ChainRange::default());
    let pace = Pace::new(limits.rows_per_second);
    let batch = i64::from(pace.batch(limits.batch).get());
    loop {
        let begun = Instant::now();
        let read = patiently(|| store.audit_purges(&range, batch)).await?;
        let Some(last) = read.last().map(|anchor| anchor.chain.clone()) else {
            return Ok(done);
        };
        let keys = vault.current();
        // One that names a newer key and is not under it would lose its own key.
        let due = |anchor: &PurgeAnchor| anchor.seal_key < version || anchor.check(&*keys).is_err();
        let old: Vec<PurgeAnchor> = read.into_iter().filter(due).collect();
        let count = u64::try_from(old.len()).unwrap_or(0);
        if old.is_empty() {
            range.after = last;
            continue;
        }
        let renewing = || store.renew_audit_purges(old.clone(), keys.clone());
        let Some((written, forged)) = patiently(renewing).await? else {
            vault.refresh(store).await?;
            continue;
        };
        for (chain, broken) in &forged {
            observer(Event::Anchor { chain, broken });
        }
        let stay = u64::try_from(forged.len()).unwrap_or(0);
        done.rows += written;
        // One that changed while it was read is read again.
        if written + stay == count {
            done.misfits += stay;
            range.after = last;
        }
        observer(Event::Rows(written));
        sleep(pace.wait(count, begun.elapsed())).await;
    }
}

/// Checks every anchor.
pub(super) async fn check(
    store: &Store,
    vault: &Vault,
    limits: Limits,
    observer: Observer<'_>,
) -> Result<Anchors, VaultError> {
    let (mut found, mut range) = (Anchors::default(), ChainRange::default());
    let pace = Pace::new(limits.rows_per_second);
    let batch = i64::from(pace.batch(limits.batch).get());
    loop {
        let begun = Instant::now();
        let read = patiently(|| store.audit_purges(&range, batch)).await?;
        let Some(last) = read.last() else {
            return Ok(found);
        };
        range.after.clone_from(&last.chain);
        let count = u64::try_from(read.len()).unwrap_or(0);
        for anchor in read {
            let chain = anchor.chain.clone();
            if let Err(broken) = vault.check_anchor(store, anchor).await? {
                found.misfits += 1;
                observer(Event::Anchor {
                    chain: &chain,
                    broken: &broken,
                });
            }
        }
        found.rows += count;
        observer(Event::Rows(count));
        sleep(pace.wait(count, begun.elapsed())).await;
    }
}
