//! The schema's versions, built into the binary, for both databases.
//!
//! Two nodes may start at once: PostgreSQL lets one in by an advisory lock, SQLite by BEGIN
//! IMMEDIATE. The other one reports every 5 s for whom it waits, and gives up after
//! `database.migrate_timeout_s`. The audit trail has an entry for each applied migration.

use super::audit::{self, AuditChain, AuditDraft};
use super::connection::{AnyConnection, Use, open, transaction};
use super::error::{StoreError, is_busy};
use super::url::DatabaseUrl;
use diesel::connection::{AnsiTransactionManager, SimpleConnection, TransactionManager};
use diesel::migration::{Migration, MigrationSource};
use diesel::sql_types::{BigInt, Bool, Nullable, Text};
use diesel::{PgConnection, RunQueryDsl, SqliteConnection, sql_query};
use diesel_migrations::{EmbeddedMigrations, MigrationHarness, embed_migrations};
use std::time::{Duration, Instant};

const SQLITE: EmbeddedMigrations = embed_migrations!("migrations/sqlite");
const POSTGRES: EmbeddedMigrations = embed_migrations!("migrations/postgres");

/// PostgreSQL's advisory lock for migrations: "issuer-g" as a number.
const ADVISORY_LOCK: i64 = 0x6973_7375_6572_2d67;

/// How long a start waits for another one's migrations (`database.migrate_timeout_s`), unless said
/// otherwise.
pub const MIGRATE_TIMEOUT: Duration = Duration::from_secs(60);

/// How often a start that waits looks whether it may go on, and how often it says that it waits.
const LOOK: Duration = Duration::from_millis(100);
const SAY: Duration = Duration::from_secs(5);
const SHARED: &str = "migrations take more than one transaction, so they need a session of their own: \
    set database.migrate_url to PostgreSQL's own address, past the pooler";
const WAITING: &str = "waiting for the lock for migrations";

/// Brings the database to the newest schema; returns the versions that were applied now. Blocks,
/// for [`MIGRATE_TIMEOUT`] at most before it begins.
pub fn run(url: &DatabaseUrl) -> Result<Vec<String>, StoreError> {
    run_within(url, MIGRATE_TIMEOUT)
}

/// The same, waiting for at most `timeout` for whoever migrates the database already.
///
/// # Errors
/// [`StoreError::Unavailable`] after that, which names the setting and, on PostgreSQL, the process
/// that holds the lock.
pub fn run_within(url: &DatabaseUrl, timeout: Duration) -> Result<Vec<String>, StoreError> {
    if url.shares_sessions() {
        return Err(StoreError::Unsupported(SHARED.into()));
    }
    let mut conn = open(url, Use::Migrating)?;
    let applied = match &mut conn {
        AnyConnection::Sqlite(conn) => {
            begin_sqlite(conn, timeout)?;
            match apply(conn, SQLITE) {
                Ok(applied) => {
                    AnsiTransactionManager::commit_transaction(conn)?;
                    applied
                }
                Err(error) => {
                    AnsiTransactionManager::rollback_transaction(conn).ok();
                    return Err(error);
                }
            }
        }
        // The lock goes with the connection.
        AnyConnection::Postgres(conn) => {
            lock_postgres(conn, timeout)?;
            apply(conn, POSTGRES)?
        }
    };
    if !applied.is_empty() {
        record(&mut conn, &applied)?;
    }
    Ok(applied)
}

fn begin_sqlite(conn: &mut SqliteConnection, timeout: Duration) -> Result<(), StoreError> {
    conn.batch_execute("PRAGMA busy_timeout = 0")?;
    wait(
        timeout,
        || match AnsiTransactionManager::begin_transaction_sql(conn, "BEGIN IMMEDIATE") {
            Ok(()) => Ok(None),
            Err(error) if is_busy(&error) => Ok(Some("another process".to_owned())),
            Err(error) => Err(error.into()),
        },
    )
}

