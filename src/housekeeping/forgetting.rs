//! The job that deletes records of wrapped keys.
//!
//! It deletes a JWE's record after `crypto.remember_jwe_days`, and all records of a gateway key a
//! week after the last node had it.

use super::{Job, Stop};
use crate::gateway::Gateway;
use crate::payload::KeyState;
use crate::store::opened_keys::GONE_AFTER;
use std::time::Duration;

/// Says which gateway keys this node has, and purges what can be forgotten.
#[derive(Debug)]
pub struct ForgetOpenedKeys {
    remember_jwe: Duration,
}

impl ForgetOpenedKeys {
    /// `remember_jwe` is `crypto.remember_jwe_days`.
    pub fn new(remember_jwe: Duration) -> Self {
        Self { remember_jwe }
    }
}

impl Job for ForgetOpenedKeys {
    const NAME: &'static str = "opened-keys";
    const EVERY: Duration = Duration::from_secs(60);

    async fn run(&mut self, gateway: &Gateway, _: &Stop) -> anyhow::Result<()> {
        // A disabled key can come back, and what it has opened must not open again then.
        let reloadable = gateway.reloadable();
        let held = reloadable.keys.keys().iter();
        let held = held.filter(|key| key.state() != KeyState::Destroyed);
        let held = held.map(|key| key.fingerprint().short()).collect();
        let store = &gateway.store;
        store.note_gateway_keys_held(held).await?;
        let of_gone_keys = store.purge_opened_by_gone_keys(GONE_AFTER).await?;
        let forgotten = of_gone_keys + store.purge_opened_jwe(self.remember_jwe).await?;
        if forgotten > 0 {
            tracing::info!(forgotten, "used wrapped keys forgotten");
        }
        Ok(())
    }
}
