//! The witness: a database that lost its tail is found out, although its trail is whole in itself.

use crate::config_file::ready;
use crate::on_both;
use crate::process::{Output, Running, run, text};
use crate::serve::client;
use crate::support::gateway::user_id;
use crate::support::{Backend, TestDatabase, until};
use issuer_gateway::audit::witness::file;
use issuer_gateway::client::sample;
use issuer_gateway::store::audit::AuditHead;
use std::fs;
use std::path::{Path, PathBuf};

/// A node that keeps a witness: on PostgreSQL it has to be told where.
fn node(database: &TestDatabase, dir: &Path) -> (PathBuf, PathBuf) {
    match database.backend {
        Backend::Sqlite => (
            ready(database, dir, |_| {}),
            database.dir().join("gateway.db.witness"),
        ),
        Backend::Postgres => (
            ready(database, dir, |sections| {
                sections.rest += "[audit]\nwitness = \"node.witness\"\n";
            }),
            dir.join("node.witness"),
        ),
    }
}

fn verify(config: &Path, more: &[&str]) -> Output {
    let mut args = vec!["--config", text(config), "audit", "verify"];
    args.extend(more);
    run(&args)
}

fn known(witness: &Path) -> Vec<AuditHead> {
    file::read(witness).unwrap().unwrap_or_default()
}

/// Chain and position of the entry that says so of a user.
fn entry_of(database: &TestDatabase, user: &str) -> (String, i64) {
    let of = format!("FROM audit_entries WHERE action = 'user.enrol' AND subject = '{user}'");
    let chain = database.texts(&format!("SELECT chain AS t {of}")).remove(0);
    (chain, database.number(&format!("SELECT seq AS n {of}")))
}

/// Takes all from `seq` on out of a chain, as if it had never been: in itself the trail is whole.
fn lose(database: &TestDatabase, chain: &str, seq: i64) {
    let end = seq - 1;
    database.execute(&format!(
        "DELETE FROM audit_entries WHERE chain = '{chain}' AND seq > {end}; \
         DELETE FROM audit_anchors WHERE chain = '{chain}'; \
         UPDATE audit_heads SET seq = {end}, hash = (SELECT hash FROM audit_entries \
         WHERE chain = '{chain}' AND seq = {end}) WHERE chain = '{chain}'"
    ));
}

fn a_lost_tail_is_found(backend: Backend) {
    let database = TestDatabase::empty(backend);
    let dir = tempfile::tempdir().unwrap();
    let (config, witness) = node(&database, dir.path());
    let (running, base_url) = Running::serve(&config, &[]);
    let client = client(&base_url);
    let mut last = (String::new(), 0);
    // Until a writer's chain has more than one entry, since there are two of them.
    until("a chain grows", || {
        last = entry_of(
            &database,
            &user_id(&client.enrol(&sample::enrolment("534403"))),
        );
        last.1 > 1
    });
    let (chain, seq) = last;
    until("the witness names it", || {
        known(&witness)
            .iter()
            .any(|head| head.chain == chain && head.seq >= seq)
    });
    // While it runs, and once it was killed.
    let said = verify(&config, &[]).ok();
    assert!(
        said.contains("All that this node's witness names is in it"),
        "{said}"
    );
    running.kill();
    verify(&config, &[]).ok();
    let elsewhere = dir.path().join("elsewhere.witness");
    fs::copy(&witness, &elsewhere).unwrap();

    let end = known(&witness)
        .into_iter()
        .find(|head| head.chain == chain)
        .unwrap()
        .seq;
    lose(&database, &chain, seq);
    let told = format!(
        "BROKEN chain {chain}: ends with entry {}, but this node has acknowledged entries up to {end}: \
         {} acknowledged entries at its end are missing",
        seq - 1,
        end - seq + 1
    );
    let found = verify(&config, &[]);
    assert_eq!(found.code, Some(1));
    assert!(found.stdout.contains(&told), "{}", found.stdout);

    // The next run says so, and goes on; what is missing stays in the witness.
    let (mut running, _) = Running::serve(&config, &[]);
    let line = running.wait_for(
        "stderr",
        "acknowledged entries of the audit trail are missing",
    );
    assert!(line.contains(&chain), "{line}");
    assert!(verify(&config, &[]).stdout.contains(&told));
    assert!(running.signal("TERM").success());
    assert!(verify(&config, &[]).stdout.contains(&told));

    // An operator who knows why puts the witness aside; a copy of it still tells.
    fs::rename(&witness, dir.path().join("lost.witness")).unwrap();
    let said = verify(&config, &[]);
    assert!(
        said.stderr.contains("there is no witness"),
        "{}",
        said.stderr
    );
    said.ok();
    let expected = verify(&config, &["--expect", text(&elsewhere)]);
    assert_eq!(expected.code, Some(1));
    let told = format!("BROKEN chain {chain}: entry {end} is not the one expected");
    assert!(expected.stdout.contains(&told), "{}", expected.stdout);
    verify(&config, &["--expect", text(&dir.path().join("none"))]).refused(&["CHAIN:SEQ:HASH"]);
}

on_both!(blocking: a_lost_tail_is_found);

