//! Rows that were damaged: named, left alone, and the keys that they may still need stay.

use super::rows::{cardholder, enrol_many, pan, settle};
use super::{
    assert_verified, populate, reindex, reindex_telling, reseal, reseal_telling, states,
    verify_telling, versions,
};
use crate::fixture::{ISSUER, Rig};
use crate::on_both;
use crate::support::{Backend, TestDatabase};
use issuer_gateway::ids::CardholderId;
use issuer_gateway::rotation::primary::{begin_index_rotation, rotate_seal};
use issuer_gateway::store::Outcome;

on_both!(
    a_column_that_does_not_open_keeps_its_key,
    a_row_that_denies_its_key_is_found_all_the_same,
    every_kind_of_damage_is_named,
    a_wrong_index_is_made_right,
    a_duplicate_that_slipped_in_is_named_and_left,
);

fn row(table: &str, id: &CardholderId) -> String {
    format!("{table}: issuer {}, user {}", ISSUER.0, id.as_str())
}

async fn a_column_that_does_not_open_keeps_its_key(backend: Backend) {
    let database = TestDatabase::new(backend);
    let rig = Rig::new(&database).await;
    let ids = populate(&rig).await;
    let id = ids[4].as_str();
    database.execute("CREATE TABLE copy AS SELECT user_id, name FROM users");
    database.execute(&format!(
        "UPDATE users SET name = email WHERE user_id = '{id}'"
    ));
    let named = format!(
        "{}: users.name: a sealed value does not open in its place",
        row("users", &ids[4])
    );
    let (verified, misfits) = verify_telling(&rig).await;
    assert_eq!((verified.rows, verified.misfits), (15, 1));
    assert_eq!(misfits, [named.as_str()]);

    rotate_seal(&rig.store, &rig.vault).await.unwrap();
    for rows in [14, 0] {
        let (passed, misfits) = reseal_telling(&rig).await;
        assert_eq!((passed.rows, passed.misfits), (rows, 1));
        assert_eq!((passed.retired, misfits), (Vec::new(), vec![named.clone()]));
        assert_eq!(states(&rig.store, "seal").await, ["active", "primary"]);
    }
    let refused = "SELECT count(*) AS n FROM audit_entries WHERE action = 'vault.rewrap' \
                   AND outcome = 'refused' AND reason = 'rows-do-not-fit' AND subject = 'seal 2'";
    assert_eq!(database.number(refused), 2);

    // Put right, it is brought along.
    database.execute(&format!(
        "UPDATE users SET name = (SELECT name FROM copy WHERE user_id = '{id}') WHERE user_id = '{id}'"
    ));
    let passed = reseal(&rig).await;
    assert_eq!((passed.rows, passed.retired), (1, vec![1]));
    assert_eq!(assert_verified(&rig).await, 15);
}

async fn a_row_that_denies_its_key_is_found_all_the_same(backend: Backend) {
    let database = TestDatabase::new(backend);
    let rig = Rig::new(&database).await;
    let ids = enrol_many(&rig, 0..2).await;
    rotate_seal(&rig.store, &rig.vault).await.unwrap();
    database.execute(&format!(
        "UPDATE users SET seal_key = 2 WHERE user_id = '{}'",
        ids[1].as_str()
    ));
    let (_, misfits) = verify_telling(&rig).await;
    let named = "seal_key: is 2, but a column is sealed under 1";
    assert_eq!(misfits, [format!("{}: {named}", row("users", &ids[1]))]);
    let passed = reseal(&rig).await;
    assert_eq!((passed.rows, passed.retired), (4, vec![1]));
    assert_eq!(assert_verified(&rig).await, 4);
}

async fn every_kind_of_damage_is_named(backend: Backend) {
    let database = TestDatabase::new(backend);
    let rig = Rig::new(&database).await;
    let ids = enrol_many(&rig, 0..5).await;
    let mut ids = ids;
    ids.sort();
    let damage = |number: usize, table: &str, set: &str| {
        let id = ids[number].as_str();
        database.execute(&format!("UPDATE {table} SET {set} WHERE user_id = '{id}'"));
    };
    // In the order in which they are read.
    damage(0, "users", "email_index = NULL, email_index_key = NULL");
    damage(1, "users", "email_index_key = 7");
    damage(2, "users", "email = NULL");
    damage(3, "users", "locale = substr(locale, 1, 9)");
    damage(4, "cards", "pan_index = substr(card, 5, 32)");
    let half = "email_index: value and index are not both there";
    let expected = [
        format!("{}: {half}", row("users", &ids[0])),
        format!(
            "{}: email_index: made with index key 7, which is not in use",
            row("users", &ids[1])
        ),
        format!("{}: {half}", row("users", &ids[2])),
        format!(
            "{}: users.locale: a sealed value does not open in its place",
            row("users", &ids[3])
        ),
        format!(
            "{}: pan_index: is not that of the sealed value",
            row("cards", &ids[4])
        ),
    ];
    let (verified, misfits) = verify_telling(&rig).await;
    assert_eq!((verified.rows, verified.misfits), (10, 5));
    assert_eq!(misfits, expected);
}

async fn a_wrong_index_is_made_right(backend: Backend) {
    let database = TestDatabase::new(backend);
    let rig = Rig::new(&database).await;
    enrol_many(&rig, 0..3).await;
    database.execute("UPDATE cards SET pan_index = substr(card, 5, 32)");
    assert_eq!(verify_telling(&rig).await.0.misfits, 3);
    begin_index_rotation(&rig.store, &rig.vault).await.unwrap();
    assert_eq!(reindex(&rig).await.rows, 6);
    assert_eq!(assert_verified(&rig).await, 6);
}

async fn a_duplicate_that_slipped_in_is_named_and_left(backend: Backend) {
    let database = TestDatabase::new(backend);
    let rig = Rig::new(&database).await;
    enrol_many(&rig, 0..4).await;
    // Somebody takes the index away, and the card is enrolled a second time.
    database.execute("UPDATE cards SET pan_index = substr(card, 5, 32)");
    let again = settle(&rig, |keys| cardholder(keys, &pan(2))).await;
    assert_eq!(again, Outcome::Done);
    begin_index_rotation(&rig.store, &rig.vault).await.unwrap();
    let (passed, misfits) = reindex_telling(&rig).await;
    // Of the two rows with the same card the first one in order has it.
    assert_eq!((passed.rows, passed.misfits), (9, 1));
    assert_eq!(misfits.len(), 1);
    let named = "pan_index: another row has the same value";
    assert!(
        misfits[0].starts_with("cards: ") && misfits[0].ends_with(named),
        "{misfits:?}"
    );
    assert_eq!(states(&rig.store, "index").await, ["active", "primary"]);
    assert_eq!(versions(&rig.store).await.1, [1, 2]);
}
