//! The audit trail: one entry per security-relevant act, hash-chained per writer (PCI DSS 10.2,
//! 10.5).
//!
//! An entry holds ids and codes, never personal data. The chains do not serialize writers: each
//! writer thread and each process's operator acts have a chain of their own, see [`chain`]. Chains
//! vouch for each other, see [`anchors`]. Old entries go behind a keyed anchor, see [`purges`].

pub mod anchors;
mod broken;
pub mod chain;
pub mod gap;
pub mod heads;
mod local;
pub mod pages;
pub mod purges;
mod trail;

use super::connection::{AnyConnection, on_backend};
use super::error::chain_lost;
use super::schema::{audit_entries, audit_heads};
use super::writer::unnest::{Unnest, UnnestColumn};
use crate::ids::IssuerId;
pub use anchors::Anchor;
pub use broken::Broken;
pub use chain::{AuditChain, ChainVerifier};
use diesel::prelude::*;
pub use gap::Gap;
pub use heads::Heads;
pub use purges::PurgeAnchor;

/// An act as its author describes it; its place in a chain comes when it is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditDraft {
    /// When, in microseconds since 1970 UTC.
    pub at: i64,
    /// Who: the proven consumer key, the operator, or whom an unproven caller claims to be.
    pub actor: String,
    /// What: `user.enrol`, `issuer.apply`. docs/operations.md lists all.
    pub action: String,
    /// `accepted` or `refused`; the writer says `refused` itself where the database refuses.
    pub outcome: String,
    /// The reason of a refusal.
    pub reason: Option<String>,
    /// The issuer concerned.
    pub issuer_id: Option<IssuerId>,
    /// The user concerned, by id.
    pub subject: Option<String>,
    /// The request's id.
    pub request_id: Option<String>,
    /// The caller's network address, or the operator's host.
    pub origin: Option<String>,
    /// What else belongs to the act, in codes of ours: the state that was set, a count, a version.
    pub detail: Option<String>,
}

/// Outcome of an act that was carried out.
pub const ACCEPTED: &str = "accepted";
/// Outcome of an act that was refused.
pub const REFUSED: &str = "refused";

impl AuditDraft {
    /// An accepted act without issuer, subject, request or origin.
    pub fn accepted(at: i64, actor: impl Into<String>, action: impl Into<String>) -> Self {
        Self {
            at,
            actor: actor.into(),
            action: action.into(),
            outcome: ACCEPTED.to_owned(),
            reason: None,
            issuer_id: None,
            subject: None,
            request_id: None,
            origin: None,
            detail: None,
        }
    }

    /// The same act, refused for `reason`.
    pub fn refused(mut self, reason: &str) -> Self {
        self.refuse(reason);
        self
    }

    /// Turns it into a refusal for `reason`.
    pub fn refuse(&mut self, reason: &str) {
        REFUSED.clone_into(&mut self.outcome);
        self.reason = Some(reason.to_owned());
    }
}

/// A row of `audit_entries`.
#[derive(Debug, Clone, PartialEq, Eq, Queryable, QueryableByName, Selectable, Insertable)]
#[diesel(table_name = audit_entries)]
pub struct AuditEntry {
    /// The chain's UUID.
    pub chain: String,
    /// Position in the chain, from 1.
    pub seq: i64,
    /// See [`AuditDraft`], as are the next eight.
    pub at: i64,
    #[expect(missing_docs, reason = "see AuditDraft")]
    pub actor: String,
    #[expect(missing_docs, reason = "see AuditDraft")]
    pub action: String,
    #[expect(missing_docs, reason = "see AuditDraft")]
    pub outcome: String,
    #[expect(missing_docs, reason = "see AuditDraft")]
    pub reason: Option<String>,
    #[expect(missing_docs, reason = "see AuditDraft")]
    pub issuer_id: Option<i32>,
    #[expect(missing_docs, reason = "see AuditDraft")]
    pub subject: Option<String>,
    #[expect(missing_docs, reason = "see AuditDraft")]
    pub request_id: Option<String>,
    #[expect(missing_docs, reason = "see AuditDraft")]
    pub origin: Option<String>,
    /// Hash of the entry before, 32 zero bytes for the first.
    pub previous_hash: Vec<u8>,
    /// SHA-256 over [`chain::encode`].
    pub hash: Vec<u8>,
    /// See [`AuditDraft`].
    pub detail: Option<String>,
}