/// A failover to a standby that lagged behind looks like this to the process that goes on.
fn a_loss_that_the_node_has_declared_is_a_gap(backend: Backend) {
    let database = TestDatabase::empty(backend);
    let dir = tempfile::tempdir().unwrap();
    let (config, witness) = node(&database, dir.path());
    let (mut running, base_url) = Running::serve(&config, &[]);
    let client = client(&base_url);
    let enrol = || user_id(&client.enrol(&sample::enrolment("534403")));
    let (chain, seq) = entry_of(&database, &enrol());
    enrol();
    until("the witness names the chain's end", || {
        let end = format!("SELECT max(seq) AS n FROM audit_entries WHERE chain = '{chain}'");
        let end = database.number(&end);
        let heads = known(&witness);
        heads.iter().any(|h| h.chain == chain && h.seq == end)
    });
    if seq > 1 {
        lose(&database, &chain, seq);
    } else {
        database.execute(&format!(
            "DELETE FROM audit_entries WHERE chain = '{chain}'; \
             DELETE FROM audit_anchors WHERE chain = '{chain}'; \
             DELETE FROM audit_heads WHERE chain = '{chain}'"
        ));
    }
    let gaps = "SELECT count(*) AS n FROM audit_entries WHERE action = 'audit.gap'";
    until("the writer whose chain it was declares the gap", || {
        enrol();
        database.number(gaps) == 1
    });
    assert!(running.signal("TERM").success());
    let found = verify(&config, &[]);
    assert_eq!(found.code, Some(3), "{}", found.stdout);
    assert!(
        found.stdout.contains(&format!("GAP chain {chain}")),
        "{}",
        found.stdout
    );
    assert!(!found.stdout.contains("BROKEN"), "{}", found.stdout);
    verify(&config, &["--known-gaps", "1"]).ok();
}

#[test]
fn a_loss_that_the_node_has_declared_is_a_gap_sqlite() {
    a_loss_that_the_node_has_declared_is_a_gap(Backend::Sqlite);
}

#[test]
fn a_loss_that_the_node_has_declared_is_a_gap_postgres() {
    a_loss_that_the_node_has_declared_is_a_gap(Backend::Postgres);
}

fn after_a_stop_nothing_can_be_lost_unseen(backend: Backend) {
    let database = TestDatabase::empty(backend);
    let dir = tempfile::tempdir().unwrap();
    let (config, witness) = node(&database, dir.path());
    for _ in 0..2 {
        let (mut running, base_url) = Running::serve(&config, &[]);
        client(&base_url).enrol(&sample::enrolment("534403"));
        assert!(running.signal("TERM").success());
    }
    // Chains of the first run are vouched for by the second, so the witness does not name them for
    // ever.
    let heads = known(&witness);
    assert_eq!(heads.len(), 2, "{heads:?}");
    verify(&config, &[]).ok();
    let stops = database
        .texts("SELECT chain AS t FROM audit_entries WHERE action = 'node.stop' ORDER BY at DESC");
    let end = heads.iter().find(|head| head.chain == stops[0]).unwrap();
    lose(&database, &end.chain, end.seq);
    let found = verify(&config, &[]);
    assert_eq!(found.code, Some(1), "{}", found.stdout);
    let told = format!("BROKEN chain {}: ends with entry", end.chain);
    assert!(found.stdout.contains(&told), "{}", found.stdout);

    // What was lost came back as something else.
    database.execute(&format!(
        "INSERT INTO audit_entries (chain, seq, at, actor, action, outcome, previous_hash, hash) \
         SELECT chain, seq + 1, at, actor, action, outcome, hash, previous_hash FROM audit_entries \
         WHERE chain = '{}' AND seq = {}",
        end.chain,
        end.seq - 1
    ));
    let found = verify(&config, &[]);
    let told = format!(
        "BROKEN chain {}: entry {} is not the one that this node has acknowledged",
        end.chain, end.seq
    );
    assert!(found.stdout.contains(&told), "{}", found.stdout);
}

on_both!(blocking: after_a_stop_nothing_can_be_lost_unseen);

#[test]
fn an_older_copy_in_place_of_the_database_is_found() {
    let database = TestDatabase::empty(Backend::Sqlite);
    let dir = tempfile::tempdir().unwrap();
    let (config, witness) = node(&database, dir.path());
    let (mut running, base_url) = Running::serve(&config, &[]);
    let client = client(&base_url);
    client.enrol(&sample::enrolment("534403"));
    let copy = dir.path().join("copy.db");
    run(&["--config", text(&config), "backup", text(&copy)]).ok();
    let after = user_id(&client.enrol(&sample::enrolment("534403")));
    assert!(running.signal("TERM").success());
    let (chain, _) = entry_of(&database, &after);
    for companion in ["gateway.db-wal", "gateway.db-shm"] {
        let _ = fs::remove_file(database.dir().join(companion));
    }
    fs::rename(&copy, database.dir().join("gateway.db")).unwrap();
    let found = verify(&config, &[]);
    assert_eq!(found.code, Some(1));
    assert!(
        found
            .stdout
            .contains(&format!("BROKEN chain {chain}: ends with entry")),
        "{}",
        found.stdout
    );
    // The restore's last step: see docs/operations.md.
    fs::rename(&witness, dir.path().join("before-restore.witness")).unwrap();
    let (_running, _) = Running::serve(&config, &[]);
    let said = verify(&config, &[]).ok();
    assert!(
        said.contains("All that this node's witness names is in it"),
        "{said}"
    );
}

#[test]
fn a_witness_that_cannot_be_read_is_said_and_kept() {
    let database = TestDatabase::empty(Backend::Sqlite);
    let dir = tempfile::tempdir().unwrap();
    let (config, witness) = node(&database, dir.path());
    fs::write(&witness, "issuer-gateway witness 1\ncut").unwrap();
    verify(&config, &[]).refused(&["gateway.db.witness", "changed or cut"]);
    let (mut running, _) = Running::serve(&config, &[]);
    running.wait_for("stderr", "was set aside");
    assert!(running.signal("TERM").success());
    let aside = fs::read_dir(database.dir()).unwrap().any(|entry| {
        let name = entry.unwrap().file_name().into_string().unwrap();
        name.starts_with("gateway.db.witness.unreadable-")
    });
    assert!(aside);
    verify(&config, &[]).ok();
}
