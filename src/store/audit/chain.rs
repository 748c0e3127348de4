//! The hash chain of the audit trail: pure functions, no database.
//!
//! hash = SHA-256 over: the text `issuer-gateway audit 1`; the previous entry's hash, 32 bytes;
//! then chain, seq, at, actor, action, outcome, reason, issuer_id, subject, request_id, origin,
//! each as one byte 0 (absent) or one byte 1 (present), the length as 4 bytes big-endian, and the
//! bytes: texts in UTF-8, numbers as 8 bytes big-endian two's complement; last, and only where
//! there is one, detail in the same way. No two different entries encode alike.

use super::{AuditDraft, AuditEntry, AuditHead, Broken, PurgeAnchor};
use sha2::{Digest, Sha256};

const TAG: &[u8] = b"issuer-gateway audit 1";
const START: [u8; 32] = [0; 32];

/// The end of a chain: what the next entry links to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditChain {
    id: String,
    seq: i64,
    hash: Vec<u8>,
}

impl AuditChain {
    /// A new chain with a random id and no entry yet.
    pub fn start() -> Self {
        Self {
            id: uuid::Uuid::new_v4().to_string(),
            seq: 0,
            hash: START.to_vec(),
        }
    }

    /// The chain's UUID.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Position of the last entry; 0 if there is none.
    pub fn seq(&self) -> i64 {
        self.seq
    }

    /// Hash of the last entry; zeros if there is none.
    pub fn hash(&self) -> &[u8] {
        &self.hash
    }

    /// The rows that append `drafts`, and the chain as it ends with them.
    pub fn extend(&self, drafts: &[AuditDraft]) -> (Vec<AuditEntry>, Self) {
        let mut end = self.clone();
        let entries = drafts
            .iter()
            .map(|draft| {
                let mut entry = AuditEntry {
                    chain: end.id.clone(),
                    seq: end.seq + 1,
                    at: draft.at,
                    actor: draft.actor.clone(),
                    action: draft.action.clone(),
                    outcome: draft.outcome.clone(),
                    reason: draft.reason.clone(),
                    issuer_id: draft.issuer_id.map(|id| id.0),
                    subject: draft.subject.clone(),
                    request_id: draft.request_id.clone(),
                    origin: draft.origin.clone(),
                    previous_hash: std::mem::take(&mut end.hash),
                    hash: Vec::new(),
                    detail: draft.detail.clone(),
                };
                entry.hash = hash(&entry);
                end.seq = entry.seq;
                end.hash.clone_from(&entry.hash);
                entry
            })
            .collect();
        (entries, end)
    }
}

/// What the hash of an entry is taken over; `entry.hash` itself is not part of it.
pub fn encode(entry: &AuditEntry) -> Vec<u8> {
    let mut out = Vec::with_capacity(384);
    out.extend_from_slice(TAG);
    out.extend_from_slice(&entry.previous_hash);
    let mut field = |value: Option<&[u8]>| match value {
        None => out.push(0),
        Some(bytes) => {
            out.push(1);
            // No column holds 4 GiB: saturating keeps the function total.
            let length = u32::try_from(bytes.len()).unwrap_or(u32::MAX);
            out.extend_from_slice(&length.to_be_bytes());
            out.extend_from_slice(bytes);
        }
    };
    let issuer_id = entry.issuer_id.map(|id| i64::from(id).to_be_bytes());
    field(Some(entry.chain.as_bytes()));
    field(Some(&entry.seq.to_be_bytes()));
    field(Some(&entry.at.to_be_bytes()));
    field(Some(entry.actor.as_bytes()));
    field(Some(entry.action.as_bytes()));
    field(Some(entry.outcome.as_bytes()));
    field(entry.reason.as_deref().map(str::as_bytes));
    field(issuer_id.as_ref().map(<[u8; 8]>::as_slice));
    field(entry.subject.as_deref().map(str::as_bytes));
    field(entry.request_id.as_deref().map(str::as_bytes));
    field(entry.origin.as_deref().map(str::as_bytes));
    if let Some(detail) = &entry.detail {
        field(Some(detail.as_bytes()));
    }
    out
}

