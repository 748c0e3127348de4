//! The witness: the ends of this node's audit chains as the database confirmed them, kept in a file
//! outside of the database.
//!
//! A database that loses its tail is consistent in itself, and its audit trail looks whole. That
//! happens with an old copy that came back, a failover to a standby that lagged, or a log that
//! somebody removed. Only a record elsewhere can show the loss. So each node keeps this small file,
//! and `audit verify` checks that the database still has every entry that the file names.
//!
//! The node writes the file once a second if it committed anything, and at its stop; never during a
//! call. An entry gets into the file only after its commit was confirmed, so the database must have
//! it. The file misses the commits since it was last written: one second at most.
//!
//! Several processes may share a file: each adds its own chains under a lock. [`file`] describes
//! the format.

pub mod file;

use super::purged::PurgeKeys;
use super::verify;
use crate::store::Store;
use crate::store::audit::{AuditHead, Heads};
use crate::telemetry::Metrics;
use file::Unreadable;
use std::io;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// The file of a running node. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Witness {
    file: Arc<Path>,
    heads: Heads,
    written: Arc<Mutex<Vec<AuditHead>>>,
}

impl Witness {
    /// For the chains whose ends are in `heads`. Writes nothing yet.
    pub fn new(file: &Path, heads: &Heads) -> Self {
        Self {
            file: file.into(),
            heads: heads.clone(),
            written: Arc::default(),
        }
    }

    /// Takes up the heads that former runs have left, once this node has vouched in its own chain
    /// for all others. A head that the trail still has needs no witness any more. A missing one
    /// stays in the file; the node logs and counts it.
    ///
    /// # Errors
    /// A file that cannot be written: a node that could not keep its witness does not start.
    pub async fn begin(
        &self,
        store: &Store,
        keys: &PurgeKeys<'_>,
        metrics: &Metrics,
    ) -> anyhow::Result<()> {
        let left = match self.blocking(|witness| file::read(&witness.file)).await? {
            Ok(left) => left.unwrap_or_default(),
            Err(Unreadable::Content) => {
                let aside = self
                    .blocking(|witness| file::set_aside(&witness.file))
                    .await??;
                metrics.background_failure("audit-witness");
                let aside = aside.display().to_string();
                tracing::error!(
                    aside,
                    "the witness of the audit trail was not readable, and was set aside"
                );
                Vec::new()
            }
            Err(Unreadable::Io(error)) => return Err(error.into()),
        };
        let mut lost = Vec::new();
        let mut observer = |event: verify::Event<'_>| {
            if let verify::Event::Broken { chain, broken } = event {
                metrics.background_failure("audit-witness");
                tracing::error!(chain, %broken, "acknowledged entries of the audit trail are missing");
                lost.push(chain.to_owned());
            }
        };
        verify::acknowledged(store, keys, &left, &mut observer).await?;
        let settled: Vec<AuditHead> = left
            .into_iter()
            .filter(|head| !lost.contains(&head.chain))
            .collect();
        self.blocking(move |witness| witness.write(&settled))
            .await??;
        Ok(())
    }

    /// Brings the file up to date, if anything was confirmed since.
    ///
    /// # Errors
    /// The file system's.
    pub async fn note(&self) -> anyhow::Result<()> {
        self.blocking(|witness| {
            let heads = witness.heads.all();
            let unchanged = *witness.written() == heads;
            if unchanged {
                Ok(())
            } else {
                witness.write(&[])
            }
        })
        .await??;
        Ok(())
    }

    /// Adds this process's chains to the file, and takes out those of `settled` that did not grow
    /// meanwhile.
    fn write(&self, settled: &[AuditHead]) -> io::Result<()> {
        let heads = self.heads.all();
        file::update(&self.file, settled, &heads)?;
        *self.written() = heads;
        Ok(())
    }

    fn written(&self) -> MutexGuard<'_, Vec<AuditHead>> {
        self.written.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn blocking<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Self) -> T + Send + 'static,
    ) -> anyhow::Result<T> {
        let witness = self.clone();
        Ok(tokio::task::spawn_blocking(move || work(&witness)).await?)
    }
}
