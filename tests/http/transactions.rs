//! `POST /issuers/transactions` and `GET /issuers/users/{userid}/aggregate-carbon-scores`
//! (scoring.md 12.1; cce-api.md 3.5, 7.3).

mod answers;
mod once;

use crate::support::gateway::{TestClient, TestGateway, user_id};
use issuer_gateway::client::{Answered, Operation, sample};
use issuer_gateway::ids::CardholderId;
use issuer_gateway::oauth1::SignatureMethod;
use serde_json::{Value, json};

/// A cardholder of the demo issuer: the card's number and the id.
pub(crate) fn enrolled(gateway: &TestGateway) -> (String, String) {
    let enrolment = sample::enrolment("534403");
    let card = enrolment["cardNumber"].as_str().unwrap().to_owned();
    let id = user_id(&gateway.client("demo").enrol(&enrolment));
    (card, id)
}

/// A purchase of groceries: 24,213.32 g by the worked examples.
pub(crate) fn groceries(id: &str, user: &str) -> Value {
    json!({
        "transactionId": id, "userid": user, "mcc": "5411", "indicator": "CL", "date": "2026-01-15",
        "amount": {"value": 54.2, "currencyCode": "USD"}, "countryISOCode": "USA"
    })
}

/// `item` with members replaced; null removes one.
pub(crate) fn with(mut item: Value, changes: Value) -> Value {
    let members = item.as_object_mut().unwrap();
    for (name, value) in changes.as_object().unwrap() {
        if value.is_null() {
            members.remove(name);
        } else {
            members.insert(name.clone(), value.clone());
        }
    }
    item
}

pub(crate) fn send(client: &TestClient, items: &[Value]) -> Answered {
    let clear = json!({ "transactions": items });
    client.send(&client.prepare(&Operation::PostTransactions, &clear))
}

/// The outcomes of items that are all read.
#[track_caller]
pub(crate) fn outcomes(answer: &Answered) -> Vec<Value> {
    assert_eq!(answer.status, 200, "{:?}", answer.clear);
    let clear = answer.clear.as_ref().unwrap();
    clear["transactions"].as_array().unwrap().clone()
}

#[track_caller]
pub(crate) fn post(client: &TestClient, items: &[Value]) -> Vec<Value> {
    outcomes(&send(client, items))
}

/// `scoreStatus`, with the code of a failure.
pub(crate) fn verdicts(outcomes: &[Value]) -> Vec<String> {
    let verdict = |outcome: &Value| {
        let code = outcome.get("errorCode").unwrap_or(&outcome["scoreStatus"]);
        code.as_str().unwrap().to_owned()
    };
    outcomes.iter().map(verdict).collect()
}

pub(crate) fn ask_score(client: &TestClient, user: &str) -> Answered {
    let operation = Operation::AggregateScore(CardholderId::parse(user).unwrap());
    let request = client
        .client
        .sign(&operation, SignatureMethod::RsaSha256, Vec::new());
    client.send(&request.unwrap())
}

/// The grams of the current month.
#[track_caller]
pub(crate) fn score(client: &TestClient, user: &str) -> String {
    let answer = ask_score(client, user);
    assert_eq!(answer.status, 200, "{:?}", answer.clear);
    let clear = answer.clear.unwrap();
    clear["carbonEmissionInGrams"].as_str().unwrap().to_owned()
}
