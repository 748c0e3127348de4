//! `vault rotate|reseal|rotate-index|verify`, beside a gateway that serves, killed, and on damaged
//! rows.

use crate::config_file::ready;
use crate::on_both;
use crate::process::{Output, Running, run, text, write};
use crate::serve::client;
use crate::support::gateway::{TestClient, assert_refused, user_id};
use crate::support::{Backend, Over, TestDatabase, until};
use issuer_gateway::client::sample;
use issuer_gateway::vault::Kek;
use serde_json::Value;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

fn vault(config: &Path, args: &[&str]) -> Output {
    let mut all = vec!["--config", text(config), "vault"];
    all.extend(args);
    run(&all)
}

/// Enrols so many; their ids and what was sent.
fn enrolled(client: &TestClient, count: usize) -> Vec<(String, Value)> {
    let enrolments = (0..count).map(|_| {
        let enrolment = sample::enrolment("534403");
        (user_id(&client.enrol(&enrolment)), enrolment)
    });
    enrolments.collect()
}

/// Rows of users and cards that name another version of a key.
fn rows_not_under(database: &TestDatabase, column: &str, version: i32) -> i64 {
    let of = |table: &str, column: &str| {
        database.number(&format!(
            "SELECT count(*) AS n FROM {table} WHERE {column} <> {version}"
        ))
    };
    match column {
        "seal_key" => of("users", column) + of("cards", column),
        _ => of("users", "email_index_key") + of("cards", "pan_index_key"),
    }
}

fn keys_change_while_it_serves(backend: Backend) {
    let database = TestDatabase::empty(backend);
    let dir = tempfile::tempdir().unwrap();
    let config = ready(&database, dir.path(), |_| {});
    let (_running, base_url) = Running::serve(&config, &[]);
    let before = enrolled(&client(&base_url), 10);
    let stop = AtomicBool::new(false);
    let beside = std::thread::scope(|scope| {
        let over = Over(&stop);
        let serving = || {
            let client = client(&base_url);
            let mut count = 0;
            while count == 0 || !stop.load(Ordering::Relaxed) {
                let (id, enrolment) = enrolled(&client, 1).remove(0);
                assert_eq!(client.update(&id, &sample::update()).status, 200);
                // A card of before, whichever index it is under just now, and one of just now.
                for taken in [&before[count % before.len()].1, &enrolment] {
                    assert_refused(&client.enrol(taken), 400, &["USER_ALREADY_EXISTS"]);
                }
                count += 1;
            }
            count
        };
        let threads = [scope.spawn(serving), scope.spawn(serving)];
        for (command, says) in [
            ("rotate", "Data key seal 2 is the primary one"),
            ("verify", "Every sealed column of "),
            ("reseal", "seal 1 is retired."),
            ("rotate-index", "index 1 is retired."),
            ("verify", "every blind index is right."),
        ] {
            let said = vault(&config, &[command]).ok();
            assert!(said.contains(says), "{command}: {said}");
        }
        drop(over);
        threads.map(|thread| thread.join().unwrap())
    });

    assert_eq!(rows_not_under(&database, "seal_key", 2), 0);
    assert_eq!(rows_not_under(&database, "index_key", 2), 0);
    let wiped = "SELECT count(*) AS n FROM data_keys WHERE version = 1 AND state = 'retired' AND length(wrapped) = 0";
    assert_eq!(database.number(wiped), 2);
    let status = vault(&config, &["status"]).ok();
    for line in ["seal     1        retired", "index    2        primary"] {
        assert!(status.contains(line), "{status}");
    }
    let users = before.len() + beside.iter().sum::<usize>();
    assert_eq!(database.count("users"), i64::try_from(users).unwrap());
    // Everybody is still there, and nobody twice.
    let client = client(&base_url);
    for (id, enrolment) in &before {
        assert_eq!(client.update(id, &sample::update()).status, 200);
        assert_refused(&client.enrol(enrolment), 400, &["USER_ALREADY_EXISTS"]);
    }
    let said = vault(&config, &["reseal"]).ok();
    assert_eq!(said, "Every row is under seal 2: 0 were rewritten.\n");
}

on_both!(blocking: keys_change_while_it_serves);

/// Starts a slow pass and kills it once it has written something.
fn kill_in_the_middle(database: &TestDatabase, config: &Path, command: &str, column: &str) {
    let all = rows_not_under(database, column, 2);
    let slowly = [
        "--config",
        text(config),
        "vault",
        command,
        "--rows-per-second",
        "1",
    ];
    let running = Running::start(&slowly, &[]);
    until("the pass writes something", || {
        rows_not_under(database, column, 2) != all
    });
    running.kill();
    assert!(rows_not_under(database, column, 2) > 0);
}

