//! Verification of the whole trail, chain after chain, page after page.

use super::{PAGE, node};
use crate::store::audit::{Anchor, AuditEntry, Broken, ChainVerifier, Gap};
use crate::store::{Store, StoreError};

/// What turns up on the way.
#[derive(Debug)]
pub enum Event<'a> {
    /// So many more entries were read.
    Read(u64),
    /// A chain does not hold.
    Broken {
        /// Which.
        chain: &'a str,
        /// Where and how.
        broken: Broken,
    },
    /// A process has declared that the database lost entries which it had confirmed, as a failover may.
    Gap {
        /// The chain that says so.
        chain: &'a str,
        /// What was lost.
        gap: Gap,
    },
    /// A chain begins with the start of a node and does not end with its stop: the node runs, or was killed.
    Open {
        /// Which.
        chain: &'a str,
    },
}

/// What was verified.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct Summary {
    /// Chains read.
    pub chains: u64,
    /// Entries that hold.
    pub entries: u64,
    /// Anchors that hold.
    pub anchors: u64,
    /// Gaps declared, each because a database had lost what it had confirmed.
    pub gaps: u64,
    /// Breaks found; each chain is read up to its first.
    pub broken: u64,
}

/// Reads every entry of every chain and checks it, its links and what it vouches for. Nodes may write meanwhile.
///
/// # Errors
/// What the database says; a broken trail is no error here.
pub async fn verify(
    store: &Store,
    observer: &mut dyn FnMut(Event<'_>),
) -> Result<Summary, StoreError> {
    let mut summary = Summary::default();
    let mut last = String::new();
    while let Some(chain) = store.next_audit_chain(&last).await? {
        let mut reading = Reading {
            store,
            observer: &mut *observer,
            summary: &mut summary,
            chain: &chain,
        };
        reading.listing().await?;
        reading.chain().await?;
        summary.chains += 1;
        last = chain;
    }
    Ok(summary)
}

struct Reading<'a> {
    store: &'a Store,
    observer: &'a mut dyn FnMut(Event<'_>),
    summary: &'a mut Summary,
    chain: &'a str,
}

impl Reading<'_> {
    /// The chain must be vouched for where it is listed as such, or nobody would ever vouch for its end.
    async fn listing(&mut self) -> Result<(), StoreError> {
        if let Some((listed, anchor)) = self.store.audit_anchor(self.chain).await? {
            let told = anchor.is_some_and(|a| a.chain == self.chain && a.seq == listed.seq);
            if !told {
                self.broken(
                    self.chain,
                    Broken::FalselyListed {
                        by_chain: listed.by_chain,
                        by_seq: listed.by_seq,
                    },
                );
            }
        }
        Ok(())
    }

    async fn chain(&mut self) -> Result<(), StoreError> {
        let before = self.store.audit_head(self.chain).await?;
        let mut verifier = ChainVerifier::new(self.chain);
        // From below 1: an entry slipped in before the first would be found too.
        let (mut after, mut started, mut stopped) = (i64::MIN, false, false);
        loop {
            let page = self.store.audit_entries(self.chain, after, PAGE).await?;
            let Some(last) = page.last() else { break };
            after = last.seq;
            for entry in &page {
                if let Err(broken) = verifier.check(entry) {
                    self.broken(self.chain, broken);
                    return Ok(());
                }
                started |= entry.action == node::START;
                stopped = entry.action == node::STOP;
                self.anchor(entry).await?;
                self.gap(entry);
            }
            let count = u64::try_from(page.len()).unwrap_or(0);
            self.summary.entries += count;
            (self.observer)(Event::Read(count));
        }
        let now = self.store.audit_head(self.chain).await?;
        match verifier.finish(before.as_ref(), now.as_ref()) {
            Err(broken) => self.broken(self.chain, broken),
            Ok(_) if started && !stopped => (self.observer)(Event::Open { chain: self.chain }),
            Ok(_) => {}
        }
        Ok(())
    }

    /// If the entry vouches for another one, that one must be there.
    async fn anchor(&mut self, entry: &AuditEntry) -> Result<(), StoreError> {
        let (subject, detail) = (entry.subject.as_deref(), entry.detail.as_deref());
        let Some(anchor) = Anchor::parse(&entry.action, subject, detail) else {
            return Ok(());
        };
        let found = self.store.audit_hash(&anchor.chain, anchor.seq).await?;
        if found.as_ref() == Some(&anchor.hash) {
            self.summary.anchors += 1;
        } else {
            self.broken(
                &anchor.chain,
                Broken::NotAsVouched {
                    seq: anchor.seq,
                    by_chain: entry.chain.clone(),
                    by_seq: entry.seq,
                },
            );
        }
        Ok(())
    }

    fn gap(&mut self, entry: &AuditEntry) {
        let (subject, detail) = (entry.subject.as_deref(), entry.detail.as_deref());
        if let Some(gap) = Gap::parse(&entry.action, subject, detail) {
            self.summary.gaps += 1;
            let chain = self.chain;
            (self.observer)(Event::Gap { chain, gap });
        }
    }

    fn broken(&mut self, chain: &str, broken: Broken) {
        self.summary.broken += 1;
        (self.observer)(Event::Broken { chain, broken });
    }
}
