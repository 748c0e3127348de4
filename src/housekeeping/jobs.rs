//! One type for each job of a node. Work of a use case stays with the use case: erasing is in
//! `enrolment::erasure`, reloading the configuration in `reload`.

use super::{Job, Stop};
use crate::clock;
use crate::expiry;
use crate::gateway::Gateway;
use crate::store::{Commit, StoreError};
use std::sync::atomic::Ordering;
use std::time::Duration;

/// The writer is idle if no batch has ended for so long. Then a [`Heartbeat`] is committed.
const IDLE: Duration = Duration::from_secs(5);

/// Follows the issuers that operators and other nodes change in the database; a change takes effect
/// within 2 s.
#[derive(Debug)]
pub struct FollowIssuers;

impl Job for FollowIssuers {
    const NAME: &'static str = "registry";
    const EVERY: Duration = Duration::from_secs(1);

    async fn run(&mut self, gateway: &Gateway, _: &Stop) -> anyhow::Result<()> {
        if gateway.registry.refresh(&gateway.store).await? {
            let count = gateway.registry.issuers().len();
            gateway.metrics.set_issuers(count);
            tracing::info!(issuers = count, "issuers reloaded");
        }
        Ok(())
    }
}

/// Follows the data keys that operators change in the database; a change takes effect within 2 s.
#[derive(Debug)]
pub struct FollowDataKeys;

impl Job for FollowDataKeys {
    const NAME: &'static str = "vault";
    const EVERY: Duration = Duration::from_secs(1);

    async fn run(&mut self, gateway: &Gateway, _: &Stop) -> anyhow::Result<()> {
        if gateway.vault.refresh(&gateway.store).await? {
            let keys = gateway.vault.current();
            let (seal, index) = (keys.seal_version(), keys.index_version());
            tracing::info!(seal, index, "data keys reloaded");
        }
        Ok(())
    }
}

/// Follows what operators load for scoring; a load takes effect within 2 s.
#[derive(Debug)]
pub struct FollowFactors;

impl Job for FollowFactors {
    const NAME: &'static str = "factors";
    const EVERY: Duration = Duration::from_secs(1);

    async fn run(&mut self, gateway: &Gateway, _: &Stop) -> anyhow::Result<()> {
        if gateway.footprints.refresh(&gateway.store).await? {
            let scorers = gateway.footprints.current();
            let (version, sets) = (scorers.version(), scorers.sets().count());
            tracing::info!(version, sets, "factors reloaded");
        }
        Ok(())
    }
}

/// Purges nonces that no node would accept any more.
#[derive(Debug)]
pub struct PurgeNonces;

impl Job for PurgeNonces {
    const NAME: &'static str = "nonce-purge";
    const EVERY: Duration = Duration::from_secs(60);

    async fn run(&mut self, gateway: &Gateway, stop: &Stop) -> anyhow::Result<()> {
        let kept = gateway.nonces_outlive_expiry().num_seconds() * 1_000_000;
        while !stop.is_asked() && gateway.store.purge_nonces(kept).await? > 0 {}
        Ok(())
    }
}

/// Compares the node's clock with the database's.
#[derive(Debug, Default)]
pub struct CompareClocks {
    was_off: bool,
}

impl Job for CompareClocks {
    const NAME: &'static str = "clock";
    const EVERY: Duration = Duration::from_secs(2);

    async fn run(&mut self, gateway: &Gateway, _: &Stop) -> anyhow::Result<()> {
        gateway.compare_clocks().await?;
        let off = !gateway.clock.is_within(clock::TOLERANCE);
        if off != self.was_off {
            let ahead = gateway.clock.database_ahead().unwrap_or_default();
            let database_ahead_s = ahead.num_seconds();
            if off {
                tracing::error!(database_ahead_s, "this node's clock is not the database's");
            } else {
                tracing::info!(database_ahead_s, "this node's clock is right again");
            }
        }
        self.was_off = off;
        Ok(())
    }
}

/// Writes down when each gateway key was last used.
#[derive(Debug)]
pub struct NoteKeyUsage;

impl Job for NoteKeyUsage {
    const NAME: &'static str = "key-usage";
    const EVERY: Duration = Duration::from_secs(10);

