//! What holds for all months of a cardholder.

use super::item::SourceId;
use crate::footprint::{Grams, Month, SetId};
use std::collections::BTreeMap;

/// A cardholder's ledger: the factor set of all scores, and where transactions are to be looked
/// for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ledger {
    /// Every score of the cardholder is of this set.
    pub set: SetId,
    /// That the scores have become others, for the cardholder to see.
    pub notice: Option<Notice>,
    /// Two bytes of each transaction's id, by the month that it stands in. Ids that are not here
    /// are in no month; an id that is here is in the month, but for one in some hundreds.
    pub fingerprints: BTreeMap<Month, Vec<[u8; 2]>>,
}

/// That all of a cardholder's transactions were scored anew.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notice {
    /// When, microseconds since 1970 UTC.
    pub at: i64,
    /// The set before.
    pub former: SetId,
    /// The last twelve months' total before.
    pub before: Grams,
    /// The same months' total after.
    pub after: Grams,
}

impl Ledger {
    /// Without transactions.
    pub fn new(set: SetId) -> Self {
        Self {
            set,
            notice: None,
            fingerprints: BTreeMap::new(),
        }
    }

    /// The months in which a transaction of this id may stand.
    pub fn months_of(&self, source: &SourceId) -> impl Iterator<Item = Month> {
        let fingerprint = source.fingerprint();
        let months = self.fingerprints.iter();
        months
            .filter(move |(_, ids)| ids.contains(&fingerprint))
            .map(|(month, _)| *month)
    }

    /// A transaction of this id stands in `month` now.
    pub fn note(&mut self, month: Month, source: &SourceId) {
        let ids = self.fingerprints.entry(month).or_default();
        ids.push(source.fingerprint());
    }

    /// About how many bytes it takes.
    pub(super) fn size(&self) -> usize {
        self.fingerprints
            .values()
            .map(|ids| 4 + 2 * ids.len())
            .sum()
    }
}
