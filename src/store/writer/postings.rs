//! The part of a batch that enters transactions into cardholders' months.

use super::{Act, Commit, Outcome};
use crate::store::connection::AnyConnection;
use crate::store::transactions::{Posting, rows};
use diesel::QueryResult;
use std::collections::{BTreeMap, BTreeSet};

/// Enters what is still to be done, in order of arrival.
///
/// All locks are taken first: the cardholders who have no ledger, then the ledgers, each in the
/// order of their keys. So two writers cannot deadlock.
pub(super) fn post(
    conn: &mut AnyConnection,
    commits: &[&Commit],
    outcomes: &[Outcome],
) -> QueryResult<()> {
    let mut postings: Vec<&Posting> = Vec::new();
    for (commit, outcome) in commits.iter().zip(outcomes) {
        if let (Act::Post(posting), Outcome::Done) = (&commit.act, outcome) {
            postings.push(posting);
        }
    }
    if postings.is_empty() {
        return Ok(());
    }
    enter(conn, &postings, true)
}

/// Enters these, in their order; without `write` everything is decided and nothing written.
pub(in crate::store) fn enter(
    conn: &mut AnyConnection,
    postings: &[&Posting],
    write: bool,
) -> QueryResult<()> {
    let mut found = Vec::with_capacity(postings.len());
    for posting in postings {
        found.push(rows::find(conn, posting)?);
    }
    let mut keys: BTreeMap<i32, BTreeSet<&str>> = BTreeMap::new();
    for (posting, holders) in postings.iter().zip(&found) {
        let ids = holders
            .iter()
            .flatten()
            .map(|holder| holder.user_id.as_str());
        keys.entry(posting.issuer_id.0).or_default().extend(ids);
    }
    let mut gone: BTreeSet<(i32, String)> = BTreeSet::new();
    let mut ledgers = BTreeMap::new();
    let mut locked = BTreeMap::new();
    for (issuer_id, user_ids) in &keys {
        let without = rows::lock_without_ledger(conn, *issuer_id, user_ids)?;
        locked.insert(*issuer_id, without);
    }
    for (issuer_id, user_ids) in &keys {
        let found = rows::lock(conn, *issuer_id, user_ids)?;
        // Erased since it was found: it has no ledger now, and had one when the others were locked.
        let with: BTreeSet<&str> = found.iter().map(|row| row.user_id.as_str()).collect();
        let without = locked.remove(issuer_id).unwrap_or_default();
        let held = |user_id: &str| with.contains(user_id) || without.contains(user_id);
        let missing = user_ids.iter().filter(|user_id| !held(user_id));
        gone.extend(missing.map(|user_id| (*issuer_id, (*user_id).to_owned())));
        ledgers.insert(*issuer_id, found);
    }
    let alone = postings.len() == 1;
    for (posting, holders) in postings.iter().zip(&found) {
        let issuer_id = posting.issuer_id.0;
        let active = |user_id: &str| !gone.contains(&(issuer_id, user_id.to_owned()));
        let holders: Vec<_> = holders
            .iter()
            .map(|holder| {
                holder
                    .clone()
                    .filter(|holder| active(holder.user_id.as_str()))
            })
            .collect();
        let own: BTreeSet<&str> = holders
            .iter()
            .flatten()
            .map(|holder| holder.user_id.as_str())
            .collect();
        // One that comes after another of the batch reads what that one has written.
        let ledgers = if alone {
            ledgers.remove(&issuer_id).unwrap_or_default()
        } else {
            rows::lock(conn, issuer_id, &own)?
        };
        let open = posting.book.open(&holders, ledgers)?;
        let months = rows::months(conn, issuer_id, &open.months())?;
        let entries = open.close(months)?;
        if write {
            rows::put(conn, issuer_id, entries)?;
        }
    }
    Ok(())
}
