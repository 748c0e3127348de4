//! Data keys change under those who write: nothing is written that was sealed under other keys than
//! those in force.

use crate::fixture::{ISSUER, PAN, Rig, draft, enrol, nonce, record, sealed_user};
use crate::on_both;
use crate::support::{Backend, TestDatabase};
use crate::trail::verify;
use futures_util::future::join_all;
use issuer_gateway::ids::{AppId, CardholderId};
use issuer_gateway::queue::Backlog;
use issuer_gateway::rotation::primary::{RotationError, begin_index_rotation, rotate_seal};
use issuer_gateway::store::data_keys::{DataKeyRow, Promoted, Purpose};
use issuer_gateway::store::directory::SealedRecord;
use issuer_gateway::store::directory::changes::{
    Columns, DirectoryChange, NewRecord, RecordUpdate,
};
use issuer_gateway::store::writer::{Act, CardholderUpdate, Commit, NewCardholder};
use issuer_gateway::store::{Outcome, Store, StoreError, Writer};
use issuer_gateway::vault::{Place, SealedColumn, Vault, VaultKeys};

on_both!(
    what_was_sealed_under_other_keys_is_not_written,
    a_stale_commit_does_not_hold_up_its_batch,
    keys_are_promoted_and_retired_by_the_rules,
    rotations_at_once_each_make_a_key,
    keys_that_break_the_rules_are_not_loaded,
    a_refresh_that_fails_keeps_the_last_good_keys,
);

/// The same, as sealed under these keys.
pub fn sealed(commit: Commit, keys: &VaultKeys) -> Commit {
    Commit {
        sealed_under: Some(keys.generation()),
        ..commit
    }
}

/// One commit of each kind that holds sealed values, under nonces that only `round` tells apart.
fn one_of_each(keys: &VaultKeys, known: &CardholderId, round: i32) -> Vec<Commit> {
    let pan = format!("534403000000{round:04}");
    let again = NewCardholder {
        user_id: known.clone(),
        enrolment_epoch: 1 + round,
        ..sealed_user(keys, ISSUER, PAN)
    };
    let update = CardholderUpdate {
        seal_key: keys.seal_version(),
        ..crate::fixture::new_name(ISSUER, known, b"sealed")
    };
    let app_id = AppId(1);
    let klaim_id = format!("{round}_klaim");
    let place = Place::of_app(app_id, &klaim_id, SealedColumn::DirectoryName);
    let name = keys.seal(place, b"Johnn Dooe").unwrap().bytes;
    let row = SealedRecord {
        app_id: app_id.0,
        klaim_id: klaim_id.clone(),
        user_id: format!("user {round}"),
        number: None,
        name: Some(name.clone()),
        first_name: None,
        last_name: None,
        username: None,
        email: None,
        metadata: None,
        email_index: None,
        email_index_key: None,
        seal_key: keys.seal_version(),
        created_at: 1,
        updated_at: 1,
    };
    let created = DirectoryChange::Create(Box::new(NewRecord {
        row,
        other_email_indexes: Vec::new(),
    }));
    let changed = DirectoryChange::Update(Box::new(RecordUpdate {
        app_id,
        klaim_id,
        set: Columns {
            name: Some(Some(name)),
            seal_key: keys.seal_version(),
            updated_at: 2,
            ..Columns::default()
        },
        other_email_indexes: Vec::new(),
    }));
    let acts = [
        Act::Enrol(Box::new(sealed_user(keys, ISSUER, &pan))),
        Act::ReEnrol(Box::new(again)),
        Act::Update(Box::new(update)),
        Act::Directory(Box::new(created)),
        Act::Directory(Box::new(changed)),
    ];
    let commit = |(number, act)| Commit {
        nonce: nonce(ISSUER, &format!("{round} {number}")),
        act,
        audit: draft("act"),
        opening: None,
        sealed_under: Some(keys.generation()),
    };
    acts.into_iter().enumerate().map(commit).collect()
}

