//! The writer's statements: row by row on SQLite, one statement per table and issuer on PostgreSQL.
//!
//! Inserts that may conflict return the keys of the rows that went in.

use super::unnest::{Unnest, UnnestColumn, by_issuer};
use super::{CardholderUpdate, NewCardholder, Nonce};
use crate::store::cardholders::SealedProfile;
use crate::store::connection::{AnyConnection, on_backend};
use crate::store::schema::{oauth_nonces, scoring_jobs, users};
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Binary, Integer, Nullable, Text};

/// A column of PostgreSQL's arrays, taken from each row.
macro_rules! column {
    ($kind:ident, $rows:expr, $row:ident => $value:expr) => {
        UnnestColumn::$kind($rows.iter().map(|$row| $value).collect())
    };
}

const INSERT_NONCES: &str = "INSERT INTO oauth_nonces (issuer_id, nonce, expires_at) \
    SELECT {owner}, given.* FROM unnest({rows}) AS given ON CONFLICT DO NOTHING RETURNING nonce";

/// Inserts nonces, sorted by issuer; returns issuer and value of those that were new.
pub(super) fn insert_nonces(
    conn: &mut AnyConnection,
    nonces: &[&Nonce],
) -> QueryResult<Vec<(i32, String)>> {
    on_backend!(conn, c => {
        sqlite: {
            let mut new = Vec::with_capacity(nonces.len());
            for n in nonces {
                let inserted = diesel::insert_into(oauth_nonces::table)
                    .values((
                        oauth_nonces::issuer_id.eq(n.issuer_id.0),
                        oauth_nonces::nonce.eq(&n.value),
                        oauth_nonces::expires_at.eq(n.expires_at),
                    ))
                    .on_conflict_do_nothing()
                    .execute(c)?;
                if inserted == 1 {
                    new.push((n.issuer_id.0, n.value.clone()));
                }
            }
            Ok(new)
        },
        postgres: {
            let mut new = Vec::with_capacity(nonces.len());
            for (issuer_id, nonces) in by_issuer(nonces, |n| n.issuer_id.0) {
                let columns = vec![
                    column!(Text, nonces, n => n.value.as_str()),
                    column!(BigInt, nonces, n => n.expires_at),
                ];
                let own: Vec<String> =
                    Unnest::<Text>::of(issuer_id, INSERT_NONCES, columns).load(c)?;
                new.extend(own.into_iter().map(|value| (issuer_id, value)));
            }
            Ok(new)
        },
    })
}

/// The columns of [`SealedProfile`] in a statement's text, in the order of [`profile_columns`].
macro_rules! profile {
    () => {
        "name, email, phone, billing_address, locale, email_index, email_index_key"
    };
}
pub(super) use profile;

/// An array for each column of the profiles.
pub(super) fn profile_columns<'a, P>(profiles: P) -> impl Iterator<Item = UnnestColumn<'a>>
where
    P: Iterator<Item = &'a SealedProfile> + Clone,
{
    let bytes = |column: fn(&SealedProfile) -> &Option<Vec<u8>>| {
        let values = profiles.clone().map(|profile| column(profile).as_deref());
        UnnestColumn::MaybeBytes(values.collect())
    };
    let key = profiles.clone().map(|profile| profile.email_index_key);
    let columns = [
        bytes(|profile| &profile.name),
        bytes(|profile| &profile.email),
        bytes(|profile| &profile.phone),
        bytes(|profile| &profile.billing_address),
        bytes(|profile| &profile.locale),
        bytes(|profile| &profile.email_index),
        UnnestColumn::MaybeInteger(key.collect()),
    ];
    columns.into_iter()
}

const INSERT_USERS: &str = concat!(
    "INSERT INTO users (issuer_id, user_id, enrolment_epoch, seal_key, created_at, updated_at, ",
    profile!(),
    ", status) SELECT {owner}, given.*, 'ACTIVE' FROM unnest({rows}) AS given"
);

/// Inserts users, sorted by issuer.
pub(super) fn insert_users(conn: &mut AnyConnection, new: &[&NewCardholder]) -> QueryResult<()> {
    on_backend!(conn, c => {
        sqlite: for u in new {
            diesel::insert_into(users::table)
                .values((
                    users::issuer_id.eq(u.issuer_id.0),
                    users::user_id.eq(u.user_id.as_str()),
                    users::status.eq("ACTIVE"),
                    users::enrolment_epoch.eq(u.enrolment_epoch),
                    &u.profile,
                    users::seal_key.eq(u.seal_key),
                    users::created_at.eq(u.created_at),
                    users::updated_at.eq(u.created_at),
                ))
                .execute(c)?;
        },
        postgres: for (issuer_id, new) in by_issuer(new, |u| u.issuer_id.0) {
            let mut columns = vec![
                column!(Text, new, u => u.user_id.as_str()),
                column!(Integer, new, u => u.enrolment_epoch),
                column!(Integer, new, u => u.seal_key),
                column!(BigInt, new, u => u.created_at),
                column!(BigInt, new, u => u.created_at),
            ];
            columns.extend(profile_columns(new.iter().map(|u| &u.profile)));
            Unnest::<()>::of(issuer_id, INSERT_USERS, columns).execute(c)?;
        },
    });
    Ok(())
}

const INSERT_SCORING_JOBS: &str = "INSERT INTO scoring_jobs (issuer_id, user_id, window_from, \
    window_to, created_at, status, attempts) SELECT {owner}, given.*, 'pending', 0 \
    FROM unnest({rows}) AS given";

