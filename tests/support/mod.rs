//! A database of its own for each test, on either backend, removed at the end.
#![allow(
    dead_code,
    unreachable_pub,
    reason = "each test binary uses a part of it"
)]
#![allow(
    clippy::panic,
    clippy::print_stderr,
    clippy::while_let_loop,
    reason = "test code"
)]

pub mod at_rest;
pub mod bouncer;
pub mod collector;
pub mod document;
pub mod gateway;
pub mod http;
pub mod peer;
pub mod proxy;
pub mod softhsm;
pub mod stand_in;
mod template;
pub mod transit;
pub mod wire;

use bouncer::Bouncer;
use diesel::connection::SimpleConnection;
use diesel::{Connection, PgConnection, RunQueryDsl, SqliteConnection, sql_query};
use issuer_gateway::store::DatabaseUrl;
use issuer_gateway::store::url::PoolMode;
use std::path::PathBuf;
use std::process::Command;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// Which database a test runs on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Backend {
    Sqlite,
    Postgres,
}

/// Makes two tests of each case, `case::sqlite` and `case::postgres`. Cases are
/// `async fn case(backend: Backend)`, or `fn case(backend: Backend)` behind `blocking:`, or one
/// that is given here: `on_both!(case, |backend: Backend| { ... });`.
#[macro_export]
macro_rules! on_both {
    ($($case:ident),+ $(,)?) => { $(
        mod $case {
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn sqlite() {
                super::$case($crate::support::Backend::Sqlite).await;
            }
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn postgres() {
                super::$case($crate::support::Backend::Postgres).await;
            }
        }
    )+ };
    (blocking: $($case:ident),+ $(,)?) => { $(
        mod $case {
            #[test]
            fn sqlite() {
                super::$case($crate::support::Backend::Sqlite);
            }
            #[test]
            fn postgres() {
                super::$case($crate::support::Backend::Postgres);
            }
        }
    )+ };
    ($name:ident, $case:expr $(,)?) => {
        mod $name {
            use super::*;
            #[test]
            fn sqlite() {
                $case($crate::support::Backend::Sqlite);
            }
            #[test]
            fn postgres() {
                $case($crate::support::Backend::Postgres);
            }
        }
    };
}

/// Says that it is over when it is dropped, so that threads end if a test fails as well.
pub struct Over<'a>(pub &'a AtomicBool);

