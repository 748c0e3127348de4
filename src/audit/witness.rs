//! The witness: what the database has confirmed to this node, kept outside of the database.
//!
//! A database that loses its tail (an old copy that came back, a failover to a standby that lagged,
//! a log that somebody removed) is consistent in itself, and its audit trail is whole. Only
//! somebody outside knows that there was more. So each node keeps a small file with the ends of its
//! chains, and `audit verify` looks up whether the entries that it names are still there.
//!
//! The file is written once a second if anything was committed, and at the stop; never on the way
//! of a call. An entry is in it only after its commit was confirmed, so whatever it names must be
//! there. It cannot tell of what was confirmed after the file was last written: a second at most.
//!
//! Several processes may share a file: each adds its own under a lock. [`file`] says what it looks
//! like.

pub mod file;

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

    /// Takes up what former runs have left, once this node has vouched in its own chain for all
    /// others: what is still there needs no witness any more. What is missing stays in the file,
    /// and is said and counted.
    ///
    /// # Errors
    /// A file that cannot be written: a node that could not keep its witness does not start.
    pub async fn begin(&self, store: &Store, metrics: &Metrics) -> anyhow::Result<()> {
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
        verify::acknowledged(store, &left, &mut observer).await?;
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
    /// What the file system says.
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
