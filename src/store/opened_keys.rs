//! The message that each wrapped key has opened, and how long the record is kept.
//!
//! The [writer](super::writer) writes the rows, in the commit that uses up a call's nonce. This
//! file has the row's content and the purge. Both ends of a row's life are told by the database's
//! clock, so no node's clock can end it early.

use super::connection::on_backend;
use super::error::StoreError;
use super::pool::Store;
use crate::ids::IssuerId;
use diesel::dsl::sql;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Binary, Bool};
use std::time::Duration;

/// PostgreSQL's clock in microseconds since 1970 UTC.
pub(super) const NOW_POSTGRES: &str = "(extract(epoch FROM clock_timestamp()) * 1000000)::bigint";
/// SQLite's clock in microseconds since 1970 UTC, by the millisecond.
pub(super) const NOW_SQLITE: &str = "CAST((julianday('now') - 2440587.5) * 86400000000 AS INTEGER)";

/// A gateway key that no node has had for so long is gone. Longer than any node is down with an old
/// configuration.
pub const GONE_AFTER: Duration = Duration::from_secs(7 * 24 * 3_600);

/// Rows per transaction, so that a purge never holds up the writers for long.
const CHUNK: i64 = 5_000;

/// The rows of a gateway key are looked for in so many slices of the hashes, one transaction each.
const SLICES: u32 = 4_096;

/// Held by the transaction that purges on PostgreSQL: "opened" in ASCII.
const PURGE_LOCK: i64 = 0x6f70_656e_6564;

/// What a wrapped key is used for: one message of one issuer. Hashes alone, no value of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Opening {
    /// SHA-256 of the gateway key's fingerprint and the RSA ciphertext.
    pub key_hash: [u8; 32],
    /// Who uses it, and for what.
    pub holder: Holder,
    /// Field-level payloads can be altered, so their keys are remembered as long as the gateway key
    /// lives.
    pub field_level: bool,
    /// The first 8 bytes of the gateway key's fingerprint, big-endian.
    pub gateway_key: i64,
}

/// Whose a wrapped key is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Holder {
    /// The issuer whose signature came with it.
    pub issuer_id: IssuerId,
    /// SHA-256 of everything that decides the plaintext, together with the wrapped key.
    pub message_hash: [u8; 32],
}

impl Store {
    /// Notes that this node has these gateway keys, which keeps the rows of what they have opened.
    ///
    /// # Errors
    /// What the database says; nothing is noted then.
    pub async fn note_gateway_keys_held(&self, gateway_keys: Vec<i64>) -> Result<(), StoreError> {
        let upsert = |now: &str, place: &str| {
            format!(
                "INSERT INTO gateway_keys_held (gateway_key, held_at) VALUES ({place}, {now}) \
                 ON CONFLICT (gateway_key) DO UPDATE SET held_at = excluded.held_at"
            )
        };
        self.maintain(move |conn| {
            for key in &gateway_keys {
                on_backend!(conn, c => {
                    sqlite: diesel::sql_query(upsert(NOW_SQLITE, "?"))
                        .bind::<BigInt, _>(key).execute(c)?,
                    postgres: diesel::sql_query(upsert(NOW_POSTGRES, "$1"))
                        .bind::<BigInt, _>(key).execute(c)?,
                });
            }
            Ok(())
        })
        .await
    }

    /// Forgets the wrapped keys of JWEs that were opened more than `keep` ago; returns how many.
    ///
    /// # Errors
    /// What the database says; what was deleted until then stays deleted.
    pub async fn purge_opened_jwe(&self, keep: Duration) -> Result<usize, StoreError> {
        let keep = micros(keep);
        let mut purged = 0;
        loop {
            let chunk = self
                .maintain(move |conn| {
                    // PostgreSQL: nothing to do while another node purges.
                    Ok(on_backend!(conn, c => {
                        sqlite: diesel::sql_query(format!(
                            "DELETE FROM opened_keys WHERE key_hash IN (SELECT key_hash FROM opened_keys \
                             WHERE NOT field_level AND opened_at < {NOW_SQLITE} - ? LIMIT ?)"
                        )).bind::<BigInt, _>(keep).bind::<BigInt, _>(CHUNK).execute(c)?,
                        postgres: match purges_alone(c)? {
                            true => diesel::sql_query(format!(
                                "DELETE FROM opened_keys WHERE key_hash IN (SELECT key_hash FROM opened_keys \
                                 WHERE NOT field_level AND opened_at < {NOW_POSTGRES} - $1 LIMIT $2)"
                            )).bind::<BigInt, _>(keep).bind::<BigInt, _>(CHUNK).execute(c)?,
                            false => 0,
                        },
                    }))
                })
                .await?;
            purged += chunk;
            if chunk == 0 {
                return Ok(purged);
            }
        }
    }

