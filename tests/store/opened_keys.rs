//! A wrapped key opens one message: decided by the database, in one batch, between writers, and for
//! as long as it matters.

use crate::data_keys::sealed;
use crate::fixture::{ISSUER, Rig, enrol, nonce, record, writer};
use crate::on_both;
use crate::support::{Backend, TestDatabase};
use futures_util::future::join_all;
use issuer_gateway::ids::{CardholderId, IssuerId};
use issuer_gateway::queue::Backlog;
use issuer_gateway::store::opened_keys::{GONE_AFTER, Holder, Opening};
use issuer_gateway::store::writer::Commit;
use issuer_gateway::store::{Outcome, Writer};
use issuer_gateway::vault::VaultKeys;
use std::time::Duration;

on_both!(
    the_first_message_of_the_first_issuer_has_the_key,
    one_of_many_at_once_has_the_key,
    every_conflict_of_one_batch,
    what_is_stale_or_replayed_says_nothing_either,
    jwe_keys_are_forgotten_and_field_level_keys_are_not,
    what_a_gone_gateway_key_opened_is_forgotten,
);

const GATEWAY_KEY: i64 = -7;

fn opening(issuer_id: IssuerId, key: u8, message: u8) -> Opening {
    Opening {
        key_hash: [key; 32],
        holder: Holder {
            issuer_id,
            message_hash: [message; 32],
        },
        field_level: true,
        gateway_key: GATEWAY_KEY,
    }
}

fn with(opening: Opening, commit: Commit) -> Commit {
    Commit {
        opening: Some(opening),
        ..commit
    }
}

/// A refused call of `issuer_id` that has decrypted a message.
fn refused(issuer_id: IssuerId, key: u8, message: u8) -> Commit {
    let commit = record(issuer_id, CardholderId::random().as_str());
    with(opening(issuer_id, key, message), commit)
}

fn reused(issuer_id: IssuerId, message: u8) -> Outcome {
    Outcome::KeyReused(Some(opening(issuer_id, 0, message).holder))
}

async fn the_first_message_of_the_first_issuer_has_the_key(backend: Backend) {
    let database = TestDatabase::new(backend);
    let rig = Rig::new(&database).await;
    let other = IssuerId(2);
    for (issuer_id, key, message, expected) in [
        (ISSUER, 1, 1, Outcome::Done),
        (ISSUER, 1, 1, Outcome::Done),
        (ISSUER, 1, 2, reused(ISSUER, 1)),
        (other, 1, 1, reused(ISSUER, 1)),
        (other, 2, 1, Outcome::Done),
        (ISSUER, 2, 1, reused(other, 1)),
        (ISSUER, 1, 1, Outcome::Done),
    ] {
        let commit = refused(issuer_id, key, message);
        let outcome = rig.writer.commit(commit).await;
        assert_eq!(outcome, Ok(expected), "{issuer_id:?} {key} {message}");
    }
    // What is refused for its key makes nobody, and uses up its nonce.
    let nonces = database.count("oauth_nonces");
    let user = rig.user(ISSUER, "5344035555555557");
    let commit = with(opening(ISSUER, 1, 9), enrol(user.clone()));
    let signed = commit.nonce.clone();
    assert_eq!(rig.writer.commit(commit).await, Ok(reused(ISSUER, 1)));
    let replay = Commit {
        nonce: signed,
        ..with(opening(ISSUER, 1, 9), enrol(user))
    };
    assert_eq!(rig.writer.commit(replay).await, Ok(Outcome::Replayed));
    assert_eq!(database.count("oauth_nonces"), nonces + 1);
    assert_eq!(database.count("users"), 0);
    assert_eq!(database.count("cards"), 0);
    assert_eq!(database.count("opened_keys"), 2);
    // The trail says the same of a good and of a bad plaintext.
    let said = database.texts(
        "SELECT DISTINCT action || ' ' || outcome || ' ' || coalesce(subject, '-') || ' ' \
         || coalesce(detail, '-') AS t FROM audit_entries WHERE reason = 'wrapped-key-reused'",
    );
    assert_eq!(said, ["user.enrol refused - -"]);

    // After a restart, too.
    rig.writer.stop();
    let reopened = writer(&database);
    let again = reopened.commit(refused(ISSUER, 1, 2)).await;
    assert_eq!(again, Ok(reused(ISSUER, 1)));
}

