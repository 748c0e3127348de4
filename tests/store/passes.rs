//! Passes over stored rows: everything ends up under the newest keys, still opens, and the old keys
//! are gone.

mod beside_writers;
mod damage;
mod held;
pub mod months;
mod old_addresses;
pub mod rows;

use crate::fixture::{ISSUER, Rig, draft};
use crate::on_both;
use crate::support::{Backend, TestDatabase};
use issuer_gateway::ids::CardholderId;
use issuer_gateway::rotation::primary::{begin_index_rotation, rotate_seal};
use issuer_gateway::rotation::{Event, Limits, Passed, Verified};
use issuer_gateway::sealed::SealedTable;
use issuer_gateway::store::cardholders::CardholderStatus;
use issuer_gateway::store::{Outcome, Store, now};
use issuer_gateway::vault::{Vault, VaultError};
use issuer_gateway::{rotation, store::data_keys::DataKeyState};
use rows::{cardholder, directory_app, enrol_many, opened, pan, record, rename, settle};
use std::num::NonZeroU32;
use tokio::sync::Notify;

on_both!(
    reseal_leaves_no_row_under_an_older_key,
    several_rotations_need_one_reseal,
    reindex_leaves_no_row_under_the_former_key,
    a_pass_that_was_broken_off_goes_on,
    a_limit_keeps_batches_small,
);

fn limits(batch: u32) -> Limits {
    Limits {
        batch: NonZeroU32::new(batch).unwrap(),
        rows_per_second: None,
    }
}

async fn reseal(rig: &Rig) -> Passed {
    let (passed, misfits) = reseal_telling(rig).await;
    assert_eq!(misfits, Vec::<String>::new());
    passed
}

/// The pass, and what its observer was told of rows that do not fit.
async fn reseal_telling(rig: &Rig) -> (Passed, Vec<String>) {
    let mut misfits = Vec::new();
    let mut observer = |event: Event<'_>| misfits.extend(telling(&event));
    let passed = rotation::reseal(&rig.store, &rig.vault, limits(3), &mut observer).await;
    (passed.unwrap(), misfits)
}

async fn reindex(rig: &Rig) -> Passed {
    let (passed, misfits) = reindex_telling(rig).await;
    assert_eq!(misfits, Vec::<String>::new());
    passed
}

async fn reindex_telling(rig: &Rig) -> (Passed, Vec<String>) {
    let mut misfits = Vec::new();
    let mut observer = |event: Event<'_>| misfits.extend(telling(&event));
    let passed = rotation::reindex(&rig.store, &rig.vault, limits(3), &mut observer).await;
    (passed.unwrap(), misfits)
}

async fn verify_telling(rig: &Rig) -> (Verified, Vec<String>) {
    let mut misfits = Vec::new();
    let mut observer = |event: Event<'_>| misfits.extend(telling(&event));
    let verified = rotation::verify(&rig.store, &rig.vault, limits(3), &mut observer).await;
    (verified.unwrap(), misfits)
}

fn telling(event: &Event<'_>) -> Option<String> {
    match event {
        Event::Misfit { key, misfit } => Some(format!("{key}: {misfit}")),
        Event::Anchor { chain, broken } => Some(format!("{chain}: {broken}")),
        Event::RowsToDo(_) | Event::Rows(_) => None,
    }
}

/// Everything fits; returns how many rows there are.
async fn assert_verified(rig: &Rig) -> u64 {
    let (verified, misfits) = verify_telling(rig).await;
    assert_eq!((verified.misfits, misfits), (0, Vec::new()));
    verified.rows
}

/// Every version that a row of any table names: of seal keys, and of index keys.
async fn versions(store: &Store) -> (Vec<i32>, Vec<i32>) {
    let (mut seal, mut index) = (Vec::new(), Vec::new());
    for table in SealedTable::ALL {
        for (of_seal, of_index) in store.version_counts(table).await.unwrap().into_keys() {
            seal.push(of_seal);
            index.extend(of_index);
        }
    }
    for versions in [&mut seal, &mut index] {
        versions.sort_unstable();
        versions.dedup();
    }
    (seal, index)
}

