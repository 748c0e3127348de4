//! `oauth_body_hash` against the body: of which other text, by which other hash, in which other
//! encoding it is.

mod bodies;

use super::authorization::parameter;
use super::codec;
use super::diff::{Diff, visible};
use super::digest::Hash;
use super::knowledge::Knowledge;
use super::recorded::Recorded;
use super::report::{Cause, StepId};
use super::walk::Walk;
use crate::oauth1::Authorization;
use bodies::Body;

pub(super) fn examine(
    walk: &mut Walk,
    call: &Recorded,
    authorization: &Authorization<'_>,
    known: &Knowledge,
) {
    let right = codec::to_base64(&Hash::Sha256.of(&call.body));
    let claimed = parameter(authorization, "oauth_body_hash");
    match claimed {
        Some(claimed) if call.missing > 0 => {
            let why = format!("{}: the body is not here", visible(claimed));
            walk.not_checked(StepId::BodyHash, why);
        }
        None if call.body.is_empty() && call.missing == 0 => {
            walk.passed(StepId::BodyHash, "none, and no body");
        }
        None => {
            let cause = Cause::new(
                "body_hash.missing",
                "The call has a body and no oauth_body_hash.",
                "Add oauth_body_hash to the OAuth parameters before signing: the SHA-256 of the \
                 body's bytes in base64 (Google's body hash extension).",
            );
            walk.failed(StepId::BodyHash, "none", right, cause);
        }
        Some(claimed) if claimed == right => walk.passed(StepId::BodyHash, claimed),
        Some(claimed) => {
            let cause = why(claimed, call, known);
            walk.failed(StepId::BodyHash, visible(claimed), right, cause);
        }
    }
}

/// A code, the encoding for people, and the encoder.
type Encoding = (&'static str, &'static str, fn(&[u8]) -> String);

/// How the hash is written: padded standard base64 first, which is right.
const ENCODINGS: [Encoding; 7] = [
    ("", "", codec::to_base64),
    ("body_hash.hex", "in hex", |digest| hex::encode(digest)),
    ("body_hash.hex", "in upper-case hex", |digest| {
        hex::encode_upper(digest)
    }),
    (
        "body_hash.base64_of_hex",
        "in base64 of its hex digits",
        |digest| codec::to_base64(hex::encode(digest).as_bytes()),
    ),
    ("body_hash.base64url", "in base64url", |digest| {
        codec::to_base64(digest).replace('+', "-").replace('/', "_")
    }),
    ("body_hash.unpadded", "without the padding =", |digest| {
        codec::to_base64(digest).trim_end_matches('=').to_owned()
    }),
    (
        "body_hash.base64url",
        "in base64url without padding",
        codec::to_base64url,
    ),
];

fn why(claimed: &str, call: &Recorded, known: &Knowledge) -> Cause {
    let decoded = percent_encoding::percent_decode_str(claimed).decode_utf8_lossy();
    let written = decoded.trim();
    let respelt = written != claimed;
    // The fewest mistakes at once come first: another text with the right hash is more usual than
    // the right text with two mistakes.
    let bodies = bodies::all(call, known);
    let digests: Vec<(&Body, Hash, Vec<u8>)> = bodies
        .iter()
        .flat_map(|body| Hash::ALL.map(|hash| (body, hash, hash.of(&body.bytes))))
        .filter(|(.., digest)| !digest.is_empty())
        .collect();
    for mistakes in 0..=2_u8 {
        for (body, hash, digest) in &digests {
            let wrong = u8::from(*hash != Hash::Sha256) + u8::from(!body.is_right());
            let found = ENCODINGS.iter().find(|(code, _, encode)| {
                wrong + u8::from(!code.is_empty()) == mistakes && encode(digest) == written
            });
            if let Some((code, how, _)) = found {
                return told(call, body, *hash, (code, how), respelt);
            }
        }
    }
    let length = codec::base64(written).map(|bytes| bytes.len());
    if length.is_some_and(|length| length != Hash::Sha256.len()) || length.is_none() {
        return Cause::new(
            "body_hash.not_sha256",
            format!(
                "oauth_body_hash is no SHA-256 in base64: that is 32 bytes in 44 characters, and \
                 this has {}.",
                codec::count(claimed.chars().count(), "character")
            ),
            "Hash the bytes of the body as they are sent with SHA-256, and encode the 32 bytes in \
             base64.",
        );
    }
    Cause::new(
        "body_hash.other_body",
        "oauth_body_hash is the hash of another body than the one that came: the body was changed \
         after it was hashed.",
        "Serialize and encrypt once, keep the bytes, hash them and send the same ones. Proxies and \
         HTTP libraries that write JSON anew change them.",
    )
}

fn told(
    call: &Recorded,
    body: &Body,
    hash: Hash,
    (code, encoded): (&'static str, &str),
    respelt: bool,
) -> Cause {
    let proof = format!(
        "The {} of {} {}is exactly what was sent.",
        hash.name(),
        body.what,
        if encoded.is_empty() {
            String::new()
        } else {
            format!("{encoded} ")
        }
    );
    let cause = if !body.is_right() {
        Cause::new(
            body.code,
            format!("oauth_body_hash is the hash of {}.", body.what),
            body.advice,
        )
        .differing(Diff::of_bytes("Body", &call.body, &body.bytes))
    } else if hash != Hash::Sha256 {
        let code = match hash {
            Hash::Sha1 => "body_hash.sha1",
            Hash::Sha512 => "body_hash.sha512",
            Hash::Md5 => "body_hash.md5",
            _ => "body_hash.other_hash",
        };
        Cause::new(
            code,
            format!("oauth_body_hash is made with {}.", hash.name()),
            "Use SHA-256.",
        )
    } else if !code.is_empty() {
        Cause::new(
            code,
            format!("oauth_body_hash is the right hash, {encoded}."),
            "Encode the 32 bytes of the hash in standard base64 with padding: 44 characters.",
        )
    } else if respelt {
        Cause::new(
            "body_hash.encoded_twice",
            "oauth_body_hash is the right hash, percent-encoded twice or with blanks around it.",
            "Percent-encode the value once in the header, or leave it as it is.",
        )
    } else {
        Cause::new("body_hash.other", "oauth_body_hash differs.", "")
    };
    cause.proven(proof)
}
