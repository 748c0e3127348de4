//! A cardholder's ledger and months while items are entered into them.

use super::{ItemRefusal, Posted, Stored};
use crate::footprint::{Country, Money, Month, Purchase, Scorer, Window};
use crate::transactions::item::{Item, Kind, SourceId};
use crate::transactions::ledger::Ledger;
use crate::transactions::stored::{Scored, StoredMonth, StoredTransaction};
use chrono::NaiveDate;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

/// The part of a cardholder's months that the items are about.
pub(super) struct Account {
    pub(super) ledger: Ledger,
    window: Window,
    scorer: Arc<Scorer>,
    months: BTreeMap<Month, StoredMonth>,
    /// Where each transaction of `months` stands.
    places: HashMap<SourceId, (Month, usize)>,
    changed: BTreeSet<Month>,
}

impl Account {
    /// `scorer` is that of the ledger's set; `enrolled_on` is a day in the issuer's time zone.
    pub(super) fn new(ledger: Ledger, scorer: Arc<Scorer>, enrolled_on: NaiveDate) -> Self {
        Self {
            ledger,
            window: Window::of_enrolment(enrolled_on),
            scorer,
            months: BTreeMap::new(),
            places: HashMap::new(),
            changed: BTreeSet::new(),
        }
    }

    /// The months that an item is about: its own, and those where it or its original may stand.
    pub(super) fn months_of(&self, item: &Item) -> impl Iterator<Item = Month> {
        let original = item.original.iter();
        let ids = std::iter::once(&item.source).chain(original);
        let known = ids.flat_map(|id| self.ledger.months_of(id));
        std::iter::once(Month::of(item.date)).chain(known)
    }

    /// Adds a month as it is stored.
    pub(super) fn load(&mut self, month: StoredMonth) {
        let transactions = month.transactions.iter().enumerate();
        for (place, transaction) in transactions {
            let source = transaction.source.clone();
            self.places.insert(source, (month.month, place));
        }
        self.months.insert(month.month, month);
    }

    /// The months that have changed.
    pub(super) fn changed(&self) -> impl Iterator<Item = &StoredMonth> {
        let changed = self.changed.iter();
        changed.filter_map(|month| self.months.get(month))
    }

    /// Enters an item. `home` is the issuer's country, `today` a day in its time zone.
    pub(super) fn enter(&mut self, item: &Item, home: Country, today: NaiveDate) -> Posted {
        if item.kind == Kind::Authorisation {
            return Posted::Ignored;
        }
        let country = item.country.unwrap_or(home);
        if let Some(known) = self.find(&item.source) {
            return if is_same(known, item, country) {
                self.stored(known.scored.clone(), true)
            } else {
                Posted::Refused(ItemRefusal::Conflict)
            };
        }
        if !self.window.holds(item.date, today) {
            return Posted::Refused(ItemRefusal::OutsideWindow);
        }
        let (month, amount, scored) = match self.taken_back(item) {
            Some((month, scored)) => (month, item.amount, scored),
            None => match self.score(item, country) {
                Some((amount, scored)) => (Month::of(item.date), amount, scored),
                None => return Posted::Refused(ItemRefusal::UnsupportedCurrency),
            },
        };
        let transaction = StoredTransaction {
            source: item.source.clone(),
            date: item.date,
            mcc: item.mcc,
            amount,
            country,
            kind: item.kind,
            brand: item.brand,
            merchant: item.merchant.clone(),
            original: item.original.clone(),
            scored: scored.clone(),
        };
        let stored = self
            .months
            .entry(month)
            .or_insert_with(|| StoredMonth::empty(month));
        let place = stored.transactions.len();
        if place >= StoredMonth::MOST || stored.push(transaction).is_err() {
            return Posted::Refused(ItemRefusal::TooMany);
        }
        self.places.insert(item.source.clone(), (month, place));
        self.ledger.note(month, &item.source);
        self.changed.insert(month);
        self.stored(scored, false)
    }

    fn stored(&self, scored: Scored, again: bool) -> Posted {
        Posted::Stored(Stored {
            scored,
            scorer: Arc::clone(&self.scorer),
            again,
        })
    }

    fn find(&self, source: &SourceId) -> Option<&StoredTransaction> {
        let (month, place) = self.places.get(source)?;
        self.months.get(month)?.transactions.get(*place)
    }

    /// Of a reversal that names its original: exactly the opposite of what that counts, in its
    /// month, if it is known and of the same money (scoring.md 5).
    fn taken_back(&self, item: &Item) -> Option<(Month, Scored)> {
        if item.kind != Kind::Reversal {
            return None;
        }
        let source = item.original.as_ref()?;
        let original = self.find(source)?;
        let (month, _) = self.places.get(source)?;
        (original.amount == -item.amount).then(|| (*month, original.scored.reversed()))
    }

    /// The first of the item's amounts that has a rate, and what it counts.
    fn score(&self, item: &Item, country: Country) -> Option<(Money, Scored)> {
        let amounts = std::iter::once(&item.amount).chain(&item.fallbacks);
        amounts.copied().find_map(|amount| {
            let purchase = Purchase {
                mcc: item.mcc,
                amount,
                date: item.date,
                country,
            };
            let scored = Scored::by(&self.scorer, &purchase, item.unscored)?;
            Some((amount, scored))
        })
    }
}

/// Whether an item that comes again is what it was.
fn is_same(known: &StoredTransaction, item: &Item, country: Country) -> bool {
    let mut amounts = std::iter::once(&item.amount).chain(&item.fallbacks);
    known.date == item.date
        && known.mcc == item.mcc
        && amounts.any(|amount| *amount == known.amount)
        && known.country == country
        && known.kind == item.kind
        && known.brand == item.brand
        && known.merchant == item.merchant
        && known.original == item.original
}
