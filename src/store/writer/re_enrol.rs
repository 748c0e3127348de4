//! The part of a batch that names the owner of an existing card, and that enrols cardholders again
//! after their issuer has turned donation on (cce-api.md 7.1).
//!
//! The use case seals for a random user id, and sealed columns are bound to that id. Suppose that
//! the card exists already, with a cardholder of a lower epoch. Then the enrolment changes nothing
//! and its nonce is given back. It comes again as [`Act::ReEnrol`], sealed for the cardholder's own
//! id and guarded by the epoch, so that one of two at once wins.

use super::unnest::{Unnest, UnnestColumn};
use super::{Act, Commit, NewCardholder, Nonce, Outcome};
use crate::ids::CardholderId;
use crate::store::connection::{AnyConnection, on_backend};
use crate::store::schema::{cards, oauth_nonces, users};
use diesel::prelude::*;
use diesel::sql_types::{Binary, Integer, Text};
use std::collections::{BTreeMap, HashMap, HashSet};

/// Issuer, index-key version and PAN index: which card.
type CardKey = (i32, i32, Vec<u8>);

/// Which card (as in [`CardKey`]), and its user's id, state and epoch.
type Holder = (i32, i32, Vec<u8>, String, String, i32);

fn card_key(user: &NewCardholder) -> CardKey {
    let card = &user.card;
    (user.issuer_id.0, card.pan_index_key, card.pan_index.clone())
}

/// The same card as rows still have it while an index rotation is under way.
fn former_card_key(user: &NewCardholder) -> Option<CardKey> {
    let former = user.card.former_pan_index.as_ref()?;
    Some((user.issuer_id.0, former.key, former.index.clone()))
}

/// Completes [`Outcome::CardTaken`] with the card's user, or turns it into [`Outcome::MustReEnrol`]
/// where that user is active and of a lower epoch.
pub(super) fn find(
    conn: &mut AnyConnection,
    commits: &[&Commit],
    outcomes: &mut [Outcome],
) -> QueryResult<()> {
    let mut taken: Vec<(&NewCardholder, Option<&Nonce>, &mut Outcome)> = Vec::new();
    for (commit, outcome) in commits.iter().zip(outcomes) {
        if let (Act::Enrol(user), Outcome::CardTaken(None)) = (&commit.act, &*outcome) {
            taken.push((user, commit.nonce.as_ref(), outcome));
        }
    }
    if taken.is_empty() {
        return Ok(());
    }
    // In one statement: a card that is moved from one index key to the other is found under one of
    // them.
    let cards: Vec<CardKey> = taken
        .iter()
        .flat_map(|(user, ..)| [Some(card_key(user)), former_card_key(user)])
        .flatten()
        .collect();
    let holders: HashMap<CardKey, (String, String, i32)> = holders(conn, &cards)?
        .into_iter()
        .map(|(issuer, key, index, user_id, status, epoch)| {
            ((issuer, key, index), (user_id, status, epoch))
        })
        .collect();
    let mut unused = Vec::new();
    for (user, nonce, outcome) in taken {
        let current = holders.get(&card_key(user));
        let former = || former_card_key(user).and_then(|key| holders.get(&key));
        // None: erased since the insert met it.
        let Some((user_id, status, epoch)) = current.or_else(former) else {
            continue;
        };
        let user_id = CardholderId::parse(user_id);
        match user_id {
            Some(user_id) if status == "ACTIVE" && *epoch < user.enrolment_epoch => {
                *outcome = Outcome::MustReEnrol(user_id);
                unused.extend(nonce);
            }
            user_id => *outcome = Outcome::CardTaken(user_id),
        }
    }
    give_back(conn, &unused)
}

