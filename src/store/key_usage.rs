//! The time at which each gateway key last opened a payload. Nodes write it every few seconds;
//! `keys list` reads it.

use super::connection::on_backend;
use super::error::StoreError;
use super::pool::Store;
use super::schema::gateway_key_usage;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Text};

// The later of two nodes' notes stays.
const UPSERT_POSTGRES: &str = "INSERT INTO gateway_key_usage (fingerprint, last_used_at) VALUES ($1, $2) \
    ON CONFLICT (fingerprint) DO UPDATE SET last_used_at = \
    GREATEST(gateway_key_usage.last_used_at, excluded.last_used_at)";
const UPSERT_SQLITE: &str = "INSERT INTO gateway_key_usage (fingerprint, last_used_at) VALUES (?, ?) \
    ON CONFLICT (fingerprint) DO UPDATE SET last_used_at = \
    MAX(gateway_key_usage.last_used_at, excluded.last_used_at)";

impl Store {
    /// Notes the last uses: hex fingerprint and seconds since 1970 UTC.
    pub async fn note_key_usage(&self, uses: Vec<(String, i64)>) -> Result<(), StoreError> {
        self.maintain(move |conn| {
            for (fingerprint, last_used) in &uses {
                on_backend!(conn, c => {
                    sqlite: diesel::sql_query(UPSERT_SQLITE)
                        .bind::<Text, _>(fingerprint).bind::<BigInt, _>(*last_used).execute(c)?,
                    postgres: diesel::sql_query(UPSERT_POSTGRES)
                        .bind::<Text, _>(fingerprint).bind::<BigInt, _>(*last_used).execute(c)?,
                });
            }
            Ok(())
        })
        .await
    }

    /// The last use of every key that was ever used: hex fingerprint and seconds since 1970 UTC.
    pub async fn key_usage(&self) -> Result<Vec<(String, i64)>, StoreError> {
        self.read(|conn| Ok(gateway_key_usage::table.load(conn)?))
            .await
    }
}