/// The last entry of a chain.
#[derive(Debug, Clone, PartialEq, Eq, QueryableByName, Queryable, Selectable)]
#[diesel(table_name = audit_heads)]
pub struct AuditHead {
    /// The chain's UUID.
    pub chain: String,
    /// Position of the last entry.
    pub seq: i64,
    /// Its hash.
    pub hash: Vec<u8>,
}

/// Appends `drafts` to `chain` in the running transaction. The advanced chain is returned, to be
/// kept once the transaction has committed and to be dropped otherwise.
///
/// # Errors
/// One that [`super::error::is_chain_lost`] tells if the database does not have the end of `chain`
/// any more, as after a failover to a standby that lagged behind: entries appended there would make
/// the trail look tampered with.
pub(super) fn append(
    conn: &mut AnyConnection,
    chain: &AuditChain,
    drafts: &[AuditDraft],
) -> QueryResult<AuditChain> {
    if drafts.is_empty() {
        return Ok(chain.clone());
    }
    let end = chain;
    let (entries, chain) = end.extend(drafts);
    // The head moves only from where it is known to be; a chain's first entries make it.
    let moved = on_backend!(conn, c => {
        sqlite: {
            for entry in &entries {
                diesel::insert_into(audit_entries::table).values(entry).execute(c)?;
            }
            let to = (audit_heads::seq.eq(chain.seq()), audit_heads::hash.eq(chain.hash()));
            if end.seq() == 0 {
                diesel::insert_into(audit_heads::table)
                    .values((audit_heads::chain.eq(chain.id()), to))
                    .execute(c)?
            } else {
                diesel::update(audit_heads::table.find(end.id()))
                    .filter(audit_heads::seq.eq(end.seq()))
                    .filter(audit_heads::hash.eq(end.hash()))
                    .set(to)
                    .execute(c)?
            }
        },
        postgres: append_postgres(c, &entries, end)?,
    });
    match moved {
        1 => Ok(chain),
        _ => Err(chain_lost()),
    }
}

macro_rules! entries {
    () => {
        "WITH entries AS (INSERT INTO audit_entries (chain, seq, at, actor, action, outcome, \
        reason, issuer_id, subject, request_id, origin, previous_hash, hash, detail) \
        SELECT * FROM unnest({rows}) RETURNING chain, seq, previous_hash, hash)"
    };
}

/// The head of a new chain.
const FIRST: &str = concat!(
    entries!(),
    " INSERT INTO audit_heads (chain, seq, hash) \
    SELECT chain, seq, hash FROM entries ORDER BY seq DESC LIMIT 1"
);

/// The head of a chain that goes on, if it is where the entries link to.
const FURTHER: &str = concat!(
    entries!(),
    " UPDATE audit_heads SET seq = last.seq, hash = last.hash FROM \
    (SELECT chain, seq, hash FROM entries ORDER BY seq DESC LIMIT 1) AS last, \
    (SELECT seq, previous_hash FROM entries ORDER BY seq LIMIT 1) AS first \
    WHERE audit_heads.chain = last.chain AND audit_heads.seq = first.seq - 1 \
    AND audit_heads.hash = first.previous_hash"
);

/// Entries and head in one statement, one round trip; returns how many heads there are to show for
/// it: one, or none.
fn append_postgres(
    conn: &mut PgConnection,
    entries: &[AuditEntry],
    end: &AuditChain,
) -> QueryResult<usize> {
    let texts = |f: fn(&AuditEntry) -> &str| UnnestColumn::Text(entries.iter().map(f).collect());
    let maybe = |f: fn(&AuditEntry) -> Option<&str>| {
        UnnestColumn::MaybeText(entries.iter().map(f).collect())
    };
    Unnest::<()>::new(
        if end.seq() == 0 { FIRST } else { FURTHER },
        vec![
            texts(|e| &e.chain),
            UnnestColumn::BigInt(entries.iter().map(|e| e.seq).collect()),
            UnnestColumn::BigInt(entries.iter().map(|e| e.at).collect()),
            texts(|e| &e.actor),
            texts(|e| &e.action),
            texts(|e| &e.outcome),
            maybe(|e| e.reason.as_deref()),
            UnnestColumn::MaybeInteger(entries.iter().map(|e| e.issuer_id).collect()),
            maybe(|e| e.subject.as_deref()),
            maybe(|e| e.request_id.as_deref()),
            maybe(|e| e.origin.as_deref()),
            UnnestColumn::Bytes(entries.iter().map(|e| e.previous_hash.as_slice()).collect()),
            UnnestColumn::Bytes(entries.iter().map(|e| e.hash.as_slice()).collect()),
            maybe(|e| e.detail.as_deref()),
        ],
    )
    .execute(conn)
}