/// The state of each key of a purpose, by version; a retired one must be wiped.
async fn states(store: &Store, purpose: &str) -> Vec<String> {
    let keys = store.data_keys().await.unwrap();
    let of_purpose = keys.into_iter().filter(|key| key.purpose == purpose);
    let state = of_purpose.map(|key| {
        let retired = key.state == DataKeyState::Retired.as_str();
        assert_eq!(key.wrapped.is_empty(), retired, "{purpose} {}", key.version);
        key.state
    });
    state.collect()
}

/// Users of every state and records with and without an e-mail address; 16 rows.
async fn populate(rig: &Rig) -> Vec<CardholderId> {
    let ids = enrol_many(rig, 0..6).await;
    let set = |id: CardholderId, status| async move {
        let audit = draft("user.set-status");
        let set = rig.store.set_user_status(ISSUER, &id, status, audit).await;
        assert_eq!(set, Ok(true));
    };
    set(ids[0].clone(), CardholderStatus::Terminating).await;
    assert_eq!(rig.store.erase_users(now()).await, Ok(1));
    set(ids[1].clone(), CardholderStatus::Terminating).await;
    set(ids[2].clone(), CardholderStatus::Inactive).await;
    let app = directory_app(rig).await;
    for (number, email) in [Some("a@example.com"), Some("b@example.com"), None, None]
        .into_iter()
        .enumerate()
    {
        record(rig, app, number, email).await;
    }
    ids
}

async fn reseal_leaves_no_row_under_an_older_key(backend: Backend) {
    let database = TestDatabase::new(backend);
    let rig = Rig::new(&database).await;
    let ids = populate(&rig).await;
    assert_eq!(reseal(&rig).await.retired, Vec::<i32>::new());

    assert_eq!(rotate_seal(&rig.store, &rig.vault).await, Ok(2));
    // What is written now is under the new key, also where the rest of the row is not.
    enrol_many(&rig, 6..8).await;
    assert_eq!(rename(&rig, &ids[3], "Renamed").await, Outcome::Done);
    let before = opened(&rig).await;
    assert_eq!(versions(&rig.store).await.0, [1, 2]);
    assert_eq!(assert_verified(&rig).await, 19);

    let passed = reseal(&rig).await;
    let expected = Passed {
        version: 2,
        // All but the two new users with their cards; the erased one is a row, too.
        rows: 15,
        misfits: 0,
        retired: vec![1],
    };
    assert_eq!(passed, expected);
    assert_eq!(versions(&rig.store).await, (vec![2], vec![1]));
    assert_eq!(states(&rig.store, "seal").await, ["retired", "primary"]);
    assert_eq!(states(&rig.store, "index").await, ["primary"]);
    assert_eq!(opened(&rig).await, before);
    assert_eq!(assert_verified(&rig).await, 19);
    // Neither a node that starts nor a pass that is run again minds.
    let node = Vault::open(&rig.store, rig.kek.alone()).await.unwrap();
    assert_eq!(node.current().seal_version(), 2);
    assert_eq!(
        reseal(&rig).await,
        Passed {
            rows: 0,
            retired: Vec::new(),
            ..expected
        }
    );
}

async fn several_rotations_need_one_reseal(backend: Backend) {
    let database = TestDatabase::new(backend);
    let rig = Rig::new(&database).await;
    enrol_many(&rig, 0..2).await;
    rotate_seal(&rig.store, &rig.vault).await.unwrap();
    enrol_many(&rig, 2..4).await;
    assert_eq!(rotate_seal(&rig.store, &rig.vault).await, Ok(3));
    let passed = reseal(&rig).await;
    assert_eq!(
        (passed.version, passed.rows, passed.retired),
        (3, 8, vec![1, 2])
    );
    assert_eq!(versions(&rig.store).await.0, [3]);
    assert_eq!(assert_verified(&rig).await, 8);
}

