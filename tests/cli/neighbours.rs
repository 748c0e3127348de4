//! Other processes on the SQLite file of a gateway that serves: they read, copy and close it, and
//! nothing acknowledged is lost.
//!
//! Before 3.51, SQLite takes a file that nobody has locked for unused when it closes it, empties
//! the log and removes it, under whoever has it open all the same. Our own SQLite looks twice, so
//! the other process here does what the older ones do.

use crate::config_file::ready;
use crate::process::{Running, run, text};
use crate::serve::client;
use crate::support::gateway::user_id;
use crate::support::{Backend, Over, TestDatabase, until};
use diesel::connection::SimpleConnection;
use diesel::{Connection, RunQueryDsl, SqliteConnection, sql_query};
use issuer_gateway::client::{Operation, sample};
use rustix::fs::{FlockOperation, fcntl_lock};
use std::collections::BTreeSet;
use std::fs::File;
use std::path::Path;
use std::process::Command;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};

/// Set for a run of this program that is to be the other process: what it does, the file, where a
/// copy goes.
const CLIENT: &str = "NEIGHBOUR_OF_A_GATEWAY";

#[derive(diesel::QueryableByName)]
struct Row {
    #[diesel(sql_type = diesel::sql_types::Text)]
    t: String,
}

fn open(file: &Path) -> SqliteConnection {
    let mut conn = SqliteConnection::establish(text(file)).unwrap();
    conn.batch_execute("PRAGMA busy_timeout = 20000").unwrap();
    conn
}

fn texts(conn: &mut SqliteConnection, sql: &str) -> Vec<String> {
    let rows: Vec<Row> = sql_query(sql).load(conn).unwrap();
    rows.into_iter().map(|row| row.t).collect()
}

/// What the `sqlite3` program would do.
fn act(action: &str, file: &Path, copy: &Path) {
    let by_hand = File::options().read(true).write(true).open(file).unwrap();
    let mut conn = open(file);
    match action {
        "select" => assert_eq!(
            texts(&mut conn, "SELECT count(*) || '' AS t FROM users").len(),
            1
        ),
        "write" => conn
            .batch_execute("UPDATE registry_version SET version = version + 1")
            .unwrap(),
        other => {
            assert_eq!(other, "vacuum-into");
            conn.batch_execute(&format!("VACUUM INTO '{}'", copy.display()))
                .unwrap();
        }
    }
    // As an older SQLite does at its end.
    if fcntl_lock(&by_hand, FlockOperation::NonBlockingLockExclusive).is_ok() {
        conn.batch_execute("PRAGMA wal_checkpoint(PASSIVE)")
            .unwrap();
        for companion in ["db-wal", "db-shm"] {
            std::fs::remove_file(file.with_extension(companion)).ok();
        }
    }
}

/// The other process; without a task of its own it does all of them on a database of its own.
#[test]
fn another_process_reads_writes_and_copies() {
    if let Ok(task) = std::env::var(CLIENT) {
        let mut parts = task.split('|');
        let mut part = || parts.next().unwrap();
        return act(part(), Path::new(part()), Path::new(part()));
    }
    let database = TestDatabase::new(Backend::Sqlite);
    let version = || database.number("SELECT version AS n FROM registry_version");
    let (file, copy) = (
        database.dir().join("gateway.db"),
        database.dir().join("copy.db"),
    );
    let before = version();
    for action in ["select", "write", "vacuum-into"] {
        act(action, &file, &copy);
        assert!(
            !file.with_extension("db-wal").exists(),
            "nobody else has it open"
        );
    }
    assert_eq!(version(), before + 1);
    let copied = texts(
        &mut open(&copy),
        "SELECT version || '' AS t FROM registry_version",
    );
    assert_eq!(copied, [version().to_string()]);
}

fn in_another_process(action: &str, file: &Path, copy: &Path) {
    let output = Command::new(std::env::current_exe().unwrap())
        .args([
            "--exact",
            "neighbours::another_process_reads_writes_and_copies",
        ])
        .env(
            CLIENT,
            format!("{action}|{}|{}", file.display(), copy.display()),
        )
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(
        output.status.success() && said.contains("1 passed"),
        "{output:?}"
    );
}

