//! One card, one cardholder: the insert that decides it, also while cards move from one index key
//! to the other.
//!
//! No duplicate slips in meanwhile. Nobody inserts under the former key any more (the
//! [fence](crate::store::fence)), and a card moves by one update of its row. So when the writer
//! looks under the former key, a card that exists is either there, where it is found, or under the
//! new one already, where the unique key stops the insert that follows.

use super::NewCardholder;
use super::unnest::{Unnest, UnnestColumn, by_issuer};
use crate::store::connection::{AnyConnection, on_backend};
use crate::store::schema::cards;
use diesel::dsl::{exists, select};
use diesel::prelude::*;
use diesel::sql_types::{Binary, Integer};
use std::collections::HashSet;

const INSERT: &str = "INSERT INTO cards (issuer_id, user_id, last_four, pan_index, pan_index_key, \
    card, seal_key, created_at) SELECT {owner}, given.* FROM unnest({rows}) AS given \
    ON CONFLICT DO NOTHING RETURNING pan_index_key, pan_index";

const HELD: &str = "SELECT cards.pan_index_key, cards.pan_index FROM cards \
    JOIN unnest({rows}) AS given (pan_index_key, pan_index) USING (pan_index_key, pan_index) \
    WHERE cards.issuer_id = {owner}";

/// Index-key version and PAN index.
type CardIndex = (i32, Vec<u8>);

/// Inserts cards, sorted by issuer; returns issuer, index key and PAN index of those that were new.
pub(super) fn insert(
    conn: &mut AnyConnection,
    new: &[&NewCardholder],
) -> QueryResult<Vec<(i32, i32, Vec<u8>)>> {
    on_backend!(conn, c => {
        sqlite: insert_sqlite(c, new),
        postgres: {
            let mut won = Vec::with_capacity(new.len());
            for (issuer_id, new) in by_issuer(new, |u| u.issuer_id.0) {
                let own = insert_postgres(c, issuer_id, new)?;
                won.extend(own.into_iter().map(|(key, index)| (issuer_id, key, index)));
            }
            Ok(won)
        },
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
    issuer_id: i32,
    new: &[&NewCardholder],
) -> QueryResult<Vec<CardIndex>> {
    let held = held_under_former_key(conn, issuer_id, new)?;
    let is_held = |user: &NewCardholder| {
        let former = user.card.former_pan_index.as_ref();
        former.is_some_and(|former| held.contains(&(former.key, former.index.clone())))
    };
    let unheld = new.iter().copied().filter(|user| !is_held(user));
    let new: Vec<&NewCardholder> = unheld.collect();
    let columns = vec![
        UnnestColumn::Text(new.iter().map(|u| u.user_id.as_str()).collect()),
        UnnestColumn::Text(new.iter().map(|u| u.card.last_four.as_str()).collect()),
        UnnestColumn::Bytes(new.iter().map(|u| u.card.pan_index.as_slice()).collect()),
        UnnestColumn::Integer(new.iter().map(|u| u.card.pan_index_key).collect()),
        UnnestColumn::Bytes(new.iter().map(|u| u.card.card.as_slice()).collect()),
        UnnestColumn::Integer(new.iter().map(|u| u.seal_key).collect()),
        UnnestColumn::BigInt(new.iter().map(|u| u.created_at).collect()),
    ];
    Unnest::<(Integer, Binary)>::of(issuer_id, INSERT, columns).load(conn)
}

/// Those of the cards that exist under the former index key. Most of the time there is none, and
/// nothing to look up.
fn held_under_former_key(
    conn: &mut PgConnection,
    issuer_id: i32,
    new: &[&NewCardholder],
) -> QueryResult<HashSet<CardIndex>> {
    let former = new.iter().filter_map(|u| u.card.former_pan_index.as_ref());
    let (keys, indexes): (Vec<i32>, Vec<&[u8]>) = former
        .map(|former| (former.key, former.index.as_slice()))
        .unzip();
    if keys.is_empty() {
        return Ok(HashSet::new());
    }
    let columns = vec![UnnestColumn::Integer(keys), UnnestColumn::Bytes(indexes)];
    let held: Vec<CardIndex> =
        Unnest::<(Integer, Binary)>::of(issuer_id, HELD, columns).load(conn)?;
    Ok(held.into_iter().collect())
}
