//! Every public key that may have signed, and whose it is.

use super::super::knowledge::{Knowledge, KnownIssuer};
use super::super::recorded::Recorded;
use super::recover::{Recovered, recover};
use crate::oauth1::{Authorization, VerifyingKey};
use openssl::pkey::{PKey, PKeyRef, Public};

/// What a key is to the call; the nearest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Owner {
    /// Of the consumer key, and valid when the call came.
    ConsumerKey,
    /// Of the consumer key, but its certificate had ended.
    Ended,
    /// Of the consumer key, but its certificate had not begun.
    NotBegun,
    /// Of another consumer key of the same issuer.
    SameIssuer,
    /// The key that the issuer's answers are encrypted to.
    Decryption,
    /// Of another issuer.
    OtherIssuer,
    /// The gateway's.
    Gateway,
}

/// A key that signed, with what it signed.
pub(super) struct Signer<'k> {
    pub(super) owner: Owner,
    pub(super) issuer: Option<&'k KnownIssuer>,
    /// For people.
    pub(super) label: String,
    pub(super) key: &'k PKeyRef<Public>,
    pub(super) recovered: Recovered,
}

/// The issuer of the consumer key, and those of its keys that are valid when the call came.
pub(super) fn of_consumer_key<'k>(
    authorization: &Authorization<'_>,
    known: &'k Knowledge,
    call: &Recorded,
) -> (Option<&'k KnownIssuer>, Vec<VerifyingKey>) {
    let mut owner = None;
    let mut keys = Vec::new();
    for issuer in &known.issuers {
        for signing in &issuer.signing {
            if signing.consumer_key != authorization.consumer_key() {
                continue;
            }
            owner = Some(issuer);
            if validity(issuer, signing, call) == Owner::ConsumerKey
                && let Some(key) = verifying(&signing.key)
            {
                keys.push(key);
            }
        }
    }
    (owner, keys)
}

fn verifying(key: &PKey<Public>) -> Option<VerifyingKey> {
    VerifyingKey::from_public_key(key.clone()).ok()
}

fn validity(
    issuer: &KnownIssuer,
    signing: &super::super::knowledge::SigningKey,
    call: &Recorded,
) -> Owner {
    let Some(at) = call.at else {
        return Owner::ConsumerKey;
    };
    let accepts_ended = issuer
        .issuer
        .as_ref()
        .is_some_and(|issuer| issuer.accept_expired_signing);
    if !signing.validity.has_begun(at) {
        Owner::NotBegun
    } else if signing.validity.has_ended(at) && !accepts_ended {
        Owner::Ended
    } else {
        Owner::ConsumerKey
    }
}

/// The keys that can be shown to have made the signature; those of the consumer key first. Several
/// only if one cannot be told from chance yet (RSA-PSS with the longest salt).
pub(super) fn signers<'k>(
    authorization: &Authorization<'_>,
    call: &Recorded,
    known: &'k Knowledge,
) -> Vec<Signer<'k>> {
    let mut all: Vec<(Owner, Option<&KnownIssuer>, String, &PKeyRef<Public>)> = Vec::new();
    for issuer in &known.issuers {
        let same = issuer.client_id == authorization.client_id();
        for signing in &issuer.signing {
            let own = signing.consumer_key == authorization.consumer_key();
            let owner = match (own, same) {
                (true, _) => validity(issuer, signing, call),
                (false, true) => Owner::SameIssuer,
                (false, false) => Owner::OtherIssuer,
            };
            let label = format!(
                "the signing key of {} ({})",
                issuer.name, signing.consumer_key
            );
            all.push((owner, Some(issuer), label, &signing.key));
        }
        for key in &issuer.encryption {
            let owner = match same {
                true => Owner::Decryption,
                false => Owner::OtherIssuer,
            };
            all.push((owner, Some(issuer), key.label.clone(), key.public()));
        }
    }
    for key in &known.gateway {
        let label = format!("the gateway's key {}", key.key.label);
        all.push((Owner::Gateway, None, label, key.key.public()));
    }
    all.sort_by_key(|(owner, ..)| *owner);
    let mut signers = Vec::new();
    for (owner, issuer, label, key) in all {
        for recovered in recover(authorization.signature(), key) {
            signers.push(Signer {
                owner,
                issuer,
                label: label.clone(),
                key,
                recovered,
            });
        }
    }
    signers
}
