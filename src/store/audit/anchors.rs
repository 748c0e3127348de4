//! Anchors: entries (`audit.anchor`) by which one chain vouches for the end of another.
//!
//! A chain alone cannot show that its last entries were cut off, or that all of it was removed.
//! While its process runs, the process knows the end and continues from it, so a cut leaves a gap.
//! A node vouches in its own chain for other chains: at its start for every chain that has grown
//! since an anchor last named it, at its stop for those of its own writers, and in between for
//! chains without an anchor, such as those of operators' commands.

use super::{AuditChain, AuditDraft, AuditHead};
use crate::store::connection::{AnyConnection, on_backend};
use crate::store::error::StoreError;
use crate::store::pool::Store;
use crate::store::schema::{audit_anchors, audit_heads};
use diesel::prelude::*;

/// The action of an anchor.
pub const ANCHOR: &str = "audit.anchor";

/// Chains anchored in one transaction.
pub(super) const CHUNK: i64 = 256;

/// What an anchor says: this entry was the end of that chain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Anchor {
    /// The chain vouched for.
    pub chain: String,
    /// Position of its last entry.
    pub seq: i64,
    /// That entry's hash.
    pub hash: Vec<u8>,
}

impl Anchor {
    /// From an entry's columns; `None` if it is no anchor.
    pub fn parse(action: &str, subject: Option<&str>, detail: Option<&str>) -> Option<Self> {
        let (seq, hash) = detail?.split_once(':')?;
        let anchor = Self {
            chain: subject?.to_owned(),
            seq: seq.parse().ok()?,
            hash: hex::decode(hash).ok()?,
        };
        (action == ANCHOR).then_some(anchor)
    }

    pub(super) fn draft(head: &AuditHead) -> AuditDraft {
        AuditDraft {
            subject: Some(head.chain.clone()),
            detail: Some(format!("{}:{}", head.seq, hex::encode(&head.hash))),
            ..AuditDraft::local(ANCHOR)
        }
    }
}

/// Which chains are to be anchored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Scope {
    /// All that have grown since they were last anchored.
    Grown,
    /// Those that never were.
    Unknown,
}

impl Store {
    /// Writes `acts`, such as the start of a node, and then an anchor for every other chain that
    /// has grown.
    pub async fn record_and_anchor(&self, acts: Vec<AuditDraft>) -> Result<AuditChain, StoreError> {
        self.anchor(acts, Scope::Grown, Vec::new()).await
    }

    /// Writes an anchor for every other chain that has grown, and then `acts`, such as the stop of
    /// a node.
    pub async fn anchor_and_record(&self, acts: Vec<AuditDraft>) -> Result<AuditChain, StoreError> {
        self.anchor(Vec::new(), Scope::Grown, acts).await
    }

    /// Writes an anchor for every other chain that has none.
    pub async fn anchor_unknown_chains(&self) -> Result<AuditChain, StoreError> {
        self.anchor(Vec::new(), Scope::Unknown, Vec::new()).await
    }

    /// Returns the end of this process's own chain.
    async fn anchor(
        &self,
        before: Vec<AuditDraft>,
        scope: Scope,
        after: Vec<AuditDraft>,
    ) -> Result<AuditChain, StoreError> {
        let (mut before, mut passed) = (before, String::new());
        loop {
            let (first, last, from) = (std::mem::take(&mut before), after.clone(), passed);
            let (end, reached) = self
                .on_chain(move |conn, chain| {
                    let heads = heads(conn, scope, chain.id(), &from)?;
                    let mut drafts = first;
                    for head in &heads {
                        drafts.push(Anchor::draft(head));
                        let by_seq = chain.seq() + i64::try_from(drafts.len()).unwrap_or(i64::MAX);
                        list(conn, head, chain.id(), by_seq)?;
                    }
                    let more = i64::try_from(heads.len()).is_ok_and(|count| count == CHUNK);
                    let reached = heads.into_iter().last().filter(|_| more);
                    if reached.is_none() {
                        drafts.extend(last);
                    }
                    Ok::<_, StoreError>((reached.map(|head| head.chain), drafts))
                })
                .await?;
            match reached {
                Some(chain) => passed = chain,
                None => return Ok(end),
            }
        }
    }
}

/// The next heads to be anchored, in order of chain.
fn heads(
    conn: &mut AnyConnection,
    scope: Scope,
    own: &str,
    after: &str,
) -> QueryResult<Vec<AuditHead>> {
    let others = audit_heads::table
        .left_join(audit_anchors::table.on(audit_anchors::chain.eq(audit_heads::chain)))
        .filter(audit_heads::chain.gt(after))
        .filter(audit_heads::chain.ne(own))
        .order(audit_heads::chain)
        .limit(CHUNK)
        .select(AuditHead::as_select());
    match scope {
        Scope::Unknown => others.filter(audit_anchors::chain.is_null()).load(conn),
        Scope::Grown => others
            .filter(
                audit_anchors::chain.is_null().or(audit_anchors::seq
                    .nullable()
                    .lt(audit_heads::seq.nullable())),
            )
            .load(conn),
    }
}

pub(super) fn list(
    conn: &mut AnyConnection,
    head: &AuditHead,
    by_chain: &str,
    by_seq: i64,
) -> QueryResult<usize> {
    let key = audit_anchors::chain.eq(&head.chain);
    let what = (
        audit_anchors::seq.eq(head.seq),
        audit_anchors::by_chain.eq(by_chain),
        audit_anchors::by_seq.eq(by_seq),
    );
    on_backend!(conn, c => {
        sqlite: diesel::insert_into(audit_anchors::table).values((key, what))
            .on_conflict(audit_anchors::chain).do_update().set(what).execute(c),
        postgres: diesel::insert_into(audit_anchors::table).values((key, what))
            .on_conflict(audit_anchors::chain).do_update().set(what).execute(c),
    })
}
