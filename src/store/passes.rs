//! Passes over every row that holds sealed columns or a blind index, in small pieces beside running
//! nodes.
//!
//! A pass reads a table in the order of its primary key, a window of rows at a time and without any
//! lock ([`Store::look`]). It has the due rows rewritten a few at a time, each few in a transaction
//! of its own ([`Store::renew`]). The rows themselves show which are due, so an interrupted pass is
//! simply run again.
//!
//! On PostgreSQL a pass leaves a row that somebody else has locked for its next sweep. So a
//! transaction of a pass never waits for a row while it holds others, and it cannot deadlock,
//! whatever the others' order.

mod statements;

use super::connection::{self, AnyConnection};
use super::error::StoreError;
use super::fence;
use super::pool::Store;
use crate::sealed::SealedTable;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Binary, Bool, Integer, Nullable, Text};
use std::collections::BTreeMap;
use std::fmt;

/// The primary key of a row. `Display` names it for operators.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RowKey {
    /// The table.
    pub table: SealedTable,
    /// The issuer, or the app of the users API.
    pub owner: i32,
    /// The user id, or the klaim id.
    pub id: String,
}

impl RowKey {
    /// Comes before every row of the table.
    pub fn before_all(table: SealedTable) -> Self {
        Self {
            table,
            owner: i32::MIN,
            id: String::new(),
        }
    }
}

impl fmt::Display for RowKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let owner = match self.table {
            SealedTable::Cardholders | SealedTable::Cards => "issuer",
            SealedTable::DirectoryUsers => "app",
        };
        let table = self.table.name();
        write!(f, "{table}: {owner} {}, user {}", self.owner, self.id)
    }
}

/// What a pass is to change of a row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SealedRow {
    /// Where it is.
    pub key: RowKey,
    /// The sealed columns, in the order of [`SealedTable::columns`].
    pub sealed: Vec<Option<Vec<u8>>>,
    /// The blind index.
    pub index: Option<Vec<u8>>,
    /// The version that the blind index was made with.
    pub index_key: Option<i32>,
    /// The lowest data-key version that a sealed column uses.
    pub seal_key: i32,
    /// The last digits of a card as they are stored in clear; `None` of other tables.
    pub last_four: Option<String>,
}

/// Which rows a pass is after.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BelowVersion {
    /// A column is sealed under a version below this one; also where `seal_key` denies it, because
    /// keys are thrown away on the strength of this.
    SealedBelow(i32),
    /// The blind index was made with a version below this one.
    IndexedBelow(i32),
}

/// A row that was looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seen {
    /// Which.
    pub key: RowKey,
    /// Whether the pass is after it.
    pub due: bool,
}

/// How many rows name which versions: `seal_key` and, where there is a blind index, the index's
/// key.
pub type VersionCounts = BTreeMap<(i32, Option<i32>), u64>;

/// What became of the rows that were to be renewed.
#[derive(Debug, PartialEq, Eq)]
pub struct Renewed<E> {
    /// How many were written.
    pub written: u64,
    /// Those that could not be renewed, and why; nothing of them was written.
    pub misfits: Vec<(RowKey, E)>,
}

/// Rows counted in one query.
const COUNTED: i64 = 10_000;

#[derive(QueryableByName)]
struct SeenRow {
    #[diesel(sql_type = Integer)]
    owner: i32,
    #[diesel(sql_type = Text)]
    id: String,
    #[diesel(sql_type = Bool)]
    due: bool,
}

#[derive(QueryableByName)]
struct CountRow {
    #[diesel(sql_type = Integer)]
    seal_key: i32,
    #[diesel(sql_type = Nullable<Integer>)]
    index_key: Option<i32>,
    #[diesel(sql_type = BigInt)]
    n: i64,
    #[diesel(sql_type = Integer)]
    last_owner: i32,
    #[diesel(sql_type = Text)]
    last_id: String,
}

/// A row of any of the tables; columns that a table does not have are NULL.
#[derive(QueryableByName)]
struct AnyRow {
    #[diesel(sql_type = Integer)]
    owner: i32,
    #[diesel(sql_type = Text)]
    id: String,
    #[diesel(sql_type = Nullable<Binary>)]
    c0: Option<Vec<u8>>,
    #[diesel(sql_type = Nullable<Binary>)]
    c1: Option<Vec<u8>>,
    #[diesel(sql_type = Nullable<Binary>)]
    c2: Option<Vec<u8>>,
    #[diesel(sql_type = Nullable<Binary>)]
    c3: Option<Vec<u8>>,
    #[diesel(sql_type = Nullable<Binary>)]
    c4: Option<Vec<u8>>,
    #[diesel(sql_type = Nullable<Binary>)]
    c5: Option<Vec<u8>>,
    #[diesel(sql_type = Nullable<Binary>)]
    blind: Option<Vec<u8>>,
    #[diesel(sql_type = Nullable<Integer>)]
    blind_key: Option<i32>,
    #[diesel(sql_type = Integer)]
    seal_key: i32,
    #[diesel(sql_type = Nullable<Text>)]
    last_four: Option<String>,
}

