//! `audit purge`: deletes old entries, chain after chain, in batches.
//!
//! Each batch is one transaction that moves the chain's keyed anchor on
//! ([`store::audit::purges`](crate::store::audit::purges)). So a purge may end at any moment and be
//! run again, two may run at once, nodes may write meanwhile, and `audit verify` holds at any
//! moment.

use super::purged::{PurgeKeys, Purges};
use crate::store::audit::pages::ChainRange;
use crate::store::audit::purges::{Batch, BatchDone};
use crate::store::audit::{AuditHead, Broken, Gap};
pub use crate::store::pace::Limits;
use crate::store::pace::{self, Pace, patiently};
use crate::store::{Store, now};
use crate::vault::Vault;
use std::collections::HashMap;
use std::num::NonZeroU32;
use std::time::Instant;
use tokio::time::sleep;

/// Chains whose ends are read at once.
const CHAINS: i64 = 1_000;

/// Entries whose times are read at once where nothing is deleted.
const TIMES: i64 = 10_000;

/// What is to go.
#[derive(Debug, Clone)]
pub struct Rule {
    /// Entries of before this time, in microseconds since 1970 UTC. A chain is purged up to its
    /// first newer entry. Its last entry stays.
    pub before: i64,
    /// The last exported entry of each chain: what comes behind stays. `None`: all may go.
    pub exported: Option<HashMap<String, i64>>,
}

/// What went, or would go.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct Purged {
    /// Entries.
    pub entries: u64,
    /// Chains that they are of.
    pub chains: u64,
    /// Entries that declared a gap, which [`verify`](super::verify) counts no more.
    pub gaps: u64,
    /// Chains with entries that are old enough and stay because they were not exported.
    pub withheld: u64,
}

/// A chain that a purge met, and that does not hold.
#[derive(Debug, thiserror::Error)]
#[error("chain {chain}: {broken}")]
pub struct BrokenChain {
    chain: String,
    broken: Broken,
}

/// Deletes what `rule` names. `observer` is told of each batch what went.
///
/// # Errors
/// The database's, the vault's, and [`BrokenChain`]. What went before stays gone, and vouched for.
pub async fn purge(
    store: &Store,
    vault: &Vault,
    rule: &Rule,
    limits: Limits,
    observer: &mut dyn FnMut(Purged),
) -> anyhow::Result<Purged> {
    let pace = Pace::new(limits.rows_per_second);
    let mut purge = Purge {
        store,
        vault,
        rule,
        pace,
        batch: pace.batch(limits.batch),
        observer,
    };
    walk(store, async |head| purge.chain(head).await).await
}

/// Counts what [`purge`] would delete, and deletes nothing.
///
/// # Errors
/// The database's.
pub async fn count(store: &Store, rule: &Rule) -> anyhow::Result<Purged> {
    walk(store, async |head| {
        let (mut seq, mut of_chain) = (purged(store, &head.chain).await?, Purged::default());
        let upto = rule.upto(head);
        loop {
            let times = patiently(|| store.audit_times(&head.chain, seq, TIMES)).await?;
            for &(at_seq, at) in &times {
                match rule.says(head, upto, at_seq, at) {
                    Says::Goes => of_chain.entries += 1,
                    Says::Withheld => of_chain.withheld = 1,
                    Says::Stays => {}
                }
                if at_seq > upto || at >= rule.before {
                    return Ok(of_chain);
                }
                seq = at_seq;
            }
            if times.is_empty() {
                return Ok(of_chain);
            }
        }
    })
    .await
}

/// Goes from chain to chain.
async fn walk(
    store: &Store,
    mut chain: impl AsyncFnMut(&AuditHead) -> anyhow::Result<Purged>,
) -> anyhow::Result<Purged> {
    let (mut all, mut range) = (Purged::default(), ChainRange::default());
    loop {
        let heads = patiently(|| store.audit_heads(&range, CHAINS)).await?;
        let Some(last) = heads.last() else {
            return Ok(all);
        };
        range.after.clone_from(&last.chain);
        for head in &heads {
            let of_chain = chain(head).await?;
            all.entries += of_chain.entries;
            all.chains += u64::from(of_chain.entries > 0);
            all.gaps += of_chain.gaps;
            all.withheld += of_chain.withheld;
        }
    }
}

