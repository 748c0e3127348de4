//! All months of every cardholder are scored anew: under another factor set, or with rates and
//! consumer prices that were missing.
//!
//! The months of one cardholder change in one transaction, under the lock of the ledger that
//! whoever enters or reads transactions respects. So a page never mixes two sets in one sum, and a
//! transaction that comes meanwhile is scored under the set that holds then. Cardholders who are
//! done are told by their ledgers: an interrupted run is begun again and does the rest.

mod book;

pub use book::{Changes, Target};

use super::sealing;
use crate::footprint::SetId;
use crate::ids::IssuerId;
use crate::issuers::Issuer;
use crate::store::pace::{self, Pace, patiently};
use crate::store::transactions::{LedgerRow, Rewritten};
use crate::store::{Store, StoreError};
use crate::vault::{Vault, VaultError, VaultKeys};
use book::Rescoring;
use chrono::{DateTime, Utc};
use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::time::sleep;

/// Cardholders of one transaction.
const BATCH: usize = 32;
/// Ledgers of one page.
const PAGE: i64 = 256;
/// Ledgers that are counted with one query.
const COUNT: i64 = 20_000;

/// What a run has done.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Rescored {
    /// Cardholders whose months were written.
    pub cardholders: u64,
    /// Transactions whose score is another one.
    pub transactions: u64,
    /// Cardholders whose ledger or months cannot be read: left as they are.
    pub misfits: Vec<String>,
}

/// The issuer's cardholders, the way to them, and what they are to become.
pub struct Run<'a> {
    /// The database.
    pub store: &'a Store,
    /// Opens and seals.
    pub vault: &'a Vault,
    /// Whose cardholders.
    pub issuer: &'a Issuer,
    /// What is done with them.
    pub target: &'a Target,
    /// At most so many cardholders a second.
    pub per_second: Option<NonZeroU32>,
}

impl Run<'_> {
    /// How many cardholders of the issuer have transactions.
    ///
    /// # Errors
    /// What the database says.
    pub async fn count(&self) -> Result<u64, StoreError> {
        let (mut count, mut after) = (0, String::new());
        loop {
            let page = patiently(|| {
                let (store, id) = (self.store, self.issuer.id);
                store.count_ledgers_after(id, &after, COUNT)
            });
            let (found, last) = page.await?;
            count += found.unsigned_abs();
            match last {
                Some(last) if found == COUNT => after = last,
                _ => return Ok(count),
            }
        }
    }

    /// Goes through all cardholders until a whole sweep finds nobody under another set. `progress`
    /// hears of the cardholders of the first sweep.
    ///
    /// # Errors
    /// What the database says, if it goes on saying it; data keys that do not open.
    pub async fn run(&self, mut progress: impl FnMut(u64)) -> Result<Rescored, VaultError> {
        let mut all = Rescored::default();
        let mut first = true;
        loop {
            let swept = self.sweep(first, &mut progress).await?;
            let found = swept.cardholders;
            all.cardholders += found;
            all.transactions += swept.transactions;
            all.misfits = swept.misfits;
            // Refreshing looks at every month of everybody: once is enough.
            if found == 0 || matches!(self.target, Target::Refresh { .. }) {
                return Ok(all);
            }
            first = false;
        }
    }

    async fn sweep(
        &self,
        tell: bool,
        progress: &mut impl FnMut(u64),
    ) -> Result<Rescored, VaultError> {
        let mut swept = Rescored::default();
        let mut after = String::new();
        loop {
            let page = patiently(|| self.store.ledgers_after(self.issuer.id, &after, PAGE)).await?;
            let Some(last) = page.last() else {
                return Ok(swept);
            };
            after.clone_from(&last.user_id);
            let seen = page.len();
            let due = self.due(page, &mut swept.misfits).await?;
            for user_ids in due.chunks(BATCH) {
                let began = Instant::now();
                self.batch(user_ids, &mut swept).await?;
                self.rest(user_ids.len(), began.elapsed()).await;
            }
            if tell {
                progress(u64::try_from(seen).unwrap_or_default());
            }
        }
    }

    /// Those of the page whose months are to be written. The lock decides for good.
    async fn due(
        &self,
        page: Vec<LedgerRow>,
        misfits: &mut Vec<String>,
    ) -> Result<Vec<String>, VaultError> {
        let mut keys = self.vault.current();
        let mut due = Vec::with_capacity(page.len());
        for row in page {
            let mut set = set_of(&keys, self.issuer.id, &row);
            if matches!(set, Err(VaultError::UnknownVersion(_))) {
                let newer = self.vault.newer_than(self.store, keys.generation());
                keys = newer.await?;
                set = set_of(&keys, self.issuer.id, &row);
            }
            match set {
                Ok(set) if self.target.is_due(&set) => due.push(row.user_id),
                Ok(_) => {}
                Err(_) => misfits.push(row.user_id),
            }
        }
        Ok(due)
    }

    async fn batch(&self, user_ids: &[String], swept: &mut Rescored) -> Result<(), VaultError> {
        match self.rewrite(user_ids.to_vec()).await {
            Ok(changes) => swept.add(&changes),
            Err(VaultError::Store(StoreError::Internal(_))) if user_ids.len() > 1 => {
                // One of them cannot be read: the others go on.
                for user_id in user_ids {
                    match self.rewrite(vec![user_id.clone()]).await {
                        Ok(changes) => swept.add(&changes),
                        Err(VaultError::Store(StoreError::Internal(_))) => {
                            swept.misfits.push(user_id.clone());
                        }
                        Err(error) => return Err(error),
                    }
                }
            }
            Err(VaultError::Store(StoreError::Internal(_))) => {
                swept.misfits.extend(user_ids.iter().cloned());
            }
            Err(error) => return Err(error),
        }
        Ok(())
    }

    async fn rewrite(&self, user_ids: Vec<String>) -> Result<Changes, VaultError> {
        let mut keys = self.vault.current();
        loop {
            let now = Utc::now();
            let generation = keys.generation();
            let rewritten = patiently(|| {
                let book = self.book(&keys, now);
                let changes = book.changes();
                let ids = user_ids.clone();
                let store = self.store;
                async move {
                    let book = Arc::new(book);
                    let done = store.rewrite_ledgers(self.issuer.id, ids, generation, book);
                    Ok((done.await?, changes))
                }
            });
            match rewritten.await? {
                (Rewritten::Done, changes) => return Ok(changes.take()),
                (Rewritten::StaleKeys, _) => {
                    keys = self.vault.newer_than(self.store, generation).await?;
                }
            }
        }
    }

    fn book(&self, keys: &Arc<VaultKeys>, now: DateTime<Utc>) -> Rescoring {
        Rescoring::new(
            self.issuer.id,
            self.target.clone(),
            Arc::clone(keys),
            now,
            self.issuer.today(now),
        )
    }

    /// Leaves the database to the nodes: on SQLite they cannot write meanwhile.
    async fn rest(&self, cardholders: usize, took: Duration) {
        let due = Pace::new(self.per_second).wait(cardholders.try_into().unwrap_or(u64::MAX), took);
        let share = match self.store.url().is_sqlite() {
            true => pace::rest(took),
            false => Duration::ZERO,
        };
        sleep(share.max(due)).await;
    }
}

impl Rescored {
    fn add(&mut self, changes: &Changes) {
        self.cardholders += changes.cardholders;
        self.transactions += changes.transactions;
    }
}

fn set_of(keys: &VaultKeys, issuer_id: IssuerId, row: &LedgerRow) -> Result<SetId, VaultError> {
    Ok(sealing::open_ledger(keys, issuer_id, &row.user_id, &row.content)?.set)
}
