//! Erases cardholders whose deletion was accepted.
//!
//! `status = 'TERMINATING'` in the cardholder's own row is the queue, so it survives the end of any
//! process. An erasure and its audit entry are one transaction, under locks on the row and on the
//! cardholder's ledger of transactions, so it happens exactly once. A tombstone without personal
//! data remains: ids, state, epoch, times.

use super::audit::AuditDraft;
use super::cardholders::SealedProfile;
use super::connection::{AnyConnection, on_backend};
use super::error::StoreError;
use super::pool::Store;
use super::retained;
use super::schema::{cards, scoring_jobs, transaction_ledgers, transaction_months, users};
use crate::ids::IssuerId;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Integer, Text};
use std::collections::HashSet;

/// How many cardholders are erased in a transaction: few, because SQLite's one writer waits
/// meanwhile.
const BATCH: usize = 64;

/// How many users of which issuer wait to be erased. A text with the state in it, not bound: only
/// so do both databases use the partial index `users_terminating`.
pub const WAITING: &str = "SELECT issuer_id, count(*) AS n FROM users WHERE status = 'TERMINATING' \
    GROUP BY issuer_id ORDER BY issuer_id";

/// The users of an issuer to be erased next; binds issuer and limit. On PostgreSQL `FOR UPDATE SKIP
/// LOCKED` follows: what another node is erasing is skipped.
pub const DUE: &str = "SELECT user_id FROM users WHERE issuer_id = $1 AND status = 'TERMINATING' \
    ORDER BY user_id LIMIT $2";

/// Who did it, in the audit trail.
const ACTOR: &str = "gateway";

#[derive(QueryableByName)]
struct Waiting {
    #[diesel(sql_type = Integer)]
    issuer_id: i32,
    #[diesel(sql_type = BigInt)]
    n: i64,
}

#[derive(QueryableByName)]
struct Due {
    #[diesel(sql_type = Text)]
    user_id: String,
}

impl Store {
    /// Erases some of the users whose deletion was accepted, at most 64; returns how many. 0: there
    /// are none that no other node is erasing at this moment.
    pub async fn erase_users(&self, at: i64) -> Result<u64, StoreError> {
        self.change(move |conn| {
            let mut entries = Vec::new();
            for issuer_id in waiting(conn)?.into_iter().map(|row| row.issuer_id) {
                let left = BATCH.saturating_sub(entries.len());
                if left == 0 {
                    break;
                }
                let erased = erase(conn, issuer_id, left, at)?;
                entries.extend(erased.into_iter().map(|user_id| AuditDraft {
                    issuer_id: Some(IssuerId(issuer_id)),
                    subject: Some(user_id),
                    ..AuditDraft::accepted(at, ACTOR, "user.erase")
                }));
            }
            let count = u64::try_from(entries.len()).unwrap_or(u64::MAX);
            Ok((count, entries))
        })
        .await
    }

    /// How many users wait to be erased.
    pub async fn pending_erasures(&self) -> Result<i64, StoreError> {
        self.read(|conn| Ok(waiting(conn)?.into_iter().map(|row| row.n).sum()))
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

fn waiting(conn: &mut AnyConnection) -> QueryResult<Vec<Waiting>> {
    diesel::sql_query(WAITING).load(conn)
}

/// Erases users of an issuer, at most `limit`; returns whom.
fn erase(
    conn: &mut AnyConnection,
    issuer_id: i32,
    limit: usize,
    at: i64,
) -> QueryResult<Vec<String>> {
    let due = due(conn, issuer_id, limit)?;
    let due = with_free_ledgers(conn, issuer_id, due)?;
    if due.is_empty() {
        return Ok(due);
    }
    let months = transaction_months::table
        .filter(transaction_months::issuer_id.eq(issuer_id))
        .filter(transaction_months::user_id.eq_any(&due));
    diesel::delete(months).execute(conn)?;
    let ledgers = transaction_ledgers::table
        .filter(transaction_ledgers::issuer_id.eq(issuer_id))
        .filter(transaction_ledgers::user_id.eq_any(&due));
    diesel::delete(ledgers).execute(conn)?;
    retained::forget(conn, issuer_id, &due)?;
    let cards = cards::table
        .filter(cards::issuer_id.eq(issuer_id))
        .filter(cards::user_id.eq_any(&due));
    diesel::delete(cards).execute(conn)?;
    let jobs = scoring_jobs::table
        .filter(scoring_jobs::issuer_id.eq(issuer_id))
        .filter(scoring_jobs::user_id.eq_any(&due));
    diesel::delete(jobs).execute(conn)?;
    diesel::update(users::table)
        .filter(users::issuer_id.eq(issuer_id))
        .filter(users::user_id.eq_any(&due))
        .set((
            users::status.eq("DELETED"),
            &SealedProfile::default(),
            users::updated_at.eq(at),
        ))
        .execute(conn)?;
    Ok(due)
}

/// Locks the users; the locks go with the transaction, the state with its commit.
fn due(conn: &mut AnyConnection, issuer_id: i32, limit: usize) -> QueryResult<Vec<String>> {
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let due: Vec<Due> = on_backend!(conn, c => {
        sqlite: diesel::sql_query(DUE)
            .bind::<Integer, _>(issuer_id).bind::<BigInt, _>(limit).load(c)?,
        postgres: diesel::sql_query(format!("{DUE} FOR UPDATE SKIP LOCKED"))
            .bind::<Integer, _>(issuer_id).bind::<BigInt, _>(limit).load(c)?,
    });
    Ok(due.into_iter().map(|row| row.user_id).collect())
}

/// Locks the ledgers of these users, and leaves out those whose ledger another transaction has
/// locked: their months may be about to change. It waits for none, because whoever has a ledger may
/// wait for a user that is locked here. A user without a ledger gets none meanwhile: a posting
/// locks that user.
fn with_free_ledgers(
    conn: &mut AnyConnection,
    issuer_id: i32,
    mut user_ids: Vec<String>,
) -> QueryResult<Vec<String>> {
    // SQLite: the transaction has the whole file.
    if let AnyConnection::Postgres(conn) = conn {
        let ledgers = || {
            transaction_ledgers::table
                .filter(transaction_ledgers::issuer_id.eq(issuer_id))
                .filter(transaction_ledgers::user_id.eq_any(&user_ids))
                .select(transaction_ledgers::user_id)
        };
        let locked: Vec<String> = ledgers().for_update().skip_locked().load(conn)?;
        let all: Vec<String> = ledgers().load(conn)?;
        let held: HashSet<String> = all.into_iter().filter(|id| !locked.contains(id)).collect();
        user_ids.retain(|id| !held.contains(id));
    }
    Ok(user_ids)
}