/// Carries out every [`Act::ReEnrol`]; the first of a batch for a user has it.
pub(super) fn refresh(
    conn: &mut AnyConnection,
    commits: &[&Commit],
    outcomes: &mut [Outcome],
) -> QueryResult<()> {
    let mut first: BTreeMap<_, (&NewCardholder, &mut Outcome)> = BTreeMap::new();
    for (commit, outcome) in commits.iter().zip(outcomes) {
        if let (Act::ReEnrol(user), Outcome::Done) = (&commit.act, &*outcome) {
            *outcome = Outcome::CardTaken(Some(user.user_id.clone()));
            first
                .entry((user.issuer_id.0, user.user_id.as_str()))
                .or_insert((user, outcome));
        }
    }
    if first.is_empty() {
        return Ok(());
    }
    let users: Vec<&NewCardholder> = first.values().map(|(user, _)| *user).collect();
    let refreshed: HashSet<(i32, String)> = refresh_users(conn, &users)?.into_iter().collect();
    for ((issuer_id, user_id), (_, outcome)) in first {
        if refreshed.contains(&(issuer_id, user_id.to_owned())) {
            *outcome = Outcome::Done;
        }
    }
    Ok(())
}

/// Of these cards: issuer, index-key version, PAN index, and the user's id, state and epoch.
fn holders(conn: &mut AnyConnection, asked: &[CardKey]) -> QueryResult<Vec<Holder>> {
    on_backend!(conn, c => {
        sqlite: {
            let mut found = Vec::with_capacity(asked.len());
            for (issuer, key, index) in asked {
                let row: Option<(String, String, i32)> = cards::table
                    .inner_join(users::table.on(
                        users::issuer_id.eq(cards::issuer_id).and(users::user_id.eq(cards::user_id)),
                    ))
                    .filter(cards::issuer_id.eq(issuer))
                    .filter(cards::pan_index_key.eq(key))
                    .filter(cards::pan_index.eq(index))
                    .select((users::user_id, users::status, users::enrolment_epoch))
                    .first(c)
                    .optional()?;
                found.extend(row.map(|(user_id, status, epoch)| {
                    (*issuer, *key, index.clone(), user_id, status, epoch)
                }));
            }
            Ok(found)
        },
        postgres: Unnest::<(Integer, Integer, Binary, Text, Text, Integer)>::new(
            "SELECT cards.issuer_id, cards.pan_index_key, cards.pan_index, users.user_id, users.status, \
             users.enrolment_epoch FROM unnest(",
            vec![
                UnnestColumn::Integer(asked.iter().map(|(issuer, ..)| *issuer).collect()),
                UnnestColumn::Integer(asked.iter().map(|(_, key, _)| *key).collect()),
                UnnestColumn::Bytes(asked.iter().map(|(.., index)| index.as_slice()).collect()),
            ],
            ") AS given (issuer_id, pan_index_key, pan_index) \
             JOIN cards USING (issuer_id, pan_index_key, pan_index) \
             JOIN users ON users.issuer_id = cards.issuer_id AND users.user_id = cards.user_id",
        ).load(c),
    })
}

/// Deletes nonces that this very transaction has inserted.
fn give_back(conn: &mut AnyConnection, nonces: &[&Nonce]) -> QueryResult<()> {
    if nonces.is_empty() {
        return Ok(());
    }
    on_backend!(conn, c => {
        sqlite: for n in nonces {
            diesel::delete(oauth_nonces::table.find((n.issuer_id.0, &n.value))).execute(c)?;
        },
        postgres: {
            Unnest::<()>::new(
                "DELETE FROM oauth_nonces WHERE (issuer_id, nonce) IN (SELECT * FROM unnest(",
                vec![
                    UnnestColumn::Integer(nonces.iter().map(|n| n.issuer_id.0).collect()),
                    UnnestColumn::Text(nonces.iter().map(|n| n.value.as_str()).collect()),
                ],
                "))",
            ).execute(c)?;
        },
    });
    Ok(())
}

