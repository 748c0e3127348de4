//! Which calls are traced, what their spans are, and what the outbox holds.

use super::otlp::{KeyValue, Span, Value};
use super::outbox::{BATCH, CAPACITY};
use super::spans::Ended;
use super::*;
use crate::telemetry::Metrics;
use crate::timeline::Step;

/// Nobody listens there.
const NOWHERE: &str = "http://127.0.0.1:1";

fn traces(sample_ratio: f64) -> (Traces, Metrics) {
    let metrics = Metrics::new().unwrap();
    let settings = config::Traces {
        sample_ratio,
        ..config::Traces::to(NOWHERE)
    };
    let traces = Traces::start(&settings, metrics.spans.clone()).unwrap();
    (traces, metrics)
}

/// Without the thread, which would take calls out of the outbox.
fn kept(sample_ratio: f64) -> (Traces, Metrics) {
    let metrics = Metrics::new().unwrap();
    let traces = Traces {
        sampled: threshold(sample_ratio),
        outbox: Arc::default(),
        counters: metrics.spans.clone(),
        thread: Mutex::default(),
    };
    (traces, metrics)
}

fn parent(flags: &str) -> Option<Parent> {
    let header = format!("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-{flags}");
    Parent::read([header.as_bytes()].into_iter())
}

fn answered(issuer: Option<&'static str>, status: u16) -> Answered<'static> {
    Answered {
        request_id: Uuid::new_v4(),
        method: "POST",
        route: Some("/issuers/users".to_owned()),
        status,
        reason: (status != 200).then_some("reason"),
        issuer,
    }
}

fn timeline() -> Arc<Timeline> {
    Arc::new(Timeline::begin())
}

fn ended(parent: Option<Parent>, answered: Answered<'_>, timeline: Arc<Timeline>) -> Ended {
    let trace = Trace {
        parent,
        chosen: true,
        timeline,
        clocks: (SystemTime::now(), Instant::now()),
    };
    Ended::new(trace, answered)
}

fn attribute(span: &Span, key: &str) -> Option<String> {
    let is_it = |found: &&KeyValue| found.key == key;
    let found = span.attributes.iter().find(is_it)?.value.clone()?.value?;
    Some(match found {
        Value::Text(text) => text,
        Value::Number(number) => number.to_string(),
    })
}

#[test]
fn a_ratio_is_a_part_of_all_ids() {
    for (ratio, least, most) in [(0.0, 0, 0), (1.0, 10_000, 10_000), (0.1, 850, 1_150)] {
        let limit = threshold(ratio);
        let chosen = (0..10_000).filter(|_| dice(Uuid::new_v4()) < limit);
        let chosen = chosen.count();
        assert!((least..=most).contains(&chosen), "{ratio}: {chosen}");
    }
}

#[test]
fn a_sampled_parent_counts_once_its_caller_has_proven_who_it_is() {
    const FLAGGED: bool = true;
    // The ratio; the parent's flag; whether the caller is proven; whether the call is traced.
    for (ratio, flag, proven, traced) in [
        (0.0, None, true, false),
        (0.0, Some(!FLAGGED), true, false),
        (0.0, Some(FLAGGED), true, true),
        (0.0, Some(FLAGGED), false, false),
        (1.0, None, false, true),
        (1.0, Some(!FLAGGED), true, false),
        (1.0, Some(FLAGGED), false, true),
    ] {
        let (traces, _metrics) = kept(ratio);
        let flags = flag.map(|flag| if flag { "01" } else { "00" });
        let parent = flags.and_then(parent);
        if let Some(trace) = traces.begin(parent, Uuid::new_v4(), timeline) {
            traces.end(trace, answered(proven.then_some("issuer"), 200));
        }
        let found = traces.outbox.drain().len();
        assert_eq!(found, usize::from(traced), "{ratio} {flag:?} {proven}");
    }
}

#[test]
fn a_call_has_a_span_and_one_for_each_part_of_its_steps() {
    let timeline = timeline();
    timeline.reached(Step::Body);
    timeline.reached(Step::Signature);
    timeline.reached(Step::Checks);
    timeline.queued();
    timeline.taken();
    timeline.reached(Step::Decryption);
    timeline.reached(Step::Rules);
    timeline.queued();
    timeline.reached(Step::Commit);
    timeline.reached(Step::Answer);
    let answered = answered(Some("demo"), 503);
    let id = answered.request_id.simple().to_string();
    let ended = ended(parent("01"), answered, timeline);
    let spans = ended.spans();
    assert_eq!(spans.len(), ended.count());
    let names: Vec<_> = spans.iter().map(|span| span.name.as_str()).collect();
    let expected = [
        "POST /issuers/users",
        "read body",
        "verify",
        "checks",
        "unwrap queue",
        "unwrap",
        "rules",
        "seal rows",
        "commit queue",
        "seal answer",
    ];
    assert_eq!(names, expected);
    let whole = &spans[0];
    assert_eq!(hex::encode(&whole.parent_span_id), "00f067aa0ba902b7");
    assert_eq!((whole.kind, whole.flags), (otlp::SERVER, 0x301));
    assert_eq!(whole.status, Some(otlp::Status::error()));
    for (key, value) in [
        ("http.request.method", "POST"),
        ("http.route", "/issuers/users"),
        ("http.response.status_code", "503"),
        ("issuer_gateway.request_id", &id),
        ("issuer_gateway.issuer", "demo"),
        ("issuer_gateway.reason", "reason"),
        ("error.type", "reason"),
    ] {
        assert_eq!(attribute(whole, key).as_deref(), Some(value), "{key}");
    }
    for span in &spans {
        let trace = hex::encode(&span.trace_id);
        assert_eq!(trace, "4bf92f3577b34da6a3ce929d0e0e4736");
        assert!(span.start_time_unix_nano <= span.end_time_unix_nano);
    }
    for part in &spans[1..] {
        assert_eq!(part.parent_span_id, whole.span_id);
        assert_eq!((part.kind, part.flags), (otlp::INTERNAL, 0x101));
        assert_eq!(
            (&part.attributes, part.status.is_none()),
            (&Vec::new(), true)
        );
    }
    let mut ids: Vec<_> = spans.iter().map(|span| &span.span_id).collect();
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), spans.len());
}

