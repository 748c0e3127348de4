//! Updates and what is read of a user.

use crate::fixture::{ISSUER, PAN, Rig, draft, enrol, new_name, update};
use crate::on_both;
use crate::support::{Backend, TestDatabase};
use futures_util::future::join_all;
use issuer_gateway::ids::{CardholderId, IssuerId};
use issuer_gateway::queue::Backlog;
use issuer_gateway::store::Outcome;
use issuer_gateway::store::cardholders::{CardholderStatus, CardholderSummary, SealedProfile};
use issuer_gateway::store::writer::{Act, CardholderUpdate, Commit, NewCardholder};

on_both!(
    an_update_replaces_what_it_brings,
    only_active_users_of_the_issuer_are_updated,
    two_updates_of_one_user_in_a_batch_apply_in_order,
    re_enrolments_of_one_user_apply_in_order,
    updates_of_the_same_users_do_not_deadlock,
    many_users_are_looked_up_at_once,
);

async fn an_update_replaces_what_it_brings(backend: Backend) {
    let database = TestDatabase::new(backend);
    let rig = Rig::new(&database).await;
    let user = rig.user(ISSUER, PAN);
    let user_id = user.user_id.clone();
    rig.writer.commit(enrol(user.clone())).await.unwrap();
    let summary = rig.finder.user(ISSUER, &user_id).await.unwrap().unwrap();
    assert_eq!(
        summary,
        CardholderSummary {
            status: CardholderStatus::Active,
            enrolment_epoch: 1,
            last_four: Some("5557".to_owned())
        }
    );

    assert_eq!(
        rig.writer
            .commit(update(new_name(ISSUER, &user_id, b"sealed name")))
            .await,
        Ok(Outcome::Done)
    );
    let (stored, card) = rig
        .store
        .load_sealed_user(ISSUER, &user_id)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(
        stored.profile.name.as_deref(),
        Some(b"sealed name".as_slice())
    );
    assert_eq!(stored.profile.locale.as_deref(), Some(b"sv-SE".as_slice()));
    assert_eq!(stored.profile.email, user.profile.email);
    assert_eq!(stored.profile.email_index, user.profile.email_index);
    assert_eq!(stored.profile.billing_address, user.profile.billing_address);
    assert_eq!((stored.profile.phone, stored.seal_key), (None, 1));
    assert!(stored.updated_at >= stored.created_at);
    assert_eq!(card.unwrap().card, user.card.card);

    let all = CardholderUpdate {
        profile: SealedProfile {
            name: Some(b"n".to_vec()),
            email: Some(b"e".to_vec()),
            phone: Some(b"p".to_vec()),
            billing_address: Some(b"a".to_vec()),
            locale: Some(b"sv-SE".to_vec()),
            email_index: Some(b"i".to_vec()),
            email_index_key: Some(7),
        },
        seal_key: 9,
        ..new_name(ISSUER, &user_id, b"n")
    };
    assert_eq!(rig.writer.commit(update(all)).await, Ok(Outcome::Done));
    let (stored, _) = rig
        .store
        .load_sealed_user(ISSUER, &user_id)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(stored.profile.email.as_deref(), Some(b"e".as_slice()));
    assert_eq!(stored.profile.email_index.as_deref(), Some(b"i".as_slice()));
    assert_eq!(stored.profile.phone.as_deref(), Some(b"p".as_slice()));
    assert_eq!(
        stored.profile.billing_address.as_deref(),
        Some(b"a".as_slice())
    );
    assert_eq!(
        (stored.profile.email_index_key, stored.seal_key),
        (Some(7), 1)
    );
}

async fn only_active_users_of_the_issuer_are_updated(backend: Backend) {
    let database = TestDatabase::new(backend);
    let rig = Rig::new(&database).await;
    let user = rig.user(ISSUER, PAN);
    let user_id = user.user_id.clone();
    rig.writer.commit(enrol(user)).await.unwrap();
    assert_eq!(rig.finder.user(IssuerId(2), &user_id).await, Ok(None));
    for (issuer_id, id) in [(IssuerId(2), &user_id), (ISSUER, &CardholderId::random())] {
        let commit = update(new_name(issuer_id, id, b"other"));
        assert_eq!(rig.writer.commit(commit).await, Ok(Outcome::CardholderGone));
    }
    for status in [
        CardholderStatus::Inactive,
        CardholderStatus::Terminating,
        CardholderStatus::Deleted,
    ] {
        let set = rig
            .store
            .set_user_status(ISSUER, &user_id, status, draft("user.set-status"));
        assert_eq!(set.await, Ok(true));
        let commit = update(new_name(ISSUER, &user_id, b"other"));
        assert_eq!(rig.writer.commit(commit).await, Ok(Outcome::CardholderGone));
        let summary = rig.finder.user(ISSUER, &user_id).await.unwrap().unwrap();
        assert_eq!(summary.status, status);
    }
    assert_eq!(
        database.number("SELECT count(*) AS n FROM audit_entries WHERE reason = 'user-not-found'"),
        5
    );
    let unknown = rig.store.set_user_status(
        IssuerId(2),
        &user_id,
        CardholderStatus::Active,
        draft("user.set-status"),
    );
    assert_eq!(unknown.await, Ok(false));
}

