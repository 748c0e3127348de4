//! The texts of the passes' statements, the same for all sealed tables, and the update. Each names
//! one owner.
//!
//! Names come from [`SealedTable`], versions and the third key column are numbers, so nothing in a
//! text comes from outside.

use super::{BelowVersion, RowKey, SealedRow};
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
        BelowVersion::IndexedBelow(version) => match table.index() {
            Some(index) => format!("coalesce({} < {version}, FALSE)", index.version),
            None => "FALSE".to_owned(),
        },
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

/// What tells apart the rows of an owner, and their order: the id, or id and third column.
fn place(table: SealedTable) -> String {
    let key = table.key();
    match key.part {
        None => key.id.to_owned(),
        Some(part) => format!("{}, {part}", key.id),
    }
}

/// The same of one row: the parameter that its id is bound to, and its third column.
fn place_of(row: &RowKey, id: &str) -> String {
    match row.table.key().part {
        None => id.to_owned(),
        Some(_) => format!("{id}, {}", row.part),
    }
}

/// The key columns of a row within its owner, as the passes read them.
fn key(table: SealedTable) -> String {
    let key = table.key();
    format!("{} AS id, {} AS part", key.id, key.part.unwrap_or("0"))
}

/// The rows of an owner after `after`. Binds owner, id.
fn following(after: &RowKey) -> String {
    let (owner, place) = (after.table.key().owner, place(after.table));
    format!("{owner} = $1 AND ({place}) > ({})", place_of(after, "$2"))
}

/// Binds owner, id, limit.
pub(super) fn look(after: &RowKey, due: BelowVersion, sqlite: bool) -> String {
    let table = after.table;
    let (name, key, place) = (table.name(), key(table), place(table));
    let (due, following) = (condition(table, due, sqlite), following(after));
    format!("SELECT {key}, {due} AS due FROM {name} WHERE {following} ORDER BY {place} LIMIT $3")
}

/// Binds the owner, the id of the first row, that of the last.
pub(super) fn lock(from: &RowKey, to: &RowKey, due: BelowVersion, sqlite: bool) -> String {
    let table = from.table;
    let (rows, owner, place) = (select(table), table.key().owner, place(table));
    let (first, last) = (place_of(from, "$2"), place_of(to, "$3"));
    let due = condition(table, due, sqlite);
    // SQLite: the transaction has the whole file.
    let lock = if sqlite { "" } else { "FOR UPDATE SKIP LOCKED" };
    format!(
        "{rows} WHERE {owner} = $1 AND ({place}) >= ({first}) AND ({place}) <= ({last}) AND {due} \
         ORDER BY {place} {lock}"
    )
}

/// Binds owner, id, limit.
pub(super) fn page(after: &RowKey) -> String {
    let (rows, place) = (select(after.table), place(after.table));
    let following = following(after);
    format!("{rows} WHERE {following} ORDER BY {place} LIMIT $3")
}

/// Binds owner, id.
pub(super) fn one(row: &RowKey) -> String {
    let (rows, owner) = (select(row.table), row.table.key().owner);
    let (place, this) = (place(row.table), place_of(row, "$2"));
    format!("{rows} WHERE {owner} = $1 AND ({place}) = ({this})")
}

/// Binds owner, id, limit.
pub(super) fn count(after: &RowKey) -> String {
    let table = after.table;
    let (name, key, place) = (table.name(), key(table), place(table));
    let following = following(after);
    let index_key = table
        .index()
        .map_or("CAST(NULL AS INTEGER)", |index| index.version);
    format!(
        "WITH page AS (SELECT {key}, seal_key, {index_key} AS index_key FROM {name} \
             WHERE {following} ORDER BY {place} LIMIT $3), \
         last AS (SELECT id, part FROM page ORDER BY id DESC, part DESC LIMIT 1) \
         SELECT seal_key, index_key, count(*) AS n, max(last.id) AS last_id, \
         max(last.part) AS last_part FROM page, last GROUP BY seal_key, index_key"
    )
}

