//! Verification of the whole trail, page after page.
//!
//! The verification takes chains a window at a time: their heads before, their entries in pages,
//! their heads after. So the number of statements grows with the entries, not with the chains.

use super::PAGE;
use crate::store::audit::pages::ChainRange;
use crate::store::audit::{Anchor, AuditEntry, AuditHead, Broken, ChainVerifier, Gap};
use crate::store::{Store, StoreError};
use std::collections::{BTreeMap, HashMap};

/// The first act of a node.
pub(super) const START: &str = "node.start";
/// The last act of a node.
pub(super) const STOP: &str = "node.stop";

/// Chains of one window: their ends are in memory, and nothing else of them.
const WINDOW: i64 = 1_000;

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
    /// A process has declared that the database lost entries which it had confirmed, as a failover
    /// may.
    Gap {
        /// The chain that says so.
        chain: &'a str,
        /// What was lost.
        gap: Gap,
    },
    /// A chain begins with the start of a node and does not end with its stop: the node runs, or
    /// was killed.
    Open {
        /// Which.
        chain: &'a str,
    },
}

/// Is told what turns up.
pub type Observer<'a> = &'a mut dyn FnMut(Event<'_>);

/// What was verified.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct Summary {
    /// Chains read.
    pub chains: u64,
    /// Entries that hold.
    pub entries: u64,
    /// Anchors that hold.
    pub anchors: u64,
    /// Gaps declared, each because a database had lost entries that it had confirmed.
    pub gaps: u64,
    /// Breaks found; each chain is read up to its first.
    pub broken: u64,
}

/// Reads every entry of every chain. Checks the entry, its links and the anchors in it. Nodes may
/// write meanwhile.
///
/// # Errors
/// The database's. A broken trail is no error here.
pub async fn verify(store: &Store, observer: Observer<'_>) -> Result<Summary, StoreError> {
    let mut after = String::new();
    let mut reading = Reading {
        store,
        observer,
        summary: Summary::default(),
        chains: BTreeMap::new(),
    };
    loop {
        let mut range = ChainRange { after, upto: None };
        let heads = store.audit_heads(&range, WINDOW).await?;
        if i64::try_from(heads.len()).is_ok_and(|count| count == WINDOW) {
            range.upto = heads.last().map(|head| head.chain.clone());
        }
        reading.window(&range, heads).await?;
        match range.upto {
            Some(last) => after = last,
            None => return Ok(reading.summary),
        }
    }
}

/// Checks that entries which are known from elsewhere, such as from a node's
/// [witness](super::witness), are there; returns how many are not.
///
/// # Errors
/// The database's.
pub async fn acknowledged(
    store: &Store,
    known: &[AuditHead],
    observer: Observer<'_>,
) -> Result<u64, StoreError> {
    let wanted = known.iter().map(|head| (head.chain.clone(), head.seq));
    let mut found = store.audit_hashes(wanted.collect()).await?;
    let mut broken = 0;
    for head in known {
        let seq = head.seq;
        let hash = found.remove(&(head.chain.clone(), seq));
        if hash.as_ref() == Some(&head.hash) {
            continue;
        }
        broken += 1;
        let what = match hash {
            Some(_) => Broken::NotAsAcknowledged(seq),
            None => match store.audit_end(&head.chain).await? {
                found if found < seq => Broken::Lost {
                    found,
                    acknowledged: seq,
                },
                _ => Broken::Missing(seq),
            },
        };
        observer(Event::Broken {
            chain: &head.chain,
            broken: what,
        });
    }
    Ok(broken)
}

struct Reading<'a> {
    store: &'a Store,
    observer: Observer<'a>,
    summary: Summary,
    /// The chains of the window.
    chains: BTreeMap<String, Chain>,
}

/// How far a chain was read.
struct Chain {
    verifier: ChainVerifier,
    /// Its head, as it was before its first entry was read.
    before: Option<AuditHead>,
    broken: bool,
    started: bool,
    stopped: bool,
}

impl Chain {
    fn new(chain: &str, before: Option<AuditHead>) -> Self {
        Self {
            verifier: ChainVerifier::new(chain),
            before,
            broken: false,
            started: false,
            stopped: false,
        }
    }
}

