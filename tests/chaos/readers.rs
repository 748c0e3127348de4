//! Other programs on the gateway's SQLite file while it writes: a reader, a copy, a backup, the
//! operator's commands. Each is a client that opens the file, reads, and closes it last or not;
//! then the gateway is killed.

use crate::checks::Known;
use crate::load::{Load, Target, under_load};
use crate::node::Site;
use crate::size::Turn;
use crate::support::{Backend, TestDatabase};
use diesel::connection::SimpleConnection;
use diesel::{Connection, QueryableByName, RunQueryDsl, SqliteConnection, sql_query};
use rustix::fs::{FlockOperation, fcntl_lock};
use std::collections::BTreeSet;
use std::fs::File;
use std::path::Path;

#[derive(QueryableByName)]
struct Row {
    #[diesel(sql_type = diesel::sql_types::Text)]
    t: String,
}

/// One text of each row of a SQLite file.
fn texts(file: &Path, sql: &str) -> Vec<String> {
    let mut database = SqliteConnection::establish(file.to_str().unwrap()).unwrap();
    let rows: Vec<Row> = sql_query(sql).load(&mut database).unwrap();
    rows.into_iter().map(|row| row.t).collect()
}

/// What a SQLite before 3.51 does: it runs a statement and closes. If nobody has a lock on the file
/// it takes itself for the last one who uses it, brings the log into the file and removes it.
/// SQLite of today looks twice.
fn older(file: &Path, sql: &str) {
    let by_hand = File::options().read(true).write(true).open(file).unwrap();
    let mut database = SqliteConnection::establish(file.to_str().unwrap()).unwrap();
    database
        .batch_execute(&format!("PRAGMA busy_timeout = 10000; {sql}"))
        .unwrap();
    if fcntl_lock(&by_hand, FlockOperation::NonBlockingLockExclusive).is_ok() {
        database
            .batch_execute("PRAGMA wal_checkpoint(PASSIVE)")
            .unwrap();
        for companion in ["db-wal", "db-shm"] {
            std::fs::remove_file(file.with_extension(companion)).ok();
        }
    }
}

/// A copy that was begun now is sound and has everything that was acknowledged before.
fn copies(load: &Load<'_>, copy: &Path, make: impl FnOnce(&str)) {
    let before = load.ids();
    make(copy.to_str().unwrap());
    assert_eq!(
        texts(
            copy,
            "SELECT integrity_check AS t FROM pragma_integrity_check"
        ),
        ["ok"]
    );
    let ids: BTreeSet<String> = texts(copy, "SELECT user_id AS t FROM users")
        .into_iter()
        .collect();
    let missing = before.iter().filter(|id| !ids.contains(*id)).count();
    assert_eq!(missing, 0, "of {} acknowledged before", before.len());
    std::fs::remove_file(copy).unwrap();
}

#[test]
fn other_programs_use_the_file() {
    let mut turn = Turn::take("other programs use the SQLite file");
    let site = Site::new(TestDatabase::new(Backend::Sqlite));
    let target = Target::default();
    let mut known = Known::default();
    let mut node = site.start();
    let copy = site.folder().join("copy.db");
    let file = site.database.dir().join("gateway.db");
    while turn.goes_on() {
        let calls = under_load(&target, |load| {
            for action in 0..6 {
                target.set([node.address]);
                load.acknowledges(turn.choose(5..40));
                match action {
                    0 => older(&file, "SELECT count(*) FROM users"),
                    1 => copies(load, &copy, |copy| {
                        older(&file, &format!("VACUUM INTO '{copy}'"));
                    }),
                    2 => copies(load, &copy, |file| {
                        site.succeeds(&["backup", file]);
                    }),
                    3 => assert!(site.succeeds(&["issuer", "show", "demo"]).contains("5424")),
                    4 => drop(site.succeeds(&["audit", "verify"])),
                    _ => drop(site.succeeds(&["vault", "status"])),
                }
                load.acknowledges(turn.choose(5..40));
                node.kill_and_restart(&site);
            }
            target.set([node.address]);
            load.acknowledges(10);
        });
        known.check(&site, &mut node, &calls);
    }
    assert_eq!(node.terminate().code(), Some(0));
}
