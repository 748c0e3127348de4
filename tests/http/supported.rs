//! `GET /supported-merchant-categories` and `GET /supported-currencies`.

use crate::on_both;
use crate::support::Backend;
use crate::support::gateway::{TestGateway, assert_refused};
use crate::support::http::send;
use issuer_gateway::client::Answered;
use issuer_gateway::issuers::IssuerStatus;
use serde_json::{Value, json};

on_both!(blocking: the_lists_are_the_set_and_the_rates, they_are_for_active_issuers_alone);

fn get(gateway: &TestGateway, name: &str) -> Answered {
    let url = format!("{}/{name}", gateway.base_url);
    gateway.client("demo").send_to("GET", &url, Vec::new())
}

fn list(gateway: &TestGateway, name: &str) -> Vec<Value> {
    let answer = get(gateway, name);
    assert_eq!(answer.status, 200, "{:?}", answer.clear);
    serde_json::from_slice(&answer.body).unwrap()
}

fn the_lists_are_the_set_and_the_rates(backend: Backend) {
    let gateway = TestGateway::start(backend);
    for mount in ["", "cts/"] {
        let codes = list(&gateway, &format!("{mount}supported-merchant-categories"));
        assert_eq!(codes.len(), 1319);
        let groceries = json!({
            "mcc": "5411",
            "category": {
                "mainCategory": "Food & Drink",
                "subCategory": "Groceries",
                "sector": "Grocery Stores, Supermarkets",
                "sectorCode": "101",
            },
        });
        assert!(codes.contains(&groceries));
        // Leading zeros stay, ranges are written out, and what is not scored is accepted too.
        for code in ["0742", "3123", "6011"] {
            assert!(codes.iter().any(|item| item["mcc"] == code), "{code}");
        }
        let currencies = list(&gateway, &format!("{mount}supported-currencies"));
        assert_eq!(currencies.len(), 31);
        for code in ["EUR", "USD", "SEK"] {
            assert!(currencies.contains(&json!({"currencyCode": code})));
        }
        assert!(!currencies.contains(&json!({"currencyCode": "CLP"})));
    }
}

fn they_are_for_active_issuers_alone(backend: Backend) {
    let gateway = TestGateway::start(backend);
    for name in ["supported-merchant-categories", "supported-currencies"] {
        let unsigned = send("GET", &format!("{}/{name}", gateway.base_url), &[], b"");
        assert_eq!(unsigned.status, 401);
    }
    gateway.set_issuer_status("demo", IssuerStatus::Suspended);
    for name in ["supported-merchant-categories", "supported-currencies"] {
        assert_refused(&get(&gateway, name), 401, &["ACCOUNT_SUSPENDED"]);
    }
}