    async fn run(&mut self, gateway: &Gateway, _: &Stop) -> anyhow::Result<()> {
        let reloadable = gateway.reloadable();
        let uses = reloadable
            .keys
            .keys()
            .iter()
            .filter_map(|key| Some((key.fingerprint().to_string(), key.last_used()?)));
        let uses: Vec<_> = uses.collect();
        if !uses.is_empty() {
            gateway.store.note_key_usage(uses).await?;
        }
        Ok(())
    }
}

/// Warns of keys and certificates that run out.
#[derive(Debug)]
pub struct ReportExpiries;

impl Job for ReportExpiries {
    const NAME: &'static str = "expiry";
    const EVERY: Duration = expiry::REPEAT;

    async fn run(&mut self, gateway: &Gateway, _: &Stop) -> anyhow::Result<()> {
        expiry::report(gateway, gateway.clock.now());
        Ok(())
    }
}

/// Vouches in the audit trail for chains that nobody knows yet: those of operators' commands.
#[derive(Debug)]
pub struct AnchorChains;

impl Job for AnchorChains {
    const NAME: &'static str = "audit-anchor";
    const EVERY: Duration = Duration::from_secs(30);

    async fn run(&mut self, gateway: &Gateway, _: &Stop) -> anyhow::Result<()> {
        gateway.store.anchor_unknown_chains().await?;
        Ok(())
    }
}

/// Keeps the witness of the audit trail up to date, if there is one.
#[derive(Debug)]
pub struct KeepWitness;

impl Job for KeepWitness {
    const NAME: &'static str = "audit-witness";
    const EVERY: Duration = Duration::from_secs(1);

    async fn run(&mut self, gateway: &Gateway, _: &Stop) -> anyhow::Result<()> {
        match &gateway.witness {
            Some(witness) => witness.note().await,
            None => Ok(()),
        }
    }
}

/// Writes refusals of unproven callers into the audit trail.
#[derive(Debug, Default)]
pub struct NoteRefusals {
    tick: u32,
}

impl Job for NoteRefusals {
    const NAME: &'static str = "audit";
    const EVERY: Duration = Duration::from_secs(1);

    async fn run(&mut self, gateway: &Gateway, _: &Stop) -> anyhow::Result<()> {
        self.tick = self.tick.wrapping_add(1);
        gateway.refused.tick(self.tick, &gateway.writer).await?;
        Ok(())
    }

    async fn finish(&mut self, gateway: &Gateway) -> anyhow::Result<()> {
        Ok(gateway.refused.finish(&gateway.writer).await?)
    }
}

/// Commits a row of this node's own while nothing else is committed, so that it is known whether
/// anything can be.
#[derive(Debug)]
pub struct Heartbeat {
    node: String,
    /// Nodes that are no more are forgotten once for each run of this one.
    forgotten: bool,
}

impl Heartbeat {
    /// For a node that begins now.
    pub fn new() -> Self {
        Self {
            node: uuid::Uuid::new_v4().to_string(),
            forgotten: false,
        }
    }
}

impl Default for Heartbeat {
    fn default() -> Self {
        Self::new()
    }
}

impl Job for Heartbeat {
    const NAME: &'static str = "heartbeat";
    const EVERY: Duration = Duration::from_secs(1);

    async fn run(&mut self, gateway: &Gateway, _: &Stop) -> anyhow::Result<()> {
        let health = gateway.writer.health();
        // After a failure as well: while calls fail, only a call that is committed says that they
        // do not any more.
        let last = health.last_commit.max(health.last_failure);
        if last.is_some_and(|last| last.elapsed() < IDLE) {
            if health.last_commit > health.last_failure {
                gateway.beats.store(true, Ordering::Relaxed);
            }
            return Ok(());
        }
        let beat = gateway.writer.commit(Commit::heartbeat(&self.node)).await;
        // A full queue is not the database's fault, and whatever is in it will tell.
        let beats = matches!(beat, Ok(_) | Err(StoreError::Overloaded));
        gateway.beats.store(beats, Ordering::Relaxed);
        beat?;
        if !self.forgotten {
            gateway.store.forget_nodes().await?;
            self.forgotten = true;
        }
        Ok(())
    }
}
