//! A node's own entries: its start and stop, a changed configuration, its keys, and the anchors
//! that it writes with them.

use super::purged::PurgeKeys;
use super::verify::{START, STOP};
use super::witness::Witness;
use crate::payload::KeyRing;
use crate::store::audit::{AuditChain, AuditDraft};
use crate::store::{Store, StoreError};
use crate::telemetry::Metrics;
use crate::vault::Vault;
use anyhow::Context;
use std::collections::BTreeMap;
use std::net::SocketAddr;

/// Notes the start, the keys it found, and the ends of all chains: before the first call is
/// answered.
pub async fn started(
    store: &Store,
    keys: &KeyStates,
    address: SocketAddr,
) -> Result<(), StoreError> {
    let start = AuditDraft {
        detail: Some(format!(
            "version={} listen={address}",
            env!("CARGO_PKG_VERSION")
        )),
        ..AuditDraft::local(START)
    };
    let keys = key_changes(&KeyStates::new(), keys);
    let acts = std::iter::once(start).chain(keys).collect();
    log_anchor(&store.record_and_anchor(acts).await?);
    Ok(())
}

/// Notes the stop, once the writers have ended: their chains are complete, and this one ends here.
pub async fn stopped(store: &Store) -> Result<(), StoreError> {
    let stop = vec![AuditDraft::local(STOP)];
    log_anchor(&store.anchor_and_record(stop).await?);
    Ok(())
}

/// Takes up the witness of former runs, once [`started`] has vouched for their chains.
///
/// # Errors
/// The file system's or the database's.
pub async fn begin_witness(
    witness: Option<&Witness>,
    store: &Store,
    vault: &Vault,
    metrics: &Metrics,
) -> anyhow::Result<()> {
    let Some(witness) = witness else {
        tracing::info!("no witness of the audit trail is kept: audit.witness names no file");
        return Ok(());
    };
    let begun = witness.begin(store, &PurgeKeys::Of(vault), metrics).await;
    begun.context("audit.witness: the witness of the audit trail cannot be kept")
}

/// Notes a reload, and the keys that came, changed their state or went with it. `keys` are those
/// before and after. The `first` look after the start is no reload unless it changes keys.
pub async fn reloaded(
    store: &Store,
    metrics: &Metrics,
    keys: (&KeyStates, &KeyStates),
    first: bool,
) {
    let mut drafts = vec![AuditDraft::local("config.reload")];
    drafts.extend(key_changes(keys.0, keys.1));
    if !first || drafts.len() > 1 {
        note(store, metrics, drafts).await;
    }
}

/// Notes a reload that was refused.
pub async fn reload_refused(store: &Store, metrics: &Metrics) {
    let refused = AuditDraft::local("config.reload").refused("invalid");
    note(store, metrics, vec![refused]).await;
}

async fn note(store: &Store, metrics: &Metrics, drafts: Vec<AuditDraft>) {
    if let Err(error) = store.record_all(drafts).await {
        metrics.background_failure("audit");
        tracing::error!(%error, "a reload is not in the audit trail");
    }
}

/// The keys of a node: `gateway-key` with its fingerprint or `kek` with its id, and the state of
/// each.
pub type KeyStates = BTreeMap<(&'static str, String), String>;

/// What a ring holds, and the KEKs (the one that wraps first).
pub fn states(ring: &KeyRing, kek_ids: &[String]) -> KeyStates {
    let keks = kek_ids.iter().enumerate().rev().map(|(position, id)| {
        let state = if position == 0 { "primary" } else { "further" };
        (("kek", id.clone()), state.to_owned())
    });
    let gateway_keys = ring.keys().iter().map(|key| {
        let name = ("gateway-key", key.fingerprint().to_string());
        (name, key.state().to_string())
    });
    gateway_keys.chain(keks).collect()
}

fn key_changes(before: &KeyStates, after: &KeyStates) -> Vec<AuditDraft> {
    let draft = |(kind, name): &(&str, String), change: &str| AuditDraft {
        subject: Some(name.clone()),
        ..AuditDraft::local(format!("{kind}.{change}"))
    };
    let loaded = after
        .iter()
        .filter(|(key, state)| before.get(key) != Some(state))
        .map(|(key, state)| AuditDraft {
            detail: Some(state.clone()),
            ..draft(key, "load")
        });
    let dropped = before
        .keys()
        .filter(|key| !after.contains_key(key))
        .map(|key| draft(key, "drop"));
    loaded.chain(dropped).collect()
}

/// With this line of the log `audit verify --expect` can tell later whether the trail was
/// rewritten.
fn log_anchor(end: &AuditChain) {
    let (chain, seq, hash) = (end.id(), end.seq(), hex::encode(end.hash()));
    tracing::info!(chain, seq, hash, "audit trail anchored");
}
