//! Erases, in the background, the users whose deletion was accepted.
//!
//! What is left to do stands in the users' own rows, so nothing is lost when a node dies, and several nodes share the work
//! (see [`crate::store::erasure`]). A node begins at once with what it accepted itself, and within [`POLL`]
//! with what others left.

use crate::gateway::Gateway;
use crate::store::{StoreError, now};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// How often a node looks for users that another one has marked.
const POLL: Duration = Duration::from_secs(1);

/// Runs until it is aborted. With `erases` false it only counts who waits.
pub async fn run(gateway: Arc<Gateway>, erases: bool) {
    // A process before this one may have died between an erasure and the removal of its traces.
    let mut traces = erases;
    loop {
        if let Err(error) = pass(&gateway, erases, &mut traces).await {
            gateway.metrics.background_failure("erasure");
            tracing::warn!(%error, "users not erased; will be tried again");
        }
        tokio::select! {
            () = gateway.erasure.notified() => {}
            () = tokio::time::sleep(POLL) => {}
        }
    }
}

/// Erases until nobody is left whom no other node is erasing.
async fn pass(gateway: &Gateway, erases: bool, traces: &mut bool) -> Result<(), StoreError> {
    loop {
        let pending = gateway.store.pending_erasures().await?;
        gateway.metrics.set_erasures_pending(pending);
        if pending == 0 || !erases {
            break;
        }
        let began = Instant::now();
        let erased = gateway.store.erase_users(now()).await?;
        if erased == 0 {
            break;
        }
        gateway.metrics.users_erased(erased);
        tracing::info!(users = erased, "users erased");
        *traces = true;
        // Half of the time belongs to the requests: on SQLite nobody else can write meanwhile.
        tokio::time::sleep(began.elapsed()).await;
    }
    if *traces {
        *traces = !gateway.store.drop_traces().await?;
    }
    Ok(())
}
