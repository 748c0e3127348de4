//! One pass over all tables: it sweeps until a whole sweep finds nothing left to do.

use super::row::Misfit;
use super::{Event, Limits, Observer};
use crate::sealed::SealedTable;
use crate::store::pace::{self, Pace, patiently};
use crate::store::passes::{BelowVersion, Renewed, RowKey, SealedRow};
use crate::store::{Store, StoreError};
use crate::vault::{Vault, VaultError, VaultKeys};
use std::collections::HashSet;
use std::num::NonZeroU32;
use std::time::{Duration, Instant};
use tokio::time::sleep;

/// Rows looked at in one query, due or not.
const WINDOW: i64 = 1_000;

/// Before the next sweep, if others have held all that was left.
const HELD_PAUSE: Duration = Duration::from_millis(100);

/// What a pass does to a row.
pub(super) type Renew = fn(&VaultKeys, &mut SealedRow) -> Result<(), Misfit>;

/// What a pass did.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(super) struct Done {
    /// Rows written.
    pub(super) written: u64,
    /// Rows that are due still, because they do not open or may not be written. Nobody else was in
    /// their way.
    pub(super) misfits: u64,
}

pub(super) struct Pass<'a> {
    store: &'a Store,
    vault: &'a Vault,
    due: BelowVersion,
    renew: Renew,
    batch: NonZeroU32,
    pace: Pace,
    observer: Observer<'a>,
    /// Those that the observer was told of.
    reported: HashSet<RowKey>,
}

impl<'a> Pass<'a> {
    pub(super) fn new(
        store: &'a Store,
        vault: &'a Vault,
        due: BelowVersion,
        renew: Renew,
        limits: Limits,
        observer: Observer<'a>,
    ) -> Self {
        let pace = Pace::new(limits.rows_per_second);
        Self {
            store,
            vault,
            due,
            renew,
            batch: pace.batch(limits.batch),
            pace,
            observer,
            reported: HashSet::new(),
        }
    }

    /// Sweeps until nothing is due but rows that cannot be renewed.
    pub(super) async fn run(mut self) -> Result<Done, VaultError> {
        let mut written = 0;
        loop {
            let (due, done) = self.sweep().await?;
            written += done.written;
            if due == done.misfits {
                return Ok(Done { written, ..done });
            }
            if done.written == 0 {
                sleep(HELD_PAUSE).await;
            }
        }
    }

    /// Goes through all tables once. Returns how many rows were due, and what became of them.
    async fn sweep(&mut self) -> Result<(u64, Done), VaultError> {
        let (mut due, mut done) = (0, Done::default());
        for table in SealedTable::ALL {
            if !self.due.concerns(table) {
                continue;
            }
            let mut after = RowKey::before_all(table);
            loop {
                let looking = || self.store.look(&after, self.due, WINDOW);
                let seen = patiently(looking).await?;
                let Some(last) = seen.last() else { break };
                after = last.key.clone();
                let keys = seen.into_iter().filter(|row| row.due).map(|row| row.key);
                let keys: Vec<RowKey> = keys.collect();
                due += u64::try_from(keys.len()).unwrap_or(0);
                for batch in keys.chunks(usize::try_from(self.batch.get()).unwrap_or(1)) {
                    self.batch(batch, &mut done).await?;
                }
            }
        }
        Ok((due, done))
    }

    async fn batch(&mut self, keys: &[RowKey], done: &mut Done) -> Result<(), VaultError> {
        let (Some(from), Some(to)) = (keys.first(), keys.last()) else {
            return Ok(());
        };
        let begun = Instant::now();
        let renewed = match self.renew(from, to).await {
            // Which one it was the database does not say: each by itself.
            Err(VaultError::Store(StoreError::Duplicate(_))) if from != to => {
                for key in keys {
                    Box::pin(self.batch(std::slice::from_ref(key), done)).await?;
                }
                return Ok(());
            }
            Err(VaultError::Store(StoreError::Duplicate(key))) => {
                let Some(index) = from.table.index() else {
                    return Err(StoreError::Duplicate(key).into());
                };
                let misfit = Misfit::Taken { index: index.bytes };
                Renewed {
                    written: 0,
                    misfits: vec![(from.clone(), misfit)],
                }
            }
            result => result?,
        };
        done.written += renewed.written;
        for (key, misfit) in renewed.misfits {
            done.misfits += 1;
            if self.reported.insert(key.clone()) {
                (self.observer)(Event::Misfit {
                    key: &key,
                    misfit: &misfit,
                });
            }
        }
        (self.observer)(Event::Rows(renewed.written));
        sleep(self.pace.wait(renewed.written, begun.elapsed())).await;
        Ok(())
    }

    /// One transaction, begun again for as long as the keys change under it.
    async fn renew(&self, from: &RowKey, to: &RowKey) -> Result<Renewed<Misfit>, VaultError> {
        loop {
            let keys = self.vault.current();
            let begun = Instant::now();
            let renewing = || {
                let (keys, renew) = (keys.clone(), self.renew);
                let generation = keys.generation();
                self.store
                    .renew(from, to, self.due, generation, move |row| renew(&keys, row))
            };
            let renewed = patiently(renewing).await?;
            if self.store.url().is_sqlite() {
                sleep(pace::rest(begun.elapsed())).await;
            }
            match renewed {
                Some(renewed) => return Ok(renewed),
                None => {
                    self.vault.refresh(self.store).await?;
                }
            }
        }
    }
}
