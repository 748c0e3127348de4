//! Passes while the real writer goes on: nothing is lost, nothing is doubled, nobody waits for
//! ever.

use super::rows::{cardholder, enrol_many, enrol_one, opened, pan, rename, settle, unwatched};
use super::{assert_verified, limits, states, versions};
use crate::fixture::{ISSUER, Rig, TestKek, draft, finder, writer};
use crate::on_both;
use crate::support::{Backend, TestDatabase};
use futures_util::future::{join, join_all, join3};
use issuer_gateway::ids::CardholderId;
use issuer_gateway::rotation;
use issuer_gateway::rotation::primary::{begin_index_rotation, rotate_seal};
use issuer_gateway::sealed::SealedTable;
use issuer_gateway::store::cardholders::CardholderStatus;
use issuer_gateway::store::passes::RowKey;
use issuer_gateway::store::{Outcome, Store, now};
use issuer_gateway::vault::Vault;
use std::sync::atomic::{AtomicBool, Ordering};

on_both!(updates_and_enrolments_beside_two_passes_are_all_there);

/// Renames its users until it is told to stop; the last name of each.
async fn keep_renaming(
    rig: &Rig,
    ids: &[CardholderId],
    stop: &AtomicBool,
) -> Vec<(CardholderId, String)> {
    let mut round = 0;
    loop {
        let mut last = Vec::new();
        for id in ids {
            let name = format!("Name {round}");
            assert_eq!(rename(rig, id, &name).await, Outcome::Done);
            last.push((id.clone(), name));
        }
        round += 1;
        if stop.load(Ordering::Relaxed) {
            return last;
        }
    }
}

/// Enrols new cards until it is told to stop, and each of them twice; how many.
async fn keep_enrolling(rig: &Rig, stop: &AtomicBool) -> usize {
    let mut number = 100;
    while !stop.load(Ordering::Relaxed) {
        let enrol = async || settle(rig, |keys| cardholder(keys, &pan(number))).await;
        assert_eq!(enrol().await, Outcome::Done);
        let again = enrol().await;
        assert!(matches!(again, Outcome::CardTaken(Some(_))), "{again:?}");
        number += 1;
    }
    number - 100
}

/// Enrols a card, has the user erased and enrols the card again, until it is told to stop; how
/// many.
async fn keep_erasing(rig: &Rig, stop: &AtomicBool) -> usize {
    let mut number = 500_000;
    while !stop.load(Ordering::Relaxed) {
        let id = enrol_one(rig, number).await;
        let (status, audit) = (CardholderStatus::Terminating, draft("user.set-status"));
        let set = rig.store.set_user_status(ISSUER, &id, status, audit).await;
        assert_eq!(set, Ok(true));
        // 0: a pass has the row at this moment.
        while rig.store.erase_users(now()).await.unwrap() == 0 {}
        enrol_one(rig, number).await;
        number += 1;
    }
    number - 500_000
}

async fn node(database: &TestDatabase, rig: &Rig) -> Rig {
    let store = Store::open(&database.url(), 4);
    Rig {
        vault: Vault::open(&store, rig.kek.alone()).await.unwrap(),
        kek: TestKek(rig.kek.0.clone()),
        finder: finder(&store),
        writer: writer(database),
        store,
    }
}

async fn updates_and_enrolments_beside_two_passes_are_all_there(backend: Backend) {
    const ROUNDS: i32 = 3;
    let database = TestDatabase::new(backend);
    let rig = Rig::new(&database).await;
    let ids = enrol_many(&rig, 0..12).await;
    let mut nodes = vec![node(&database, &rig).await];
    if backend == Backend::Postgres {
        nodes.push(node(&database, &rig).await);
    }
    let operators = [node(&database, &rig).await, node(&database, &rig).await];
    let stop = AtomicBool::new(false);
    let serving = async {
        let halves = ids.chunks(6).zip(nodes.iter().cycle());
        let renaming = join_all(halves.map(|(ids, node)| keep_renaming(node, ids, &stop)));
        let enrolling = keep_enrolling(&nodes[0], &stop);
        join3(renaming, enrolling, keep_erasing(&nodes[0], &stop)).await
    };
    let operating = async {
        for round in 0..ROUNDS {
            let (store, vault) = (&operators[0].store, &operators[0].vault);
            assert_eq!(rotate_seal(store, vault).await, Ok(round + 2));
            assert_eq!(begin_index_rotation(store, vault).await, Ok(round + 2));
            let mut retired = [0, 0];
            let passes = operators.iter().map(|operator| async {
                let (store, vault) = (&operator.store, &operator.vault);
                let sealed = rotation::reseal(store, vault, limits(20), &mut unwatched).await;
                let indexed = rotation::reindex(store, vault, limits(20), &mut unwatched).await;
                [sealed.unwrap(), indexed.unwrap()]
            });
            for passed in join_all(passes).await {
                for (passed, retired) in passed.into_iter().zip(&mut retired) {
                    assert_eq!((passed.version, passed.misfits), (round + 2, 0));
                    *retired += passed.retired.len();
                }
            }
            // Each key by one of the two.
            assert_eq!(retired, [1, 1]);
        }
        stop.store(true, Ordering::Relaxed);
    };
    let ((names, enrolled, erased), ()) = join(serving, operating).await;

    assert!(enrolled > 0 && erased > 0);
    // A row and a card each, and what stays of an erased user.
    let rows = u64::try_from(2 * (ids.len() + enrolled) + 3 * erased).unwrap();
    assert_eq!(assert_verified(&rig).await, rows);
    assert_eq!(
        versions(&rig.store).await,
        (vec![ROUNDS + 1], vec![ROUNDS + 1])
    );
    for purpose in ["seal", "index"] {
        assert_eq!(
            states(&rig.store, purpose).await,
            ["retired", "retired", "retired", "primary"]
        );
    }
    let opened = opened(&rig).await;
    let names: Vec<_> = names.into_iter().flatten().collect();
    assert_eq!(names.len(), ids.len());
    for (id, name) in names {
        let key = RowKey {
            table: SealedTable::Cardholders,
            owner: ISSUER.0,
            id: id.as_str().to_owned(),
            part: 0,
        };
        assert_eq!(opened[&key][0], Some(name));
    }
}