fn hash(entry: &AuditEntry) -> Vec<u8> {
    Sha256::digest(encode(entry)).to_vec()
}

/// Checks one chain, fed with its entries in order of `seq`.
#[derive(Debug)]
pub struct ChainVerifier {
    end: AuditChain,
    /// Position of the last purged entry; 0 if nothing was purged.
    purged: i64,
}

impl ChainVerifier {
    /// For the chain with this id, from its first entry on.
    pub fn new(chain: &str) -> Self {
        Self {
            end: AuditChain {
                id: chain.to_owned(),
                ..AuditChain::start()
            },
            purged: 0,
        }
    }

    /// For a chain of which the entries up to `anchor` were purged. Whether the anchor is genuine
    /// is for the caller to know.
    pub fn behind(anchor: &PurgeAnchor) -> Self {
        Self {
            end: AuditChain {
                id: anchor.chain.clone(),
                seq: anchor.seq,
                hash: anchor.hash.clone(),
            },
            purged: anchor.seq,
        }
    }

    /// Position of the last entry that was checked, or purged; 0 if there is none.
    pub fn seq(&self) -> i64 {
        self.end.seq
    }

    /// Whether no entry was checked yet.
    pub fn is_at_start(&self) -> bool {
        self.end.seq == self.purged
    }

    /// Checks the next entry.
    pub fn check(&mut self, entry: &AuditEntry) -> Result<(), Broken> {
        let expected = self.end.seq + 1;
        if entry.seq != expected || entry.chain != self.end.id {
            return Err(self.missing(entry.seq));
        }
        if entry.previous_hash != self.end.hash {
            return Err(match (self.is_at_start(), self.purged) {
                (true, purged @ 1..) => Broken::UnlinkedToPurge(entry.seq, purged),
                _ => Broken::Unlinked(entry.seq),
            });
        }
        if entry.hash != hash(entry) {
            return Err(Broken::Altered(entry.seq));
        }
        self.end.seq = entry.seq;
        self.end.hash.clone_from(&entry.hash);
        Ok(())
    }

    /// What it means that the next entry is `found`, which does not come next.
    fn missing(&self, found: i64) -> Broken {
        let purged = self.purged;
        match purged {
            _ if !self.is_at_start() => Broken::Missing(self.end.seq + 1),
            0 if found > 1 => Broken::Begins(found),
            0 => Broken::Missing(1),
            _ if found <= purged => Broken::NotPurged { found, purged },
            _ => Broken::BehindPurge { found, purged },
        }
    }

