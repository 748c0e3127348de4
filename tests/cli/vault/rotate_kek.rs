//! The KEK changes under a gateway that serves.

use super::{Installation, assert_updates};
use crate::on_both;
use crate::process::Running;
use crate::serve::client;
use crate::support::gateway::user_id;
use crate::support::proxy::Proxy;
use crate::support::{Backend, Over, until};
use issuer_gateway::client::sample;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

fn lines_with(running: &Running, text: &str) -> usize {
    let log = running.written("stderr");
    log.lines().filter(|line| line.contains(text)).count()
}

/// Sends SIGHUP and waits until the configuration was taken up because of it or refused.
pub(super) fn hang_up(running: &mut Running, taken_up: bool) {
    let says = if taken_up {
        r#""message":"configuration reloaded""#
    } else {
        r#""message":"configuration not reloaded"#
    };
    let before = lines_with(running, says);
    running.send("HUP");
    until(says, || lines_with(running, says) > before);
}

fn the_kek_changes_while_a_gateway_serves(backend: Backend) {
    let mut at = Installation::new(backend);
    let old = at.make_kek("old.key");
    let new = at.make_kek("new.key");
    at.configure(r#"kek_file = "old.key""#);
    let (mut running, base_url) = Running::serve(&at.config, &[]);
    let user = user_id(&client(&base_url).enrol(&sample::enrolment("534403")));
    let done = AtomicBool::new(false);
    let answered = AtomicUsize::new(0);
    std::thread::scope(|scope| {
        let _over = Over(&done);
        scope.spawn(|| {
            let client = client(&base_url);
            while !done.load(Ordering::Relaxed) {
                let answer = client.enrol(&sample::enrolment("534403"));
                assert_eq!(answer.status, 200, "{:?}", answer.clear);
                answered.fetch_add(1, Ordering::Relaxed);
            }
        });
        // The new KEK without the old one opens nothing: the node stays with what it has.
        at.configure(r#"kek_file = "new.key""#);
        hang_up(&mut running, false);
        let refused = running.wait_for("stderr", "configuration not reloaded");
        for named in [old.id(), new.id(), "not at hand"] {
            assert!(refused.contains(named), "{refused}");
        }
        at.vault(&["rotate-kek"], &[])
            .refused(&[old.id(), new.id(), "not at hand"]);

        at.configure("kek_file = \"new.key\"\n[[vault.further_keks]]\nfile = \"old.key\"");
        hang_up(&mut running, true);
        let rotated = at.vault(&["rotate-kek"], &[]).ok();
        assert!(
            rotated.contains("2 data key(s)") && rotated.contains(new.id()),
            "{rotated}"
        );
        let again = at.vault(&["rotate-kek"], &[]).ok();
        assert!(again.contains("already"), "{again}");

        at.configure(r#"kek_file = "new.key""#);
        hang_up(&mut running, true);
        // Nothing has changed: SIGHUP alone has it loaded again.
        hang_up(&mut running, true);
        let seen = answered.load(Ordering::Relaxed);
        until("requests go on", || {
            answered.load(Ordering::Relaxed) > seen + 5
        });
    });
    assert_updates(&base_url, &user);
    at.stop(running);

    // The node says which KEKs it took up and gave up.
    let acts = at.database.texts(
        "SELECT action || ' ' || subject || ' ' || coalesce(detail, '-') AS t FROM audit_entries \
         WHERE action LIKE 'kek.%' ORDER BY at, seq",
    );
    let expected = [
        format!("kek.load {} primary", old.id()),
        format!("kek.load {} primary", new.id()),
        format!("kek.load {} further", old.id()),
        format!("kek.drop {} -", old.id()),
    ];
    assert_eq!(acts.len(), expected.len(), "{acts:?}");
    assert!(expected.iter().all(|act| acts.contains(act)), "{acts:?}");

    std::fs::rename(at.path("old.key"), at.path("away.key")).unwrap();
    let (running, base_url) = Running::serve(&at.config, &[]);
    assert_updates(&base_url, &user);
    at.stop(running);
    at.configure(r#"kek_file = "away.key""#);
    at.serve_refused(&[], &[old.id(), new.id(), "not at hand"]);
    at.assert_no_secret(&[&at.path("away.key"), &at.path("new.key")]);
}

on_both!(blocking: the_kek_changes_while_a_gateway_serves);

#[test]
fn a_new_kek_waits_for_a_database_that_is_away() {
    // PostgreSQL alone: SQLite is never away.
    let mut at = Installation::new(Backend::Postgres);
    let (authority, name) = at.database.url_text.rsplit_once('/').unwrap();
    let proxy = Proxy::start(authority.rsplit_once('@').unwrap().1.to_owned());
    at.url = format!("postgresql://postgres@{}/{name}", proxy.address);
    at.make_kek("old.key");
    let new = at.make_kek("new.key");
    at.configure(r#"kek_file = "old.key""#);
    let (mut running, _) = Running::serve(&at.config, &[]);
    proxy.cut();
    at.configure("kek_file = \"new.key\"\nfurther_keks = [{ file = \"old.key\" }]");
    hang_up(&mut running, false);
    proxy.restore();
    let loaded = format!(
        "SELECT count(*) AS n FROM audit_entries WHERE action = 'kek.load' AND subject = '{}'",
        new.id()
    );
    until("it is taken up, although no file has changed since", || {
        at.database.number(&loaded) == 1
    });
    at.stop(running);
}