async fn what_was_sealed_under_other_keys_is_not_written(backend: Backend) {
    let database = TestDatabase::new(backend);
    let rig = Rig::new(&database).await;
    let known = rig.user(ISSUER, PAN);
    let id = known.user_id.clone();
    assert_eq!(rig.writer.commit(enrol(known)).await, Ok(Outcome::Done));
    for round in 1..=4 {
        let before = rig.vault.current();
        match round {
            1 => assert_eq!(rotate_seal(&rig.store, &rig.vault).await, Ok(2)),
            2 => assert_eq!(begin_index_rotation(&rig.store, &rig.vault).await, Ok(2)),
            3 => assert_eq!(retire(&rig, Purpose::Index, 2).await, Ok(vec![1])),
            _ => assert_eq!(retire(&rig, Purpose::Seal, 2).await, Ok(vec![1])),
        }
        let content = database.dump();
        for commit in one_of_each(&before, &id, round) {
            assert_eq!(rig.writer.commit(commit).await, Ok(Outcome::Stale));
        }
        assert_eq!(database.dump(), content, "round {round}");
        // The same calls, sealed with the keys in force: their nonces are unused.
        rig.vault.refresh(&rig.store).await.unwrap();
        for commit in one_of_each(&rig.vault.current(), &id, round) {
            assert_eq!(rig.writer.commit(commit).await, Ok(Outcome::Done));
        }
        for commit in one_of_each(&rig.vault.current(), &id, round) {
            assert_eq!(rig.writer.commit(commit).await, Ok(Outcome::Replayed));
        }
    }
    let stale = rig.vault.current().generation() - 1;
    let change = DirectoryChange::Delete {
        app_id: AppId(1),
        klaim_id: "1_klaim".to_owned(),
    };
    let by_command = rig.store.change_directory(change, stale, draft("act"));
    assert_eq!(by_command.await, Err(StoreError::Busy));
    assert_eq!(database.count("directory_users"), 4);
    assert!(verify(&rig.store).await.is_ok());
}

async fn retire(rig: &Rig, purpose: Purpose, below: i32) -> Result<Vec<i32>, StoreError> {
    rig.store.retire_data_keys_below(purpose, below).await
}

async fn a_stale_commit_does_not_hold_up_its_batch(backend: Backend) {
    let database = TestDatabase::new(backend);
    let rig = Rig::new(&database).await;
    let single = Writer::start(&database.url(), 1, 1_000, Backlog::default()).unwrap();
    let before = rig.vault.current();
    rotate_seal(&rig.store, &rig.vault).await.unwrap();
    let current = rig.vault.current();
    let commits = (0..60).map(|number| {
        // The stale one asks first for the card and the nonce that its neighbour gets.
        let pan = format!("534403{:010}", number / 3);
        let value = format!("nonce {}", number / 3);
        let enrolment = |keys: &VaultKeys| Commit {
            nonce: nonce(ISSUER, &value),
            ..sealed(enrol(sealed_user(keys, ISSUER, &pan)), keys)
        };
        match number % 3 {
            0 => enrolment(&before),
            1 => enrolment(&current),
            _ => record(ISSUER, &format!("refusal {number}")),
        }
    });
    let outcomes = join_all(commits.map(|commit| single.commit(commit))).await;
    for (number, outcome) in outcomes.into_iter().enumerate() {
        let expected = if number % 3 == 0 {
            Outcome::Stale
        } else {
            Outcome::Done
        };
        assert_eq!(outcome, Ok(expected), "{number}");
    }
    assert_eq!(database.count("users WHERE seal_key = 2"), 20);
    assert_eq!(database.count("users"), 20);
    assert_eq!(database.count("oauth_nonces"), 40);
    assert_eq!(
        database.count("audit_entries WHERE request_id IS NOT NULL"),
        40
    );
}

