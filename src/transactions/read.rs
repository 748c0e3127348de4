//! A cardholder's transactions are read: for the score of a month, and for the web view.

use super::codec;
use super::ledger::Ledger;
use super::sealing;
use super::stored::StoredMonth;
use crate::footprint::Month;
use crate::footprint::sums::MonthSums;
use crate::ids::{CardholderId, IssuerId};
use crate::store::Store;
use crate::vault::{Place, Vault, VaultError, VaultKeys};
use chrono::{DateTime, Utc};
use std::collections::BTreeMap;

/// All that is known of a cardholder's transactions, of one moment: every score is of the ledger's
/// set.
#[derive(Debug, Clone)]
pub struct CardholderMonths {
    /// Set, notice.
    pub ledger: Ledger,
    /// By month; those without a transaction are missing.
    pub months: BTreeMap<Month, StoredMonth>,
    /// When each of them was last written: a purchase came in, or all were scored anew.
    pub written: BTreeMap<Month, DateTime<Utc>>,
}

/// Reads the months from `first` on. `None`: there are no transactions.
///
/// # Errors
/// What the database and the vault say.
pub async fn cardholder(
    (store, vault): (&Store, &Vault),
    issuer_id: IssuerId,
    user_id: &CardholderId,
    first: Month,
) -> Result<Option<CardholderMonths>, VaultError> {
    let found = store.transactions_of(issuer_id, user_id, first.key());
    let Some((ledger, rows)) = found.await? else {
        return Ok(None);
    };
    let open = |keys: &VaultKeys| {
        let ledger = sealing::open_ledger(keys, issuer_id, user_id.as_str(), &ledger)?;
        let (mut months, mut written) = (BTreeMap::new(), BTreeMap::new());
        for row in &rows {
            let (set, stored) =
                sealing::open_month(keys, issuer_id, user_id.as_str(), row.month, &row.content)?;
            if set != ledger.set {
                return Err(VaultError::DoesNotOpen);
            }
            if let Some(at) = DateTime::from_timestamp_micros(row.updated_at) {
                written.insert(stored.month, at);
            }
            months.insert(stored.month, stored);
        }
        Ok(CardholderMonths {
            ledger,
            months,
            written,
        })
    };
    with_keys(store, vault, open).await.map(Some)
}

/// Reads the sums of one month; without a transaction there are none.
///
/// # Errors
/// What the database and the vault say.
pub async fn sums(
    (store, vault): (&Store, &Vault),
    issuer_id: IssuerId,
    user_id: &CardholderId,
    month: Month,
) -> Result<MonthSums, VaultError> {
    let found = store.transaction_month(issuer_id, user_id, month.key());
    let Some(content) = found.await? else {
        return Ok(MonthSums::default());
    };
    let open = |keys: &VaultKeys| {
        let place = Place::of_month(issuer_id, user_id.as_str(), month.key());
        let bytes = keys.open_sealed(place, &content)?;
        let (_, sums, _) = codec::decode_sums(&bytes).map_err(|_| VaultError::DoesNotOpen)?;
        Ok(sums)
    };
    with_keys(store, vault, open).await
}

/// Opens with the keys in force. Another node may have sealed with a key that is newer than those.
async fn with_keys<T>(
    store: &Store,
    vault: &Vault,
    open: impl Fn(&VaultKeys) -> Result<T, VaultError>,
) -> Result<T, VaultError> {
    let keys = vault.current();
    match open(&keys) {
        Err(VaultError::UnknownVersion(_)) => {
            open(&*vault.newer_than(store, keys.generation()).await?)
        }
        result => result,
    }
}
