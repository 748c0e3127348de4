//! Health, metrics, operators' changes, and a database that goes away and comes back.

use crate::on_both;
use crate::support::gateway::{TestGateway, assert_refused, config, user_id};
use crate::support::proxy::Proxy;
use crate::support::wire::{Wire, exchange, request};
use crate::support::{Backend, TestDatabase, until};
use issuer_gateway::app;
use issuer_gateway::client::{Operation, Prepared, sample};
use issuer_gateway::ids::ClientId;
use issuer_gateway::issuers::IssuerStatus;
use issuer_gateway::store::audit::AuditDraft;
use issuer_gateway::store::now;
use serde_json::Value;
use std::time::Duration;

/// Sends it with a client that does not wait for a database that never answers: status, and the
/// answer.
fn send_in_time(request: &Prepared) -> (u16, Value) {
    let config = ureq::Agent::config_builder()
        .http_status_as_error(false)
        .timeout_global(Some(Duration::from_secs(30)));
    let agent: ureq::Agent = config.build().into();
    let outgoing = ureq::http::Request::builder()
        .method(request.method)
        .uri(&request.url)
        .header("Authorization", &request.authorization)
        .header("Content-Type", "application/json")
        .body(request.body.as_slice())
        .unwrap();
    let mut answer = agent.run(outgoing).expect("an answer");
    let body = answer.body_mut().read_to_vec().unwrap();
    (
        answer.status().as_u16(),
        serde_json::from_slice(&body).unwrap(),
    )
}

#[track_caller]
fn assert_recoverable_503(request: &Prepared) {
    let (status, answer) = send_in_time(request);
    assert_eq!(status, 503, "{answer}");
    let error = &answer["Errors"]["Error"][0];
    assert_eq!(error["ReasonCode"], "SERVICE_UNAVAILABLE");
    assert_eq!(error["Recoverable"], true);
}

fn ready(gateway: &TestGateway) -> (u16, String) {
    let answer = exchange(&gateway.base_url, "GET", "/health/ready", &[], b"");
    let status = answer.json()["status"].as_str().unwrap().to_owned();
    (answer.status, status)
}

on_both!(
    health_and_metrics_tell_what_is_going_on,
    |backend: Backend| {
        let gateway = TestGateway::start(backend);
        let live = exchange(&gateway.base_url, "GET", "/health/live", &[], b"");
        assert_eq!(
            (live.status, live.json()["status"].as_str()),
            (200, Some("live"))
        );
        assert_eq!(ready(&gateway), (200, "ready".to_owned()));

        let client = gateway.client("demo");
        let enrolment = sample::enrolment("534403");
        user_id(&client.enrol(&enrolment));
        assert_refused(&client.enrol(&enrolment), 400, &["USER_ALREADY_EXISTS"]);
        let secret_path = format!("/nowhere/{}", enrolment["cardNumber"].as_str().unwrap());
        exchange(&gateway.base_url, "GET", &secret_path, &[], b"").error(404, "NOT_FOUND");

        let page = gateway.metrics();
        for line in [
            r#"issuer_gateway_requests_total{method="POST",route="/issuers/users",status="200"} 1"#,
            r#"issuer_gateway_requests_total{method="POST",route="/issuers/users",status="400"} 1"#,
            r#"issuer_gateway_requests_total{method="GET",route="unknown",status="404"} 1"#,
            r#"issuer_gateway_requests_total{method="GET",route="/health/live",status="200"} 1"#,
            r#"issuer_gateway_refusals_total{reason="card-taken"} 1"#,
            r#"issuer_gateway_request_seconds_count{method="POST",route="/issuers/users"} 2"#,
            "issuer_gateway_issuers 3",
        ] {
            assert!(
                page.lines().any(|known| known == line),
                "{line} is not in\n{page}"
            );
        }
        // The page is not on the public listener, and nothing else is on its own.
        exchange(&gateway.base_url, "GET", "/metrics", &[], b"").error(404, "NOT_FOUND");
        let metrics_origin = gateway.metrics_url.trim_end_matches("/metrics");
        let mut metrics = Wire::connect(metrics_origin);
        metrics.send(&request("GET", "/health/live", &[], b""));
        metrics.read("GET").unwrap().error(404, "NOT_FOUND");
    }
);

on_both!(
    a_node_that_is_draining_is_not_ready_and_still_serves,
    |backend: Backend| {
        let database = TestDatabase::new(backend);
        let mut config = config(&database.url_text);
        config.server.drain_delay_s = 5;
        let gateway = TestGateway::start_with(&config);
        let client = gateway.client("demo");
        let base_url = gateway.base_url.clone();
        let stopping = std::thread::spawn(move || gateway.stop());
        until("draining", || {
            let answer = exchange(&base_url, "GET", "/health/ready", &[], b"");
            answer.status == 503 && answer.json()["status"] == "draining"
        });
        user_id(&client.enrol(&sample::enrolment("534403")));
        stopping.join().unwrap();
        assert_eq!(database.count("users"), 1);
    }
);

