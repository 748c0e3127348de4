//! A portion of an import: some thousand records that are stored in one transaction.

use super::rejects::{Rejected, Rejects};
use super::route::{Route, Routes};
use super::tally::{Outcome, Tally};
use crate::footprints::Scorers;
use crate::ids::IssuerId;
use crate::store::imports::ImportMark;
use crate::store::transactions::Posting;
use crate::transactions::feed::{Entry, Mark, What};
use crate::transactions::item::{Holder, Item, SourceId};
use crate::transactions::post::Batch;
use crate::vault::VaultKeys;
use chrono::{DateTime, NaiveDate, Utc};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Records as they were read, and where the reader stands behind them.
pub(super) struct Records {
    pub(super) entries: Vec<Entry>,
    pub(super) mark: Mark,
}

/// The same, sorted by issuers.
pub(super) struct Portion {
    batches: Vec<(Batch, Vec<Brief>)>,
    /// Of all records before it, and those of its own that need no database.
    tally: Tally,
    rejected: Vec<Rejected>,
    mark: Mark,
}

/// What is kept of an item beside it, to tell what became of it.
struct Brief {
    number: u64,
    source: SourceId,
    last_four: Option<[u8; 4]>,
    /// Dated later than tomorrow.
    future: bool,
}

/// What became of a portion.
pub(super) struct Settled {
    pub(super) tally: Tally,
    /// Bytes of the file of rejects.
    pub(super) rejects: u64,
}

impl Portion {
    /// Sorts the records. `before` is of the portions before.
    pub(super) fn sort(
        records: Records,
        before: &Tally,
        routes: &Routes,
        scorers: &Arc<Scorers>,
        since: Option<NaiveDate>,
        now: DateTime<Utc>,
    ) -> Self {
        let mut sorting = Sorting {
            routes,
            since,
            now,
            by_issuer: BTreeMap::new(),
            tally: before.clone(),
            rejected: Vec::new(),
        };
        for entry in records.entries {
            sorting.add(entry);
        }
        let batches = sorting.by_issuer.into_iter();
        let batches = batches.filter_map(|((_, place), (items, briefs))| {
            let issuer = Arc::clone(routes.issuer(place)?);
            let batch = Batch::new(issuer, Arc::clone(scorers), items, now);
            Some((batch, briefs))
        });
        Self {
            batches: batches.collect(),
            tally: sorting.tally,
            rejected: sorting.rejected,
            mark: records.mark,
        }
    }

    /// Keeps what is of cards that are not enrolled, for so many days.
    pub(super) fn retaining(mut self, days: u16) -> Self {
        let batches = self.batches.into_iter();
        let batches = batches.map(|(batch, briefs)| (batch.retaining(days), briefs));
        self.batches = batches.collect();
        self
    }

    pub(super) fn mark(&self) -> &Mark {
        &self.mark
    }

    /// Sealed and indexed with these keys, in the order of issuers.
    pub(super) fn postings(&self, keys: &Arc<VaultKeys>) -> Vec<Posting> {
        let batches = self.batches.iter();
        batches.map(|(batch, _)| batch.posting(keys)).collect()
    }

    /// What became of it, after the postings were entered and before they are committed.
    pub(super) fn settle(&self) -> (Tally, Vec<Rejected>) {
        let mut tally = self.tally.clone();
        let mut rejected = Vec::new();
        for (batch, briefs) in &self.batches {
            for (posted, brief) in batch.results().iter().zip(briefs) {
                let outcome = Outcome::of(posted, brief.future);
                tally.add(outcome);
                if outcome.is_failure() {
                    rejected.push(brief.rejected(outcome));
                }
            }
        }
        (tally, rejected)
    }

    /// The same, with its rejects written; and the mark to be committed with the postings.
    pub(super) fn settle_into(
        &self,
        rejects: &mut Rejects,
    ) -> std::io::Result<(Settled, ImportMark)> {
        let (tally, posted) = self.settle();
        let mut rejected: Vec<&Rejected> = self.rejected.iter().chain(&posted).collect();
        rejected.sort_by_key(|reject| reject.number);
        let rejects = rejects.write(&rejected)?;
        let whole = |number: u64| i64::try_from(number).unwrap_or(i64::MAX);
        let mark = ImportMark {
            position: whole(self.mark.position),
            record: whole(self.mark.number),
            digest: self.mark.sum.to_vec(),
            counts: tally.text(),
            rejects: whole(rejects),
        };
        Ok((Settled { tally, rejects }, mark))
    }
}

impl Brief {
    fn rejected(&self, outcome: Outcome) -> Rejected {
        Rejected {
            number: self.number,
            source: Some(self.source.clone()),
            last_four: self.last_four,
            reason: outcome.name(),
            detail: outcome.words().to_owned(),
        }
    }
}

/// The key of an issuer's batch: in the order of ids, as every writer locks them.
type Key = (IssuerId, usize);

struct Sorting<'a> {
    routes: &'a Routes,
    since: Option<NaiveDate>,
    now: DateTime<Utc>,
    by_issuer: BTreeMap<Key, (Vec<Item>, Vec<Brief>)>,
    tally: Tally,
    rejected: Vec<Rejected>,
}

impl Sorting<'_> {
    fn add(&mut self, entry: Entry) {
        let number = entry.number;
        let (mut item, instant) = match entry.what {
            What::Skipped(skip) => return self.tally.add(skip.into()),
            What::Rejected(reject) => {
                let detail = reject.fault.to_string();
                return self.reject(number, reject.source, reject.last_four, detail);
            }
            What::Item(item, instant) => (item, instant),
        };
        let last_four = match &item.holder {
            Holder::Card(pan) => pan.last_four().as_bytes().try_into().ok(),
            Holder::Id(_) => None,
        };
        let place = match self.routes.of(&item) {
            Route::To(place) => place,
            Route::Nowhere(outcome) => return self.tally.add(outcome),
            Route::Unclear(fault) => {
                return self.reject(number, Some(item.source), last_four, fault.to_string());
            }
        };
        let Some(issuer) = self.routes.issuer(place) else {
            return self.tally.add(Outcome::NoIssuer);
        };
        if let Some(instant) = instant {
            item.date = issuer.local_date(instant);
        }
        if self.since.is_some_and(|since| item.date < since) {
            return self.tally.add(Outcome::Earlier);
        }
        let tomorrow = issuer.today(self.now).succ_opt();
        let brief = Brief {
            number,
            source: item.source.clone(),
            last_four,
            future: tomorrow.is_some_and(|tomorrow| item.date > tomorrow),
        };
        let (items, briefs) = self.by_issuer.entry((issuer.id, place)).or_default();
        items.push(*item);
        briefs.push(brief);
    }

    fn reject(
        &mut self,
        number: u64,
        source: Option<SourceId>,
        last_four: Option<[u8; 4]>,
        detail: String,
    ) {
        self.tally.add(Outcome::Malformed);
        self.rejected.push(Rejected {
            number,
            source,
            last_four,
            reason: Outcome::Malformed.name(),
            detail,
        });
    }
}