async fn two_updates_of_one_user_in_a_batch_apply_in_order(backend: Backend) {
    let database = TestDatabase::new(backend);
    let rig = Rig::new(&database).await;
    let user = rig.user(ISSUER, PAN);
    let user_id = user.user_id.clone();
    rig.writer.commit(enrol(user)).await.unwrap();
    // One thread: what was sent later is written later.
    let single =
        issuer_gateway::store::Writer::start(&database.url(), 1, 1_000, Backlog::default())
            .unwrap();
    let outcomes = join_all((0..30_u8).map(|number| {
        let mut new = new_name(ISSUER, &user_id, &[number]);
        new.profile.phone = (number == 10).then(|| b"phone".to_vec());
        single.commit(update(new))
    }))
    .await;
    assert!(
        outcomes.iter().all(|o| *o == Ok(Outcome::Done)),
        "{outcomes:?}"
    );
    let (stored, _) = rig
        .store
        .load_sealed_user(ISSUER, &user_id)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(stored.profile.name, Some(vec![29]));
    assert_eq!(stored.profile.phone.as_deref(), Some(b"phone".as_slice()));
}

/// However they fall into batches: one whose epoch is not higher than that of the one before finds
/// the card taken, every other one is done.
async fn re_enrolments_of_one_user_apply_in_order(backend: Backend) {
    let database = TestDatabase::new(backend);
    let rig = Rig::new(&database).await;
    let user = rig.user(ISSUER, PAN);
    let user_id = user.user_id.clone();
    rig.writer.commit(enrol(user.clone())).await.unwrap();
    let single =
        issuer_gateway::store::Writer::start(&database.url(), 1, 1_000, Backlog::default())
            .unwrap();
    let again = |enrolment_epoch: i32| {
        let mut again = NewCardholder {
            enrolment_epoch,
            ..user.clone()
        };
        again.profile.name = Some(enrolment_epoch.to_be_bytes().to_vec());
        single.commit(Commit {
            act: Act::ReEnrol(Box::new(again)),
            ..enrol(user.clone())
        })
    };
    let outcomes = join_all([2, 4, 3, 4, 5].map(again)).await;
    let taken = || Ok(Outcome::CardTaken(Some(user_id.clone())));
    let done = || Ok(Outcome::Done);
    assert_eq!(outcomes, [done(), done(), taken(), taken(), done()]);
    let stored = rig.store.load_sealed_user(ISSUER, &user_id).await;
    let (stored, _) = stored.unwrap().unwrap();
    assert_eq!(stored.enrolment_epoch, 5);
    assert_eq!(stored.profile.name, Some(5_i32.to_be_bytes().to_vec()));
}

async fn updates_of_the_same_users_do_not_deadlock(backend: Backend) {
    let database = TestDatabase::new(backend);
    let rig = Rig::new(&database).await;
    let mut ids = Vec::new();
    for number in 0..10 {
        let user = rig.user(ISSUER, &format!("53440300000000{number:02}"));
        ids.push(user.user_id.clone());
        rig.writer.commit(enrol(user)).await.unwrap();
    }
    let reversed: Vec<_> = ids.iter().rev().cloned().collect();
    for _ in 0..5 {
        let outcomes = join_all(
            ids.iter()
                .chain(&reversed)
                .map(|id| rig.writer.commit(update(new_name(ISSUER, id, b"n")))),
        )
        .await;
        assert!(
            outcomes.iter().all(|o| *o == Ok(Outcome::Done)),
            "{outcomes:?}"
        );
    }
}

async fn many_users_are_looked_up_at_once(backend: Backend) {
    let database = TestDatabase::new(backend);
    let rig = Rig::new(&database).await;
    let users: Vec<_> = (0..40)
        .map(|n| rig.user(ISSUER, &format!("53440355555555{n:02}")))
        .collect();
    let enrolled = join_all(users.iter().map(|u| rig.writer.commit(enrol(u.clone())))).await;
    assert!(enrolled.iter().all(|done| *done == Ok(Outcome::Done)));

    // Each of them twice, another issuer's and an unknown one between them.
    let unknown = CardholderId::random();
    let asked = users.iter().flat_map(|user| {
        let id = &user.user_id;
        [
            (ISSUER, id),
            (IssuerId(2), id),
            (ISSUER, &unknown),
            (ISSUER, id),
        ]
    });
    let found = join_all(asked.map(|(issuer_id, id)| rig.finder.user(issuer_id, id))).await;
    for (answers, user) in found.chunks(4).zip(&users) {
        let last_four = |n: usize| {
            let summary = answers[n].clone().unwrap();
            summary.and_then(|summary| summary.last_four)
        };
        let own = Some(user.card.last_four.clone());
        assert_eq!((last_four(0), last_four(3)), (own.clone(), own));
        assert_eq!((&answers[1], &answers[2]), (&Ok(None), &Ok(None)));
    }
}