on_both!(
    an_operators_change_takes_effect_on_a_running_node_by_itself,
    |backend: Backend| {
        let gateway = TestGateway::start(backend);
        let client = gateway.client("demo");
        // What another process does: a store of its own on the same database.
        let url = gateway.database.as_ref().unwrap().url_text.clone();
        let set_status = |status| {
            let (_, store) = app::open_store(&config(&url).database).unwrap();
            let id = ClientId::parse("demo").unwrap();
            let audit = AuditDraft::accepted(now(), "operator", "issuer.set-status");
            assert!(
                gateway
                    .block_on(store.set_issuer_status(&id, status, audit))
                    .unwrap()
            );
        };
        set_status(IssuerStatus::Suspended);
        let mut last = None;
        until("the suspension", || {
            let answer = client.enrol(&sample::enrolment("534403"));
            let suspended = answer.status == 401;
            last = Some(answer);
            suspended
        });
        assert_refused(&last.unwrap(), 401, &["ACCOUNT_SUSPENDED"]);
        set_status(IssuerStatus::Active);
        until("the return", || {
            client.enrol(&sample::enrolment("534403")).status == 200
        });
    }
);

/// A gateway whose PostgreSQL is behind a proxy.
pub(crate) fn behind_proxy() -> (TestGateway, Proxy) {
    let database = TestDatabase::new(Backend::Postgres);
    let (authority, name) = database.url_text.rsplit_once('/').unwrap();
    let (user, address) = authority.rsplit_once('@').unwrap();
    let proxy = Proxy::start(address.to_owned());
    let config = config(&format!("{user}@{}/{name}", proxy.address));
    let mut gateway = TestGateway::start_with(&config);
    gateway.database = Some(database);
    (gateway, proxy)
}

fn a_database_that_goes_away_and_comes_back(away: impl Fn(&Proxy)) {
    let (gateway, proxy) = behind_proxy();
    let database = gateway.database.as_ref().unwrap();
    let client = gateway.client("demo");
    let id = user_id(&client.enrol(&sample::enrolment("534403")));
    for _ in 0..2 {
        away(&proxy);
        let enrolment = sample::enrolment("534403");
        let enrol = client.prepare(&Operation::Enrol, &enrolment);
        let user = issuer_gateway::ids::CardholderId::parse(&id).unwrap();
        let update = client.prepare(&Operation::Update(user), &sample::update());
        for _ in 0..3 {
            assert_recoverable_503(&enrol);
            assert_recoverable_503(&update);
        }
        until("not ready", || {
            ready(&gateway) == (503, "not ready".to_owned())
        });
        let live = exchange(&gateway.base_url, "GET", "/health/live", &[], b"");
        assert_eq!(live.status, 200);
        database.assert_whole();

        proxy.restore();
        until("recovery", || ready(&gateway).0 == 200);
        let mut status = 0;
        until("an answer to the same card", || {
            let answer = client.enrol(&enrolment);
            status = answer.status;
            status != 503
        });
        // A commit that was under way when the database froze may have been done.
        assert!(status == 200 || status == 400, "{status}");
        assert_refused(&client.enrol(&enrolment), 400, &["USER_ALREADY_EXISTS"]);
        until("an update", || {
            client.update(&id, &sample::update()).status == 200
        });
        database.assert_whole();
    }
    // The one from the beginning, and one from each outage.
    assert_eq!(database.count("users"), 3);
}

#[test]
fn a_database_whose_connections_break_is_a_503_and_comes_back() {
    a_database_that_goes_away_and_comes_back(Proxy::cut);
}

#[test]
fn a_database_that_is_silent_is_a_503_and_comes_back() {
    a_database_that_goes_away_and_comes_back(Proxy::hold);
}

on_both!(
    a_database_that_somebody_else_holds_is_a_503_and_comes_back,
    |backend: Backend| {
        let gateway = TestGateway::start(backend);
        let client = gateway.client("demo");
        let enrolment = sample::enrolment("534403");
        let database = gateway.database.as_ref().unwrap();
        let lock = database.lock();
        for _ in 0..2 {
            assert_recoverable_503(&client.prepare(&Operation::Enrol, &enrolment));
        }
        drop(lock);
        until("recovery", || client.enrol(&enrolment).status != 503);
        assert_refused(&client.enrol(&enrolment), 400, &["USER_ALREADY_EXISTS"]);
        database.assert_whole();
    }
);
