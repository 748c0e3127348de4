//! What each item, and each call, is answered.

use super::{ask_score, enrolled, groceries, outcomes, post, score, send, verdicts, with};
use crate::on_both;
use crate::support::Backend;
use crate::support::gateway::{TestGateway, assert_refused};
use chrono::{Days, Utc};
use issuer_gateway::client::{Operation, sample};
use issuer_gateway::payload::EnvelopeKind;
use issuer_gateway::store::cardholders::CardholderStatus;
use serde_json::{Value, json};

on_both!(an_item_is_answered_with_its_score, |backend: Backend| {
    let gateway = TestGateway::start(backend);
    let (card, user) = enrolled(&gateway);
    let client = gateway.client("demo");
    let by_id = with(groceries("a-1", &user), json!({"cardBrand": "MA"}));
    let by_card = with(
        groceries("a-2", &user),
        json!({"userid": null, "cardNumber": card, "merchantName": "Corner Store"}),
    );
    let answers = post(&client, &[by_id, by_card]);
    let expected = json!({
        "transactionId": "a-1", "scoreStatus": "SUCCESS",
        "carbonEmissionInGrams": 24213.32, "carbonEmissionInOunces": 854.1,
        "confidence": "medium", "scoreReference": "MCC", "factorSet": "ig-2026.1", "cardBrand": "MA",
        "category": {
            "mainCategory": answers[0]["category"]["mainCategory"],
            "subCategory": answers[0]["category"]["subCategory"],
            "sector": answers[0]["category"]["sector"],
            "sectorCode": answers[0]["category"]["sectorCode"],
        }
    });
    assert_eq!(answers[0], expected);
    assert!(answers[0]["category"]["sector"].as_str().unwrap().len() > 3);
    assert_eq!(answers[1]["carbonEmissionInGrams"], 24213.32);
    assert!(answers[1].get("cardBrand").is_none());
});

on_both!(
    bad_items_do_not_fail_their_neighbours,
    |backend: Backend| {
        let gateway = TestGateway::start(backend);
        let (_, user) = enrolled(&gateway);
        let client = gateway.client("demo");
        let item = |id: &str, changes: Value| with(groceries(id, &user), changes);
        let day = |days: u64| {
            let date = Utc::now().date_naive().checked_add_days(Days::new(days));
            date.unwrap().to_string()
        };
        let foreign = sample::card_number("222300");
        let nobody = sample::card_number("534403");
        let items = [
            item("b-1", json!({})),
            item("b-2", json!({"mcc": "54112"})),
            item("b-3", json!({"mcc": "9999"})),
            item(
                "b-4",
                json!({"amount": {"value": 1, "currencyCode": "CLP"}}),
            ),
            item("b-5", json!({"date": "2025-01-31"})),
            item("b-6", json!({"date": day(2)})),
            item("b-7", json!({"date": day(1)})),
            item("b-8", json!({"userid": null, "cardNumber": foreign})),
            item("b-9", json!({"userid": null, "cardNumber": nobody})),
            item(
                "b-10",
                json!({"userid": "00000000-0000-4000-8000-000000000000"}),
            ),
            item("b-11", json!({"cardNumber": nobody})),
            item("b-12", json!({"userid": null})),
            item("b 13", json!({})),
            item(
                "b-14",
                json!({"amount": {"value": 54.201, "currencyCode": "USD"}}),
            ),
            item("b-15", json!({"indicator": "AT"})),
            item("b-16", json!({"mcc": "6011"})),
            json!("no object"),
            item("b-18", json!({"date": "15-01-2026", "mcc": "742"})),
        ];
        let answers = post(&client, &items);
        assert_eq!(
            verdicts(&answers),
            [
                "SUCCESS",
                "INVALID_REQUEST_PARAMETER",
                "INVALID_MCC",
                "UNSUPPORTED_CURRENCY",
                "OUTSIDE_WINDOW",
                "OUTSIDE_WINDOW",
                "SUCCESS",
                "PAYMENT_CARD_NOT_FOUND",
                "PAYMENT_CARD_NOT_FOUND",
                "PAYMENT_CARD_NOT_FOUND",
                "INVALID_REQUEST_PARAMETER",
                "INVALID_REQUEST_PARAMETER",
                "INVALID_REQUEST_PARAMETER",
                "INVALID_REQUEST_PARAMETER",
                "SUCCESS",
                "SUCCESS",
                "INVALID_REQUEST_PARAMETER",
                "SUCCESS",
            ]
        );
        let says = |place: usize| answers[place]["errorDescription"].as_str().unwrap();
        assert_eq!(says(1), "mcc: must be 1 to 4 digits");
        assert_eq!(says(10), "cardNumber: must not be sent beside userid");
        assert_eq!(says(11), "userid: is required, or cardNumber");
        assert!(says(12).starts_with("transactionId: must be 1 to 100"));
        assert!(says(13).starts_with("amount.value: must have at most 2"));
        assert_eq!(answers[12]["transactionId"], "b 13");
        assert_eq!(answers[16]["transactionId"], Value::Null);
        assert!(answers[14]["notScoredReason"].is_string());
        assert!(answers[15]["notScoredReason"].is_string());
        assert_eq!(answers[15]["confidence"], "none");
        for answer in &answers {
            let text = answer.to_string();
            assert!(!text.contains(&foreign) && !text.contains(&nobody));
        }
    }
);

