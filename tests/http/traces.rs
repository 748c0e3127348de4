//! Traces by OTLP: what a collector receives of calls, and that no call depends on it.

use crate::on_both;
use crate::support::collector::{FakeCollector, Mood, SeenSpan};
use crate::support::gateway::{TestClient, TestGateway, config, user_id};
use crate::support::http::{post, send, send_seeing};
use crate::support::{Backend, TestDatabase, until};
use issuer_gateway::client::{Answered, Operation, Prepared, sample};
use issuer_gateway::config::Traces;
use issuer_gateway::ids::CardholderId;

const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
const SPAN: &str = "00f067aa0ba902b7";

/// A `traceparent` with these flags.
fn parent(flags: &str) -> String {
    format!("00-{TRACE}-{SPAN}-{flags}")
}

fn start(backend: Backend, traces: Option<Traces>) -> TestGateway {
    let database = TestDatabase::new(backend);
    let mut config = config(&database.url_text);
    config.traces = traces;
    let mut gateway = TestGateway::start_with(&config);
    gateway.database = Some(database);
    gateway
}

/// Traces of all calls, or of those alone whose parent is sampled.
fn to(collector: &FakeCollector, sample_ratio: f64) -> Option<Traces> {
    Some(Traces {
        sample_ratio,
        ..Traces::to(&collector.endpoint())
    })
}

fn send_with(request: &Prepared, headers: &[(&str, &str)]) -> Answered {
    let mut all = vec![
        ("Authorization", request.authorization.as_str()),
        ("Content-Type", "application/json"),
    ];
    all.extend_from_slice(headers);
    send(request.method, &request.url, &all, &request.body)
}

fn enrolment(client: &TestClient) -> Prepared {
    client.prepare(&Operation::Enrol, &sample::enrolment("534403"))
}

fn names(spans: &[SeenSpan]) -> Vec<&str> {
    spans.iter().map(|span| span.name.as_str()).collect()
}

fn spans_metric(gateway: &TestGateway, result: &str) -> f64 {
    gateway.metric(&format!(
        r#"issuer_gateway_spans_total{{result="{result}"}}"#
    ))
}

/// The parts are children of the call, one after the other within it.
fn assert_nested(spans: &[SeenSpan]) {
    let [whole, parts @ ..] = spans else {
        unreachable!("a span")
    };
    let mut last = 0;
    for part in parts {
        assert_eq!(part.parent, whole.span_id, "{part:?}");
        assert_eq!(part.kind, 1, "{part:?}");
        assert!(part.attributes.is_empty(), "{part:?}");
        assert!(last <= part.start && part.start <= part.end, "{spans:#?}");
        assert!(
            whole.start <= part.start && part.end <= whole.end,
            "{spans:#?}"
        );
        last = part.end;
    }
}

on_both!(a_call_is_one_trace_below_its_caller, |backend: Backend| {
    let collector = FakeCollector::start();
    // The parent alone decides.
    let gateway = start(backend, to(&collector, 0.0));
    let client = gateway.client("demo");
    let traceparent = parent("01");
    let headers = [
        ("traceparent", traceparent.as_str()),
        // A free text that nobody has signed: not passed on.
        ("tracestate", "vendor=canary"),
    ];
    let answer = send_with(&enrolment(&client), &headers);
    assert_eq!(answer.status, 200);
    let spans = collector.trace(TRACE);
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
        "commit",
        "seal answer",
    ];
    assert_eq!(names(&spans), expected);
    assert_nested(&spans);
    let whole = &spans[0];
    assert_eq!((whole.parent.as_str(), whole.kind), (SPAN, 2));
    assert!(!whole.is_error);
    for span in &spans {
        assert_eq!(span.state, "");
        assert_eq!(span.resource["service.name"], "issuer-gateway");
        assert_eq!(span.resource["service.version"], env!("CARGO_PKG_VERSION"));
    }
    for (key, value) in [
        ("http.request.method", "POST"),
        ("http.route", "/issuers/users"),
        ("http.response.status_code", "200"),
        ("issuer_gateway.issuer", "demo"),
    ] {
        assert_eq!(whole.attributes[key], value);
    }
    let request_id = &whole.attributes["issuer_gateway.request_id"];
    let database = gateway.stop().unwrap();
    let audited =
        database.texts("SELECT request_id AS t FROM audit_entries WHERE action = 'user.enrol'");
    assert_eq!(audited, std::slice::from_ref(request_id));
});

