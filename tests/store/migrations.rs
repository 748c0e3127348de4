//! The schema is made once, whoever comes first.

use crate::fixture::{declaration, draft};
use crate::on_both;
use crate::support::{Backend, DatabaseLock, TestDatabase};
use diesel::connection::SimpleConnection;
use diesel::{Connection, PgConnection};
use issuer_gateway::store::{DatabaseUrl, Store, migrations};
use std::path::Path;
use std::time::Duration;

on_both!(
    running_again_does_nothing,
    a_copy_is_what_migrations_make,
    two_nodes_may_start_at_once,
    settings_of_issuers_come_and_go,
);

async fn settings_of_issuers_come_and_go(backend: Backend) {
    let database = tokio::task::block_in_place(|| migrated(backend));
    let store = Store::open(&database.url(), 1);
    let file = || vec![declaration("demo", &["5344"])];
    store
        .apply_issuers(file(), draft("issuer.apply"))
        .await
        .unwrap();
    let read = |file: &str| {
        let folder = match backend {
            Backend::Sqlite => "sqlite",
            Backend::Postgres => "postgres",
        };
        let path = format!("migrations/{folder}/2026-04-02-000000_issuer_settings/{file}.sql");
        std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(path)).unwrap()
    };
    database.execute(&read("down"));
    assert!(store.load_registry().await.is_err());
    database.execute(&read("up"));
    // Rows of before have what an issuer has that sets nothing.
    let stored = store.load_registry().await.unwrap().issuers.remove(0);
    assert_eq!(vec![stored.declared], file());
}

async fn running_again_does_nothing(backend: Backend) {
    let database = TestDatabase::empty(backend);
    let url = database.migrating_url();
    tokio::task::block_in_place(|| {
        let all = migrations::pending(&url).unwrap();
        assert!(!all.is_empty());
        assert_eq!(migrations::run(&url).unwrap().len(), all.len());
        assert!(migrations::pending(&url).unwrap().is_empty());
        assert!(migrations::run(&url).unwrap().is_empty());
    });
    assert_eq!(Store::open(&url, 1).registry_version().await, Ok(0));
}

async fn a_copy_is_what_migrations_make(backend: Backend) {
    let copy = TestDatabase::new(backend);
    let url = copy.migrating_url();
    let applied = tokio::task::block_in_place(|| migrations::run(&url));
    assert_eq!(applied, Ok(Vec::new()));
    let made = tokio::task::block_in_place(|| migrated(backend));
    let versions = "__diesel_schema_migrations";
    assert_eq!(copy.count(versions), made.count(versions));
}

async fn two_nodes_may_start_at_once(backend: Backend) {
    let database = TestDatabase::empty(backend);
    let nodes: Vec<_> = (0..4)
        .map(|_| {
            let url = database.migrating_url();
            std::thread::spawn(move || migrations::run(&url).map(|applied| applied.len()))
        })
        .collect();
    let applied: usize = nodes
        .into_iter()
        .map(|node| node.join().unwrap().unwrap())
        .sum();
    let versions = database.count("__diesel_schema_migrations");
    assert_eq!(i64::try_from(applied).unwrap(), versions);
    assert_eq!(database.count("registry_version"), 1);
}

/// By the real path, not copied.
fn migrated(backend: Backend) -> TestDatabase {
    let database = TestDatabase::empty(backend);
    assert!(
        !migrations::run(&database.migrating_url())
            .unwrap()
            .is_empty()
    );
    database
}

#[test]
fn both_databases_have_the_same_columns() {
    let [sqlite, postgres] = [Backend::Sqlite, Backend::Postgres].map(migrated);
    let of_sqlite = sqlite.texts(
        "SELECT m.name || '.' || c.name || CASE WHEN c.\"notnull\" = 1 THEN ' not null' ELSE '' END AS t \
         FROM sqlite_master m, pragma_table_info(m.name) c \
         WHERE m.type = 'table' AND m.name NOT LIKE 'sqlite%' AND m.name NOT LIKE '\\_%' ESCAPE '\\' \
         ORDER BY m.name, c.cid",
    );
    let of_postgres = postgres.texts(
        "SELECT table_name || '.' || column_name || CASE is_nullable WHEN 'NO' THEN ' not null' ELSE '' END \
         AS t FROM information_schema.columns WHERE table_schema = 'public' \
         AND table_name NOT LIKE '\\_%' ORDER BY table_name COLLATE \"C\", ordinal_position",
    );
    assert!(of_sqlite.len() > 80);
    assert_eq!(of_sqlite, of_postgres);
}

#[cfg(unix)]
#[test]
fn an_sqlite_file_is_private_and_in_wal_mode() {
    use std::os::unix::fs::PermissionsExt;
    let database = migrated(Backend::Sqlite);
    assert_eq!(
        database.texts("SELECT journal_mode AS t FROM pragma_journal_mode"),
        ["wal"]
    );
    for file in std::fs::read_dir(database.dir()).unwrap() {
        let file = file.unwrap();
        let mode = file.metadata().unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{:?}", file.file_name());
    }
}

#[test]
fn asking_for_pending_migrations_makes_no_file() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("none.db");
    assert!(
        !migrations::pending(&DatabaseUrl::sqlite(&path))
            .unwrap()
            .is_empty()
    );
    assert!(!path.exists());
}

on_both!(
    a_start_that_waits_for_another_gives_up,
    |backend: Backend| {
        let database = TestDatabase::new(backend);
        let holder = match backend {
            Backend::Sqlite => database.lock(),
            Backend::Postgres => {
                let mut conn = PgConnection::establish(&database.url_text).unwrap();
                // "issuer-g" as a number.
                conn.batch_execute("SELECT pg_advisory_lock(x'6973737565722d67'::bit(64)::bigint)")
                    .unwrap();
                DatabaseLock::Postgres(conn)
            }
        };
        let error = migrations::run_within(&database.migrating_url(), Duration::from_millis(300))
            .unwrap_err();
        assert_eq!(error.reason(), "database-unavailable");
        let said = error.to_string();
        assert!(said.contains("database.migrate_timeout_s"), "{said}");
        if backend == Backend::Postgres {
            assert!(said.contains("server process "), "{said}");
        }
        let waiting = database.migrating_url();
        let waiting =
            std::thread::spawn(move || migrations::run_within(&waiting, Duration::from_secs(60)));
        drop(holder);
        assert_eq!(waiting.join().unwrap(), Ok(Vec::new()));
    }
);
