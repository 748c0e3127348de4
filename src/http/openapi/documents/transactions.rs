//! Documents of the endpoints in `http::transactions`.

use super::cardholders::{USER_ID, user_id};
use crate::http::error::HttpError;
use crate::http::openapi::refusals::violation;
use crate::http::openapi::schemas::{AggregateCarbonScore, TransactionBatch, TransactionOutcomes};
use crate::http::openapi::{Operation, Tag};
use crate::refusal::Refusal;
use crate::violation::Code;
use actix_web::http::StatusCode;
use serde_json::{Value, json};

/// `POST /issuers/transactions`
pub fn take() -> Operation {
    Operation::new("postTransactions", Tag::Transactions, "Hand in card transactions")
        .description(
            "Up to 5,000 card transactions, in a body of up to 8 MiB. Each gets an outcome, in the order of the \
             request. An item that is not acceptable fails alone. An item that comes again, with the same content, \
             gets its first outcome and counts once. After a rescore under another factor set the outcome has the \
             figures of that set.",
        )
        .signed()
        .takes_encrypted_batch::<TransactionBatch>(&batch())
        .answers_encrypted::<TransactionOutcomes>(StatusCode::OK, "Read, each with its outcome.", outcomes())
        .refuses([violation(
            Code::InvalidRequestParameter,
            "transactions",
            "must hold 1 to 5000 items",
        )])
}

/// `GET /issuers/users/{userid}/aggregate-carbon-scores`
pub fn aggregate() -> Operation {
    Operation::new(
        "getAggregateCarbonScore",
        Tag::Transactions,
        "The month's score of a user",
    )
    .description(
        "The current calendar month, in the issuer's time zone. Without transactions it is `0`.",
    )
    .signed()
    .parameter(user_id())
    .answers_json::<AggregateCarbonScore>(
        StatusCode::OK,
        "The score.",
        json!({"carbonEmissionInGrams": "32.45", "aggregateDate": "november-2020"}),
    )
    .refuses(
        [
            Refusal::CardholderNotFound,
            Refusal::CardholderInactive,
            Refusal::CardholderTerminating,
        ]
        .map(HttpError::from),
    )
    .refuses([violation(
        Code::InvalidRequestParameter,
        "userid",
        crate::ids::CardholderId::RULE,
    )])
}

fn batch() -> Value {
    json!({"transactions": [{
        "transactionId": "2f1e6b0c-5c1d-4a55-9d0b-0a1b2c3d4e5f",
        "userid": USER_ID,
        "mcc": "5411",
        "amount": {"value": 54.2, "currencyCode": "USD"},
        "date": "2026-01-15",
        "indicator": "CL",
        "countryISOCode": "USA",
        "merchantName": "Corner Store",
        "cardBrand": "MA"
    }]})
}

fn outcomes() -> Value {
    json!({"transactions": [{
        "transactionId": "2f1e6b0c-5c1d-4a55-9d0b-0a1b2c3d4e5f",
        "scoreStatus": "SUCCESS",
        "carbonEmissionInGrams": 24213.32,
        "carbonEmissionInOunces": 854.1,
        "confidence": "medium",
        "category": {
            "mainCategory": "Food & Drink",
            "subCategory": "Groceries",
            "sector": "Grocery Stores and Supermarkets",
            "sectorCode": "101"
        },
        "scoreReference": "MCC",
        "factorSet": "ig-2026.1",
        "cardBrand": "MA"
    }]})
}
