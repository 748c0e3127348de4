//! The texts of the passes' statements, the same for three tables, and the update.
//!
//! Names come from [`SealedTable`] and versions are numbers, so nothing in a text comes from
//! outside.

use super::{BelowVersion, SealedRow};
use crate::sealed::{SealedTable, VERSION_LENGTH, version_bytes};
use crate::store::connection::{AnyConnection, on_backend};
use crate::store::writer::unnest::{Unnest, UnnestColumn};
use diesel::prelude::*;
use diesel::sql_types::{Binary, Integer, Nullable, Text};
use diesel::sqlite::Sqlite;

/// The most sealed columns that a table has.
const COLUMNS: usize = 6;

/// The sealed columns' names.
fn names(table: SealedTable) -> impl Iterator<Item = &'static str> {
    table.columns().iter().map(|column| column.name())
}

/// Whether a row is due.
fn condition(table: SealedTable, due: BelowVersion, sqlite: bool) -> String {
    match due {
        BelowVersion::IndexedBelow(version) => {
            format!("coalesce({} < {version}, FALSE)", table.index().1)
        }
        BelowVersion::SealedBelow(version) => {
            let bytes = hex::encode(version_bytes(version));
            let bytes = if sqlite {
                format!("x'{bytes}'")
            } else {
                format!("'\\x{bytes}'::bytea")
            };
            let begins = |column| format!("substr({column}, 1, {VERSION_LENGTH})");
            let older: String = names(table)
                .map(|column| format!(" OR coalesce({} < {bytes}, FALSE)", begins(column)))
                .collect();
            format!("(seal_key < {version}{older})")
        }
    }
}

/// Binds owner, id, limit.
pub(super) fn look(table: SealedTable, due: BelowVersion, sqlite: bool) -> String {
    let (owner, id) = table.key();
    let (name, due) = (table.name(), condition(table, due, sqlite));
    format!(
        "SELECT {owner} AS owner, {id} AS id, {due} AS due FROM {name} \
         WHERE ({owner}, {id}) > ($1, $2) ORDER BY {owner}, {id} LIMIT $3"
    )
}

/// Binds owner and id of the first row, owner and id of the last.
pub(super) fn lock(table: SealedTable, due: BelowVersion, sqlite: bool) -> String {
    let (owner, id) = table.key();
    let (rows, due) = (select(table), condition(table, due, sqlite));
    // SQLite: the transaction has the whole file.
    let lock = if sqlite { "" } else { "FOR UPDATE SKIP LOCKED" };
    format!(
        "{rows} WHERE ({owner}, {id}) >= ($1, $2) AND ({owner}, {id}) <= ($3, $4) AND {due} \
         ORDER BY {owner}, {id} {lock}"
    )
}

/// Binds owner, id, limit.
pub(super) fn page(table: SealedTable) -> String {
    let (owner, id) = table.key();
    let rows = select(table);
    format!("{rows} WHERE ({owner}, {id}) > ($1, $2) ORDER BY {owner}, {id} LIMIT $3")
}

/// Binds owner, id.
pub(super) fn one(table: SealedTable) -> String {
    let (owner, id) = table.key();
    let rows = select(table);
    format!("{rows} WHERE {owner} = $1 AND {id} = $2")
}

/// Binds owner, id, limit.
pub(super) fn count(table: SealedTable) -> String {
    let (owner, id) = table.key();
    let (name, index_key) = (table.name(), table.index().1);
    format!(
        "WITH page AS (SELECT {owner} AS owner, {id} AS id, seal_key, {index_key} AS index_key FROM {name} \
             WHERE ({owner}, {id}) > ($1, $2) ORDER BY {owner}, {id} LIMIT $3), \
         last AS (SELECT owner, id FROM page ORDER BY owner DESC, id DESC LIMIT 1) \
         SELECT seal_key, index_key, count(*) AS n, max(last.owner) AS last_owner, max(last.id) AS last_id \
         FROM page, last GROUP BY seal_key, index_key"
    )
}

