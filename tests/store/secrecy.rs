//! Nothing personal is readable in the database, and a sealed value opens in its place alone.

use crate::fixture::{ISSUER, PAN, Rig, TestKek, enrol};
use crate::on_both;
use crate::support::{Backend, TestDatabase};
use issuer_gateway::ids::IssuerId;
use issuer_gateway::store::Store;
use issuer_gateway::vault::{Place, SealedColumn, Vault, VaultError};

on_both!(
    a_dump_shows_nothing_personal,
    moved_ciphertexts_do_not_open,
    another_kek_is_refused,
    two_nodes_may_make_the_first_keys_at_once,
    altered_data_keys_are_refused,
);

const CANARIES: [&str; 6] = [
    PAN,
    "5344035555",
    "Johnn",
    "Dooe",
    "johnn.dooe@gmail.com",
    "83 Mayfair Street",
];

async fn a_dump_shows_nothing_personal(backend: Backend) {
    let database = TestDatabase::new(backend);
    let rig = Rig::new(&database).await;
    rig.writer
        .commit(enrol(rig.user(ISSUER, PAN)))
        .await
        .unwrap();
    database.assert_no_canary(&CANARIES);
    let dump = database.dump();
    // The scan sees what there is: clear columns and binary ones.
    assert!(dump.contains("5557") && dump.contains("client!key"));
    let index = rig.vault.current().pan_index(ISSUER, PAN);
    assert!(dump.to_lowercase().contains(&hex::encode(index.bytes)));
}

async fn moved_ciphertexts_do_not_open(backend: Backend) {
    let database = TestDatabase::new(backend);
    let rig = Rig::new(&database).await;
    let (one, two) = (rig.user(ISSUER, PAN), rig.user(ISSUER, "5344035555555565"));
    let (id, other_id) = (one.user_id.clone(), two.user_id.clone());
    rig.writer.commit(enrol(one)).await.unwrap();
    rig.writer.commit(enrol(two)).await.unwrap();
    let place = |issuer_id: IssuerId, row_id, column| Place {
        owner: issuer_id.into(),
        row_id,
        column,
        month: None,
    };
    let load = || async {
        rig.store
            .load_sealed_user(ISSUER, &id)
            .await
            .unwrap()
            .unwrap()
    };
    let name_place = place(ISSUER, id.as_str(), SealedColumn::CardholderName);

    let (user, card) = load().await;
    let name = user.profile.name.unwrap();
    assert_eq!(
        **rig.vault.current().open_sealed(name_place, &name).unwrap(),
        *b"Johnn Dooe"
    );
    let card_place = place(ISSUER, id.as_str(), SealedColumn::Card);
    assert_eq!(
        **rig
            .vault
            .current()
            .open_sealed(card_place, &card.unwrap().card)
            .unwrap(),
        *PAN.as_bytes()
    );

    for wrong in [
        place(IssuerId(2), id.as_str(), SealedColumn::CardholderName),
        place(ISSUER, other_id.as_str(), SealedColumn::CardholderName),
        place(ISSUER, id.as_str(), SealedColumn::CardholderLocale),
    ] {
        assert_eq!(
            rig.vault.current().open_sealed(wrong, &name).err(),
            Some(VaultError::DoesNotOpen)
        );
    }
    // Somebody with write access moves values between rows and columns.
    database.execute(&format!(
        "UPDATE users SET name = (SELECT name FROM users WHERE user_id = '{other_id}'), email = name \
         WHERE user_id = '{id}'"
    ));
    let (user, _) = load().await;
    assert_eq!(
        rig.vault
            .current()
            .open_sealed(name_place, &user.profile.name.unwrap())
            .err(),
        Some(VaultError::DoesNotOpen)
    );
    let email_place = place(ISSUER, id.as_str(), SealedColumn::CardholderEmail);
    assert_eq!(
        rig.vault
            .current()
            .open_sealed(email_place, &user.profile.email.unwrap())
            .err(),
        Some(VaultError::DoesNotOpen)
    );
}

async fn another_kek_is_refused(backend: Backend) {
    let database = TestDatabase::new(backend);
    let rig = Rig::new(&database).await;
    let index = rig.vault.current().pan_index(ISSUER, PAN);
    let again = Vault::open(&rig.store, rig.kek.alone()).await.unwrap();
    assert_eq!(again.current().pan_index(ISSUER, PAN), index);

    let other = TestKek::random();
    let error = Vault::open(&rig.store, other.alone()).await.unwrap_err();
    assert_eq!(
        error,
        VaultError::WrongKek {
            stored: rig.kek.id(),
            given: other.id()
        }
    );
    assert_eq!(database.count("data_keys"), 2);
}

async fn two_nodes_may_make_the_first_keys_at_once(backend: Backend) {
    let database = TestDatabase::new(backend);
    let kek = TestKek::random();
    let (a, b) = (
        Store::open(&database.url(), 2),
        Store::open(&database.url(), 2),
    );
    let (a, b) = tokio::join!(Vault::open(&a, kek.alone()), Vault::open(&b, kek.alone()));
    let (a, b) = (a.unwrap().current(), b.unwrap().current());
    assert_eq!(a.pan_index(ISSUER, PAN), b.pan_index(ISSUER, PAN));
    let place = Place {
        owner: ISSUER.into(),
        row_id: "row",
        column: SealedColumn::CardholderName,
        month: None,
    };
    let sealed = a.seal(place, b"value").unwrap();
    assert_eq!(**b.open_sealed(place, &sealed.bytes).unwrap(), *b"value");
    assert_eq!(database.count("data_keys"), 2);
}

async fn altered_data_keys_are_refused(backend: Backend) {
    let database = TestDatabase::new(backend);
    let rig = Rig::new(&database).await;
    database.execute(
        "UPDATE data_keys SET wrapped = (SELECT wrapped FROM data_keys WHERE purpose = 'seal') \
         WHERE purpose = 'index'",
    );
    let error = Vault::open(&rig.store, rig.kek.alone()).await.unwrap_err();
    assert_eq!(error.reason(), "data-key-altered");
    database.execute("UPDATE data_keys SET state = 'active'");
    assert!(Vault::open(&rig.store, rig.kek.alone()).await.is_err());
}
