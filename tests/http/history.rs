//! The twelve months before an enrolment: what came for a card that was not enrolled yet.

use crate::on_both;
use crate::support::gateway::{TestGateway, config, user_id};
use crate::support::{Backend, TestDatabase, until};
use crate::transactions::{groceries, post, verdicts, with};
use issuer_gateway::client::sample;
use issuer_gateway::transactions::history::ForgetRetained;
use serde_json::{Value, json};

on_both!(blocking: an_enrolment_scores_what_was_kept, nothing_is_kept_unless_it_is_set_so,
    kept_transactions_go);

const MERCHANT: &str = "Zebra Canary Market";

fn start(backend: Backend, days: u16) -> TestGateway {
    let database = TestDatabase::new(backend);
    let mut config = config(&database.url_text);
    config.transactions.retain_unenrolled = days;
    let mut gateway = TestGateway::start_with(&config);
    gateway.database = Some(database);
    gateway
}

/// Two purchases of a card, in this month and the one before.
fn purchases(card: &str) -> Vec<Value> {
    let today = chrono::Utc::now().date_naive();
    let former = today - chrono::Months::new(1);
    [("a", today), ("b", former)]
        .map(|(id, day)| {
            let changes = json!({
                "userid": null, "cardNumber": card, "date": day.to_string(), "merchantName": MERCHANT
            });
            with(groceries(id, ""), changes)
        })
        .into()
}

fn an_enrolment_scores_what_was_kept(backend: Backend) {
    let gateway = start(backend, 30);
    let database = gateway.database.as_ref().unwrap();
    let client = gateway.client("demo");
    let enrolment = sample::enrolment("534403");
    let card = enrolment["cardNumber"].as_str().unwrap();
    for _ in 0..2 {
        // Again: it is kept once.
        let answered = post(&client, &purchases(card));
        assert_eq!(verdicts(&answered), ["PAYMENT_CARD_NOT_FOUND"; 2]);
        assert_eq!(database.count("retained_transactions"), 2);
    }
    // Neither another issuer's card nor an id that nobody has.
    let others = [
        with(
            groceries("c", "6f1e6b0c-5c1d-4a55-9d0b-0a1b2c3d4e5f"),
            json!({}),
        ),
        with(
            groceries("d", ""),
            json!({"userid": null, "cardNumber": "4000000000000002"}),
        ),
    ];
    post(&client, &others);
    assert_eq!(database.count("retained_transactions"), 2);
    database.assert_no_canary(&[card, MERCHANT]);

    let id = user_id(&client.enrol(&enrolment));
    let job = || database.texts("SELECT status || ' ' || scored AS t FROM scoring_jobs");
    until("the job has ended", || job() == ["done 2"]);
    assert_eq!(database.count("retained_transactions"), 0);
    assert_eq!(database.count("transaction_months"), 2);
    assert!(gateway.metric("issuer_gateway_scoring_jobs_ended_total{state=\"done\"}") >= 1.0);
    // The issuer sends it again after all: it counts once, and without its merchant it is another.
    let again: Vec<_> = purchases(card)
        .into_iter()
        .map(|item| with(item, json!({"merchantName": null})))
        .collect();
    assert_eq!(verdicts(&post(&client, &again)), ["SUCCESS"; 2]);
    let months = database.count("transaction_months");
    assert_eq!(months, 2);
    let audited = database
        .texts("SELECT subject AS t FROM audit_entries WHERE action = 'transactions.take-over'");
    assert_eq!(audited, [id]);
}

fn nothing_is_kept_unless_it_is_set_so(backend: Backend) {
    let gateway = start(backend, 0);
    let database = gateway.database.as_ref().unwrap();
    let client = gateway.client("demo");
    let enrolment = sample::enrolment("534403");
    let card = enrolment["cardNumber"].as_str().unwrap();
    post(&client, &purchases(card));
    assert_eq!(database.count("retained_transactions"), 0);
}

fn kept_transactions_go(backend: Backend) {
    let gateway = start(backend, 30);
    let database = gateway.database.as_ref().unwrap();
    let client = gateway.client("demo");
    let mut first_card = Vec::new();
    let cards = [0; 4].map(|_| {
        let enrolment = sample::enrolment("534403");
        let card = enrolment["cardNumber"].as_str().unwrap().to_owned();
        post(&client, &purchases(&card));
        if first_card.is_empty() {
            first_card = database.texts("SELECT retained_id AS t FROM retained_transactions");
        }
        (enrolment, card)
    });
    assert_eq!(database.count("retained_transactions"), 8);
    // One too old, one under an index key that is gone; ids are in no order of their cards.
    let of_others = |which| {
        let first = first_card.join("', '");
        format!(
            "(SELECT {which}(retained_id) FROM retained_transactions \
             WHERE retained_id NOT IN ('{first}'))"
        )
    };
    database.execute(&format!(
        "UPDATE retained_transactions SET received_at = received_at - 31 * 86400000000 \
         WHERE retained_id = {}",
        of_others("min")
    ));
    database.execute(&format!(
        "UPDATE retained_transactions SET pan_index_key = 0 WHERE retained_id = {}",
        of_others("max")
    ));
    gateway.start_job(|| ForgetRetained);
    until("they are purged", || {
        database.count("retained_transactions") == 6
    });
    // A cardholder who is inactive, and one who is erased.
    let (enrolment, card) = &cards[0];
    let id = user_id(&client.enrol(enrolment));
    until("the job has ended", || {
        database.texts("SELECT status AS t FROM scoring_jobs") == ["done"]
    });
    let before = database.count("retained_transactions");
    assert_eq!(client.delete(&[&id]).status, 202);
    until("the cardholder is erased", || database.count("cards") == 0);
    assert_eq!(database.count("transaction_months"), 0);
    assert!(before <= 6 && database.count("retained_transactions") == before);
    // Nobody's card any more: what comes now is kept like any other.
    post(&client, &purchases(card));
    assert_eq!(database.count("retained_transactions"), before + 2);
}
