//! Reads of the trail: its chains, their ends and their entries; and an act that changes nothing
//! else.

use super::{AuditDraft, AuditEntry};
use crate::store::error::StoreError;
use crate::store::pool::Store;
use crate::store::schema::audit_entries;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Nullable, Text};

impl Store {
    /// Position of the last entry of a chain; 0 if it has none.
    pub async fn audit_end(&self, chain: &str) -> Result<i64, StoreError> {
        let chain = chain.to_owned();
        self.read(move |conn| {
            let end: Option<i64> = audit_entries::table
                .filter(audit_entries::chain.eq(&chain))
                .order(audit_entries::seq.desc())
                .select(audit_entries::seq)
                .first(conn)
                .optional()?;
            Ok(end.unwrap_or(0))
        })
        .await
    }

    /// The chain that comes after `after` (the empty text comes before all), whether it has
    /// entries, a head or both.
    ///
    /// One after the other, so that a long trail needs no list; the database compares, by its own
    /// collation.
    pub async fn next_audit_chain(&self, after: &str) -> Result<Option<String>, StoreError> {
        #[derive(diesel::QueryableByName)]
        struct Row {
            #[diesel(sql_type = Nullable<Text>)]
            chain: Option<String>,
        }
        let after = after.to_owned();
        self.read(move |conn| {
            let row: Row = diesel::sql_query(
                "SELECT min(chain) AS chain FROM \
                 (SELECT min(chain) AS chain FROM audit_entries WHERE chain > $1 \
                 UNION ALL SELECT min(chain) FROM audit_heads WHERE chain > $1) AS chains",
            )
            .bind::<Text, _>(&after)
            .get_result(conn)?;
            Ok(row.chain)
        })
        .await
    }

    /// The hash of one entry, if it is there.
    pub async fn audit_hash(&self, chain: &str, seq: i64) -> Result<Option<Vec<u8>>, StoreError> {
        let chain = chain.to_owned();
        self.read(move |conn| {
            let hash = audit_entries::table
                .find((&chain, seq))
                .select(audit_entries::hash)
                .first(conn)
                .optional()?;
            Ok(hash)
        })
        .await
    }

    /// How many entries heads and anchors of purges speak of: for a progress bar, not for trust.
    pub async fn audit_length(&self) -> Result<i64, StoreError> {
        #[derive(diesel::QueryableByName)]
        struct Row {
            #[diesel(sql_type = BigInt)]
            entries: i64,
        }
        self.read(|conn| {
            let row: Row = diesel::sql_query(
                "SELECT CAST((SELECT coalesce(sum(seq), 0) FROM audit_heads) \
                 - (SELECT coalesce(sum(seq), 0) FROM audit_purges) AS BIGINT) AS entries",
            )
            .get_result(conn)?;
            Ok(row.entries)
        })
        .await
    }

    /// At most `limit` entries of `chain` with a position above `after`, in order.
    pub async fn audit_entries(
        &self,
        chain: &str,
        after: i64,
        limit: i64,
    ) -> Result<Vec<AuditEntry>, StoreError> {
        let chain = chain.to_owned();
        self.read(move |conn| {
            let entries = audit_entries::table
                .filter(audit_entries::chain.eq(&chain))
                .filter(audit_entries::seq.gt(after))
                .order(audit_entries::seq)
                .limit(limit)
                .select(AuditEntry::as_select())
                .load(conn)?;
            Ok(entries)
        })
        .await
    }

    /// Positions and times of the entries of a chain that come after `seq`, in order, at most
    /// `limit`.
    pub async fn audit_times(
        &self,
        chain: &str,
        seq: i64,
        limit: i64,
    ) -> Result<Vec<(i64, i64)>, StoreError> {
        let chain = chain.to_owned();
        self.read(move |conn| {
            let times = audit_entries::table
                .filter(audit_entries::chain.eq(&chain))
                .filter(audit_entries::seq.gt(seq))
                .order(audit_entries::seq)
                .limit(limit)
                .select((audit_entries::seq, audit_entries::at))
                .load(conn)?;
            Ok(times)
        })
        .await
    }

    /// Writes acts that change nothing else, all or none.
    pub async fn record_all(&self, drafts: Vec<AuditDraft>) -> Result<(), StoreError> {
        self.change(move |_| Ok(((), drafts))).await
    }

    /// Writes an act that changes nothing else.
    pub async fn record(&self, draft: AuditDraft) -> Result<(), StoreError> {
        self.operate(draft, |_, _| Ok(())).await
    }
}