/// Inserts scoring jobs of users, sorted by issuer.
pub(super) fn insert_scoring_jobs(
    conn: &mut AnyConnection,
    new: &[&NewCardholder],
) -> QueryResult<()> {
    on_backend!(conn, c => {
        sqlite: for u in new {
            diesel::insert_into(scoring_jobs::table)
                .values((
                    scoring_jobs::issuer_id.eq(u.issuer_id.0),
                    scoring_jobs::user_id.eq(u.user_id.as_str()),
                    scoring_jobs::status.eq("pending"),
                    scoring_jobs::window_from.eq(u.scoring_window.0),
                    scoring_jobs::window_to.eq(u.scoring_window.1),
                    scoring_jobs::attempts.eq(0),
                    scoring_jobs::created_at.eq(u.created_at),
                ))
                .execute(c)?;
        },
        postgres: for (issuer_id, new) in by_issuer(new, |u| u.issuer_id.0) {
            let columns = vec![
                column!(Text, new, u => u.user_id.as_str()),
                column!(BigInt, new, u => u.scoring_window.0),
                column!(BigInt, new, u => u.scoring_window.1),
                column!(BigInt, new, u => u.created_at),
            ];
            Unnest::<()>::of(issuer_id, INSERT_SCORING_JOBS, columns).execute(c)?;
        },
    });
    Ok(())
}

// The rows are locked in the order of their keys before they are changed: two writers cannot
// deadlock.
const UPDATE_POSTGRES: &str = concat!(
    "WITH given AS MATERIALIZED (SELECT * FROM unnest({rows}) \
        AS given (user_id, seal_key, updated_at, ",
    profile!(),
    ")), \
    locked AS MATERIALIZED (SELECT users.user_id FROM users JOIN given USING (user_id) \
        WHERE users.issuer_id = {owner} AND users.status = 'ACTIVE' \
        ORDER BY users.user_id FOR UPDATE OF users) \
    UPDATE users SET name = COALESCE(given.name, users.name), \
        locale = COALESCE(given.locale, users.locale), \
        email = COALESCE(given.email, users.email), \
        email_index = COALESCE(given.email_index, users.email_index), \
        email_index_key = COALESCE(given.email_index_key, users.email_index_key), \
        phone = COALESCE(given.phone, users.phone), \
        billing_address = COALESCE(given.billing_address, users.billing_address), \
        seal_key = LEAST(given.seal_key, users.seal_key), updated_at = given.updated_at \
    FROM given, locked WHERE locked.user_id = given.user_id \
        AND users.issuer_id = {owner} AND users.user_id = given.user_id \
    RETURNING users.user_id"
);

const UPDATE_SQLITE: &str = "UPDATE users SET name = COALESCE(?3, name), locale = COALESCE(?4, locale), \
    email = COALESCE(?5, email), email_index = COALESCE(?6, email_index), \
    email_index_key = COALESCE(?7, email_index_key), phone = COALESCE(?8, phone), \
    billing_address = COALESCE(?9, billing_address), seal_key = MIN(?10, seal_key), updated_at = ?11 \
    WHERE issuer_id = ?1 AND user_id = ?2 AND status = 'ACTIVE'";

/// Updates active users, sorted by issuer; returns issuer and id of those that were there. A user
/// may be in `updates` once.
pub(super) fn update_users(
    conn: &mut AnyConnection,
    updates: &[&CardholderUpdate],
) -> QueryResult<Vec<(i32, String)>> {
    on_backend!(conn, c => {
        sqlite: {
            let mut updated = Vec::with_capacity(updates.len());
            for u in updates {
                let rows = diesel::sql_query(UPDATE_SQLITE)
                    .bind::<Integer, _>(u.issuer_id.0)
                    .bind::<Text, _>(u.user_id.as_str())
                    .bind::<Nullable<Binary>, _>(&u.profile.name)
                    .bind::<Nullable<Binary>, _>(&u.profile.locale)
                    .bind::<Nullable<Binary>, _>(&u.profile.email)
                    .bind::<Nullable<Binary>, _>(&u.profile.email_index)
                    .bind::<Nullable<Integer>, _>(u.profile.email_index_key)
                    .bind::<Nullable<Binary>, _>(&u.profile.phone)
                    .bind::<Nullable<Binary>, _>(&u.profile.billing_address)
                    .bind::<Integer, _>(u.seal_key)
                    .bind::<BigInt, _>(u.updated_at)
                    .execute(c)?;
                if rows == 1 {
                    updated.push((u.issuer_id.0, u.user_id.as_str().to_owned()));
                }
            }
            Ok(updated)
        },
        postgres: {
            let mut updated = Vec::with_capacity(updates.len());
            for (issuer_id, updates) in by_issuer(updates, |u| u.issuer_id.0) {
                let mut columns = vec![
                    column!(Text, updates, u => u.user_id.as_str()),
                    column!(Integer, updates, u => u.seal_key),
                    column!(BigInt, updates, u => u.updated_at),
                ];
                columns.extend(profile_columns(updates.iter().map(|u| &u.profile)));
                let own: Vec<String> =
                    Unnest::<Text>::of(issuer_id, UPDATE_POSTGRES, columns).load(c)?;
                updated.extend(own.into_iter().map(|user_id| (issuer_id, user_id)));
            }
            Ok(updated)
        },
    })
}