fn select(table: SealedTable) -> String {
    let (owner, id) = table.key();
    let (index, index_key) = table.index();
    let mut columns = names(table);
    let sealed: String = (0..COLUMNS)
        .map(|number| {
            let column = columns.next().unwrap_or("CAST(NULL AS BYTEA)");
            format!("{column} AS c{number}, ")
        })
        .collect();
    let last_four = match table {
        SealedTable::Cards => "last_four",
        SealedTable::Cardholders | SealedTable::DirectoryUsers => "CAST(NULL AS TEXT)",
    };
    format!(
        "SELECT {owner} AS owner, {id} AS id, {sealed}{index} AS blind, {index_key} AS blind_key, seal_key, \
         {last_four} AS last_four FROM {}",
        table.name()
    )
}

/// Writes rows that the transaction has locked.
pub(super) fn update(
    conn: &mut AnyConnection,
    table: SealedTable,
    rows: &[SealedRow],
) -> QueryResult<()> {
    if rows.is_empty() {
        return Ok(());
    }
    on_backend!(conn, c => {
        sqlite: update_sqlite(c, table, rows),
        postgres: update_postgres(c, table, rows),
    })
}

fn update_sqlite(
    conn: &mut SqliteConnection,
    table: SealedTable,
    rows: &[SealedRow],
) -> QueryResult<()> {
    let (owner, id) = table.key();
    let (index, index_key) = table.index();
    let columns: String = names(table).map(|c| format!("{c} = ?, ")).collect();
    let text = format!(
        "UPDATE {} SET {columns}{index} = ?, {index_key} = ?, seal_key = ? WHERE {owner} = ? AND {id} = ?",
        table.name()
    );
    for row in rows {
        let mut query = diesel::sql_query(&text).into_boxed::<Sqlite>();
        for value in &row.sealed {
            query = query.bind::<Nullable<Binary>, _>(value);
        }
        query
            .bind::<Nullable<Binary>, _>(&row.index)
            .bind::<Nullable<Integer>, _>(row.index_key)
            .bind::<Integer, _>(row.seal_key)
            .bind::<Integer, _>(row.key.owner)
            .bind::<Text, _>(&row.key.id)
            .execute(conn)?;
    }
    Ok(())
}

fn update_postgres(
    conn: &mut PgConnection,
    table: SealedTable,
    rows: &[SealedRow],
) -> QueryResult<()> {
    let name = table.name();
    let (owner, id) = table.key();
    let (index, index_key) = table.index();
    let columns: Vec<_> = names(table).collect();
    let set: String = columns
        .iter()
        .map(|column| format!("{column} = given.{column}, "))
        .collect();
    let head = format!(
        "UPDATE {name} SET {set}{index} = given.{index}, {index_key} = given.{index_key}, \
         seal_key = given.seal_key FROM unnest("
    );
    let tail = format!(
        ") AS given ({}, {index}, {index_key}, seal_key, {owner}, {id}) \
         WHERE {name}.{owner} = given.{owner} AND {name}.{id} = given.{id}",
        columns.join(", ")
    );
    let sealed = (0..columns.len()).map(|number| {
        let values = rows.iter().map(|row| row.sealed.get(number));
        UnnestColumn::MaybeBytes(values.map(|value| value?.as_deref()).collect())
    });
    let mut given: Vec<UnnestColumn<'_>> = sealed.collect();
    given.extend([
        UnnestColumn::MaybeBytes(rows.iter().map(|row| row.index.as_deref()).collect()),
        UnnestColumn::MaybeInteger(rows.iter().map(|row| row.index_key).collect()),
        UnnestColumn::Integer(rows.iter().map(|row| row.seal_key).collect()),
        UnnestColumn::Integer(rows.iter().map(|row| row.key.owner).collect()),
        UnnestColumn::Text(rows.iter().map(|row| row.key.id.as_str()).collect()),
    ]);
    Unnest::<()>::new(head, given, tail).execute(conn)?;
    Ok(())
}