impl Reading<'_> {
    async fn window(
        &mut self,
        range: &ChainRange,
        heads: Vec<AuditHead>,
    ) -> Result<(), StoreError> {
        self.listings(range).await?;
        let chains = heads.into_iter().map(|head| {
            let chain = Chain::new(&head.chain, Some(head.clone()));
            (head.chain, chain)
        });
        self.chains = chains.collect();
        let (mut chain, mut seq) = (range.after.clone(), i64::MAX);
        loop {
            let page = self.store.audit_page(range, (&chain, seq), PAGE).await?;
            let Some(last) = page.last() else { break };
            chain.clone_from(&last.chain);
            seq = last.seq;
            self.page(&page).await?;
        }
        self.finish(range).await
    }

    /// A chain must be vouched for where it is listed as such, or nobody would ever vouch for its
    /// end.
    async fn listings(&mut self, range: &ChainRange) -> Result<(), StoreError> {
        for listing in self.store.audit_listings(range).await? {
            let vouched = listing
                .anchor
                .is_some_and(|a| a.chain == listing.chain && a.seq == listing.seq);
            if !vouched {
                let (by_chain, by_seq) = (listing.by_chain, listing.by_seq);
                self.broken(&listing.chain, Broken::FalselyListed { by_chain, by_seq });
            }
        }
        Ok(())
    }

    async fn page(&mut self, page: &[AuditEntry]) -> Result<(), StoreError> {
        let mut anchors = Vec::new();
        for entry in page {
            if !self.chains.contains_key(&entry.chain) {
                let chain = Chain::new(&entry.chain, None);
                self.chains.insert(entry.chain.clone(), chain);
            }
            let Some(chain) = self.chains.get_mut(&entry.chain) else {
                continue;
            };
            if chain.broken {
                continue;
            }
            if let Err(broken) = chain.verifier.check(entry) {
                chain.broken = true;
                self.broken(&entry.chain, broken);
                continue;
            }
            chain.started |= entry.action == START;
            chain.stopped = entry.action == STOP;
            self.summary.entries += 1;
            let (subject, detail) = (entry.subject.as_deref(), entry.detail.as_deref());
            if let Some(anchor) = Anchor::parse(&entry.action, subject, detail) {
                anchors.push((entry, anchor));
            }
            if let Some(gap) = Gap::parse(&entry.action, subject, detail) {
                self.summary.gaps += 1;
                let chain = &entry.chain;
                (self.observer)(Event::Gap { chain, gap });
            }
        }
        let read = u64::try_from(page.len()).unwrap_or(0);
        (self.observer)(Event::Read(read));
        self.anchors(anchors).await
    }

    /// Where an entry vouches for another one, that one must be there.
    async fn anchors(&mut self, anchors: Vec<(&AuditEntry, Anchor)>) -> Result<(), StoreError> {
        let wanted = anchors
            .iter()
            .map(|(_, anchor)| (anchor.chain.clone(), anchor.seq));
        let hashes = self.store.audit_hashes(wanted.collect()).await?;
        for (entry, Anchor { chain, seq, hash }) in anchors {
            let key = (chain, seq);
            if hashes.get(&key) == Some(&hash) {
                self.summary.anchors += 1;
                continue;
            }
            let broken = Broken::NotAsVouched {
                seq,
                by_chain: entry.chain.clone(),
                by_seq: entry.seq,
            };
            self.broken(&key.0, broken);
        }
        Ok(())
    }

    /// Each chain must end where its head says. A head whose chain was not met has come meanwhile.
    async fn finish(&mut self, range: &ChainRange) -> Result<(), StoreError> {
        let heads = self.store.audit_heads(range, i64::MAX).await?;
        let now: HashMap<&str, &AuditHead> = heads
            .iter()
            .map(|head| (head.chain.as_str(), head))
            .collect();
        for (name, chain) in std::mem::take(&mut self.chains) {
            self.summary.chains += 1;
            if chain.broken {
                continue;
            }
            let now = now.get(name.as_str()).copied();
            match chain.verifier.finish(chain.before.as_ref(), now) {
                Err(broken) => self.broken(&name, broken),
                Ok(_) if chain.started && !chain.stopped => {
                    (self.observer)(Event::Open { chain: &name });
                }
                Ok(_) => {}
            }
        }
        Ok(())
    }

    fn broken(&mut self, chain: &str, broken: Broken) {
        self.summary.broken += 1;
        (self.observer)(Event::Broken { chain, broken });
    }
}
