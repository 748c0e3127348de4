//! One connection type for both databases, opened by scheme, and transactions on it.
//!
//! `AnyConnection::establish` of Diesel's derive tries every backend in turn and would make an
//! SQLite file out of an unreachable PostgreSQL URL, so [`open`] is the only way in.

use super::error::{StoreError, is_busy};
use super::url::{DatabaseUrl, TRANSACTION_SETTINGS};
use crate::private_file;
use diesel::connection::{AnsiTransactionManager, SimpleConnection, TransactionManager};
use diesel::{Connection, PgConnection, QueryResult, RunQueryDsl, SqliteConnection};
use std::path::Path;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

pub(super) mod libpq;
pub(super) mod line;
mod pooler;
mod postgres;
mod statements;

use line::shares_sessions;
pub use multi::{AnyConnection, MultiBackend};
pub use statements::Statements;

mod multi {
    #![expect(missing_docs, reason = "Diesel's derive generates undocumented types")]
    use diesel::{PgConnection, SqliteConnection};

    /// A connection to one of the two databases.
    #[derive(diesel::MultiConnection)]
    pub enum AnyConnection {
        /// SQLite, bundled.
        Sqlite(SqliteConnection),
        /// PostgreSQL through libpq.
        Postgres(PgConnection),
    }
}

/// Two arms for what Diesel's `MultiConnection` cannot express: batch inserts, ON CONFLICT, locks.
macro_rules! on_backend {
    ($conn:expr, $name:ident => { sqlite: $sqlite:expr, postgres: $postgres:expr $(,)? }) => {
        match $conn {
            $crate::store::connection::AnyConnection::Sqlite($name) => $sqlite,
            $crate::store::connection::AnyConnection::Postgres($name) => $postgres,
        }
    };
}
pub(super) use on_backend;

/// How long an SQLite connection waits for the one writer, in milliseconds.
const SQLITE_BUSY_MS: u32 = 1_000;

/// How often [`begin_insistently`] looks whether the file is free.
const INSISTENCE: Duration = Duration::from_micros(250);

/// What a connection is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Use {
    /// Requests: every statement has a timeout.
    Serving,
    /// Migrations: statements may take long.
    Migrating,
}

/// How long the outcome of a COMMIT under way is waited for (`database.commit_timeout_ms`), unless
/// said otherwise.
pub const COMMIT_TIMEOUT: Duration = Duration::from_millis(5_000);

/// [`open_with`] the default limit on a COMMIT.
pub(super) fn open(url: &DatabaseUrl, usage: Use) -> Result<AnyConnection, StoreError> {
    open_with(url, usage, COMMIT_TIMEOUT, &Statements::by("command"))
}

/// Opens a connection. SQLite: creates the file with mode 0600 if there is none. PostgreSQL: a
/// connection that serves is given up if a COMMIT is not answered within `commit`, or another
/// statement within 2 s beyond its timeout.
pub(super) fn open_with(
    url: &DatabaseUrl,
    usage: Use,
    commit: Duration,
    statements: &Statements,
) -> Result<AnyConnection, StoreError> {
    match url {
        DatabaseUrl::Sqlite(path) => {
            let mut conn = open_sqlite(path, usage)?;
            conn.set_instrumentation(statements.timer());
            Ok(AnyConnection::Sqlite(conn))
        }
        DatabaseUrl::Postgres(url) => {
            postgres::open(url, usage, commit, statements).map(AnyConnection::Postgres)
        }
    }
}

fn open_sqlite(path: &Path, usage: Use) -> Result<SqliteConnection, StoreError> {
    create_private(path)
        .map_err(|e| StoreError::Unavailable(format!("{}: {}", path.display(), e.kind()).into()))?;
    let path = path.to_str().ok_or(StoreError::Unavailable(
        "the path of the SQLite file is not UTF-8".into(),
    ))?;
    // SQLite reads "file:..." as a URI with options of its own.
    let path = if path.starts_with("file:") || path.starts_with("sqlite:") {
        format!("./{path}")
    } else {
        path.to_owned()
    };
    let mut conn = SqliteConnection::establish(&path)
        .map_err(|_| StoreError::Unavailable("the SQLite file cannot be opened".into()))?;
    let busy = match usage {
        Use::Serving => SQLITE_BUSY_MS,
        Use::Migrating => 60 * SQLITE_BUSY_MS,
    };
    conn.batch_execute(&format!(
        "PRAGMA busy_timeout = {busy}; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON; \
         PRAGMA secure_delete = ON;"
    ))?;
    use_wal(&mut conn)?;
    Ok(conn)
}

