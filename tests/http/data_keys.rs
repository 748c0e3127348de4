//! The data keys change under nodes that serve: calls under way are done all the same, and a card
//! stays single.

use crate::on_both;
use crate::support::at_rest::{audit_trail, sealed, stored};
use crate::support::gateway::{TestGateway, assert_refused, config, user_id};
use crate::support::{Backend, Over, until};
use issuer_gateway::client::sample;
use issuer_gateway::rotation::primary::{begin_index_rotation, rotate_seal};
use issuer_gateway::store::data_keys::Purpose;
use serde_json::Value;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

/// A node, and another one on its database, on which the operator's commands are run.
pub(crate) fn two_nodes(backend: Backend) -> (TestGateway, TestGateway) {
    let first = TestGateway::start(backend);
    let second = TestGateway::start_with(&config(&first.database.as_ref().unwrap().url_text));
    (first, second)
}

/// Makes a new primary seal key, which only this node knows of at first; returns its version.
pub(crate) fn rotate(gateway: &TestGateway) -> i32 {
    let (store, vault) = (&gateway.gateway.store, &gateway.gateway.vault);
    gateway.block_on(rotate_seal(store, vault)).unwrap()
}

/// Begins an index rotation, of which only this node knows at first.
pub(crate) fn begin(gateway: &TestGateway) {
    let (store, vault) = (&gateway.gateway.store, &gateway.gateway.vault);
    gateway
        .block_on(begin_index_rotation(store, vault))
        .unwrap();
}

/// Bytes as this database writes them in SQL.
pub(crate) fn literal(gateway: &TestGateway, bytes: &[u8]) -> String {
    match gateway.database.as_ref().unwrap().backend {
        Backend::Sqlite => format!("X'{}'", hex::encode(bytes)),
        Backend::Postgres => format!("'\\x{}'", hex::encode(bytes)),
    }
}

/// Brings a user's card under the primary index key, as the pass over all rows will: one update of
/// one row.
pub(crate) fn move_card(gateway: &TestGateway, user_id: &str, enrolment: &Value) {
    let keys = gateway.gateway.vault.current();
    let pan = enrolment["cardNumber"].as_str().unwrap();
    let index = keys.pan_index(gateway.issuer_id("demo"), pan);
    let bytes = literal(gateway, &index.bytes);
    gateway.database.as_ref().unwrap().execute(&format!(
        "UPDATE cards SET pan_index = {bytes}, pan_index_key = {} WHERE user_id = '{user_id}'",
        index.key_version
    ));
}

/// Waits until so many more calls are answered.
pub(crate) fn until_risen(answered: &AtomicUsize, more: usize) {
    let wanted = answered.load(Ordering::Relaxed) + more;
    until("calls go on", || answered.load(Ordering::Relaxed) >= wanted);
}

on_both!(
    a_node_that_missed_a_change_goes_on_at_once,
    |backend: Backend| {
        let (first, second) = two_nodes(backend);
        let client = first.client("demo");
        let before = audit_trail(&first).len();
        // It polls once a second: most of the time it learns of the change from the writer.
        for round in 1..=12 {
            let version = rotate(&second);
            let enrolment = sample::enrolment("534403");
            let id = user_id(&client.enrol(&enrolment));
            let (user, card) = sealed(&first, "demo", &id);
            assert_eq!((user.seal_key, card.seal_key), (version, version));
            assert_eq!(stored(&second, "demo", &id), enrolment);
            assert_eq!(first.gateway.vault.current().seal_version(), version);

            rotate(&second);
            let mut update = sample::update();
            update["email"] = serde_json::json!({"value": "new@example.com"});
            assert_eq!(client.update(&id, &update).status, 200);
            let (user, _) = sealed(&first, "demo", &id);
            assert_eq!(user.seal_key, version, "the lowest that is left in the row");
            assert_eq!(stored(&first, "demo", &id)["email"], update["email"]);
            // One entry for each call, however often it was sealed.
            assert_eq!(audit_trail(&first).len(), before + 2 * round);
        }
    }
);

on_both!(
    cards_stay_single_through_an_index_rotation,
    |backend: Backend| {
        let (first, second) = two_nodes(backend);
        let cards: Vec<Value> = (0..12).map(|_| sample::enrolment("534403")).collect();
        let ids: Vec<Mutex<Vec<String>>> = cards.iter().map(|_| Mutex::default()).collect();
        // So many of the cards are tried; more of them in each phase.
        let (tried, answered) = (AtomicUsize::new(4), AtomicUsize::new(0));
        let over = AtomicBool::new(false);
        let database = first.database.as_ref().unwrap();
        std::thread::scope(|scope| {
            let _over = Over(&over);
            for node in [&first, &second, &first, &second] {
                let (cards, ids, tried, answered, over) = (&cards, &ids, &tried, &answered, &over);
                scope.spawn(move || {
                    let client = node.client("demo");
                    while !over.load(Ordering::Relaxed) {
                        let tried = tried.load(Ordering::Relaxed);
                        for (card, ids) in cards.iter().zip(ids).take(tried) {
                            let answer = client.enrol(card);
                            if answer.status == 200 {
                                ids.lock().unwrap().push(user_id(&answer));
                            } else {
                                assert_refused(&answer, 400, &["USER_ALREADY_EXISTS"]);
                            }
                            answered.fetch_add(1, Ordering::Relaxed);
                        }
                    }
                });
            }
            // A card is enrolled, and refused a few times after that.
            let held = |card: usize| {
                until("the card is enrolled", || {
                    !ids[card].lock().unwrap().is_empty()
                });
                until_risen(&answered, 2 * cards.len());
                ids[card].lock().unwrap()[0].clone()
            };
            held(3);
            begin(&second);
            tried.store(8, Ordering::Relaxed);
            // The old ones move while they and new ones are tried.
            let following = first.gateway.vault.refresh(&first.gateway.store);
            first.block_on(following).unwrap();
            for (number, card) in cards.iter().enumerate().take(4) {
                move_card(&first, &held(number), card);
            }
            held(7);
            assert_eq!(database.count("cards WHERE pan_index_key = 1"), 0);
            let store = &second.gateway.store;
            let retired = second.block_on(store.retire_data_keys_below(Purpose::Index, 2));
            assert_eq!(retired, Ok(vec![1]));
            tried.store(12, Ordering::Relaxed);
            held(11);
        });
        for ids in &ids {
            assert_eq!(ids.lock().unwrap().len(), 1, "enrolled once");
        }
        for table in ["cards WHERE pan_index_key = 2", "cards", "users"] {
            assert_eq!(database.count(table), 12, "{table}");
        }
        for (card, ids) in cards.iter().zip(&ids) {
            assert_eq!(stored(&first, "demo", &ids.lock().unwrap()[0]), *card);
        }
    }
);
