//! The part of a posting that runs inside of the writer's transaction.

use super::account::Account;
use super::{ItemRefusal, Posted};
use crate::footprints::Scorers;
use crate::issuers::Issuer;
use crate::store::retained::{CardIndex, RetainedRow};
use crate::store::transactions::{Book, BookError, Entries, Holder, LedgerRow, MonthRow, OpenBook};
use crate::transactions::item::{Item, Kind};
use crate::transactions::ledger::Ledger;
use crate::transactions::retained;
use crate::transactions::sealing::{self, DAMAGED, UNSEALABLE};
use crate::vault::VaultKeys;
use chrono::{DateTime, NaiveDate, Utc};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::{Arc, Mutex, PoisonError};

const UNKNOWN_SET: BookError = BookError("a cardholder's factor set is not loaded on this node");

/// Items on their way into months.
pub(super) struct Entering {
    pub(super) issuer: Arc<Issuer>,
    pub(super) scorers: Arc<Scorers>,
    pub(super) keys: Arc<VaultKeys>,
    pub(super) items: Arc<[Item]>,
    /// The place of each item's cardholder among the posting's; `None`: not a card of the issuer.
    pub(super) holder_of: Vec<Option<usize>>,
    /// The card's index of each of the posting's cardholders, if it names them by card.
    pub(super) cards: Vec<Option<CardIndex>>,
    /// What is of cards that are not enrolled is kept.
    pub(super) retains: bool,
    pub(super) now: DateTime<Utc>,
    pub(super) results: Arc<Mutex<Vec<Posted>>>,
}

/// Shared with the open book.
pub(super) struct Shared(pub(super) Arc<Entering>);

/// The ledgers are known and locked.
struct Opened {
    entering: Arc<Entering>,
    /// By cardholder's id.
    accounts: BTreeMap<String, Account>,
    /// The id of each item's cardholder.
    account_of: Vec<Option<String>>,
    today: NaiveDate,
}

impl Entering {
    fn account(&self, holder: &Holder, row: Option<&LedgerRow>) -> Result<Account, BookError> {
        let ledger = match row {
            None => {
                let scorer = self.scorers.of(&self.issuer).map_err(|_| UNKNOWN_SET)?;
                Ledger::new(scorer.set().id().clone())
            }
            Some(row) => {
                let (keys, issuer_id) = (&self.keys, self.issuer.id);
                let ledger = sealing::open_ledger(keys, issuer_id, &row.user_id, &row.content);
                ledger.map_err(|_| DAMAGED)?
            }
        };
        let scorer = self.scorers.get(&ledger.set).ok_or(UNKNOWN_SET)?;
        let enrolled_at = DateTime::from_timestamp_micros(holder.enrolled_at);
        let enrolled_on = self.issuer.local_date(enrolled_at.unwrap_or(self.now));
        Ok(Account::new(ledger, Arc::clone(scorer), enrolled_on))
    }
}

impl Book for Shared {
    fn open(
        &self,
        holders: &[Option<Holder>],
        ledgers: Vec<LedgerRow>,
    ) -> Result<Box<dyn OpenBook>, BookError> {
        let entering = Arc::clone(&self.0);
        let rows = ledgers.iter().map(|row| (row.user_id.as_str(), row));
        let rows: HashMap<&str, &LedgerRow> = rows.collect();
        let mut accounts = BTreeMap::new();
        for holder in holders.iter().flatten() {
            let user_id = holder.user_id.as_str();
            if !accounts.contains_key(user_id) {
                let account = entering.account(holder, rows.get(user_id).copied())?;
                accounts.insert(user_id.to_owned(), account);
            }
        }
        let id = |place: &Option<usize>| {
            let holder = holders.get((*place)?)?.as_ref()?;
            Some(holder.user_id.as_str().to_owned())
        };
        Ok(Box::new(Opened {
            account_of: entering.holder_of.iter().map(id).collect(),
            today: entering.issuer.local_date(entering.now),
            accounts,
            entering,
        }))
    }
}

impl OpenBook for Opened {
    fn months(&self) -> Vec<(String, i32)> {
        let mut wanted = BTreeSet::new();
        for (item, user_id) in self.entering.items.iter().zip(&self.account_of) {
            let Some(user_id) = user_id else { continue };
            if let Some(account) = self.accounts.get(user_id) {
                let months = account.months_of(item);
                wanted.extend(months.map(|month| (user_id.clone(), month.key())));
            }
        }
        wanted.into_iter().collect()
    }

    fn close(mut self: Box<Self>, months: Vec<MonthRow>) -> Result<Entries, BookError> {
        let entering = Arc::clone(&self.entering);
        for row in &months {
            let (keys, issuer_id) = (&entering.keys, entering.issuer.id);
            let month = sealing::open_month(keys, issuer_id, &row.user_id, row.month, &row.content);
            let (set, month) = month.map_err(|_| DAMAGED)?;
            let account = self.accounts.get_mut(&row.user_id).ok_or(DAMAGED)?;
            if account.ledger.set != set {
                return Err(DAMAGED);
            }
            account.load(month);
        }
        let posted = self.enter();
        let mut entries = self.entries()?;
        if entering.retains {
            entries.retained = self.retained()?;
        }
        let mut results = entering.results.lock();
        **results.as_mut().unwrap_or_else(PoisonError::get_mut) = posted;
        Ok(entries)
    }
}

impl Opened {
    /// Enters the items in their order.
    fn enter(&mut self) -> Vec<Posted> {
        let entering = Arc::clone(&self.entering);
        let items = entering.items.iter().zip(&self.account_of);
        let mut posted = Vec::with_capacity(entering.items.len());
        for (item, user_id) in items {
            let account = user_id.as_ref().and_then(|id| self.accounts.get_mut(id));
            posted.push(match account {
                Some(account) => account.enter(item, entering.issuer.country, self.today),
                None => Posted::Refused(ItemRefusal::NotFound),
            });
        }
        posted
    }

    /// What is of the issuer's cards that are not enrolled, sealed.
    fn retained(&self) -> Result<Vec<RetainedRow>, BookError> {
        let entering = &*self.entering;
        let scorer = entering.scorers.default_scorer();
        let items = entering.items.iter().zip(&entering.holder_of);
        let mut rows = Vec::new();
        for ((item, place), user_id) in items.zip(&self.account_of) {
            let card = place.and_then(|place| entering.cards.get(place)?.as_ref());
            let (Some(card), None) = (card, user_id) else {
                continue;
            };
            if item.kind == Kind::Authorisation {
                continue;
            }
            let row = retained::row(&entering.keys, entering.issuer.id, card, item, scorer);
            rows.push(row.map_err(|_| UNSEALABLE)?);
        }
        Ok(rows)
    }

    /// What has changed, sealed.
    fn entries(&self) -> Result<Entries, BookError> {
        let Entering { issuer, keys, .. } = &*self.entering;
        let mut entries = Entries {
            at: self.entering.now.timestamp_micros(),
            ..Entries::default()
        };
        for (user_id, account) in &self.accounts {
            let mut changed = account.changed().peekable();
            if changed.peek().is_none() {
                continue;
            }
            let ledger = &account.ledger;
            sealing::seal(keys, issuer.id, user_id, ledger, changed, &mut entries)?;
        }
        Ok(entries)
    }
}
