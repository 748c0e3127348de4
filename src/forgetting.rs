//! The background task that forgets wrapped keys once nothing can be opened with them any more, or
//! a JWE's time is over.

use crate::gateway::Gateway;
use crate::payload::KeyState;
use crate::store::StoreError;
use crate::store::opened_keys::GONE_AFTER;
use std::sync::Arc;
use std::time::Duration;

/// How often this node says which gateway keys it has, and looks for what can be forgotten.
const EVERY: Duration = Duration::from_secs(60);

/// Runs for ever. `remember_jwe` is `crypto.remember_jwe_days`.
pub async fn run(gateway: Arc<Gateway>, remember_jwe: Duration) {
    let mut ticks = tokio::time::interval(EVERY);
    loop {
        ticks.tick().await;
        match once(&gateway, remember_jwe).await {
            Ok(0) => {}
            Ok(forgotten) => tracing::info!(forgotten, "used wrapped keys forgotten"),
            Err(error) => {
                gateway.metrics.background_failure("opened-keys");
                tracing::warn!(%error, "used wrapped keys not forgotten; will be tried again");
            }
        }
    }
}

async fn once(gateway: &Gateway, remember_jwe: Duration) -> Result<usize, StoreError> {
    // A disabled key can come back, and what it has opened must not open again then.
    let live = gateway.live();
    let held = live.keys.keys().iter();
    let held = held.filter(|key| key.state() != KeyState::Destroyed);
    let held = held.map(|key| key.fingerprint().short()).collect();
    let store = &gateway.store;
    store.note_gateway_keys_held(held).await?;
    let of_gone_keys = store.purge_opened_by_gone_keys(GONE_AFTER).await?;
    Ok(of_gone_keys + store.purge_opened_jwe(remember_jwe).await?)
}