#[test]
fn a_root_has_the_id_of_its_request_and_no_parent() {
    let answered = Answered {
        method: "other",
        route: None,
        ..answered(None, 404)
    };
    let id = answered.request_id;
    let spans = ended(None, answered, timeline()).spans();
    let [whole] = &spans[..] else {
        unreachable!("one span")
    };
    assert_eq!(whole.trace_id, id.as_bytes());
    assert!(whole.parent_span_id.is_empty());
    assert_eq!((whole.name.as_str(), whole.flags), ("HTTP", 0x101));
    let method = attribute(whole, "http.request.method");
    assert_eq!(method.as_deref(), Some("_OTHER"));
    for absent in ["http.route", "issuer_gateway.issuer", "error.type"] {
        assert_eq!(attribute(whole, absent), None);
    }
}

#[test]
fn nothing_of_an_unproven_caller_is_told_on() {
    let answered = answered(None, 401);
    let id = answered.request_id;
    let spans = ended(parent("01"), answered, timeline()).spans();
    assert_eq!(spans[0].trace_id, id.as_bytes());
    assert!(spans[0].parent_span_id.is_empty());
    assert_eq!(spans[0].flags, 0x101);
}

#[test]
fn a_call_that_the_database_did_not_take_has_its_commit() {
    let timeline = timeline();
    timeline.reached(Step::Rules);
    timeline.queued();
    timeline.taken();
    timeline.reached(Step::Commit);
    let answered = Answered {
        reason: None,
        ..answered(Some("demo"), 503)
    };
    let spans = ended(None, answered, timeline).spans();
    let last = spans.last().unwrap();
    assert_eq!(last.name, "commit");
    assert_eq!(attribute(&spans[0], "error.type").as_deref(), Some("503"));
}

#[test]
fn a_full_outbox_drops_and_counts_and_nobody_waits() {
    let (traces, metrics) = kept(1.0);
    let end = |issuer: Option<&'static str>| {
        let trace = traces.begin(None, Uuid::new_v4(), timeline).unwrap();
        traces.end(trace, answered(issuer, 200));
    };
    // Strangers leave half of it to the others.
    (0..CAPACITY / 2 + 1).for_each(|_| end(None));
    (0..CAPACITY / 2 + 2).for_each(|_| end(Some("demo")));
    let dropped = r#"issuer_gateway_spans_total{result="dropped"} 3"#;
    assert!(metrics.render().contains(dropped), "{}", metrics.render());
    assert_eq!(traces.outbox.take().unwrap().len(), BATCH);
    assert_eq!(traces.outbox.drain().len(), CAPACITY - BATCH);
}

#[test]
fn a_collector_that_is_away_costs_a_count_and_a_stop_ends_all_the_same() {
    let (traces, metrics) = traces(1.0);
    for _ in 0..BATCH + 1 {
        let trace = traces.begin(None, Uuid::new_v4(), timeline).unwrap();
        traces.end(trace, answered(None, 200));
    }
    traces.stop(Duration::from_secs(10));
    let page = metrics.render();
    let of = |result: &str| {
        let name = format!(r#"issuer_gateway_spans_total{{result="{result}"}} "#);
        let line = page.lines().find_map(|line| line.strip_prefix(&name));
        line.unwrap().parse::<usize>().unwrap()
    };
    assert_eq!(of("sent") + of("rejected"), 0);
    assert_eq!(of("failed") + of("dropped"), BATCH + 1);
    let trace = traces.begin(None, Uuid::new_v4(), timeline).unwrap();
    traces.end(trace, answered(None, 200));
    assert!(traces.outbox.drain().is_empty(), "after the stop");
}