async fn one_of_many_at_once_has_the_key(backend: Backend) {
    let database = TestDatabase::new(backend);
    let rig = Rig::new(&database).await;
    let second = writer(&database);
    for round in 0..10 {
        let outcomes = join_all((0..40_u8).map(|number| {
            let writer = if number % 2 == 0 {
                &rig.writer
            } else {
                &second
            };
            let issuer_id = IssuerId(1 + i32::from(number % 3));
            // Two keys in either order, so that writers meet on both.
            let key = 2 * round + (number / 2) % 2;
            writer.commit(refused(issuer_id, key, number / 8))
        }))
        .await;
        for key in 0..2 {
            let of_key: Vec<_> = (0..40_u8)
                .filter(|number| (number / 2) % 2 == key)
                .map(|number| (number, &outcomes[usize::from(number)]))
                .collect();
            let mut holders: Vec<_> = of_key
                .iter()
                .filter(|(_, outcome)| **outcome == Ok(Outcome::Done))
                .map(|(number, _)| (number % 3, number / 8))
                .collect();
            assert!(!holders.is_empty());
            holders.dedup();
            assert_eq!(holders.len(), 1, "{of_key:?}");
            let (issuer, message) = holders[0];
            let expected = reused(IssuerId(1 + i32::from(issuer)), message);
            for (_, outcome) in of_key {
                assert!([&Ok(Outcome::Done), &Ok(expected.clone())].contains(&outcome));
            }
        }
    }
    assert_eq!(database.count("opened_keys"), 20);
}

async fn every_conflict_of_one_batch(backend: Backend) {
    let database = TestDatabase::new(backend);
    let rig = Rig::new(&database).await;
    rig.writer.commit(refused(ISSUER, 100, 1)).await.unwrap();
    let single = Writer::start(&database.url(), 1, 1_000, Backlog::default()).unwrap();
    let mut commits = Vec::new();
    let mut expected = Vec::new();
    for key in 0..20 {
        for (key, message, outcome) in [
            (key, 1, Outcome::Done),
            (key, 2, reused(ISSUER, 1)),
            (key, 1, Outcome::Done),
            (100, 1, Outcome::Done),
            (100, key + 2, reused(ISSUER, 1)),
        ] {
            commits.push(refused(ISSUER, key, message));
            expected.push(outcome);
        }
        commits.push(record(ISSUER, CardholderId::random().as_str()));
        expected.push(Outcome::Done);
    }
    let outcomes = join_all(commits.into_iter().map(|commit| single.commit(commit))).await;
    let outcomes: Vec<_> = outcomes.into_iter().map(Result::unwrap).collect();
    assert_eq!(outcomes, expected);
    assert_eq!(database.count("opened_keys"), 21);
}

