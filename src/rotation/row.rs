//! The work on one row: seal it anew, make its blind index anew, or check it. Pure: no database.

use crate::enrolment::card::StoredCard;
use crate::enrolment::profile::Email;
use crate::ids::{AppId, IssuerId, OwnerId};
use crate::sealed::{self, IndexColumns, IndexKind, SealedColumn, SealedTable};
use crate::store::passes::SealedRow;
use crate::vault::{BlindIndex, Place, VaultError, VaultKeys};
use zeroize::Zeroizing;

/// How many digits of a card are in clear.
const LAST_FOUR: usize = 4;

/// Why a row does not fit. Names columns, never content.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Misfit {
    /// A sealed column does not open.
    #[error("{column}: {error}")]
    DoesNotOpen {
        /// The column, with its table.
        column: &'static str,
        /// Why.
        error: VaultError,
    },
    /// A column opens, but its content cannot be read.
    #[error("{column}: the value does not have its documented form")]
    Malformed {
        /// The column, with its table.
        column: &'static str,
    },
    /// A column is sealed under a lower version than the row says.
    #[error("seal_key: is {seal_key}, but a column is sealed under {version}")]
    WrongSealKey {
        /// The version in the row's `seal_key`.
        seal_key: i32,
        /// The version that the sealed column begins with.
        version: i32,
    },
    /// The digits in clear are not the last ones of the sealed card.
    #[error("last_four: is not that of the sealed card")]
    WrongLastFour,
    /// The blind index is not that of the value.
    #[error("{index}: is not that of the sealed value")]
    WrongIndex {
        /// The index's column.
        index: &'static str,
    },
    /// The blind index was made with a key that is not in use.
    #[error("{index}: made with index key {version}, which is not in use")]
    UnknownIndexKey {
        /// The index's column.
        index: &'static str,
        /// The version that the row names.
        version: i32,
    },
    /// The blind index was made by the rules of an earlier version, which tell spellings of an
    /// address apart.
    #[error("{index}: made by the rules of an earlier version; run `vault rotate-index`")]
    OldIndex {
        /// The index's column.
        index: &'static str,
    },
    /// The card's number is not stored (`vault.store_pan = false`), so no other index can be made.
    #[error("{index}: the card number is not stored; only its index key can find the card")]
    NumberNotStored {
        /// The index's column.
        index: &'static str,
    },
    /// There is a value without an index, or an index without a value.
    #[error("{index}: value and index are not both there")]
    HalfIndexed {
        /// The index's column.
        index: &'static str,
    },
    /// Another row has the index that this one would get.
    #[error("{index}: another row has the same value")]
    Taken {
        /// The index's column.
        index: &'static str,
    },
}

/// Seals every column anew, under the primary data key.
pub(super) fn reseal(keys: &VaultKeys, row: &mut SealedRow) -> Result<(), Misfit> {
    let mut resealed = Vec::with_capacity(row.sealed.len());
    for (column, value) in columns(row) {
        let Some(value) = value else {
            resealed.push(None);
            continue;
        };
        let clear = open(keys, row, column, value)?;
        let sealed = keys.seal(place(row, column), &clear);
        resealed.push(Some(sealed.map_err(does_not_open(column))?.bytes));
    }
    row.sealed = resealed;
    row.seal_key = keys.seal_version();
    Ok(())
}

/// Makes the blind index anew, under the primary index key.
pub(super) fn reindex(keys: &VaultKeys, row: &mut SealedRow) -> Result<(), Misfit> {
    let Some(index) = row.key.table.index() else {
        return Ok(());
    };
    let value = match indexed_value(keys, row, index)? {
        Indexed::Value(value) => value,
        Indexed::NotStored if row.index_key == Some(keys.index_version()) => return Ok(()),
        Indexed::NotStored => return Err(Misfit::NumberNotStored { index: index.bytes }),
        Indexed::Nothing => return Err(Misfit::HalfIndexed { index: index.bytes }),
    };
    let (primary, _) = indexes(keys, row, index.kind, &value);
    row.index = Some(primary.bytes.to_vec());
    row.index_key = Some(primary.key_version);
    Ok(())
}

/// Opens every column, compares the digits that a card has in clear, and makes the blind index
/// again under the key that it was made with.
pub(super) fn check(keys: &VaultKeys, row: &SealedRow) -> Result<(), Misfit> {
    for (column, value) in columns(row) {
        let Some(value) = value else { continue };
        open(keys, row, column, value)?;
        let version = sealed::version_of(value).unwrap_or(0);
        if version < row.seal_key {
            let seal_key = row.seal_key;
            return Err(Misfit::WrongSealKey { seal_key, version });
        }
    }
    match row.key.table.index() {
        Some(index) => check_index(keys, row, index),
        None => Ok(()),
    }
}

