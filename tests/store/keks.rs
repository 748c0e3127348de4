//! Data keys come under another KEK whole or not at all, and no concurrent change is lost.

use crate::fixture::{ISSUER, PAN, TestKek};
use crate::on_both;
use crate::support::{Backend, TestDatabase};
use issuer_gateway::ids::OwnerId;
use issuer_gateway::rotation;
use issuer_gateway::store::Store;
use issuer_gateway::store::audit::AuditDraft;
use issuer_gateway::store::data_keys::{DataKeyRow, Purpose, Rewrapped};
use issuer_gateway::vault::shares::Share;
use issuer_gateway::vault::{Kek, Keks, Place, SealedColumn, Vault, VaultError};

on_both!(
    every_data_key_comes_under_the_new_kek,
    a_kek_that_is_not_at_hand_changes_nothing,
    a_change_in_between_is_not_lost,
    rotations_at_once_leave_one_kek,
    keks_are_adopted_only_if_they_open_everything,
);

const PLACE: Place<'static> = Place {
    owner: OwnerId::Issuer(ISSUER),
    row_id: "row",
    column: SealedColumn::CardholderName,
    month: None,
};

async fn store_with(database: &TestDatabase, kek: &TestKek) -> (Store, Vault) {
    let store = Store::open(&database.url(), 4);
    let vault = Vault::open(&store, kek.alone()).await.unwrap();
    (store, vault)
}

/// The KEK ids of all data keys, each once.
fn kek_ids(database: &TestDatabase) -> Vec<String> {
    database.texts("SELECT DISTINCT kek_id AS t FROM data_keys WHERE state <> 'retired'")
}

/// `outcome subject detail reason` of every rotation in the trail.
fn trail(database: &TestDatabase) -> Vec<String> {
    database.texts(
        "SELECT outcome || ' ' || subject || ' ' || coalesce(detail, '-') || ' ' || coalesce(reason, '-') AS t \
         FROM audit_entries WHERE action = 'vault.rotate-kek' ORDER BY at, seq",
    )
}

async fn every_data_key_comes_under_the_new_kek(backend: Backend) {
    let database = TestDatabase::new(backend);
    let (old, new) = (TestKek::random(), TestKek::random());
    let (store, vault) = store_with(&database, &old).await;
    let keys = vault.current();
    let sealed = keys.seal(PLACE, b"value").unwrap();
    let index = keys.pan_index(ISSUER, PAN);
    let third = vault.new_data_key(Purpose::Seal, 2).unwrap();
    store.promote_data_key(third).await.unwrap();
    let before = store.data_keys_with_generation().await.unwrap();

    // From two custodians' shares, to show that it is the same KEK.
    let [one, two] = new
        .kek()
        .split()
        .unwrap()
        .map(|text| Share::parse(&text).unwrap());
    let from_shares = Kek::from_shares(&two, &one).unwrap();
    let both = Keks::new(from_shares, vec![old.kek()]);
    assert_eq!(rotation::kek::rotate(&store, &both).await.unwrap(), 3);
    assert_eq!(kek_ids(&database), [new.id()]);
    let after = store.data_keys_with_generation().await.unwrap();
    assert_eq!(after.0, before.0, "writers are not made to seal again");
    for (before, after) in before.1.iter().zip(&after.1) {
        let (kek_id, wrapped) = (after.kek_id.clone(), after.wrapped.clone());
        assert_ne!(before.wrapped, wrapped);
        let expected = DataKeyRow {
            kek_id,
            wrapped,
            ..before.clone()
        };
        assert_eq!(*after, expected);
    }
    assert_eq!(
        trail(&database),
        [format!("accepted {} data-keys=3 -", new.id())]
    );

    // Again: nothing to do, and no entry that says otherwise.
    assert_eq!(rotation::kek::rotate(&store, &both).await.unwrap(), 0);
    assert_eq!(trail(&database).len(), 1);

    let vault = Vault::open(&store, new.alone()).await.unwrap().current();
    assert_eq!(
        **vault.open_sealed(PLACE, &sealed.bytes).unwrap(),
        *b"value"
    );
    assert_eq!(vault.pan_index(ISSUER, PAN), index);
    let error = Vault::open(&store, old.alone()).await.unwrap_err();
    let named = VaultError::WrongKek {
        stored: new.id(),
        given: old.id(),
    };
    assert_eq!(error, named);
    database.assert_no_canary(&[old.0.as_str(), new.0.as_str()]);
}

async fn a_kek_that_is_not_at_hand_changes_nothing(backend: Backend) {
    let database = TestDatabase::new(backend);
    let (old, new, other) = (TestKek::random(), TestKek::random(), TestKek::random());
    let (store, _) = store_with(&database, &old).await;
    let before = store.data_keys().await.unwrap();
    let error = rotation::kek::rotate(&store, &new.and(&[&other]))
        .await
        .unwrap_err();
    let named = VaultError::WrongKek {
        stored: old.id(),
        given: format!("{}, {}", new.id(), other.id()),
    };
    assert_eq!(error, named);
    assert_eq!(store.data_keys().await.unwrap(), before);
    assert_eq!(
        trail(&database),
        [format!("refused {} - kek-wrong", new.id())]
    );

    // One of them suffices to refuse all.
    database.execute("UPDATE data_keys SET kek_id = 'ffffffffffffffff' WHERE purpose = 'index'");
    let error = rotation::kek::rotate(&store, &new.and(&[&old]))
        .await
        .unwrap_err();
    assert!(error.to_string().contains("ffffffffffffffff"), "{error}");
    let untouched = database.texts("SELECT kek_id AS t FROM data_keys WHERE purpose = 'seal'");
    assert_eq!(untouched, [old.id()]);
}

