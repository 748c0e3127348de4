//! Purged entries, and the keyed anchors behind which chains go on.
//!
//! A purge deletes the oldest entries of a chain. The same transaction moves the chain's anchor to
//! the last entry that went: position and hash, with an HMAC-SHA-256 under a key of the vault. So
//! somebody who can write to the database alone cannot delete entries and call them purged. The
//! last entry of a chain stays, so the chain goes on.
//!
//! What is about to go is checked first: the anchor so far, each entry's hash and its link. An
//! entry that vouches for another chain goes once another entry vouches for it.

use super::pages::ChainRange;
use super::{
    Anchor, AuditDraft, AuditEntry, AuditHead, Broken, ChainVerifier, Gap, anchors, heads,
};
use crate::store::connection::{AnyConnection, on_backend};
use crate::store::error::StoreError;
use crate::store::fence;
use crate::store::pool::Store;
use crate::store::schema::{audit_anchors, audit_entries, audit_heads, audit_purges};
use diesel::prelude::*;
use std::sync::Arc;
use subtle::ConstantTimeEq;

const TAG: &[u8] = b"issuer-gateway audit purge 1";

/// The action of a purge.
pub const PURGE: &str = "audit.purge";

/// A row of `audit_purges`: all entries of the chain up to this one were purged.
#[derive(Debug, Clone, PartialEq, Eq, Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = audit_purges, primary_key(chain))]
pub struct PurgeAnchor {
    /// The chain's UUID.
    pub chain: String,
    /// Position of the last purged entry. Positions count from 1, so that many are gone.
    pub seq: i64,
    /// Its hash.
    pub hash: Vec<u8>,
    /// The earliest time of a purged entry, in microseconds since 1970 UTC.
    pub first_at: i64,
    /// The latest.
    pub last_at: i64,
    /// When the last purge was.
    pub purged_at: i64,
    /// Version of the data key (purpose `seal`) behind the MAC.
    pub seal_key: i32,
    /// HMAC-SHA-256 over [`PurgeAnchor::encode`].
    pub mac: Vec<u8>,
}

/// The keys that anchors are made and checked with; the vault has them.
pub trait AnchorKeys: Send + Sync + 'static {
    /// Which set of keys it is.
    fn generation(&self) -> i64;

    /// Version of the key for new anchors.
    fn version(&self) -> i32;

    /// The MAC under the key of this version; `None` if it is not there.
    fn mac(&self, version: i32, message: &[u8]) -> Option<[u8; 32]>;
}

impl PurgeAnchor {
    /// What the MAC is taken over: the text `issuer-gateway audit purge 1`; the length of the
    /// chain's name as 4 bytes big-endian, and the name; seq, first_at, last_at and purged_at as 8
    /// bytes big-endian each, seal_key as 4; and the hash.
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(160);
        out.extend_from_slice(TAG);
        let length = u32::try_from(self.chain.len()).unwrap_or(u32::MAX);
        out.extend_from_slice(&length.to_be_bytes());
        out.extend_from_slice(self.chain.as_bytes());
        for number in [self.seq, self.first_at, self.last_at, self.purged_at] {
            out.extend_from_slice(&number.to_be_bytes());
        }
        out.extend_from_slice(&self.seal_key.to_be_bytes());
        out.extend_from_slice(&self.hash);
        out
    }

    /// Checks the MAC.
    ///
    /// # Errors
    /// [`Broken::ForgedPurge`], [`Broken::PurgeUnderUnknownKey`].
    pub fn check(&self, keys: &dyn AnchorKeys) -> Result<(), Broken> {
        let (purged, version) = (self.seq, self.seal_key);
        let mac = keys
            .mac(version, &self.encode())
            .ok_or(Broken::PurgeUnderUnknownKey { purged, version })?;
        match bool::from(self.mac.as_slice().ct_eq(&mac)) {
            true => Ok(()),
            false => Err(Broken::ForgedPurge(purged)),
        }
    }

    /// Whether an entry that is not there any more was purged; the last one is compared.
    pub fn covers(&self, seq: i64, hash: &[u8]) -> bool {
        seq < self.seq || (seq == self.seq && hash == self.hash)
    }

    /// Makes the MAC, under the newest key.
    ///
    /// # Errors
    /// [`Broken::PurgeUnderUnknownKey`] if it has no key, which cannot be.
    pub fn vouch(&mut self, keys: &dyn AnchorKeys) -> Result<(), Broken> {
        self.seal_key = keys.version();
        let (purged, version) = (self.seq, self.seal_key);
        let mac = keys.mac(version, &self.encode());
        self.mac = mac
            .ok_or(Broken::PurgeUnderUnknownKey { purged, version })?
            .to_vec();
        Ok(())
    }

    /// The anchor at the end of `entries`, which come behind `before`; without its MAC.
    fn moved(before: Option<&Self>, entries: &[AuditEntry], purged_at: i64) -> Option<Self> {
        let last = entries.last()?;
        let times = || entries.iter().map(|entry| entry.at);
        let first_at = times().chain(before.map(|anchor| anchor.first_at)).min()?;
        let last_at = times().chain(before.map(|anchor| anchor.last_at)).max()?;
        Some(Self {
            chain: last.chain.clone(),
            seq: last.seq,
            hash: last.hash.clone(),
            first_at,
            last_at,
            purged_at,
            seal_key: 0,
            mac: Vec::new(),
        })
    }
}

