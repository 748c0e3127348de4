//! While index keys rotate, a card is the same card whether its row is under the former key or the
//! new one.

use crate::fixture::{ISSUER, Rig, draft, enrol, sealed_user, writer};
use crate::on_both;
use crate::support::{Backend, TestDatabase};
use futures_util::future::{join, join_all};
use issuer_gateway::ids::{AppId, CardholderId};
use issuer_gateway::rotation::primary::begin_index_rotation;
use issuer_gateway::store::Outcome;
use issuer_gateway::store::data_keys::Purpose;
use issuer_gateway::store::directory::SealedRecord;
use issuer_gateway::store::directory::changes::{
    Columns, DirectoryChange, NewRecord, RecordUpdate, Taken,
};
use issuer_gateway::store::writer::{Act, Commit, NewCardholder};
use issuer_gateway::vault::{BlindIndex, VaultKeys};

on_both!(
    no_duplicate_slips_in_while_cards_move,
    of_many_at_once_one_gets_a_new_card,
    users_enrol_again_under_either_key,
    an_address_is_held_under_either_key,
);

fn pan(number: usize) -> String {
    format!("534403{number:010}")
}

fn literal(backend: Backend, index: &BlindIndex) -> String {
    let hex = hex::encode(index.bytes);
    match backend {
        Backend::Sqlite => format!("X'{hex}'"),
        Backend::Postgres => format!("'\\x{hex}'"),
    }
}

/// Brings a card under the new index key, as the pass over all rows will: one update of one row.
fn move_card(database: &TestDatabase, keys: &VaultKeys, user_id: &CardholderId, pan: &str) {
    let index = keys.pan_index(ISSUER, pan);
    let bytes = literal(database.backend, &index);
    let key = index.key_version;
    database.execute(&format!(
        "UPDATE cards SET pan_index = {bytes}, pan_index_key = {key} WHERE user_id = '{user_id}'"
    ));
}

fn sealed(keys: &VaultKeys, user: NewCardholder) -> Commit {
    crate::data_keys::sealed(enrol(user), keys)
}

async fn enrolled(rig: &Rig, count: usize) -> Vec<CardholderId> {
    let keys = rig.vault.current();
    let users: Vec<NewCardholder> = (0..count)
        .map(|number| sealed_user(&keys, ISSUER, &pan(number)))
        .collect();
    let ids = users.iter().map(|user| user.user_id.clone()).collect();
    let commits = users.into_iter().map(|user| sealed(&keys, user));
    for outcome in join_all(commits.map(|commit| rig.writer.commit(commit))).await {
        assert_eq!(outcome, Ok(Outcome::Done));
    }
    ids
}

async fn no_duplicate_slips_in_while_cards_move(backend: Backend) {
    let database = TestDatabase::new(backend);
    let rig = Rig::new(&database).await;
    let second = writer(&database);
    let ids = enrolled(&rig, 40).await;
    begin_index_rotation(&rig.store, &rig.vault).await.unwrap();
    let keys = rig.vault.current();

    let attempts = async {
        for round in 0..8 {
            let attempt = |number: usize| {
                let writer = if (number + round).is_multiple_of(2) {
                    &rig.writer
                } else {
                    &second
                };
                writer.commit(sealed(&keys, sealed_user(&keys, ISSUER, &pan(number))))
            };
            let outcomes = join_all((0..40).map(attempt)).await;
            for (outcome, id) in outcomes.into_iter().zip(&ids) {
                assert_eq!(outcome, Ok(Outcome::CardTaken(Some(id.clone()))));
            }
        }
    };
    // Meanwhile every second card moves, one after the other.
    let moving = async {
        for (number, user_id) in ids.iter().enumerate().step_by(2) {
            tokio::task::block_in_place(|| move_card(&database, &keys, user_id, &pan(number)));
            tokio::task::yield_now().await;
        }
    };
    join(attempts, moving).await;
    assert_eq!(database.count("cards WHERE pan_index_key = 2"), 20);
    assert_eq!(database.count("cards"), 40);
    assert_eq!(database.count("users"), 40);

    for (number, user_id) in ids.iter().enumerate() {
        move_card(&database, &keys, user_id, &pan(number));
    }
    let retired = rig.store.retire_data_keys_below(Purpose::Index, 2).await;
    assert_eq!(retired, Ok(vec![1]));
    let stale = sealed(&keys, sealed_user(&keys, ISSUER, &pan(99)));
    assert_eq!(rig.writer.commit(stale).await, Ok(Outcome::Stale));
    rig.vault.refresh(&rig.store).await.unwrap();
    let keys = rig.vault.current();
    for (number, id) in ids.iter().enumerate() {
        let user = sealed_user(&keys, ISSUER, &pan(number));
        assert_eq!(user.card.former_pan_index, None);
        let outcome = rig.writer.commit(sealed(&keys, user)).await;
        assert_eq!(outcome, Ok(Outcome::CardTaken(Some(id.clone()))));
    }
    assert_eq!(database.count("cards"), 40);
}

