//! The usual mistakes in base strings: how each is made, so that a signature can show it.

use super::super::authorization::parameter;
use super::super::codec;
use super::super::digest::Hash;
use super::super::endpoint::MOUNT;
use super::super::recorded::Recorded;
use super::draft::{Draft, Escapes, Layout, Order, Query, Wrap};
use super::origins::Other;
use crate::oauth1::Authorization;
use percent_encoding::percent_decode_str;

/// What a mistake changes. Two mistakes at once change two things.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Part {
    Method,
    Origin,
    Path,
    Query,
    Parameters,
    Order,
    Escapes,
    Wrap,
}

/// A mistake, and how it is made.
pub(super) struct Mistake {
    pub(super) code: &'static str,
    /// A sentence: what the client did.
    pub(super) what: String,
    /// A sentence: what it should do.
    pub(super) advice: String,
    pub(super) part: Part,
    make: Box<dyn Fn(&mut Draft)>,
}

impl Mistake {
    fn new(
        part: Part,
        code: &'static str,
        what: impl Into<String>,
        advice: impl Into<String>,
        make: impl Fn(&mut Draft) + 'static,
    ) -> Self {
        Self {
            code,
            what: what.into(),
            advice: advice.into(),
            part,
            make: Box::new(make),
        }
    }

    /// Makes it.
    pub(super) fn apply(&self, draft: &mut Draft) {
        (self.make)(draft);
    }
}

/// Every usual mistake that this call allows, the most usual first.
pub(super) fn all(call: &Recorded, authorization: &Authorization<'_>) -> Vec<Mistake> {
    let mut all = Vec::new();
    query(call, &mut all);
    method(call, &mut all);
    path(call, &mut all);
    order(&mut all);
    parameters(call, authorization, &mut all);
    escapes(&mut all);
    wrap(&mut all);
    all
}

/// The mistake to have signed another origin.
pub(super) fn origin(other: Other) -> Mistake {
    let what = match other.code {
        "signature.scheme" => "The client signed a URL with another scheme",
        "signature.host" => "The client signed a URL with another host",
        "signature.host_case" => "The client signed the host in upper case",
        "signature.port" => "The client signed a URL with another port, or without it",
        "signature.path_prefix" => "The client signed a URL with another path prefix",
        _ => "The client signed another URL",
    };
    let advice = format!(
        "Sign the URL as the gateway is known by: {}. If clients call it by another, behind a \
         proxy, the operator sets server.public_base_urls.",
        other.nearest
    );
    let text = other.text;
    Mistake::new(
        Part::Origin,
        other.code,
        format!("{what}: {text}."),
        advice,
        move |draft| text.clone_into(&mut draft.origin),
    )
}

fn method(call: &Recorded, all: &mut Vec<Mistake>) {
    let lower = call.method.to_ascii_lowercase();
    const OTHERS: [&str; 6] = ["GET", "POST", "PUT", "DELETE", "PATCH", "HEAD"];
    for other in OTHERS.into_iter().filter(|other| *other != call.method) {
        all.push(Mistake::new(
            Part::Method,
            "signature.http_method",
            format!("The client signed {other} and sent {}.", call.method),
            format!("Begin the base string with {}.", call.method),
            move |draft| other.clone_into(&mut draft.method),
        ));
    }
    if lower != call.method {
        all.push(Mistake::new(
            Part::Method,
            "signature.http_method_case",
            "The client signed the method in lower case.",
            format!("Begin the base string with {}.", call.method),
            move |draft| lower.clone_into(&mut draft.method),
        ));
    }
}

