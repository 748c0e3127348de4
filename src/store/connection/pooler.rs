//! Refuses a connection pooler that does not leave a session to its client.
//!
//! In transaction mode (PgBouncer's `pool_mode = transaction`) the next transaction may run in
//! another server session. Then the migrations' lock, the timeouts and the prepared statements
//! would belong to another client, without any error. So the gateway checks for it at the start,
//! unless it was told of the mode (`database.pool_mode`). Session mode works.

use super::libpq;
use super::line::Line;
use crate::store::error::StoreError;
use crate::store::url::PostgresUrl;
use diesel::connection::SimpleConnection;
use diesel::sql_types::Integer;
use diesel::{Connection, PgConnection, QueryResult, RunQueryDsl, sql_query};
use std::sync::Arc;

/// Looks that often: while other clients come and go, two transactions may get sessions of their
/// own by chance.
const ROUNDS: u32 = 8;

const REFUSAL: &str = "a connection pooler in transaction or statement mode stands before the database (PgBouncer: pool_mode): \
    set database.pool_mode = \"transaction\" if it is transaction mode, or pool_mode = session in the pooler, or connect to PostgreSQL directly";

/// Asks `conn`, a new connection to `url`, whether it has a server session to itself.
pub(super) fn refuse_shared_sessions(
    url: &PostgresUrl,
    conn: &mut PgConnection,
    line: Option<&Line>,
) -> Result<(), StoreError> {
    // A pooler tells its clients a number of its own.
    if line.is_some_and(|line| Ok(line.told_pid()) == session(conn)) {
        return Ok(());
    }
    let (mut other, _watched) = second(url)?;
    for _ in 0..ROUNDS {
        let first = session(conn)?;
        // Statement mode refuses transactions.
        let shared = match other.batch_execute("BEGIN") {
            Err(_) => true,
            // The session that `conn` has just used is the first to be given out again.
            Ok(()) => session(&mut other)? == first || session(conn)? != first,
        };
        if shared {
            return Err(StoreError::Unsupported(REFUSAL.into()));
        }
        other.batch_execute("ROLLBACK")?;
    }
    Ok(())
}

fn second(url: &PostgresUrl) -> Result<(PgConnection, Option<Arc<Line>>), StoreError> {
    let (opened, line) = libpq::watch(|| PgConnection::establish(&url.conninfo()));
    let unavailable = "the connection pooler has no second connection for the gateway";
    let conn = opened.map_err(|_| StoreError::Unavailable(unavailable.into()))?;
    Ok((conn, line))
}

fn session(conn: &mut PgConnection) -> QueryResult<i32> {
    #[derive(diesel::QueryableByName)]
    struct Row {
        #[diesel(sql_type = Integer)]
        pid: i32,
    }
    let row: Row = sql_query("SELECT pg_backend_pid() AS pid").get_result(conn)?;
    Ok(row.pid)
}
