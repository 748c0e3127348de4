//! One set of data keys, built from rows without a database.

use super::data_keys::{build, make, missing, unwrap_all};
use super::*;
use crate::store::data_keys::DataKeyState;

const ISSUER: IssuerId = IssuerId(7);
const APP: AppId = AppId(7);

fn keks() -> Keks {
    Keks::new(
        Kek::from_base64(&Kek::generate().unwrap()).unwrap(),
        Vec::new(),
    )
}

/// A new key in this state.
fn row(keks: &Keks, purpose: Purpose, version: i32, state: DataKeyState) -> DataKeyRow {
    DataKeyRow {
        state: state.as_str().to_owned(),
        ..make(keks, purpose, version).unwrap()
    }
}

fn set(keks: &Keks, rows: &[DataKeyRow]) -> Result<VaultKeys, VaultError> {
    build(9, rows, unwrap_all(rows, keks)?)
}

/// Seal keys 3 (active) and 4 (primary), index keys 5 (active) and 6 (primary).
fn rows(keks: &Keks) -> Vec<DataKeyRow> {
    vec![
        row(keks, Purpose::Seal, 3, DataKeyState::Active),
        row(keks, Purpose::Seal, 4, DataKeyState::Primary),
        row(keks, Purpose::Index, 5, DataKeyState::Active),
        row(keks, Purpose::Index, 6, DataKeyState::Primary),
    ]
}

/// The same rows, with another one as the primary key of its purpose and without the others of it.
fn only(rows: &[DataKeyRow], purpose: Purpose, version: i32) -> Vec<DataKeyRow> {
    let kept = rows
        .iter()
        .filter(|row| row.purpose != purpose.as_str() || row.version == version);
    let primary = |row: &DataKeyRow| DataKeyRow {
        state: match row.purpose == purpose.as_str() {
            true => DataKeyState::Primary.as_str().to_owned(),
            false => row.state.clone(),
        },
        ..row.clone()
    };
    kept.map(primary).collect()
}

#[test]
fn a_set_names_its_generation_and_primary_versions() {
    let keks = keks();
    let keys = set(&keks, &rows(&keks)).unwrap();
    assert_eq!(keys.generation(), 9);
    assert_eq!(keys.seal_version(), 4);
    assert_eq!(keys.index_version(), 6);
    assert_eq!(format!("{keys:?}"), "VaultKeys(9)");
}

#[test]
fn values_open_in_their_place_under_every_active_key() {
    let keks = keks();
    let rows = rows(&keks);
    let keys = set(&keks, &rows).unwrap();
    let place = Place::of_issuer(ISSUER, "row", SealedColumn::Card);
    let older = set(&keks, &only(&rows, Purpose::Seal, 3)).unwrap();
    for (sealed, version) in [
        (keys.seal(place, b"clear"), 4),
        (older.seal(place, b"clear"), 3),
    ] {
        let sealed = sealed.unwrap();
        assert_eq!(sealed.key_version, version);
        assert_eq!(*keys.open_sealed(place, &sealed.bytes).unwrap(), b"clear");
        let elsewhere = Place::of_issuer(ISSUER, "other", SealedColumn::Card);
        let error = keys.open_sealed(elsewhere, &sealed.bytes).unwrap_err();
        assert_eq!(error, VaultError::DoesNotOpen);
    }
}

#[test]
fn the_former_index_is_that_of_the_active_key() {
    let keks = keks();
    let rows = rows(&keks);
    let keys = set(&keks, &rows).unwrap();
    let former = set(&keks, &only(&rows, Purpose::Index, 5)).unwrap();
    let address = "a@b.cc";
    let pairs = [
        (
            keys.former_pan_index(ISSUER, "5344"),
            former.pan_index(ISSUER, "5344"),
            keys.pan_index(ISSUER, "5344"),
        ),
        (
            keys.former_email_index(ISSUER, address),
            former.email_index(ISSUER, address),
            keys.email_index(ISSUER, address),
        ),
        (
            keys.former_app_email_index(APP, address),
            former.app_email_index(APP, address),
            keys.app_email_index(APP, address),
        ),
    ];
    for (under_former, expected, under_primary) in pairs {
        assert_eq!(under_former, Some(expected));
        assert_eq!(under_former.unwrap().key_version, 5);
        assert_eq!(under_primary.key_version, 6);
    }
    assert_eq!(former.former_pan_index(ISSUER, "5344"), None);
    assert_eq!(former.former_email_index(ISSUER, address), None);
    assert_eq!(former.former_app_email_index(APP, address), None);
}

