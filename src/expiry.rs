//! Everything with an end: gateway keys, the TLS certificate, issuers' certificates. Metrics show
//! all, warnings name those within 30 days.

use crate::gateway::Gateway;
use crate::issuers::validity::{AHEAD, Validity};
use crate::issuers::{Issuer, IssuerStatus};
use chrono::{DateTime, Utc};
use std::time::Duration;

/// How often they are repeated.
pub const REPEAT: Duration = Duration::from_secs(3_600);

/// Something with an end, and perhaps a beginning.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Expiry {
    /// `gateway-key`, `tls`, `issuer-encryption`, `issuer-signing`.
    pub kind: &'static str,
    /// The first 16 hex digits of the key's fingerprint (of a signing or TLS certificate: of the
    /// certificate's); with the issuer's client id in front where there is one.
    pub name: String,
    /// When it begins, if it has not yet.
    pub from: Option<DateTime<Utc>>,
    /// When it ends.
    pub at: DateTime<Utc>,
}

/// Everything that has an end, soonest first.
pub fn all(gateway: &Gateway, now: DateTime<Utc>) -> Vec<Expiry> {
    let mut all = Vec::new();
    for key in gateway
        .reloadable()
        .keys
        .keys()
        .iter()
        .filter(|key| key.state().decrypts())
    {
        if let Some(at) = key.not_after() {
            all.push(Expiry {
                kind: "gateway-key",
                name: short(&key.fingerprint().to_string()),
                from: None,
                at: at.into(),
            });
        }
    }
    if let Some((fingerprint, at)) = &gateway.reloadable().tls_end {
        all.push(Expiry {
            kind: "tls",
            name: short(fingerprint),
            from: None,
            at: *at,
        });
    }
    for issuer in gateway.registry.issuers() {
        if issuer.status != IssuerStatus::Removed {
            all.extend(of_issuer(&issuer, now));
        }
    }
    all.sort_by_key(|expiry| expiry.at);
    all
}

/// Of each use the certificate that ends last (the others are there to run out), and all that have
/// not begun.
fn of_issuer(issuer: &Issuer, now: DateTime<Utc>) -> Vec<Expiry> {
    let encryption = issuer
        .encryption
        .iter()
        .map(|one| (one.recipient.fingerprint().to_string(), one.validity))
        .collect();
    let signing = issuer.signing.iter().map(|key| {
        let one = key.certificates.iter();
        let dated = one.map(|one| (one.fingerprint.clone(), one.validity));
        ("issuer-signing", dated.collect())
    });
    let uses: Vec<(_, Vec<(String, Validity)>)> = [("issuer-encryption", encryption)]
        .into_iter()
        .chain(signing)
        .collect();
    let mut all = Vec::new();
    for (kind, certificates) in uses {
        let last = certificates.iter().map(|(_, validity)| validity.not_after);
        let last = last.max();
        for (fingerprint, validity) in certificates {
            let to_come = validity.not_before > now;
            if to_come || Some(validity.not_after) == last {
                all.push(Expiry {
                    kind,
                    name: format!("{} {}", issuer.client_id, short(&fingerprint)),
                    from: to_come.then_some(validity.not_before),
                    at: validity.not_after,
                });
            }
        }
    }
    all
}

fn short(fingerprint: &str) -> String {
    fingerprint.chars().take(16).collect()
}

/// Sets the metrics, and warns of what ends within 30 days, has ended or has not begun.
pub fn report(gateway: &Gateway, now: DateTime<Utc>) {
    let all = all(gateway, now);
    for expiry in &all {
        let Expiry { kind, name, .. } = expiry;
        let days = (expiry.at - now).num_days();
        if let Some(from) = expiry.from {
            let from = from.to_rfc3339();
            tracing::warn!(kind, name, from, "is not valid yet");
        } else if expiry.at < now {
            tracing::error!(kind, name, "has expired");
        } else if expiry.at - now < AHEAD {
            tracing::warn!(kind, name, days, "expires soon");
        }
    }
    gateway.metrics.expiries(all.iter().map(|expiry| {
        let begins = expiry.from.map(|from| (from - now).num_seconds());
        let ends = (expiry.at - now).num_seconds();
        (expiry.kind, expiry.name.as_str(), begins, ends)
    }));
}
