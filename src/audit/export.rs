//! The trail as JSON lines: one object an entry, chain after chain, in the order of each chain.

use super::PAGE;
use crate::ids::IssuerId;
use crate::store::audit::AuditEntry;
use crate::store::audit::pages::ChainRange;
use crate::store::{Store, StoreError};
use chrono::{DateTime, SecondsFormat, Utc};
use serde::Serialize;
use std::collections::HashMap;
use std::io::Write;

/// Which entries are wanted; empty wants all.
#[derive(Debug, Default, Clone, Copy)]
pub struct Filter {
    /// From this moment on.
    pub since: Option<DateTime<Utc>>,
    /// Before this moment.
    pub until: Option<DateTime<Utc>>,
    /// Concerning this issuer.
    pub issuer: Option<IssuerId>,
}

impl Filter {
    fn wants(&self, entry: &AuditEntry) -> bool {
        let at = entry.at;
        self.since
            .is_none_or(|since| at >= since.timestamp_micros())
            && self.until.is_none_or(|until| at < until.timestamp_micros())
            && self.issuer.is_none_or(|id| entry.issuer_id == Some(id.0))
    }
}

/// One line.
#[derive(Serialize)]
struct Line<'a> {
    at: String,
    actor: &'a str,
    action: &'a str,
    outcome: &'a str,
    reason: Option<&'a str>,
    detail: Option<&'a str>,
    /// The client id.
    issuer: Option<&'a str>,
    issuer_id: Option<i32>,
    subject: Option<&'a str>,
    request_id: Option<&'a str>,
    origin: Option<&'a str>,
    chain: &'a str,
    seq: i64,
    previous_hash: String,
    hash: String,
}

/// The client ids of issuers, by their numbers in the trail.
pub(super) struct Issuers(HashMap<i32, String>);

impl Issuers {
    pub(super) async fn load(store: &Store) -> Result<Self, StoreError> {
        let issuers = store.load_registry().await?.issuers.into_iter();
        let names = issuers.map(|i| (i.issuer_id.0, i.declared.client_id.to_string()));
        Ok(Self(names.collect()))
    }
}

/// Writes an entry as a line.
pub(super) fn write_line(
    entry: &AuditEntry,
    issuers: &Issuers,
    out: &mut dyn Write,
) -> anyhow::Result<()> {
    let issuer = entry.issuer_id.and_then(|id| issuers.0.get(&id));
    serde_json::to_writer(&mut *out, &line(entry, issuer.map(String::as_str)))?;
    out.write_all(b"\n")?;
    Ok(())
}

/// Writes the entries that `filter` wants; returns how many.
///
/// # Errors
/// The database's, or the output's.
pub async fn export(store: &Store, filter: &Filter, out: &mut dyn Write) -> anyhow::Result<u64> {
    let issuers = Issuers::load(store).await?;
    let (mut count, mut chain, mut seq) = (0, String::new(), i64::MAX);
    let all = ChainRange::default();
    loop {
        let page = store.audit_page(&all, (&chain, seq), PAGE).await?;
        let Some(last) = page.last() else { break };
        chain.clone_from(&last.chain);
        seq = last.seq;
        for entry in page.iter().filter(|entry| filter.wants(entry)) {
            write_line(entry, &issuers, out)?;
            count += 1;
        }
    }
    out.flush()?;
    Ok(count)
}

fn line<'a>(entry: &'a AuditEntry, issuer: Option<&'a str>) -> Line<'a> {
    let at = DateTime::from_timestamp_micros(entry.at).unwrap_or(DateTime::<Utc>::MIN_UTC);
    Line {
        at: at.to_rfc3339_opts(SecondsFormat::Micros, true),
        actor: &entry.actor,
        action: &entry.action,
        outcome: &entry.outcome,
        reason: entry.reason.as_deref(),
        detail: entry.detail.as_deref(),
        issuer,
        issuer_id: entry.issuer_id,
        subject: entry.subject.as_deref(),
        request_id: entry.request_id.as_deref(),
        origin: entry.origin.as_deref(),
        chain: &entry.chain,
        seq: entry.seq,
        previous_hash: hex::encode(&entry.previous_hash),
        hash: hex::encode(&entry.hash),
    }
}
