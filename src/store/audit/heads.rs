//! The ends of chains: as the database records them, and of this process's own as far as it has
//! confirmed them.

use super::{AuditChain, AuditHead};
use crate::store::connection::AnyConnection;
use crate::store::schema::audit_heads;
use diesel::prelude::*;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

/// The end of a chain as the database records it.
pub(super) fn recorded(conn: &mut AnyConnection, chain: &str) -> QueryResult<Option<AuditHead>> {
    audit_heads::table
        .find(chain)
        .select(AuditHead::as_select())
        .first(conn)
        .optional()
}

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