async fn what_is_stale_or_replayed_says_nothing_either(backend: Backend) {
    let database = TestDatabase::new(backend);
    let rig = Rig::new(&database).await;
    let keys = rig.vault.current();
    let user = rig.user(ISSUER, "5344035555555557");
    let enrolment = |keys: &VaultKeys, key, message| {
        with(
            opening(ISSUER, key, message),
            sealed(enrol(user.clone()), keys),
        )
    };
    rig.writer.commit(refused(ISSUER, 1, 1)).await.unwrap();
    issuer_gateway::rotation::primary::rotate_seal(&rig.store, &rig.vault)
        .await
        .unwrap();
    let nonces = database.count("oauth_nonces");
    // Only a plaintext without fault is sealed: whether it is stale may not be told of another's.
    let outcome = rig.writer.commit(enrolment(&keys, 1, 2)).await;
    assert_eq!(outcome, Ok(reused(ISSUER, 1)));
    assert_eq!(database.count("oauth_nonces"), nonces + 1);
    // One's own is stale, and may come again; the key is taken meanwhile.
    let outcome = rig.writer.commit(enrolment(&keys, 2, 2)).await;
    assert_eq!(outcome, Ok(Outcome::Stale));
    assert_eq!(database.count("oauth_nonces"), nonces + 1);
    let outcome = rig.writer.commit(refused(ISSUER, 2, 3)).await;
    assert_eq!(outcome, Ok(reused(ISSUER, 2)));
    rig.vault.refresh(&rig.store).await.unwrap();
    let keys = rig.vault.current();
    let outcome = rig.writer.commit(enrolment(&keys, 2, 2)).await;
    assert_eq!(outcome, Ok(Outcome::Done));
    // A replay is one whatever its key.
    rig.writer.commit(record(ISSUER, "used")).await.unwrap();
    let replayed = Commit {
        nonce: nonce(ISSUER, "used"),
        ..refused(ISSUER, 1, 2)
    };
    assert_eq!(rig.writer.commit(replayed).await, Ok(Outcome::Replayed));
}

/// Makes every row of a table older by so much.
fn age(database: &TestDatabase, table: &str, column: &str, by: Duration) {
    let by = by.as_micros();
    database.execute(&format!("UPDATE {table} SET {column} = {column} - {by}"));
}

const DAY: Duration = Duration::from_secs(24 * 3_600);

async fn jwe_keys_are_forgotten_and_field_level_keys_are_not(backend: Backend) {
    let database = TestDatabase::new(backend);
    let rig = Rig::new(&database).await;
    let open = async |key, field_level| {
        let opening = Opening {
            field_level,
            ..opening(ISSUER, key, 1)
        };
        let commit = with(opening, record(ISSUER, CardholderId::random().as_str()));
        assert_eq!(rig.writer.commit(commit).await, Ok(Outcome::Done));
    };
    open(1, false).await;
    open(2, true).await;
    // Told by the database's clock: what is new there is new.
    assert_eq!(rig.store.purge_opened_jwe(DAY).await, Ok(0));
    age(&database, "opened_keys", "opened_at", DAY);
    open(3, false).await;
    assert_eq!(rig.store.purge_opened_jwe(2 * DAY).await, Ok(0));
    assert_eq!(rig.store.purge_opened_jwe(DAY).await, Ok(1));
    let expected = [
        (1, Outcome::Done),
        (2, reused(ISSUER, 1)),
        (3, reused(ISSUER, 1)),
    ];
    for (key, expected) in expected {
        let outcome = rig.writer.commit(refused(ISSUER, key, 2)).await;
        assert_eq!(outcome, Ok(expected), "{key}");
    }
}

async fn what_a_gone_gateway_key_opened_is_forgotten(backend: Backend) {
    let database = TestDatabase::new(backend);
    let rig = Rig::new(&database).await;
    for key in 0..50 {
        let opening = Opening {
            gateway_key: i64::from(key % 2),
            ..opening(ISSUER, key * 5, 1)
        };
        let commit = with(opening, record(ISSUER, CardholderId::random().as_str()));
        rig.writer.commit(commit).await.unwrap();
    }
    // However old the rows are: their gateway keys are there.
    age(&database, "opened_keys", "opened_at", 1_000 * DAY);
    rig.store.note_gateway_keys_held(vec![0, 1]).await.unwrap();
    assert_eq!(rig.store.purge_opened_by_gone_keys(GONE_AFTER).await, Ok(0));
    age(&database, "gateway_keys_held", "held_at", GONE_AFTER);
    // One node has key 1 still.
    rig.store.note_gateway_keys_held(vec![1]).await.unwrap();
    assert_eq!(
        rig.store.purge_opened_by_gone_keys(GONE_AFTER).await,
        Ok(25)
    );
    assert_eq!(database.count("opened_keys WHERE gateway_key = 1"), 25);
    assert_eq!(database.count("opened_keys"), 25);
    assert_eq!(database.count("gateway_keys_held"), 1);
}
