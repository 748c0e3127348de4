//! Terminations go through the writer together with everything else, and the erasure follows.

use crate::fixture::{ISSUER, Rig, draft, enrol, fresh_nonce, new_name, update, writer};
use crate::on_both;
use crate::support::{Backend, TestDatabase};
use crate::trail::verify;
use futures_util::future::{join, join_all};
use issuer_gateway::ids::{CardholderId, IssuerId};
use issuer_gateway::store::writer::{Act, Commit, Termination};
use issuer_gateway::store::{Outcome, Store, now};

on_both!(
    crossing_updates_and_terminations_all_pass,
    only_the_issuers_own_users_are_marked,
    two_stores_erase_in_turn_and_the_trail_holds,
);

fn terminate(issuer_id: IssuerId, user_ids: &[CardholderId]) -> Commit {
    Commit {
        nonce: fresh_nonce(issuer_id),
        act: Act::Terminate(Box::new(Termination {
            issuer_id,
            user_ids: user_ids.to_vec(),
            at: now(),
        })),
        audit: draft("user.delete"),
        opening: None,
        sealed_under: None,
    }
}

async fn enrolled(rig: &Rig, count: usize) -> Vec<CardholderId> {
    let users: Vec<_> = (0..count)
        .map(|number| rig.user(ISSUER, &format!("5344030000{number:06}")))
        .collect();
    let ids = users.iter().map(|user| user.user_id.clone()).collect();
    let outcomes = join_all(users.into_iter().map(|user| rig.writer.commit(enrol(user)))).await;
    assert!(
        outcomes.iter().all(|o| *o == Ok(Outcome::Done)),
        "{outcomes:?}"
    );
    ids
}

/// Two nodes that change the same users in opposite orders: they may wait for each other, never for
/// ever.
async fn crossing_updates_and_terminations_all_pass(backend: Backend) {
    let database = TestDatabase::new(backend);
    let rig = Rig::new(&database).await;
    let second = writer(&database);
    let ids = enrolled(&rig, 600).await;
    let backwards: Vec<CardholderId> = ids.iter().rev().cloned().collect();
    let commits = |ids: &[CardholderId]| -> Vec<Commit> {
        let pairs = ids.chunks(3).zip(ids.chunks(3).rev());
        pairs
            .flat_map(|(some, others)| {
                [
                    update(new_name(ISSUER, &some[0], b"sealed")),
                    terminate(ISSUER, others),
                    update(new_name(ISSUER, &others[1], b"sealed")),
                ]
            })
            .collect()
    };
    let (forth, back) = (commits(&ids), commits(&backwards));
    let (forth, back) = join(
        join_all(forth.into_iter().map(|commit| rig.writer.commit(commit))),
        join_all(back.into_iter().map(|commit| second.commit(commit))),
    )
    .await;
    for outcome in forth.into_iter().chain(back) {
        assert!(
            matches!(outcome, Ok(Outcome::Done | Outcome::CardholderGone)),
            "{outcome:?}"
        );
    }
    assert_eq!(rig.store.pending_erasures().await, Ok(600));
}

async fn only_the_issuers_own_users_are_marked(backend: Backend) {
    let database = TestDatabase::new(backend);
    let rig = Rig::new(&database).await;
    let ids = enrolled(&rig, 2).await;
    let known = rig.store.known_users(ISSUER, &ids).await.unwrap();
    assert_eq!(known.len(), 2);
    let other = IssuerId(2);
    assert!(rig.store.known_users(other, &ids).await.unwrap().is_empty());
    let outcome = rig.writer.commit(terminate(other, &ids)).await;
    assert_eq!(outcome, Ok(Outcome::Done));
    assert_eq!(rig.store.pending_erasures().await, Ok(0));

    let commit = terminate(ISSUER, &ids[..1]);
    let replay = Commit {
        nonce: commit.nonce.clone(),
        ..terminate(ISSUER, &ids)
    };
    assert_eq!(rig.writer.commit(commit).await, Ok(Outcome::Done));
    assert_eq!(rig.writer.commit(replay).await, Ok(Outcome::Replayed));
    assert_eq!(
        rig.store.pending_erasures().await,
        Ok(1),
        "a replay marks nobody"
    );
}

async fn two_stores_erase_in_turn_and_the_trail_holds(backend: Backend) {
    let database = TestDatabase::new(backend);
    let rig = Rig::new(&database).await;
    let other = Store::open(&database.url(), 2);
    let ids = enrolled(&rig, 200).await;
    let outcome = rig.writer.commit(terminate(ISSUER, &ids)).await;
    assert_eq!(outcome, Ok(Outcome::Done));
    for (store, erased) in [
        (&rig.store, 64),
        (&other, 64),
        (&rig.store, 64),
        (&other, 8),
        (&rig.store, 0),
    ] {
        assert_eq!(store.erase_users(now()).await, Ok(erased));
    }
    assert_eq!(rig.store.pending_erasures().await, Ok(0));
    assert!(
        rig.store
            .known_users(ISSUER, &ids)
            .await
            .unwrap()
            .is_empty()
    );
    assert_eq!(
        (database.count("cards"), database.count("scoring_jobs")),
        (0, 0)
    );
    let distinct =
        "SELECT count(DISTINCT subject) AS n FROM audit_entries WHERE action = 'user.erase'";
    assert_eq!(database.number(distinct), 200);
    // 200 enrolments, 200 deletions, 200 erasures.
    assert_eq!(
        database.count("audit_entries WHERE action LIKE 'user.%'"),
        600
    );
    assert!(verify(&rig.store).await.is_ok());
}
