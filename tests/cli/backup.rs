//! `backup FILE`: whole or nothing, and nothing of anybody else's is touched.

use crate::config_file::ready;
use crate::process::{Output, Running, run, text};
use crate::serve::client;
use crate::support::gateway::user_id;
use crate::support::{Backend, TestDatabase};
use issuer_gateway::client::sample;
use std::fs::{self, File};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

fn backup(config: &Path, file: &Path) -> Output {
    run(&["--config", text(config), "backup", text(file)])
}

fn names(dir: &Path) -> Vec<String> {
    let entries = fs::read_dir(dir).unwrap();
    let mut names: Vec<String> = entries
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

#[test]
fn a_copy_is_whole_private_and_can_be_put_in_place() {
    let database = TestDatabase::empty(Backend::Sqlite);
    let dir = tempfile::tempdir().unwrap();
    let config = ready(&database, dir.path(), |_| {});
    let (running, base_url) = Running::serve(&config, &[]);
    let one = user_id(&client(&base_url).enrol(&sample::enrolment("534403")));
    let copies = tempfile::tempdir().unwrap();
    let copy = copies.path().join("copy.db");
    // A killed run has left the partial file, and a log that belongs to nothing any more.
    fs::write(copies.path().join("copy.db.partial"), "half of it").unwrap();
    let log = fs::read(database.dir().join("gateway.db-wal")).unwrap();
    fs::write(copies.path().join("copy.db.partial-wal"), log).unwrap();
    let said = backup(&config, &copy);
    assert!(
        said.stderr.contains("backup: "),
        "no progress: {}",
        said.stderr
    );
    let said = said.ok();
    for told in [
        "integrity_check ok",
        "Migrations up to 2026",
        "each with its end",
        "KEK",
    ] {
        assert!(said.contains(told), "{said}");
    }
    assert_eq!(names(copies.path()), ["copy.db"]);
    assert_eq!(
        fs::metadata(&copy).unwrap().permissions().mode() & 0o7777,
        0o600
    );
    let noted = "SELECT count(*) AS n FROM audit_entries WHERE action = 'database.backup'";
    assert_eq!(database.number(noted), 1);

    // Restored elsewhere, as docs/operations.md has it, it serves on.
    running.kill();
    let restored = TestDatabase::empty(Backend::Sqlite);
    fs::copy(&copy, restored.dir().join("gateway.db")).unwrap();
    assert_eq!(restored.number(noted), 1);
    let elsewhere = tempfile::tempdir().unwrap();
    let config = ready(&restored, elsewhere.path(), |_| {});
    let (_running, base_url) = Running::serve(&config, &[]);
    assert_eq!(
        client(&base_url).update(&one, &sample::update()).status,
        200
    );
    run(&["--config", text(&config), "audit", "verify"]).ok();
}

#[test]
fn nothing_is_overwritten_or_left() {
    let database = TestDatabase::empty(Backend::Sqlite);
    let dir = tempfile::tempdir().unwrap();
    let config = ready(&database, dir.path(), |_| {});
    let copies = tempfile::tempdir().unwrap();
    let copy = copies.path().join("copy.db");
    for (name, content) in [
        ("copy.db", "theirs"),
        ("copy.db-wal", "a log"),
        ("copy.db-journal", "j"),
    ] {
        let file = copies.path().join(name);
        fs::write(&file, content).unwrap();
        backup(&config, &copy).refused(&[name, "exists already"]);
        assert_eq!(fs::read_to_string(&file).unwrap(), content);
        assert_eq!(names(copies.path()), [name]);
        fs::remove_file(file).unwrap();
    }
    // Onto itself.
    let own = database.dir().join("gateway.db");
    backup(&config, &own).refused(&["gateway.db", "exists already"]);
    // Another one to the same name.
    let partial = copies.path().join("copy.db.partial");
    let held = File::create(&partial).unwrap();
    held.lock().unwrap();
    backup(&config, &copy).refused(&["under way", "copy.db.partial"]);
    assert_eq!(names(copies.path()), ["copy.db.partial"]);
    drop(held);
    backup(&config, &copy).ok();
    // No such folder.
    backup(&config, &copies.path().join("none/copy.db")).refused(&["none/copy.db"]);
    assert_eq!(names(copies.path()), ["copy.db"]);
}

#[test]
fn a_database_that_is_not_there_is_not_made() {
    let database = TestDatabase::empty(Backend::Sqlite);
    let dir = tempfile::tempdir().unwrap();
    let config = ready(&database, dir.path(), |_| {});
    let other = dir.path().join("other.db");
    let elsewhere = tempfile::tempdir().unwrap();
    let text_of = fs::read_to_string(&config).unwrap();
    let text_of = text_of.replace(&database.url_text, &format!("sqlite:{}", other.display()));
    let config = crate::process::write(elsewhere.path(), "gateway.toml", &text_of);
    backup(&config, &elsewhere.path().join("copy.db")).refused(&["no database", "other.db"]);
    assert!(!other.exists());
    assert_eq!(names(elsewhere.path()), ["gateway.toml"]);
}

#[test]
fn a_damaged_copy_or_a_lost_tail_gets_no_name() {
    let database = TestDatabase::empty(Backend::Sqlite);
    let dir = tempfile::tempdir().unwrap();
    let config = ready(&database, dir.path(), |_| {});
    let (mut running, _) = Running::serve(&config, &[]);
    assert!(running.signal("TERM").success());
    let copies = tempfile::tempdir().unwrap();
    let copy = copies.path().join("copy.db");
    let thrown_away = |told: &str| {
        backup(&config, &copy).refused(&["thrown away", told]);
        assert!(names(copies.path()).is_empty());
    };
    database.execute("CREATE TABLE kept AS SELECT * FROM audit_entries WHERE action = 'node.stop'");
    database.execute("DELETE FROM audit_entries WHERE action = 'node.stop'");
    thrown_away("lacks its end");
    database.execute(
        "UPDATE audit_heads SET seq = seq - 1, hash = (SELECT hash FROM audit_entries e \
         WHERE e.chain = audit_heads.chain AND e.seq = audit_heads.seq - 1) \
         WHERE chain = (SELECT chain FROM kept)",
    );
    thrown_away("which this node has acknowledged");
    // No purge takes the end of a chain, whatever the table says.
    database
        .execute("INSERT INTO audit_purges SELECT chain, seq, hash, at, at, at, 1, hash FROM kept");
    thrown_away("which this node has acknowledged");
    database.execute("DELETE FROM audit_purges");
    database.execute(
        "INSERT INTO audit_entries SELECT * FROM kept; UPDATE audit_heads SET seq = (SELECT seq FROM kept), \
         hash = (SELECT hash FROM kept) WHERE chain = (SELECT chain FROM kept); DROP TABLE kept; \
         PRAGMA foreign_keys = OFF; CREATE TABLE child (n INTEGER REFERENCES issuers (issuer_id)); \
         INSERT INTO child VALUES (-1)",
    );
    thrown_away("foreign_key_check");
    database.execute("DROP TABLE child");
    backup(&config, &copy).ok();
}

#[test]
fn of_postgres_it_says_what_to_use() {
    let database = TestDatabase::empty(Backend::Postgres);
    let dir = tempfile::tempdir().unwrap();
    let config = ready(&database, dir.path(), |_| {});
    let copy = dir.path().join("copy.dump");
    let said =
        backup(&config, &copy).refused(&["pg_dump --format=custom", "pg_basebackup", "copy.dump"]);
    assert!(!said.contains(&database.url_text), "{said}");
    assert!(!copy.exists());
}
