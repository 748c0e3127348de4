//! Ledgers and months, opened as they are stored and sealed for their rows.

use super::codec;
use super::ledger::Ledger;
use super::stored::StoredMonth;
use crate::footprint::{Month, SetId};
use crate::ids::IssuerId;
use crate::store::transactions::{BookError, Entries, LedgerRow, MonthRow};
use crate::vault::{Place, SealedColumn, VaultError, VaultKeys};

/// What a [`Book`](crate::store::transactions::Book) says of a row that does not open.
pub(super) const DAMAGED: BookError = BookError("a ledger or month of transactions cannot be read");
/// And of one that cannot be sealed.
pub(super) const UNSEALABLE: BookError =
    BookError("a ledger or month of transactions cannot be sealed");

fn ledger_place(issuer_id: IssuerId, user_id: &str) -> Place<'_> {
    Place::of_issuer(issuer_id, user_id, SealedColumn::TransactionLedger)
}

/// Opens a cardholder's ledger.
///
/// # Errors
/// Those of the vault; [`VaultError::DoesNotOpen`] also for what this program cannot read.
pub(super) fn open_ledger(
    keys: &VaultKeys,
    issuer_id: IssuerId,
    user_id: &str,
    content: &[u8],
) -> Result<Ledger, VaultError> {
    let bytes = keys.open_sealed(ledger_place(issuer_id, user_id), content)?;
    codec::decode_ledger(&bytes).map_err(|_| VaultError::DoesNotOpen)
}

/// Opens a cardholder's month; `key` is its number ([`Month::key`]).
///
/// # Errors
/// Those of [`open_ledger`].
pub(super) fn open_month(
    keys: &VaultKeys,
    issuer_id: IssuerId,
    user_id: &str,
    key: i32,
    content: &[u8],
) -> Result<(SetId, StoredMonth), VaultError> {
    let bytes = keys.open_sealed(Place::of_month(issuer_id, user_id, key), content)?;
    let month = Month::from_key(key).ok_or(VaultError::DoesNotOpen)?;
    codec::decode_month(month, &bytes).map_err(|_| VaultError::DoesNotOpen)
}

/// Seals a cardholder's ledger and these of the months, and adds the rows to `entries`.
///
/// # Errors
/// A value that cannot be sealed.
pub(super) fn seal<'m>(
    keys: &VaultKeys,
    issuer_id: IssuerId,
    user_id: &str,
    ledger: &Ledger,
    months: impl IntoIterator<Item = &'m StoredMonth>,
    entries: &mut Entries,
) -> Result<(), BookError> {
    for month in months {
        let bytes = codec::encode_month(&ledger.set, month).map_err(|_| UNSEALABLE)?;
        let key = month.month.key();
        let place = Place::of_month(issuer_id, user_id, key);
        let sealed = keys.seal(place, &bytes).map_err(|_| UNSEALABLE)?;
        let row = MonthRow {
            user_id: user_id.to_owned(),
            month: key,
            content: sealed.bytes,
        };
        entries.months.push((row, sealed.key_version));
    }
    let bytes = codec::encode_ledger(ledger).map_err(|_| UNSEALABLE)?;
    let sealed = keys.seal(ledger_place(issuer_id, user_id), &bytes);
    let sealed = sealed.map_err(|_| UNSEALABLE)?;
    let row = LedgerRow {
        user_id: user_id.to_owned(),
        content: sealed.bytes,
    };
    entries.ledgers.push((row, sealed.key_version));
    Ok(())
}
