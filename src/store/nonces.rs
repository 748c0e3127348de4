//! Housekeeping of `oauth_nonces`. They are written by the [writer](super::writer), together with what they guard.

use super::connection::on_backend;
use super::error::StoreError;
use super::pool::Store;
use diesel::prelude::*;
use diesel::sql_types::BigInt;

/// Rows per transaction, so that a purge never holds up the writers for long.
const CHUNK: i64 = 5_000;

// PostgreSQL: what another node purges already is skipped.
const PURGE_POSTGRES: &str = "DELETE FROM oauth_nonces WHERE (issuer_id, nonce) IN \
    (SELECT issuer_id, nonce FROM oauth_nonces WHERE expires_at < $1 \
     ORDER BY expires_at LIMIT $2 FOR UPDATE SKIP LOCKED)";
const PURGE_SQLITE: &str = "DELETE FROM oauth_nonces WHERE rowid IN \
    (SELECT rowid FROM oauth_nonces WHERE expires_at < ? ORDER BY expires_at LIMIT ?)";

impl Store {
    /// Deletes the nonces that expired before `before`; returns how many.
    pub async fn purge_nonces(&self, before: i64) -> Result<usize, StoreError> {
        let mut purged = 0;
        loop {
            let chunk = self
                .maintain(move |conn| {
                    let rows = on_backend!(conn, c => {
                        sqlite: diesel::sql_query(PURGE_SQLITE)
                            .bind::<BigInt, _>(before).bind::<BigInt, _>(CHUNK).execute(c)?,
                        postgres: diesel::sql_query(PURGE_POSTGRES)
                            .bind::<BigInt, _>(before).bind::<BigInt, _>(CHUNK).execute(c)?,
                    });
                    Ok(rows)
                })
                .await?;
            purged += chunk;
            if chunk == 0 {
                return Ok(purged);
            }
        }
    }
}
