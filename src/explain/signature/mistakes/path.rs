//! Mistakes in the path of the base string's URL.

use super::super::super::endpoint::MOUNT;
use super::super::super::recorded::Recorded;
use super::{Mistake, Part};
use percent_encoding::percent_decode_str;

pub(super) fn all(call: &Recorded, mistakes: &mut Vec<Mistake>) {
    let path = call.path();
    let advice = format!("Sign the path exactly as it is sent: {path}.");
    let mut add = |code, what: &str, other: String| {
        if other != path {
            let text = format!("{what}: {other:?}.");
            mistakes.push(Mistake::new(
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
        mistakes.push(Mistake::new(
            Part::Path,
            "signature.query_in_url",
            WHAT,
            ADVICE,
            move |draft| {
                draft.query.clear();
                alone.clone_into(&mut draft.path);
            },
        ));
        mistakes.push(Mistake::new(
            Part::Path,
            "signature.query_in_url",
            WHAT,
            ADVICE,
            move |draft| url.clone_into(&mut draft.path),
        ));
    }
}