    /// Forgets everything that was opened by gateway keys which no node has had for `gone_after`
    /// ([`GONE_AFTER`]): nobody can open anything with them. Returns how many rows went.
    ///
    /// # Errors
    /// What the database says; the rest is deleted by the next call.
    pub async fn purge_opened_by_gone_keys(
        &self,
        gone_after: Duration,
    ) -> Result<usize, StoreError> {
        let mut purged = 0;
        for key in self.gone_keys(gone_after).await? {
            for slice in 0..SLICES {
                purged += self.purge_slice(key, slice).await?;
            }
            self.maintain(move |conn| {
                on_backend!(conn, c => {
                    sqlite: diesel::sql_query("DELETE FROM gateway_keys_held WHERE gateway_key = ?")
                        .bind::<BigInt, _>(key).execute(c)?,
                    postgres: diesel::sql_query("DELETE FROM gateway_keys_held WHERE gateway_key = $1")
                        .bind::<BigInt, _>(key).execute(c)?,
                });
                Ok(())
            })
            .await?;
        }
        Ok(purged)
    }

    async fn gone_keys(&self, gone_after: Duration) -> Result<Vec<i64>, StoreError> {
        #[derive(QueryableByName)]
        struct Gone {
            #[diesel(sql_type = BigInt)]
            gateway_key: i64,
        }
        let gone_after = micros(gone_after);
        self.read(move |conn| {
            let gone: Vec<Gone> = on_backend!(conn, c => {
                sqlite: diesel::sql_query(format!(
                    "SELECT gateway_key FROM gateway_keys_held WHERE held_at <= {NOW_SQLITE} - ?"
                )).bind::<BigInt, _>(gone_after).load(c)?,
                postgres: diesel::sql_query(format!(
                    "SELECT gateway_key FROM gateway_keys_held WHERE held_at <= {NOW_POSTGRES} - $1"
                )).bind::<BigInt, _>(gone_after).load(c)?,
            });
            Ok(gone.into_iter().map(|gone| gone.gateway_key).collect())
        })
        .await
    }

    /// By the primary key, since rows say little else: no index is kept for what happens once in a
    /// gateway key's life.
    async fn purge_slice(&self, gateway_key: i64, slice: u32) -> Result<usize, StoreError> {
        let (from, to) = bounds(slice);
        self.maintain(move |conn| {
            Ok(on_backend!(conn, c => {
                sqlite: diesel::sql_query(
                    "DELETE FROM opened_keys WHERE key_hash >= ? AND key_hash <= ? AND gateway_key = ?"
                )
                .bind::<Binary, _>(&from).bind::<Binary, _>(&to).bind::<BigInt, _>(gateway_key)
                .execute(c)?,
                postgres: diesel::sql_query(
                    "DELETE FROM opened_keys WHERE key_hash >= $1 AND key_hash <= $2 AND gateway_key = $3"
                )
                .bind::<Binary, _>(&from).bind::<Binary, _>(&to).bind::<BigInt, _>(gateway_key)
                .execute(c)?,
            }))
        })
        .await
    }
}

/// Whether no other node forgets old keys until this transaction ends. The table is distributed by
/// the hash, and a distributed PostgreSQL locks no rows of several shards (`FOR UPDATE SKIP
/// LOCKED`).
fn purges_alone(conn: &mut PgConnection) -> QueryResult<bool> {
    diesel::select(
        sql::<Bool>("pg_try_advisory_xact_lock(")
            .bind::<BigInt, _>(PURGE_LOCK)
            .sql(")"),
    )
    .get_result(conn)
}

/// The least and the greatest hash of a slice: those that begin with these 12 bits.
fn bounds(slice: u32) -> (Vec<u8>, Vec<u8>) {
    let head = (slice << 20).to_be_bytes();
    let last = ((slice << 20) | 0x000f_ffff).to_be_bytes();
    (
        [&head[..], &[0; 28]].concat(),
        [&last[..], &[0xff; 28]].concat(),
    )
}

fn micros(duration: Duration) -> i64 {
    i64::try_from(duration.as_micros()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_slices_hold_every_hash_once() {
        let mut next = vec![0; 32];
        for slice in 0..SLICES {
            let (from, to) = bounds(slice);
            assert_eq!(from, next);
            next = to;
            for byte in next.iter_mut().rev() {
                let (sum, carry) = byte.overflowing_add(1);
                *byte = sum;
                if !carry {
                    break;
                }
            }
        }
        assert_eq!(next, vec![0; 32], "the last one is the greatest of all");
    }
}
