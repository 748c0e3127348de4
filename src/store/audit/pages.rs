//! Pages of the trail that run over many chains, for its readers.
//!
//! The number of statements grows with the entries, not with the chains: a node that is started a
//! thousand times leaves some thousands of chains.

use super::{Anchor, AuditEntry, AuditHead};
use crate::store::connection::{AnyConnection, on_backend};
use crate::store::error::StoreError;
use crate::store::pool::Store;
use crate::store::writer::unnest::{Unnest, UnnestColumn};
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Binary, Nullable, Text};
use diesel::sqlite::Sqlite;
use std::collections::HashMap;

/// Chains by their ids, in the order of the database's own collation.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ChainRange {
    /// Those that come after this one; the empty text comes before all.
    pub after: String,
    /// Up to and with this one; `None`: all that follow.
    pub upto: Option<String>,
}

/// A chain that is listed as vouched for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listing {
    /// The chain.
    pub chain: String,
    /// Up to this entry.
    pub seq: i64,
    /// By this chain.
    pub by_chain: String,
    /// In this entry.
    pub by_seq: i64,
    /// What the entry there says, if it is an anchor.
    pub anchor: Option<Anchor>,
}

/// Hashes of entries by chain and position.
pub type Hashes = HashMap<(String, i64), Vec<u8>>;

/// Entries looked up by one statement.
const LOOKED_UP: usize = 500;

#[derive(QueryableByName)]
struct ListingRow {
    #[diesel(sql_type = Text)]
    chain: String,
    #[diesel(sql_type = BigInt)]
    seq: i64,
    #[diesel(sql_type = Text)]
    by_chain: String,
    #[diesel(sql_type = BigInt)]
    by_seq: i64,
    #[diesel(sql_type = Nullable<Text>)]
    action: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    subject: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    detail: Option<String>,
}

#[derive(QueryableByName)]
struct HashRow {
    #[diesel(sql_type = Text)]
    chain: String,
    #[diesel(sql_type = BigInt)]
    seq: i64,
    #[diesel(sql_type = Binary)]
    hash: Vec<u8>,
}

impl ChainRange {
    /// The upper end as a condition on a column. It binds one parameter in either case; where both
    /// are in one text, SQLite does not stop at the end of the range.
    fn end(&self, column: &str, parameter: &str) -> String {
        match self.upto {
            Some(_) => format!("{column} <= {parameter}"),
            None => format!("{parameter} IS NULL"),
        }
    }
}

impl Store {
    /// The recorded ends of the chains in `range`, in order, at most `limit`.
    pub async fn audit_heads(
        &self,
        range: &ChainRange,
        limit: i64,
    ) -> Result<Vec<AuditHead>, StoreError> {
        let range = range.clone();
        self.read(move |conn| {
            let end = range.end("chain", "$2");
            let heads = diesel::sql_query(format!(
                "SELECT chain, seq, hash FROM audit_heads WHERE chain > $1 AND {end} ORDER BY chain LIMIT $3"
            ))
            .bind::<Text, _>(&range.after)
            .bind::<Nullable<Text>, _>(&range.upto)
            .bind::<BigInt, _>(limit)
            .load(conn)?;
            Ok(heads)
        })
        .await
    }

    /// The entries of the chains in `range` that come after entry `seq` of `chain`, chain after
    /// chain, each in order; at most `limit`. To begin: `range.after` and [`i64::MAX`].
    pub async fn audit_page(
        &self,
        range: &ChainRange,
        (chain, seq): (&str, i64),
        limit: i64,
    ) -> Result<Vec<AuditEntry>, StoreError> {
        let (range, chain) = (range.clone(), chain.to_owned());
        self.read(move |conn| {
            let end = range.end("chain", "$3");
            let entries = diesel::sql_query(format!(
                "SELECT * FROM audit_entries WHERE (chain, seq) > ($1, $2) AND {end} \
                 ORDER BY chain, seq LIMIT $4"
            ))
            .bind::<Text, _>(&chain)
            .bind::<BigInt, _>(seq)
            .bind::<Nullable<Text>, _>(&range.upto)
            .bind::<BigInt, _>(limit)
            .load(conn)?;
            Ok(entries)
        })
        .await
    }

    /// The chains in `range` that are listed as vouched for, and by what.
    pub async fn audit_listings(&self, range: &ChainRange) -> Result<Vec<Listing>, StoreError> {
        let range = range.clone();
        self.read(move |conn| {
            let end = range.end("a.chain", "$2");
            let rows: Vec<ListingRow> = diesel::sql_query(format!(
                "SELECT a.chain, a.seq, a.by_chain, a.by_seq, e.action, e.subject, e.detail \
                 FROM audit_anchors a LEFT JOIN audit_entries e \
                 ON e.chain = a.by_chain AND e.seq = a.by_seq WHERE a.chain > $1 AND {end} ORDER BY a.chain"
            ))
            .bind::<Text, _>(&range.after)
            .bind::<Nullable<Text>, _>(&range.upto)
            .load(conn)?;
            Ok(rows.into_iter().map(Listing::from).collect())
        })
        .await
    }

    /// The hashes of those of these entries that are there.
    pub async fn audit_hashes(&self, wanted: Vec<(String, i64)>) -> Result<Hashes, StoreError> {
        if wanted.is_empty() {
            return Ok(Hashes::new());
        }
        self.read(move |conn| {
            let mut found = Hashes::with_capacity(wanted.len());
            for some in wanted.chunks(LOOKED_UP) {
                let rows = hashes(conn, some)?.into_iter();
                found.extend(rows.map(|(chain, seq, hash)| ((chain, seq), hash)));
            }
            Ok(found)
        })
        .await
    }
}

fn hashes(
    conn: &mut AnyConnection,
    wanted: &[(String, i64)],
) -> QueryResult<Vec<(String, i64, Vec<u8>)>> {
    on_backend!(conn, c => {
        sqlite: {
            let values = vec!["(?, ?)"; wanted.len()].join(", ");
            // CROSS JOIN: SQLite takes what is wanted first, and each entry by its key.
            let mut query = diesel::sql_query(format!(
                "SELECT e.chain, e.seq, e.hash FROM (VALUES {values}) AS w \
                 CROSS JOIN audit_entries e ON e.chain = w.column1 AND e.seq = w.column2"
            ))
            .into_boxed::<Sqlite>();
            for (chain, seq) in wanted {
                query = query.bind::<Text, _>(chain).bind::<BigInt, _>(seq);
            }
            let rows: Vec<HashRow> = query.load(c)?;
            Ok(rows.into_iter().map(|row| (row.chain, row.seq, row.hash)).collect())
        },
        postgres: Unnest::<(Text, BigInt, Binary)>::new(
            "SELECT e.chain, e.seq, e.hash FROM unnest({rows}) AS w (chain, seq) \
             JOIN audit_entries e ON e.chain = w.chain AND e.seq = w.seq",
            vec![
                UnnestColumn::Text(wanted.iter().map(|(chain, _)| chain.as_str()).collect()),
                UnnestColumn::BigInt(wanted.iter().map(|(_, seq)| *seq).collect()),
            ],
        )
        .load(c),
    })
}

impl From<ListingRow> for Listing {
    fn from(row: ListingRow) -> Self {
        let anchor = row.action.and_then(|action| {
            Anchor::parse(&action, row.subject.as_deref(), row.detail.as_deref())
        });
        Self {
            chain: row.chain,
            seq: row.seq,
            by_chain: row.by_chain,
            by_seq: row.by_seq,
            anchor,
        }
    }
}