/// What is to be purged of one chain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Batch {
    /// The chain.
    pub chain: String,
    /// Up to this entry at most, and never the chain's last one.
    pub upto: i64,
    /// Only entries of before this time, in microseconds since 1970 UTC. The first one that is
    /// newer ends the purge.
    pub before: i64,
    /// So many entries at most.
    pub limit: i64,
    /// The time of the purge.
    pub at: i64,
}

/// What became of a [`Batch`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BatchDone {
    /// So many entries went; 0: none is left to go.
    Purged {
        /// How many.
        entries: u64,
        /// The gaps that some of them declared.
        gaps: Vec<Gap>,
    },
    /// Another purge was at the same chain. Nothing was written.
    Outrun,
    /// The data keys are not those that were given (any more). Nothing was written.
    Outdated,
    /// The chain does not hold. Nothing was written.
    Broken(Broken),
}

impl Store {
    /// Purges the next entries of a chain and moves its anchor on, in one transaction.
    pub async fn purge_audit_entries<K: AnchorKeys>(
        &self,
        batch: Batch,
        keys: Arc<K>,
    ) -> Result<BatchDone, StoreError> {
        let purged = self.on_chain(move |conn, own| {
            let none = |done| Ok((done, Vec::new()));
            fence::join(conn)?;
            if fence::generation(conn)? != keys.generation() {
                return none(BatchDone::Outdated);
            }
            let before = find(conn, &batch.chain)?;
            let purged = before.as_ref().map_or(0, |anchor| anchor.seq);
            let entries = next(conn, &batch, before.as_ref())?;
            let moved = match checked(before.as_ref(), &entries, &batch, &*keys) {
                Ok(Some(moved)) => moved,
                Ok(None) => {
                    let (entries, gaps) = (0, Vec::new());
                    return none(BatchDone::Purged { entries, gaps });
                }
                // Each statement sees what was committed before it, so a purge that came between
                // looks like a break.
                Err(_) if find(conn, &batch.chain)? != before => return none(BatchDone::Outrun),
                Err(broken) => return none(BatchDone::Broken(broken)),
            };
            // Waits for a purge that is at the same chain, and finds the anchor moved then.
            if !set(conn, &moved, purged)? {
                return none(BatchDone::Outrun);
            }
            let gone = diesel::delete(audit_entries::table)
                .filter(audit_entries::chain.eq(&moved.chain))
                .filter(audit_entries::seq.gt(purged))
                .filter(audit_entries::seq.le(moved.seq))
                .execute(conn)?;
            if gone != entries.len() {
                return Err(StoreError::internal("other entries went than were read"));
            }
            let drafts = vouch_again(conn, &moved, own.id(), own.seq())?;
            let done = BatchDone::Purged {
                entries: u64::try_from(gone).unwrap_or(u64::MAX),
                gaps: entries.iter().filter_map(declared).collect(),
            };
            Ok::<_, StoreError>((done, drafts))
        });
        Ok(purged.await?.1)
    }

    /// The anchor of a chain, if it has one.
    pub async fn audit_purge(&self, chain: &str) -> Result<Option<PurgeAnchor>, StoreError> {
        let chain = chain.to_owned();
        self.read(move |conn| Ok(find(conn, &chain)?)).await
    }

    /// The anchors of the chains in `range`, in order, at most `limit`.
    pub async fn audit_purges(
        &self,
        range: &ChainRange,
        limit: i64,
    ) -> Result<Vec<PurgeAnchor>, StoreError> {
        let range = range.clone();
        self.read(move |conn| {
            let anchors = audit_purges::table
                .filter(audit_purges::chain.gt(&range.after))
                .order(audit_purges::chain)
                .limit(limit)
                .select(PurgeAnchor::as_select());
            Ok(match &range.upto {
                Some(upto) => anchors.filter(audit_purges::chain.le(upto)).load(conn)?,
                None => anchors.load(conn)?,
            })
        })
        .await
    }

    /// Puts anchors, as they were read, under the newest key; returns how many, and those that are
    /// forged, which stay. `None`: the data keys are not those of `keys` any more, and nothing was
    /// done.
    pub async fn renew_audit_purges<K: AnchorKeys>(
        &self,
        read: Vec<PurgeAnchor>,
        keys: Arc<K>,
    ) -> Result<Option<(u64, Vec<(String, Broken)>)>, StoreError> {
        self.maintain(move |conn| {
            fence::join(conn)?;
            if fence::generation(conn)? != keys.generation() {
                return Ok(None);
            }
            let (mut written, mut forged) = (0, Vec::new());
            for mut anchor in read {
                let (seq, mac) = (anchor.seq, anchor.mac.clone());
                if let Err(broken) = anchor.check(&*keys).and_then(|()| anchor.vouch(&*keys)) {
                    forged.push((anchor.chain, broken));
                    continue;
                }
                // One that has moved meanwhile is under a newer key already.
                let renewed = diesel::update(audit_purges::table.find(&anchor.chain))
                    .filter(audit_purges::seq.eq(seq))
                    .filter(audit_purges::mac.eq(mac))
                    .set((
                        audit_purges::seal_key.eq(anchor.seal_key),
                        audit_purges::mac.eq(&anchor.mac),
                    ))
                    .execute(conn)?;
                written += u64::try_from(renewed).unwrap_or(0);
            }
            Ok(Some((written, forged)))
        })
        .await
    }
}

