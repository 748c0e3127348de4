//! An item counts once, however often and wherever it comes.

use super::{enrolled, groceries, post, score, verdicts, with};
use crate::on_both;
use crate::support::Backend;
use crate::support::gateway::{TestGateway, config};
use chrono::Utc;
use issuer_gateway::client::Operation;
use serde_json::{Value, json};

/// Of today, so that it is in the score.
fn of_today(id: &str, user: &str) -> Value {
    let today = Utc::now().date_naive().to_string();
    with(groceries(id, user), json!({"date": today}))
}

on_both!(
    an_item_that_comes_again_gets_its_first_outcome,
    |backend: Backend| {
        let gateway = TestGateway::start(backend);
        let (card, user) = enrolled(&gateway);
        let client = gateway.client("demo");
        let item = of_today("a-1", &user);
        let first = post(&client, std::slice::from_ref(&item));
        let counted = score(&client, &user);
        assert_eq!(
            post(&client, &[item.clone(), item.clone()]),
            [first.clone(), first.clone()].concat()
        );
        // By the card it is the same cardholder's.
        let by_card = with(item.clone(), json!({"userid": null, "cardNumber": card}));
        assert_eq!(post(&client, &[by_card]), first);
        for changes in [
            json!({"amount": {"value": 54.21, "currencyCode": "USD"}}),
            json!({"amount": {"value": 54.2, "currencyCode": "EUR"}}),
            json!({"mcc": "5412"}),
            json!({"date": "2026-01-15"}),
            json!({"countryISOCode": "SWE"}),
            json!({"indicator": "RFT"}),
            json!({"merchantName": "Another"}),
        ] {
            let other = with(item.clone(), changes.clone());
            assert_eq!(
                verdicts(&post(&client, &[other])),
                ["TRANSACTION_CONFLICT"],
                "{changes}"
            );
        }
        assert_eq!(score(&client, &user), counted);
        // The same id is another transaction of another cardholder.
        let (_, second) = enrolled(&gateway);
        assert_eq!(
            verdicts(&post(&client, &[of_today("a-1", &second)])),
            ["SUCCESS"]
        );
        // After a restart.
        let database = gateway.stop().unwrap();
        let config = config(&database.url_text);
        let gateway = TestGateway::start_with(&config);
        let client = gateway.client("demo");
        assert_eq!(post(&client, &[item]), first);
        assert_eq!(score(&client, &user), counted);
    }
);

on_both!(
    two_nodes_that_get_it_at_once_count_it_once,
    |backend: Backend| {
        let first = TestGateway::start(backend);
        let second = TestGateway::start_with(&config(&first.database.as_ref().unwrap().url_text));
        let users: Vec<String> = (0..4).map(|_| enrolled(&first).1).collect();
        let clients = [first.client("demo"), second.client("demo")];
        // Two cardholders without a ledger, two with one, in either order.
        let prior: Vec<Value> = users[..2]
            .iter()
            .map(|user| of_today("prior", user))
            .collect();
        post(&clients[0], &prior);
        for round in 0..5 {
            let items: Vec<Value> = users
                .iter()
                .map(|user| of_today(&format!("r-{round}"), user))
                .collect();
            std::thread::scope(|scope| {
                for (node, client) in clients.iter().enumerate() {
                    let mut items = items.clone();
                    if node == 1 {
                        items.reverse();
                    }
                    scope.spawn(move || {
                        let clear = json!({ "transactions": items });
                        let request = client.prepare(&Operation::PostTransactions, &clear);
                        let outcomes = crate::transactions::outcomes(&client.send(&request));
                        assert!(
                            verdicts(&outcomes)
                                .iter()
                                .all(|verdict| verdict == "SUCCESS")
                        );
                    });
                }
            });
        }
        let one: f64 =
            post(&clients[0], &[of_today("prior", &users[0])])[0]["carbonEmissionInGrams"]
                .as_f64()
                .unwrap();
        for (place, user) in users.iter().enumerate() {
            let items = if place < 2 { 6.0 } else { 5.0 };
            let shown: f64 = score(&clients[1], user).parse().unwrap();
            assert!(
                (shown - items * one).abs() < 0.001,
                "{shown} of {items} items"
            );
        }
    }
);
