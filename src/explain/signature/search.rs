//! Looks for the text that a signature signs: the gateway's base strings first, then those with one
//! usual mistake, then with two.

use super::super::authorization::request;
use super::super::diff::shown;
use super::super::knowledge::Knowledge;
use super::super::recorded::Recorded;
use super::draft::{Draft, Escapes, Layout, Order, Query, Wrap};
use super::keys::Signer;
use super::mistakes::{self, Mistake, Part};
use super::origins;
use crate::oauth1::{Authorization, PublicOrigin, Request};

/// What was found out.
pub(super) struct Found<'k> {
    /// Whose key signed; `None`: no key that is known.
    pub(super) signer: Option<Signer<'k>>,
    /// The mistakes to undo; none where the client signed a base string of the gateway's.
    pub(super) mistakes: Vec<Mistake>,
    /// The text that the client signed, if it was found.
    pub(super) signed: Option<String>,
}

/// Two mistakes at once are tried for origins that differ in so many parts.
const NEAR: usize = 1;

/// `strings` are the gateway's base strings.
pub(super) fn find<'k>(
    call: &Recorded,
    authorization: &Authorization<'_>,
    known: &Knowledge,
    strings: &[String],
    signers: Vec<Signer<'k>>,
) -> Found<'k> {
    let signature = authorization.signature();
    let by = |text: &[u8]| {
        signers.iter().position(|signer| {
            signer.recovered.signs(text) && signer.recovered.verifies(signer.key, text, signature)
        })
    };
    let (mistakes, by, signed) = match search(call, authorization, known, strings, &by) {
        Some(found) => found,
        None => {
            let certain = |signer: &Signer<'_>| signer.recovered.is_certain();
            let by = signers.iter().position(certain);
            return Found {
                signer: by.and_then(|by| signers.into_iter().nth(by)),
                mistakes: Vec::new(),
                signed: None,
            };
        }
    };
    Found {
        signer: signers.into_iter().nth(by),
        mistakes,
        signed: Some(signed),
    }
}

type Match = (Vec<Mistake>, usize, String);

fn search(
    call: &Recorded,
    authorization: &Authorization<'_>,
    known: &Knowledge,
    strings: &[String],
    by: &impl Fn(&[u8]) -> Option<usize>,
) -> Option<Match> {
    for text in strings {
        if let Some(by) = by(text.as_bytes()) {
            return Some((Vec::new(), by, text.clone()));
        }
    }
    let mut all = mistakes::all(call, authorization);
    let mut far = Vec::new();
    for other in origins::others(call, &known.origins) {
        let near = other.differences <= NEAR;
        let mistake = mistakes::origin(other);
        if near {
            all.push(mistake);
        } else {
            far.push(mistake);
        }
    }
    let drafts = drafts(call, authorization, &known.origins);
    for (at, mistake) in all.iter().chain(&far).enumerate() {
        let found = drafts.iter().find_map(|draft| {
            let mut draft = draft.clone();
            mistake.apply(&mut draft);
            written(&draft, by).or_else(|| in_every_form(&draft, mistake, authorization, call, by))
        });
        if let Some((by, text)) = found {
            let mistake = all.into_iter().chain(far).nth(at)?;
            return Some((vec![mistake], by, text));
        }
    }
    two_at_once(all, far, &drafts, by)
}

/// Two mistakes that change two things. A far-off origin is tried with every other mistake, too.
fn two_at_once(
    mut all: Vec<Mistake>,
    far: Vec<Mistake>,
    drafts: &[Draft],
    by: &impl Fn(&[u8]) -> Option<usize>,
) -> Option<Match> {
    let usual = all.len();
    all.extend(far);
    for (first, one) in all.iter().enumerate() {
        for (second, other) in all.iter().enumerate().take(usual).skip(first + 1) {
            if one.part == other.part {
                continue;
            }
            let found = drafts.iter().find_map(|draft| {
                let mut draft = draft.clone();
                one.apply(&mut draft);
                other.apply(&mut draft);
                written(&draft, by)
            });
            if let Some((by, text)) = found {
                let second = all.swap_remove(second);
                let first = all.swap_remove(first);
                return Some((vec![first, second], by, text));
            }
        }
    }
    None
}

fn written(draft: &Draft, by: &impl Fn(&[u8]) -> Option<usize>) -> Option<(usize, String)> {
    let text = draft.text();
    let signed = draft.signed(&text);
    let by = by(&signed)?;
    let shown = match draft.wrap {
        Wrap::Text => text,
        Wrap::Digest => hex::encode(signed),
        _ => shown(&signed),
    };
    Some((by, shown))
}

/// Where the mistake is in the request line, in the forms of every library.
fn in_every_form(
    draft: &Draft,
    mistake: &Mistake,
    authorization: &Authorization<'_>,
    call: &Recorded,
    by: &impl Fn(&[u8]) -> Option<usize>,
) -> Option<(usize, String)> {
    let in_line = matches!(mistake.part, Part::Method | Part::Origin | Part::Path);
    if !in_line || draft.path.contains('?') {
        return None;
    }
    let origin = PublicOrigin::parse(&draft.origin).ok()?;
    let altered = Request {
        method: &draft.method,
        path: &draft.path,
        ..request(call)
    };
    let strings = authorization.base_strings(&altered, &[origin]).ok()?;
    strings
        .into_iter()
        .find_map(|text| Some((by(text.as_bytes())?, text)))
}

/// The base strings to make mistakes in: as official libraries write them, and as RFC 5849 does.
fn drafts(
    call: &Recorded,
    authorization: &Authorization<'_>,
    origins: &[PublicOrigin],
) -> Vec<Draft> {
    let pair = |part: &str| {
        let (name, value) = part.split_once('=').unwrap_or((part, ""));
        (name.to_owned(), value.to_owned())
    };
    let query = call.query().unwrap_or_default().split('&');
    let query: Vec<_> = query.filter(|part| !part.is_empty()).map(pair).collect();
    let signed = authorization.signed();
    let oauth: Vec<_> = signed
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect();
    let mut drafts = Vec::new();
    for origin in origins {
        for (values, reading) in [(0, Query::AsSent), (1, Query::EscapedAnew)] {
            drafts.push(Draft {
                method: call.method.clone(),
                origin: origin.as_str().to_owned(),
                path: call.path().to_owned(),
                query: query.clone(),
                oauth: oauth.clone(),
                order: Order::Sorted,
                reading,
                values,
                url: 1,
                parameters: 1,
                escapes: Escapes::Rfc,
                layout: Layout::Whole,
                end: "",
                wrap: Wrap::Text,
            });
        }
    }
    drafts
}
