//! The usual mistakes in base strings: how each is made, so that a signature can show it.

mod parameters;
mod path;
mod writing;

use super::super::recorded::Recorded;
use super::draft::{Draft, Order, Query};
use super::origins::Other;
use crate::oauth1::Authorization;

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
    path::all(call, &mut all);
    order(&mut all);
    parameters::all(call, authorization, &mut all);
    writing::escapes(&mut all);
    writing::wrap(&mut all);
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
