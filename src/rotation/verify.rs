//! Checks that every sealed column opens, and that its companions in clear fit: blind indexes, a
//! card's last four digits. And the MACs of purges in the audit trail.

use super::row::{self, Misfit};
use super::{Event, Limits, Observer, anchors};
use crate::sealed::SealedTable;
use crate::store::Store;
use crate::store::pace::{Pace, patiently};
use crate::store::passes::{RowKey, SealedRow};
use crate::vault::{Vault, VaultError};
use std::time::Instant;
use tokio::time::sleep;

/// How often a row that does not fit is read again: it may have been rewritten, or sealed under a
/// newer key, meanwhile.
const LOOKS: usize = 2;

/// The result of [`verify`].
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct Verified {
    /// Rows read.
    pub rows: u64,
    /// Those that do not fit.
    pub misfits: u64,
}

/// Reads every row of every table with sealed columns and checks it. The observer hears of each row
/// that does not fit. Changes nothing; nodes and passes may write meanwhile.
///
/// # Errors
/// Errors of the database, and data keys that do not open. A row that does not fit is no error
/// here.
pub async fn verify(
    store: &Store,
    vault: &Vault,
    limits: Limits,
    observer: Observer<'_>,
) -> Result<Verified, VaultError> {
    let mut all = 0;
    for table in SealedTable::ALL {
        let counts = patiently(|| store.version_counts(table)).await?;
        all += counts.values().sum::<u64>();
    }
    observer(Event::RowsToDo(all));
    let pace = Pace::new(limits.rows_per_second);
    let batch = i64::from(pace.batch(limits.batch).get());
    let mut verified = Verified::default();
    for table in SealedTable::ALL {
        let mut after = RowKey::before_all(table);
        loop {
            let begun = Instant::now();
            let rows = patiently(|| store.sealed_rows(&after, batch)).await?;
            let Some(last) = rows.last() else { break };
            after = last.key.clone();
            for row in &rows {
                if let Err(misfit) = check(store, vault, row).await? {
                    verified.misfits += 1;
                    observer(Event::Misfit {
                        key: &row.key,
                        misfit: &misfit,
                    });
                }
            }
            let count = u64::try_from(rows.len()).unwrap_or(0);
            verified.rows += count;
            observer(Event::Rows(count));
            sleep(pace.wait(count, begun.elapsed())).await;
        }
    }
    let anchors = anchors::check(store, vault, limits, observer).await?;
    verified.rows += anchors.rows;
    verified.misfits += anchors.misfits;
    Ok(verified)
}

async fn check(
    store: &Store,
    vault: &Vault,
    row: &SealedRow,
) -> Result<Result<(), Misfit>, VaultError> {
    let mut checked = row::check(&vault.current(), row);
    for _ in 0..LOOKS {
        if checked.is_ok() {
            break;
        }
        let Some(row) = patiently(|| store.sealed_row(&row.key)).await? else {
            return Ok(Ok(()));
        };
        vault.refresh(store).await?;
        checked = row::check(&vault.current(), &row);
    }
    Ok(checked)
}
