//! `audit export --follow`: every entry comes out at least once, whoever is killed.

use crate::config_file::ready;
use crate::on_both;
use crate::process::{Running, run, text};
use crate::serve::{client, enrol_until_gone};
use crate::support::{Backend, TestDatabase, until};
use issuer_gateway::client::sample;
use serde_json::Value;
use std::collections::BTreeMap;
use std::fs::{self, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};

/// A follower's files.
struct Files {
    config: PathBuf,
    to: PathBuf,
    state: PathBuf,
}

impl Files {
    fn new(database: &TestDatabase, dir: &Path) -> Self {
        Self {
            config: ready(database, dir, |_| {}),
            to: dir.join("audit.jsonl"),
            state: dir.join("audit.state"),
        }
    }

    fn follow(&self) -> Running {
        let Self { config, to, state } = self;
        let args = ["--config", text(config), "audit", "export", "--follow"];
        let files = ["--to", text(to), "--state", text(state)];
        let pace = ["--interval-seconds", "1"];
        Running::start(&[&args[..], &files, &pace].concat(), &[])
    }

    /// How often each entry is in the file.
    fn exported(&self) -> BTreeMap<(String, i64), usize> {
        let mut exported = BTreeMap::new();
        for line in fs::read_to_string(&self.to).unwrap_or_default().lines() {
            // Its last line may be under way.
            let Ok(line) = serde_json::from_str::<Value>(line) else {
                continue;
            };
            let (chain, seq) = (line["chain"].as_str().unwrap(), line["seq"].as_i64());
            *exported
                .entry((chain.to_owned(), seq.unwrap()))
                .or_default() += 1;
        }
        exported
    }
}

/// Chain and position of all entries.
fn entries(database: &TestDatabase) -> Vec<(String, i64)> {
    let all = "SELECT chain || ':' || seq AS t FROM audit_entries";
    let split = |entry: String| {
        let (chain, seq) = entry.split_once(':').unwrap();
        (chain.to_owned(), seq.parse().unwrap())
    };
    database.texts(all).into_iter().map(split).collect()
}

fn every_entry_comes_out_whoever_is_killed(backend: Backend) {
    let database = TestDatabase::empty(backend);
    let dir = tempfile::tempdir().unwrap();
    let files = Files::new(&database, dir.path());
    let all_are_out = || {
        let exported = files.exported();
        entries(&database)
            .iter()
            .all(|entry| exported.contains_key(entry))
    };

    let (running, base_url) = Running::serve(&files.config, &[]);
    let follower = files.follow();
    client(&base_url).enrol(&sample::enrolment("534403"));
    until("all is exported", all_are_out);
    // The export is killed, in the middle of a line, and the gateway under load.
    follower.kill();
    let part = br#"{"at":"2026-11-27T0"#;
    let mut file = OpenOptions::new().append(true).open(&files.to).unwrap();
    file.write_all(part).unwrap();
    drop(file);
    let mut follower = files.follow();
    let enrolled = enrol_until_gone(&base_url, || running.kill());
    assert!(!enrolled.is_empty());
    until("all is exported", all_are_out);

    // Ended in order and started again, it repeats nothing.
    assert!(follower.signal("TERM").success());
    let before = files.exported();
    let mut follower = files.follow();
    until("its own start is exported", || {
        files.exported().len() > before.len()
    });
    assert!(follower.signal("INT").success());
    let after = files.exported();
    assert!(
        before.iter().all(|(entry, times)| after[entry] == *times),
        "{after:?}"
    );
    for line in fs::read_to_string(&files.to).unwrap().lines() {
        assert!(serde_json::from_str::<Value>(line).is_ok(), "{line}");
    }

    // The state is a witness of what was exported.
    let verify = || {
        let config = text(&files.config);
        let state = text(&files.state);
        run(&["--config", config, "audit", "verify", "--expect", state])
    };
    verify().ok();
    let (chain, seq) = after.keys().next().unwrap();
    database.execute(&format!(
        "UPDATE audit_entries SET actor = 'nobody' WHERE chain = '{chain}' AND seq = {seq}"
    ));
    assert_eq!(verify().code, Some(1));
}

on_both!(blocking: every_entry_comes_out_whoever_is_killed);

#[test]
fn an_export_waits_for_its_database_and_says_what_is_wrong() {
    let database = TestDatabase::empty(Backend::Sqlite);
    let dir = tempfile::tempdir().unwrap();
    let files = Files::new(&database, dir.path());
    let config = text(&files.config);
    let state = text(&files.state);
    // --follow has a file and a state, and takes the whole trail.
    for (args, named) in [
        (&["--follow"][..], "--to"),
        (&["--follow", "--to", "x"], "--state"),
        (
            &["--follow", "--to", "x", "--state", state, "--issuer", "x"],
            "--issuer",
        ),
        (&["--to", "x"], "--follow"),
    ] {
        let args = [&["--config", config, "audit", "export"][..], args].concat();
        let output = run(&args);
        assert_eq!(output.code, Some(2), "{}", output.stderr);
        assert!(output.stderr.contains(named), "{}", output.stderr);
    }
    let nowhere = dir.path().join("none").join("audit.jsonl");
    let args = ["--config", config, "audit", "export", "--follow"];
    let more = ["--to", text(&nowhere), "--state", state];
    run(&[&args[..], &more].concat()).refused(&["--to", "none"]);
    // A state that was changed is none.
    fs::write(&files.state, "issuer-gateway witness 1\n").unwrap();
    let more = ["--to", text(&files.to), "--state", state];
    run(&[&args[..], &more].concat()).refused(&["--state", "changed or cut"]);
    fs::remove_file(&files.state).unwrap();

    // A table that is away stands for a database that is: it goes on when it is back.
    let mut follower = files.follow();
    until("it exports", || !files.exported().is_empty());
    database.execute("ALTER TABLE audit_heads RENAME TO away");
    follower.wait_for("stderr", "trying again");
    database.execute("ALTER TABLE away RENAME TO audit_heads");
    let (mut running, base_url) = Running::serve(&files.config, &[]);
    client(&base_url).enrol(&sample::enrolment("534403"));
    assert!(running.signal("TERM").success());
    until("all is exported", || {
        let exported = files.exported();
        entries(&database)
            .iter()
            .all(|entry| exported.contains_key(entry))
    });
    assert!(follower.signal("TERM").success());
}