/// Held while a file is made: a connection that another thread opened meanwhile would lose its
/// locks, see [`create_private`].
static CREATING: Mutex<()> = Mutex::new(());

/// How many symbolic links may lead to the file, as many as Linux follows.
const LINKS: usize = 40;

/// Makes the file with mode 0600 if there is none, and leaves one that is there alone.
///
/// Not even opens it: closing any descriptor of a file drops every lock that the process has on it
/// (POSIX `fcntl`), and so those of all SQLite connections. Other processes would then take the
/// database for unused, and write into it, or checkpoint its log and remove it, under us. So
/// nothing in this process may open the file but SQLite, which knows of this.
fn create_private(path: &Path) -> std::io::Result<()> {
    let _alone = CREATING.lock().unwrap_or_else(PoisonError::into_inner);
    let mut file = path.to_owned();
    for _ in 0..LINKS {
        // -wal and -shm get the mode of the database file from SQLite.
        match private_file::create(&file) {
            Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {}
            created => return created.map(drop),
        }
        // A link that leads nowhere yet: SQLite would make the file there, readable by all.
        let Ok(target) = std::fs::read_link(&file) else {
            return Ok(());
        };
        file = file.parent().unwrap_or(Path::new("")).join(target);
    }
    Ok(())
}

/// The journal mode is a property of the file. Turning it on needs the file alone for a moment, and
/// SQLite may say "locked" without waiting when two connections try at once: then the other one has
/// done it.
fn use_wal(conn: &mut SqliteConnection) -> QueryResult<()> {
    #[derive(diesel::QueryableByName)]
    struct Mode {
        #[diesel(sql_type = diesel::sql_types::Text)]
        journal_mode: String,
    }
    let mode = |conn: &mut SqliteConnection, sql: &str| -> QueryResult<bool> {
        let mode: Mode = diesel::sql_query(sql).get_result(conn)?;
        Ok(mode.journal_mode == "wal")
    };
    let mut last = Ok(false);
    for _ in 0..100 {
        if matches!(mode(conn, "PRAGMA journal_mode"), Ok(true)) {
            return Ok(());
        }
        last = mode(conn, "PRAGMA journal_mode = WAL");
        if matches!(last, Ok(true)) {
            return Ok(());
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    last.map(|_| ())
}

/// Opens a transaction; on SQLite one that may write from the start, so that it cannot fail later
/// on.
pub(super) fn begin(conn: &mut AnyConnection) -> QueryResult<()> {
    on_backend!(conn, c => {
        sqlite: AnsiTransactionManager::begin_transaction_sql(c, "BEGIN IMMEDIATE"),
        postgres: begin_with(c, "BEGIN", None),
    })
}

/// Opens a transaction by the statement `begin` and runs the statement `first` in it, in one round
/// trip. In shared sessions the transaction sets its timeouts itself.
pub(super) fn begin_with(
    conn: &mut PgConnection,
    begin: &str,
    first: Option<&str>,
) -> QueryResult<()> {
    let mut statements = vec![begin];
    if shares_sessions(conn) {
        statements.extend(TRANSACTION_SETTINGS.iter().map(String::as_str));
    }
    statements.extend(first);
    let begun = AnsiTransactionManager::begin_transaction_sql(conn, &statements.join("; "));
    if begun.is_err() {
        // BEGIN may have succeeded all the same, which Diesel does not know; without one this does
        // nothing.
        conn.batch_execute("ROLLBACK").ok();
    }
    begun
}

/// How long a connection waits for a lock, in milliseconds.
#[derive(diesel::QueryableByName)]
struct Patience {
    #[diesel(sql_type = diesel::sql_types::Integer)]
    timeout: i32,
}

/// [`begin`] for what goes on beside a writer that commits without pause.
///
/// A waiting SQLite connection soon looks only every 100 ms whether the file is free, and between
/// two commits of a busy writer it is so for less than a millisecond: it would wait for minutes.
/// This one looks all the time.
fn begin_insistently(conn: &mut AnyConnection) -> QueryResult<()> {
    let AnyConnection::Sqlite(c) = conn else {
        return begin(conn);
    };
    let Patience { timeout } = diesel::sql_query("PRAGMA busy_timeout").get_result(c)?;
    let give_up = Instant::now() + Duration::from_millis(u64::try_from(timeout).unwrap_or(0));
    c.batch_execute("PRAGMA busy_timeout = 0")?;
    let begun = loop {
        match AnsiTransactionManager::begin_transaction_sql(c, "BEGIN IMMEDIATE") {
            Err(error) if is_busy(&error) && Instant::now() < give_up => {
                std::thread::sleep(INSISTENCE);
            }
            begun => break begun,
        }
    };
    c.batch_execute(&format!("PRAGMA busy_timeout = {timeout}"))?;
    begun
}

pub(super) fn commit(conn: &mut AnyConnection) -> QueryResult<()> {
    on_backend!(conn, c => {
        sqlite: AnsiTransactionManager::commit_transaction(c),
        postgres: AnsiTransactionManager::commit_transaction(c),
    })
}

pub(super) fn rollback(conn: &mut AnyConnection) -> QueryResult<()> {
    on_backend!(conn, c => {
        sqlite: AnsiTransactionManager::rollback_transaction(c),
        postgres: AnsiTransactionManager::rollback_transaction(c),
    })
}

/// Runs `body` as a part of the open transaction that can fail on its own: what it wrote is undone,
/// the rest stays.
pub(super) fn savepoint<T>(
    conn: &mut AnyConnection,
    body: impl FnOnce(&mut AnyConnection) -> QueryResult<T>,
) -> QueryResult<T> {
    on_backend!(conn, c => {
        sqlite: AnsiTransactionManager::begin_transaction(c)?,
        postgres: AnsiTransactionManager::begin_transaction(c)?,
    });
    match body(conn) {
        Ok(value) => {
            commit(conn)?;
            Ok(value)
        }
        Err(error) => {
            rollback(conn)?;
            Err(error)
        }
    }
}

/// Runs `body` in a transaction: commits if it is `Ok`, rolls back otherwise.
pub(super) fn transaction<T, E: From<diesel::result::Error>>(
    conn: &mut AnyConnection,
    body: impl FnOnce(&mut AnyConnection) -> Result<T, E>,
) -> Result<T, E> {
    begin_insistently(conn)?;
    finish(conn, body)
}

/// Runs queries that change nothing. In shared sessions they are a transaction, because timeouts
/// hold in one alone.
pub(super) fn reading<T, E: From<diesel::result::Error>>(
    conn: &mut AnyConnection,
    body: impl FnOnce(&mut AnyConnection) -> Result<T, E>,
) -> Result<T, E> {
    let shared = on_backend!(conn, c => {
        sqlite: {
            let _ = c;
            false
        },
        postgres: shares_sessions(c),
    });
    match shared {
        true => transaction(conn, body),
        false => body(conn),
    }
}

/// Runs queries that all see the database as it is at one moment. In a transaction these are its
/// first statements.
pub(super) fn snapshot<T, E: From<diesel::result::Error>>(
    conn: &mut AnyConnection,
    body: impl FnOnce(&mut AnyConnection) -> Result<T, E>,
) -> Result<T, E> {
    const SEEN_AT_ONCE: &str = "ISOLATION LEVEL REPEATABLE READ READ ONLY";
    let inside = on_backend!(conn, c => {
        sqlite: {
            AnsiTransactionManager::begin_transaction_sql(c, "BEGIN DEFERRED")?;
            false
        },
        postgres: if in_transaction(c)? {
            c.batch_execute(&format!("SET TRANSACTION {SEEN_AT_ONCE}"))?;
            true
        } else {
            begin_with(c, &format!("BEGIN {SEEN_AT_ONCE}"), None)?;
            false
        },
    });
    if inside {
        return body(conn);
    }
    finish(conn, body)
}

fn in_transaction(conn: &mut PgConnection) -> QueryResult<bool> {
    let status = AnsiTransactionManager::transaction_manager_status_mut(conn);
    Ok(status.transaction_depth()?.is_some())
}

fn finish<T, E: From<diesel::result::Error>>(
    conn: &mut AnyConnection,
    body: impl FnOnce(&mut AnyConnection) -> Result<T, E>,
) -> Result<T, E> {
    match body(conn) {
        Ok(value) => match commit(conn) {
            Ok(()) => Ok(value),
            Err(error) => {
                // A COMMIT that SQLite refuses leaves the transaction open.
                rollback(conn).ok();
                Err(error.into())
            }
        },
        Err(error) => {
            // A rollback fails only with the connection, which ends the transaction as well.
            rollback(conn).ok();
            Err(error)
        }
    }
}
