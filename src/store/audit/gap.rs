//! Gaps: entries (`audit.gap`) by which a process declares that the database lost confirmed
//! entries.
//!
//! A process knows the end of its own chain. A database that comes back without that end has lost
//! entries, and with them the acts that they stood for; a standby that was promoted too early is
//! one example. The process gives up that chain: it counts the loss, declares it in a new chain,
//! and continues there. So the loss is not silent, and it does not look like tampering.

use super::{AuditChain, AuditDraft, Heads, heads};
use crate::store::connection::{self, AnyConnection};
use crate::store::error::StoreError;
use crate::store::schema::audit_entries;
use diesel::prelude::*;

/// The action of a declared gap.
pub const GAP: &str = "audit.gap";

/// What a declared gap says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Gap {
    /// The chain that lost its end.
    pub chain: String,
    /// Position of the last entry that the database had confirmed, and its hash.
    pub confirmed: (i64, Vec<u8>),
    /// Position of the last entry that was there afterwards, and its hash; 0 and empty if there was
    /// none. If another entry stands where the confirmed one stood: that one.
    pub found: (i64, Vec<u8>),
}

impl Gap {
    /// From an entry's columns; `None` if it declares no gap.
    pub fn parse(action: &str, subject: Option<&str>, detail: Option<&str>) -> Option<Self> {
        let (confirmed, found) = detail?.split_once(' ')?;
        let end = |text: &str, name: &str| {
            let (seq, hash) = text.strip_prefix(name)?.split_once(':')?;
            Some((seq.parse().ok()?, hex::decode(hash).ok()?))
        };
        let gap = Self {
            chain: subject?.to_owned(),
            confirmed: end(confirmed, "confirmed=")?,
            found: end(found, "found=")?,
        };
        (action == GAP).then_some(gap)
    }

    /// How many entries were lost.
    pub fn lost(&self) -> i64 {
        (self.confirmed.0 - self.found.0).max(0)
    }

    /// Whether the entry `seq` of `chain` is among those lost.
    pub fn covers(&self, chain: &str, seq: i64) -> bool {
        self.chain == chain && (self.found.0 + 1..=self.confirmed.0).contains(&seq)
    }

    /// Whether the chain goes on behind the confirmed entry, which is not there itself. A purge may
    /// have taken it: no loss, then.
    pub fn may_be_purge(&self) -> bool {
        self.found.0 > self.confirmed.0
    }

    fn draft(&self) -> AuditDraft {
        let end = |(seq, hash): &(i64, Vec<u8>)| format!("{seq}:{}", hex::encode(hash));
        AuditDraft {
            subject: Some(self.chain.clone()),
            detail: Some(format!(
                "confirmed={} found={}",
                end(&self.confirmed),
                end(&self.found)
            )),
            ..AuditDraft::local(GAP)
        }
    }
}

/// The chain of one thread or process, and what has to be looked at before it goes on.
#[derive(Debug)]
pub(in crate::store) struct OwnChain {
    current: AuditChain,
    /// The confirmed end of a chain that was given up, until a connection has shown whether it is
    /// still there.
    given_up: Option<AuditChain>,
    /// Where each confirmed end is noted for the witness.
    heads: Heads,
}

impl OwnChain {
    pub(in crate::store) fn start(heads: Heads) -> Self {
        Self {
            current: AuditChain::start(),
            given_up: None,
            heads,
        }
    }

    /// What the next entries link to.
    pub(in crate::store) fn current(&self) -> &AuditChain {
        &self.current
    }

    /// The database has confirmed entries up to this end.
    pub(in crate::store) fn confirmed(&mut self, end: AuditChain) {
        self.heads.note(&end);
        self.current = end;
    }

    /// Begins another chain: nothing can be linked to entries that may be there or not.
    pub(in crate::store) fn give_up(&mut self) {
        let given_up = std::mem::replace(&mut self.current, AuditChain::start());
        // One that has no entry yet may follow another one that is still to be looked at.
        if given_up.seq() > 0 {
            self.given_up = Some(given_up);
        }
    }

    /// Declares what the database has lost of a chain that was given up; returns how many confirmed
    /// entries that is.
    pub(in crate::store) fn look_back(
        &mut self,
        conn: &mut AnyConnection,
    ) -> Result<i64, StoreError> {
        let Some(given_up) = &self.given_up else {
            return Ok(0);
        };
        let mut lost = 0;
        if let Some((gap, chain)) = declare(conn, given_up)? {
            lost = gap.lost();
            self.confirmed(chain);
        }
        self.given_up = None;
        Ok(lost)
    }
}

/// Looks whether the database still has all of `chain` that it has confirmed. If not, declares the
/// gap in a transaction of its own, as the first entry of a new chain, which is returned beside it.
fn declare(
    conn: &mut AnyConnection,
    chain: &AuditChain,
) -> Result<Option<(Gap, AuditChain)>, StoreError> {
    let declared = connection::transaction(conn, |conn| {
        let confirmed: Option<Vec<u8>> = audit_entries::table
            .find((chain.id(), chain.seq()))
            .select(audit_entries::hash)
            .first(conn)
            .optional()?;
        if confirmed.as_deref() == Some(chain.hash()) {
            return Ok(None);
        }
        // Only whoever has the vault's keys can tell that it was purged: `audit verify` does.
        let found = match confirmed {
            Some(other) => Some((chain.seq(), other)),
            None => heads::recorded(conn, chain.id())?.map(|head| (head.seq, head.hash)),
        };
        let gap = Gap {
            chain: chain.id().to_owned(),
            confirmed: (chain.seq(), chain.hash().to_vec()),
            found: found.unwrap_or_default(),
        };
        let new = super::append(conn, &AuditChain::start(), &[gap.draft()])?;
        Ok::<_, StoreError>(Some((gap, new)))
    })?;
    match &declared {
        Some((gap, _)) if gap.may_be_purge() => tracing::error!(
            chain = gap.chain,
            confirmed = gap.confirmed.0,
            found = gap.found.0,
            "a confirmed entry of the audit trail is gone, and its chain goes on: `audit verify` tells whether a purge took it"
        ),
        Some((gap, _)) => tracing::error!(
            chain = gap.chain,
            confirmed = gap.confirmed.0,
            found = gap.found.0,
            lost = gap.lost(),
            "the database has lost entries of the audit trail, and what they stand for, that it had confirmed"
        ),
        None => {}
    }
    Ok(declared)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_gap_reads_as_it_was_written() {
        for found in [(3, vec![2; 32]), (0, Vec::new())] {
            let gap = Gap {
                chain: "c".to_owned(),
                confirmed: (7, vec![1; 32]),
                found,
            };
            let draft = gap.draft();
            let parse = |action: &str| {
                Gap::parse(action, draft.subject.as_deref(), draft.detail.as_deref())
            };
            assert_eq!(parse(GAP), Some(gap.clone()));
            assert_eq!(parse("audit.anchor"), None);
            assert_eq!(gap.lost(), 7 - gap.found.0);
            assert!(gap.covers("c", 7) && gap.covers("c", gap.found.0 + 1));
            assert!(!gap.covers("c", 8) && !gap.covers("c", gap.found.0));
            assert!(!gap.covers("d", 7));
        }
    }
}
