//! The part of a batch that gives a wrapped key to one message.
//!
//! The row goes in before anything else of the batch. So nothing that was decrypted with a key of
//! another message, or of another issuer, reaches a table or an answer. The row stays even if the
//! call fails otherwise and its nonce stays unused: the same message of the same issuer may come
//! again.

use super::unnest::{Unnest, UnnestColumn};
use super::{Commit, Outcome};
use crate::ids::IssuerId;
use crate::store::connection::{AnyConnection, on_backend};
use crate::store::opened_keys::{Holder, NOW_POSTGRES, NOW_SQLITE, Opening};
use crate::store::schema::opened_keys;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Binary, Integer};
use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, HashMap, HashSet};

/// Gives each wrapped key to the first message that came with it, and says for each commit whether
/// its key is another's: [`Outcome::KeyReused`], and `None` if it may go on.
pub(super) fn claim(
    conn: &mut AnyConnection,
    commits: &[&Commit],
) -> QueryResult<Vec<Option<Outcome>>> {
    // The first of a batch to bring a key has it. Sorted, so that two writers cannot deadlock.
    let mut first: BTreeMap<&[u8; 32], &Opening> = BTreeMap::new();
    for opening in commits.iter().filter_map(|commit| commit.opening.as_ref()) {
        if let Entry::Vacant(free) = first.entry(&opening.key_hash) {
            free.insert(opening);
        }
    }
    if first.is_empty() {
        return Ok(vec![None; commits.len()]);
    }
    let openings: Vec<&Opening> = first.values().copied().collect();
    let new: HashSet<Vec<u8>> = insert(conn, &openings)?.into_iter().collect();
    let known: Vec<&[u8]> = first
        .keys()
        .map(|key| key.as_slice())
        .filter(|key| !new.contains(*key))
        .collect();
    let known = if known.is_empty() {
        HashMap::new()
    } else {
        holders(conn, &known)?
    };
    let judge = |commit: &&Commit| {
        let opening = commit.opening.as_ref()?;
        let key = &opening.key_hash;
        let holder = if new.contains(key.as_slice()) {
            first.get(key).map(|first| first.holder)
        } else {
            // None: purged between the two statements. Whose it was is not known, so it is not this
            // one's.
            known.get(key.as_slice()).copied()
        };
        (holder != Some(opening.holder)).then_some(Outcome::KeyReused(holder))
    };
    Ok(commits.iter().map(judge).collect())
}

/// Inserts openings in their order; returns the hashes of the keys that were new.
fn insert(conn: &mut AnyConnection, new: &[&Opening]) -> QueryResult<Vec<Vec<u8>>> {
    on_backend!(conn, c => {
        sqlite: {
            let now = diesel::dsl::sql::<BigInt>(NOW_SQLITE);
            let mut inserted = Vec::with_capacity(new.len());
            for o in new {
                let rows = diesel::insert_into(opened_keys::table)
                    .values((
                        opened_keys::key_hash.eq(o.key_hash.as_slice()),
                        opened_keys::message_hash.eq(o.holder.message_hash.as_slice()),
                        opened_keys::issuer_id.eq(o.holder.issuer_id.0),
                        opened_keys::field_level.eq(o.field_level),
                        opened_keys::gateway_key.eq(o.gateway_key),
                        opened_keys::opened_at.eq(now.clone()),
                    ))
                    .on_conflict_do_nothing()
                    .execute(c)?;
                if rows == 1 {
                    inserted.push(o.key_hash.to_vec());
                }
            }
            Ok(inserted)
        },
        postgres: {
            let text = format!(
                "INSERT INTO opened_keys \
                 (key_hash, message_hash, issuer_id, field_level, gateway_key, opened_at) \
                 SELECT *, {NOW_POSTGRES} FROM unnest({{rows}}) \
                 ON CONFLICT DO NOTHING RETURNING key_hash"
            );
            Unnest::<Binary>::new(
                text,
                vec![
                    UnnestColumn::Bytes(new.iter().map(|o| o.key_hash.as_slice()).collect()),
                    UnnestColumn::Bytes(new.iter().map(|o| o.holder.message_hash.as_slice()).collect()),
                    UnnestColumn::Integer(new.iter().map(|o| o.holder.issuer_id.0).collect()),
                    UnnestColumn::Bool(new.iter().map(|o| o.field_level).collect()),
                    UnnestColumn::BigInt(new.iter().map(|o| o.gateway_key).collect()),
                ],
            )
            .load(c)
        },
    })
}

/// Whose these keys are. A statement of its own, so that it sees what the insert has waited for.
fn holders(conn: &mut AnyConnection, keys: &[&[u8]]) -> QueryResult<HashMap<Vec<u8>, Holder>> {
    let rows: Vec<(Vec<u8>, Vec<u8>, i32)> = on_backend!(conn, c => {
        sqlite: {
            let mut rows = Vec::with_capacity(keys.len());
            for key in keys {
                let row = opened_keys::table
                    .find(key)
                    .select((opened_keys::key_hash, opened_keys::message_hash, opened_keys::issuer_id))
                    .first(c)
                    .optional()?;
                rows.extend(row);
            }
            rows
        },
        postgres: Unnest::<(Binary, Binary, Integer)>::new(
            "SELECT key_hash, message_hash, issuer_id FROM opened_keys WHERE key_hash = ANY({rows})",
            vec![UnnestColumn::Bytes(keys.to_vec())],
        )
        .load(c)?,
    });
    let holder = |(key, message, issuer): (Vec<u8>, Vec<u8>, i32)| {
        let message_hash = message.try_into().ok()?;
        let issuer_id = IssuerId(issuer);
        let holder = Holder {
            issuer_id,
            message_hash,
        };
        Some((key, holder))
    };
    Ok(rows.into_iter().filter_map(holder).collect())
}
