//! The outcome of the search, told as the two steps `base_string` and `signature`.

use super::super::codec;
use super::super::diff::Diff;
use super::super::digest::Hash;
use super::super::knowledge::{Knowledge, KnownIssuer};
use super::super::recorded::Recorded;
use super::super::report::{Cause, StepId};
use super::super::walk::Walk;
use super::keys::{Owner, Signer};
use super::recover::Recovered;
use super::search::Found;
use super::{method, wrong_length};
use crate::oauth1::Authorization;

/// `3 base strings were built`
pub(super) fn count_of(strings: &[String]) -> String {
    let first = strings.first().map_or("", String::as_str);
    format!("one of {} that the gateway built: {first}", strings.len())
}

pub(super) fn tell<'k>(
    walk: &mut Walk,
    call: &Recorded,
    authorization: &Authorization<'_>,
    known: &'k Knowledge,
    strings: &[String],
    found: Found<'k>,
) -> Option<&'k KnownIssuer> {
    let Some(signer) = &found.signer else {
        unknown_signer(walk, authorization, known);
        return None;
    };
    let expected = strings.first().map_or("", String::as_str);
    match (&found.signed, found.mistakes.as_slice()) {
        (Some(text), []) => walk.passed(StepId::BaseString, text.as_str()),
        (Some(text), [mistake, more @ ..]) => {
            let nearest = nearest(strings, text);
            let mut cause = Cause::new(mistake.code, &mistake.what, &mistake.advice)
                .proven(format!(
                    "The signature verifies with {} over the base string with this mistake.",
                    signer.label
                ))
                .differing(Diff::of_texts("Base string", nearest, text));
            for also in more {
                cause = cause.with("also", also.code, also.what.as_str());
            }
            walk.failed(StepId::BaseString, text.as_str(), nearest, cause);
        }
        (None, _) => {
            let cause = other_base_string(signer, strings);
            walk.failed(StepId::BaseString, "not known", expected, cause);
        }
    }
    let wrong_key = key(signer, authorization, known, call);
    let wrong_form = form(&signer.recovered, method(authorization), signer);
    match wrong_key.or(wrong_form) {
        Some((expected, cause)) => {
            let found = format!("{}, by {}", described(&signer.recovered), signer.label);
            walk.failed(StepId::Signature, found, expected, cause);
        }
        None => {
            let found = format!("{}, by {}", described(&signer.recovered), signer.label);
            walk.passed(StepId::Signature, found);
        }
    }
    signer.issuer
}

/// The base string of the gateway that has most in common with the client's.
fn nearest<'s>(strings: &'s [String], text: &str) -> &'s str {
    let common = |string: &&String| {
        let start = string.bytes().zip(text.bytes());
        let end = string.bytes().rev().zip(text.bytes().rev());
        start.take_while(|(a, b)| a == b).count() + end.take_while(|(a, b)| a == b).count()
    };
    // Of equals the first: the most usual form.
    strings
        .iter()
        .rev()
        .max_by_key(common)
        .map_or("", String::as_str)
}

fn unknown_signer(walk: &mut Walk, authorization: &Authorization<'_>, known: &Knowledge) {
    let signature = authorization.signature();
    let keys = known.issuers.iter().flat_map(|issuer| &issuer.signing);
    let own = keys
        .clone()
        .find(|signing| signing.consumer_key == authorization.consumer_key())
        .or_else(|| keys.clone().next());
    let size = own.map_or(256, |signing| signing.key.size());
    let lengths: Vec<usize> = keys.clone().map(|signing| signing.key.size()).collect();
    walk.not_checked(
        StepId::BaseString,
        "what was signed can only be read with the key that signed",
    );
    let found = codec::count(signature.len(), "byte");
    if !lengths.contains(&signature.len()) {
        let cause = wrong_length(signature, size);
        walk.failed(StepId::Signature, found, format!("{size} bytes"), cause);
        return;
    }
    let count = keys.count()
        + known.gateway.len()
        + known
            .issuers
            .iter()
            .map(|issuer| issuer.encryption.len())
            .sum::<usize>();
    let cause = Cause::new(
        "signature.unknown_key",
        "The signature was made with a key that nobody has here, or damaged on its way.",
        "Sign with the private key whose certificate was handed in for this consumer key: not one \
         of another environment (Mastercard's sandbox or production), and not an old one. In a \
         .p12 file with several keys, take the right alias.",
    )
    .proven(format!(
        "Read with each of the {count} public keys that are known here, the signature has no \
         padding: none of them made it.",
    ));
    walk.failed(
        StepId::Signature,
        format!("{found} by an unknown key"),
        "a signature by the consumer key's key",
        cause,
    );
}

