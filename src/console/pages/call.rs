//! One call: what came, what went out, and what the gateway found in between.

use super::super::Console;
use super::super::text::{milliseconds, pretty, reason_codes, sealed_as};
use super::list::{Names, envelope, path};
use crate::explain::{Cause, Explanation, Part, Verdict};
use crate::recording::{Body, Headers, RecordedCall};
use askama::Template;
use std::time::Duration;

/// `/console/calls/{number}`
#[derive(Template)]
#[template(path = "call.html", config = "src/console/askama.toml")]
pub struct CallPage {
    tab: &'static str,
    number: u64,
    previous: Option<u64>,
    next: Option<u64>,
    method: String,
    path: String,
    status: u16,
    class: u16,
    reason: Option<String>,
    explained: Option<Explained>,
    facts: Vec<(&'static str, String)>,
    steps: Vec<Bar>,
    messages: Vec<Message>,
}

/// Why it was refused.
struct Explained {
    summary: String,
    cause: Option<Cause>,
    /// The cause says what the summary says.
    repeats: bool,
    checks: Vec<Check>,
    base_strings: Vec<String>,
}

/// One of the gateway's checks.
struct Check {
    title: &'static str,
    word: &'static str,
    class: &'static str,
    found: Option<String>,
    expected: Option<String>,
    further: Option<Cause>,
}

impl Explained {
    fn of(explanation: Explanation) -> Self {
        let checks = explanation.steps.into_iter().map(|step| Check {
            title: step.title,
            word: step.verdict.word(),
            class: match step.verdict {
                Verdict::Passed => "passed",
                Verdict::Failed => "failed",
                Verdict::NotReached | Verdict::NotChecked => "open",
            },
            found: step.found,
            expected: step.expected,
            further: step.further,
        });
        let summary = explanation.summary;
        let cause = explanation.cause;
        Self {
            repeats: cause.as_ref().is_some_and(|cause| cause.what == summary),
            summary,
            cause,
            checks: checks.collect(),
            base_strings: explanation.base_strings,
        }
    }
}

/// A step's part of the whole time, in thousandths.
struct Bar {
    name: &'static str,
    from: u64,
    width: u64,
    took: String,
}

/// Request or answer.
struct Message {
    id: &'static str,
    title: &'static str,
    line: String,
    headers: Headers,
    open: bool,
    wire: String,
    length: String,
    none: &'static str,
    clear: Option<String>,
    why: &'static str,
}

impl CallPage {
    /// The page of a call that `console` keeps.
    pub fn of(
        console: &Console,
        call: &RecordedCall,
        names: &Names,
        explanation: Option<Explanation>,
    ) -> Self {
        let kept = console.log.after(0);
        let numbers = kept.iter().map(|call| call.number);
        Self {
            tab: "calls",
            number: call.number,
            previous: numbers.clone().rfind(|number| *number < call.number),
            next: numbers.clone().find(|number| *number > call.number),
            method: call.request.method.clone(),
            path: path(&call.request.url).to_owned(),
            status: call.answer.status,
            class: call.answer.status / 100,
            reason: call.is_refused().then(|| reason_codes(call).join(", ")),
            explained: explanation.map(Explained::of),
            facts: facts(call, names),
            steps: bars(call),
            messages: vec![request(call), answer(call)],
        }
    }
}

fn facts(call: &RecordedCall, names: &Names) -> Vec<(&'static str, String)> {
    let found = &call.findings;
    let caller = match (names.caller(call), &found.caller) {
        (Some((name, _)), Some(caller)) => Some(format!("{name} ({})", caller.name)),
        (Some((name, _)), None) => Some(format!("{name}, as it says; not proven")),
        (None, _) => None,
    };
    let consumer_key = found.caller.as_ref().map(|caller| &caller.consumer_key);
    let sealed = sealed_as(&call.request.body);
    let named = sealed.and_then(|sealed| sealed.key);
    let refusal = call.answer.reason.map(|reason| match call.answer.detail {
        Some(detail) => format!("{reason}: {detail}"),
        None => reason.to_owned(),
    });
    let rows = [
        ("Received", Some(call.request.received.to_rfc3339())),
        ("Took", Some(milliseconds(call.elapsed))),
        ("Issuer", caller),
        ("Consumer key", consumer_key.cloned()),
        (
            "Envelope",
            Some(envelope(call).to_owned()).filter(|text| !text.is_empty()),
        ),
        ("Key that the request names", named),
        ("Key that opened it", found.key.clone()),
        ("Refused because", refusal),
        ("Fault on demand", call.answer.fault.clone()),
        ("Request id", Some(call.request_id.clone())),
    ];
    let known = rows
        .into_iter()
        .filter_map(|(name, value)| Some((name, value?)));
    known.collect()
}

fn bars(call: &RecordedCall) -> Vec<Bar> {
    let total = call.elapsed.max(Duration::from_nanos(1)).as_nanos();
    let part = |time: Duration| u64::try_from(time.as_nanos() * 1_000 / total).unwrap_or(1_000);
    let mut begun = Duration::ZERO;
    let steps = call.findings.steps.iter().map(|(step, took)| {
        let bar = Bar {
            name: step.name(),
            from: part(begun).min(998),
            width: part(*took).max(2),
            took: milliseconds(*took),
        };
        begun += *took;
        bar
    });
    steps.collect()
}

fn length(body: &Body) -> String {
    format!("{} bytes", body.length())
}

fn request(call: &RecordedCall) -> Message {
    let request = &call.request;
    let sealed = sealed_as(&request.body).is_some();
    Message {
        id: "request",
        title: "Request",
        line: format!(
            "{} {} {}",
            request.method,
            path(&request.url),
            request.version
        ),
        headers: request.headers.clone(),
        open: true,
        wire: pretty(&request.body),
        length: length(&request.body),
        none: "There was no body, or the gateway did not read it.",
        clear: call.findings.clear_request.as_ref().map(pretty),
        why: match (request.body.bytes().is_empty(), sealed) {
            (true, _) => "Nothing to open.",
            (_, true) => "The gateway did not open the payload.",
            (_, false) => "The body came in clear.",
        },
    }
}

fn answer(call: &RecordedCall) -> Message {
    let answer = &call.answer;
    Message {
        id: "answer",
        title: "Answer",
        line: format!("HTTP {}", answer.status),
        headers: answer.headers.clone(),
        open: false,
        wire: pretty(&answer.body),
        length: length(&answer.body),
        none: "There was no body.",
        clear: call.findings.clear_answer.as_ref().map(pretty),
        why: "The answer went out in clear.",
    }
}