fn check_index(keys: &VaultKeys, row: &SealedRow, columns: IndexColumns) -> Result<(), Misfit> {
    let index = columns.bytes;
    let value = indexed_value(keys, row, columns)?;
    let (value, stored, version) = match (value, &row.index, row.index_key) {
        (Indexed::Nothing, None, None) => return Ok(()),
        // There is nothing to make it of.
        (Indexed::NotStored, Some(_), Some(version)) if keys.has_index_key(version) => {
            return Ok(());
        }
        (Indexed::NotStored, Some(_), Some(version)) => {
            return Err(Misfit::UnknownIndexKey { index, version });
        }
        (Indexed::Value(value), Some(stored), Some(version)) => (value, stored, version),
        _ => return Err(Misfit::HalfIndexed { index }),
    };
    let (primary, former) = indexes(keys, row, columns.kind, &value);
    if let Some(digits) = &row.last_four
        && (digits.len() != LAST_FOUR || !value.ends_with(digits.as_str()))
    {
        return Err(Misfit::WrongLastFour);
    }
    let expected = [Some(primary), former]
        .into_iter()
        .flatten()
        .find(|expected| expected.key_version == version)
        .ok_or(Misfit::UnknownIndexKey { index, version })?;
    if expected.bytes.as_slice() == stored.as_slice() {
        return Ok(());
    }
    let old = old_indexes(keys, row, columns.kind, &value);
    let is_old = |old: &BlindIndex| old.key_version == version && old.bytes == stored.as_slice();
    Err(if old.iter().any(is_old) {
        Misfit::OldIndex { index }
    } else {
        Misfit::WrongIndex { index }
    })
}

/// Each column as the vault knows it, with its value in the row.
fn columns(row: &SealedRow) -> impl Iterator<Item = (SealedColumn, Option<&[u8]>)> {
    let columns = row.key.table.columns();
    columns
        .iter()
        .copied()
        .zip(row.sealed.iter().map(Option::as_deref))
}

fn place(row: &SealedRow, column: SealedColumn) -> Place<'_> {
    let (owner, row_id) = (row.key.owner, row.key.id.as_str());
    match row.key.table {
        SealedTable::Cardholders
        | SealedTable::Cards
        | SealedTable::TransactionLedgers
        | SealedTable::RetainedTransactions => Place::of_issuer(IssuerId(owner), row_id, column),
        SealedTable::TransactionMonths => Place::of_month(IssuerId(owner), row_id, row.key.part),
        SealedTable::DirectoryUsers => Place::of_app(AppId(owner), row_id, column),
    }
}

fn does_not_open(column: SealedColumn) -> impl FnOnce(VaultError) -> Misfit {
    move |error| Misfit::DoesNotOpen {
        column: column.as_str(),
        error,
    }
}

fn open(
    keys: &VaultKeys,
    row: &SealedRow,
    column: SealedColumn,
    value: &[u8],
) -> Result<Zeroizing<Vec<u8>>, Misfit> {
    keys.open_sealed(place(row, column), value)
        .map_err(does_not_open(column))
}

/// The value behind a row's blind index.
enum Indexed {
    /// The digits of the PAN, or the e-mail address.
    Value(Zeroizing<String>),
    /// A card whose number is not stored.
    NotStored,
    /// There is none.
    Nothing,
}

fn indexed_value(
    keys: &VaultKeys,
    row: &SealedRow,
    index: IndexColumns,
) -> Result<Indexed, Misfit> {
    let value = columns(row).find(|(column, _)| *column == index.of);
    let Some((column, Some(value))) = value else {
        return Ok(Indexed::Nothing);
    };
    let clear = open(keys, row, column, value)?;
    let text = match index.kind {
        IndexKind::CardholderEmail => Email::from_json(&clear)
            .ok()
            .map(|email| email.value().to_owned()),
        IndexKind::Pan => match StoredCard::from_json(&clear) {
            Ok(card) => match card.pan {
                Some(pan) => Some(pan.digits().to_owned()),
                None => return Ok(Indexed::NotStored),
            },
            Err(_) => None,
        },
        IndexKind::DirectoryEmail => std::str::from_utf8(&clear).ok().map(str::to_owned),
    };
    let column = column.as_str();
    let text = text.ok_or(Misfit::Malformed { column })?;
    Ok(Indexed::Value(Zeroizing::new(text)))
}

/// The value's blind index under the primary index key and, while a rotation is under way, under
/// the former one.
fn indexes(
    keys: &VaultKeys,
    row: &SealedRow,
    kind: IndexKind,
    value: &str,
) -> (BlindIndex, Option<BlindIndex>) {
    let owner = row.key.owner;
    let (issuer_id, app_id) = (IssuerId(owner), AppId(owner));
    match kind {
        IndexKind::CardholderEmail => (
            keys.email_index(issuer_id, value),
            keys.former_email_index(issuer_id, value),
        ),
        IndexKind::Pan => (
            keys.pan_index(issuer_id, value),
            keys.former_pan_index(issuer_id, value),
        ),
        IndexKind::DirectoryEmail => (
            keys.app_email_index(app_id, value),
            keys.former_app_email_index(app_id, value),
        ),
    }
}

/// The blind indexes that earlier versions made of the value, where they are others.
fn old_indexes(keys: &VaultKeys, row: &SealedRow, kind: IndexKind, value: &str) -> Vec<BlindIndex> {
    let owner = match kind {
        IndexKind::Pan => return Vec::new(),
        IndexKind::CardholderEmail => OwnerId::Issuer(IssuerId(row.key.owner)),
        IndexKind::DirectoryEmail => OwnerId::App(AppId(row.key.owner)),
    };
    keys.old_email_indexes(owner, value)
}