fn a_killed_pass_goes_on(backend: Backend) {
    let database = TestDatabase::empty(backend);
    let dir = tempfile::tempdir().unwrap();
    let config = ready(&database, dir.path(), |_| {});
    let (_running, base_url) = Running::serve(&config, &[]);
    enrolled(&client(&base_url), 12);
    vault(&config, &["rotate"]).ok();
    kill_in_the_middle(&database, &config, "reseal", "seal_key");
    kill_in_the_middle(&database, &config, "rotate-index", "index_key");
    let said = vault(&config, &["verify"]).ok();
    assert!(said.contains("of 24 rows"), "{said}");
    let active =
        "SELECT count(*) AS n FROM data_keys WHERE state = 'active' AND length(wrapped) > 0";
    assert_eq!(database.number(active), 2);

    let resealed = vault(&config, &["reseal", "--batch", "5"]);
    // Not a terminal: lines instead of a bar.
    assert!(resealed.stderr.contains(" rows\n"), "{}", resealed.stderr);
    assert!(resealed.ok().contains("seal 1 is retired."));
    let said = vault(&config, &["rotate-index", "--rows-per-second", "1000"]).ok();
    assert!(
        said.contains("Going on with the rotation under way"),
        "{said}"
    );
    assert!(said.contains("Every row is under index 2"), "{said}");
    assert_eq!(rows_not_under(&database, "seal_key", 2), 0);
    assert_eq!(rows_not_under(&database, "index_key", 2), 0);
    vault(&config, &["verify"]).ok();
}

on_both!(blocking: a_killed_pass_goes_on);

fn damage_is_named_and_nothing_else_is_said(backend: Backend) {
    let database = TestDatabase::empty(backend);
    let dir = tempfile::tempdir().unwrap();
    let config = ready(&database, dir.path(), |_| {});
    let (_running, base_url) = Running::serve(&config, &[]);
    let users = enrolled(&client(&base_url), 4);
    let (one, other) = (&users[1].0, &users[2].0);
    database.execute(&format!(
        "UPDATE users SET name = email WHERE user_id = '{one}'"
    ));
    database.execute(&format!(
        "UPDATE cards SET pan_index = substr(card, 5, 32) WHERE user_id = '{other}'"
    ));
    let issuer = database.number("SELECT CAST(min(issuer_id) AS BIGINT) AS n FROM cards");
    // What is shown of a card must be of that card.
    let digits = database
        .texts(&format!(
            "SELECT last_four AS t FROM cards WHERE user_id = '{one}'"
        ))
        .remove(0);
    let set = |digits: &str| {
        database.execute(&format!(
            "UPDATE cards SET last_four = '{digits}' WHERE user_id = '{one}'"
        ));
    };
    set(if digits == "0000" { "0001" } else { "0000" });
    let verified = vault(&config, &["verify"]);
    let told = format!("user {one}: last_four: is not that of the sealed card\n");
    assert!(verified.stdout.contains(&told), "{}", verified.stdout);
    assert_eq!(verified.code, Some(1));
    set(&digits);
    let found = format!(
        "BROKEN users: issuer {issuer}, user {one}: users.name: a sealed value does not open in its place\n\
         BROKEN cards: issuer {issuer}, user {other}: pan_index: is not that of the sealed value\n\
         2 of 8 rows do not fit.\n"
    );
    let verified = vault(&config, &["verify"]);
    assert_eq!((verified.code, verified.stdout), (Some(1), found));
    let refused = "SELECT count(*) AS n FROM audit_entries WHERE action = 'vault.verify' AND outcome = 'refused'";
    assert_eq!(database.number(refused), 2);

    vault(&config, &["rotate"]).ok();
    let resealed = vault(&config, &["reseal"]);
    assert_eq!(resealed.code, Some(1));
    assert!(
        resealed.stdout.contains("users.name"),
        "{}",
        resealed.stdout
    );
    assert!(resealed.stdout.contains("7 rows"), "{}", resealed.stdout);
    assert!(
        resealed.stdout.contains("no key is retired"),
        "{}",
        resealed.stdout
    );

    // The way out that the runbook names: the issuer deletes the user. The rotation then puts the
    // index right, too.
    assert_eq!(client(&base_url).delete(&[one]).status, 202);
    until("the user is erased", || {
        database.count("users WHERE status = 'DELETED'") == 1
    });
    assert!(
        vault(&config, &["reseal"])
            .ok()
            .contains("seal 1 is retired.")
    );
    vault(&config, &["rotate-index"]).ok();
    vault(&config, &["verify"]).ok();
}

on_both!(blocking: damage_is_named_and_nothing_else_is_said);

#[test]
fn with_a_wrong_kek_nothing_is_touched() {
    let database = TestDatabase::empty(Backend::Sqlite);
    let dir = tempfile::tempdir().unwrap();
    let config = ready(&database, dir.path(), |_| {});
    vault(&config, &["rotate"]).ok();
    let before = database.dump();
    let other = Kek::generate().unwrap();
    write(dir.path(), "other.key", &other);
    let elsewhere = tempfile::tempdir().unwrap();
    let wrong = ready(&database, elsewhere.path(), |sections| {
        sections.vault = format!("kek_file = \"{}\"", dir.path().join("other.key").display());
    });
    let keys = |dump: &str| {
        let lines = dump.lines().filter(|line| line.starts_with("data_keys"));
        lines.map(str::to_owned).collect::<Vec<_>>()
    };
    for command in ["rotate", "reseal", "rotate-index", "verify"] {
        let id = Kek::from_base64(&other).unwrap().id().to_owned();
        vault(&wrong, &[command]).refused(&["wrapped with KEK", &id]);
    }
    assert_eq!(keys(&database.dump()), keys(&before));
    for limit in [
        ["--batch", "0"],
        ["--batch", "1001"],
        ["--rows-per-second", "0"],
    ] {
        let usage = vault(&config, &[&["reseal"], &limit[..]].concat());
        assert_eq!(usage.code, Some(2), "{limit:?}");
    }
}
