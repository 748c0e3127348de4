//! Parameters that are signed otherwise than they are sent, or not at all.

use super::super::super::authorization::parameter;
use super::super::super::codec;
use super::super::super::digest::Hash;
use super::super::super::recorded::Recorded;
use super::super::draft::Draft;
use super::{Mistake, Part};
use crate::oauth1::Authorization;

pub(super) fn all(call: &Recorded, authorization: &Authorization<'_>, mistakes: &mut Vec<Mistake>) {
    const AS_SENT: &str = "Put the same values into the header and the base string.";
    let mut add = |code, what: String, advice: &str, make: Box<dyn Fn(&mut Draft)>| {
        mistakes.push(Mistake {
            code,
            what,
            advice: advice.to_owned(),
            part: Part::Parameters,
            make,
        });
    };
    let mut set = |code, name: &str, value: String, advice: &str| {
        let what = format!("The client signed {name}={value:?}, which the header does not have.");
        let name = name.to_owned();
        add(
            code,
            what,
            advice,
            Box::new(move |draft| draft.set(&name, &value)),
        );
    };
    let sent = |name: &str| parameter(authorization, name).map(str::to_owned);
    let hash = sent("oauth_body_hash");
    let digest = Hash::Sha256.of(&call.body);
    let hashes = [
        codec::to_base64(&digest),
        codec::to_base64(&Hash::Sha256.of(b"")),
        codec::to_base64url(&digest),
        codec::to_base64(&digest).trim_end_matches('=').to_owned(),
        hex::encode(&digest),
        codec::to_base64(&Hash::Sha1.of(&call.body)),
        String::new(),
    ];
    for other in hashes {
        match &hash {
            Some(hash) if *hash != other => {
                set(
                    "signature.other_body_hash",
                    "oauth_body_hash",
                    other,
                    AS_SENT,
                );
            }
            None if !other.is_empty() => set(
                "signature.body_hash_not_sent",
                "oauth_body_hash",
                other,
                "Send oauth_body_hash in the header, too.",
            ),
            _ => {}
        }
    }
    let method = sent("oauth_signature_method").unwrap_or_default();
    let names = [
        "RSA-SHA256",
        "RSA-SHA1",
        "RSA-PSS",
        "HMAC-SHA1",
        "HMAC-SHA256",
        "SHA256withRSA",
    ];
    for name in names.into_iter().filter(|name| *name != method) {
        set(
            "signature.other_method_name",
            "oauth_signature_method",
            name.to_owned(),
            AS_SENT,
        );
    }
    let timestamp = authorization.timestamp();
    for off in [-1, 1, -2, 2] {
        let other = timestamp.saturating_add(off).to_string();
        set(
            "signature.other_timestamp",
            "oauth_timestamp",
            other,
            "Take the time once, and put the same value into the header and the base string.",
        );
    }
    set(
        "signature.other_timestamp",
        "oauth_timestamp",
        timestamp.saturating_mul(1_000).to_string(),
        AS_SENT,
    );
    if sent("oauth_version").is_none() {
        set(
            "signature.version_not_sent",
            "oauth_version",
            "1.0".to_owned(),
            AS_SENT,
        );
    }
    for (name, value) in [
        ("oauth_token", ""),
        ("oauth_callback", "oob"),
        ("oauth_signature", ""),
    ] {
        if sent(name).is_none() {
            set(
                "signature.parameter_not_sent",
                name,
                value.to_owned(),
                "Sign what the header has, without oauth_signature and realm.",
            );
        }
    }
    if let Some(realm) = realm(call) {
        set(
            "signature.realm_signed",
            "realm",
            realm,
            "Leave the realm out of the base string.",
        );
    }
    let key = sent("oauth_consumer_key").unwrap_or_default();
    for other in [
        key.split('!').next().unwrap_or_default().to_owned(),
        key.replace('!', "%21"),
    ] {
        if other != key {
            set(
                "signature.other_consumer_key",
                "oauth_consumer_key",
                other,
                AS_SENT,
            );
        }
    }
    for (name, _) in authorization.signed() {
        let code = match name {
            "oauth_body_hash" => "signature.body_hash_left_out",
            _ => "signature.parameter_left_out",
        };
        let name = name.to_owned();
        add(
            code,
            format!("The client sent {name} and left it out of the base string."),
            "Sign every parameter of the header but realm and oauth_signature.",
            Box::new(move |draft| draft.oauth.retain(|(known, _)| *known != name)),
        );
    }
}

/// The realm that the header names.
fn realm(call: &Recorded) -> Option<String> {
    let header = call.header("authorization")?;
    let at = header.to_ascii_lowercase().find("realm=\"")?;
    let value = header.get(at + "realm=\"".len()..)?;
    Some(value.split('"').next()?.to_owned())
}
