//! Who calls: the checks from the `Authorization` header to the issuer's state.

mod clock;
mod header;
mod method;

use super::body_hash;
use super::knowledge::{Knowledge, KnownIssuer};
use super::recorded::Recorded;
use super::report::{Cause, StepId};
use super::signature;
use super::walk::Walk;
use crate::issuers::IssuerStatus;
use crate::oauth1::{Authorization, Request, SignatureError};
use crate::payload::EnvelopeKind;

/// Whose payload it probably is.
pub(super) struct Caller<'k> {
    /// The issuer of the consumer key or, if nobody has that, of the key that signed.
    pub(super) issuer: Option<&'k KnownIssuer>,
}

/// All checks of the caller. Without a readable header there is nothing to check.
pub(super) fn examine<'k>(walk: &mut Walk, call: &Recorded, known: &'k Knowledge) -> Caller<'k> {
    let nobody = Caller { issuer: None };
    let Some(header) = header::examine(walk, call) else {
        return nobody;
    };
    let Ok(authorization) = Authorization::parse(&header.text) else {
        return nobody;
    };
    let request = request(call);
    method::examine(walk, &authorization);
    clock::examine(walk, call, &authorization, known.window_seconds);
    match authorization.base_strings(&request, &known.origins) {
        Ok(strings) => {
            let shown = request.query.map_or("none", |query| query);
            walk.passed(StepId::Query, shown);
            walk.base_strings = strings;
        }
        Err(error) => {
            query(walk, call, error);
            return nobody;
        }
    }
    body_hash::examine(walk, call, &authorization, known);
    let issuer = consumer_key(walk, &authorization, known);
    let signer = signature::examine(walk, call, &authorization, known, issuer);
    let issuer = issuer.or(signer);
    state(walk, call, issuer);
    nonce(walk, call, &authorization, known);
    content_type(walk, call);
    Caller { issuer }
}

/// The decoded value of a signed parameter.
pub(super) fn parameter<'a>(authorization: &'a Authorization<'_>, name: &str) -> Option<&'a str> {
    let mut signed = authorization.signed();
    signed
        .find(|(known, _)| *known == name)
        .map(|(_, value)| value)
}

/// The call as the verifier takes it.
pub(super) fn request(call: &Recorded) -> Request<'_> {
    Request {
        method: &call.method,
        path: call.path(),
        query: call.query(),
        body: &call.body,
    }
}

fn query(walk: &mut Walk, call: &Recorded, error: SignatureError) {
    let query = call.query().unwrap_or_default();
    let cause = match error {
        SignatureError::ParameterInQuery => Cause::new(
            "query.oauth_parameter",
            "The query has a parameter that begins with oauth_.",
            "Send the OAuth parameters in the Authorization header alone.",
        ),
        _ => Cause::new(
            "query.too_large",
            format!(
                "The query has {} bytes and {} pairs.",
                query.len(),
                query.split('&').count()
            ),
            "Send at most 1024 bytes and 32 pairs; path and query together at most 4096 bytes.",
        ),
    };
    let expected = "at most 1024 bytes and 32 pairs, none of which begins with oauth_";
    walk.failed(StepId::Query, query, expected, cause);
}

/// The issuer that has the consumer key.
fn consumer_key<'k>(
    walk: &mut Walk,
    authorization: &Authorization<'_>,
    known: &'k Knowledge,
) -> Option<&'k KnownIssuer> {
    let key = authorization.consumer_key();
    let has = |issuer: &&KnownIssuer| issuer.signing.iter().any(|s| s.consumer_key == key);
    if let Some(issuer) = known.issuers.iter().find(has) {
        walk.passed(StepId::ConsumerKey, format!("{key} of {}", issuer.name));
        return Some(issuer);
    }
    let keys = known.issuers.iter().flat_map(|issuer| &issuer.signing);
    let mut keys: Vec<&str> = keys.map(|signing| signing.consumer_key.as_str()).collect();
    keys.dedup();
    let decoded = percent_encoding::percent_decode_str(key).decode_utf8_lossy();
    let alike = |known: &&&str| {
        let bare = decoded.trim().trim_matches(['"', '\'']);
        bare == **known || bare.eq_ignore_ascii_case(known)
    };
    let client_id = authorization.client_id();
    let own = known
        .issuers
        .iter()
        .find(|issuer| issuer.client_id == client_id);
    let (code, what, advice) = if let Some(meant) = keys.iter().find(alike) {
        let how = if decoded.trim() == *meant {
            "is encoded twice, or has blanks around it"
        } else {
            "has letters in the wrong case, or quotes in it"
        };
        (
            "consumer_key.misspelt",
            format!("The consumer key {how}."),
            format!("Send {meant} exactly; an exclamation mark may be sent as it is or as %21."),
        )
    } else if let (Some(issuer), true) = (own, !key.contains('!')) {
        let key = issuer.signing.first().map(|s| s.consumer_key.as_str());
        (
            "consumer_key.client_id_alone",
            format!(
                "The consumer key is the client id of {} alone.",
                issuer.name
            ),
            format!(
                "Send the whole key with ! and the key id: {}.",
                key.unwrap_or("CLIENT_ID!KEY_ID")
            ),
        )
    } else if let Some(issuer) = own {
        let own: Vec<&str> = issuer
            .signing
            .iter()
            .map(|signing| signing.consumer_key.as_str())
            .collect();
        (
            "consumer_key.other_key_id",
            format!(
                "The client id is that of {}, but none of its keys has this key id.",
                issuer.name
            ),
            format!("Send one of: {}.", own.join(", ")),
        )
    } else {
        (
            "consumer_key.unknown",
            "No issuer on board has this consumer key.".to_owned(),
            "Take the consumer key of this gateway's issuer, not one of another system (such as \
             Mastercard's sandbox or production)."
                .to_owned(),
        )
    };
    walk.failed(
        StepId::ConsumerKey,
        key,
        keys.join(", "),
        Cause::new(code, what, advice),
    );
    own
}