async fn of_many_at_once_one_gets_a_new_card(backend: Backend) {
    let database = TestDatabase::new(backend);
    let rig = Rig::new(&database).await;
    let second = writer(&database);
    begin_index_rotation(&rig.store, &rig.vault).await.unwrap();
    let keys = rig.vault.current();
    let attempts = (0..120).map(|number| {
        let writer = if number % 2 == 0 {
            &rig.writer
        } else {
            &second
        };
        let user = sealed_user(&keys, ISSUER, &pan(number / 12));
        assert_eq!(user.card.former_pan_index.as_ref().unwrap().key, 1);
        writer.commit(sealed(&keys, user))
    });
    let outcomes = join_all(attempts).await;
    for card in outcomes.chunks(12) {
        let done = card.iter().filter(|o| **o == Ok(Outcome::Done)).count();
        let taken = card
            .iter()
            .filter(|o| matches!(o, Ok(Outcome::CardTaken(Some(_)))));
        assert_eq!((done, taken.count()), (1, 11), "{card:?}");
    }
    assert_eq!(database.count("cards WHERE pan_index_key = 2"), 10);
    assert_eq!(database.count("cards"), 10);
}

async fn users_enrol_again_under_either_key(backend: Backend) {
    let database = TestDatabase::new(backend);
    let rig = Rig::new(&database).await;
    let ids = enrolled(&rig, 10).await;
    begin_index_rotation(&rig.store, &rig.vault).await.unwrap();
    let keys = rig.vault.current();
    for (number, user_id) in ids.iter().enumerate().step_by(2) {
        move_card(&database, &keys, user_id, &pan(number));
    }
    let nonces = database.count("oauth_nonces");
    let again = |number: usize| NewCardholder {
        enrolment_epoch: 2,
        ..sealed_user(&keys, ISSUER, &pan(number))
    };
    // All at once, and one whose card is new.
    let commits = (0..11).map(|number| rig.writer.commit(sealed(&keys, again(number))));
    let outcomes = join_all(commits).await;
    for (id, outcome) in ids.iter().zip(&outcomes) {
        assert_eq!(*outcome, Ok(Outcome::MustReEnrol(id.clone())));
    }
    assert_eq!(outcomes[10], Ok(Outcome::Done));
    assert_eq!(database.count("oauth_nonces"), nonces + 1, "given back");

    for (number, id) in ids.iter().enumerate() {
        let user = NewCardholder {
            user_id: id.clone(),
            ..again(number)
        };
        let refreshing = || Commit {
            act: Act::ReEnrol(Box::new(user.clone())),
            ..sealed(&keys, user.clone())
        };
        assert_eq!(rig.writer.commit(refreshing()).await, Ok(Outcome::Done));
        let second = rig.writer.commit(refreshing()).await;
        assert_eq!(second, Ok(Outcome::CardTaken(Some(id.clone()))));
        // Who is of this epoch already is taken, wherever its card is.
        let outcome = rig.writer.commit(sealed(&keys, again(number))).await;
        assert_eq!(outcome, Ok(Outcome::CardTaken(Some(id.clone()))));
    }
    assert_eq!(database.count("cards"), 11);
    assert_eq!(
        database.count("users WHERE enrolment_epoch = 2 AND email_index_key = 2"),
        11
    );
    assert_eq!(
        database.count("cards WHERE pan_index_key = 1"),
        5,
        "enrolling again leaves a card under its index key"
    );
}

