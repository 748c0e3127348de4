//! The fence between transactions that write sealed values and those that change the keys.
//!
//! `vault_generation` is the number of the set of data keys in force. A transaction that writes
//! sealed values first joins the fence, then compares the generation with the one that it sealed
//! under. A transaction that changes the set first closes the fence, which waits for every
//! transaction that has joined. So after a change has committed, no transaction can write a value
//! that was sealed or indexed under the former set.
//!
//! PostgreSQL: locks on the table, ROW SHARE to join and EXCLUSIVE to close. They queue fairly,
//! where `FOR SHARE` on the row would let a steady stream of writers keep a change out for ever.
//! They cost memory alone and block nobody else, readers and `pg_dump` included. SQLite: BEGIN
//! IMMEDIATE lets one in at a time.

use super::connection::{self, AnyConnection, on_backend};
use super::schema::vault_generation;
use diesel::connection::SimpleConnection;
use diesel::prelude::*;

const JOIN: &str = "LOCK TABLE vault_generation IN ROW SHARE MODE";

/// Writers who come later wait behind a change that waits, so it waits for 300 ms only, and is
/// tried again.
const CLOSE: &str = "SET LOCAL lock_timeout = 300; LOCK TABLE vault_generation IN EXCLUSIVE MODE";

/// Opens a transaction that has joined, in one round trip.
pub(super) fn begin(conn: &mut AnyConnection) -> QueryResult<()> {
    match conn {
        AnyConnection::Sqlite(_) => connection::begin(conn),
        AnyConnection::Postgres(c) => connection::begin_with(c, "BEGIN", Some(JOIN)),
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