fn other_base_string(signer: &Signer<'_>, strings: &[String]) -> Cause {
    let who = match signer.owner {
        Owner::ConsumerKey => "The right key",
        _ => "A key that is known here",
    };
    let mut cause = Cause::new(
        "signature.other_base_string",
        format!(
            "{who} signed, but another base string than the gateway built, and no usual mistake \
             explains it."
        ),
        "Print the base string that the client signs, and compare it with the gateway's.",
    )
    .proven(format!("{} made the signature.", sentence(&signer.label)));
    if let Recovered::Pkcs1 { hash, digest } = &signer.recovered {
        let own = strings.first().map(|text| hash.of(text.as_bytes()));
        cause = cause.with(
            format!("{} of the client's base string", hash.name()),
            hex::encode(digest),
            format!("the gateway's is {}", hex::encode(own.unwrap_or_default())),
        );
    }
    cause
}

/// A key that may not sign for this consumer key.
fn key(
    signer: &Signer<'_>,
    authorization: &Authorization<'_>,
    known: &Knowledge,
    call: &Recorded,
) -> Option<(String, Cause)> {
    let consumer_key = authorization.consumer_key();
    let named = known
        .issuers
        .iter()
        .flat_map(|issuer| &issuer.signing)
        .any(|signing| signing.consumer_key == consumer_key);
    let issuer = signer.issuer.map_or("", |issuer| issuer.name.as_str());
    let (code, what, advice) = match signer.owner {
        Owner::ConsumerKey => return None,
        Owner::Ended => (
            "signature.certificate_ended",
            format!(
                "The key is right, but its certificate had ended when the call came{}.",
                call.at
                    .map(|at| at.format(" (%Y-%m-%d)").to_string())
                    .unwrap_or_default()
            ),
            "Hand in a new certificate for the consumer key (issuer apply).".to_owned(),
        ),
        Owner::NotBegun => (
            "signature.certificate_not_begun",
            "The key is right, but its certificate is not valid yet.".to_owned(),
            "Check the certificate's first day, and the clock of the machine that made it."
                .to_owned(),
        ),
        Owner::SameIssuer => (
            "signature.key_of_other_consumer_key",
            format!(
                "The signature was made with another key of {issuer}: {}.",
                signer.label
            ),
            format!("Sign with the key of {consumer_key}, or send the consumer key of the other."),
        ),
        Owner::Decryption => (
            "signature.decryption_key",
            format!(
                "The signature was made with the key of {issuer} that decrypts answers, not with \
                 its signing key."
            ),
            "Sign with the signing key (signing.p12, not decryption.p12).".to_owned(),
        ),
        Owner::OtherIssuer => (
            "signature.key_of_other_issuer",
            format!(
                "The signature was made with a key of another issuer: {}.",
                signer.label
            ),
            if named {
                "Take consumer key and signing key of the same issuer.".to_owned()
            } else {
                let own = signer.issuer.and_then(|issuer| issuer.signing.first());
                let own = own.map_or("", |signing| signing.consumer_key.as_str());
                format!("The consumer key of this signing key is {own}.")
            },
        ),
        Owner::Gateway => (
            "signature.gateway_key",
            format!("The signature was made with {}.", signer.label),
            "Sign with the issuer's own signing key; the gateway's key is for encryption."
                .to_owned(),
        ),
    };
    let cause = Cause::new(code, what, advice).proven(format!(
        "{} is the only one under which the signature has a padding.",
        sentence(&signer.label)
    ));
    Some((format!("the key of {consumer_key}"), cause))
}

