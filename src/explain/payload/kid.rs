//! Which key `kid` or the fingerprint names.

use super::super::diff::visible;
use super::super::names::NamedKey;
use super::super::report::{Cause, StepId};
use super::super::walk::Walk;
use super::unwrapping::{Opens, opens};
use super::{Case, WrappedKey};
use crate::payload::KeyState;

/// The name that the message has for the key.
fn label(case: &Case<'_>) -> &'static str {
    let raw = case.raw.as_ref();
    match raw.map(|raw| &raw.scheme) {
        Some(super::raw::Scheme::FieldLevel { .. }) => "publicKeyFingerprint",
        _ => "kid",
    }
}

fn hint<'a>(case: &'a Case<'_>) -> &'a str {
    let raw = case.raw.as_ref();
    raw.and_then(|raw| raw.hint.as_deref()).unwrap_or_default()
}

/// The gateway has the key.
pub(super) fn found(walk: &mut Walk, case: &Case<'_>, wrapped: &WrappedKey<'_>) {
    let hint = hint(case);
    let fingerprint = wrapped.key().fingerprint().to_string();
    let key = case
        .known
        .gateway
        .iter()
        .find(|known| known.key.fingerprint() == fingerprint);
    let name = key.map_or("a gateway key", |known| known.key.label.as_str());
    let found = match key.and_then(|known| known.key.named(hint)) {
        _ if hint.is_empty() => format!("none: {name}, the primary key, is meant"),
        Some(how) => format!("{hint}: {name} by {how}"),
        None => format!("{hint}: {name}"),
    };
    walk.passed(StepId::Kid, found);
}

/// There is no ring, or it is not what failed: says what is known of the name.
pub(super) fn without_ring(walk: &mut Walk, case: &Case<'_>) {
    let hint = hint(case);
    let mut gateway = case.known.gateway.iter();
    match gateway.find_map(|known| Some((known, known.key.named(hint)?))) {
        _ if hint.is_empty() => walk.passed(StepId::Kid, "none: the primary key is meant"),
        Some((known, how)) => {
            walk.passed(StepId::Kid, format!("{hint}: {} by {how}", known.key.label));
        }
        None if case.known.gateway.is_empty() => {
            walk.not_checked(
                StepId::Kid,
                format!("{hint}: no key of the gateway is known"),
            );
        }
        None => refused(walk, case),
    }
}

/// The gateway refuses the name.
pub(super) fn refused(walk: &mut Walk, case: &Case<'_>) {
    let hint = hint(case);
    let name = label(case);
    let primary = case
        .known
        .gateway
        .iter()
        .find(|known| known.state == KeyState::Primary)
        .or(case.known.gateway.first());
    let fingerprint = primary.map(|known| known.key.fingerprint());
    let fingerprint = fingerprint.unwrap_or_default();
    let advice = format!(
        "Encrypt to the gateway's certificate, and send its fingerprint as {name}: {fingerprint}."
    );
    let cause = meaning(case, hint, name, &advice);
    let found = match hint {
        "" => "none".to_owned(),
        hint => visible(hint),
    };
    walk.failed(StepId::Kid, found, fingerprint, cause);
}

/// The key that is named is of another kind than the message is encrypted for.
pub(super) fn other_kind(walk: &mut Walk, case: &Case<'_>) {
    let cause = Cause::new(
        "kid.other_kind",
        "The key that is named is no key for this alg: RSA-OAEP-256 needs an RSA key, ECDH-ES an EC \
         key of the curve that epk has.",
        "Take alg and kid from one and the same key of /.well-known/jwks.json.",
    );
    let found = visible(hint(case));
    walk.failed(StepId::Kid, found, "a key of the alg's kind", cause);
}

fn meaning(case: &Case<'_>, hint: &str, name: &str, advice: &str) -> Cause {
    let proof = opens(case).map(|opened| opened.proof());
    let proven = |cause: Cause| match &proof {
        Some(proof) => cause.proven(proof.clone()),
        None => cause,
    };
    let mut gateway = case.known.gateway.iter();
    if let Some((known, how)) = gateway.find_map(|known| Some((known, known.key.named(hint)?))) {
        return proven(Cause::new(
            "kid.disabled",
            format!(
                "The {name} is {how} of the gateway's key {}, which is {}.",
                known.key.label, known.state
            ),
            advice,
        ));
    }
    for (owner, key) in others(case) {
        let how = key.named(hint).map(str::to_owned);
        let Some(how) = how.or_else(|| key.misnamed(hint)) else {
            continue;
        };
        let cause = match owner {
            Owner::Own => Cause::new(
                "kid.own_certificate",
                format!(
                    "The {name} is {how} of {}: the client encrypted to its own key.",
                    key.label
                ),
                advice,
            ),
            Owner::Other => Cause::new(
                "kid.other_issuer",
                format!(
                    "The {name} is {how} of {}, which is no key of the gateway.",
                    key.label
                ),
                advice,
            ),
        };
        return proven(cause);
    }
    for known in &case.known.gateway {
        let by_name = known.key.common_name().filter(|name| name == hint);
        let by_name = by_name.map(|_| "the common name of its certificate".to_owned());
        if let Some(how) = known.key.misnamed(hint).or(by_name) {
            let cause = Cause::new(
                "kid.misnamed",
                format!(
                    "The {name} means the gateway's key {}, but it is {how}.",
                    known.key.label
                ),
                format!(
                    "Send the SHA-256 of the public key or of the certificate, in hex or base64: {}.",
                    known.key.fingerprint()
                ),
            );
            return proven(cause);
        }
    }
    match opens(case) {
        Some(Opens::Gateway { label, .. }) => proven(Cause::new(
            "kid.unknown_name",
            format!(
                "The payload is encrypted to the gateway's key {label}, but its {name} is not a \
                 name of that key."
            ),
            advice,
        )),
        _ => proven(Cause::new(
            "kid.unknown",
            format!("The {name} names no key that is known here."),
            advice,
        )),
    }
}

/// Whose a key is that is not the gateway's.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Owner {
    Own,
    Other,
}

/// The issuers' keys: those of the calling issuer first.
fn others(case: &Case<'_>) -> Vec<(Owner, NamedKey)> {
    let mut all = Vec::new();
    for issuer in &case.known.issuers {
        let own = case
            .issuer
            .is_some_and(|known| known.client_id == issuer.client_id);
        let owner = if own { Owner::Own } else { Owner::Other };
        for key in &issuer.encryption {
            all.extend(key.public_copy().ok().map(|key| (owner, key)));
        }
        for signing in &issuer.signing {
            let label = format!("the signing key of {}", issuer.name);
            let key = NamedKey::of_public(label, &signing.key);
            all.extend(key.ok().map(|key| (owner, key)));
        }
    }
    all.sort_by_key(|(owner, _)| *owner == Owner::Other);
    all
}
