//! The ends of this process's own chains, as far as the database has confirmed them.

use super::{AuditChain, AuditHead};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

/// By chain, the last entry whose commit was confirmed. Cheap to clone; clones share it.
///
/// In memory alone and without I/O: noting costs a batch less than a microsecond.
/// [`crate::audit::witness`] keeps it.
#[derive(Debug, Clone, Default)]
pub struct Heads(Arc<Mutex<ByChain>>);

/// Position and hash.
type ByChain = HashMap<String, (i64, Vec<u8>)>;

impl Heads {
    /// Notes the end of a chain. Call it once its commit is certain, and not where it is in doubt.
    pub fn note(&self, chain: &AuditChain) {
        if chain.seq() == 0 {
            return;
        }
        let mut heads = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match heads.get_mut(chain.id()) {
            Some((seq, hash)) if *seq < chain.seq() => {
                *seq = chain.seq();
                chain.hash().clone_into(hash);
            }
            Some(_) => {}
            None => {
                heads.insert(chain.id().to_owned(), (chain.seq(), chain.hash().to_vec()));
            }
        }
    }

    /// All of them, in order of chain.
    pub fn all(&self) -> Vec<AuditHead> {
        let heads = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mut all: Vec<AuditHead> = heads
            .iter()
            .map(|(chain, (seq, hash))| AuditHead {
                chain: chain.clone(),
                seq: *seq,
                hash: hash.clone(),
            })
            .collect();
        all.sort_by(|a, b| a.chain.cmp(&b.chain));
        all
    }
}