fn find(conn: &mut AnyConnection, chain: &str) -> QueryResult<Option<PurgeAnchor>> {
    audit_purges::table
        .find(chain)
        .select(PurgeAnchor::as_select())
        .first(conn)
        .optional()
}

fn declared(entry: &AuditEntry) -> Option<Gap> {
    let (subject, detail) = (entry.subject.as_deref(), entry.detail.as_deref());
    Gap::parse(&entry.action, subject, detail)
}

/// The entries behind the anchor that are old enough; not the chain's last one. No more of them
/// vouch for other chains than are vouched for again in a moment.
fn next(
    conn: &mut AnyConnection,
    batch: &Batch,
    anchor: Option<&PurgeAnchor>,
) -> QueryResult<Vec<AuditEntry>> {
    let head = heads::recorded(conn, &batch.chain)?;
    let upto = head.map_or(0, |head| batch.upto.min(head.seq.saturating_sub(1)));
    let mut entries: Vec<AuditEntry> = audit_entries::table
        .filter(audit_entries::chain.eq(&batch.chain))
        .filter(audit_entries::seq.gt(anchor.map_or(0, |anchor| anchor.seq)))
        .filter(audit_entries::seq.le(upto))
        .order(audit_entries::seq)
        .limit(batch.limit)
        .select(AuditEntry::as_select())
        .load(conn)?;
    let mut vouching = 0;
    let goes = entries.iter().take_while(|entry| {
        vouching += i64::from(entry.action == anchors::ANCHOR);
        entry.at < batch.before && vouching <= anchors::CHUNK
    });
    let goes = goes.count();
    entries.truncate(goes);
    Ok(entries)
}

/// The anchor that vouches for `entries` as well, if they hold.
fn checked(
    anchor: Option<&PurgeAnchor>,
    entries: &[AuditEntry],
    batch: &Batch,
    keys: &dyn AnchorKeys,
) -> Result<Option<PurgeAnchor>, Broken> {
    if let Some(anchor) = anchor {
        anchor.check(keys)?;
    }
    let mut verifier = match anchor {
        Some(anchor) => ChainVerifier::behind(anchor),
        None => ChainVerifier::new(&batch.chain),
    };
    for entry in entries {
        verifier.check(entry)?;
    }
    let Some(mut moved) = PurgeAnchor::moved(anchor, entries, batch.at) else {
        return Ok(None);
    };
    moved.vouch(keys)?;
    Ok(Some(moved))
}

/// Sets a chain's anchor, if it is still at `before` (0: there is none).
fn set(conn: &mut AnyConnection, anchor: &PurgeAnchor, before: i64) -> QueryResult<bool> {
    let set = match before {
        0 => on_backend!(conn, c => {
            sqlite: diesel::insert_into(audit_purges::table).values(anchor)
                .on_conflict_do_nothing().execute(c)?,
            postgres: diesel::insert_into(audit_purges::table).values(anchor)
                .on_conflict_do_nothing().execute(c)?,
        }),
        _ => diesel::update(audit_purges::table.find(&anchor.chain))
            .filter(audit_purges::seq.eq(before))
            .set(anchor)
            .execute(conn)?,
    };
    Ok(set == 1)
}

/// Anchors for the chains for which a purged entry vouched, to be appended to the own chain.
fn vouch_again(
    conn: &mut AnyConnection,
    purged: &PurgeAnchor,
    own: &str,
    end: i64,
) -> QueryResult<Vec<AuditDraft>> {
    let heads: Vec<AuditHead> = audit_anchors::table
        .inner_join(audit_heads::table.on(audit_heads::chain.eq(audit_anchors::chain)))
        .filter(audit_anchors::by_chain.eq(&purged.chain))
        .filter(audit_anchors::by_seq.le(purged.seq))
        .filter(audit_heads::chain.ne(own))
        .order(audit_heads::chain)
        .select(AuditHead::as_select())
        .load(conn)?;
    let mut drafts = Vec::with_capacity(heads.len());
    for head in &heads {
        drafts.push(Anchor::draft(head));
        let by_seq = end + i64::try_from(drafts.len()).unwrap_or(i64::MAX);
        anchors::list(conn, head, own, by_seq)?;
    }
    // A chain does not vouch for itself: others do so for one that is not listed.
    diesel::delete(audit_anchors::table.find(own))
        .filter(audit_anchors::by_chain.eq(&purged.chain))
        .filter(audit_anchors::by_seq.le(purged.seq))
        .execute(conn)?;
    Ok(drafts)
}
