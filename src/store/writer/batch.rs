//! One transaction for a whole batch, in an order that keeps two writers from deadlocking: the
//! fence, wrapped keys, nonces, cards, users, scoring jobs, re-enrolments, updates, terminations,
//! records of the users API, transactions, audit entries; within a table sorted by key.

use super::rounds::{Picked, in_rounds};
use super::{Act, CardholderUpdate, Commit, KEY_REUSED, NewCardholder, Outcome};
use super::{cards, openings, postings, re_enrol, rows, terminations};
use crate::store::audit::{self, AuditChain, AuditDraft};
use crate::store::connection::{self, AnyConnection};
use crate::store::directory::changes::{self, Applied, DirectoryChange};
use crate::store::error::StoreError;
use crate::store::fence;
use crate::store::heartbeat;
use diesel::QueryResult;
use diesel::r2d2::R2D2Connection;
use std::collections::BTreeMap;

/// How a batch failed.
pub(super) enum Failure {
    /// It was rolled back, or never began.
    Rejected {
        error: StoreError,
        /// The connection can be used again.
        reusable: bool,
    },
    /// The connection broke during COMMIT: it may or may not be durable.
    InDoubt,
}

/// Writes all commits or none; returns their outcomes in order, and the chain that goes on.
pub(super) fn write(
    conn: &mut AnyConnection,
    commits: &[&Commit],
    chain: &AuditChain,
) -> Result<(Vec<Outcome>, AuditChain), Failure> {
    if let Err(error) = fence::begin(conn) {
        return Err(rejected(conn, error));
    }
    let written = match write_rows(conn, commits, chain) {
        Ok(written) => written,
        Err(error) => {
            let rolled_back = connection::rollback(conn).is_ok();
            return Err(match rejected(conn, error) {
                Failure::Rejected { error, reusable } => Failure::Rejected {
                    error,
                    reusable: reusable && rolled_back,
                },
                Failure::InDoubt => Failure::InDoubt,
            });
        }
    };
    match connection::commit(conn) {
        Ok(()) => Ok(written),
        Err(error) => {
            let error = StoreError::from(error);
            // SQLite is in this process: a refused COMMIT is known to be refused. So is one on a
            // connection that lives.
            let known = matches!(conn, AnyConnection::Sqlite(_))
                || !(error.ended_connection() || conn.is_broken());
            if !known {
                return Err(Failure::InDoubt);
            }
            connection::rollback(conn).ok();
            Err(Failure::Rejected {
                error,
                reusable: !conn.is_broken(),
            })
        }
    }
}

fn rejected(conn: &mut AnyConnection, error: diesel::result::Error) -> Failure {
    let error = StoreError::from(error);
    Failure::Rejected {
        reusable: !error.ended_connection() && !conn.is_broken(),
        error,
    }
}

fn write_rows(
    conn: &mut AnyConnection,
    commits: &[&Commit],
    chain: &AuditChain,
) -> QueryResult<(Vec<Outcome>, AuditChain)> {
    let mut outcomes = current(conn, commits)?;
    refuse_reused_keys(conn, commits, &mut outcomes)?;
    enrol(conn, commits, &mut outcomes)?;
    re_enrol::find(conn, commits, &mut outcomes)?;
    let terminations = terminations::of(commits, &outcomes);
    if !terminations.is_empty() {
        terminations::lock(conn, &terminations, commits)?;
    }
    re_enrol::refresh(conn, commits, &mut outcomes)?;
    update(conn, commits, &mut outcomes)?;
    // After the updates, so that one of the same user that came in time is done.
    terminations::mark(conn, &terminations)?;
    change_directory(conn, commits, &mut outcomes)?;
    postings::post(conn, commits, &outcomes)?;
    for commit in commits {
        if let Act::Beat(node) = &commit.act {
            heartbeat::beat(conn, node)?;
        }
    }
    let drafts: Vec<AuditDraft> = commits
        .iter()
        .zip(&outcomes)
        .flat_map(|(commit, outcome)| entries(commit, outcome))
        .collect();
    let chain = audit::append(conn, chain, &drafts)?;
    Ok((outcomes, chain))
}

/// What was sealed under other keys than those in force is stale, and passed over by all that
/// follows.
fn current(conn: &mut AnyConnection, commits: &[&Commit]) -> QueryResult<Vec<Outcome>> {
    let generation = fence::generation(conn)?;
    let outcome = |commit: &&Commit| match commit.sealed_under {
        Some(sealed_under) if sealed_under != generation => Outcome::Stale,
        _ => Outcome::Done,
    };
    Ok(commits.iter().map(outcome).collect())
}

/// Uses up the nonces, and refuses what was opened with another's key, also where it is stale:
/// nothing that only the plaintext decides may come out. A replay is one whatever its key.
fn refuse_reused_keys(
    conn: &mut AnyConnection,
    commits: &[&Commit],
    outcomes: &mut [Outcome],
) -> QueryResult<()> {
    let reused = openings::claim(conn, commits)?;
    for (outcome, reused) in outcomes.iter_mut().zip(&reused) {
        if reused.is_some() {
            *outcome = Outcome::Done;
        }
    }
    consume_nonces(conn, commits, outcomes)?;
    for (outcome, reused) in outcomes.iter_mut().zip(reused) {
        if let (Outcome::Done, Some(reused)) = (&*outcome, reused) {
            *outcome = reused;
        }
    }
    Ok(())
}

