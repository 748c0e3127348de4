//! The signature: the gateway's verifier says whether it is right. If it is not, the digest that
//! was signed is recovered with the public keys that are known, and the text with this digest is
//! looked for: among the base strings of the gateway, and among those of every usual mistake.

mod draft;
mod keys;
mod mistakes;
mod origins;
mod recover;
mod search;
mod told;

use super::authorization::{parameter, request};
use super::codec;
use super::knowledge::{Knowledge, KnownIssuer};
use super::recorded::Recorded;
use super::report::{Cause, StepId};
use super::walk::Walk;
use crate::oauth1::{Authorization, Decoys, VerifyingKey};

/// The two steps of the signature. Returns the issuer whose key signed, if one did.
pub(super) fn examine<'k>(
    walk: &mut Walk,
    call: &Recorded,
    authorization: &Authorization<'_>,
    known: &'k Knowledge,
    issuer: Option<&'k KnownIssuer>,
) -> Option<&'k KnownIssuer> {
    let strings = walk.base_strings.clone();
    let (owner, verifying) = keys::of_consumer_key(authorization, known, call);
    if owner.is_some() && is_proven(call, authorization, known, &verifying) {
        let allowed = issuer
            .and_then(|issuer| issuer.issuer.as_ref())
            .is_none_or(|issuer| issuer.rsa_pss);
        walk.passed(StepId::BaseString, told::count_of(&strings));
        if method(authorization) == "RSA-PSS" && !allowed {
            let cause = Cause::new(
                "signature.pss_not_allowed",
                "The signature is right, but this issuer is not set to sign with RSA-PSS.",
                "Sign with RSA-SHA256, or have the operator set rsa_pss = true.",
            );
            walk.failed(StepId::Signature, "RSA-PSS", "RSA-SHA256", cause);
        } else {
            walk.passed(StepId::Signature, "verifies with the consumer key's key");
        }
        return owner;
    }
    let signers = keys::signers(authorization, call, known);
    let found = search::find(call, authorization, known, &strings, signers);
    told::tell(walk, call, authorization, known, &strings, found)
}

/// What the gateway itself says.
fn is_proven(
    call: &Recorded,
    authorization: &Authorization<'_>,
    known: &Knowledge,
    keys: &[VerifyingKey],
) -> bool {
    let keys: Vec<&VerifyingKey> = keys.iter().collect();
    let decoys = Decoys::default();
    authorization
        .prove(&request(call), &known.origins, &keys, &decoys, true)
        .is_ok()
}

fn method<'a>(authorization: &'a Authorization<'_>) -> &'a str {
    parameter(authorization, "oauth_signature_method").unwrap_or_default()
}

/// A signature that has not the length of any key that is known.
fn wrong_length(signature: &[u8], expected: usize) -> Cause {
    let length = signature.len();
    match length {
        20 | 32 | 48 | 64 => Cause::new(
            "signature.hmac",
            format!(
                "The signature has {} as an HMAC or a bare hash has, not the {expected} of an RSA \
                 signature.",
                codec::count(length, "byte")
            ),
            "Sign with the RSA private key of the consumer key, not with a shared secret.",
        ),
        _ => Cause::new(
            "signature.cut",
            format!(
                "The signature has {}; one with the issuer's key has {expected}.",
                codec::count(length, "byte")
            ),
            "Send the whole signature: 344 characters of base64 for a key of 2048 bits.",
        ),
    }
}

#[cfg(test)]
mod tests;
