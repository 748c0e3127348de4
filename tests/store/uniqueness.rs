//! One card, one user; one nonce, one request. Decided by the database, whoever asks at once.

use crate::fixture::{ISSUER, PAN, Rig, draft, enrol, nonce, record, writer};
use crate::on_both;
use crate::support::{Backend, TestDatabase};
use futures_util::future::join_all;
use issuer_gateway::ids::{CardholderId, IssuerId};
use issuer_gateway::queue::Backlog;
use issuer_gateway::store::writer::{Act, Commit};
use issuer_gateway::store::{Outcome, StoreError};

/// The entries of calls; the schema and the data keys have theirs too.
const CALLS: &str = "audit_entries WHERE request_id IS NOT NULL";

on_both!(
    one_card_a_hundred_times,
    a_card_belongs_to_an_issuer,
    a_nonce_is_accepted_once,
    every_conflict_in_one_batch,
    one_bad_commit_does_not_fail_its_neighbours,
    what_waits_is_finished_at_the_end,
    a_full_queue_refuses,
);

fn count(outcomes: &[Result<Outcome, StoreError>], outcome: Outcome) -> usize {
    outcomes
        .iter()
        .filter(|o| o.as_ref() == Ok(&outcome))
        .count()
}

async fn one_card_a_hundred_times(backend: Backend) {
    let database = TestDatabase::new(backend);
    let rig = Rig::new(&database).await;
    let second = writer(&database);
    let users: Vec<_> = (0..100).map(|_| rig.user(ISSUER, PAN)).collect();
    let outcomes = join_all(users.iter().enumerate().map(|(number, user)| {
        let writer = if number % 2 == 0 {
            &rig.writer
        } else {
            &second
        };
        writer.commit(enrol(user.clone()))
    }))
    .await;
    assert_eq!(count(&outcomes, Outcome::Done), 1, "{outcomes:?}");
    // Each of the others is told whose the card is: also those of the winner's own batch.
    let winner = outcomes
        .iter()
        .position(|o| *o == Ok(Outcome::Done))
        .unwrap();
    let taken = Outcome::CardTaken(Some(users[winner].user_id.clone()));
    assert_eq!(count(&outcomes, taken), 99, "{outcomes:?}");
    for (table, rows) in [
        ("users", 1),
        ("cards", 1),
        ("scoring_jobs", 1),
        ("oauth_nonces", 100),
        (CALLS, 100),
    ] {
        assert_eq!(database.count(table), rows, "{table}");
    }
    let refused = "SELECT count(*) AS n FROM audit_entries \
                   WHERE outcome = 'refused' AND reason = 'card-taken' AND subject IS NULL";
    assert_eq!(database.number(refused), 99);
}

async fn a_card_belongs_to_an_issuer(backend: Backend) {
    let database = TestDatabase::new(backend);
    let rig = Rig::new(&database).await;
    let users = [ISSUER, IssuerId(2), ISSUER, IssuerId(2)].map(|issuer| rig.user(issuer, PAN));
    let taken = |index: usize| Outcome::CardTaken(Some(users[index].user_id.clone()));
    let expected = [Outcome::Done, Outcome::Done, taken(0), taken(1)];
    for (user, expected) in users.iter().zip(expected) {
        let outcome = rig.writer.commit(enrol(user.clone())).await;
        assert_eq!(outcome, Ok(expected));
    }
    assert_eq!(
        database.number("SELECT count(DISTINCT pan_index) AS n FROM cards"),
        2,
        "the indexes of two issuers differ"
    );
}

async fn a_nonce_is_accepted_once(backend: Backend) {
    let database = TestDatabase::new(backend);
    let rig = Rig::new(&database).await;
    let second = writer(&database);
    let outcomes = join_all((0..20).map(|number| {
        let writer = if number % 2 == 0 {
            &rig.writer
        } else {
            &second
        };
        let mut commit = enrol(rig.user(ISSUER, &format!("53440355555555{number:02}")));
        commit.nonce = nonce(ISSUER, "the nonce");
        writer.commit(commit)
    }))
    .await;
    assert_eq!(count(&outcomes, Outcome::Done), 1, "{outcomes:?}");
    assert_eq!(count(&outcomes, Outcome::Replayed), 19, "{outcomes:?}");
    assert_eq!(database.count("users"), 1);
    assert_eq!(database.count(CALLS), 20);
    assert_eq!(
        database.number("SELECT count(*) AS n FROM audit_entries WHERE reason = 'nonce-used'"),
        19
    );

    rig.writer.stop();
    let reopened = writer(&database);
    assert_eq!(
        reopened.commit(record(ISSUER, "the nonce")).await,
        Ok(Outcome::Replayed)
    );
    assert_eq!(
        reopened.commit(record(IssuerId(2), "the nonce")).await,
        Ok(Outcome::Done)
    );
    assert_eq!(
        reopened.commit(record(ISSUER, "another")).await,
        Ok(Outcome::Done)
    );
    assert_eq!(
        reopened.commit(record(ISSUER, "another")).await,
        Ok(Outcome::Replayed)
    );
}