on_both!(an_update_shows_its_lookup_and_no_id, |backend: Backend| {
    let collector = FakeCollector::start();
    let gateway = start(backend, to(&collector, 0.0));
    let client = gateway.client("demo");
    let id = user_id(&client.enrol(&sample::enrolment("534403")));
    let user = CardholderId::parse(&id).unwrap();
    let request = client.prepare(&Operation::Update(user), &sample::update());
    let traceparent = parent("01");
    let answer = send_with(&request, &[("traceparent", &traceparent)]);
    assert_eq!(answer.status, 200);
    let spans = collector.trace(TRACE);
    assert_eq!(
        names(&spans)[..7],
        [
            "PUT /issuers/users/{userid}",
            "read body",
            "verify",
            "checks",
            "lookup queue",
            "lookup",
            "checks",
        ]
    );
    assert_nested(&spans);
    drop(gateway);
    for (head, body) in collector.received() {
        assert!(head.starts_with("POST /v1/traces HTTP/1.1\r\n"), "{head}");
        assert!(head.contains("application/x-protobuf"), "{head}");
        let text = String::from_utf8_lossy(&body).into_owned();
        assert!(!text.contains(&id), "{text}");
    }
});

#[test]
fn who_is_traced_is_for_the_ratio_to_say_unless_a_proven_caller_does() {
    let collector = FakeCollector::start();
    let gateway = start(Backend::Sqlite, to(&collector, 0.0));
    let client = gateway.client("demo");
    let sampled = parent("01");
    // Not proven: the flag does not count.
    let stranger = TestClient::new(
        &gateway.base_url,
        "stranger!0123456789abcdef0123456789abcdef0123456789abcdef",
        "issuer-signing",
        None,
    );
    let refused = post(&stranger, &[("traceparent", &sampled)], b"{}");
    assert_eq!(refused.status, 401);
    let url = format!("{}/users/1", gateway.base_url);
    let refused = send("GET", &url, &[("traceparent", &sampled)], b"");
    assert_eq!(refused.status, 401);
    // No parent, one that is not sampled, one that is malformed.
    assert_eq!(client.enrol(&sample::enrolment("534403")).status, 200);
    for header in [
        parent("00"),
        format!("{sampled}-00"),
        sampled.to_uppercase(),
    ] {
        let answer = send_with(&enrolment(&client), &[("traceparent", &header)]);
        assert_eq!(answer.status, 200, "{header}");
    }
    // Proven, and refused.
    let refused = post(&client, &[("traceparent", &sampled)], b"{}");
    assert_eq!(refused.status, 400);
    drop(gateway);
    let spans = collector.spans();
    let whole: Vec<_> = spans.iter().filter(|span| span.kind == 2).collect();
    assert_eq!(whole.len(), 1, "{spans:#?}");
    assert_eq!(whole[0].attributes["issuer_gateway.issuer"], "demo");
    assert_eq!(whole[0].attributes["http.response.status_code"], "400");
    assert!(whole[0].attributes.contains_key("issuer_gateway.reason"));
    assert!(!whole[0].is_error, "a refusal is the caller's");
}

#[test]
fn a_root_has_the_id_of_its_request_and_probes_are_left_out() {
    let collector = FakeCollector::start();
    let gateway = start(Backend::Sqlite, to(&collector, 1.0));
    let url = |path: &str| format!("{}{path}", gateway.base_url);
    let probe = send("GET", &url("/health/live"), &[], b"");
    assert_eq!(probe.status, 200);
    let (answer, headers) = send_seeing("GET", &url("/no/such?canary=1"), &[], b"");
    assert_eq!(answer.status, 404);
    let id = headers["x-request-id"].to_str().unwrap().to_owned();
    // Nobody waits for the batch to fill: the stop sends it.
    drop(gateway);
    let spans = collector.spans();
    assert_eq!(names(&spans), ["GET"], "{spans:#?}");
    let [whole] = &spans[..] else {
        unreachable!("one span")
    };
    assert_eq!((&whole.trace_id, whole.parent.as_str()), (&id, ""));
    assert_eq!(whole.attributes["issuer_gateway.request_id"], id);
}

#[test]
fn off_by_default() {
    let gateway = start(Backend::Sqlite, None);
    assert!(gateway.gateway.traces.is_none());
    let client = gateway.client("demo");
    let traceparent = parent("01");
    let answer = send_with(&enrolment(&client), &[("traceparent", &traceparent)]);
    assert_eq!(answer.status, 200);
    for result in ["sent", "dropped", "failed", "rejected"] {
        assert_eq!(spans_metric(&gateway, result), 0.0);
    }
}

#[test]
fn a_collector_that_fails_costs_no_call() {
    let collector = FakeCollector::start();
    let gateway = start(Backend::Sqlite, to(&collector, 1.0));
    let client = gateway.client("demo");
    collector.set(Mood::Status(503));
    assert_eq!(client.enrol(&sample::enrolment("534403")).status, 200);
    until("a batch has failed", || {
        spans_metric(&gateway, "failed") >= 11.0
    });
    assert_eq!(spans_metric(&gateway, "sent"), 0.0);
    collector.set(Mood::Rejects(3));
    assert_eq!(client.enrol(&sample::enrolment("534403")).status, 200);
    until("some were rejected", || {
        spans_metric(&gateway, "rejected") == 3.0
    });
    assert_eq!(spans_metric(&gateway, "sent"), 8.0);
    // What stands in front of a collector may answer in its own words.
    collector.set(Mood::Status(202));
    assert_eq!(client.enrol(&sample::enrolment("534403")).status, 200);
    until("it was sent", || spans_metric(&gateway, "sent") == 19.0);
    gateway.try_stop().unwrap();
}

