//! What runs out soon: gateway keys, issuer certificates, the TLS certificate.

use crate::gateway::Gateway;
use chrono::{DateTime, Utc};
use std::time::Duration;

/// Warnings begin this long before.
const AHEAD: chrono::Duration = chrono::Duration::days(30);
/// How often they are repeated.
pub const REPEAT: Duration = Duration::from_secs(3_600);

/// Something with an end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Expiry {
    /// `gateway-key`, `issuer-encryption`.
    pub kind: &'static str,
    /// The first 16 hex digits of the key's fingerprint; with the issuer's client id in front where there is one.
    pub name: String,
    /// When it ends.
    pub at: DateTime<Utc>,
}

/// Everything that has an end, soonest first.
pub fn all(gateway: &Gateway) -> Vec<Expiry> {
    let short = |fingerprint: String| fingerprint.chars().take(16).collect::<String>();
    let mut all = Vec::new();
    for key in gateway
        .live()
        .keys
        .keys()
        .iter()
        .filter(|key| key.state().decrypts())
    {
        if let Some(at) = key.not_after() {
            all.push(Expiry {
                kind: "gateway-key",
                name: short(key.fingerprint().to_string()),
                at,
            });
        }
    }
    for issuer in gateway.registry.issuers() {
        // Only the newest: older ones are there to run out.
        if let Some(newest) = issuer.encryption.first() {
            let name = format!(
                "{} {}",
                issuer.client_id,
                short(newest.recipient.fingerprint().to_string())
            );
            all.push(Expiry {
                kind: "issuer-encryption",
                name,
                at: newest.not_after,
            });
        }
    }
    all.sort_by_key(|expiry| expiry.at);
    all
}

/// Sets the metrics, and warns of what ends within 30 days or has ended.
pub fn report(gateway: &Gateway, now: DateTime<Utc>) {
    let all = all(gateway);
    for expiry in &all {
        let days = (expiry.at - now).num_days();
        if expiry.at < now {
            tracing::error!(kind = expiry.kind, name = expiry.name, "has expired");
        } else if expiry.at - now < AHEAD {
            tracing::warn!(kind = expiry.kind, name = expiry.name, days, "expires soon");
        }
    }
    gateway.metrics.expiries(all.iter().map(|expiry| {
        (
            expiry.kind,
            expiry.name.as_str(),
            (expiry.at - now).num_seconds(),
        )
    }));
}
