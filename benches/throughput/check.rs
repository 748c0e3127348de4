//! Proof that a run was real work: answers open and are right, and everything they stand for is in
//! the database and in the metrics.

use super::outcome::Outcome;
use super::requests::{Kind, Request};
use super::sandbox::{Sandbox, Site};
use anyhow::{Context, ensure};
use issuer_gateway::client::Client;
use issuer_gateway::oauth1::MAX_WINDOW_SECONDS;
use serde_json::Value;

/// In microseconds.
const SECOND: i64 = 1_000_000;
/// How long a nonce is kept after its timestamp: the widest window that can be configured, and a
/// second.
const NONCE_LIFE: i64 = (MAX_WINDOW_SECONDS + 1) * SECOND;

/// What was there before a run.
pub(crate) struct Before {
    /// Microseconds since 1970 UTC, before the first request was prepared.
    pub(crate) prepared_at: i64,
    answered_200: u64,
}

/// Notes it.
pub(crate) fn before(site: &Site) -> anyhow::Result<Before> {
    Ok(Before {
        prepared_at: issuer_gateway::store::now(),
        answered_200: answered_200(site)?,
    })
}

/// Every answer is 200, and each left all its traces.
pub(crate) fn all_done(
    sandbox: &Sandbox,
    site: &Site,
    kind: Kind,
    before: &Before,
    requests: &[Request],
    outcome: &Outcome,
) -> anyhow::Result<()> {
    let done = outcome.answered(200);
    let others: u64 = outcome.statuses.values().sum::<u64>() - done;
    ensure!(
        others == 0 && outcome.lost == 0,
        "not all answers are 200: {:?}, {} lost; the first other: {}",
        outcome.statuses,
        outcome.lost,
        outcome.first_failure.as_deref().unwrap_or("503")
    );
    answers(&sandbox.client, requests, outcome)?;
    traces(site, kind, before, done)
}

/// Some answers open, and say what they should.
pub(crate) fn answers(
    client: &Client,
    requests: &[Request],
    outcome: &Outcome,
) -> anyhow::Result<()> {
    ensure!(!outcome.samples.is_empty(), "no answer 200 at all");
    for (number, body) in &outcome.samples {
        let request = requests.get(*number).context("no such request")?;
        let clear = client.open(body)?.context("an answer is no JSON object")?;
        let member = |name: &str| clear.get(name).and_then(Value::as_str);
        ensure!(
            member("cardNumberLastFourDigits") == Some(request.last_four.as_str())
                && member("status") == Some("ACTIVE")
                && member("userid").is_some_and(|id| id.len() == 36),
            "an answer says something else than was asked for"
        );
    }
    Ok(())
}

/// Users, cards, audit entries, scoring jobs, nonces and wrapped keys: as many as answers 200. The
/// metrics have counted them too.
pub(crate) fn traces(site: &Site, kind: Kind, before: &Before, done: u64) -> anyhow::Result<()> {
    let since = before.prepared_at;
    // Timestamps of signatures are whole seconds.
    let expires = since / SECOND * SECOND + NONCE_LIFE;
    let audited = |action: &str| {
        format!(
            "audit_entries WHERE at >= {since} AND outcome = 'accepted' AND action = '{action}'"
        )
    };
    let mut tables = vec![
        format!("oauth_nonces WHERE expires_at >= {expires}"),
        format!("opened_keys WHERE opened_at >= {since}"),
    ];
    if kind == Kind::Update {
        tables.push(audited("user.update"));
    } else {
        tables.push(audited("user.enrol"));
        for table in ["users", "cards", "scoring_jobs"] {
            tables.push(format!("{table} WHERE created_at >= {since}"));
        }
    }
    for table in tables {
        let rows = site
            .database
            .number(&format!("SELECT count(*) AS n FROM {table}"))?;
        ensure!(
            u64::try_from(rows)? == done,
            "{done} answers 200, but {rows} rows: {table}"
        );
    }
    let counted = answered_200(site)? - before.answered_200;
    ensure!(
        counted == done,
        "{done} answers 200, but the metrics say {counted}"
    );
    Ok(())
}

fn answered_200(site: &Site) -> anyhow::Result<u64> {
    let counts = site.gateways.iter().map(|gateway| gateway.answered_200());
    counts.sum()
}
