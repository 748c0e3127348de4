//! Verification of the whole trail, page after page.
//!
//! The verification takes chains a window at a time: their heads and the keyed anchors of their
//! purges before, their entries in pages, their heads after. So the number of statements grows with
//! the entries, not with the chains.
//!
//! A chain with such an anchor begins behind it. A purge may go on meanwhile: it deletes entries
//! and moves the anchor in one transaction, so whoever misses an entry and looks at the anchor then
//! sees that it has moved.

use super::PAGE;
use super::purged::{PurgeKeys, Purges};
use crate::store::Store;
use crate::store::audit::pages::ChainRange;
use crate::store::audit::{Anchor, AuditEntry, AuditHead, Broken, ChainVerifier, Gap, PurgeAnchor};
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
    /// Chains with purged entries.
    pub purged_chains: u64,
    /// Entries that were purged, as genuine anchors say.
    pub purged: u64,
    /// Gaps declared, each because a database had lost entries that it had confirmed.
    pub gaps: u64,
    /// Breaks found; each chain is read up to its first.
    pub broken: u64,
}

/// Reads every entry of every chain. Checks the entry, its links and the anchors in it, and where a
/// chain was purged the anchor that says so. Nodes and purges may write meanwhile.
///
/// # Errors
/// The database's, and the vault's if an anchor of a purge is there. A broken trail is no error
/// here.
pub async fn verify(
    store: &Store,
    keys: &PurgeKeys<'_>,
    observer: Observer<'_>,
) -> anyhow::Result<Summary> {
    let mut after = String::new();
    let mut reading = Reading {
        store,
        purges: Purges { store, keys },
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
/// [witness](super::witness), are there or were purged; returns how many are not.
///
/// # Errors
/// As [`verify`].
pub async fn acknowledged(
    store: &Store,
    keys: &PurgeKeys<'_>,
    known: &[AuditHead],
    observer: Observer<'_>,
) -> anyhow::Result<u64> {
    let purges = Purges { store, keys };
    let wanted = known.iter().map(|head| (head.chain.clone(), head.seq));
    let mut found = store.audit_hashes(wanted.collect()).await?;
    let mut broken = 0;
    for head in known {
        let seq = head.seq;
        let hash = found.remove(&(head.chain.clone(), seq));
        if hash.as_ref() == Some(&head.hash) {
            continue;
        }
        if hash.is_none() && purges.took(head).await? {
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

struct Reading<'a, 'k> {
    store: &'a Store,
    purges: Purges<'a, 'k>,
    observer: Observer<'a>,
    summary: Summary,
    /// The chains of the window.
    chains: BTreeMap<String, Chain>,
}

/// How far a chain was read.
struct Chain {
    verifier: ChainVerifier,
    /// Position of the last purged entry, as a genuine anchor says; 0 if there is none.
    purged: i64,
    /// What is read of before here has gone since.
    went_on: bool,
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
            purged: 0,
            went_on: false,
            before,
            broken: false,
            started: false,
            stopped: false,
        }
    }

    /// Goes on behind `anchor`.
    fn skip(&mut self, anchor: &PurgeAnchor) {
        self.verifier = ChainVerifier::behind(anchor);
        self.purged = anchor.seq;
    }
}

impl Reading<'_, '_> {
    async fn window(&mut self, range: &ChainRange, heads: Vec<AuditHead>) -> anyhow::Result<()> {
        self.listings(range).await?;
        let chains = heads.into_iter().map(|head| {
            let chain = Chain::new(&head.chain, Some(head.clone()));
            (head.chain, chain)
        });
        self.chains = chains.collect();
        self.purged(range).await?;
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

    /// A chain that was purged begins behind its anchor, if that is genuine.
    async fn purged(&mut self, range: &ChainRange) -> anyhow::Result<()> {
        for anchor in self.store.audit_purges(range, i64::MAX).await? {
            let name = anchor.chain.clone();
            let checked = self.purges.check(anchor).await?;
            let chain = self.chains.entry(name.clone());
            let chain = chain.or_insert_with(|| Chain::new(&name, None));
            match checked {
                Ok(anchor) => {
                    chain.skip(&anchor);
                    self.summary.purged_chains += 1;
                    self.summary.purged += u64::try_from(anchor.seq).unwrap_or(0);
                }
                Err(broken) => {
                    chain.broken = true;
                    self.broken(&name, broken);
                }
            }
        }
        Ok(())
    }

    /// Whether a purge took what is missing before `entry` since its chain was begun to be read.
    /// The chain goes on behind its anchor then.
    async fn went_on(&mut self, entry: &AuditEntry) -> anyhow::Result<bool> {
        let Some(anchor) = self.purges.of(&entry.chain).await? else {
            return Ok(false);
        };
        let Some(chain) = self.chains.get_mut(&entry.chain) else {
            return Ok(false);
        };
        let moved = anchor.seq > chain.purged && anchor.seq >= chain.verifier.seq();
        if moved && entry.seq <= anchor.seq.saturating_add(1) {
            let more = anchor.seq.saturating_sub(chain.purged);
            self.summary.purged_chains += u64::from(chain.purged == 0);
            self.summary.purged += u64::try_from(more).unwrap_or(0);
            chain.skip(&anchor);
            chain.went_on = true;
            return Ok(true);
        }
        Ok(false)
    }

    /// A chain must be vouched for where it is listed as such, or nobody would ever vouch for its
    /// end.
    async fn listings(&mut self, range: &ChainRange) -> anyhow::Result<()> {
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

    async fn page(&mut self, page: &[AuditEntry]) -> anyhow::Result<()> {
        let mut anchors = Vec::new();
        for entry in page {
            let mut checked = self.check(entry);
            if checked.is_err() && self.went_on(entry).await? {
                checked = self.check(entry);
            }
            let Some(chain) = self.chains.get_mut(&entry.chain) else {
                continue;
            };
            match checked {
                Ok(true) => {}
                Ok(false) => continue,
                Err(broken) => {
                    chain.broken = true;
                    self.broken(&entry.chain, broken);
                    continue;
                }
            }
            chain.started |= entry.action == START;
            chain.stopped = entry.action == STOP;
            self.summary.entries += 1;
            let (subject, detail) = (entry.subject.as_deref(), entry.detail.as_deref());
            if let Some(anchor) = Anchor::parse(&entry.action, subject, detail) {
                anchors.push((entry, anchor));
            }
            let Some(gap) = Gap::parse(&entry.action, subject, detail) else {
                continue;
            };
            if self.purges.is_gap(&gap).await? {
                self.summary.gaps += 1;
                let chain = &entry.chain;
                (self.observer)(Event::Gap { chain, gap });
            }
        }
        let read = u64::try_from(page.len()).unwrap_or(0);
        (self.observer)(Event::Read(read));
        self.anchors(anchors).await
    }

    /// Checks an entry in its chain. False if it does not count: its chain is broken, or was purged
    /// beyond it since.
    fn check(&mut self, entry: &AuditEntry) -> Result<bool, Broken> {
        let name = &entry.chain;
        let chain = self.chains.entry(name.clone());
        let chain = chain.or_insert_with(|| Chain::new(name, None));
        if chain.broken || (chain.went_on && entry.seq <= chain.purged) {
            return Ok(false);
        }
        chain.verifier.check(entry).map(|()| true)
    }

    /// Where an entry vouches for another one, that one must be there, or purged.
    async fn anchors(&mut self, anchors: Vec<(&AuditEntry, Anchor)>) -> anyhow::Result<()> {
        let wanted = anchors
            .iter()
            .map(|(_, anchor)| (anchor.chain.clone(), anchor.seq));
        let hashes = self.store.audit_hashes(wanted.collect()).await?;
        let mut purges: HashMap<String, Option<PurgeAnchor>> = HashMap::new();
        for (entry, Anchor { chain, seq, hash }) in anchors {
            let key = (chain, seq);
            let found = hashes.get(&key);
            if found == Some(&hash) {
                self.summary.anchors += 1;
                continue;
            }
            if found.is_none() {
                if !purges.contains_key(&key.0) {
                    purges.insert(key.0.clone(), self.purges.of(&key.0).await?);
                }
                let purge = purges.get(&key.0).and_then(Option::as_ref);
                if purge.is_some_and(|purge| purge.covers(seq, &hash)) {
                    continue;
                }
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
    async fn finish(&mut self, range: &ChainRange) -> anyhow::Result<()> {
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
            if chain.purged > 0 && chain.verifier.is_at_start() {
                self.broken(&name, Broken::NothingKept(chain.purged));
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
