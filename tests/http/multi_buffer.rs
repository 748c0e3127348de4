//! RSA private operations eight at a time, by the stand-in library: a whole gateway with it.

use crate::on_both;
use crate::support::gateway::{TestGateway, config, user_id};
use crate::support::stand_in::stand_in;
use crate::support::{Backend, TestDatabase, until};
use issuer_gateway::client::sample;
use issuer_gateway::unwrap::MultiBuffer;
use std::path::PathBuf;

fn start(backend: Backend, library: PathBuf) -> TestGateway {
    let database = TestDatabase::new(backend);
    let mut config = config(&database.url_text);
    config.crypto.multi_buffer = MultiBuffer::Library(library);
    config.server.decrypt_threads = 1;
    let mut gateway = TestGateway::start_with(&config);
    gateway.database = Some(database);
    gateway
}

/// The number behind this text on the metrics page.
fn metric(gateway: &TestGateway, name: &str) -> u64 {
    let page = gateway.gateway.metrics.render();
    let number = page.lines().find_map(|line| line.strip_prefix(name));
    number.expect(name).trim().parse().unwrap()
}

/// Enrols sixteen cards at once: all of them wait when the first batch after them begins.
fn enrol_together(gateway: &TestGateway) {
    let unwrapper = &gateway.gateway.unwrapper;
    let clients: Vec<_> = (0..16).map(|_| gateway.client("demo")).collect();
    let held = unwrapper.hold();
    std::thread::scope(|scope| {
        for client in &clients {
            scope.spawn(|| user_id(&client.enrol(&sample::enrolment("534403"))));
        }
        // The thread has taken up to eight.
        until("eight wait", || unwrapper.backlog().jobs() >= 8);
        drop(held);
    });
}

const TOGETHER: &str = r#"issuer_gateway_rsa_operations_total{engine="crypto_mb"}"#;
const ONE_BY_ONE: &str = r#"issuer_gateway_rsa_operations_total{engine="openssl"}"#;
const THROWN_AWAY: &str = "issuer_gateway_rsa_thrown_away_total";

on_both!(what_waits_is_unwrapped_together, |backend: Backend| {
    let (_dir, library) = stand_in(&[]);
    let gateway = start(backend, library);
    assert_eq!(
        metric(&gateway, r#"issuer_gateway_rsa_engine{engine="crypto_mb"}"#),
        1
    );
    // One alone does not wait for others.
    user_id(&gateway.client("demo").enrol(&sample::enrolment("534403")));
    assert_eq!(metric(&gateway, ONE_BY_ONE), 1);
    enrol_together(&gateway);
    assert!(metric(&gateway, TOGETHER) >= 8);
    assert_eq!(metric(&gateway, THROWN_AWAY), 0);
});

on_both!(nobody_notices_a_library_that_errs, |backend: Backend| {
    let (_dir, library) = stand_in(&["SOUND_CALLS=3", "WRONG_LANES=0x02", "FAILED_LANES=0x01"]);
    let gateway = start(backend, library);
    enrol_together(&gateway);
    assert!(metric(&gateway, THROWN_AWAY) > 1);
    assert!(metric(&gateway, TOGETHER) > 0);
});

#[test]
fn without_the_setting_openssl_does_them() {
    let gateway = TestGateway::start(Backend::Sqlite);
    user_id(&gateway.client("demo").enrol(&sample::enrolment("534403")));
    assert_eq!(
        metric(&gateway, r#"issuer_gateway_rsa_engine{engine="openssl"}"#),
        1
    );
    assert_eq!(metric(&gateway, ONE_BY_ONE), 1);
}
