//! Full queues: refused, and said so.

use crate::on_both;
use crate::support::gateway::{TestGateway, config, user_id};
use crate::support::wire::{WireAnswer, exchange};
use crate::support::{Backend, TestDatabase, until};
use issuer_gateway::client::{Operation, sample};
use issuer_gateway::config::Config;

/// Enrols `count` cards at once, calls `meanwhile`, and returns the answers.
fn flood(gateway: &TestGateway, count: usize, meanwhile: impl FnOnce()) -> Vec<WireAnswer> {
    let client = gateway.client("demo");
    let requests: Vec<_> = (0..count)
        .map(|_| client.prepare(&Operation::Enrol, &sample::enrolment("534403")))
        .collect();
    std::thread::scope(|scope| {
        let sending: Vec<_> = requests
            .iter()
            .map(|request| {
                scope.spawn(|| {
                    let headers = [
                        ("Authorization", request.authorization.as_str()),
                        ("Content-Type", "application/json"),
                        ("Content-Length", &request.body.len().to_string()),
                    ];
                    exchange(
                        &gateway.base_url,
                        "POST",
                        "/issuers/users",
                        &headers,
                        &request.body,
                    )
                })
            })
            .collect();
        meanwhile();
        sending.into_iter().map(|one| one.join().unwrap()).collect()
    })
}

fn start(backend: Backend, change: impl FnOnce(&mut Config)) -> TestGateway {
    let database = TestDatabase::new(backend);
    let mut config = config(&database.url_text);
    change(&mut config);
    let mut gateway = TestGateway::start_with(&config);
    gateway.database = Some(database);
    gateway
}

/// How many were refused because a queue was full.
fn refused(gateway: &TestGateway) -> usize {
    let page = gateway.gateway.metrics.render();
    page.lines()
        .find_map(|line| {
            line.strip_prefix(r#"issuer_gateway_refusals_total{reason="overloaded"} "#)
        })
        .map_or(0, |count| count.parse().unwrap())
}

/// The same, each of them in the form of rule 8.
fn overloaded(gateway: &TestGateway, answers: &[WireAnswer]) -> usize {
    for answer in answers.iter().filter(|answer| answer.status != 200) {
        let error = answer.error(503, "SERVICE_UNAVAILABLE");
        assert_eq!(error["Recoverable"], true);
        assert_eq!(answer.header("retry-after"), Some("1"));
    }
    refused(gateway)
}

on_both!(a_full_decryption_queue_refuses, |backend: Backend| {
    let gateway = start(backend, |config| {
        config.server.decrypt_threads = 1;
        config.server.decrypt_queue = 1;
    });
    // One is in hand, at most one waits, and the rest is too much.
    let held = gateway.gateway.unwrapper.hold();
    let answers = flood(&gateway, 32, || {
        until("the rest is refused", || refused(&gateway) >= 30);
        drop(held);
    });
    let enrolled = 32 - overloaded(&gateway, &answers);
    assert!((1..=2).contains(&enrolled), "{enrolled}");
    let enrolled = i64::try_from(enrolled).unwrap();
    let database = gateway.database.as_ref().unwrap();
    assert_eq!(database.count("users"), enrolled);
    // An overload uses up no nonce: the same request may come again.
    assert_eq!(database.count("oauth_nonces"), enrolled);
    user_id(&gateway.client("demo").enrol(&sample::enrolment("534403")));
});

on_both!(a_full_write_queue_refuses, |backend: Backend| {
    let gateway = start(backend, |config| {
        config.database.writers = 1;
        config.database.write_queue = 1;
    });
    let answers = {
        // While somebody else holds the database, one commit is in hand, one waits, the rest is too
        // much.
        let _lock = gateway.database.as_ref().unwrap().lock();
        flood(&gateway, 16, || ())
    };
    assert!(answers.iter().all(|answer| answer.status == 503));
    assert!(overloaded(&gateway, &answers) >= 13);
    // Until the commit in hand has ended, the queue may still be full.
    let client = gateway.client("demo");
    let mut tried = 0;
    until("an enrolment is taken", || {
        tried += 1;
        let answer = client.enrol(&sample::enrolment("534403"));
        assert!([200, 503].contains(&answer.status), "{:?}", answer.clear);
        answer.status == 200
    });
    // The two that were taken may have been written after their answer, and so may those tried
    // since (docs/threat-model.md).
    assert!((1..=2 + tried).contains(&gateway.database.as_ref().unwrap().count("users")));
});

/// How many were refused by a limit of this issuer's own.
fn limited(gateway: &TestGateway, issuer: &str, limit: &str) -> usize {
    let page = gateway.gateway.metrics.render();
    let name =
        format!(r#"issuer_gateway_issuer_limited_total{{issuer="{issuer}",limit="{limit}"}} "#);
    page.lines()
        .find_map(|line| line.strip_prefix(&name))
        .map_or(0, |count| count.parse().unwrap())
}

fn eight_may_wait(config: &mut Config) {
    config.server.decrypt_threads = 1;
    config.server.decrypt_queue = 8;
}

on_both!(
    an_issuer_that_floods_leaves_room_for_another,
    |backend: Backend| {
        let gateway = start(backend, eight_may_wait);
        let unwrapper = &gateway.gateway.unwrapper;
        let clients = [(); 3].map(|()| gateway.client("compat"));
        let enrol = &|other: usize| user_id(&clients[other].enrol(&sample::enrolment("222300")));
        let held = unwrapper.hold();
        let answers = std::thread::scope(|scope| {
            let others: Vec<_> = (0..2)
                .map(|other| scope.spawn(move || enrol(other)))
                .collect();
            until("one is in hand, one waits", || {
                unwrapper.backlog().jobs() == 1
            });
            let mut last = None;
            let answers = flood(&gateway, 16, || {
                let refused = || limited(&gateway, "demo", "concurrency");
                until("more than its half is refused", || refused() == 12);
                last = Some(scope.spawn(move || enrol(2)));
                until("the other's next call waits", || {
                    unwrapper.backlog().jobs() == 6
                });
                drop(held);
            });
            // The others' calls are all done: `enrol` looks for a user id.
            let others = others.into_iter().chain(last);
            others.for_each(|other| drop(other.join().unwrap()));
            answers
        });
        assert_eq!(overloaded(&gateway, &answers), 0, "no queue was full");
        assert_eq!(
            answers.iter().filter(|answer| answer.status == 200).count(),
            4
        );
        assert_eq!(limited(&gateway, "compat", "concurrency"), 0);
        // A refused call uses up no nonce.
        let database = gateway.database.as_ref().unwrap();
        assert_eq!(database.count("oauth_nonces"), 7);
    }
);

on_both!(
    an_issuer_alone_may_use_the_whole_node,
    |backend: Backend| {
        let gateway = start(backend, eight_may_wait);
        let held = gateway.gateway.unwrapper.hold();
        let answers = flood(&gateway, 32, || {
            until("the rest is refused", || refused(&gateway) >= 23);
            drop(held);
        });
        let enrolled = 32 - overloaded(&gateway, &answers);
        assert!((8..=9).contains(&enrolled), "{enrolled}");
        assert_eq!(limited(&gateway, "demo", "concurrency"), 0);
    }
);
