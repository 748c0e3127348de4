//! Marks cardholders TERMINATING when their deletion is accepted; the
//! [erasure](crate::store::erasure) continues from there.

use super::unnest::{Unnest, UnnestColumn, by_issuer};
use super::{Act, Commit, Outcome};
use crate::store::connection::{AnyConnection, on_backend};
use crate::store::schema::users;
use diesel::prelude::*;
use diesel::sql_types::Text;
use std::collections::{BTreeMap, BTreeSet};

/// Issuer and id of the users to be marked, and when.
pub(super) type Terminations<'a> = BTreeMap<(i32, &'a str), i64>;

/// The users of all terminations that are still to be done.
pub(super) fn of<'a>(commits: &[&'a Commit], outcomes: &[Outcome]) -> Terminations<'a> {
    let mut users = BTreeMap::new();
    for (commit, outcome) in commits.iter().zip(outcomes) {
        if let (Act::Terminate(termination), Outcome::Done) = (&commit.act, outcome) {
            let issuer_id = termination.issuer_id.0;
            let keys = termination.user_ids.iter();
            users.extend(keys.map(|id| ((issuer_id, id.as_str()), termination.at)));
        }
    }
    users
}

const LOCK: &str = "SELECT user_id FROM users WHERE issuer_id = {owner} AND user_id = ANY({rows}) \
    ORDER BY user_id FOR UPDATE";
const MARK: &str = "UPDATE users SET status = 'TERMINATING', updated_at = given.at \
    FROM unnest({rows}) AS given (user_id, at) WHERE users.issuer_id = {owner} \
    AND users.user_id = given.user_id AND users.status IN ('ACTIVE', 'INACTIVE')";

/// Locks every user row that the batch will change, in the order of their keys: updates and
/// terminations are two statements, and without this two writers could wait for each other.
pub(super) fn lock(
    conn: &mut AnyConnection,
    terminations: &Terminations<'_>,
    commits: &[&Commit],
) -> QueryResult<()> {
    let updated = commits.iter().filter_map(|commit| match &commit.act {
        Act::Update(update) => Some((update.issuer_id.0, update.user_id.as_str())),
        Act::ReEnrol(user) => Some((user.issuer_id.0, user.user_id.as_str())),
        _ => None,
    });
    let keys: BTreeSet<(i32, &str)> = terminations.keys().copied().chain(updated).collect();
    let keys: Vec<_> = keys.into_iter().collect();
    on_backend!(conn, c => {
        // The transaction has the whole file.
        sqlite: {
            let _ = c;
        },
        postgres: for (issuer_id, keys) in by_issuer(&keys, |key| key.0) {
            let user_ids = UnnestColumn::Text(keys.iter().map(|key| key.1).collect());
            let _locked: Vec<String> = Unnest::<Text>::of(issuer_id, LOCK, vec![user_ids]).load(c)?;
        },
    });
    Ok(())
}

/// Marks them. Who is TERMINATING or DELETED already stays as it is.
pub(super) fn mark(conn: &mut AnyConnection, terminations: &Terminations<'_>) -> QueryResult<()> {
    if terminations.is_empty() {
        return Ok(());
    }
    on_backend!(conn, c => {
        sqlite: for ((issuer_id, user_id), at) in terminations {
            diesel::update(users::table.find((issuer_id, user_id)))
                .filter(users::status.eq_any(["ACTIVE", "INACTIVE"]))
                .set((users::status.eq("TERMINATING"), users::updated_at.eq(at)))
                .execute(c)?;
        },
        postgres: {
            let terminations: Vec<_> = terminations.iter().collect();
            for (issuer_id, users) in by_issuer(&terminations, |(key, _)| key.0) {
                let columns = vec![
                    UnnestColumn::Text(users.iter().map(|(key, _)| key.1).collect()),
                    UnnestColumn::BigInt(users.iter().map(|(_, at)| **at).collect()),
                ];
                Unnest::<()>::of(issuer_id, MARK, columns).execute(c)?;
            }
        },
    });
    Ok(())
}