fn select(table: SealedTable) -> String {
    let key = key(table);
    let (index, index_key) = table
        .index()
        .map_or(("CAST(NULL AS BYTEA)", "CAST(NULL AS INTEGER)"), |index| {
            (index.bytes, index.version)
        });
    let mut columns = names(table);
    let sealed: String = (0..COLUMNS)
        .map(|number| {
            let column = columns.next().unwrap_or("CAST(NULL AS BYTEA)");
            format!("{column} AS c{number}, ")
        })
        .collect();
    let last_four = match table {
        SealedTable::Cards => "last_four",
        SealedTable::Cardholders
        | SealedTable::DirectoryUsers
        | SealedTable::TransactionLedgers
        | SealedTable::RetainedTransactions
        | SealedTable::TransactionMonths => "CAST(NULL AS TEXT)",
    };
    format!(
        "SELECT {key}, {sealed}{index} AS blind, {index_key} AS blind_key, seal_key, \
         {last_four} AS last_four FROM {}",
        table.name()
    )
}

/// Writes rows of an owner that the transaction has locked.
pub(super) fn update(
    conn: &mut AnyConnection,
    table: SealedTable,
    owner: i32,
    rows: &[SealedRow],
) -> QueryResult<()> {
    if rows.is_empty() {
        return Ok(());
    }
    on_backend!(conn, c => {
        sqlite: update_sqlite(c, table, rows),
        postgres: update_postgres(c, table, owner, rows),
    })
}

fn update_sqlite(
    conn: &mut SqliteConnection,
    table: SealedTable,
    rows: &[SealedRow],
) -> QueryResult<()> {
    let mut columns: Vec<_> = names(table).collect();
    if let Some(index) = table.index() {
        columns.extend([index.bytes, index.version]);
    }
    let set: String = columns.iter().map(|c| format!("{c} = ?, ")).collect();
    let key = table.key();
    let part = key.part.map(|part| format!(" AND {part} = ?"));
    let text = format!(
        "UPDATE {} SET {set}seal_key = ? WHERE {} = ? AND {} = ?{}",
        table.name(),
        key.owner,
        key.id,
        part.as_deref().unwrap_or_default()
    );
    for row in rows {
        let mut query = diesel::sql_query(&text).into_boxed::<Sqlite>();
        for value in &row.sealed {
            query = query.bind::<Nullable<Binary>, _>(value);
        }
        if table.index().is_some() {
            query = query
                .bind::<Nullable<Binary>, _>(&row.index)
                .bind::<Nullable<Integer>, _>(row.index_key);
        }
        query = query
            .bind::<Integer, _>(row.seal_key)
            .bind::<Integer, _>(row.key.owner)
            .bind::<Text, _>(&row.key.id);
        if part.is_some() {
            query = query.bind::<Integer, _>(row.key.part);
        }
        query.execute(conn)?;
    }
    Ok(())
}

fn update_postgres(
    conn: &mut PgConnection,
    table: SealedTable,
    owner: i32,
    rows: &[SealedRow],
) -> QueryResult<()> {
    let name = table.name();
    let key = table.key();
    let mut columns: Vec<_> = names(table).collect();
    let sealed = (0..columns.len()).map(|number| {
        let values = rows.iter().map(|row| row.sealed.get(number));
        UnnestColumn::MaybeBytes(values.map(|value| value?.as_deref()).collect())
    });
    let mut given: Vec<UnnestColumn<'_>> = sealed.collect();
    if let Some(index) = table.index() {
        columns.extend([index.bytes, index.version]);
        given.extend([
            UnnestColumn::MaybeBytes(rows.iter().map(|row| row.index.as_deref()).collect()),
            UnnestColumn::MaybeInteger(rows.iter().map(|row| row.index_key).collect()),
        ]);
    }
    columns.push("seal_key");
    let set = columns
        .iter()
        .map(|column| format!("{column} = given.{column}"));
    let set = set.collect::<Vec<_>>().join(", ");
    let mut same = format!("{name}.{} = given.{}", key.id, key.id);
    columns.push(key.id);
    given.extend([
        UnnestColumn::Integer(rows.iter().map(|row| row.seal_key).collect()),
        UnnestColumn::Text(rows.iter().map(|row| row.key.id.as_str()).collect()),
    ]);
    if let Some(part) = key.part {
        same = format!("{same} AND {name}.{part} = given.{part}");
        columns.push(part);
        given.push(UnnestColumn::Integer(
            rows.iter().map(|row| row.key.part).collect(),
        ));
    }
    let text = format!(
        "UPDATE {name} SET {set} FROM unnest({{rows}}) AS given ({}) \
         WHERE {name}.{} = {{owner}} AND {same}",
        columns.join(", "),
        key.owner
    );
    Unnest::<()>::of(owner, text, given).execute(conn)?;
    Ok(())
}