on_both!(what_comes_back_counts_negative, |backend: Backend| {
    let gateway = TestGateway::start(backend);
    let (_, user) = enrolled(&gateway);
    let client = gateway.client("demo");
    let today = Utc::now().date_naive();
    let bought = with(groceries("c-1", &user), json!({"date": today.to_string()}));
    let bought_before = groceries("c-2", &user);
    let first = post(&client, &[bought.clone(), bought_before]);
    let grams = first[0]["carbonEmissionInGrams"].as_f64().unwrap();
    assert_eq!(
        score(&client, &user),
        first[0]["carbonEmissionInGrams"].to_string()
    );

    // Exactly what the original counts, in the original's month.
    let reversal = with(
        groceries("c-3", &user),
        json!({"indicator": "RV", "originalTransactionId": "c-2", "date": today.to_string()}),
    );
    let taken_back = post(&client, std::slice::from_ref(&reversal));
    assert_eq!(taken_back[0]["carbonEmissionInGrams"], -24213.32);
    assert_eq!(
        score(&client, &user),
        first[0]["carbonEmissionInGrams"].to_string()
    );
    assert_eq!(post(&client, &[reversal]), taken_back);

    // Without its original, and of other money: like a refund, on its own day.
    let refund = with(
        bought.clone(),
        json!({"transactionId": "c-4", "indicator": "RFT"}),
    );
    let unknown = with(
        bought,
        json!({"transactionId": "c-5", "indicator": "RV", "originalTransactionId": "c-99"}),
    );
    let back = post(&client, &[refund, unknown]);
    assert_eq!(back[0]["carbonEmissionInGrams"].as_f64().unwrap(), -grams);
    assert_eq!(back[1]["carbonEmissionInGrams"].as_f64().unwrap(), -grams);
    let shown: f64 = score(&client, &user).parse().unwrap();
    assert!((shown + grams).abs() < 0.001, "below zero: {shown}");
});

on_both!(
    a_call_that_is_no_list_of_items_is_refused,
    |backend: Backend| {
        let gateway = TestGateway::start(backend);
        let (_, user) = enrolled(&gateway);
        let client = gateway.client("demo");
        for clear in [
            json!({}),
            json!({"transactions": []}),
            json!({"transactions": {}}),
            json!({"transactions": vec![groceries("d-1", &user); 5_001]}),
        ] {
            let refused = client.send(&client.prepare(&Operation::PostTransactions, &clear));
            assert_refused(&refused, 400, &["INVALID_REQUEST_PARAMETER"]);
        }
        let other = gateway.client("compat");
        assert_eq!(
            verdicts(&post(&other, &[groceries("d-2", &user)])),
            ["PAYMENT_CARD_NOT_FOUND"]
        );
    }
);

on_both!(
    a_large_call_is_taken_in_either_envelope,
    |backend: Backend| {
        let gateway = TestGateway::start(backend);
        let (_, user) = enrolled(&gateway);
        let client = gateway.client("demo");
        for (envelope, mark) in [(EnvelopeKind::Jwe, "j"), (EnvelopeKind::FieldLevel, "f")] {
            let items: Vec<Value> = (0..2_500)
                .map(|number| groceries(&format!("{mark}-{number}"), &user))
                .collect();
            let clear = json!({ "transactions": items });
            let request = client.prepare_in(envelope, &Operation::PostTransactions, &clear);
            assert!(request.body.len() > 500_000);
            let answers = outcomes(&client.send(&request));
            assert_eq!(answers.len(), items.len());
            for (answer, item) in answers.iter().zip(&items) {
                assert_eq!(answer["transactionId"], item["transactionId"]);
                assert_eq!(answer["carbonEmissionInGrams"], 24213.32);
            }
        }
    }
);

on_both!(the_score_of_a_month_and_its_refusals, |backend: Backend| {
    let gateway = TestGateway::start_without_erasure(backend);
    let (_, user) = enrolled(&gateway);
    let client = gateway.client("demo");
    assert_eq!(score(&client, &user), "0");
    let answer = ask_score(&client, &user).clear.unwrap();
    let month = Utc::now().date_naive().format("%B-%Y").to_string();
    assert_eq!(answer["aggregateDate"], month.to_lowercase());

    let other = gateway.client("compat");
    assert_refused(&ask_score(&other, &user), 404, &["USER_NOT_FOUND"]);
    let unknown = "00000000-0000-4000-8000-000000000000";
    assert_refused(&ask_score(&client, unknown), 404, &["USER_NOT_FOUND"]);
    gateway.set_user_status("demo", &user, CardholderStatus::Inactive);
    assert_refused(&ask_score(&client, &user), 401, &["USER_INACTIVE"]);
    assert_eq!(
        verdicts(&post(&client, &[groceries("e-1", &user)])),
        ["PAYMENT_CARD_NOT_FOUND"]
    );
    gateway.set_user_status("demo", &user, CardholderStatus::Active);
    client.delete(&[&user]);
    assert_refused(
        &ask_score(&client, &user),
        401,
        &["USER_TERMINATE_IN_PROGRESS"],
    );
    assert_eq!(
        verdicts(&post(&client, &[groceries("e-2", &user)])),
        ["PAYMENT_CARD_NOT_FOUND"]
    );
});

on_both!(
    nothing_of_a_transaction_is_stored_in_clear,
    |backend: Backend| {
        let gateway = TestGateway::start(backend);
        let (card, user) = enrolled(&gateway);
        let item = with(
            groceries("canary-id-77", &user),
            json!({"userid": null, "cardNumber": card, "merchantName": "Canary Merchant 77"}),
        );
        assert_eq!(
            verdicts(&outcomes(&send(&gateway.client("demo"), &[item]))),
            ["SUCCESS"]
        );
        let database = gateway.stop().unwrap();
        assert_eq!(database.count("transaction_months"), 1);
        database.assert_no_canary(&["canary-id-77", "Canary Merchant 77", &card]);
    }
);
