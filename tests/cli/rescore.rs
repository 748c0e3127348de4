//! `transactions rescore`, and the state of the job that an enrolment leaves.

use crate::config_file::ready;
use crate::on_both;
use crate::process::{Running, run, text};
use crate::support::gateway::{TestClient, consumer_key, user_id};
use crate::support::{Backend, TestDatabase, until};
use issuer_gateway::client::sample;

on_both!(blocking: an_issuer_gets_its_set_first, the_job_of_an_enrolment_is_shown);

fn an_issuer_gets_its_set_first(backend: Backend) {
    let database = TestDatabase::empty(backend);
    let dir = tempfile::tempdir().unwrap();
    let config = ready(&database, dir.path(), |_| {});
    let operate = |args: &[&str]| run(&[&["--config", text(&config)], args].concat());
    let rescore = |args: &[&str]| operate(&[&["transactions", "rescore"], args].concat());
    assert_eq!(rescore(&[]).code, Some(2));
    assert_eq!(rescore(&["--to", "ig-2026.1", "--stale"]).code, Some(2));
    rescore(&["--to", "own-9"]).refused(&["no factor set own-9; there is ig-2026.1"]);
    let nobody = ["--to", "ig-2026.1", "--issuer", "nobody"];
    rescore(&nobody).refused(&["no issuer nobody"]);
    let told = rescore(&["--to", "ig-2026.1", "--issuer", "demo"]).ok();
    assert!(
        told.contains("issuer demo: 0 cardholders written"),
        "{told}"
    );
    let set = |issuer: &str| operate(&["issuer", "show", issuer]).ok();
    assert!(set("demo").contains("factor set            ig-2026.1\n"));
    assert!(set("compat").contains("factor set            ig-2026.1 (the gateway's own)"));
    let all = rescore(&["--stale", "--cardholders-per-second", "10"]).ok();
    assert_eq!(all.lines().count(), 3, "{all}");
    let audited = |action: &str| {
        database.texts(&format!(
            "SELECT subject || ' ' || detail AS t FROM audit_entries WHERE action = '{action}'"
        ))
    };
    assert_eq!(audited("issuer.set-factor-set"), ["demo ig-2026.1"]);
    let done = audited("transactions.rescore");
    assert_eq!(done.len(), 4);
    assert!(done.contains(&"ig-2026.1 cardholders=0 transactions=0 misfits=0".to_owned()));
}

fn the_job_of_an_enrolment_is_shown(backend: Backend) {
    let database = TestDatabase::empty(backend);
    let dir = tempfile::tempdir().unwrap();
    let config = ready(&database, dir.path(), |_| {});
    let (_running, base_url) = Running::serve(&config, &[]);
    let client = TestClient::new(
        &base_url,
        &consumer_key("demo"),
        "issuer-signing",
        Some("issuer-encryption"),
    );
    let id = user_id(&client.enrol(&sample::enrolment("534403")));
    let show = || run(&["--config", text(&config), "user", "show", &id]).ok();
    until("the job was looked at", || {
        show().contains("pending, looked at again")
    });
    // A day later.
    database.execute("UPDATE scoring_jobs SET next_at = 1, created_at = created_at - 86400000000");
    until("the job has ended", || show().contains("no_history, "));
}