#[test]
fn a_collector_that_hangs_costs_no_call_and_no_stop() {
    let collector = FakeCollector::start();
    let traces = Traces {
        timeout_ms: 60_000,
        ..Traces::to(&collector.endpoint())
    };
    let gateway = start(Backend::Sqlite, Some(traces));
    let client = gateway.client("demo");
    collector.set(Mood::Silent);
    assert_eq!(client.enrol(&sample::enrolment("534403")).status, 200);
    until("a request hangs", || !collector.received().is_empty());
    assert_eq!(client.enrol(&sample::enrolment("534403")).status, 200);
    gateway.try_stop().unwrap();
    // Call and stop have ended, and the request is still under way.
    assert_eq!(collector.received().len(), 1);
    assert!(!collector.was_left());
}

#[test]
fn a_call_that_the_database_does_not_take_shows_its_commit() {
    let collector = FakeCollector::start();
    let gateway = start(Backend::Sqlite, to(&collector, 0.0));
    let client = gateway.client("demo");
    let lock = gateway.database.as_ref().unwrap().lock();
    let traceparent = parent("01");
    let answer = send_with(&enrolment(&client), &[("traceparent", &traceparent)]);
    assert_eq!(answer.status, 503);
    drop(lock);
    let spans = collector.trace(TRACE);
    assert!(names(&spans).contains(&"commit queue"), "{spans:#?}");
    assert!(spans[0].is_error);
    let error = &spans[0].attributes["error.type"];
    assert_eq!(error, "store-unavailable");
}

#[test]
fn a_collector_that_is_away_costs_no_call() {
    let nobody = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = nobody.local_addr().unwrap();
    drop(nobody);
    let traces = Traces::to(&format!("http://{address}"));
    let gateway = start(Backend::Sqlite, Some(traces));
    let client = gateway.client("demo");
    assert_eq!(client.enrol(&sample::enrolment("534403")).status, 200);
    until("a batch has failed", || {
        spans_metric(&gateway, "failed") >= 11.0
    });
    gateway.try_stop().unwrap();
}

#[test]
fn a_collector_over_tls_gets_the_headers_of_the_file() {
    let collector = FakeCollector::start_tls();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("headers");
    std::fs::write(&file, "authorization: Bearer one\n\nx-scope: cards\n").unwrap();
    let trusting = Traces {
        headers_file: Some(file.clone()),
        ca_file: Some(collector.ca_file()),
        ..Traces::to(&format!("https://{}", collector.address))
    };
    let gateway = start(Backend::Sqlite, Some(trusting.clone()));
    let client = gateway.client("demo");
    assert_eq!(client.enrol(&sample::enrolment("534403")).status, 200);
    until("it has come", || !collector.received().is_empty());
    std::fs::write(&file, "authorization: Bearer two\n").unwrap();
    assert_eq!(client.enrol(&sample::enrolment("534403")).status, 200);
    drop(gateway);
    let received = collector.received();
    let heads: Vec<_> = received.iter().map(|(head, _)| head.as_str()).collect();
    let first = heads.first().unwrap();
    assert!(first.contains("authorization: Bearer one\r\n"), "{first}");
    assert!(first.contains("x-scope: cards\r\n"), "{first}");
    let last = heads.last().unwrap();
    assert!(last.contains("authorization: Bearer two\r\n"), "{last}");

    // The authorities of the public web do not know it.
    let distrusting = Traces {
        ca_file: None,
        ..trusting
    };
    let gateway = start(Backend::Sqlite, Some(distrusting));
    let client = gateway.client("demo");
    assert_eq!(client.enrol(&sample::enrolment("534403")).status, 200);
    until("it has failed", || spans_metric(&gateway, "failed") >= 11.0);
    assert_eq!(collector.received().len(), received.len());
}

#[test]
fn files_that_cannot_be_used_refuse_the_start_by_name() {
    let database = TestDatabase::new(Backend::Sqlite);
    let folder = tempfile::tempdir().unwrap();
    let bad = folder.path().join("bad");
    std::fs::write(&bad, "no colon canary\n").unwrap();
    for (headers, ca, setting) in [
        (Some(bad.clone()), None, "traces.headers_file"),
        (
            Some(folder.path().join("none")),
            None,
            "traces.headers_file",
        ),
        (None, Some(bad.clone()), "traces.ca_file"),
    ] {
        let mut config = config(&database.url_text);
        config.traces = Some(Traces {
            headers_file: headers,
            ca_file: ca,
            ..Traces::to("http://127.0.0.1:1")
        });
        let started = TestGateway::try_start(&config, issuer_gateway::clock::Clock::system());
        let error = format!("{:#}", started.err().unwrap());
        assert!(error.contains(setting), "{error}");
        assert!(!error.contains("canary"), "{error}");
    }
}