    /// Checks that the chain ends where its head says; returns the number of entries.
    ///
    /// The chain may have grown meanwhile, as chains of running nodes do: so `before` is its head
    /// as read before the first entry, `after` as read after the last. Entry and head are written
    /// together, so neither can lag behind.
    pub fn finish(
        self,
        before: Option<&AuditHead>,
        after: Option<&AuditHead>,
    ) -> Result<i64, Broken> {
        let cut = |head: Option<&AuditHead>| Broken::Cut {
            found: self.end.seq,
            expected: head.map_or(0, |h| h.seq),
        };
        if before.is_some_and(|head| head.seq > self.end.seq) {
            return Err(cut(before));
        }
        match after {
            Some(head) if head.seq > self.end.seq => Ok(self.end.seq),
            Some(head) if head.seq == self.end.seq && head.hash == self.end.hash => {
                Ok(self.end.seq)
            }
            _ => Err(cut(after)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::IssuerId;

    fn drafts(count: i64) -> Vec<AuditDraft> {
        (1..=count)
            .map(|at| AuditDraft {
                issuer_id: Some(IssuerId(7)),
                subject: Some(format!("user {at}")),
                ..AuditDraft::accepted(at, "key", "user.enrol")
            })
            .collect()
    }

    fn verify(entries: &[AuditEntry], end: &AuditChain) -> Result<i64, Broken> {
        let mut verifier = ChainVerifier::new(end.id());
        for entry in entries {
            verifier.check(entry)?;
        }
        let head = head(end);
        verifier.finish(Some(&head), Some(&head))
    }

    fn head(end: &AuditChain) -> AuditHead {
        AuditHead {
            chain: end.id().to_owned(),
            seq: end.seq(),
            hash: end.hash().to_vec(),
        }
    }

    #[test]
    fn a_chain_that_nobody_touched_verifies() {
        let (mut entries, middle) = AuditChain::start().extend(&drafts(3));
        let (more, end) = middle.extend(&drafts(2));
        entries.extend(more);
        assert_eq!(verify(&entries, &end), Ok(5));
    }

    #[test]
    fn every_change_of_a_field_is_found() {
        let edits: [fn(&mut AuditEntry); 14] = [
            |e| e.chain.push('x'),
            |e| e.seq += 1,
            |e| e.at += 1,
            |e| e.actor.push('x'),
            |e| e.action.push('x'),
            |e| e.outcome = "refused".to_owned(),
            |e| e.reason = Some(String::new()),
            |e| e.issuer_id = None,
            |e| e.subject = None,
            |e| e.request_id = Some("r".to_owned()),
            |e| e.origin = Some("o".to_owned()),
            |e| e.detail = Some("d".to_owned()),
            |e| e.previous_hash = vec![0; 32],
            |e| e.hash = vec![1; 32],
        ];
        for (number, edit) in edits.iter().enumerate() {
            let (mut entries, end) = AuditChain::start().extend(&drafts(3));
            edit(&mut entries[1]);
            assert!(verify(&entries, &end).is_err(), "edit {number}");
        }
    }

    #[test]
    fn removed_and_reordered_entries_are_found() {
        let (entries, end) = AuditChain::start().extend(&drafts(4));
        for remove in 0..4 {
            let mut rest = entries.clone();
            rest.remove(remove);
            assert!(verify(&rest, &end).is_err(), "without {remove}");
        }
        let mut swapped = entries.clone();
        swapped.swap(1, 2);
        assert_eq!(verify(&swapped, &end), Err(Broken::Missing(2)));
        // Renumbering does not help: the links give it away.
        swapped[1].seq = 2;
        swapped[2].seq = 3;
        assert_eq!(verify(&swapped, &end), Err(Broken::Unlinked(2)));
    }

    #[test]
    fn a_chain_that_grows_while_it_is_read_verifies_and_a_cut_one_does_not() {
        let (entries, middle) = AuditChain::start().extend(&drafts(3));
        let (_, end) = middle.extend(&drafts(2));
        let read = |count: usize| {
            let mut verifier = ChainVerifier::new(middle.id());
            for entry in &entries[..count] {
                verifier.check(entry).unwrap();
            }
            verifier
        };
        let (middle, end) = (head(&middle), head(&end));
        assert_eq!(read(3).finish(Some(&middle), Some(&end)), Ok(3));
        assert_eq!(read(3).finish(None, Some(&end)), Ok(3));
        let cut = |found, expected| Err(Broken::Cut { found, expected });
        assert_eq!(read(2).finish(Some(&middle), Some(&end)), cut(2, 3));
        assert_eq!(read(3).finish(Some(&end), Some(&end)), cut(3, 5));
        assert_eq!(read(3).finish(Some(&middle), None), cut(3, 0));
        // A head that was set back hides nothing.
        let back = AuditHead { seq: 2, ..middle };
        assert_eq!(read(3).finish(Some(&back), Some(&back)), cut(3, 2));
    }

    #[test]
    fn neighbouring_fields_do_not_run_into_each_other() {
        let entry = |actor: &str, action: &str| {
            let draft = AuditDraft::accepted(1, actor, action);
            let (entries, _) = ChainVerifier::new("c").end.extend(&[draft]);
            encode(&entries[0])
        };
        assert_ne!(entry("ab", "c"), entry("a", "bc"));
    }
}