async fn reindex_leaves_no_row_under_the_former_key(backend: Backend) {
    let database = TestDatabase::new(backend);
    let rig = Rig::new(&database).await;
    populate(&rig).await;
    assert_eq!(begin_index_rotation(&rig.store, &rig.vault).await, Ok(2));
    // A card and an address that are there are found under the former key.
    let again = settle(&rig, |keys| cardholder(keys, &pan(3))).await;
    assert!(matches!(again, Outcome::CardTaken(Some(_))), "{again:?}");
    enrol_many(&rig, 6..8).await;
    let before = opened(&rig).await;
    assert_eq!(versions(&rig.store).await, (vec![1], vec![1, 2]));
    assert_eq!(assert_verified(&rig).await, 19);

    let passed = reindex(&rig).await;
    let expected = Passed {
        version: 2,
        // Five users and five cards, two records with an address; nothing else has an index, or an
        // old one.
        rows: 12,
        misfits: 0,
        retired: vec![1],
    };
    assert_eq!(passed, expected);
    assert_eq!(versions(&rig.store).await, (vec![1], vec![2]));
    assert_eq!(states(&rig.store, "index").await, ["retired", "primary"]);
    assert_eq!(states(&rig.store, "seal").await, ["primary"]);
    assert_eq!(opened(&rig).await, before);
    assert_eq!(assert_verified(&rig).await, 19);
    for number in [3, 6] {
        let again = settle(&rig, |keys| cardholder(keys, &pan(number))).await;
        assert!(matches!(again, Outcome::CardTaken(Some(_))), "{again:?}");
    }
    // And the next rotation may begin.
    assert_eq!(begin_index_rotation(&rig.store, &rig.vault).await, Ok(3));
}

async fn a_pass_that_was_broken_off_goes_on(backend: Backend) {
    let database = TestDatabase::new(backend);
    let rig = Rig::new(&database).await;
    populate(&rig).await;
    let before = opened(&rig).await;
    rotate_seal(&rig.store, &rig.vault).await.unwrap();
    begin_index_rotation(&rig.store, &rig.vault).await.unwrap();
    let broken_off = Notify::new();
    let mut observer = |event: Event<'_>| {
        if matches!(event, Event::Rows(_)) {
            broken_off.notify_one();
        }
    };
    let (store, vault) = (&rig.store, &rig.vault);
    tokio::select! {
        _ = rotation::reseal(store, vault, limits(2), &mut observer) => panic!("it ended"),
        () = broken_off.notified() => {}
    }
    tokio::select! {
        _ = rotation::reindex(store, vault, limits(2), &mut observer) => panic!("it ended"),
        () = broken_off.notified() => {}
    }
    assert_eq!(states(store, "seal").await, ["active", "primary"]);
    assert_eq!(states(store, "index").await, ["active", "primary"]);
    assert_eq!(versions(store).await, (vec![1, 2], vec![1, 2]));
    assert_eq!(assert_verified(&rig).await, 15);

    // Less than all is left.
    let passed = reseal(&rig).await;
    assert!((1..15).contains(&passed.rows), "{passed:?}");
    let passed = reindex(&rig).await;
    assert!((1..12).contains(&passed.rows), "{passed:?}");
    assert_eq!(versions(store).await, (vec![2], vec![2]));
    assert_eq!(opened(&rig).await, before);
    assert_eq!(assert_verified(&rig).await, 15);
}

/// What a batch then has to wait is in `src/rotation/pace.rs`.
async fn a_limit_keeps_batches_small(backend: Backend) {
    let database = TestDatabase::new(backend);
    let rig = Rig::new(&database).await;
    enrol_many(&rig, 0..4).await;
    rotate_seal(&rig.store, &rig.vault).await.unwrap();
    let limits = |rows| Limits {
        rows_per_second: NonZeroU32::new(rows),
        ..limits(100)
    };
    let mut batches = Vec::new();
    let mut observer = |event: Event<'_>| match event {
        Event::Rows(rows) => batches.push(rows),
        Event::RowsToDo(rows) => assert_eq!(rows, 8),
        Event::Misfit { .. } | Event::Anchor { .. } => panic!("{event:?}"),
    };
    let passed = rotation::reseal(&rig.store, &rig.vault, limits(3), &mut observer).await;
    assert_eq!(passed.unwrap().rows, 8);
    assert_eq!(batches, [3, 1, 3, 1]);
}

/// The error of a pass without its database.
#[tokio::test]
async fn a_pass_without_its_keys_is_refused() {
    let database = TestDatabase::new(Backend::Sqlite);
    let rig = Rig::new(&database).await;
    rotate_seal(&rig.store, &rig.vault).await.unwrap();
    database.execute("UPDATE data_keys SET state = 'active', version = version + 5");
    database.execute("UPDATE vault_generation SET version = version + 1");
    let passed = rotation::reseal(&rig.store, &rig.vault, limits(1), &mut |_| {}).await;
    assert!(
        matches!(
            passed,
            Err(VaultError::AlteredDataKey { .. } | VaultError::NoPrimary(_))
        ),
        "{passed:?}"
    );
}
