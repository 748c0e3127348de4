//! One card, one cardholder: the insert that decides it, also while cards move from one index key
//! to the other.
//!
//! No duplicate slips in meanwhile. Nobody inserts under the former key any more (the
//! [fence](crate::store::fence)), and a card moves by one update of its row. So a card that exists
//! is either still under the former key, where the insert finds it, or under the new one, where the
//! unique key stops the insert.

use super::NewCardholder;
use super::unnest::{Unnest, UnnestColumn};
use crate::store::connection::{AnyConnection, on_backend};
use crate::store::schema::cards;
use diesel::dsl::{exists, select};
use diesel::prelude::*;
use diesel::sql_types::{Binary, Integer};

macro_rules! columns {
    () => {
        "issuer_id, user_id, last_four, pan_index, pan_index_key, card, seal_key, created_at"
    };
}

const INSERT: &str = concat!(
    "INSERT INTO cards (",
    columns!(),
    ") SELECT ",
    columns!(),
    " FROM unnest("
);
const NEW: &str = concat!(
    ") AS given (",
    columns!(),
    ") ON CONFLICT DO NOTHING RETURNING issuer_id, pan_index_key, pan_index"
);
const NEW_UNHELD: &str = concat!(
    ") AS given (",
    columns!(),
    ", former_key, former_index) \
    WHERE NOT EXISTS (SELECT 1 FROM cards AS held WHERE held.issuer_id = given.issuer_id \
        AND held.pan_index_key = given.former_key AND held.pan_index = given.former_index) \
    ON CONFLICT DO NOTHING RETURNING issuer_id, pan_index_key, pan_index"
);

/// Inserts cards; returns issuer, index key and PAN index of those that were new.
pub(super) fn insert(
    conn: &mut AnyConnection,
    new: &[&NewCardholder],
) -> QueryResult<Vec<(i32, i32, Vec<u8>)>> {
    on_backend!(conn, c => {
        sqlite: insert_sqlite(c, new),
        postgres: insert_postgres(c, new),
    })
}

fn insert_sqlite(
    conn: &mut SqliteConnection,
    new: &[&NewCardholder],
) -> QueryResult<Vec<(i32, i32, Vec<u8>)>> {
    let mut won = Vec::with_capacity(new.len());
    for u in new {
        if let Some(former) = &u.card.former_pan_index {
            let held = cards::table
                .filter(cards::issuer_id.eq(u.issuer_id.0))
                .filter(cards::pan_index_key.eq(former.key))
                .filter(cards::pan_index.eq(&former.index));
            if select(exists(held)).get_result(conn)? {
                continue;
            }
        }
        let inserted = diesel::insert_into(cards::table)
            .values((
                cards::issuer_id.eq(u.issuer_id.0),
                cards::user_id.eq(u.user_id.as_str()),
                cards::last_four.eq(&u.card.last_four),
                cards::pan_index.eq(&u.card.pan_index),
                cards::pan_index_key.eq(u.card.pan_index_key),
                cards::card.eq(&u.card.card),
                cards::seal_key.eq(u.seal_key),
                cards::created_at.eq(u.created_at),
            ))
            .on_conflict_do_nothing()
            .execute(conn)?;
        if inserted == 1 {
            let index = u.card.pan_index.clone();
            won.push((u.issuer_id.0, u.card.pan_index_key, index));
        }
    }
    Ok(won)
}

fn insert_postgres(
    conn: &mut PgConnection,
    new: &[&NewCardholder],
) -> QueryResult<Vec<(i32, i32, Vec<u8>)>> {
    let mut columns = vec![
        UnnestColumn::Integer(new.iter().map(|u| u.issuer_id.0).collect()),
        UnnestColumn::Text(new.iter().map(|u| u.user_id.as_str()).collect()),
        UnnestColumn::Text(new.iter().map(|u| u.card.last_four.as_str()).collect()),
        UnnestColumn::Bytes(new.iter().map(|u| u.card.pan_index.as_slice()).collect()),
        UnnestColumn::Integer(new.iter().map(|u| u.card.pan_index_key).collect()),
        UnnestColumn::Bytes(new.iter().map(|u| u.card.card.as_slice()).collect()),
        UnnestColumn::Integer(new.iter().map(|u| u.seal_key).collect()),
        UnnestColumn::BigInt(new.iter().map(|u| u.created_at).collect()),
    ];
    let former = || new.iter().map(|u| u.card.former_pan_index.as_ref());
    // Most of the time there is no former key, and nothing to look up.
    let tail = if former().any(|former| former.is_some()) {
        let keys = former().map(|former| Some(former?.key));
        let indexes = former().map(|former| Some(former?.index.as_slice()));
        columns.push(UnnestColumn::MaybeInteger(keys.collect()));
        columns.push(UnnestColumn::MaybeBytes(indexes.collect()));
        NEW_UNHELD
    } else {
        NEW
    };
    Unnest::<(Integer, Integer, Binary)>::new(INSERT, columns, tail).load(conn)
}
