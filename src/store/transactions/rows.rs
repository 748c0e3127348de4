//! The statements of a posting: row by row on SQLite, over arrays on PostgreSQL. Each is of one
//! issuer.

use super::{Entries, Holder, HolderKey, LedgerRow, MonthRow, Posting};
use crate::ids::CardholderId;
use crate::store::connection::{AnyConnection, on_backend};
use crate::store::retained;
use crate::store::schema::{cards, transaction_ledgers, transaction_months, users};
use crate::store::writer::unnest::{Unnest, UnnestColumn};
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Binary, Integer, Text};
use std::collections::{BTreeSet, HashMap};

// Each of the lateral subqueries is one lookup by a whole key, whatever the planner believes about
// the table. Until PostgreSQL has statistics of a new table, it takes an issuer for rare, and would
// go through all of its rows for each batch.

const BY_CARD: &str = "SELECT given.pan_index_key, given.pan_index, found.user_id, found.created_at \
    FROM unnest({rows}) AS given (pan_index_key, pan_index) CROSS JOIN LATERAL (\
        SELECT users.user_id, users.created_at FROM cards \
        JOIN users ON users.issuer_id = cards.issuer_id AND users.user_id = cards.user_id \
        WHERE cards.issuer_id = {owner} AND users.issuer_id = {owner} \
        AND cards.pan_index_key = given.pan_index_key AND cards.pan_index = given.pan_index \
        AND users.status = 'ACTIVE' AND users.enrolment_epoch >= {epoch} OFFSET 0) AS found";

const BY_ID: &str = "SELECT found.user_id, found.created_at FROM unnest({rows}) AS given (user_id) \
    CROSS JOIN LATERAL (SELECT user_id, created_at FROM users \
        WHERE issuer_id = {owner} AND user_id = given.user_id \
        AND status = 'ACTIVE' AND enrolment_epoch >= {epoch} OFFSET 0) AS found";

/// In the order of the ids. Waits for an erasure, which deletes the row; later ones wait for this.
const LOCK: &str = "SELECT found.user_id, found.content FROM unnest({rows}) AS given (user_id) \
    CROSS JOIN LATERAL (SELECT user_id, content FROM transaction_ledgers \
        WHERE issuer_id = {owner} AND user_id = given.user_id FOR UPDATE) AS found";

const WITH_LEDGER: &str = "SELECT found.user_id FROM unnest({rows}) AS given (user_id) \
    CROSS JOIN LATERAL (SELECT user_id FROM transaction_ledgers \
        WHERE issuer_id = {owner} AND user_id = given.user_id OFFSET 0) AS found";

/// Of cardholders without a ledger: one that is erased meanwhile gets none.
const LOCK_USERS: &str = "SELECT user_id FROM users WHERE issuer_id = {owner} \
    AND user_id = ANY({rows}) AND status = 'ACTIVE' ORDER BY user_id FOR NO KEY UPDATE";

const MONTHS: &str = "SELECT found.user_id, found.month, found.content \
    FROM unnest({rows}) AS given (user_id, month) \
    CROSS JOIN LATERAL (SELECT user_id, month, content FROM transaction_months \
        WHERE issuer_id = {owner} AND user_id = given.user_id AND month = given.month OFFSET 0) \
        AS found";

const PUT_LEDGERS: &str = "INSERT INTO transaction_ledgers \
    (issuer_id, user_id, content, seal_key, updated_at) \
    SELECT {owner}, given.* FROM unnest({rows}) AS given ON CONFLICT (issuer_id, user_id) DO UPDATE \
    SET content = excluded.content, seal_key = excluded.seal_key, updated_at = excluded.updated_at";

const PUT_MONTHS: &str = "INSERT INTO transaction_months \
    (issuer_id, user_id, month, content, seal_key, updated_at) \
    SELECT {owner}, given.* FROM unnest({rows}) AS given \
    ON CONFLICT (issuer_id, user_id, month) DO UPDATE \
    SET content = excluded.content, seal_key = excluded.seal_key, updated_at = excluded.updated_at";

/// Version of the index key, and the blind index.
type CardKey = (i32, Vec<u8>);

/// The posting's cardholders, in its order; `None` for those who are not active.
pub(in crate::store) fn find(
    conn: &mut AnyConnection,
    posting: &Posting,
) -> QueryResult<Vec<Option<Holder>>> {
    let (mut ids, mut keys) = (Vec::new(), Vec::new());
    for holder in &posting.holders {
        match holder {
            HolderKey::Id(id) => ids.push(id.as_str()),
            HolderKey::Card { index, key, former } => {
                keys.push((*key, index.as_slice()));
                keys.extend(former.iter().map(|old| (old.key, old.index.as_slice())));
            }
        }
    }
    let by_id = by_id(conn, posting, ids)?;
    let by_card = by_card(conn, posting, keys)?;
    let holder = |(user_id, enrolled_at): &(String, i64)| {
        Some(Holder {
            user_id: CardholderId::parse(user_id)?,
            enrolled_at: *enrolled_at,
        })
    };
    let found = posting.holders.iter().map(|key| match key {
        HolderKey::Id(id) => holder(&(id.as_str().to_owned(), *by_id.get(id.as_str())?)),
        HolderKey::Card { index, key, former } => {
            let under = |key: i32, index: &[u8]| by_card.get(&(key, index.to_vec()));
            let row = under(*key, index).or_else(|| {
                let former = former.as_ref()?;
                under(former.key, &former.index)
            });
            holder(row?)
        }
    });
    Ok(found.collect())
}

