//! Passes over every row that holds sealed columns or a blind index, in small pieces beside running
//! nodes.
//!
//! A pass reads a table owner by owner, in the order of its primary key, a window of rows at a time
//! and without any lock ([`Store::look`]). It has the due rows rewritten a few at a time, each few
//! in a transaction of its own ([`Store::renew`]). The rows themselves show which are due, so an
//! interrupted pass is simply run again. Each statement is one owner's.
//!
//! On PostgreSQL a pass leaves a row that somebody else has locked for its next sweep. So a
//! transaction of a pass never waits for a row while it holds others, and it cannot deadlock,
//! whatever the others' order.

mod statements;

use super::connection::{self, AnyConnection};
use super::error::StoreError;
use super::fence;
use super::owners;
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
    /// The third column of the key; 0 where the table has none.
    pub part: i32,
}

impl RowKey {
    /// Comes before every row of the table.
    pub fn before_all(table: SealedTable) -> Self {
        Self::before_all_of(table, i32::MIN)
    }

    /// Comes before every row of the owner.
    fn before_all_of(table: SealedTable, owner: i32) -> Self {
        Self {
            table,
            owner,
            id: String::new(),
            part: i32::MIN,
        }
    }
}

impl fmt::Display for RowKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let owner = match self.table {
            SealedTable::DirectoryUsers => "app",
            SealedTable::Cardholders
            | SealedTable::Cards
            | SealedTable::TransactionLedgers
            | SealedTable::RetainedTransactions
            | SealedTable::TransactionMonths => "issuer",
        };
        let table = self.table.name();
        write!(f, "{table}: {owner} {}, user {}", self.owner, self.id)?;
        match self.table.key().part {
            Some(part) => write!(f, ", {part} {}", self.part),
            None => Ok(()),
        }
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

impl BelowVersion {
    /// Whether rows of the table can be due at all.
    pub fn concerns(self, table: SealedTable) -> bool {
        match self {
            Self::SealedBelow(_) => true,
            Self::IndexedBelow(_) => table.index().is_some(),
        }
    }
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
    #[diesel(sql_type = Text)]
    id: String,
    #[diesel(sql_type = Integer)]
    part: i32,
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
    #[diesel(sql_type = Text)]
    last_id: String,
    #[diesel(sql_type = Integer)]
    last_part: i32,
}

/// A row of any of the tables; columns that a table does not have are NULL.
#[derive(QueryableByName)]
struct AnyRow {
    #[diesel(sql_type = Text)]
    id: String,
    #[diesel(sql_type = Integer)]
    part: i32,
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
    fn of(self, table: SealedTable, owner: i32) -> SealedRow {
        let mut sealed = vec![self.c0, self.c1, self.c2, self.c3, self.c4, self.c5];
        sealed.truncate(table.columns().len());
        SealedRow {
            key: RowKey {
                table,
                owner,
                id: self.id,
                part: self.part,
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
    /// The next rows after `after`, all of one owner, at most `limit`, in the order of the primary
    /// key; none after the last one of the table. Takes no lock.
    pub async fn look(
        &self,
        after: &RowKey,
        due: BelowVersion,
        limit: i64,
    ) -> Result<Vec<Seen>, StoreError> {
        let after = after.clone();
        self.read(move |conn| {
            let (owner, rows) = next_rows(conn, &after, |conn, after| {
                diesel::sql_query(statements::look(after, due, is_sqlite(conn)))
                    .bind::<Integer, _>(after.owner)
                    .bind::<Text, _>(&after.id)
                    .bind::<BigInt, _>(limit)
                    .load::<SeenRow>(conn)
            })?;
            let seen = rows.into_iter().map(|row| Seen {
                key: RowKey {
                    table: after.table,
                    owner,
                    id: row.id,
                    part: row.part,
                },
                due: row.due,
            });
            Ok(seen.collect())
        })
        .await
    }

    /// Locks the rows from `from` to `to` (both of one table and owner) that are still due, has
    /// each renewed, and writes those for which that went well, all in one transaction. `None`: the
    /// data keys are not those of `generation` any more, and nothing was done.
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
            let (table, owner) = (from.table, from.owner);
            let rows: Vec<AnyRow> =
                diesel::sql_query(statements::lock(&from, &to, due, is_sqlite(conn)))
                    .bind::<Integer, _>(owner)
                    .bind::<Text, _>(&from.id)
                    .bind::<Text, _>(&to.id)
                    .load(conn)?;
            let (mut good, mut misfits) = (Vec::with_capacity(rows.len()), Vec::new());
            for row in rows {
                let mut row = row.of(table, owner);
                match renew(&mut row) {
                    Ok(()) => good.push(row),
                    Err(error) => misfits.push((row.key, error)),
                }
            }
            statements::update(conn, table, owner, &good)?;
            let written = u64::try_from(good.len()).unwrap_or(u64::MAX);
            Ok(Some(Renewed { written, misfits }))
        })
        .await
    }