/// What a rule says of an entry that comes next in its chain.
enum Says {
    Goes,
    /// It is old enough, and not exported.
    Withheld,
    Stays,
}

impl Rule {
    /// The last entry of a chain that may go: not the end of the chain.
    fn upto(&self, head: &AuditHead) -> i64 {
        let exported = self.exported.as_ref();
        let exported = exported.map_or(i64::MAX, |of| of.get(&head.chain).copied().unwrap_or(0));
        exported.min(head.seq.saturating_sub(1))
    }

    fn says(&self, head: &AuditHead, upto: i64, seq: i64, at: i64) -> Says {
        match seq {
            _ if at >= self.before => Says::Stays,
            _ if seq <= upto => Says::Goes,
            _ if seq < head.seq => Says::Withheld,
            _ => Says::Stays,
        }
    }
}

/// Position of the last purged entry of a chain; 0 if there is none.
async fn purged(store: &Store, chain: &str) -> anyhow::Result<i64> {
    let anchor = patiently(|| store.audit_purge(chain)).await?;
    Ok(anchor.map_or(0, |anchor| anchor.seq))
}

struct Purge<'a> {
    store: &'a Store,
    vault: &'a Vault,
    rule: &'a Rule,
    pace: Pace,
    batch: NonZeroU32,
    observer: &'a mut dyn FnMut(Purged),
}

impl Purge<'_> {
    /// Purges a chain, batch after batch.
    async fn chain(&mut self, head: &AuditHead) -> anyhow::Result<Purged> {
        let mut of_chain = Purged::default();
        let upto = self.rule.upto(head);
        loop {
            // A look that locks nothing: most chains have nothing to go.
            let seq = purged(self.store, &head.chain).await?;
            let next = patiently(|| self.store.audit_times(&head.chain, seq, 1)).await?;
            let Some(&(seq, at)) = next.first() else {
                return Ok(of_chain);
            };
            match self.rule.says(head, upto, seq, at) {
                Says::Goes => {
                    let Some(gone) = self.batch(&head.chain, upto).await? else {
                        return Ok(of_chain);
                    };
                    of_chain.entries += gone.entries;
                    of_chain.gaps += gone.gaps;
                }
                Says::Withheld => {
                    of_chain.withheld = 1;
                    return Ok(of_chain);
                }
                Says::Stays => return Ok(of_chain),
            }
        }
    }

    /// One transaction; returns what went. `None`: nothing is left to go.
    async fn batch(&mut self, chain: &str, upto: i64) -> anyhow::Result<Option<Purged>> {
        let begun = Instant::now();
        let keys = self.vault.current();
        let batch = || Batch {
            chain: chain.to_owned(),
            upto,
            before: self.rule.before,
            limit: self.batch.get().into(),
            at: now(),
        };
        let purging = || self.store.purge_audit_entries(batch(), keys.clone());
        match patiently(purging).await? {
            BatchDone::Purged { entries: 0, .. } => Ok(None),
            BatchDone::Purged { entries, gaps } => {
                let gone = Purged {
                    entries,
                    gaps: self.gaps(&gaps).await?,
                    ..Purged::default()
                };
                (self.observer)(gone);
                let mut rest = self.pace.wait(entries, begun.elapsed());
                if self.store.url().is_sqlite() {
                    rest = rest.max(pace::rest(begun.elapsed()));
                }
                sleep(rest).await;
                Ok(Some(gone))
            }
            BatchDone::Outrun => Ok(Some(Purged::default())),
            BatchDone::Outdated => {
                self.vault.refresh(self.store).await?;
                Ok(Some(Purged::default()))
            }
            BatchDone::Broken(broken) => Err(BrokenChain {
                chain: chain.to_owned(),
                broken,
            }
            .into()),
        }
    }

    /// How many of these gaps a verification counts.
    async fn gaps(&self, gaps: &[Gap]) -> anyhow::Result<u64> {
        let (store, keys) = (self.store, &PurgeKeys::Of(self.vault));
        let purges = Purges { store, keys };
        let mut count = 0;
        for gap in gaps {
            count += u64::from(purges.is_gap(gap).await?);
        }
        Ok(count)
    }
}
