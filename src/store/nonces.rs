//! Nonces outside the [writer](super::writer): those of rare signed changes with a transaction of
//! their own, and the purge. The writer writes all others, in the commit of their call.

use super::connection::{AnyConnection, on_backend};
use super::error::StoreError;
use super::owners;
use super::pool::Store;
use super::schema::oauth_nonces;
use super::writer::Nonce;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Integer};

/// Rows per transaction, so that a purge never holds up the writers for long.
const CHUNK: usize = 5_000;

// By the database's clock: a node whose own clock is fast would make every node forget what others
// still accept. Both bind issuer, microseconds and limit. PostgreSQL: what another node purges
// already is skipped.
const PURGE_POSTGRES: &str = "DELETE FROM oauth_nonces WHERE issuer_id = $1 AND nonce IN \
    (SELECT nonce FROM oauth_nonces WHERE issuer_id = $1 \
     AND expires_at < (extract(epoch FROM now()) * 1000000)::bigint - $2 \
     ORDER BY expires_at LIMIT $3 FOR UPDATE SKIP LOCKED)";
const PURGE_SQLITE: &str = "DELETE FROM oauth_nonces WHERE rowid IN \
    (SELECT rowid FROM oauth_nonces WHERE issuer_id = ? \
     AND expires_at < CAST(unixepoch('subsec') * 1000000 AS INTEGER) - ? \
     ORDER BY expires_at LIMIT ?)";

const CLOCK_POSTGRES: &str =
    "SELECT (extract(epoch FROM clock_timestamp()) * 1000000)::bigint AS n";
const CLOCK_SQLITE: &str = "SELECT CAST(unixepoch('subsec') * 1000000 AS INTEGER) AS n";

/// Uses a nonce up in the running transaction; false if it was used before.
pub(super) fn consume(conn: &mut AnyConnection, nonce: &Nonce) -> QueryResult<bool> {
    let row = (
        oauth_nonces::issuer_id.eq(nonce.issuer_id.0),
        oauth_nonces::nonce.eq(&nonce.value),
        oauth_nonces::expires_at.eq(nonce.expires_at),
    );
    let insert = diesel::insert_into(oauth_nonces::table).values(row);
    let inserted = on_backend!(conn, c => {
        sqlite: insert.on_conflict_do_nothing().execute(c)?,
        postgres: insert.on_conflict_do_nothing().execute(c)?,
    });
    Ok(inserted == 1)
}

impl Store {
    /// What the database's clock says, microseconds since 1970 UTC. An SQLite file has this
    /// machine's.
    pub async fn clock(&self) -> Result<i64, StoreError> {
        #[derive(QueryableByName)]
        struct Clock {
            #[diesel(sql_type = BigInt)]
            n: i64,
        }
        self.read(|conn| {
            let clock: Clock = on_backend!(conn, c => {
                sqlite: diesel::sql_query(CLOCK_SQLITE).get_result(c)?,
                postgres: diesel::sql_query(CLOCK_POSTGRES).get_result(c)?,
            });
            Ok(clock.n)
        })
        .await
    }

    /// Deletes some of the nonces that expired more than `kept` microseconds ago by the database's
    /// clock, at most 5,000; returns how many. 0: there are none that no other node is deleting at
    /// this moment.
    pub async fn purge_nonces(&self, kept: i64) -> Result<usize, StoreError> {
        self.maintain(move |conn| {
            let mut purged = 0;
            let mut last = i32::MIN;
            while let Some(issuer_id) = owners::next(conn, "oauth_nonces", "issuer_id", last)? {
                last = issuer_id;
                purged += purge(conn, issuer_id, kept, CHUNK.saturating_sub(purged))?;
                if purged >= CHUNK {
                    break;
                }
            }
            Ok(purged)
        })
        .await
    }
}

/// Purges nonces of an issuer, at most `limit`; returns how many.
fn purge(conn: &mut AnyConnection, issuer_id: i32, kept: i64, limit: usize) -> QueryResult<usize> {
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    on_backend!(conn, c => {
        sqlite: diesel::sql_query(PURGE_SQLITE)
            .bind::<Integer, _>(issuer_id).bind::<BigInt, _>(kept).bind::<BigInt, _>(limit)
            .execute(c),
        postgres: diesel::sql_query(PURGE_POSTGRES)
            .bind::<Integer, _>(issuer_id).bind::<BigInt, _>(kept).bind::<BigInt, _>(limit)
            .execute(c),
    })
}