async fn a_change_in_between_is_not_lost(backend: Backend) {
    let database = TestDatabase::new(backend);
    let (old, new) = (TestKek::random(), TestKek::random());
    let (store, vault) = store_with(&database, &old).await;
    let both = new.and(&[&old]);
    let audit = || AuditDraft::local("vault.rotate-kek");
    let rewrapped = |read: &[DataKeyRow]| -> Vec<DataKeyRow> {
        read.iter()
            .filter_map(|key| both.rewrap(key).unwrap())
            .collect()
    };

    // A data key comes.
    let read = store.data_keys().await.unwrap();
    let new_key = vault.new_data_key(Purpose::Seal, 2).unwrap();
    store.promote_data_key(new_key).await.unwrap();
    let before = store.data_keys().await.unwrap();
    let change = store.rewrap_data_keys(read.clone(), rewrapped(&read), audit());
    assert_eq!(change.await.unwrap(), Rewrapped::Changed);
    assert_eq!(store.data_keys().await.unwrap(), before);

    // Somebody else wraps them first, and one goes.
    let read = before;
    assert_eq!(rotation::kek::rotate(&store, &both).await.unwrap(), 3);
    let change = store.rewrap_data_keys(read.clone(), rewrapped(&read), audit());
    assert_eq!(change.await.unwrap(), Rewrapped::Changed);
    let read = store.data_keys().await.unwrap();
    let retired = store.retire_data_keys_below(Purpose::Seal, 2).await;
    assert_eq!(retired, Ok(vec![1]));
    let back = old.and(&[&new]);
    let due: Vec<DataKeyRow> = read
        .iter()
        .filter_map(|key| back.rewrap(key).unwrap())
        .collect();
    let change = store.rewrap_data_keys(read, due, audit());
    assert_eq!(change.await.unwrap(), Rewrapped::Changed);
    assert_eq!(trail(&database).len(), 1, "nothing done, nothing noted");

    // A retired key holds nothing to wrap, and keeps the KEK of its time.
    assert_eq!(rotation::kek::rotate(&store, &back).await.unwrap(), 2);
    let retired = database.texts("SELECT kek_id AS t FROM data_keys WHERE state = 'retired'");
    assert_eq!(retired, [new.id()]);
    assert_eq!(kek_ids(&database), [old.id()]);
}

async fn rotations_at_once_leave_one_kek(backend: Backend) {
    let database = TestDatabase::new(backend);
    let (old, one, two) = (TestKek::random(), TestKek::random(), TestKek::random());
    let (first, vault) = store_with(&database, &old).await;
    let second = Store::open(&database.url(), 2);
    for round in 2..6 {
        let (to_one, to_two) = (one.and(&[&two, &old]), two.and(&[&one, &old]));
        let key = vault.new_data_key(Purpose::Seal, round).unwrap();
        // A key under the oldest KEK comes while two others are put in force.
        let (a, b, c) = tokio::join!(
            rotation::kek::rotate(&first, &to_one),
            rotation::kek::rotate(&second, &to_two),
            first.promote_data_key(key),
        );
        a.unwrap();
        b.unwrap();
        c.unwrap();
        rotation::kek::rotate(&first, &to_one).await.unwrap();
        assert_eq!(kek_ids(&database), [one.id()]);
        let opened = Vault::open(&second, one.alone()).await.unwrap();
        assert_eq!(opened.current().seal_version(), round);
    }
}

async fn keks_are_adopted_only_if_they_open_everything(backend: Backend) {
    let database = TestDatabase::new(backend);
    let (old, new) = (TestKek::random(), TestKek::random());
    let (store, vault) = store_with(&database, &old).await;
    let sealed = vault.current().seal(PLACE, b"value").unwrap();

    let error = vault.adopt(&store, new.alone()).await.unwrap_err();
    assert_eq!(error.reason(), "kek-wrong");
    assert_eq!(vault.kek_ids(), [old.id()], "the last good ones stay");

    vault.adopt(&store, new.and(&[&old])).await.unwrap();
    assert_eq!(vault.kek_ids(), [new.id(), old.id()]);
    let key = vault.new_data_key(Purpose::Seal, 2).unwrap();
    assert_eq!(key.kek_id, new.id(), "the new one wraps from now on");
    store.promote_data_key(key).await.unwrap();
    assert!(vault.refresh(&store).await.unwrap());
    let opened = vault.current().open_sealed(PLACE, &sealed.bytes).unwrap();
    assert_eq!(**opened, *b"value");

    let error = vault.adopt(&store, new.alone()).await.unwrap_err();
    assert!(error.to_string().contains(&old.id()), "{error}");
    rotation::kek::rotate(&store, &new.and(&[&old]))
        .await
        .unwrap();
    vault.adopt(&store, new.alone()).await.unwrap();
    assert_eq!(vault.kek_ids(), [new.id()]);
}
