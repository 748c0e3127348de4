//! Documents of the endpoints in `http::supported`.

use crate::http::openapi::schemas::{SupportedCurrencies, SupportedMerchantCategories};
use crate::http::openapi::{Operation, Tag};
use actix_web::http::StatusCode;
use serde_json::json;

/// `GET /supported-merchant-categories`
pub fn merchant_categories() -> Operation {
    Operation::new(
        "getSupportedMerchantCategories",
        Tag::Transactions,
        "List the merchant categories",
    )
    .description(
        "The merchant category codes of the issuer's factor set. Codes that are not scored (cash, \
         transfers, taxes) are among them: their transactions are accepted and counted.",
    )
    .signed()
    .answers_json::<SupportedMerchantCategories>(
        StatusCode::OK,
        "By code. Worth keeping for a day.",
        json!([{
            "mcc": "5411",
            "category": {
                "mainCategory": "Food & Drink",
                "subCategory": "Groceries",
                "sector": "Grocery Stores & Supermarkets",
                "sectorCode": "101"
            }
        }]),
    )
}

/// `GET /supported-currencies`
pub fn currencies() -> Operation {
    Operation::new(
        "getSupportedCurrencies",
        Tag::Transactions,
        "List the currencies",
    )
    .description("The currencies that the gateway has exchange rates of.")
    .signed()
    .answers_json::<SupportedCurrencies>(
        StatusCode::OK,
        "By code. Worth keeping for a day.",
        json!([{"currencyCode": "EUR"}, {"currencyCode": "USD"}]),
    )
}
