//! Documents of the endpoints in `http::cardholders`.

use crate::http::error::HttpError;
use crate::http::openapi::refusals::violation;
use crate::http::openapi::schemas::{UpdateUserProfile, UserProfile, UserReference};
use crate::http::openapi::{Operation, Tag};
use crate::ids::CardholderId;
use crate::refusal::Refusal;
use crate::violation::Code;
use actix_web::http::StatusCode;
use serde_json::{Value, json};
use utoipa::openapi::path::{Parameter, ParameterBuilder, ParameterIn};
use utoipa::openapi::schema::{ObjectBuilder, Type};

pub(super) const USER_ID: &str = "c8b38606-12b2-43c6-a641-be8eb0ab9dec";

/// `POST /issuers/users`
pub fn enrol() -> Operation {
    Operation::new("userRegistration", Tag::Cardholders, "Enrol a user")
        .description(
            "A card and its holder come on board. The transactions of the last 12 months are then scored. \
             A card can be enrolled once; where the donation feature has been turned on since, it is enrolled again, under \
             the same id.",
        )
        .signed()
        .takes_encrypted::<UserProfile>(&enrolment())
        .answers_encrypted::<UserReference>(StatusCode::OK, "Enrolled.", reference())
        .refuses([
            violation(
                Code::InvalidFpan,
                "cardNumber",
                "must lie in one of the issuer's account ranges",
            ),
            violation(
                Code::UnsupportedCurrency,
                "cardBaseCurrency",
                "must be an ISO 4217 currency in use",
            ),
            Refusal::CardAlreadyEnrolled(CardholderId::parse(USER_ID)).into(),
        ])
}

/// `PUT /issuers/users/{userid}`
pub fn update() -> Operation {
    Operation::new("updateUser", Tag::Cardholders, "Update a user")
        .description(
            "Name and locale always; address, e-mail and phone number where they are sent. Only for issuers with the \
             donation feature on.",
        )
        .signed()
        .parameter(user_id())
        .takes_encrypted::<UpdateUserProfile>(&changes())
        .answers_encrypted::<UserReference>(StatusCode::OK, "Updated.", reference())
        .refuses([
            Refusal::UpdateNotAccessible,
            Refusal::CardholderNotFound,
            Refusal::CardholderInactive,
            Refusal::CardholderTerminating,
        ].map(HttpError::from))
}

/// The path parameter `userid`.
pub(super) fn user_id() -> Parameter {
    let schema = ObjectBuilder::new()
        .schema_type(Type::String)
        .min_length(Some(36))
        .max_length(Some(36))
        .pattern(Some("^[0-9A-Fa-f-]{36}$"));
    ParameterBuilder::new()
        .name("userid")
        .parameter_in(ParameterIn::Path)
        .description(Some(
            "The id that enrolment answered; case does not matter.",
        ))
        .schema(Some(schema))
        .example(Some(json!(USER_ID)))
        .build()
}

fn enrolment() -> Value {
    json!({
        "email": {"type": "home", "value": "john.doe@example.com"},
        "name": {"firstName": "John", "lastName": "Doe"},
        "cardholderName": "John Doe",
        "cardNumber": "5344035171224363",
        "cardBaseCurrency": "USD",
        "expiryInfo": {"month": "10", "year": "2039"},
        "billingAddress": address(),
        "locale": "en-US"
    })
}

fn changes() -> Value {
    json!({
        "name": {"firstName": "John", "lastName": "Doe"},
        "locale": "en-US",
        "billingAddress": address(),
        "phoneNumber": "+12025550123"
    })
}

fn address() -> Value {
    json!({
        "countryCode": "USA", "type": "home", "locality": "Rly Station", "postalCode": "11746",
        "state": "New York", "city": "Brooklyn", "line1": "83 Mayfair Street"
    })
}

fn reference() -> Value {
    json!({"userid": USER_ID, "cardNumberLastFourDigits": "4363", "status": "ACTIVE"})
}