impl Drop for Over<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// Looks again and again until `condition` holds; fails after a minute, which only something broken
/// takes.
#[track_caller]
pub fn until(what: &str, mut condition: impl FnMut() -> bool) {
    let give_up = Instant::now() + Duration::from_secs(60);
    while !condition() {
        assert!(Instant::now() < give_up, "never came true: {what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// An environment variable that scripts/with-postgres.sh sets.
pub fn postgres_env(name: &str) -> String {
    std::env::var(name).unwrap_or_else(|_| {
        panic!("{name} is not set: this test needs PostgreSQL; run it by `make test` or scripts/with-postgres.sh")
    })
}

/// The superuser's URL of the private cluster.
pub fn postgres_url() -> String {
    postgres_env("ISSUER_GATEWAY_TEST_POSTGRES_URL")
}

/// An empty database, dropped with the value.
pub struct TestDatabase {
    pub backend: Backend,
    /// The text of the URL.
    pub url_text: String,
    name: String,
    dir: tempfile::TempDir,
    /// It goes with its server.
    kept: bool,
    /// Stands before PostgreSQL where the run is told so ([`pool_mode`]).
    bouncer: OnceLock<Bouncer>,
}

/// How the store reaches PostgreSQL in this run: `make pgbouncer` puts a PgBouncer in transaction
/// mode between them.
pub fn pool_mode() -> PoolMode {
    match std::env::var_os("ISSUER_GATEWAY_TEST_POOLED") {
        Some(_) => PoolMode::Transaction,
        None => PoolMode::Session,
    }
}

impl TestDatabase {
    /// With the newest schema, copied from a [template].
    pub fn new(backend: Backend) -> Self {
        match backend {
            Backend::Sqlite => {
                let database = Self::empty(backend);
                template::copy_sqlite(&database.dir.path().join("gateway.db"));
                database
            }
            Backend::Postgres => Self::from_template(backend, Some(template::postgres())),
        }
    }

    /// Without any table.
    pub fn empty(backend: Backend) -> Self {
        Self::from_template(backend, None)
    }

    fn from_template(backend: Backend, template: Option<&str>) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let name = format!("t_{}", uuid::Uuid::new_v4().simple());
        let url_text = match backend {
            Backend::Sqlite => format!("sqlite:{}", dir.path().join("gateway.db").display()),
            Backend::Postgres => {
                let admin = postgres_url();
                let template = template.map_or(String::new(), |from| format!(" TEMPLATE {from}"));
                admin_connection()
                    .batch_execute(&format!("CREATE DATABASE {name}{template}"))
                    .unwrap();
                format!("{}/{name}", admin.rsplit_once('/').unwrap().0)
            }
        };
        Self {
            backend,
            url_text,
            name,
            dir,
            kept: false,
            bouncer: OnceLock::new(),
        }
    }

    /// An empty database on a PostgreSQL server of the test's own, which takes it along when it
    /// goes.
    pub fn on_server(superuser: &str) -> Self {
        let name = format!("t_{}", uuid::Uuid::new_v4().simple());
        PgConnection::establish(superuser)
            .unwrap()
            .batch_execute(&format!("CREATE DATABASE {name}"))
            .unwrap();
        Self {
            backend: Backend::Postgres,
            url_text: format!("{}/{name}", superuser.rsplit_once('/').unwrap().0),
            name,
            dir: tempfile::tempdir().unwrap(),
            kept: true,
            bouncer: OnceLock::new(),
        }
    }

    /// What PostgreSQL knows it by.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The URL that the store is given.
    pub fn url(&self) -> DatabaseUrl {
        DatabaseUrl::parse(&self.serving_text())
            .unwrap()
            .pooled(pool_mode())
    }

    /// The text of that URL: through a PgBouncer where the run is told so.
    pub fn serving_text(&self) -> String {
        if self.backend == Backend::Sqlite || pool_mode() == PoolMode::Session {
            return self.url_text.clone();
        }
        let start = || Bouncer::start(&self.url_text, "transaction");
        self.bouncer.get_or_init(start).url(&self.name)
    }

    /// The URL past any pooler, for migrations.
    pub fn migrating_url(&self) -> DatabaseUrl {
        DatabaseUrl::parse(&self.url_text).unwrap()
    }

    /// The folder of the SQLite file, for anything else a test wants to keep.
    pub fn dir(&self) -> PathBuf {
        self.dir.path().to_owned()
    }

    /// Runs SQL past the store.
    pub fn execute(&self, sql: &str) {
        match self.backend {
            Backend::Sqlite => self.sqlite().batch_execute(sql).unwrap(),
            Backend::Postgres => self.postgres().batch_execute(sql).unwrap(),
        }
    }

    /// Asserts that nothing is half-written: every user has a card, a job, and an accepted audit
    /// entry. One statement, since commits that nobody waits for any more may still end. Returns
    /// the number of users.
    #[track_caller]
    pub fn assert_whole(&self) -> i64 {
        let counts = self.texts(
            "SELECT (SELECT count(*) FROM users) || ' ' || (SELECT count(*) FROM cards) || ' ' || \
             (SELECT count(*) FROM scoring_jobs) || ' ' || (SELECT count(*) FROM audit_entries \
             WHERE action = 'user.enrol' AND outcome = 'accepted') AS t",
        );
        let counts: Vec<i64> = counts[0].split(' ').map(|n| n.parse().unwrap()).collect();
        let users = counts[0];
        assert!(counts.iter().all(|count| *count == users), "{counts:?}");
        users
    }

    /// One number, selected as `n`.
    pub fn number(&self, sql: &str) -> i64 {
        #[derive(diesel::QueryableByName)]
        struct Row {
            #[diesel(sql_type = diesel::sql_types::BigInt)]
            n: i64,
        }
        let row: Row = match self.backend {
            Backend::Sqlite => sql_query(sql).get_result(&mut self.sqlite()).unwrap(),
            Backend::Postgres => sql_query(sql).get_result(&mut self.postgres()).unwrap(),
        };
        row.n
    }

    /// Texts, selected as `t`.
    pub fn texts(&self, sql: &str) -> Vec<String> {
        #[derive(diesel::QueryableByName)]
        struct Row {
            #[diesel(sql_type = diesel::sql_types::Text)]
            t: String,
        }
        let rows: Vec<Row> = match self.backend {
            Backend::Sqlite => sql_query(sql).load(&mut self.sqlite()).unwrap(),
            Backend::Postgres => sql_query(sql).load(&mut self.postgres()).unwrap(),
        };
        rows.into_iter().map(|row| row.t).collect()
    }

    /// How many rows a table has.
    pub fn count(&self, table: &str) -> i64 {
        self.number(&format!("SELECT count(*) AS n FROM {table}"))
    }

    /// Every row of every table: texts as they are, binary in hex.
    pub fn dump(&self) -> String {
        let tables = match self.backend {
            Backend::Sqlite => "SELECT name AS t FROM sqlite_master WHERE type = 'table'",
            Backend::Postgres => {
                "SELECT tablename::text AS t FROM pg_tables WHERE schemaname = 'public'"
            }
        };
        let mut dump = String::new();
        for table in self.texts(tables) {
            let rows = match self.backend {
                Backend::Postgres => format!("SELECT r::text AS t FROM {table} r"),
                Backend::Sqlite => {
                    let columns = self.texts(&format!(
                        "SELECT 'quote(\"' || name || '\")' AS t FROM pragma_table_info('{table}')"
                    ));
                    format!("SELECT {} AS t FROM {table}", columns.join(" || ',' || "))
                }
            };
            for row in self.texts(&rows) {
                dump.push_str(&format!("{table}: {row}\n"));
            }
        }
        dump
    }

    /// Every row of one table, as in [`TestDatabase::dump`].
    pub fn dump_of(&self, table: &str) -> Vec<String> {
        let start = format!("{table}: ");
        let dump = self.dump();
        let mut rows: Vec<_> = dump
            .lines()
            .filter(|row| row.starts_with(&start))
            .map(str::to_owned)
            .collect();
        rows.sort();
        rows
    }

    /// Fails if any of `canaries` is anywhere: in a row as text or as the bytes of a binary column
    /// in hex, or in the raw bytes of an SQLite file or its journal.
    pub fn assert_no_canary(&self, canaries: &[&str]) {
        let dump = self.dump().to_lowercase();
        for canary in canaries {
            assert!(!dump.contains(&canary.to_lowercase()), "{canary} in a row");
            assert!(
                !dump.contains(&hex::encode(canary)),
                "{canary} in a binary column"
            );
        }
        if self.backend == Backend::Sqlite {
            let mut scanned = 0;
            for file in std::fs::read_dir(self.dir.path()).unwrap() {
                // In a process of its own: reading the file by hand drops the locks of every
                // connection that this one has.
                let file = file.unwrap().path();
                let bytes = Command::new("cat").arg(file).output().unwrap().stdout;
                scanned += bytes.len();
                for canary in canaries {
                    let found = bytes.windows(canary.len()).any(|w| w == canary.as_bytes());
                    assert!(!found, "{canary} in the file");
                }
            }
            assert!(scanned > 0);
        }
    }

    /// Keeps everybody else from writing until it is dropped.
    pub fn lock(&self) -> DatabaseLock {
        match self.backend {
            Backend::Sqlite => {
                let mut conn = self.sqlite();
                conn.batch_execute("BEGIN IMMEDIATE").unwrap();
                DatabaseLock::Sqlite(conn)
            }
            Backend::Postgres => {
                let mut conn = self.postgres();
                conn.batch_execute("BEGIN; LOCK TABLE oauth_nonces IN ACCESS EXCLUSIVE MODE")
                    .unwrap();
                DatabaseLock::Postgres(conn)
            }
        }
    }

    fn sqlite(&self) -> SqliteConnection {
        let path = self.dir.path().join("gateway.db");
        let mut conn = SqliteConnection::establish(path.to_str().unwrap()).unwrap();
        conn.batch_execute("PRAGMA busy_timeout = 10000").unwrap();
        conn
    }

    fn postgres(&self) -> PgConnection {
        PgConnection::establish(&self.url_text).unwrap()
    }
}

/// An open transaction of somebody else; dropping the connection ends it.
pub enum DatabaseLock {
    Sqlite(SqliteConnection),
    Postgres(PgConnection),
}

fn admin_connection() -> PgConnection {
    PgConnection::establish(&postgres_url()).unwrap()
}

impl Drop for TestDatabase {
    fn drop(&mut self) {
        if self.backend == Backend::Postgres && !self.kept {
            let drop = format!("DROP DATABASE IF EXISTS {} WITH (FORCE)", self.name);
            if let Err(error) = admin_connection().batch_execute(&drop) {
                eprintln!("{}: {error}", self.name);
            }
        }
    }
}
