//! A shutdown finishes what is in flight: every request is answered whole, or was never taken.

use crate::on_both;
use crate::support::gateway::{TestGateway, config};
use crate::support::wire::{Wire, exchange, request};
use crate::support::{Backend, TestDatabase, until};
use issuer_gateway::client::{Operation, sample};
use std::net::TcpStream;
use std::sync::Barrier;
use std::time::{Duration, Instant};

/// Waits until the listener is closed: then the shutdown is under way.
fn wait_until_refused(base_url: &str) {
    let address = base_url.strip_prefix("http://").unwrap();
    let give_up = Instant::now() + Duration::from_secs(30);
    while TcpStream::connect(address).is_ok() {
        assert!(Instant::now() < give_up, "the listener is still open");
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// A prepared enrolment as bytes, with these headers besides.
fn enrolment(gateway: &TestGateway, more: &[(&str, &str)]) -> Vec<u8> {
    let prepared = gateway
        .client("demo")
        .prepare(&Operation::Enrol, &sample::enrolment("534403"));
    let length = prepared.body.len().to_string();
    let mut headers = vec![
        ("Authorization", prepared.authorization.as_str()),
        ("Content-Type", "application/json"),
        ("Content-Length", &length),
    ];
    headers.extend_from_slice(more);
    request("POST", "/issuers/users", &headers, &prepared.body)
}

on_both!(a_request_half_way_in_is_finished, |backend: Backend| {
    let gateway = TestGateway::start(backend);
    let base_url = gateway.base_url.clone();
    let bytes = enrolment(&gateway, &[("Expect", "100-continue")]);
    let (begun, rest) = bytes.split_at(bytes.len() - 100);
    let mut wire = Wire::connect(&base_url);
    wire.send(begun);
    wire.read_continue();
    let stopping = std::thread::spawn(move || gateway.stop());
    wait_until_refused(&base_url);
    wire.send(rest);
    let answer = wire.read("POST").expect("an answer");
    assert_eq!(answer.status, 200, "{:?}", answer.json());
    assert!(wire.is_closed());
    let database = stopping.join().unwrap().unwrap();
    assert_eq!(database.count("users"), 1);
});

on_both!(
    many_requests_under_way_are_answered_or_never_taken,
    |backend: Backend| {
        const REQUESTS: usize = 64;
        let gateway = TestGateway::start(backend);
        let base_url = gateway.base_url.clone();
        let prepared: Vec<Vec<u8>> = (0..REQUESTS).map(|_| enrolment(&gateway, &[])).collect();
        let start = Barrier::new(REQUESTS + 1);
        let (statuses, database) = std::thread::scope(|scope| {
            let calls: Vec<_> = prepared
                .iter()
                .map(|bytes| {
                    scope.spawn(|| {
                        let mut wire = Wire::connect(&base_url);
                        start.wait();
                        wire.send(bytes);
                        wire.read("POST").map(|answer| {
                            answer.json();
                            answer.status
                        })
                    })
                })
                .collect();
            start.wait();
            let database = gateway.stop();
            let statuses: Vec<_> = calls.into_iter().map(|call| call.join().unwrap()).collect();
            (statuses, database.unwrap())
        });
        let answered = statuses.iter().flatten().count();
        assert!(
            statuses.iter().flatten().all(|status| *status == 200),
            "{statuses:?}"
        );
        // Nothing was committed without being answered, nothing answered without being committed.
        assert_eq!(database.count("users"), i64::try_from(answered).unwrap());
        assert_eq!(database.count("scoring_jobs"), database.count("users"));
    }
);

on_both!(
    every_answer_while_draining_closes_its_connection,
    |backend: Backend| {
        let database = TestDatabase::new(backend);
        let mut config = config(&database.url_text);
        config.server.drain_delay_s = 20;
        let gateway = TestGateway::start_with(&config);
        let base_url = gateway.base_url.clone();
        // All of them are open when the signal comes.
        let mut open: Vec<Wire> = (0..8).map(|_| Wire::connect(&base_url)).collect();
        for wire in &mut open {
            wire.send(&request("GET", "/health/live", &[], b""));
            let answer = wire.read("GET").unwrap();
            assert_eq!(answer.header("connection"), None);
        }
        let enrolments: Vec<_> = open.iter().map(|_| enrolment(&gateway, &[])).collect();
        let stopping = std::thread::spawn(move || gateway.try_stop());
        until("draining", || {
            exchange(&base_url, "GET", "/health/ready", &[], b"").status == 503
        });
        let refused = exchange(&base_url, "GET", "/nowhere", &[], b"");
        assert_eq!(refused.header("connection"), Some("close"));
        for (wire, enrolment) in open.iter_mut().zip(&enrolments) {
            wire.send(enrolment);
            let answer = wire.read("POST").expect("an answer");
            assert_eq!(answer.status, 200, "{:?}", answer.json());
            assert_eq!(answer.header("connection"), Some("close"));
            assert!(wire.is_closed());
        }
        stopping.join().unwrap().unwrap();
        assert_eq!(database.count("users"), 8);
    }
);

#[test]
fn busy_connections_are_never_cut_without_an_answer() {
    let database = TestDatabase::new(Backend::Sqlite);
    let mut config = config(&database.url_text);
    config.server.drain_delay_s = 5;
    let gateway = TestGateway::start_with(&config);
    let base_url = gateway.base_url.clone();
    let started = Barrier::new(17);
    std::thread::scope(|scope| {
        let busy: Vec<_> = (0..16)
            .map(|_| {
                scope.spawn(|| {
                    let mut wire = Wire::connect(&base_url);
                    started.wait();
                    // As clients with a pool of connections do: until they are told to let this one
                    // go.
                    loop {
                        wire.send(&request("GET", "/health/live", &[], b""));
                        let answer = wire.read("GET").expect("an answer, not a cut");
                        if answer.header("connection") == Some("close") {
                            return wire.is_closed();
                        }
                    }
                })
            })
            .collect();
        started.wait();
        gateway.try_stop().unwrap();
        assert!(busy.into_iter().all(|client| client.join().unwrap()));
    });
}

#[test]
fn idle_connections_do_not_hold_up_a_shutdown() {
    let gateway = TestGateway::start(Backend::Sqlite);
    let mut idle: Vec<Wire> = (0..8).map(|_| Wire::connect(&gateway.base_url)).collect();
    for wire in &mut idle {
        wire.send(&request("GET", "/health/live", &[], b""));
        assert_eq!(wire.read("GET").unwrap().status, 200);
    }
    // It would name what it has left behind.
    gateway.try_stop().unwrap();
    for wire in &mut idle {
        assert!(wire.is_closed());
    }
}

#[test]
fn connections_are_kept_alive_unless_told_otherwise() {
    let database = TestDatabase::new(Backend::Sqlite);
    let mut config = config(&database.url_text);
    for (keep_alive_s, kept) in [(60, true), (0, false)] {
        config.server.keep_alive_s = keep_alive_s;
        let gateway = TestGateway::start_with(&config);
        let mut wire = Wire::connect(&gateway.base_url);
        wire.send(&request("GET", "/health/live", &[], b""));
        let answer = wire.read("GET").unwrap();
        assert_eq!(answer.header("connection") == Some("close"), !kept);
        wire.send(&request("GET", "/health/live", &[], b""));
        assert_eq!(wire.read("GET").is_some(), kept);
    }
}