    /// The next rows after `after`, all of one owner, at most `limit`, as they are stored; none
    /// after the last one of the table. Takes no lock.
    pub async fn sealed_rows(
        &self,
        after: &RowKey,
        limit: i64,
    ) -> Result<Vec<SealedRow>, StoreError> {
        let after = after.clone();
        self.read(move |conn| {
            let (owner, rows) = next_rows(conn, &after, |conn, after| {
                diesel::sql_query(statements::page(after))
                    .bind::<Integer, _>(after.owner)
                    .bind::<Text, _>(&after.id)
                    .bind::<BigInt, _>(limit)
                    .load::<AnyRow>(conn)
            })?;
            let rows = rows.into_iter().map(|row| row.of(after.table, owner));
            Ok(rows.collect())
        })
        .await
    }

    /// One row as it is stored, if it is there.
    pub async fn sealed_row(&self, key: &RowKey) -> Result<Option<SealedRow>, StoreError> {
        let key = key.clone();
        self.read(move |conn| {
            let row: Option<AnyRow> = diesel::sql_query(statements::one(&key))
                .bind::<Integer, _>(key.owner)
                .bind::<Text, _>(&key.id)
                .get_result(conn)
                .optional()?;
            Ok(row.map(|row| row.of(key.table, key.owner)))
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
            let (owner, rows) = self
                .read(move |conn| {
                    let found = next_rows(conn, &from, |conn, from| {
                        diesel::sql_query(statements::count(from))
                            .bind::<Integer, _>(from.owner)
                            .bind::<Text, _>(&from.id)
                            .bind::<BigInt, _>(COUNTED)
                            .load::<CountRow>(conn)
                    });
                    Ok(found?)
                })
                .await?;
            let Some(last) = rows.last() else {
                return Ok(counts);
            };
            after = RowKey {
                table,
                owner,
                id: last.last_id.clone(),
                part: last.last_part,
            };
            for row in rows {
                let count = u64::try_from(row.n).unwrap_or(0);
                *counts.entry((row.seal_key, row.index_key)).or_default() += count;
            }
        }
    }
}

/// What `page` finds after a row: of its owner, or of the first owner after it that has any; and
/// whose it is.
fn next_rows<T>(
    conn: &mut AnyConnection,
    after: &RowKey,
    page: impl Fn(&mut AnyConnection, &RowKey) -> QueryResult<Vec<T>>,
) -> QueryResult<(i32, Vec<T>)> {
    let (table, mut after) = (after.table, after.clone());
    loop {
        let rows = page(conn, &after)?;
        if !rows.is_empty() {
            return Ok((after.owner, rows));
        }
        match owners::next(conn, table.name(), table.key().owner, after.owner)? {
            Some(owner) => after = RowKey::before_all_of(table, owner),
            None => return Ok((after.owner, rows)),
        }
    }
}

fn is_sqlite(conn: &AnyConnection) -> bool {
    connection::on_backend!(conn, _c => { sqlite: true, postgres: false })
}