async fn every_conflict_in_one_batch(backend: Backend) {
    let database = TestDatabase::new(backend);
    let rig = Rig::new(&database).await;
    rig.writer.commit(record(ISSUER, "used")).await.unwrap();
    let holder = rig.user(ISSUER, PAN);
    let held = Outcome::CardTaken(Some(holder.user_id.clone()));
    rig.writer.commit(enrol(holder)).await.unwrap();

    let mut commits = Vec::new();
    let mut expected = Vec::new();
    for number in 0..15 {
        let pan = format!("53440300000000{number:02}");
        // New card; the same again; a used nonce on a card that is free; a taken card; unsigned
        // housekeeping.
        let new = rig.user(ISSUER, &pan);
        let taken = Outcome::CardTaken(Some(new.user_id.clone()));
        commits.push(enrol(new));
        expected.push(Outcome::Done);
        commits.push(enrol(rig.user(ISSUER, &pan)));
        expected.push(taken);
        let mut replayed = enrol(rig.user(ISSUER, &format!("53440311111111{number:02}")));
        replayed.nonce = nonce(ISSUER, "used");
        commits.push(replayed);
        expected.push(Outcome::Replayed);
        commits.push(enrol(rig.user(ISSUER, PAN)));
        expected.push(held.clone());
        commits.push(Commit {
            nonce: None,
            act: Act::Record,
            audit: draft("start"),
            opening: None,
            sealed_under: None,
        });
        expected.push(Outcome::Done);
    }
    let single =
        issuer_gateway::store::Writer::start(&database.url(), 1, 1_000, Backlog::default())
            .unwrap();
    let outcomes = join_all(commits.into_iter().map(|commit| single.commit(commit))).await;
    let outcomes: Vec<_> = outcomes.into_iter().map(Result::unwrap).collect();
    assert_eq!(outcomes, expected);
    assert_eq!(database.count("users"), 16);
    assert_eq!(database.count("cards"), 16);
    assert_eq!(database.count("scoring_jobs"), 16);
    assert_eq!(database.count(CALLS), 2 + 75);
}

async fn one_bad_commit_does_not_fail_its_neighbours(backend: Backend) {
    let database = TestDatabase::new(backend);
    let rig = Rig::new(&database).await;
    let outcomes = join_all((0..40).map(|number| {
        let mut user = rig.user(ISSUER, &format!("53440300000000{number:02}"));
        if number == 20 {
            // A CHECK constraint stops it.
            user.card.last_four.push('0');
        }
        rig.writer.commit(enrol(user))
    }))
    .await;
    assert_eq!(count(&outcomes, Outcome::Done), 39, "{outcomes:?}");
    assert_eq!(
        outcomes[20].as_ref().unwrap_err().reason(),
        "database-internal"
    );
    for table in ["users", "cards", "scoring_jobs", "oauth_nonces", CALLS] {
        assert_eq!(database.count(table), 39, "{table}");
    }
}

async fn what_waits_is_finished_at_the_end(backend: Backend) {
    let database = TestDatabase::new(backend);
    let rig = Rig::new(&database).await;
    let commits = join_all((0..50).map(|number| {
        rig.writer.commit(enrol(
            rig.user(ISSUER, &format!("53440300000000{number:02}")),
        ))
    }));
    // `join` polls the commits first: all of them wait when the writer is told to stop.
    let (outcomes, ()) = futures_util::future::join(commits, async {
        tokio::task::block_in_place(|| rig.writer.stop());
    })
    .await;
    assert_eq!(count(&outcomes, Outcome::Done), 50, "{outcomes:?}");
    assert_eq!(database.count("users"), 50);
    let late = rig.writer.commit(record(ISSUER, "late")).await;
    assert_eq!(late.unwrap_err().reason(), "database-unavailable");
}

async fn a_full_queue_refuses(backend: Backend) {
    let database = TestDatabase::new(backend);
    let narrow =
        issuer_gateway::store::Writer::start(&database.url(), 1, 5, Backlog::default()).unwrap();
    // While somebody else holds the database, one batch is in hand and five wait.
    let lock = database.lock();
    let commits =
        join_all((0..500).map(|_| narrow.commit(record(ISSUER, CardholderId::random().as_str()))));
    // `join` polls the commits first: all have come when the database is free again.
    let (outcomes, ()) = futures_util::future::join(commits, async { drop(lock) }).await;
    let done = count(&outcomes, Outcome::Done);
    let refused = outcomes
        .iter()
        .filter(|o| **o == Err(StoreError::Overloaded))
        .count();
    assert_eq!(done + refused, 500, "{outcomes:?}");
    assert!((5..=10).contains(&done), "{done} done, {refused} refused");
    assert_eq!(database.count("oauth_nonces"), i64::try_from(done).unwrap());
}