// The rows are locked in the order of their keys before they are changed: two writers cannot
// deadlock.
const REFRESH_POSTGRES: &str = ") AS given (issuer_id, user_id, enrolment_epoch, name, email, phone, \
    billing_address, locale, email_index, email_index_key, seal_key, updated_at, card)), \
    locked AS MATERIALIZED (SELECT users.issuer_id, users.user_id FROM users \
        JOIN given USING (issuer_id, user_id) \
        WHERE users.status = 'ACTIVE' AND users.enrolment_epoch < given.enrolment_epoch \
        ORDER BY users.issuer_id, users.user_id FOR UPDATE OF users), \
    refreshed AS (UPDATE users SET enrolment_epoch = given.enrolment_epoch, name = given.name, \
            email = given.email, phone = given.phone, billing_address = given.billing_address, \
            locale = given.locale, email_index = given.email_index, \
            email_index_key = given.email_index_key, seal_key = given.seal_key, \
            updated_at = given.updated_at \
        FROM given, locked \
        WHERE locked.issuer_id = given.issuer_id AND locked.user_id = given.user_id \
            AND users.issuer_id = given.issuer_id AND users.user_id = given.user_id \
        RETURNING users.issuer_id, users.user_id) \
    UPDATE cards SET card = given.card, seal_key = given.seal_key FROM given, refreshed \
    WHERE refreshed.issuer_id = given.issuer_id AND refreshed.user_id = given.user_id \
        AND cards.issuer_id = given.issuer_id AND cards.user_id = given.user_id \
    RETURNING cards.issuer_id, cards.user_id";

/// Refreshes users and their cards; returns issuer and id of those that were of a lower epoch. A
/// user may be in `given` once.
fn refresh_users(
    conn: &mut AnyConnection,
    given: &[&NewCardholder],
) -> QueryResult<Vec<(i32, String)>> {
    on_backend!(conn, c => {
        sqlite: {
            let mut refreshed = Vec::with_capacity(given.len());
            for u in given {
                let key = (u.issuer_id.0, u.user_id.as_str());
                let of_lower_epoch = users::table
                    .find(key)
                    .filter(users::status.eq("ACTIVE"))
                    .filter(users::enrolment_epoch.lt(u.enrolment_epoch));
                let rows = diesel::update(of_lower_epoch)
                    .set((
                        users::enrolment_epoch.eq(u.enrolment_epoch),
                        users::name.eq(&u.name),
                        users::email.eq(&u.email),
                        users::phone.eq(&u.phone),
                        users::billing_address.eq(&u.billing_address),
                        users::locale.eq(&u.locale),
                        users::email_index.eq(&u.email_index),
                        users::email_index_key.eq(u.email_index_key),
                        users::seal_key.eq(u.seal_key),
                        users::updated_at.eq(u.created_at),
                    ))
                    .execute(c)?;
                if rows == 1 {
                    diesel::update(cards::table.find(key))
                        .set((cards::card.eq(&u.card.card), cards::seal_key.eq(u.seal_key)))
                        .execute(c)?;
                    refreshed.push((u.issuer_id.0, u.user_id.as_str().to_owned()));
                }
            }
            Ok(refreshed)
        },
        postgres: Unnest::<(Integer, Text)>::new(
            "WITH given AS MATERIALIZED (SELECT * FROM unnest(",
            vec![
                UnnestColumn::Integer(given.iter().map(|u| u.issuer_id.0).collect()),
                UnnestColumn::Text(given.iter().map(|u| u.user_id.as_str()).collect()),
                UnnestColumn::Integer(given.iter().map(|u| u.enrolment_epoch).collect()),
                UnnestColumn::MaybeBytes(given.iter().map(|u| u.name.as_deref()).collect()),
                UnnestColumn::MaybeBytes(given.iter().map(|u| u.email.as_deref()).collect()),
                UnnestColumn::MaybeBytes(given.iter().map(|u| u.phone.as_deref()).collect()),
                UnnestColumn::MaybeBytes(given.iter().map(|u| u.billing_address.as_deref()).collect()),
                UnnestColumn::MaybeBytes(given.iter().map(|u| u.locale.as_deref()).collect()),
                UnnestColumn::MaybeBytes(given.iter().map(|u| u.email_index.as_deref()).collect()),
                UnnestColumn::MaybeInteger(given.iter().map(|u| u.email_index_key).collect()),
                UnnestColumn::Integer(given.iter().map(|u| u.seal_key).collect()),
                UnnestColumn::BigInt(given.iter().map(|u| u.created_at).collect()),
                UnnestColumn::Bytes(given.iter().map(|u| u.card.card.as_slice()).collect()),
            ],
            REFRESH_POSTGRES,
        ).load(c),
    })
}
