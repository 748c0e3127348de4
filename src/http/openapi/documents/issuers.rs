//! `http::issuers`.

use crate::http::error::HttpError;
use crate::http::openapi::schemas::{IssuerConfiguration, IssuerProfile};
use crate::http::openapi::{Operation, Tag};
use crate::refusal::Refusal;
use crate::violation::{Code, Violation};
use actix_web::http::StatusCode;
use serde_json::{Value, json};

/// `GET /issuers`
pub fn show() -> Operation {
    let mut profile = profile();
    if let Some(members) = profile.as_object_mut() {
        members.insert("issuerName".to_owned(), json!("ABC Bank"));
        members.insert("email".to_owned(), json!("cards@abc-bank.example"));
        members.insert("currencyCode".to_owned(), json!("USD"));
        members.insert("countryCode".to_owned(), json!("USA"));
        members.insert("countryName".to_owned(), json!("United States of America"));
    }
    Operation::new("getIssuer", Tag::Issuers, "Show the issuer")
        .description("The profile of the issuer that signed the request.")
        .signed()
        .answers_json::<IssuerProfile>(StatusCode::OK, "The profile.", profile)
}

/// `PUT /issuers`
pub fn change() -> Operation {
    let taken = Violation {
        code: Code::AccountRangeTaken,
        path: "supportedAccountRange".into(),
        rule: "must not touch a range of another issuer".into(),
    };
    Operation::new("updateIssuer", Tag::Issuers, "Change the issuer")
        .description(
            "Send only what changes. Account ranges are added to those on file, a theme's members to the stored ones.",
        )
        .signed()
        .takes_json::<IssuerConfiguration>(json!({
            "supportedAccountRange": "534403, 5611",
            "privacyNoticeURL": "https://issuer.example/privacy",
            "preferredTheme": {"backgroundColor": "#FFFFFF"}
        }))
        .answers_json::<IssuerProfile>(StatusCode::OK, "The profile as it stands now.", profile())
        .refuses([HttpError::from(Refusal::Violations(vec![taken]))])
}

fn profile() -> Value {
    json!({
        "clientId": "fjl2fxzsYl1OpvxkBItC9nVw1PSQc_b-eQMcmQFg011ab4b5",
        "customerId": "144136",
        "supportedAccountRange": "534403,518145,5424",
        "status": "ACTIVE",
        "termsAndConditionURL": "https://issuer.example/terms",
        "privacyNoticeURL": "https://issuer.example/privacy",
        "optOutURL": "https://issuer.example/opt-out",
        "preferredTheme": {"backgroundColor": "#FFFFFF", "titleFontSize": "28px"}
    })
}