/// One text for each epoch: few, and prepared once each.
fn since_epoch(text: &str, epoch: i32) -> String {
    text.replace("{epoch}", &epoch.to_string())
}

fn by_id(
    conn: &mut AnyConnection,
    posting: &Posting,
    ids: Vec<&str>,
) -> QueryResult<HashMap<String, i64>> {
    if ids.is_empty() {
        return Ok(HashMap::new());
    }
    let issuer_id = posting.issuer_id.0;
    let rows: Vec<(String, i64)> = on_backend!(conn, c => {
        sqlite: {
            let mut rows = Vec::with_capacity(ids.len());
            for id in ids {
                let row = users::table
                    .find((issuer_id, id))
                    .filter(users::status.eq("ACTIVE"))
                    .filter(users::enrolment_epoch.ge(posting.epoch))
                    .select((users::user_id, users::created_at))
                    .first(c)
                    .optional()?;
                rows.extend(row);
            }
            rows
        },
        postgres: Unnest::<(Text, BigInt)>::of(
            issuer_id,
            since_epoch(BY_ID, posting.epoch),
            vec![UnnestColumn::Text(ids)],
        ).load(c)?,
    });
    Ok(rows.into_iter().collect())
}

fn by_card(
    conn: &mut AnyConnection,
    posting: &Posting,
    keys: Vec<(i32, &[u8])>,
) -> QueryResult<HashMap<CardKey, (String, i64)>> {
    if keys.is_empty() {
        return Ok(HashMap::new());
    }
    let issuer_id = posting.issuer_id.0;
    let rows: Vec<(i32, Vec<u8>, String, i64)> = on_backend!(conn, c => {
        sqlite: {
            let mut rows = Vec::with_capacity(keys.len());
            for (key, index) in keys {
                let row = cards::table
                    .inner_join(users::table.on(
                        users::issuer_id.eq(cards::issuer_id).and(users::user_id.eq(cards::user_id)),
                    ))
                    .filter(cards::issuer_id.eq(issuer_id))
                    .filter(cards::pan_index_key.eq(key))
                    .filter(cards::pan_index.eq(index))
                    .filter(users::status.eq("ACTIVE"))
                    .filter(users::enrolment_epoch.ge(posting.epoch))
                    .select((cards::pan_index_key, cards::pan_index, users::user_id, users::created_at))
                    .first(c)
                    .optional()?;
                rows.extend(row);
            }
            rows
        },
        postgres: {
            let (versions, indexes) = keys.into_iter().unzip();
            Unnest::<(Integer, Binary, Text, BigInt)>::of(
                issuer_id,
                since_epoch(BY_CARD, posting.epoch),
                vec![UnnestColumn::Integer(versions), UnnestColumn::Bytes(indexes)],
            ).load(c)?
        },
    });
    let row = |(key, index, user_id, at)| ((key, index), (user_id, at));
    Ok(rows.into_iter().map(row).collect())
}

/// Of these cardholders of an issuer, locks those without a ledger. Returns them; one that is not
/// active any more is not among them.
pub(in crate::store) fn lock_without_ledger(
    conn: &mut AnyConnection,
    issuer_id: i32,
    user_ids: &BTreeSet<&str>,
) -> QueryResult<BTreeSet<String>> {
    let AnyConnection::Postgres(c) = conn else {
        // The transaction has the whole file, and has just found them.
        return Ok(user_ids.iter().map(|id| (*id).to_owned()).collect());
    };
    let all = vec![UnnestColumn::Text(user_ids.iter().copied().collect())];
    let with: Vec<String> = Unnest::<Text>::of(issuer_id, WITH_LEDGER, all).load(c)?;
    let with: BTreeSet<&str> = with.iter().map(String::as_str).collect();
    let without: Vec<&str> = user_ids.difference(&with).copied().collect();
    if without.is_empty() {
        return Ok(BTreeSet::new());
    }
    let without = vec![UnnestColumn::Text(without)];
    let locked: Vec<String> = Unnest::<Text>::of(issuer_id, LOCK_USERS, without).load(c)?;
    Ok(locked.into_iter().collect())
}

