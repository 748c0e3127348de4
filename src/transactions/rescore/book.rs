//! The part of a rescoring that runs inside of the transaction.

use crate::footprint::{Grams, Month, Purchase, Scorer, SetId};
use crate::ids::IssuerId;
use crate::store::transactions::{Book, BookError, Entries, Holder, LedgerRow, MonthRow, OpenBook};
use crate::transactions::item::{Kind, SourceId};
use crate::transactions::ledger::{Ledger, Notice};
use crate::transactions::sealing::{self, DAMAGED};
use crate::transactions::stored::{ScoreOutcome, Scored, StoredMonth, StoredTransaction};
use crate::vault::VaultKeys;
use chrono::{DateTime, NaiveDate, Utc};
use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, PoisonError};

const UNKNOWN_SET: BookError = BookError("a cardholder's factor set is not loaded");
const NO_RATE: BookError = BookError("a stored transaction has no exchange rate any more");
const TOO_MUCH: BookError = BookError("the sums of a month do not fit under the new set");

/// What months are to become.
#[derive(Debug, Clone)]
pub enum Target {
    /// Scores of this set, all of them.
    Set(Arc<Scorer>),
    /// Scores of the set that they are of, where rates or consumer prices were stale.
    Refresh(BTreeMap<SetId, Arc<Scorer>>),
}

impl Target {
    /// Whether the months of a ledger of this set are to be written, as far as the ledger tells.
    pub fn is_due(&self, set: &SetId) -> bool {
        match self {
            Self::Set(scorer) => scorer.set().id() != set,
            Self::Refresh(_) => true,
        }
    }

    fn scorer(&self, set: &SetId) -> Result<&Arc<Scorer>, BookError> {
        match self {
            Self::Set(scorer) => Ok(scorer),
            Self::Refresh(scorers) => scorers.get(set).ok_or(UNKNOWN_SET),
        }
    }
}

/// What a transaction has changed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Changes {
    /// Cardholders whose months were written.
    pub cardholders: u64,
    /// Transactions whose score is another one.
    pub transactions: u64,
}

/// Known once the transaction is committed.
#[derive(Debug, Clone, Default)]
pub(super) struct LateChanges(Arc<Mutex<Changes>>);

impl LateChanges {
    pub(super) fn take(&self) -> Changes {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn set(&self, changes: Changes) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = changes;
    }
}

/// What all of it needs.
#[derive(Clone)]
pub(super) struct Rescoring {
    issuer_id: IssuerId,
    target: Target,
    keys: Arc<VaultKeys>,
    now: DateTime<Utc>,
    /// In the issuer's zone.
    today: NaiveDate,
    changes: LateChanges,
}

impl Rescoring {
    pub(super) fn new(
        issuer_id: IssuerId,
        target: Target,
        keys: Arc<VaultKeys>,
        now: DateTime<Utc>,
        today: NaiveDate,
    ) -> Self {
        Self {
            issuer_id,
            target,
            keys,
            now,
            today,
            changes: LateChanges::default(),
        }
    }

    pub(super) fn changes(&self) -> LateChanges {
        self.changes.clone()
    }

    fn ledger(&self, row: &LedgerRow) -> Result<Ledger, BookError> {
        let ledger = sealing::open_ledger(&self.keys, self.issuer_id, &row.user_id, &row.content);
        ledger.map_err(|_| DAMAGED)
    }

    fn month(&self, row: &MonthRow) -> Result<(SetId, StoredMonth), BookError> {
        let (keys, user_id) = (&self.keys, &row.user_id);
        let month = sealing::open_month(keys, self.issuer_id, user_id, row.month, &row.content);
        month.map_err(|_| DAMAGED)
    }

    /// The last twelve months, the running one included.
    fn total(&self, months: &[StoredMonth]) -> Result<Grams, BookError> {
        let last = Month::of(self.today);
        let counted = months
            .iter()
            .filter(|stored| (last.plus(-11)..=last).contains(&stored.month));
        let mut total = Grams::default();
        for month in counted {
            let sums = month.sums.total().map_err(|_| TOO_MUCH)?;
            total = total.checked_add(sums.co2e).ok_or(TOO_MUCH)?;
        }
        Ok(total)
    }
}

impl Book for Rescoring {
    fn open(
        &self,
        _: &[Option<Holder>],
        ledgers: Vec<LedgerRow>,
    ) -> Result<Box<dyn OpenBook>, BookError> {
        let mut due = BTreeMap::new();
        for row in ledgers {
            let ledger = self.ledger(&row)?;
            if self.target.is_due(&ledger.set) {
                due.insert(row.user_id, ledger);
            }
        }
        Ok(Box::new(Opened {
            rescoring: self.clone(),
            ledgers: due,
        }))
    }
}

