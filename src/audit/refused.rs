//! Audit entries of refused callers that have proven nothing yet, with a bound on their number.
//!
//! Anybody on the network can cause such refusals, at any rate. So a request only leaves a note in
//! memory, and a background task writes the entries. The first [`SINGLE`] refusals get an entry
//! each, and one more does each second. For the excess the task writes one entry for each reason
//! every ten seconds, with their count. If the write fails, the task counts them again later.
//!
//! A claimed consumer key is the caller's text and is never stored. An entry names the client id
//! only if an issuer has it.

use crate::ids::IssuerId;
use crate::issuers::registry::IssuerRegistry;
use crate::oauth1::Authorization;
use crate::store::audit::AuditDraft;
use crate::store::writer::{Act, Commit, Writer};
use crate::store::{StoreError, now};
use crate::telemetry::Metrics;
use crate::throttle::{Bucket, Rate};
use futures_util::future::join_all;
use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Instant;

/// Refusals that get an entry of their own in a row; one more each second.
const SINGLE: u32 = 20;
const RATE: Rate = Rate::new(1, SINGLE);
/// Every so many ticks what exceeded is written as sums.
const SUM_TICKS: u32 = 10;

/// What every entry of an unproven caller says was tried.
const ACTION: &str = "signature.refused";
/// Who called, where that is not even claimed.
const UNKNOWN: &str = "unknown";

/// A refusal, with what is known of the call.
#[derive(Debug, Clone, Copy)]
pub struct RefusedCall<'a> {
    /// Why.
    pub reason: &'static str,
    /// The `Authorization` header as it came: the caller's text.
    pub authorization: Option<&'a str>,
    /// Our id of the request.
    pub request_id: &'a str,
    /// The peer's address.
    pub peer: Option<&'a str>,
    /// When it came, microseconds since 1970 UTC.
    pub at: i64,
}

/// Notes that wait to be written; their number is bounded.
#[derive(Debug)]
pub struct RefusedCalls {
    notes: Mutex<Notes>,
}

#[derive(Debug)]
struct Notes {
    /// Of entries for one refusal alone.
    turns: Bucket,
    single: Vec<AuditDraft>,
    sums: BTreeMap<String, Sum>,
}

/// Refusals for one reason that have no entry of their own.
#[derive(Debug, Default, PartialEq, Eq)]
struct Sum {
    count: u64,
    /// Where all of them came from; none if from several places.
    origin: Option<String>,
}

impl Sum {
    fn add(&mut self, count: u64, origin: Option<&str>) {
        if self.count == 0 {
            self.origin = origin.map(str::to_owned);
        } else if self.origin.as_deref() != origin {
            self.origin = None;
        }
        self.count += count;
    }
}

/// An entry to be written, and how many refusals it stands for.
#[derive(Debug)]
struct Pending {
    draft: AuditDraft,
    count: u64,
}

impl Default for RefusedCalls {
    fn default() -> Self {
        Self {
            notes: Mutex::new(Notes {
                turns: Bucket::new(),
                single: Vec::new(),
                sums: BTreeMap::new(),
            }),
        }
    }
}

impl RefusedCalls {
    /// Notes a refusal. Never waits, and costs next to nothing once there are many.
    pub fn note(&self, call: &RefusedCall<'_>, registry: &IssuerRegistry, metrics: &Metrics) {
        if !self.admit(call.reason, call.peer, Instant::now()) {
            metrics.refusal_summed(call.reason);
            return;
        }
        let (actor, issuer_id) = claimed(registry, call.authorization);
        let draft = AuditDraft {
            issuer_id,
            request_id: Some(call.request_id.to_owned()),
            origin: call.peer.map(str::to_owned),
            ..AuditDraft::accepted(call.at, actor, ACTION).refused(call.reason)
        };
        self.lock().single.push(draft);
    }

    /// Whether this refusal gets an entry of its own; otherwise it has been counted.
    fn admit(&self, reason: &str, origin: Option<&str>, now: Instant) -> bool {
        let mut notes = self.lock();
        if notes.turns.take_now(RATE, now) {
            return true;
        }
        notes.sum(reason, 1, origin);
        false
    }

    /// Writes notes, once a second; at every tenth `tick` sums as well. Must not be cancelled, or
    /// notes are lost. Counts notes that it cannot write again.
    ///
    /// # Errors
    /// The writer's, for the last note that could not be written.
    pub async fn tick(&self, tick: u32, writer: &Writer) -> Result<(), StoreError> {
        let pending = self.take(tick.is_multiple_of(SUM_TICKS));
        self.write(writer, pending).await
    }

    /// Writes all that is left: no call is under way any more.
    ///
    /// # Errors
    /// As [`tick`](Self::tick). The log then has the sums that the trail could not take.
    pub async fn finish(&self, writer: &Writer) -> Result<(), StoreError> {
        let written = self.write(writer, self.take(true)).await;
        self.report_lost();
        written
    }

