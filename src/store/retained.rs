//! Transactions of cards that are not enrolled yet, by the card's blind index.

use super::connection::{AnyConnection, on_backend};
use super::error::StoreError;
use super::pool::Store;
use super::schema::{cards, retained_transactions};
use super::writer::unnest::{Unnest, UnnestColumn};
use crate::ids::{CardholderId, IssuerId};
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Integer, Text};
use std::collections::BTreeSet;

/// Rows per transaction of the purge.
const CHUNK: i64 = 2_000;

// What another node purges already is skipped.
const OLD: &str = "SELECT retained_id FROM retained_transactions WHERE issuer_id = $1 \
    AND received_at < $2 ORDER BY received_at LIMIT $3";
const UNMATCHED: &str = "SELECT retained_id FROM retained_transactions WHERE issuer_id = $1 \
    AND pan_index_key < $2 ORDER BY pan_index_key LIMIT $3";

/// A transaction that is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RetainedRow {
    /// 32 hex digits: the same for the same transaction of the same card.
    pub retained_id: String,
    /// Blind index of the card.
    pub pan_index: Vec<u8>,
    /// Its key's version.
    pub pan_index_key: i32,
    /// Sealed.
    pub content: Vec<u8>,
    /// The version of the data key that sealed it.
    pub seal_key: i32,
}

/// A blind index of a card, and its key's version.
pub type CardIndex = (i32, Vec<u8>);

/// Keeps rows; one that is there already stays as it is. Nothing is kept of cards that somebody
/// has: of cardholders who are inactive or about to be erased.
pub(super) fn keep(
    conn: &mut AnyConnection,
    issuer_id: i32,
    mut rows: Vec<RetainedRow>,
    at: i64,
) -> QueryResult<()> {
    if rows.is_empty() {
        return Ok(());
    }
    let enrolled = enrolled(conn, issuer_id, &rows)?;
    rows.retain(|row| !enrolled.contains(&row.pan_index));
    // Two transactions that keep the same rows take them in the same order.
    rows.sort_by(|a, b| a.retained_id.cmp(&b.retained_id));
    rows.dedup_by(|a, b| a.retained_id == b.retained_id);
    on_backend!(conn, c => {
        sqlite: for row in &rows {
            diesel::insert_into(retained_transactions::table)
                .values((
                    retained_transactions::issuer_id.eq(issuer_id),
                    retained_transactions::retained_id.eq(&row.retained_id),
                    retained_transactions::pan_index.eq(&row.pan_index),
                    retained_transactions::pan_index_key.eq(row.pan_index_key),
                    retained_transactions::content.eq(&row.content),
                    retained_transactions::seal_key.eq(row.seal_key),
                    retained_transactions::received_at.eq(at),
                ))
                .on_conflict_do_nothing()
                .execute(c)?;
        },
        postgres: {
            Unnest::<()>::of(
                issuer_id,
                "INSERT INTO retained_transactions (issuer_id, retained_id, pan_index, pan_index_key, \
                    content, seal_key, received_at) \
                 SELECT {owner}, given.* FROM unnest({rows}) AS given ON CONFLICT DO NOTHING",
                vec![
                    UnnestColumn::Text(rows.iter().map(|row| row.retained_id.as_str()).collect()),
                    UnnestColumn::Bytes(rows.iter().map(|row| row.pan_index.as_slice()).collect()),
                    UnnestColumn::Integer(rows.iter().map(|row| row.pan_index_key).collect()),
                    UnnestColumn::Bytes(rows.iter().map(|row| row.content.as_slice()).collect()),
                    UnnestColumn::Integer(rows.iter().map(|row| row.seal_key).collect()),
                    UnnestColumn::BigInt(vec![at; rows.len()]),
                ],
            ).execute(c)?;
        },
    });
    Ok(())
}

/// The indexes of those cards that are enrolled.
fn enrolled(
    conn: &mut AnyConnection,
    issuer_id: i32,
    rows: &[RetainedRow],
) -> QueryResult<BTreeSet<Vec<u8>>> {
    let indexes: BTreeSet<&[u8]> = rows.iter().map(|row| row.pan_index.as_slice()).collect();
    let indexes: Vec<&[u8]> = indexes.into_iter().collect();
    let mut found = BTreeSet::new();
    for indexes in indexes.chunks(500) {
        let known: Vec<Vec<u8>> = cards::table
            .filter(cards::issuer_id.eq(issuer_id))
            .filter(cards::pan_index.eq_any(indexes.iter().copied()))
            .select(cards::pan_index)
            .load(conn)?;
        found.extend(known);
    }
    Ok(found)
}