/// The ledgers are locked, and due.
struct Opened {
    rescoring: Rescoring,
    ledgers: BTreeMap<String, Ledger>,
}

impl OpenBook for Opened {
    /// All of them: a ledger knows its months.
    fn months(&self) -> Vec<(String, i32)> {
        let all = self.ledgers.iter().flat_map(|(user_id, ledger)| {
            let months = ledger.fingerprints.keys();
            months.map(|month| (user_id.clone(), month.key()))
        });
        all.collect()
    }

    fn close(self: Box<Self>, rows: Vec<MonthRow>) -> Result<Entries, BookError> {
        let rescoring = &self.rescoring;
        let mut months: BTreeMap<String, Vec<(SetId, StoredMonth)>> = BTreeMap::new();
        for row in &rows {
            let month = rescoring.month(row)?;
            months.entry(row.user_id.clone()).or_default().push(month);
        }
        let mut entries = Entries {
            at: rescoring.now.timestamp_micros(),
            ..Entries::default()
        };
        let mut changes = Changes::default();
        for (user_id, mut ledger) in self.ledgers {
            let stored = months.remove(&user_id).unwrap_or_default();
            if stored.iter().any(|(set, _)| *set != ledger.set) {
                return Err(DAMAGED);
            }
            let before: Vec<_> = stored.into_iter().map(|(_, month)| month).collect();
            let scorer = rescoring.target.scorer(&ledger.set)?;
            let is_switch = scorer.set().id() != &ledger.set;
            let mut after = Vec::with_capacity(before.len());
            let mut changed = 0;
            for month in &before {
                let (month, count) = rescored(month, scorer, is_switch)?;
                changed += count;
                if is_switch || count > 0 {
                    after.push(month);
                }
            }
            if is_switch {
                let notice = Notice {
                    at: rescoring.now.timestamp_micros(),
                    former: ledger.set,
                    before: rescoring.total(&before)?,
                    after: rescoring.total(&after)?,
                };
                ledger.set = scorer.set().id().clone();
                ledger.notice = Some(notice);
            } else if changed == 0 {
                continue;
            }
            changes.cardholders += 1;
            changes.transactions += changed;
            let (keys, issuer_id) = (&rescoring.keys, rescoring.issuer_id);
            sealing::seal(keys, issuer_id, &user_id, &ledger, &after, &mut entries)?;
        }
        rescoring.changes.set(changes);
        Ok(entries)
    }
}

/// A month with the scores of `scorer`, and how many of them are other ones. `all`: not only those
/// that are stale.
fn rescored(
    month: &StoredMonth,
    scorer: &Scorer,
    all: bool,
) -> Result<(StoredMonth, u64), BookError> {
    let mut scores: HashMap<&SourceId, (&StoredTransaction, Scored)> = HashMap::new();
    let mut new = StoredMonth::empty(month.month);
    let mut changed = 0;
    for transaction in &month.transactions {
        let taken_back = original(transaction, &scores);
        let scored = match taken_back {
            // Exactly the opposite of its original, as before.
            Some(scored) => scored.reversed(),
            None if all || is_stale(&transaction.scored) => score(transaction, scorer)?,
            None => transaction.scored.clone(),
        };
        changed += u64::from(scored != transaction.scored);
        scores.insert(&transaction.source, (transaction, scored.clone()));
        let transaction = StoredTransaction {
            scored,
            ..transaction.clone()
        };
        new.push(transaction).map_err(|_| TOO_MUCH)?;
    }
    Ok((new, changed))
}

/// What the transaction that a reversal has taken back counts now, if the two were exactly
/// opposite. It stands before its reversal, in the same month.
fn original<'s>(
    reversal: &StoredTransaction,
    scores: &'s HashMap<&SourceId, (&StoredTransaction, Scored)>,
) -> Option<&'s Scored> {
    if reversal.kind != Kind::Reversal {
        return None;
    }
    let (original, scored) = scores.get(reversal.original.as_ref()?)?;
    let were_opposite =
        original.amount == -reversal.amount && original.scored.reversed() == reversal.scored;
    were_opposite.then_some(scored)
}

fn is_stale(scored: &Scored) -> bool {
    matches!(&scored.outcome, ScoreOutcome::Grams(score) if score.stale)
}

fn score(transaction: &StoredTransaction, scorer: &Scorer) -> Result<Scored, BookError> {
    let purchase = Purchase {
        mcc: transaction.mcc,
        amount: transaction.amount,
        date: transaction.date,
        country: transaction.country,
    };
    let never = match transaction.scored.outcome {
        ScoreOutcome::Never(unscored) => Some(unscored),
        _ => None,
    };
    Scored::by(scorer, &purchase, never).ok_or(NO_RATE)
}