impl AnyRow {
    fn of(self, table: SealedTable) -> SealedRow {
        let mut sealed = vec![self.c0, self.c1, self.c2, self.c3, self.c4, self.c5];
        sealed.truncate(table.columns().len());
        SealedRow {
            key: RowKey {
                table,
                owner: self.owner,
                id: self.id,
            },
            sealed,
            index: self.blind,
            index_key: self.blind_key,
            seal_key: self.seal_key,
            last_four: self.last_four,
        }
    }
}

impl Store {
    /// The next rows after `after`, at most `limit`, in the order of the primary key. Takes no
    /// lock.
    pub async fn look(
        &self,
        after: &RowKey,
        due: BelowVersion,
        limit: i64,
    ) -> Result<Vec<Seen>, StoreError> {
        let after = after.clone();
        self.read(move |conn| {
            let rows: Vec<SeenRow> =
                diesel::sql_query(statements::look(after.table, due, is_sqlite(conn)))
                    .bind::<Integer, _>(after.owner)
                    .bind::<Text, _>(&after.id)
                    .bind::<BigInt, _>(limit)
                    .load(conn)?;
            let seen = rows.into_iter().map(|row| Seen {
                key: RowKey {
                    table: after.table,
                    owner: row.owner,
                    id: row.id,
                },
                due: row.due,
            });
            Ok(seen.collect())
        })
        .await
    }

    /// Locks the rows from `from` to `to` (both of one table) that are still due, has each renewed,
    /// and writes those for which that went well, all in one transaction. `None`: the data keys are
    /// not those of `generation` any more, and nothing was done.
    pub async fn renew<E, F>(
        &self,
        from: &RowKey,
        to: &RowKey,
        due: BelowVersion,
        generation: i64,
        renew: F,
    ) -> Result<Option<Renewed<E>>, StoreError>
    where
        E: Send + 'static,
        F: Fn(&mut SealedRow) -> Result<(), E> + Send + 'static,
    {
        let (from, to) = (from.clone(), to.clone());
        self.maintain(move |conn| {
            fence::join(conn)?;
            if fence::generation(conn)? != generation {
                return Ok(None);
            }
            let table = from.table;
            let rows: Vec<AnyRow> =
                diesel::sql_query(statements::lock(table, due, is_sqlite(conn)))
                    .bind::<Integer, _>(from.owner)
                    .bind::<Text, _>(&from.id)
                    .bind::<Integer, _>(to.owner)
                    .bind::<Text, _>(&to.id)
                    .load(conn)?;
            let (mut good, mut misfits) = (Vec::with_capacity(rows.len()), Vec::new());
            for row in rows {
                let mut row = row.of(table);
                match renew(&mut row) {
                    Ok(()) => good.push(row),
                    Err(error) => misfits.push((row.key, error)),
                }
            }
            statements::update(conn, table, &good)?;
            let written = u64::try_from(good.len()).unwrap_or(u64::MAX);
            Ok(Some(Renewed { written, misfits }))
        })
        .await
    }

    /// The next rows after `after`, at most `limit`, as they are stored. Takes no lock.
    pub async fn sealed_rows(
        &self,
        after: &RowKey,
        limit: i64,
    ) -> Result<Vec<SealedRow>, StoreError> {
        let after = after.clone();
        self.read(move |conn| {
            let rows: Vec<AnyRow> = diesel::sql_query(statements::page(after.table))
                .bind::<Integer, _>(after.owner)
                .bind::<Text, _>(&after.id)
                .bind::<BigInt, _>(limit)
                .load(conn)?;
            Ok(rows.into_iter().map(|row| row.of(after.table)).collect())
        })
        .await
    }

    /// One row as it is stored, if it is there.
    pub async fn sealed_row(&self, key: &RowKey) -> Result<Option<SealedRow>, StoreError> {
        let key = key.clone();
        self.read(move |conn| {
            let row: Option<AnyRow> = diesel::sql_query(statements::one(key.table))
                .bind::<Integer, _>(key.owner)
                .bind::<Text, _>(&key.id)
                .get_result(conn)
                .optional()?;
            Ok(row.map(|row| row.of(key.table)))
        })
        .await
    }

    /// How many rows of a table name which versions. Read in pieces, so the sum is of no single
    /// moment.
    pub async fn version_counts(&self, table: SealedTable) -> Result<VersionCounts, StoreError> {
        let mut counts = VersionCounts::new();
        let mut after = RowKey::before_all(table);
        loop {
            let from = after.clone();
            let rows: Vec<CountRow> = self
                .read(move |conn| {
                    let rows = diesel::sql_query(statements::count(table))
                        .bind::<Integer, _>(from.owner)
                        .bind::<Text, _>(&from.id)
                        .bind::<BigInt, _>(COUNTED)
                        .load(conn)?;
                    Ok(rows)
                })
                .await?;
            let Some(last) = rows.last() else {
                return Ok(counts);
            };
            after.owner = last.last_owner;
            after.id.clone_from(&last.last_id);
            for row in rows {
                let count = u64::try_from(row.n).unwrap_or(0);
                *counts.entry((row.seal_key, row.index_key)).or_default() += count;
            }
        }
    }
}

fn is_sqlite(conn: &AnyConnection) -> bool {
    connection::on_backend!(conn, _c => { sqlite: true, postgres: false })
}