fn path(call: &Recorded, all: &mut Vec<Mistake>) {
    let path = call.path();
    let advice = format!("Sign the path exactly as it is sent: {path}.");
    let mut add = |code, what: &str, other: String| {
        if other != path {
            let text = format!("{what}: {other:?}.");
            all.push(Mistake::new(
                Part::Path,
                code,
                text,
                advice.clone(),
                move |draft| other.clone_into(&mut draft.path),
            ));
        }
    };
    const SLASH: &str = "The client signed the path with another end";
    match path.strip_suffix('/') {
        Some(without) => add("signature.trailing_slash", SLASH, without.to_owned()),
        None => add("signature.trailing_slash", SLASH, format!("{path}/")),
    }
    const PREFIX: &str = "The client signed the path with another beginning";
    match path.strip_prefix(MOUNT) {
        Some(rest) => add("signature.path_prefix", PREFIX, rest.to_owned()),
        None => add("signature.path_prefix", PREFIX, format!("{MOUNT}{path}")),
    }
    add(
        "signature.path_case",
        "The client signed the path in lower case",
        path.to_lowercase(),
    );
    const CODING: &str = "The client signed the path in another encoding";
    let decoded = percent_decode_str(path).decode_utf8_lossy().into_owned();
    add("signature.path_encoding", CODING, decoded);
    let again: Vec<String> = path
        .split('/')
        .map(|part| {
            percent_encoding::utf8_percent_encode(part, percent_encoding::NON_ALPHANUMERIC)
                .to_string()
                .replace("%2D", "-")
                .replace("%2E", ".")
                .replace("%5F", "_")
                .replace("%7E", "~")
        })
        .collect();
    add("signature.path_encoding", CODING, again.join("/"));
    const DOUBLE: &str = "The client signed the path with other slashes";
    add("signature.double_slash", DOUBLE, format!("/{path}"));
    add("signature.double_slash", DOUBLE, path.replace("//", "/"));
    const SHORT: &str = "The client signed a part of the path alone";
    let mut shorter = path;
    while let Some((before, _)) = shorter.rsplit_once('/') {
        add("signature.path_cut", SHORT, before.to_owned());
        shorter = before;
    }
    add("signature.path_cut", SHORT, "/".to_owned());
    let segments: Vec<&str> = path.split('/').collect();
    for (at, name) in [
        ("users", "{userid}"),
        ("users", ":userid"),
        ("users", "{user_id}"),
    ] {
        let after = segments.iter().position(|segment| *segment == at);
        if let Some(after) = after.filter(|after| segments.len() > after + 1) {
            let mut template = segments.clone();
            if let Some(segment) = template.get_mut(after + 1) {
                *segment = name;
            }
            add(
                "signature.path_template",
                "The client signed the path's template",
                template.join("/"),
            );
        }
    }
    if let Some(query) = call.query() {
        let url = format!("{path}?{query}");
        const WHAT: &str = "The client left the query in the URL of the base string.";
        const ADVICE: &str =
            "Cut the URL at the question mark, and sort the query's pairs among the parameters.";
        let alone = url.clone();
        all.push(Mistake::new(
            Part::Path,
            "signature.query_in_url",
            WHAT,
            ADVICE,
            move |draft| {
                draft.query.clear();
                alone.clone_into(&mut draft.path);
            },
        ));
        all.push(Mistake::new(
            Part::Path,
            "signature.query_in_url",
            WHAT,
            ADVICE,
            move |draft| url.clone_into(&mut draft.path),
        ));
    }
}

fn query(call: &Recorded, all: &mut Vec<Mistake>) {
    let Some(text) = call.query().filter(|query| !query.is_empty()) else {
        return;
    };
    all.push(Mistake::new(
        Part::Query,
        "signature.query_left_out",
        "The client left the query out of the base string.",
        "Add the query's pairs to the OAuth parameters, sort all of them, and sign that.",
        |draft| draft.query.clear(),
    ));
    for (code, what, order) in [
        (
            "signature.query_unsorted",
            "The client put the query before the OAuth parameters, unsorted.",
            Order::QueryThenSorted,
        ),
        (
            "signature.query_unsorted",
            "The client put the query after the OAuth parameters, unsorted.",
            Order::SortedThenQuery,
        ),
    ] {
        all.push(Mistake::new(
            Part::Query,
            code,
            what,
            "Sort the query's pairs and the OAuth parameters together, by name, then by value.",
            move |draft| draft.order = order,
        ));
    }
    all.push(Mistake::new(
        Part::Query,
        "signature.query_not_encoded",
        "The client signed the query's values decoded, not as they are sent.",
        "Percent-encode names and values of the query before they are sorted and joined.",
        |draft| draft.reading = Query::Decoded,
    ));
    all.push(Mistake::new(
        Part::Query,
        "signature.query_encoded_twice",
        "The client percent-encoded the query's values once more than it sends them.",
        "Decode the query's values, then encode them once.",
        |draft| draft.reading = Query::Twice,
    ));
    let count = text.split('&').count();
    for left_out in (0..count).filter(|_| count > 1) {
        all.push(Mistake::new(
            Part::Query,
            "signature.query_pair_left_out",
            format!("The client left the query's pair {} out.", left_out + 1),
            "Sign every pair of the query, also those with an empty value.",
            move |draft| {
                if left_out < draft.query.len() {
                    draft.query.remove(left_out);
                }
            },
        ));
    }
}

fn order(all: &mut Vec<Mistake>) {
    for order in [Order::QueryThenHeader, Order::HeaderThenQuery] {
        all.push(Mistake::new(
            Part::Order,
            "signature.parameters_unsorted",
            "The client signed the parameters in the order of the header.",
            "Sort all parameters by name before joining them.",
            move |draft| draft.order = order,
        ));
    }
}