#[test]
fn addresses_are_indexed_without_case_and_white_space() {
    let keks = keks();
    let keys = set(&keks, &rows(&keks)).unwrap();
    let index = keys.email_index(ISSUER, "jane@example.com");
    assert_eq!(keys.email_index(ISSUER, " Jane@EXAMPLE.com\n"), index);
    assert_ne!(keys.email_index(ISSUER, "june@example.com"), index);
    assert_ne!(keys.email_index(IssuerId(8), "jane@example.com"), index);
    let of_app = keys.app_email_index(APP, "jane@example.com");
    assert_eq!(keys.app_email_index(APP, "JANE@example.com"), of_app);
    assert_ne!(of_app, index, "an app is no issuer");
}

#[test]
fn a_set_has_one_primary_key_of_each_purpose_and_one_former_index_key_at_most() {
    let keks = keks();
    let good = rows(&keks);
    for purpose in [Purpose::Seal, Purpose::Index] {
        let mut none = good.clone();
        none.retain(|row| row.purpose != purpose.as_str() || row.state != "primary");
        let error = set(&keks, &none).unwrap_err();
        assert_eq!(error, VaultError::NoPrimary(purpose.as_str()));
        let mut two = good.clone();
        two.push(row(&keks, purpose, 8, DataKeyState::Primary));
        let error = set(&keks, &two).unwrap_err();
        assert_eq!(error, VaultError::NoPrimary(purpose.as_str()));
    }
    let mut further = good.clone();
    further.push(row(&keks, Purpose::Index, 8, DataKeyState::Active));
    let error = set(&keks, &further).unwrap_err();
    assert_eq!(error, VaultError::SeveralFormerIndexKeys);
    for state in ["retired", "active"] {
        let mut rows = good.clone();
        rows[2].wrapped.clear();
        rows[2].state = state.to_owned();
        let former = set(&keks, &rows).map(|keys| keys.former_pan_index(ISSUER, "5344"));
        match state {
            "retired" => assert_eq!(former, Ok(None), "nothing of a retired key is unwrapped"),
            _ => assert!(matches!(former, Err(VaultError::AlteredDataKey { .. }))),
        }
    }
}

#[test]
fn an_empty_database_gets_the_first_key_of_each_purpose() {
    let keks = keks();
    let first = missing(&[], &keks).unwrap();
    let named = |rows: &[DataKeyRow]| -> Vec<(String, i32, String)> {
        let name = |row: &DataKeyRow| (row.purpose.clone(), row.version, row.state.clone());
        rows.iter().map(name).collect()
    };
    let primary = |purpose: &str| (purpose.to_owned(), 1, "primary".to_owned());
    assert_eq!(named(&first), [primary("seal"), primary("index")]);
    assert_eq!(named(&missing(&first, &keks).unwrap()), []);
    assert_eq!(
        named(&missing(&first[..1], &keks).unwrap()),
        [primary("index")]
    );
    assert!(set(&keks, &first).is_ok());
}

#[test]
fn a_vault_shows_the_ids_of_its_keks_and_nothing_else() {
    let keks = keks();
    let id = keks.primary().id().to_owned();
    let keys = set(&keks, &rows(&keks)).unwrap();
    let vault = Vault {
        keks: ArcSwap::from_pointee(keks),
        current: ArcSwap::from_pointee(keys),
        refreshing: Mutex::new(()),
    };
    assert_eq!(vault.kek_ids(), [id]);
    assert_eq!(format!("{vault:?}"), "Vault(…)");
    assert_eq!(vault.current().generation(), 9);
    let made = vault.new_data_key(Purpose::Seal, 5).unwrap();
    assert_eq!((made.version, made.state.as_str()), (5, "primary"));
}
