//! The list of calls.

use super::super::Console;
use super::super::text::{claimed_client_id, milliseconds, reason_codes, sealed_as};
use super::{Choice, choices};
use crate::client::identity::SandboxFile;
use crate::payload::EnvelopeKind;
use crate::recording::RecordedCall;
use askama::Template;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Which calls are shown.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Filter {
    /// The short name of an issuer; empty: all.
    pub issuer: String,
    /// Refused calls alone.
    pub refused: bool,
}

/// The short names of the sandbox's issuers, by client id.
#[derive(Debug, Clone, Default)]
pub struct Names(BTreeMap<String, String>);

impl Names {
    /// Those in the sandbox's description.
    pub fn of(sandbox: &SandboxFile) -> Self {
        let issuers = sandbox.issuers.iter();
        Self(
            issuers
                .map(|(name, issuer)| (issuer.client_id.clone(), name.clone()))
                .collect(),
        )
    }

    /// The name of a client id; the id itself if it has none.
    pub fn get<'a>(&'a self, client_id: &'a str) -> &'a str {
        self.0.get(client_id).map_or(client_id, String::as_str)
    }

    /// Whose call it is: proven, or claimed by a call that is not.
    pub(super) fn caller(&self, call: &RecordedCall) -> Option<(String, bool)> {
        if let Some(caller) = &call.findings.caller {
            return Some((self.get(&caller.client_id).to_owned(), true));
        }
        let claimed = claimed_client_id(call.request.header("authorization")?)?;
        Some((self.get(&claimed).to_owned(), false))
    }
}

impl Filter {
    /// Whether it shows this call.
    pub fn shows(&self, call: &RecordedCall, names: &Names) -> bool {
        let issuer = self.issuer.is_empty()
            || names
                .caller(call)
                .is_some_and(|(name, _)| name == self.issuer);
        issuer && (!self.refused || call.is_refused())
    }

    fn query(&self) -> String {
        let mut query = url::form_urlencoded::Serializer::new(String::new());
        if !self.issuer.is_empty() {
            query.append_pair("issuer", &self.issuer);
        }
        if self.refused {
            query.append_pair("refused", "1");
        }
        match query.finish() {
            empty if empty.is_empty() => empty,
            query => format!("?{query}"),
        }
    }
}

/// A line of the list.
#[derive(Template)]
#[template(path = "row.html", config = "src/console/askama.toml")]
struct Row {
    number: u64,
    refused: bool,
    method: String,
    path: String,
    status: u16,
    class: u16,
    reason: String,
    fault: Option<String>,
    issuer: String,
    envelope: &'static str,
    took: String,
    date: String,
    time: String,
}

/// A call as a line of the list: HTML of one row of the table.
pub fn row(call: &RecordedCall, names: &Names) -> String {
    let row = Row {
        number: call.number,
        refused: call.is_refused(),
        method: call.request.method.clone(),
        path: path(&call.request.url).to_owned(),
        status: call.answer.status,
        class: call.answer.status / 100,
        reason: reason_codes(call).join(", "),
        fault: call.answer.fault.clone(),
        issuer: match names.caller(call) {
            Some((name, true)) => name,
            Some((name, false)) => format!("{name}, unproven"),
            None => String::new(),
        },
        envelope: envelope(call),
        took: milliseconds(call.elapsed),
        date: call.request.received.to_rfc3339(),
        time: call.request.received.format("%H:%M:%S%.3f").to_string(),
    };
    row.render().unwrap_or_default()
}

/// What comes after the host in an address.
pub(super) fn path(url: &str) -> &str {
    let after = url.split_once("://").map_or(url, |(_, rest)| rest);
    after
        .find('/')
        .and_then(|at| after.get(at..))
        .unwrap_or("/")
}

/// The request's envelope, whether it could be opened or not.
pub(super) fn envelope(call: &RecordedCall) -> &'static str {
    let sealed = sealed_as(&call.request.body).map(|sealed| sealed.kind);
    match (call.findings.envelope, sealed) {
        (Some(envelope), _) => envelope,
        (None, Some(EnvelopeKind::Jwe)) => "JWE",
        (None, Some(EnvelopeKind::FieldLevel)) => "field-level",
        (None, None) => "",
    }
}

/// `/`
#[derive(Template)]
#[template(path = "list.html", config = "src/console/askama.toml")]
pub struct ListPage {
    tab: &'static str,
    rows: Vec<String>,
    issuers: Vec<Choice>,
    refused: bool,
    empty: bool,
    base_url: String,
    query: String,
}

impl ListPage {
    /// The calls that the filter shows.
    pub fn of(console: &Console, sandbox: &SandboxFile, filter: &Filter) -> Self {
        let names = Names::of(sandbox);
        let calls: Vec<Arc<RecordedCall>> = console.log.after(0);
        let shown = calls.iter().rev().filter(|call| filter.shows(call, &names));
        Self {
            tab: "calls",
            rows: shown.map(|call| row(call, &names)).collect(),
            issuers: choices(sandbox.issuers.keys(), &filter.issuer),
            refused: filter.refused,
            empty: calls.is_empty(),
            base_url: sandbox.base_url.clone(),
            query: filter.query(),
        }
    }
}