async fn keys_are_promoted_and_retired_by_the_rules(backend: Backend) {
    let database = TestDatabase::new(backend);
    let rig = Rig::new(&database).await;
    let (store, vault) = (&rig.store, &rig.vault);
    assert_eq!(vault.current().generation(), 1, "the first keys were made");
    let place = Place {
        owner: ISSUER.into(),
        row_id: "row",
        column: SealedColumn::CardholderName,
        month: None,
    };
    let first = vault.current().seal(place, b"value").unwrap();

    assert_eq!(rotate_seal(store, vault).await, Ok(2));
    assert_eq!(rotate_seal(store, vault).await, Ok(3));
    let keys = vault.current();
    assert_eq!((keys.generation(), keys.seal_version()), (3, 3));
    assert_eq!(keys.seal(place, b"value").unwrap().key_version, 3);
    assert_eq!(**keys.open_sealed(place, &first.bytes).unwrap(), *b"value");

    assert_eq!(begin_index_rotation(store, vault).await, Ok(2));
    let under_way = Err(RotationError::UnderWay(1));
    assert_eq!(begin_index_rotation(store, vault).await, under_way);
    let during = vault.current();
    assert_eq!(
        during.former_pan_index(ISSUER, PAN),
        Some(keys.pan_index(ISSUER, PAN))
    );
    assert_ne!(during.pan_index(ISSUER, PAN), keys.pan_index(ISSUER, PAN));
    let (app, address) = (AppId(7), "a@example.com");
    assert_eq!(
        during.former_app_email_index(app, address),
        Some(keys.app_email_index(app, address))
    );
    assert_eq!(
        during.former_email_index(ISSUER, address),
        Some(keys.email_index(ISSUER, address))
    );

    for purpose in [Purpose::Seal, Purpose::Index] {
        assert_eq!(retire(&rig, purpose, 1).await, Ok(vec![]));
        for version in [1, 2, 5] {
            let key = vault.new_data_key(purpose, version).unwrap();
            assert_eq!(store.promote_data_key(key).await, Ok(Promoted::Outrun));
        }
    }
    assert_eq!(store.vault_generation().await, Ok(4), "nothing was changed");
    assert_eq!(retire(&rig, Purpose::Index, 2).await, Ok(vec![1]));
    assert_eq!(retire(&rig, Purpose::Index, 2).await, Ok(vec![]));
    // The primary one stays, and several at once are one change.
    assert_eq!(retire(&rig, Purpose::Seal, 9).await, Ok(vec![1, 2]));
    assert_eq!(store.vault_generation().await, Ok(6));
    assert_eq!(vault.refresh(store).await, Ok(true));
    assert_eq!(vault.refresh(store).await, Ok(false));
    let keys = vault.current();
    assert_eq!(keys.generation(), 6);
    assert_eq!(keys.former_pan_index(ISSUER, PAN), None);
    assert!(keys.open_sealed(place, &first.bytes).is_err());
    assert_eq!(begin_index_rotation(store, vault).await, Ok(3));

    let states = "SELECT purpose || ' ' || version || ' ' || state || ' ' || length(wrapped) AS t \
                  FROM data_keys ORDER BY purpose, version";
    let expected = [
        "index 1 retired 0",
        "index 2 active 61",
        "index 3 primary 61",
        "seal 1 retired 0",
        "seal 2 retired 0",
        "seal 3 primary 61",
    ];
    assert_eq!(database.texts(states), expected);
    let entries = "SELECT action || ' ' || subject || ' ' || coalesce(reason, outcome) AS t \
                   FROM audit_entries WHERE action LIKE 'data-key.%' ORDER BY at, seq";
    let expected = [
        "data-key.create seal 1 accepted",
        "data-key.create index 1 accepted",
        "data-key.promote seal 2 accepted",
        "data-key.promote seal 3 accepted",
        "data-key.promote index 2 accepted",
        "data-key.promote index 3 index-rotation-under-way",
        "data-key.retire index 1 accepted",
        "data-key.retire seal 1 accepted",
        "data-key.retire seal 2 accepted",
        "data-key.promote index 3 accepted",
    ];
    assert_eq!(database.texts(entries), expected);
    let again = Vault::open(store, rig.kek.alone()).await.unwrap();
    assert_eq!(again.current().generation(), 7);
}

