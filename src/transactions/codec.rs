//! The bytes of a stored month and of a ledger, before they are sealed.
//!
//! A version byte, then [postcard](https://postcard.jamesmunns.com/wire-format): numbers as
//! varints, texts and lists with their length. A later form gets another version byte; former ones
//! stay readable. Codes stand as their letters, days as distances, so that nothing depends on
//! tables of this program. A month's sums come before its transactions: they can be read alone.

#[cfg(test)]
mod tests;
mod wire;

use super::ledger::{Ledger, Notice};
use super::stored::StoredMonth;
use crate::footprint::sums::MonthSums;
use crate::footprint::{Grams, Month, SetId};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use wire::{WireArea, WireTransaction};
use zeroize::Zeroizing;

/// The form that is written.
const VERSION: u8 = 1;

/// A stored value that this program cannot read: made by a later one, or damaged before it was
/// sealed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a stored month or ledger cannot be read")]
pub struct Unreadable;

impl From<postcard::Error> for Unreadable {
    fn from(_: postcard::Error) -> Self {
        Self
    }
}

/// A month, under the set that its scores are of.
pub fn encode_month(set: &SetId, month: &StoredMonth) -> Result<Zeroizing<Vec<u8>>, Unreadable> {
    let areas: Vec<WireArea> = month.sums.areas().map(WireArea::of).collect();
    let transactions = month
        .transactions
        .iter()
        .map(|transaction| WireTransaction::of(month.month, transaction))
        .collect::<Option<Vec<_>>>()
        .ok_or(Unreadable)?;
    let bytes = Vec::with_capacity(64 + 64 * transactions.len());
    let bytes = postcard::to_extend(&(VERSION, set.as_str(), areas), bytes)?;
    Ok(Zeroizing::new(postcard::to_extend(&transactions, bytes)?))
}

/// A month with its set.
pub fn decode_month(month: Month, bytes: &[u8]) -> Result<(SetId, StoredMonth), Unreadable> {
    let (set, sums, rest) = decode_sums(bytes)?;
    let transactions: Vec<WireTransaction<'_>> = postcard::from_bytes(rest)?;
    let transactions = transactions
        .into_iter()
        .map(|transaction| transaction.read(month))
        .collect::<Option<Vec<_>>>()
        .ok_or(Unreadable)?;
    let month = StoredMonth {
        month,
        transactions,
        sums,
    };
    Ok((set, month))
}

/// A month's set and sums alone; the rest is its transactions.
pub fn decode_sums(bytes: &[u8]) -> Result<(SetId, MonthSums, &[u8]), Unreadable> {
    let (version, rest) = bytes.split_first().ok_or(Unreadable)?;
    if *version != VERSION {
        return Err(Unreadable);
    }
    let ((set, areas), rest): ((&str, Vec<WireArea>), _) = postcard::take_from_bytes(rest)?;
    let areas = areas.into_iter().map(WireArea::read);
    let sums = MonthSums::from_areas(areas).map_err(|_| Unreadable)?;
    Ok((SetId::stored(set).ok_or(Unreadable)?, sums, rest))
}

#[derive(Serialize, Deserialize)]
struct WireLedger<'a> {
    set: &'a str,
    notice: Option<WireNotice<'a>>,
    months: Vec<WireFingerprints<'a>>,
}

#[derive(Serialize, Deserialize)]
struct WireNotice<'a> {
    at: i64,
    former: &'a str,
    before: i64,
    after: i64,
}

#[derive(Serialize, Deserialize)]
struct WireFingerprints<'a> {
    month: i32,
    /// Two bytes each.
    ids: &'a [u8],
}

/// A ledger.
pub fn encode_ledger(ledger: &Ledger) -> Result<Zeroizing<Vec<u8>>, Unreadable> {
    let notice = ledger.notice.as_ref().map(|notice| WireNotice {
        at: notice.at,
        former: notice.former.as_str(),
        before: notice.before.centigrams(),
        after: notice.after.centigrams(),
    });
    let months = ledger.fingerprints.iter();
    let months = months.map(|(month, ids)| WireFingerprints {
        month: month.key(),
        ids: ids.as_flattened(),
    });
    let wire = WireLedger {
        set: ledger.set.as_str(),
        notice,
        months: months.collect(),
    };
    let bytes = Vec::with_capacity(64 + ledger.size());
    Ok(Zeroizing::new(postcard::to_extend(
        &(VERSION, wire),
        bytes,
    )?))
}

/// A ledger.
pub fn decode_ledger(bytes: &[u8]) -> Result<Ledger, Unreadable> {
    let (version, rest) = bytes.split_first().ok_or(Unreadable)?;
    if *version != VERSION {
        return Err(Unreadable);
    }
    let wire: WireLedger<'_> = postcard::from_bytes(rest)?;
    let set = |text| SetId::stored(text).ok_or(Unreadable);
    let mut fingerprints = BTreeMap::new();
    for WireFingerprints { month, ids } in wire.months {
        let (ids, []) = ids.as_chunks::<2>() else {
            return Err(Unreadable);
        };
        fingerprints.insert(Month::from_key(month).ok_or(Unreadable)?, ids.to_vec());
    }
    let notice = wire.notice.map(|notice| {
        Ok::<_, Unreadable>(Notice {
            at: notice.at,
            former: set(notice.former)?,
            before: Grams::from_centigrams(notice.before),
            after: Grams::from_centigrams(notice.after),
        })
    });
    Ok(Ledger {
        set: set(wire.set)?,
        notice: notice.transpose()?,
        fingerprints,
    })
}