/// The issuer must be on board and active.
fn state(walk: &mut Walk, call: &Recorded, known: Option<&KnownIssuer>) {
    let Some(issuer) = known.and_then(|known| known.issuer.as_ref()) else {
        walk.not_checked(StepId::Issuer, "the issuer's state is not known here");
        return;
    };
    let (code, state) = match issuer.status {
        IssuerStatus::Active => {
            if let Some(at) = call.at
                && issuer.require_recipient(at, EnvelopeKind::Jwe).is_err()
            {
                let cause = Cause::new(
                    "issuer.no_certificate",
                    format!(
                        "{} has no certificate that is valid now, to which its answer could be \
                         encrypted.",
                        issuer.name
                    ),
                    "Give the operator a certificate that is valid (issuer apply).",
                );
                walk.failed(
                    StepId::Issuer,
                    "no valid certificate",
                    "one that is valid",
                    cause,
                );
                return;
            }
            walk.passed(StepId::Issuer, format!("{} is active", issuer.name));
            return;
        }
        IssuerStatus::Inactive => ("issuer.inactive", "not activated yet"),
        IssuerStatus::Suspended => ("issuer.suspended", "suspended"),
        IssuerStatus::Terminated => ("issuer.terminated", "terminated"),
        IssuerStatus::Removed => ("issuer.removed", "not on board any more"),
    };
    let cause = Cause::new(
        code,
        format!("{} is {state}.", issuer.name),
        format!(
            "An operator can change it: issuer-gateway issuer set-status {} active.",
            issuer.client_id.as_str()
        ),
    );
    walk.failed(StepId::Issuer, state, "active", cause);
}

fn nonce(walk: &mut Walk, call: &Recorded, authorization: &Authorization<'_>, known: &Knowledge) {
    let own = known
        .issuers
        .iter()
        .find(|issuer| issuer.client_id == authorization.client_id());
    // A nonce is used up for the issuer, whichever of its keys signed.
    let same_issuer = |key: &str| {
        key == authorization.consumer_key()
            || own.is_some_and(|own| own.signing.iter().any(|s| s.consumer_key == key))
    };
    let nonce = authorization.nonce();
    let before = known
        .spent
        .iter()
        .find(|spent| spent.nonce == nonce && same_issuer(&spent.consumer_key));
    let told = call.answer.as_ref().is_some_and(|answer| {
        String::from_utf8_lossy(&answer.body).contains("oauth_nonce was used before")
    });
    let when = match before {
        None if told => "before".to_owned(),
        None => {
            let found = format!("{nonce}, in no other call that is known here");
            walk.passed(StepId::Nonce, found);
            return;
        }
        Some(spent) => spent.at.map_or_else(
            || "by a call before this one".to_owned(),
            |at| format!("at {}", at.format("%H:%M:%S UTC on %Y-%m-%d")),
        ),
    };
    let cause = Cause::new(
        "nonce.used",
        format!("The nonce {nonce} was used {when}."),
        "Make a new random nonce, timestamp and signature for each call, also when you send a \
         request again.",
    );
    walk.failed(StepId::Nonce, nonce, "a nonce that was never used", cause);
}

fn content_type(walk: &mut Walk, call: &Recorded) {
    // A call without a body has nothing to declare.
    if matches!(call.method.as_str(), "GET" | "HEAD") {
        walk.leave_out(&[StepId::ContentType]);
        return;
    }
    let types: Vec<&str> = call.all("content-type").collect();
    let single = match types.as_slice() {
        [single] => Some(*single),
        _ => None,
    };
    let media_type = single
        .and_then(|value| value.split(';').next())
        .map(str::trim);
    if !media_type.is_some_and(|value| value.eq_ignore_ascii_case("application/json")) {
        let cause = Cause::new(
            "content_type.not_json",
            "The body is not declared as JSON.",
            "Send the header Content-Type: application/json once (curl --data sends \
             application/x-www-form-urlencoded unless told otherwise).",
        );
        let found = if types.is_empty() {
            "no Content-Type".to_owned()
        } else {
            types.join(" and ")
        };
        walk.failed(StepId::ContentType, found, "application/json", cause);
        return;
    }
    let coding = call.header("content-encoding").unwrap_or_default();
    let plain = coding
        .split(',')
        .all(|part| part.trim().is_empty() || part.trim().eq_ignore_ascii_case("identity"));
    if !plain {
        let cause = Cause::new(
            "content_type.encoded",
            format!("The body is sent with Content-Encoding: {coding}."),
            "Send the JSON text as it is: the body hash is that of the bytes on the wire.",
        );
        walk.failed(StepId::ContentType, coding, "no Content-Encoding", cause);
        return;
    }
    walk.passed(StepId::ContentType, single.unwrap_or_default());
}