async fn rotations_at_once_each_make_a_key(backend: Backend) {
    let database = TestDatabase::new(backend);
    let rig = Rig::new(&database).await;
    let nodes = join_all((0..4).map(|_| async {
        let store = Store::open(&database.url(), 2);
        let vault = Vault::open(&store, rig.kek.alone()).await.unwrap();
        (store, vault)
    }))
    .await;
    let mut versions: Vec<i32> = join_all(nodes.iter().map(|(s, v)| rotate_seal(s, v)))
        .await
        .into_iter()
        .map(Result::unwrap)
        .collect();
    versions.sort_unstable();
    assert_eq!(versions, [2, 3, 4, 5]);
    let mut began = join_all(nodes.iter().map(|(s, v)| begin_index_rotation(s, v))).await;
    began.sort_by_key(Result::is_err);
    assert_eq!(began[0], Ok(2));
    assert_eq!(began[1..], vec![Err(RotationError::UnderWay(1)); 3]);
    assert_eq!(database.count("data_keys WHERE state = 'primary'"), 2);
    assert_eq!(rig.store.vault_generation().await, Ok(1 + 4 + 1));
    for (store, vault) in &nodes {
        vault.refresh(store).await.unwrap();
        assert_eq!(vault.current().seal_version(), 5);
    }
}

async fn keys_that_break_the_rules_are_not_loaded(backend: Backend) {
    let database = TestDatabase::new(backend);
    let rig = Rig::new(&database).await;
    rotate_seal(&rig.store, &rig.vault).await.unwrap();
    begin_index_rotation(&rig.store, &rig.vault).await.unwrap();
    assert_eq!(retire(&rig, Purpose::Index, 2).await, Ok(vec![1]));
    begin_index_rotation(&rig.store, &rig.vault).await.unwrap();
    database.execute("CREATE TABLE kept AS SELECT * FROM data_keys");
    let loaded = async || {
        let opened = Vault::open(&rig.store, rig.kek.alone()).await;
        opened.err().map(|error| error.reason())
    };
    assert_eq!(loaded().await, None);
    // What is retired is wiped: it cannot come back.
    let revived = "UPDATE data_keys SET state = 'active' WHERE purpose = 'index' AND version = 1";
    let cases = [
        (
            "UPDATE data_keys SET state = 'active' WHERE state = 'primary'",
            "data-key-no-primary",
        ),
        (
            "UPDATE data_keys SET state = 'primary' WHERE purpose = 'seal'",
            "data-key-no-primary",
        ),
        (revived, "data-key-altered"),
    ];
    for (change, reason) in cases {
        database.execute(change);
        assert_eq!(loaded().await, Some(reason), "{change}");
        database.execute("DELETE FROM data_keys; INSERT INTO data_keys SELECT * FROM kept");
        assert_eq!(loaded().await, None);
    }
    let second_former = DataKeyRow {
        state: "active".to_owned(),
        ..rig.vault.new_data_key(Purpose::Index, 4).unwrap()
    };
    let inserted = rig.store.insert_data_keys_if_absent(vec![second_former]);
    inserted.await.unwrap();
    assert_eq!(loaded().await, Some("data-key-several-former"));
}

async fn a_refresh_that_fails_keeps_the_last_good_keys(backend: Backend) {
    let database = TestDatabase::new(backend);
    let rig = Rig::new(&database).await;
    let other = Vault::open(&rig.store, rig.kek.alone()).await.unwrap();
    rotate_seal(&rig.store, &other).await.unwrap();
    database.execute("UPDATE data_keys SET kek_id = 'another' WHERE version = 2");
    let error = rig.vault.refresh(&rig.store).await.unwrap_err();
    assert_eq!(error.reason(), "kek-wrong");
    assert_eq!(rig.vault.current().seal_version(), 1);
    let kek_id = rig.kek.id();
    database.execute(&format!("UPDATE data_keys SET kek_id = '{kek_id}'"));
    assert_eq!(rig.vault.refresh(&rig.store).await, Ok(true));
    assert_eq!(rig.vault.current().seal_version(), 2);
}
