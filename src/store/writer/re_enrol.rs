//! The part of a batch that names the owner of an existing card, and that enrols cardholders again
//! after their issuer has turned donation on (cce-api.md 7.1).
//!
//! The use case seals for a random user id, and sealed columns are bound to that id. Suppose that
//! the card exists already, with a cardholder of a lower epoch. Then the enrolment changes nothing
//! and its nonce is given back. It comes again as [`Act::ReEnrol`], sealed for the cardholder's own
//! id and guarded by the epoch, so that one of two at once wins.

use super::rounds::{Picked, in_rounds};
use super::rows::{profile, profile_columns};
use super::unnest::{Unnest, UnnestColumn, by_issuer};
use super::{Act, Commit, NewCardholder, Nonce, Outcome};
use crate::ids::CardholderId;
use crate::store::connection::{AnyConnection, on_backend};
use crate::store::schema::{cards, oauth_nonces, users};
use diesel::prelude::*;
use diesel::sql_types::{Binary, Integer, Text};
use std::collections::{HashMap, HashSet};

/// Issuer, index-key version and PAN index: which card.
type CardKey = (i32, i32, Vec<u8>);

/// Which card (as in [`CardKey`]), and its user's id, state and epoch.
type Holder = (i32, i32, Vec<u8>, String, String, i32);

/// [`Holder`] in SQL.
type HolderSql = (Integer, Integer, Binary, Text, Text, Integer);

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
    // Both keys of a card in one statement: a card that is moved from one index key to the other is
    // found under one of them.
    let mut cards: Vec<CardKey> = taken
        .iter()
        .flat_map(|(user, ..)| [Some(card_key(user)), former_card_key(user)])
        .flatten()
        .collect();
    cards.sort();
    let holders: HashMap<CardKey, (String, String, i32)> = holders(conn, &cards)?
        .into_iter()
        .map(|(issuer, key, index, user_id, status, epoch)| {
            ((issuer, key, index), (user_id, status, epoch))
        })
        .collect();
    let mut unused: Vec<&Nonce> = Vec::new();
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
    unused.sort_by_key(|nonce| nonce.issuer_id);
    give_back(conn, &unused)
}

/// Carries out every [`Act::ReEnrol`]. Of two for one user the later one is done, too, if its epoch
/// is higher.
pub(super) fn refresh(
    conn: &mut AnyConnection,
    commits: &[&Commit],
    outcomes: &mut [Outcome],
) -> QueryResult<()> {
    in_rounds(commits, outcomes, pick, |users| refresh_users(conn, users))
}

fn pick(act: &Act) -> Picked<'_, NewCardholder> {
    let Act::ReEnrol(user) = act else { return None };
    let key = (user.issuer_id.0, user.user_id.as_str());
    let taken = Outcome::CardTaken(Some(user.user_id.clone()));
    Some((user, key, taken))
}

const HOLDERS: &str = "SELECT cards.issuer_id, cards.pan_index_key, cards.pan_index, \
    users.user_id, users.status, users.enrolment_epoch \
    FROM cards JOIN unnest({rows}) AS given (pan_index_key, pan_index) USING (pan_index_key, pan_index) \
    JOIN users ON users.issuer_id = cards.issuer_id AND users.user_id = cards.user_id \
    WHERE cards.issuer_id = {owner}";

/// Of these cards, sorted by issuer: issuer, index-key version, PAN index, and the user's id, state
/// and epoch.
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
        postgres: {
            let mut found = Vec::with_capacity(asked.len());
            for (issuer_id, asked) in by_issuer(asked, |key| key.0) {
                let columns = vec![
                    UnnestColumn::Integer(asked.iter().map(|(_, key, _)| *key).collect()),
                    UnnestColumn::Bytes(asked.iter().map(|(.., index)| index.as_slice()).collect()),
                ];
                let own: Vec<Holder> =
                    Unnest::<HolderSql>::of(issuer_id, HOLDERS, columns).load(c)?;
                found.extend(own);
            }
            Ok(found)
        },
    })
}

const GIVE_BACK: &str =
    "DELETE FROM oauth_nonces WHERE issuer_id = {owner} AND nonce = ANY({rows})";