/// Locks the ledgers of these cardholders of an issuer, and returns them.
pub(in crate::store) fn lock(
    conn: &mut AnyConnection,
    issuer_id: i32,
    user_ids: &BTreeSet<&str>,
) -> QueryResult<Vec<LedgerRow>> {
    let rows: Vec<(String, Vec<u8>)> = on_backend!(conn, c => {
        sqlite: {
            let mut rows = Vec::with_capacity(user_ids.len());
            for user_id in user_ids {
                let row = transaction_ledgers::table
                    .find((issuer_id, user_id))
                    .select((transaction_ledgers::user_id, transaction_ledgers::content))
                    .first(c)
                    .optional()?;
                rows.extend(row);
            }
            rows
        },
        postgres: {
            let text = vec![UnnestColumn::Text(user_ids.iter().copied().collect())];
            Unnest::<(Text, Binary)>::of(issuer_id, LOCK, text).load(c)?
        },
    });
    let ledger = |(user_id, content)| LedgerRow { user_id, content };
    Ok(rows.into_iter().map(ledger).collect())
}

/// Those of the months that exist.
pub(in crate::store) fn months(
    conn: &mut AnyConnection,
    issuer_id: i32,
    wanted: &[(String, i32)],
) -> QueryResult<Vec<MonthRow>> {
    if wanted.is_empty() {
        return Ok(Vec::new());
    }
    let rows: Vec<(String, i32, Vec<u8>)> = on_backend!(conn, c => {
        sqlite: {
            let mut rows = Vec::with_capacity(wanted.len());
            for (user_id, month) in wanted {
                let row = transaction_months::table
                    .find((issuer_id, user_id, month))
                    .select((
                        transaction_months::user_id,
                        transaction_months::month,
                        transaction_months::content,
                    ))
                    .first(c)
                    .optional()?;
                rows.extend(row);
            }
            rows
        },
        postgres: Unnest::<(Text, Integer, Binary)>::of(
            issuer_id,
            MONTHS,
            vec![
                UnnestColumn::Text(wanted.iter().map(|(user_id, _)| user_id.as_str()).collect()),
                UnnestColumn::Integer(wanted.iter().map(|(_, month)| *month).collect()),
            ],
        ).load(c)?,
    });
    let month = |(user_id, month, content)| MonthRow {
        user_id,
        month,
        content,
    };
    Ok(rows.into_iter().map(month).collect())
}

/// Writes ledgers and months, in the order of their keys.
pub(in crate::store) fn put(
    conn: &mut AnyConnection,
    issuer_id: i32,
    mut entries: Entries,
) -> QueryResult<()> {
    let at = entries.at;
    entries
        .ledgers
        .sort_by(|(a, _), (b, _)| a.user_id.cmp(&b.user_id));
    let month_key = |(row, _): &(MonthRow, i32)| (row.user_id.clone(), row.month);
    entries.months.sort_by_cached_key(month_key);
    retained::keep(conn, issuer_id, std::mem::take(&mut entries.retained), at)?;
    let Entries {
        ledgers, months, ..
    } = &entries;
    on_backend!(conn, c => {
        sqlite: {
            for (row, seal_key) in ledgers {
                diesel::replace_into(transaction_ledgers::table)
                    .values((
                        transaction_ledgers::issuer_id.eq(issuer_id),
                        transaction_ledgers::user_id.eq(&row.user_id),
                        transaction_ledgers::content.eq(&row.content),
                        transaction_ledgers::seal_key.eq(seal_key),
                        transaction_ledgers::updated_at.eq(at),
                    ))
                    .execute(c)?;
            }
            for (row, seal_key) in months {
                diesel::replace_into(transaction_months::table)
                    .values((
                        transaction_months::issuer_id.eq(issuer_id),
                        transaction_months::user_id.eq(&row.user_id),
                        transaction_months::month.eq(row.month),
                        transaction_months::content.eq(&row.content),
                        transaction_months::seal_key.eq(seal_key),
                        transaction_months::updated_at.eq(at),
                    ))
                    .execute(c)?;
            }
        },
        postgres: {
            if !ledgers.is_empty() {
                Unnest::<()>::of(issuer_id, PUT_LEDGERS, vec![
                    UnnestColumn::Text(ledgers.iter().map(|(row, _)| row.user_id.as_str()).collect()),
                    UnnestColumn::Bytes(ledgers.iter().map(|(row, _)| row.content.as_slice()).collect()),
                    UnnestColumn::Integer(ledgers.iter().map(|(_, key)| *key).collect()),
                    UnnestColumn::BigInt(vec![at; ledgers.len()]),
                ]).execute(c)?;
            }
            if !months.is_empty() {
                Unnest::<()>::of(issuer_id, PUT_MONTHS, vec![
                    UnnestColumn::Text(months.iter().map(|(row, _)| row.user_id.as_str()).collect()),
                    UnnestColumn::Integer(months.iter().map(|(row, _)| row.month).collect()),
                    UnnestColumn::Bytes(months.iter().map(|(row, _)| row.content.as_slice()).collect()),
                    UnnestColumn::Integer(months.iter().map(|(_, key)| *key).collect()),
                    UnnestColumn::BigInt(vec![at; months.len()]),
                ]).execute(c)?;
            }
        },
    });
    Ok(())
}