fn lock_postgres(conn: &mut PgConnection, timeout: Duration) -> Result<(), StoreError> {
    #[derive(diesel::QueryableByName)]
    struct Row {
        #[diesel(sql_type = Bool)]
        locked: bool,
        #[diesel(sql_type = Nullable<Text>)]
        holder: Option<String>,
    }
    wait(timeout, || {
        let row: Row = sql_query(
            "SELECT pg_try_advisory_lock($1) AS locked, (SELECT 'server process ' || pid FROM pg_locks \
             WHERE locktype = 'advisory' AND granted AND objsubid = 1 AND pid <> pg_backend_pid() \
             AND ((CAST(classid AS BIGINT) << 32) | CAST(objid AS BIGINT)) = $1 \
             AND database = (SELECT oid FROM pg_database WHERE datname = current_database()) LIMIT 1) AS holder",
        )
        .bind::<BigInt, _>(ADVISORY_LOCK)
        .get_result(conn)?;
        let holder = row.holder.unwrap_or_else(|| "another process".to_owned());
        Ok((!row.locked).then_some(holder))
    })
}

/// Tries until nobody is in the way any more.
fn wait(
    timeout: Duration,
    mut attempt: impl FnMut() -> Result<Option<String>, StoreError>,
) -> Result<(), StoreError> {
    let started = Instant::now();
    let mut said = started;
    while let Some(holder) = attempt()? {
        if started.elapsed() >= timeout {
            let text = format!(
                "{holder} has held the lock for migrations for {} s (database.migrate_timeout_s): \
                 wait until it is done, or end it, and start again",
                timeout.as_secs()
            );
            return Err(StoreError::Unavailable(text.into()));
        }
        if said.elapsed() >= SAY || said == started {
            said = Instant::now();
            say(&holder, started.elapsed(), timeout);
        }
        std::thread::sleep(LOOK);
    }
    Ok(())
}

/// Into the log; a command that keeps none talks to whoever called it.
#[expect(clippy::print_stderr, reason = "commands talk to people")]
fn say(holder: &str, waited: Duration, timeout: Duration) {
    let (waited, timeout) = (waited.as_secs(), timeout.as_secs());
    if tracing::dispatcher::has_been_set() {
        tracing::warn!(holder, waited_s = waited, timeout_s = timeout, "{WAITING}");
    } else {
        eprintln!("{WAITING}: {holder} holds it; {waited} s of {timeout} s");
    }
}

/// One entry for each migration, in a chain of their own. The first migrations make the trail, so
/// the entries come last.
fn record(conn: &mut AnyConnection, applied: &[String]) -> Result<(), StoreError> {
    let draft = |version: &String| AuditDraft {
        subject: Some(version.clone()),
        ..AuditDraft::local("database.migrate")
    };
    let drafts: Vec<_> = applied.iter().map(draft).collect();
    transaction(conn, |conn| {
        audit::append(conn, &AuditChain::start(), &drafts)
    })?;
    Ok(())
}

/// The versions that [`run`] would apply, oldest first. Blocks; does not create an SQLite file.
pub fn pending(url: &DatabaseUrl) -> Result<Vec<String>, StoreError> {
    if let DatabaseUrl::Sqlite(path) = url
        && !path.exists()
    {
        return names(MigrationSource::<diesel::sqlite::Sqlite>::migrations(
            &SQLITE,
        ));
    }
    match open(url, Use::Migrating)? {
        AnyConnection::Sqlite(mut conn) => names(conn.pending_migrations(SQLITE)),
        AnyConnection::Postgres(mut conn) => names(conn.pending_migrations(POSTGRES)),
    }
}

type AnyError = Box<dyn std::error::Error + Send + Sync>;

fn names<DB: diesel::backend::Backend>(
    migrations: Result<Vec<Box<dyn Migration<DB>>>, AnyError>,
) -> Result<Vec<String>, StoreError> {
    let migrations = migrations.map_err(|_| failed())?;
    Ok(migrations
        .iter()
        .map(|m| m.name().version().to_string())
        .collect())
}

fn apply<DB, C>(conn: &mut C, source: EmbeddedMigrations) -> Result<Vec<String>, StoreError>
where
    DB: diesel::backend::Backend,
    C: MigrationHarness<DB>,
{
    let applied = conn.run_pending_migrations(source).map_err(|error| {
        // The text is about our own SQL: no rows are in it.
        tracing::error!(%error, "a migration failed");
        failed()
    })?;
    Ok(applied.iter().map(ToString::to_string).collect())
}

fn failed() -> StoreError {
    StoreError::internal("a migration failed")
}