const APP: AppId = AppId(1);

fn record(keys: &VaultKeys, user_id: &str, address: &str) -> NewRecord {
    let others = keys.former_app_email_index(APP, address).into_iter();
    let index = keys.app_email_index(APP, address);
    NewRecord {
        row: SealedRecord {
            app_id: APP.0,
            klaim_id: format!("klaim {user_id}"),
            user_id: user_id.to_owned(),
            number: None,
            name: None,
            first_name: None,
            last_name: None,
            username: None,
            email: Some(b"sealed".to_vec()),
            metadata: None,
            email_index: Some(index.bytes.to_vec()),
            email_index_key: Some(index.key_version),
            seal_key: 1,
            created_at: 1,
            updated_at: 1,
        },
        other_email_indexes: others.map(Into::into).collect(),
    }
}

/// A change of the e-mail address alone.
fn new_address(keys: &VaultKeys, user_id: &str, address: &str) -> RecordUpdate {
    let new = record(keys, user_id, address);
    RecordUpdate {
        app_id: APP,
        klaim_id: new.row.klaim_id,
        set: Columns {
            email: Some(new.row.email),
            email_index: Some(new.row.email_index),
            email_index_key: Some(new.row.email_index_key),
            seal_key: 1,
            updated_at: 2,
            ..Columns::default()
        },
        other_email_indexes: new.other_email_indexes,
    }
}

async fn an_address_is_held_under_either_key(backend: Backend) {
    let database = TestDatabase::new(backend);
    let rig = Rig::new(&database).await;
    let commit = async |keys: &VaultKeys, change: DirectoryChange| {
        let commit = Commit {
            nonce: None,
            act: Act::Directory(Box::new(change)),
            audit: draft("directory"),
            opening: None,
            sealed_under: Some(keys.generation()),
        };
        rig.writer.commit(commit).await.unwrap()
    };
    let create = |new: NewRecord| DirectoryChange::Create(Box::new(new));
    let update = |update: RecordUpdate| DirectoryChange::Update(Box::new(update));
    let before = rig.vault.current();
    for (user_id, address) in [("moved", "m@example.com"), ("left", "l@example.com")] {
        let made = commit(&before, create(record(&before, user_id, address))).await;
        assert_eq!(made, Outcome::Done);
    }
    begin_index_rotation(&rig.store, &rig.vault).await.unwrap();
    let keys = rig.vault.current();
    let index = keys.app_email_index(APP, "m@example.com");
    let bytes = literal(backend, &index);
    database.execute(&format!(
        "UPDATE directory_users SET email_index = {bytes}, email_index_key = 2 WHERE user_id = 'moved'"
    ));
    let free = commit(&keys, create(record(&keys, "new", "n@example.com"))).await;
    assert_eq!(free, Outcome::Done);

    let taken = Outcome::Taken(Taken::Email);
    for (holder, address) in [
        ("moved", "M@example.com"),
        ("left", "L@example.com"),
        ("new", "N@example.com"),
    ] {
        let made = commit(&keys, create(record(&keys, "other", address))).await;
        assert_eq!(made, taken, "{holder}");
        for user_id in ["moved", "left", "new"] {
            let set = commit(&keys, update(new_address(&keys, user_id, address))).await;
            // One's own address is no conflict, and comes under the new key.
            let expected = if user_id == holder {
                Outcome::Done
            } else {
                taken.clone()
            };
            assert_eq!(set, expected, "{user_id} wants the address of {holder}");
        }
    }
    assert_eq!(
        database.count("directory_users WHERE email_index_key = 2"),
        3
    );
    let reasons = "audit_entries WHERE reason = 'email-taken' AND action = 'directory'";
    assert_eq!(database.count(reasons), 9);
}