    fn take(&self, with_sums: bool) -> Vec<Pending> {
        let mut notes = self.lock();
        let single = std::mem::take(&mut notes.single);
        let sums = if with_sums {
            std::mem::take(&mut notes.sums)
        } else {
            BTreeMap::new()
        };
        let single = single.into_iter().map(|draft| Pending { draft, count: 1 });
        let sums = sums.into_iter().map(|(reason, sum)| Pending {
            draft: AuditDraft {
                origin: sum.origin,
                detail: Some(format!("count={}", sum.count)),
                ..AuditDraft::accepted(now(), UNKNOWN, ACTION).refused(&reason)
            },
            count: sum.count,
        });
        single.chain(sums).collect()
    }

    async fn write(&self, writer: &Writer, pending: Vec<Pending>) -> Result<(), StoreError> {
        let commits = pending.iter().map(|pending| {
            writer.commit(Commit {
                nonce: None,
                act: Act::Record,
                audit: pending.draft.clone(),
                opening: None,
                sealed_under: None,
            })
        });
        let mut outcome = Ok(());
        for (pending, result) in pending.iter().zip(join_all(commits).await) {
            if let Err(error) = result {
                self.put_back(pending);
                outcome = Err(error);
            }
        }
        outcome
    }

    fn put_back(&self, pending: &Pending) {
        let reason = pending.draft.reason.as_deref().unwrap_or_default();
        let origin = pending.draft.origin.as_deref();
        self.lock().sum(reason, pending.count, origin);
    }

    /// At the end nothing is written later: logs the sums that the trail could not take.
    fn report_lost(&self) {
        for (reason, sum) in &self.lock().sums {
            tracing::error!(reason, count = sum.count, "refusals not in the audit trail");
        }
    }

    fn lock(&self) -> MutexGuard<'_, Notes> {
        self.notes.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Notes {
    fn sum(&mut self, reason: &str, count: u64, origin: Option<&str>) {
        // Reasons are a closed set of ours, so the map is small.
        if let Some(sum) = self.sums.get_mut(reason) {
            sum.add(count, origin);
        } else {
            let mut sum = Sum::default();
            sum.add(count, origin);
            self.sums.insert(reason.to_owned(), sum);
        }
    }
}

/// Whom the caller claims to be, if that is an issuer of ours.
fn claimed(registry: &IssuerRegistry, authorization: Option<&str>) -> (String, Option<IssuerId>) {
    let issuer = authorization
        .and_then(|header| Authorization::parse(header).ok())
        .and_then(|authorization| registry.claimed_issuer(authorization.consumer_key()));
    match issuer {
        Some(issuer) => (format!("claimed {}", issuer.client_id), Some(issuer.id)),
        None => (UNKNOWN.to_owned(), None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    fn note(calls: &RefusedCalls, reason: &str, origin: &str, now: Instant) {
        if calls.admit(reason, Some(origin), now) {
            let draft = AuditDraft {
                origin: Some(origin.to_owned()),
                ..AuditDraft::accepted(1, UNKNOWN, ACTION).refused(reason)
            };
            calls.lock().single.push(draft);
        }
    }

    fn total(pending: &[Pending]) -> u64 {
        pending.iter().map(|pending| pending.count).sum()
    }

    #[test]
    fn a_few_have_entries_of_their_own_and_the_rest_is_summed_up() {
        let (calls, now) = (RefusedCalls::default(), Instant::now());
        for number in 0..1_000 {
            note(&calls, ["a", "b"][number % 2], "192.0.2.1", now);
        }
        let first = calls.take(false);
        assert_eq!((first.len(), total(&first)), (20, 20));
        let sums = calls.take(true);
        let details: Vec<_> = sums.iter().map(|p| p.draft.detail.as_deref()).collect();
        assert_eq!(details, [Some("count=490"), Some("count=490")]);
        assert_eq!(sums[0].draft.origin.as_deref(), Some("192.0.2.1"));
        assert!(calls.take(true).is_empty());
    }

    #[test]
    fn a_lasting_flood_gets_one_entry_a_tick_and_one_for_each_reason_every_ten() {
        let (calls, start) = (RefusedCalls::default(), Instant::now());
        let (mut entries, mut refusals) = (0, 0);
        for tick in 1..=100 {
            for _ in 0..500 {
                let now = start + Duration::from_secs(tick.into());
                note(&calls, "a", "192.0.2.1", now);
            }
            let pending = calls.take(tick % SUM_TICKS == 0);
            entries += pending.len();
            refusals += total(&pending);
        }
        assert_eq!((entries, refusals), (20 + 99 + 10, 50_000));
    }

    #[test]
    fn what_could_not_be_written_is_counted_again() {
        let (calls, now) = (RefusedCalls::default(), Instant::now());
        for _ in 0..30 {
            note(&calls, "a", "192.0.2.1", now);
        }
        note(&calls, "a", "192.0.2.2", now);
        for pending in calls.take(true) {
            calls.put_back(&pending);
        }
        let again = calls.take(true);
        assert_eq!((again.len(), total(&again)), (1, 31));
        assert_eq!(again[0].draft.origin, None, "they came from two places");
    }
}