fn parameters(call: &Recorded, authorization: &Authorization<'_>, all: &mut Vec<Mistake>) {
    const AS_SENT: &str = "Put the same values into the header and the base string.";
    let mut add = |code, what: String, advice: &str, make: Box<dyn Fn(&mut Draft)>| {
        all.push(Mistake {
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

fn escapes(all: &mut Vec<Mistake>) {
    const ONCE: &str =
        "Percent-encode once: URL & parameters each as a whole, right before they are joined.";
    let mut add = |code, what: &str, make: fn(&mut Draft)| {
        all.push(Mistake::new(Part::Escapes, code, what, ONCE, make));
    };
    add(
        "signature.encoded_twice",
        "The client percent-encoded the parameters twice.",
        |draft| draft.parameters = 2,
    );
    add(
        "signature.encoded_twice",
        "The client percent-encoded the URL twice.",
        |draft| draft.url = 2,
    );
    add(
        "signature.encoded_twice",
        "The client percent-encoded URL and parameters twice.",
        |draft| (draft.url, draft.parameters) = (2, 2),
    );
    add(
        "signature.encoded_twice",
        "The client percent-encoded the values of the OAuth parameters twice.",
        |draft| draft.values = 2,
    );
    add(
        "signature.not_encoded",
        "The client did not percent-encode URL and parameters.",
        |draft| (draft.url, draft.parameters) = (0, 0),
    );
    add(
        "signature.not_encoded",
        "The client did not percent-encode the parameters.",
        |draft| draft.parameters = 0,
    );
    add(
        "signature.not_encoded",
        "The client did not percent-encode the URL.",
        |draft| draft.url = 0,
    );
    const HOW: &str = "Escape as RFC 5849, section 3.6 says: all but letters, digits and -._~, in \
                       upper-case hex; a blank is %20.";
    let mut add = |code, what: &str, escapes: Escapes| {
        all.push(Mistake::new(Part::Escapes, code, what, HOW, move |draft| {
            draft.escapes = escapes
        }));
    };
    add(
        "signature.lower_case_escapes",
        "The client wrote escapes in lower case.",
        Escapes::LowerHex,
    );
    add(
        "signature.form_encoded",
        "The client escaped as forms do it.",
        Escapes::Form,
    );
    add(
        "signature.escaped_too_much",
        "The client escaped the characters -._~, too.",
        Escapes::TooMany,
    );
}

fn wrap(all: &mut Vec<Mistake>) {
    let mut add = |code, what: &str, advice: &str, make: Box<dyn Fn(&mut Draft)>| {
        all.push(Mistake {
            code,
            what: what.to_owned(),
            advice: advice.to_owned(),
            part: Part::Wrap,
            make,
        });
    };
    const END: &str = "Sign the base string without anything before or behind it.";
    for (what, end) in [
        (
            "The client signed the base string with a line feed at its end.",
            "\n",
        ),
        (
            "The client signed the base string with CR LF at its end.",
            "\r\n",
        ),
        (
            "The client signed the base string with an ampersand at its end.",
            "&",
        ),
        (
            "The client signed the base string with a blank at its end.",
            " ",
        ),
    ] {
        add(
            "signature.end",
            what,
            END,
            Box::new(move |draft| draft.end = end),
        );
    }
    const HASHED: &str =
        "Hand the base string itself to the signing function: RSA-SHA256 hashes it.";
    for (code, what, advice, wrap) in [
        (
            "signature.hashed_twice",
            "The client signed the SHA-256 of the base string in place of the base string.",
            HASHED,
            Wrap::Digest,
        ),
        (
            "signature.hashed_twice",
            "The client signed the hex digits of the base string's SHA-256.",
            HASHED,
            Wrap::HexDigest,
        ),
        (
            "signature.utf16",
            "The client signed the base string in UTF-16.",
            "Turn the base string into bytes as UTF-8.",
            Wrap::Utf16Little,
        ),
        (
            "signature.utf16",
            "The client signed the base string in UTF-16 (big endian).",
            "Turn the base string into bytes as UTF-8.",
            Wrap::Utf16Big,
        ),
    ] {
        add(code, what, advice, Box::new(move |draft| draft.wrap = wrap));
    }
    const PARTS: &str = "Join METHOD & escaped URL & escaped parameters by ampersands.";
    for (what, layout) in [
        (
            "The client signed URL and parameters without the method.",
            Layout::WithoutMethod,
        ),
        (
            "The client signed the parameters alone.",
            Layout::ParametersAlone,
        ),
        (
            "The client joined method, URL and parameters without ampersands.",
            Layout::WithoutAmpersands,
        ),
    ] {
        add(
            "signature.parts",
            what,
            PARTS,
            Box::new(move |draft| draft.layout = layout),
        );
    }
}
