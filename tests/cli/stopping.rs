//! SIGTERM at any moment: during the start, right after it, and while the database hangs.

use crate::config_file::{Sections, ready};
use crate::on_both;
use crate::process::{Running, text};
use crate::serve::client;
use crate::support::gateway::user_id;
use crate::support::proxy::Proxy;
use crate::support::{Backend, TestDatabase};
use issuer_gateway::client::{Operation, sample};

/// The database's URL through a proxy.
fn through(database: &TestDatabase) -> (Proxy, String) {
    let (authority, name) = database.url_text.rsplit_once('/').unwrap();
    let (user, address) = authority.rsplit_once('@').unwrap();
    let proxy = Proxy::start(address.to_owned());
    let url = format!("{user}@{}/{name}", proxy.address);
    (proxy, url)
}

#[test]
fn a_start_that_waits_for_a_silent_database_is_ended_by_a_signal() {
    let database = TestDatabase::empty(Backend::Postgres);
    let (proxy, url) = through(&database);
    proxy.hold();
    let dir = tempfile::tempdir().unwrap();
    let config = Sections::new(&url).write(dir.path());
    for signal in ["TERM", "INT"] {
        let mut running = Running::start(&["--config", text(&config), "serve"], &[]);
        running.wait_for_handlers();
        assert_eq!(running.signal(signal).code(), Some(0), "{signal}");
        let log = running.written("stderr");
        assert!(!log.contains(r#""message":"listening""#), "{log}");
    }
    proxy.restore();
}

#[test]
fn a_start_that_waits_for_a_locked_file_is_ended_by_a_signal() {
    let database = TestDatabase::empty(Backend::Sqlite);
    database.execute("PRAGMA journal_mode = WAL");
    let lock = database.lock();
    let dir = tempfile::tempdir().unwrap();
    let config = Sections::new(&database.url_text).write(dir.path());
    let mut running = Running::start(&["--config", text(&config), "serve"], &[]);
    running.wait_for_handlers();
    assert_eq!(running.signal("TERM").code(), Some(0));
    drop(lock);
}

fn a_signal_right_after_the_start_ends_it_in_order(backend: Backend) {
    let database = TestDatabase::empty(backend);
    let dir = tempfile::tempdir().unwrap();
    let config = ready(&database, dir.path(), |_| {});
    let mut running = Running::start(&["--config", text(&config), "serve"], &[]);
    running.wait_for_handlers();
    // Wherever the start is by now.
    assert_eq!(running.signal("TERM").code(), Some(0));
    let (mut running, _) = Running::serve(&config, &[]);
    assert_eq!(running.signal("TERM").code(), Some(0));
    assert!(running.written("stderr").contains(r#""message":"stopped""#));
    let ends = "SELECT count(*) AS n FROM audit_entries WHERE action = 'node.stop'";
    assert!(database.number(ends) >= 1);
}

on_both!(blocking: a_signal_right_after_the_start_ends_it_in_order);

#[test]
fn a_hanging_database_does_not_keep_it_from_ending_and_what_is_in_doubt_is_said() {
    let database = TestDatabase::empty(Backend::Postgres);
    let dir = tempfile::tempdir().unwrap();
    let (proxy, url) = through(&database);
    ready(&database, dir.path(), |_| {});
    // Long enough that the connection is not given up before the signal.
    let and = if url.contains('?') { '&' } else { '?' };
    let patient = format!("{url}{and}options=-c%20statement_timeout%3D60s");
    let mut sections = Sections::new(&patient);
    sections.server += "\nshutdown_timeout_s = 6";
    let config = sections.write(dir.path());
    let (mut running, base_url) = Running::serve(&config, &[]);
    let client = client(&base_url);
    user_id(&client.enrol(&sample::enrolment("534403")));
    proxy.hold();
    let request = client.prepare(&Operation::Enrol, &sample::enrolment("534403"));
    let answer = client.send(&request);
    assert_eq!(answer.status, 503);
    assert_eq!(running.signal("TERM").code(), Some(1));
    let log = running.written("stderr");
    assert!(
        log.contains("commits under way may or may not become durable"),
        "{log}"
    );
    // The enrolment, and a heartbeat if one was due.
    assert!(log.contains(r#""under_way":"#), "{log}");
    assert!(!log.contains(r#""under_way":0"#), "{log}");
    assert!(!log.contains(r#""message":"stopped""#), "{log}");
    proxy.restore();
    database.assert_whole();
}

#[test]
fn a_second_signal_cuts_the_drain_delay_short() {
    let database = TestDatabase::empty(Backend::Sqlite);
    let dir = tempfile::tempdir().unwrap();
    let config = ready(&database, dir.path(), |_| {});
    let env = [
        ("ISSUER_GATEWAY__SERVER__DRAIN_DELAY_S", "3000"),
        ("ISSUER_GATEWAY__SERVER__SHUTDOWN_TIMEOUT_S", "7000"),
    ];
    let (mut running, _) = Running::serve(&config, &env);
    running.send("TERM");
    running.wait_for("stderr", r#""message":"stopping""#);
    // Half an hour and more would be left.
    assert_eq!(running.signal("INT").code(), Some(0));
}
