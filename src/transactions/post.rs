//! Transactions are entered into their cardholders' months.
//!
//! One transaction of the database does all of it, under the lock of each cardholder's ledger: it
//! looks for the ids, scores what is new, and writes months and ledgers. So an item counts once,
//! also when two nodes get it at once, after a restart, and when the first answer was lost.
//!
//! [`Posting`](crate::store::transactions::Posting) carries a [`Batch`] to the writer, which calls
//! back into [`account`] with the locked rows.

mod account;
mod book;

use super::item::{Holder, Item};
use super::stored::Scored;
use crate::footprint::Scorer;
use crate::footprints::Scorers;
use crate::issuers::Issuer;
use crate::store::retained::CardIndex;
use crate::store::transactions::{HolderKey, Posting};
use crate::vault::VaultKeys;
use book::Entering;
use chrono::{DateTime, Utc};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

/// What became of an item.
#[derive(Debug, Clone)]
pub enum Posted {
    /// It is stored, and counts once.
    Stored(Stored),
    /// An authorisation: neither stored nor scored.
    Ignored,
    /// It is not stored.
    Refused(ItemRefusal),
}

/// A stored transaction.
#[derive(Debug, Clone)]
pub struct Stored {
    /// What it counts.
    pub scored: Scored,
    /// Under which set.
    pub scorer: Arc<Scorer>,
    /// It had been stored before.
    pub again: bool,
}

/// Why an item is not stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ItemRefusal {
    /// No active cardholder has this card or id.
    NotFound,
    /// Earlier than the cardholder's window, or later than tomorrow.
    OutsideWindow,
    /// No rate of the currency is known.
    UnsupportedCurrency,
    /// The cardholder has another transaction of this id.
    Conflict,
    /// The cardholder's month is full, or its sums are.
    TooMany,
}

/// Items of an issuer's cardholders, to be posted in one transaction.
pub struct Batch {
    issuer: Arc<Issuer>,
    scorers: Arc<Scorers>,
    items: Arc<[Item]>,
    now: DateTime<Utc>,
    retains: bool,
    results: Arc<Mutex<Vec<Posted>>>,
}

impl Batch {
    /// With the scorers in force; `now` decides today and tomorrow.
    pub fn new(
        issuer: Arc<Issuer>,
        scorers: Arc<Scorers>,
        items: Vec<Item>,
        now: DateTime<Utc>,
    ) -> Self {
        Self {
            issuer,
            scorers,
            items: items.into(),
            now,
            retains: false,
            results: Arc::default(),
        }
    }

    /// Keeps what is of cards that are not enrolled, for the enrolment to come, if it is set so:
    /// `days` is `transactions.retain_unenrolled`. Their outcome is the same.
    #[must_use]
    pub fn retaining(self, days: u16) -> Self {
        Self {
            retains: days > 0,
            ..self
        }
    }

    /// As the writer takes it, sealed and indexed with these data keys.
    pub fn posting(&self, keys: &Arc<VaultKeys>) -> Posting {
        let issuer = &self.issuer;
        let mut places: HashMap<&str, usize> = HashMap::new();
        let mut holders = Vec::new();
        let mut holder_of = Vec::with_capacity(self.items.len());
        for item in self.items.iter() {
            let name = match &item.holder {
                Holder::Id(id) => id.as_str(),
                // Nobody's card, or another issuer's: not even hashed.
                Holder::Card(pan) if !issuer.issues(pan.digits()) => {
                    holder_of.push(None);
                    continue;
                }
                Holder::Card(pan) => pan.digits(),
            };
            let place = *places.entry(name).or_insert_with(|| {
                holders.push(match &item.holder {
                    Holder::Id(id) => HolderKey::Id(id.clone()),
                    Holder::Card(_) => card_key(keys, issuer, name),
                });
                holders.len() - 1
            });
            holder_of.push(Some(place));
        }
        let book = Entering {
            issuer: Arc::clone(issuer),
            scorers: Arc::clone(&self.scorers),
            keys: Arc::clone(keys),
            items: Arc::clone(&self.items),
            holder_of,
            cards: holders.iter().map(card_index).collect(),
            retains: self.retains,
            now: self.now,
            results: Arc::clone(&self.results),
        };
        Posting {
            issuer_id: issuer.id,
            epoch: issuer.enrolment_epoch,
            holders,
            items: self.items.len(),
            book: Arc::new(book::Shared(Arc::new(book))),
        }
    }

    /// What became of the items, in their order, once the posting is committed.
    pub fn results(&self) -> Vec<Posted> {
        let mut results = self.results.lock().unwrap_or_else(PoisonError::into_inner);
        std::mem::take(&mut *results)
    }
}

/// The blind index under the primary key.
fn card_index(holder: &HolderKey) -> Option<CardIndex> {
    match holder {
        HolderKey::Id(_) => None,
        HolderKey::Card { index, key, .. } => Some((*key, index.to_vec())),
    }
}

fn card_key(keys: &VaultKeys, issuer: &Issuer, digits: &str) -> HolderKey {
    let index = keys.pan_index(issuer.id, digits);
    HolderKey::Card {
        index: index.bytes,
        key: index.key_version,
        former: keys.former_pan_index(issuer.id, digits).map(Into::into),
    }
}