/// Everybody who was acknowledged is in the file, whole.
#[track_caller]
fn assert_holds(file: &Path, acknowledged: &BTreeSet<String>) {
    let mut conn = open(file);
    let sound = texts(
        &mut conn,
        "SELECT integrity_check AS t FROM pragma_integrity_check",
    );
    assert_eq!(sound, ["ok"], "{}", file.display());
    let there: BTreeSet<String> = texts(&mut conn, "SELECT user_id AS t FROM users")
        .into_iter()
        .collect();
    let lost: Vec<_> = acknowledged.difference(&there).collect();
    assert!(
        lost.is_empty(),
        "{} of {} are lost",
        lost.len(),
        acknowledged.len()
    );
    let counts = texts(
        &mut conn,
        "SELECT (SELECT count(*) FROM cards) || ' ' || (SELECT count(*) FROM scoring_jobs) || ' ' || \
         (SELECT count(*) FROM audit_entries WHERE action = 'user.enrol' AND outcome = 'accepted') AS t",
    );
    assert_eq!(counts, [[there.len().to_string().as_str(); 3].join(" ")]);
}

#[test]
fn nothing_acknowledged_is_lost_whoever_opens_the_file() {
    let database = TestDatabase::empty(Backend::Sqlite);
    let dir = tempfile::tempdir().unwrap();
    let config = ready(&database, dir.path(), |_| {});
    let file = database.dir().join("gateway.db");
    let (running, base_url) = Running::serve(&config, &[]);
    let (stop, acknowledged) = (AtomicBool::new(false), Mutex::new(BTreeSet::new()));
    let so_far = || acknowledged.lock().unwrap().clone();
    std::thread::scope(|scope| {
        let over = Over(&stop);
        for _ in 0..3 {
            scope.spawn(|| {
                let client = client(&base_url);
                while !stop.load(Ordering::Relaxed) {
                    let call = client.prepare(&Operation::Enrol, &sample::enrolment("534403"));
                    // It is killed in the end.
                    let Ok(answer) = client.client.send(&call) else {
                        break;
                    };
                    if answer.status == 200 {
                        acknowledged.lock().unwrap().insert(user_id(&answer));
                    }
                }
            });
        }
        let mut copies = Vec::new();
        for round in 0..3 {
            for action in [
                "select",
                "backup",
                "write",
                "vacuum-into",
                "issuer list",
                "audit verify",
                "vault verify",
                "issuer set-status basic ACTIVE",
            ] {
                let before = so_far();
                let copy = dir
                    .path()
                    .join(format!("{action}-{round}.db").replace(' ', "-"));
                match action {
                    "select" | "write" => in_another_process(action, &file, &copy),
                    "vacuum-into" => {
                        in_another_process(action, &file, &copy);
                        copies.push((copy, before.clone()));
                    }
                    "backup" => {
                        run(&["--config", text(&config), "backup", text(&copy)]).ok();
                        copies.push((copy, before.clone()));
                    }
                    command => {
                        let mut args = vec!["--config", text(&config)];
                        args.extend(command.split(' '));
                        run(&args).ok();
                    }
                }
                assert!(
                    file.with_extension("db-wal").exists(),
                    "{action} removed the log"
                );
                until("enrolments go on", || so_far().len() >= before.len() + 5);
            }
        }
        // The status of an issuer, set from outside, is what the gateway goes by.
        run(&[
            "--config",
            text(&config),
            "issuer",
            "set-status",
            "demo",
            "SUSPENDED",
        ])
        .ok();
        until("the issuer is suspended", || {
            client(&base_url).enrol(&sample::enrolment("534403")).status != 200
        });
        running.kill();
        drop(over);
        for (copy, before) in copies {
            assert_holds(&copy, &before);
        }
    });
    assert_holds(&file, &acknowledged.into_inner().unwrap());
    let verified = run(&["--config", text(&config), "audit", "verify"]).ok();
    assert!(
        verified.contains("All that this node's witness names"),
        "{verified}"
    );
    run(&["--config", text(&config), "vault", "verify"]).ok();
}

#[test]
fn a_connection_that_comes_later_takes_nobodys_lock() {
    let database = TestDatabase::new(Backend::Sqlite);
    let file = database.dir().join("gateway.db");
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let first = issuer_gateway::store::Store::open(&database.url(), 1);
    runtime.block_on(first.ping()).unwrap();
    database.execute("UPDATE registry_version SET version = version + 1");
    for _ in 0..3 {
        // Whoever opened the file by hand, and closed it, would have given up the lock of `first`.
        let later = issuer_gateway::store::Store::open(&database.url(), 1);
        runtime.block_on(later.ping()).unwrap();
        drop(later);
        in_another_process("write", &file, Path::new("none"));
        assert!(file.with_extension("db-wal").exists());
    }
    runtime.block_on(first.ping()).unwrap();
}