/// Deletes nonces, sorted by issuer, that this very transaction has inserted.
fn give_back(conn: &mut AnyConnection, nonces: &[&Nonce]) -> QueryResult<()> {
    on_backend!(conn, c => {
        sqlite: for n in nonces {
            diesel::delete(oauth_nonces::table.find((n.issuer_id.0, &n.value))).execute(c)?;
        },
        postgres: for (issuer_id, nonces) in by_issuer(nonces, |n| n.issuer_id.0) {
            let values = nonces.iter().map(|n| n.value.as_str()).collect();
            let columns = vec![UnnestColumn::Text(values)];
            Unnest::<()>::of(issuer_id, GIVE_BACK, columns).execute(c)?;
        },
    });
    Ok(())
}

// The rows are locked in the order of their keys before they are changed: two writers cannot
// deadlock.
const REFRESH_USERS: &str = concat!(
    "WITH given AS MATERIALIZED (SELECT * FROM unnest({rows}) \
        AS given (user_id, enrolment_epoch, seal_key, updated_at, ",
    profile!(),
    ")), \
    locked AS MATERIALIZED (SELECT users.user_id FROM users JOIN given USING (user_id) \
        WHERE users.issuer_id = {owner} AND users.status = 'ACTIVE' \
        AND users.enrolment_epoch < given.enrolment_epoch \
        ORDER BY users.user_id FOR UPDATE OF users) \
    UPDATE users SET enrolment_epoch = given.enrolment_epoch, name = given.name, \
        email = given.email, phone = given.phone, billing_address = given.billing_address, \
        locale = given.locale, email_index = given.email_index, \
        email_index_key = given.email_index_key, seal_key = given.seal_key, \
        updated_at = given.updated_at \
    FROM given, locked WHERE locked.user_id = given.user_id \
        AND users.issuer_id = {owner} AND users.user_id = given.user_id \
    RETURNING users.user_id"
);

const REFRESH_CARDS: &str = "UPDATE cards SET card = given.card, seal_key = given.seal_key \
    FROM unnest({rows}) AS given (user_id, card, seal_key) \
    WHERE cards.issuer_id = {owner} AND cards.user_id = given.user_id";

/// Refreshes users, sorted by issuer, and their cards; returns issuer and id of those that were of
/// a lower epoch. A user may be in `given` once.
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
                        &u.profile,
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
        postgres: {
            let mut refreshed = Vec::with_capacity(given.len());
            for (issuer_id, given) in by_issuer(given, |u| u.issuer_id.0) {
                let own = refresh_postgres(c, issuer_id, given)?;
                refreshed.extend(own.into_iter().map(|user_id| (issuer_id, user_id)));
            }
            Ok(refreshed)
        },
    })
}

fn refresh_postgres(
    conn: &mut PgConnection,
    issuer_id: i32,
    given: &[&NewCardholder],
) -> QueryResult<HashSet<String>> {
    let mut columns = vec![
        UnnestColumn::Text(given.iter().map(|u| u.user_id.as_str()).collect()),
        UnnestColumn::Integer(given.iter().map(|u| u.enrolment_epoch).collect()),
        UnnestColumn::Integer(given.iter().map(|u| u.seal_key).collect()),
        UnnestColumn::BigInt(given.iter().map(|u| u.created_at).collect()),
    ];
    columns.extend(profile_columns(given.iter().map(|u| &u.profile)));
    let refreshed: Vec<String> =
        Unnest::<Text>::of(issuer_id, REFRESH_USERS, columns).load(conn)?;
    let refreshed: HashSet<String> = refreshed.into_iter().collect();
    let cards = given
        .iter()
        .filter(|u| refreshed.contains(u.user_id.as_str()));
    let cards: Vec<_> = cards.collect();
    if !cards.is_empty() {
        let columns = vec![
            UnnestColumn::Text(cards.iter().map(|u| u.user_id.as_str()).collect()),
            UnnestColumn::Bytes(cards.iter().map(|u| u.card.card.as_slice()).collect()),
            UnnestColumn::Integer(cards.iter().map(|u| u.seal_key).collect()),
        ];
        Unnest::<()>::of(issuer_id, REFRESH_CARDS, columns).execute(conn)?;
    }
    Ok(refreshed)
}
