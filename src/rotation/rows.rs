//! The passes that rewrite stored rows after a change of keys, and then retire the former keys.

use super::anchors::{self, Anchors};
use super::pass::{Pass, Renew};
use super::row;
use super::{Event, Limits, Observer, entry};
use crate::sealed::SealedTable;
use crate::store::Store;
use crate::store::audit::AuditDraft;
use crate::store::data_keys::Purpose;
use crate::store::pace::patiently;
use crate::store::passes::BelowVersion;
use crate::vault::{Vault, VaultError};
use std::time::Duration;
use tokio::time::sleep;

/// SQLite: how often the write-ahead log, which may still hold a wiped key, is tried to be emptied,
/// and how far apart.
const TRACES: (u32, Duration) = (20, Duration::from_millis(100));

/// What a pass has done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Passed {
    /// The version that every row is under now, but those that do not fit.
    pub version: i32,
    /// Rows written.
    pub rows: u64,
    /// Rows that could not be written. The observer knows which. If there are any, no key is
    /// retired.
    pub misfits: u64,
    /// Versions that no row uses any more: wiped.
    pub retired: Vec<i32>,
}

/// Seals every row that is under an older data key under the primary one; then retires the older
/// ones.
///
/// Nodes may serve meanwhile, and another such pass may run. After an end of any kind it can be run
/// again.
///
/// # Errors
/// Errors of the database that persist, and data keys that do not open.
pub async fn reseal(
    store: &Store,
    vault: &Vault,
    limits: Limits,
    observer: Observer<'_>,
) -> Result<Passed, VaultError> {
    vault.refresh(store).await?;
    let version = vault.current().seal_version();
    let work = Work {
        purpose: Purpose::Seal,
        version,
        due: BelowVersion::SealedBelow(version),
        renew: row::reseal,
        action: "vault.rewrap",
    };
    work.run(store, vault, limits, observer).await
}

/// Makes every blind index that is under the former index key anew under the primary one; then
/// retires the former one.
///
/// As [`reseal`] in everything else.
///
/// # Errors
/// As [`reseal`].
pub async fn reindex(
    store: &Store,
    vault: &Vault,
    limits: Limits,
    observer: Observer<'_>,
) -> Result<Passed, VaultError> {
    vault.refresh(store).await?;
    let version = vault.current().index_version();
    let work = Work {
        purpose: Purpose::Index,
        version,
        due: BelowVersion::IndexedBelow(version),
        renew: row::reindex,
        action: "vault.reindex",
    };
    work.run(store, vault, limits, observer).await
}

struct Work {
    purpose: Purpose,
    version: i32,
    due: BelowVersion,
    renew: Renew,
    action: &'static str,
}

impl Work {
    async fn run(
        self,
        store: &Store,
        vault: &Vault,
        limits: Limits,
        observer: Observer<'_>,
    ) -> Result<Passed, VaultError> {
        observer(Event::RowsToDo(self.count(store).await?));
        let pass = Pass::new(store, vault, self.due, self.renew, limits, observer);
        let done = pass.run().await?;
        let anchors = match self.purpose {
            Purpose::Seal => anchors::renew(store, vault, self.version, limits, observer).await?,
            Purpose::Index => Anchors::default(),
        };
        let mut passed = Passed {
            version: self.version,
            rows: done.written + anchors.rows,
            misfits: done.misfits + anchors.misfits,
            retired: Vec::new(),
        };
        if passed.misfits == 0 {
            passed.retired = self.retire(store).await?;
            vault.refresh(store).await?;
        }
        let audit = AuditDraft {
            subject: Some(format!("{} {}", self.purpose.as_str(), self.version)),
            ..entry(self.action, passed.rows, passed.misfits)
        };
        store.record(audit).await?;
        Ok(passed)
    }

    /// How many rows say that they are due.
    async fn count(&self, store: &Store) -> Result<u64, VaultError> {
        let mut due = 0;
        for table in SealedTable::ALL {
            let counts = patiently(|| store.version_counts(table)).await?;
            due += counts
                .into_iter()
                .filter(|((seal, index), _)| match self.due {
                    BelowVersion::SealedBelow(version) => *seal < version,
                    BelowVersion::IndexedBelow(version) => {
                        index.is_some_and(|index| index < version)
                    }
                })
                .map(|(_, count)| count)
                .sum::<u64>();
        }
        Ok(due)
    }

    /// Retires the keys older than this version, after a whole sweep found every row under it or a
    /// newer one. No row can come under them again: only the primary key seals and indexes, and
    /// that was this version or a newer one all along.
    async fn retire(&self, store: &Store) -> Result<Vec<i32>, VaultError> {
        let retired = store
            .retire_data_keys_below(self.purpose, self.version)
            .await?;
        if !retired.is_empty() {
            drop_traces(store).await?;
        }
        Ok(retired)
    }
}

async fn drop_traces(store: &Store) -> Result<(), VaultError> {
    let (times, pause) = TRACES;
    for _ in 0..times {
        if patiently(|| store.drop_traces()).await? {
            break;
        }
        sleep(pause).await;
    }
    Ok(())
}
