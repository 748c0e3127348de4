//! Erases, in the background, the cardholders whose deletion was accepted.
//!
//! The cardholders' own rows are the queue, so a node that dies loses nothing, and several nodes
//! share the work (see [`crate::store::erasure`]). A node begins at once with deletions that it
//! accepted itself, and within [`POLL`] with those of other nodes.

use crate::gateway::Gateway;
use crate::housekeeping::{Job, Stop};
use crate::store::now;
use std::time::{Duration, Instant};

/// How often a node looks for users that another one has marked.
const POLL: Duration = Duration::from_secs(1);

/// Erases deleted users, or only counts those that wait for it.
#[derive(Debug)]
pub struct Erasure {
    erases: bool,
    /// The write-ahead log may still hold what was erased.
    traces: bool,
}

impl Erasure {
    /// With `erases` false it only counts.
    pub fn new(erases: bool) -> Self {
        Self {
            erases,
            // A process before this one may have died between an erasure and the removal of its
            // traces.
            traces: erases,
        }
    }
}

impl Job for Erasure {
    const NAME: &'static str = "erasure";
    const EVERY: Duration = POLL;

    /// Erases until none is left, but for users that another node is erasing.
    async fn run(&mut self, gateway: &Gateway, stop: &Stop) -> anyhow::Result<()> {
        while !stop.is_asked() {
            let pending = gateway.store.pending_erasures().await?;
            gateway.metrics.set_erasures_pending(pending);
            if pending == 0 || !self.erases {
                break;
            }
            let began = Instant::now();
            let erased = gateway.store.erase_users(now()).await?;
            if erased == 0 {
                break;
            }
            gateway.metrics.users_erased(erased);
            tracing::info!(users = erased, "users erased");
            self.traces = true;
            // Leaves half of the time to requests: on SQLite they cannot write during an erasure.
            tokio::time::sleep(began.elapsed()).await;
        }
        if self.traces {
            self.traces = !gateway.store.drop_traces().await?;
        }
        Ok(())
    }

    async fn woken(&mut self, gateway: &Gateway) {
        gateway.erasure.notified().await;
    }
}