impl Store {
    /// The sealed card of a cardholder, and its blind index.
    pub async fn sealed_card(
        &self,
        issuer_id: IssuerId,
        user_id: &CardholderId,
    ) -> Result<Option<(Vec<u8>, CardIndex)>, StoreError> {
        let user_id = user_id.as_str().to_owned();
        self.read(move |conn| {
            let card = cards::table.find((issuer_id.0, &user_id));
            let card = card.select((cards::card, (cards::pan_index_key, cards::pan_index)));
            Ok(card.first(conn).optional()?)
        })
        .await
    }

    /// What is kept of a card under any of its blind indexes, at most `limit`: ids and sealed
    /// contents.
    pub async fn retained(
        &self,
        issuer_id: IssuerId,
        indexes: Vec<CardIndex>,
        limit: i64,
    ) -> Result<Vec<(String, Vec<u8>)>, StoreError> {
        self.read(move |conn| {
            let mut found = Vec::new();
            for (key, index) in &indexes {
                let rows: Vec<(String, Vec<u8>)> = retained_transactions::table
                    .filter(retained_transactions::issuer_id.eq(issuer_id.0))
                    .filter(retained_transactions::pan_index_key.eq(key))
                    .filter(retained_transactions::pan_index.eq(index))
                    .order(retained_transactions::retained_id)
                    .limit(limit)
                    .select((
                        retained_transactions::retained_id,
                        retained_transactions::content,
                    ))
                    .load(conn)?;
                found.extend(rows);
            }
            Ok(found)
        })
        .await
    }

    /// Deletes rows by their ids; returns how many.
    pub async fn delete_retained(
        &self,
        issuer_id: IssuerId,
        ids: Vec<String>,
    ) -> Result<usize, StoreError> {
        self.maintain(move |conn| Ok(delete(conn, issuer_id.0, &ids)?))
            .await
    }

    /// Deletes some of the rows of an issuer that came before `before`, or whose blind index was
    /// made with a key below `oldest_key`; returns how many. 0: there are none that no other node
    /// is deleting.
    pub async fn purge_retained(
        &self,
        issuer_id: IssuerId,
        before: i64,
        oldest_key: i32,
    ) -> Result<usize, StoreError> {
        #[derive(QueryableByName)]
        struct Id {
            #[diesel(sql_type = Text)]
            retained_id: String,
        }
        self.maintain(move |conn| {
            let ids: Vec<Id> = on_backend!(conn, c => {
                sqlite: {
                    let mut ids: Vec<Id> = diesel::sql_query(OLD)
                        .bind::<Integer, _>(issuer_id.0).bind::<BigInt, _>(before).bind::<BigInt, _>(CHUNK)
                        .load(c)?;
                    ids.extend(diesel::sql_query(UNMATCHED)
                        .bind::<Integer, _>(issuer_id.0).bind::<Integer, _>(oldest_key).bind::<BigInt, _>(CHUNK)
                        .load::<Id>(c)?);
                    ids
                },
                postgres: {
                    let lock = |text: &str| format!("{text} FOR UPDATE SKIP LOCKED");
                    let mut ids: Vec<Id> = diesel::sql_query(lock(OLD))
                        .bind::<Integer, _>(issuer_id.0).bind::<BigInt, _>(before).bind::<BigInt, _>(CHUNK)
                        .load(c)?;
                    ids.extend(diesel::sql_query(lock(UNMATCHED))
                        .bind::<Integer, _>(issuer_id.0).bind::<Integer, _>(oldest_key).bind::<BigInt, _>(CHUNK)
                        .load::<Id>(c)?);
                    ids
                },
            });
            let ids: Vec<String> = ids.into_iter().map(|id| id.retained_id).collect();
            Ok(delete(conn, issuer_id.0, &ids)?)
        })
        .await
    }
}

/// Deletes what is kept of the cards of these users, who are erased.
pub(super) fn forget(
    conn: &mut AnyConnection,
    issuer_id: i32,
    user_ids: &[String],
) -> QueryResult<()> {
    let of_users: Vec<CardIndex> = cards::table
        .filter(cards::issuer_id.eq(issuer_id))
        .filter(cards::user_id.eq_any(user_ids))
        .select((cards::pan_index_key, cards::pan_index))
        .load(conn)?;
    for (key, index) in of_users {
        let rows = retained_transactions::table
            .filter(retained_transactions::issuer_id.eq(issuer_id))
            .filter(retained_transactions::pan_index_key.eq(key))
            .filter(retained_transactions::pan_index.eq(index));
        diesel::delete(rows).execute(conn)?;
    }
    Ok(())
}

/// In pieces that fit into SQLite's limit of bound values.
pub(super) fn delete(
    conn: &mut AnyConnection,
    issuer_id: i32,
    ids: &[String],
) -> QueryResult<usize> {
    let mut deleted = 0;
    for ids in ids.chunks(500) {
        deleted += diesel::delete(
            retained_transactions::table
                .filter(retained_transactions::issuer_id.eq(issuer_id))
                .filter(retained_transactions::retained_id.eq_any(ids)),
        )
        .execute(conn)?;
    }
    Ok(deleted)
}