fn consume_nonces(
    conn: &mut AnyConnection,
    commits: &[&Commit],
    outcomes: &mut [Outcome],
) -> QueryResult<()> {
    // The first of a batch to bring a nonce has it.
    let mut first = BTreeMap::new();
    for (commit, outcome) in commits.iter().zip(outcomes) {
        if let (Some(nonce), Outcome::Done) = (&commit.nonce, &*outcome) {
            *outcome = Outcome::Replayed;
            first
                .entry((nonce.issuer_id.0, nonce.value.as_str()))
                .or_insert((nonce, outcome));
        }
    }
    if first.is_empty() {
        return Ok(());
    }
    let nonces: Vec<_> = first.values().map(|(nonce, _)| *nonce).collect();
    let mut new = rows::insert_nonces(conn, &nonces)?;
    new.sort();
    for (key, (_, outcome)) in first {
        if new
            .binary_search_by(|n| (n.0, n.1.as_str()).cmp(&key))
            .is_ok()
        {
            *outcome = Outcome::Done;
        }
    }
    Ok(())
}

fn enrol(
    conn: &mut AnyConnection,
    commits: &[&Commit],
    outcomes: &mut [Outcome],
) -> QueryResult<()> {
    let mut first: BTreeMap<_, (&NewCardholder, &mut Outcome)> = BTreeMap::new();
    for (commit, outcome) in commits.iter().zip(outcomes) {
        if let (Act::Enrol(user), Outcome::Done) = (&commit.act, &*outcome) {
            *outcome = Outcome::CardTaken(None);
            let card = &user.card;
            first
                .entry((
                    user.issuer_id.0,
                    card.pan_index_key,
                    card.pan_index.as_slice(),
                ))
                .or_insert((user, outcome));
        }
    }
    if first.is_empty() {
        return Ok(());
    }
    let candidates: Vec<&NewCardholder> = first.values().map(|(user, _)| *user).collect();
    let mut winners = Vec::with_capacity(candidates.len());
    let mut new = cards::insert(conn, &candidates)?;
    new.sort();
    for (key, (user, outcome)) in first {
        if new
            .binary_search_by(|n| (n.0, n.1, n.2.as_slice()).cmp(&key))
            .is_ok()
        {
            *outcome = Outcome::Done;
            winners.push(user);
        }
    }
    if winners.is_empty() {
        return Ok(());
    }
    winners.sort_by(|a, b| (a.issuer_id, &a.user_id).cmp(&(b.issuer_id, &b.user_id)));
    rows::insert_users(conn, &winners)?;
    rows::insert_scoring_jobs(conn, &winners)
}

fn update(
    conn: &mut AnyConnection,
    commits: &[&Commit],
    outcomes: &mut [Outcome],
) -> QueryResult<()> {
    in_rounds(commits, outcomes, pick_update, |updates| {
        rows::update_users(conn, updates)
    })
}

fn pick_update(act: &Act) -> Picked<'_, CardholderUpdate> {
    let Act::Update(update) = act else {
        return None;
    };
    let user = (update.issuer_id.0, update.user_id.as_str());
    Some((update, user, Outcome::CardholderGone))
}

/// One after the other in order of arrival; locking their apps first, in one order, keeps two
/// writers from deadlocking.
fn change_directory(
    conn: &mut AnyConnection,
    commits: &[&Commit],
    outcomes: &mut [Outcome],
) -> QueryResult<()> {
    let mut asked: Vec<(&DirectoryChange, &mut Outcome)> = Vec::new();
    for (commit, outcome) in commits.iter().zip(outcomes) {
        if let (Act::Directory(change), Outcome::Done) = (&commit.act, &*outcome) {
            asked.push((change, outcome));
        }
    }
    changes::lock_apps(conn, asked.iter().map(|(change, _)| change.app_id()))?;
    for (change, outcome) in asked {
        *outcome = match changes::apply(conn, change)? {
            Applied::Done => Outcome::Done,
            Applied::Gone => Outcome::CardholderGone,
            Applied::Taken(taken) => Outcome::Taken(taken),
        };
    }
    Ok(())
}

/// The commit's entry, and one for each user of a termination.
fn entries(commit: &Commit, outcome: &Outcome) -> Vec<AuditDraft> {
    match (&commit.act, outcome) {
        (Act::Terminate(termination), Outcome::Done) => termination
            .user_ids
            .iter()
            .map(|user_id| AuditDraft {
                subject: Some(user_id.as_str().to_owned()),
                ..commit.audit.clone()
            })
            .collect(),
        (Act::Beat(_), _) => Vec::new(),
        _ => entry(commit, outcome).into_iter().collect(),
    }
}

/// The audit entry says what the database decided; what is still undecided has none.
fn entry(commit: &Commit, outcome: &Outcome) -> Option<AuditDraft> {
    let mut draft = commit.audit.clone();
    let creates = match &commit.act {
        Act::Enrol(_) => true,
        Act::Directory(change) => matches!(**change, DirectoryChange::Create(_)),
        Act::ReEnrol(_)
        | Act::Update(_)
        | Act::Terminate(_)
        | Act::Post(_)
        | Act::Record
        | Act::Beat(_) => false,
    };
    if *outcome != Outcome::Done && creates {
        draft.subject = None;
    }
    match outcome {
        Outcome::Done => Some(draft),
        Outcome::Replayed => Some(draft.refused("nonce-used")),
        Outcome::KeyReused(_) => Some(draft.refused(KEY_REUSED)),
        Outcome::CardTaken(_) => Some(draft.refused("card-taken")),
        Outcome::CardholderGone => Some(draft.refused("user-not-found")),
        Outcome::Taken(taken) => Some(draft.refused(taken.reason())),
        Outcome::MustReEnrol(_) | Outcome::Stale => None,
    }
}
