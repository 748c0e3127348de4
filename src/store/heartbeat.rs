//! A row of each node's own, committed while nobody calls. `/health/ready` says whether that works.

use super::connection::{AnyConnection, on_backend};
use super::error::StoreError;
use super::pool::Store;
use diesel::QueryResult;
use diesel::RunQueryDsl;
use diesel::sql_types::Text;

const BEAT_POSTGRES: &str = "INSERT INTO node_heartbeats (node, beat_at) \
    VALUES ($1, (extract(epoch FROM clock_timestamp()) * 1000000)::bigint) \
    ON CONFLICT (node) DO UPDATE SET beat_at = excluded.beat_at";
const BEAT_SQLITE: &str = "INSERT INTO node_heartbeats (node, beat_at) \
    VALUES (?, CAST(unixepoch('subsec') * 1000000 AS INTEGER)) \
    ON CONFLICT (node) DO UPDATE SET beat_at = excluded.beat_at";

// A day.
const FORGET_POSTGRES: &str = "DELETE FROM node_heartbeats \
    WHERE beat_at < (extract(epoch FROM now()) * 1000000)::bigint - 86400000000";
const FORGET_SQLITE: &str = "DELETE FROM node_heartbeats \
    WHERE beat_at < CAST(unixepoch('subsec') * 1000000 AS INTEGER) - 86400000000";

/// Writes the node's row in the running transaction.
pub(super) fn beat(conn: &mut AnyConnection, node: &str) -> QueryResult<usize> {
    on_backend!(conn, c => {
        sqlite: diesel::sql_query(BEAT_SQLITE).bind::<Text, _>(node).execute(c),
        postgres: diesel::sql_query(BEAT_POSTGRES).bind::<Text, _>(node).execute(c),
    })
}

impl Store {
    /// Removes the rows of nodes that have written none for a day.
    pub async fn forget_nodes(&self) -> Result<usize, StoreError> {
        self.maintain(|conn| {
            let rows = on_backend!(conn, c => {
                sqlite: diesel::sql_query(FORGET_SQLITE).execute(c)?,
                postgres: diesel::sql_query(FORGET_POSTGRES).execute(c)?,
            });
            Ok(rows)
        })
        .await
    }
}
