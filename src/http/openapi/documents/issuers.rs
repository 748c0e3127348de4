//! Documents of the endpoints in `http::issuers`.

use crate::http::openapi::refusals::violation;
use crate::http::openapi::schemas::{IssuerConfiguration, IssuerProfile, IssuerProfileDetails};
use crate::http::openapi::{Operation, Tag};
use crate::issuers::theme::Theme;
use crate::violation::Code;
use actix_web::http::StatusCode;
use serde_json::{Value, json};

/// `GET /issuers`
pub fn show() -> Operation {
    Operation::new("getIssuer", Tag::Issuers, "Show the issuer")
        .signed()
        .answers_json::<IssuerProfileDetails>(StatusCode::OK, "The caller's profile.", details())
}

/// `PUT /issuers`
pub fn change() -> Operation {
    Operation::new("updateIssuer", Tag::Issuers, "Change the issuer")
        .description(
            "Only what is sent changes: account ranges are added, URLs replaced, theme keys merged.",
        )
        .signed()
        .takes_json::<IssuerConfiguration>(json!({
            "supportedAccountRange": "5344, 518145",
            "optOutURL": "https://www.issuer.example/opt-out",
            "preferredTheme": {"buttonColor": "#003366", "titleFontSize": "28px"}
        }))
        .answers_json::<IssuerProfile>(StatusCode::OK, "The whole new profile.", profile())
        .refuses([violation(
            Code::AccountRangeTaken,
            "supportedAccountRange",
            "must not equal, contain or lie in a range of another issuer",
        )])
}

fn profile() -> Value {
    json!({
        "clientId": "fjl2fxzsYl1OpvxkBItC9nVw1PSQc_b-eQMcmQFg011ab4b5",
        "customerId": "45678",
        "supportedAccountRange": "5344,518145",
        "status": "ACTIVE",
        "optOutURL": "https://www.issuer.example/opt-out",
        "preferredTheme": Theme::default().with_defaults()
    })
}

fn details() -> Value {
    let mut details = profile();
    if let Some(members) = details.as_object_mut() {
        for (name, value) in [
            ("email", "xyz@abc.example"),
            ("currencyCode", "USD"),
            ("countryCode", "USA"),
            ("countryName", "United States of America"),
            (
                "termsAndConditionURL",
                "https://www.issuer.example/terms-and-conditions",
            ),
            ("privacyNoticeURL", ""),
        ] {
            members.insert(name.to_owned(), value.into());
        }
    }
    details
}
