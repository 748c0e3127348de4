//! The payload: the gateway's own parser and key ring say where it fails; this module then looks
//! for the key, digest, encoding or text with which it does not.

mod content;
mod envelope;
mod json;
mod kid;
mod members;
mod raw;
mod rules;
mod tag;
mod unreadable;
mod unwrap;
mod unwrapping;

use super::codec;
use super::endpoint::Operation;
use super::knowledge::{Knowledge, KnownIssuer};
use super::recorded::Recorded;
use super::report::StepId;
use super::walk::Walk;
use crate::json as strict;
use crate::payload::{
    Accepted, CryptoReason, Envelope, EnvelopeError, FieldLevelHeaders, JwePolicy, OpenError,
    WrappedKey,
};
use raw::Raw;
use unwrap::Wrapping;
use zeroize::Zeroizing;

/// The steps that only encrypted payloads have.
const ENCRYPTED: [StepId; 5] = [
    StepId::Envelope,
    StepId::Iv,
    StepId::Kid,
    StepId::Oaep,
    StepId::Tag,
];

/// What the steps of a payload look at.
struct Case<'a> {
    call: &'a Recorded,
    known: &'a Knowledge,
    operation: Operation,
    issuer: Option<&'a KnownIssuer>,
    /// The body, read as leniently as possible.
    raw: Option<Raw>,
}

pub(super) fn examine(
    walk: &mut Walk,
    call: &Recorded,
    known: &Knowledge,
    operation: Operation,
    issuer: Option<&KnownIssuer>,
) {
    if call.missing > 0 {
        let missing = codec::count(call.missing, "byte");
        walk.not_checked(
            StepId::Envelope,
            format!("{missing} of the body are not here"),
        );
        return;
    }
    if !operation.is_encrypted() {
        clear(walk, call, operation);
        return;
    }
    let case = Case {
        raw: Raw::read(call),
        call,
        known,
        operation,
        issuer,
    };
    rules::examine_toggle(walk, &case);
    let registered = issuer.and_then(|issuer| issuer.issuer.as_ref());
    let accepted = registered.map_or(Accepted::ALL, |issuer| issuer.accepted());
    let envelope = match parse(&case, accepted) {
        Ok(envelope) => envelope,
        Err(error @ EnvelopeError::NotAccepted(_)) => {
            envelope::refused(walk, &case, &error);
            let everything = Accepted {
                headers: accepted.headers,
                ..Accepted::ALL
            };
            match parse(&case, everything) {
                Ok(envelope) => envelope,
                Err(_) => return,
            }
        }
        Err(error) => {
            envelope::refused(walk, &case, &error);
            return;
        }
    };
    if walk.reached(StepId::Envelope).is_none() {
        envelope::accepted(walk, &case);
    }
    key(walk, &case, &envelope);
}

fn parse(case: &Case<'_>, accepted: Accepted) -> Result<Envelope, EnvelopeError> {
    let headers = FieldLevelHeaders::collect(|name| case.call.header(name));
    let body = &case.call.body;
    match case.operation {
        Operation::PostTransactions => Envelope::parse_batch(body, &headers, accepted),
        _ => Envelope::parse(body, &headers, accepted),
    }
}

/// From the key's name on.
fn key(walk: &mut Walk, case: &Case<'_>, envelope: &Envelope) {
    let Some(ring) = &case.known.ring else {
        kid::without_ring(walk, case);
        unwrapping::without_key(walk, case);
        return;
    };
    let wrapped = match envelope.wrapped_key(ring, &JwePolicy::default()) {
        Ok(wrapped) => {
            kid::found(walk, case, &wrapped);
            wrapped
        }
        Err(CryptoReason::WrappedKeyLength) => {
            kid::without_ring(walk, case);
            unwrapping::wrong_length(walk, case);
            return;
        }
        Err(CryptoReason::Algorithm | CryptoReason::EphemeralKey) => {
            kid::other_kind(walk, case);
            return;
        }
        Err(_) => {
            kid::refused(walk, case);
            return;
        }
    };
    open(walk, case, &wrapped);
}

/// From the private operation on.
fn open(walk: &mut Walk, case: &Case<'_>, wrapped: &WrappedKey<'_>) {
    let unwrapped = |walk: &mut Walk| {
        walk.passed(StepId::Oaep, "the content key unwraps");
    };
    match wrapped.open() {
        Ok(opened) => {
            unwrapped(walk);
            walk.passed(StepId::Tag, tag::opened(case));
            rules::examine(walk, case, &opened.object);
        }
        Err(OpenError::Crypto(CryptoReason::KeyUnwrap)) => {
            unwrapping::refused(walk, case, wrapped);
        }
        Err(OpenError::Crypto(CryptoReason::Plaintext)) => {
            unwrapped(walk);
            match plaintext(case) {
                Some(text) => json::refused(walk, case, &text),
                None => walk.not_checked(StepId::Json, "the content could not be read again"),
            }
        }
        Err(OpenError::Crypto(_)) => {
            unwrapped(walk);
            tag::refused(walk, case);
        }
        Err(_) => walk.not_checked(StepId::Oaep, "OpenSSL could not open the payload"),
    }
}

/// The content, by the gateway's keys and the declared digest.
fn plaintext(case: &Case<'_>) -> Option<Zeroizing<Vec<u8>>> {
    let raw = case.raw.as_ref()?;
    let keys = case.known.gateway.iter();
    let keys = keys.filter_map(|key| key.key.private());
    let mut all = keys.filter_map(|key| {
        let cek = unwrap::unwrap(key, raw.declared(), &raw.wrapped)?;
        content::decrypt(raw, &cek).ok()
    });
    all.next()
}

/// The payload in clear, if the gateway's keys open it in any way: for the search of a body hash
/// that was made too early.
pub(super) fn clear_text(call: &Recorded, known: &Knowledge) -> Option<Zeroizing<Vec<u8>>> {
    let raw = Raw::read(call)?;
    let keys = known.gateway.iter().filter_map(|key| key.key.private());
    keys.flat_map(|key| Wrapping::ALL.map(|wrapping| (key, wrapping)))
        .find_map(|(key, wrapping)| {
            let cek = unwrap::unwrap(key, wrapping, &raw.wrapped)?;
            content::decrypt(&raw, &cek).ok()
        })
}

/// A body that is JSON in clear, or none.
fn clear(walk: &mut Walk, call: &Recorded, operation: Operation) {
    walk.leave_out(&ENCRYPTED);
    walk.leave_out(&[StepId::Rules]);
    if operation == Operation::Read {
        walk.leave_out(&[StepId::Json]);
        return;
    }
    match strict::parse_object(&call.body) {
        Ok(object) => walk.passed(
            StepId::Json,
            format!(
                "an object with {}",
                codec::count(object.members().len(), "member")
            ),
        ),
        Err(error) => json::broken_body(walk, call, &error),
    }
}