/// Another hash or padding than the method says.
fn form(recovered: &Recovered, method: &str, signer: &Signer<'_>) -> Option<(String, Cause)> {
    let hash_cause = |hash: Hash| {
        let code = match hash {
            Hash::Sha1 => "signature.sha1",
            Hash::Sha512 => "signature.sha512",
            Hash::Md5 => "signature.md5",
            _ => "signature.other_hash",
        };
        Cause::new(
            code,
            format!("The base string was signed with {}.", hash.name()),
            "Sign with SHA-256 (SHA256withRSA in Java, RSA-SHA256 in OpenSSL and Node).",
        )
    };
    let cause = match (method, recovered) {
        ("RSA-SHA256", Recovered::Pkcs1 { hash, .. }) if *hash != Hash::Sha256 => hash_cause(*hash),
        ("RSA-SHA256", Recovered::Pss { .. }) => Cause::new(
            "signature.pss",
            "The signature has the padding of RSA-PSS, and the header says RSA-SHA256.",
            "Sign with PKCS#1 v1.5 padding, or name the method RSA-PSS in header and base string.",
        ),
        ("RSA-PSS", Recovered::Pkcs1 { .. }) => Cause::new(
            "signature.pkcs1",
            "The signature has PKCS#1 v1.5 padding, and the header says RSA-PSS.",
            "Sign with PSS padding, or name the method RSA-SHA256 in header and base string.",
        ),
        ("RSA-PSS", Recovered::Pss { hash, .. }) if *hash != Hash::Sha256 => hash_cause(*hash),
        ("RSA-PSS", Recovered::Pss { mgf1, .. }) if *mgf1 != Hash::Sha256 => Cause::new(
            "signature.pss_mgf1",
            format!("The PSS padding was made with MGF1 and {}.", mgf1.name()),
            "Set MGF1 to SHA-256, too (in Java: new PSSParameterSpec(\"SHA-256\", \"MGF1\", \
             MGF1ParameterSpec.SHA256, 32, 1)).",
        ),
        ("RSA-PSS", Recovered::Pss { salt, .. }) if salt.len() != 32 => Cause::new(
            "signature.pss_salt",
            format!("The PSS salt has {}.", codec::count(salt.len(), "byte")),
            "Set the salt length to 32 bytes (that of the hash); OpenSSL's default is the longest.",
        ),
        (_, Recovered::Bare(_)) => Cause::new(
            "signature.no_digest_info",
            "The signature is a bare hash, padded and encrypted, without the name of the hash.",
            "Use the signing function of the library (SHA256withRSA), not RSA encryption of a \
             hash.",
        ),
        _ => return None,
    };
    let proof = format!(
        "Read with {}, it is {}.",
        signer.label,
        described(recovered)
    );
    let expected = match method {
        "RSA-PSS" => "PSS with SHA-256, MGF1 with SHA-256, a salt of 32 bytes",
        _ => "PKCS#1 v1.5 with SHA-256",
    };
    Some((expected.to_owned(), cause.proven(proof)))
}

fn described(recovered: &Recovered) -> String {
    match recovered {
        Recovered::Pkcs1 { hash, .. } => format!("PKCS#1 v1.5 with {}", hash.name()),
        Recovered::Bare(content) => {
            format!("PKCS#1 v1.5 around {}", codec::count(content.len(), "byte"))
        }
        Recovered::Pss {
            hash, mgf1, salt, ..
        } => format!(
            "PSS with {}, MGF1 with {}, a salt of {}",
            hash.name(),
            mgf1.name(),
            codec::count(salt.len(), "byte")
        ),
    }
}

/// With a capital letter.
fn sentence(text: &str) -> String {
    let mut characters = text.chars();
    characters
        .next()
        .map(|first| first.to_uppercase().collect::<String>() + characters.as_str())
        .unwrap_or_default()
}
