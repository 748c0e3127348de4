//! Erases cardholders whose deletion was accepted.
//!
//! `status = 'TERMINATING'` in the cardholder's own row is the queue, so it survives the end of any
//! process. An erasure and its audit entry are one transaction, under a lock on the row, so it
//! happens exactly once. A tombstone without personal data remains: ids, state, epoch, times.

use super::audit::AuditDraft;
use super::connection::on_backend;
use super::error::StoreError;
use super::pool::Store;
use super::schema::{cards, scoring_jobs, users};
use crate::ids::IssuerId;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Integer, Text};

/// The users to be erased next. A text with the state in it, not bound: only so do both databases
/// use the partial index `users_terminating`. Few at a time, because SQLite's one writer waits
/// meanwhile.
pub const DUE: &str = "SELECT issuer_id, user_id FROM users WHERE status = 'TERMINATING' \
    ORDER BY issuer_id, user_id LIMIT 64";

const PENDING: &str = "SELECT count(*) AS n FROM users WHERE status = 'TERMINATING'";

// What another node is erasing is skipped. The locks go with the transaction, the state with its
// commit.
const ERASE_POSTGRES: &str = "FOR UPDATE SKIP LOCKED), \
    card AS (DELETE FROM cards USING due \
        WHERE cards.issuer_id = due.issuer_id AND cards.user_id = due.user_id), \
    job AS (DELETE FROM scoring_jobs USING due \
        WHERE scoring_jobs.issuer_id = due.issuer_id AND scoring_jobs.user_id = due.user_id) \
    UPDATE users SET status = 'DELETED', name = NULL, email = NULL, phone = NULL, billing_address = NULL, \
        locale = NULL, email_index = NULL, email_index_key = NULL, updated_at = $1 \
    FROM due WHERE users.issuer_id = due.issuer_id AND users.user_id = due.user_id \
    RETURNING users.issuer_id, users.user_id";

/// Who did it, in the audit trail.
const ACTOR: &str = "gateway";

#[derive(QueryableByName)]
struct Key {
    #[diesel(sql_type = Integer)]
    issuer_id: i32,
    #[diesel(sql_type = Text)]
    user_id: String,
}

impl Store {
    /// Erases some of the users whose deletion was accepted, at most 64; returns how many. 0: there
    /// are none that no other node is erasing at this moment.
    pub async fn erase_users(&self, at: i64) -> Result<u64, StoreError> {
        self.with_trail(move |conn| {
            let erased: Vec<Key> = on_backend!(conn, c => {
                sqlite: erase_sqlite(c, at)?,
                postgres: diesel::sql_query(format!("WITH due AS MATERIALIZED ({DUE} {ERASE_POSTGRES}"))
                    .bind::<BigInt, _>(at)
                    .load(c)?,
            });
            let count = u64::try_from(erased.len()).unwrap_or(u64::MAX);
            let entries = erased.into_iter().map(|user| AuditDraft {
                issuer_id: Some(IssuerId(user.issuer_id)),
                subject: Some(user.user_id),
                ..AuditDraft::accepted(at, ACTOR, "user.erase")
            });
            Ok((count, entries.collect()))
        })
        .await
    }

    /// How many users wait to be erased.
    pub async fn pending_erasures(&self) -> Result<i64, StoreError> {
        #[derive(QueryableByName)]
        struct Count {
            #[diesel(sql_type = BigInt)]
            n: i64,
        }
        self.read(|conn| {
            let count: Count = diesel::sql_query(PENDING).get_result(conn)?;
            Ok(count.n)
        })
        .await
    }

    /// SQLite: empties the write-ahead log, which still holds pages as they were before an erasure.
    /// False if somebody was reading from it: then it is to be tried again. PostgreSQL: nothing to
    /// do here, see docs/operations.md.
    pub async fn drop_traces(&self) -> Result<bool, StoreError> {
        #[derive(QueryableByName)]
        struct Checkpoint {
            #[diesel(sql_type = Integer)]
            busy: i32,
        }
        self.read(|conn| {
            on_backend!(conn, c => {
                sqlite: {
                    let done: Checkpoint =
                        diesel::sql_query("PRAGMA wal_checkpoint(TRUNCATE)").get_result(c)?;
                    Ok(done.busy == 0)
                },
                postgres: {
                    let _ = c;
                    Ok(true)
                },
            })
        })
        .await
    }
}

fn erase_sqlite(conn: &mut SqliteConnection, at: i64) -> QueryResult<Vec<Key>> {
    let due: Vec<Key> = diesel::sql_query(DUE).load(conn)?;
    for Key { issuer_id, user_id } in &due {
        diesel::delete(cards::table.find((issuer_id, user_id))).execute(conn)?;
        diesel::delete(scoring_jobs::table.find((issuer_id, user_id))).execute(conn)?;
        let nothing = None::<&[u8]>;
        diesel::update(users::table.find((issuer_id, user_id)))
            .set((
                users::status.eq("DELETED"),
                users::name.eq(nothing),
                users::email.eq(nothing),
                users::phone.eq(nothing),
                users::billing_address.eq(nothing),
                users::locale.eq(nothing),
                users::email_index.eq(nothing),
                users::email_index_key.eq(None::<i32>),
                users::updated_at.eq(at),
            ))
            .execute(conn)?;
    }
    Ok(due)
}
