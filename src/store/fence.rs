//! The fence between those who write sealed values and those who change which keys seal and index.
//!
//! `vault_generation` says which set of data keys is in force. Whoever writes sealed values joins
//! the fence first thing in its transaction and compares the generation with the one it sealed
//! under; whoever changes the set closes the fence first, which waits until all who joined have
//! ended. So once a change has committed, nobody can write anything any more that was sealed or
//! indexed by the rules before it.
//!
//! PostgreSQL: locks on the table, ROW SHARE to join and EXCLUSIVE to close. They queue fairly,
//! where `FOR SHARE` on the row would let a steady stream of writers keep a change out for ever;
//! they cost memory alone; and they are in nobody else's way, readers and `pg_dump` included.
//! SQLite: BEGIN IMMEDIATE lets one in at a time.

use super::connection::{self, AnyConnection, on_backend};
use super::schema::vault_generation;
use diesel::connection::{AnsiTransactionManager, SimpleConnection};
use diesel::prelude::*;

const JOIN: &str = "LOCK TABLE vault_generation IN ROW SHARE MODE";

/// Writers who come later wait behind a change that waits, so it waits for 300 ms only, and is
/// tried again.
const CLOSE: &str = "SET LOCAL lock_timeout = 300; LOCK TABLE vault_generation IN EXCLUSIVE MODE";

/// Opens a transaction that has joined, in one round trip.
pub(super) fn begin(conn: &mut AnyConnection) -> QueryResult<()> {
    match conn {
        AnyConnection::Sqlite(_) => connection::begin(conn),
        AnyConnection::Postgres(c) => {
            let begun = AnsiTransactionManager::begin_transaction_sql(c, &format!("BEGIN; {JOIN}"));
            if begun.is_err() {
                // BEGIN has succeeded all the same, which Diesel does not know; without one this
                // does nothing.
                c.batch_execute("ROLLBACK").ok();
            }
            begun
        }
    }
}

/// Joins in a transaction that has read nothing yet.
pub(super) fn join(conn: &mut AnyConnection) -> QueryResult<()> {
    on_backend!(conn, c => {
        sqlite: {
            let _ = c;
            Ok(())
        },
        postgres: c.batch_execute(JOIN),
    })
}

/// The generation in force. To whoever has joined it stays so until the end of the transaction: a
/// statement of its own, so that it sees what the lock has waited for.
pub(super) fn generation(conn: &mut AnyConnection) -> QueryResult<i64> {
    let query = vault_generation::table.select(vault_generation::version);
    on_backend!(conn, c => {
        sqlite: query.get_result(c),
        postgres: query.get_result(c),
    })
}

/// Closes the fence until the end of the transaction, which has read nothing yet.
///
/// # Errors
/// A lock timeout, which becomes [`StoreError::Busy`](super::StoreError::Busy): to be tried again.
pub(super) fn close(conn: &mut AnyConnection) -> QueryResult<()> {
    on_backend!(conn, c => {
        sqlite: {
            let _ = c;
            Ok(())
        },
        postgres: c.batch_execute(CLOSE),
    })
}

/// Raises the generation; the fence is closed.
pub(super) fn raise(conn: &mut AnyConnection) -> QueryResult<()> {
    diesel::update(vault_generation::table)
        .set(vault_generation::version.eq(vault_generation::version + 1))
        .execute(conn)?;
    Ok(())
}
