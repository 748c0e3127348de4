//! Opens PostgreSQL connections: settings, the limit on silence, and the end of server processes
//! that silent connections left behind.

use super::Use;
use super::libpq;
use super::line::{self, Backend, Limits, Watch};
use super::pooler;
use super::statements::Statements;
use crate::store::error::StoreError;
use crate::store::url::{PostgresUrl, STATEMENT_TIMEOUT};
use diesel::connection::{CacheSize, SimpleConnection};
use diesel::sql_types::{BigInt, Integer};
use diesel::{Connection, ConnectionError, PgConnection, QueryResult, RunQueryDsl, sql_query};
use std::sync::Arc;
use std::time::Duration;

/// How much longer than `statement_timeout` the answer to a statement may take: the server's own
/// limit comes first.
const GRACE: Duration = Duration::from_secs(2);

/// The limit on a statement where the URL's `options` turn `statement_timeout` off.
const UNLIMITED: Duration = Duration::from_secs(600);

const STARTED_AT: &str = "CAST(extract(epoch FROM backend_start) * 1000000 AS BIGINT)";

/// What a new connection says of itself.
#[derive(diesel::QueryableByName)]
struct About {
    #[diesel(sql_type = Integer)]
    pid: i32,
    #[diesel(sql_type = BigInt)]
    started_at: i64,
    /// In milliseconds; 0: none.
    #[diesel(sql_type = BigInt)]
    statement_timeout: i64,
}

/// Opens a connection. `commit` limits how long one that serves waits for the answer to a COMMIT.
///
/// In shared sessions nothing is set for the session, and no statement is prepared by name: either
/// would reach whoever gets the session next. A pooler ends the server process of a connection that
/// is given up, so none is noted.
pub(super) fn open(
    url: &PostgresUrl,
    usage: Use,
    commit: Duration,
    statements: &Statements,
) -> Result<PgConnection, StoreError> {
    let conninfo = url.conninfo();
    let (opened, line) = libpq::watch(|| PgConnection::establish(&conninfo));
    let mut conn = opened.map_err(|e| {
        StoreError::Unavailable(match e {
            ConnectionError::BadConnection(message) => presentable(message),
            _ => "the connection could not be set up".into(),
        })
    })?;
    if url.shares_sessions() {
        conn.set_prepared_statement_cache_size(CacheSize::Disabled);
        conn.set_instrumentation(Watch::new(
            line.inspect(|line| line.rest()),
            Limits {
                statement: Duration::from_millis(STATEMENT_TIMEOUT.into()) + GRACE,
                commit,
            },
            true,
            statements.timer(),
        ));
        return Ok(conn);
    }
    if usage == Use::Migrating {
        pooler::refuse_shared_sessions(url, &mut conn, line.as_deref())?;
        // Its line ends here, and with it the watch over it.
        return Ok(conn);
    }
    conn.batch_execute(&url.settings())?;
    if let Some(line) = line {
        let about = about(&mut conn)?;
        let place: Arc<str> = conninfo.into();
        end_left_behind(&mut conn, &place)?;
        line.answered_by(Backend {
            pid: about.pid,
            started_at: about.started_at,
            place,
        });
        line.rest();
        let limits = Limits {
            statement: match u64::try_from(about.statement_timeout) {
                Ok(milliseconds @ 1..) => Duration::from_millis(milliseconds) + GRACE,
                _ => UNLIMITED,
            },
            commit,
        };
        conn.set_instrumentation(Watch::new(Some(line), limits, false, statements.timer()));
    } else {
        conn.set_instrumentation(statements.timer());
    }
    Ok(conn)
}

fn about(conn: &mut PgConnection) -> QueryResult<About> {
    sql_query(format!(
        "SELECT pid, {STARTED_AT} AS started_at, CAST(extract(epoch FROM \
         CAST(current_setting('statement_timeout') AS interval)) * 1000 AS BIGINT) AS statement_timeout \
         FROM pg_stat_activity WHERE pid = pg_backend_pid()"
    ))
    .get_result(conn)
}

/// Ends the server processes whose connections were given up: what they have locked would stay so
/// for as long as they wait.
fn end_left_behind(conn: &mut PgConnection, place: &str) -> QueryResult<()> {
    let mut left = line::left_behind(place).into_iter();
    while let Some(backend) = left.next() {
        let ended = sql_query(format!(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity \
             WHERE pid = $1 AND {STARTED_AT} = $2 AND usename = current_user"
        ))
        .bind::<Integer, _>(backend.pid)
        .bind::<BigInt, _>(backend.started_at)
        .execute(conn);
        let ended = match ended {
            Ok(ended) => ended,
            Err(error) => {
                // The next connection tries again.
                line::leave_behind(std::iter::once(backend).chain(left));
                return Err(error);
            }
        };
        if ended > 0 {
            tracing::warn!(
                pid = backend.pid,
                "the server process of a connection that was given up is ended"
            );
        }
    }
    Ok(())
}

/// libpq's messages name host, port, user and database, which operators need; but a malformed URL
/// is quoted in pieces, and a password may be one of them.
fn presentable(message: String) -> std::borrow::Cow<'static, str> {
    let quotes_no_url = ["connection to server", "could not translate host name"]
        .iter()
        .any(|start| message.starts_with(start));
    if quotes_no_url {
        message.trim_end().to_owned().into()
    } else {
        "PostgreSQL's client library refused the connection URL".into()
    }
}
