//! Documents of the endpoints in `http::cardholder_deletions`.

use crate::enrolment::terminate::LIST_SIZE_RULE;
use crate::http::openapi::refusals::violation;
use crate::http::openapi::schemas::UserIds;
use crate::http::openapi::{Operation, Tag};
use crate::refusal::Refusal;
use crate::violation::Code;
use actix_web::http::StatusCode;
use serde_json::json;

/// `POST /issuers/user-deletions`
pub fn delete() -> Operation {
    let ids = json!(["c8b38606-12b2-43c6-a641-be8eb0ab9dec"]);
    Operation::new("deleteUsers", Tag::Cardholders, "Delete users")
        .description(
            "Users and their cards are erased in the background. Ids that are not this issuer's are skipped; the answer lists \
             those accepted, in the order of the request. One malformed id refuses the whole list.",
        )
        .signed()
        .takes_json::<UserIds>(ids.clone())
        .answers_json::<UserIds>(StatusCode::ACCEPTED, "Accepted.", ids)
        .refuses([
            violation(Code::ListSize, "", LIST_SIZE_RULE),
            Refusal::CardholderNotFound.into(),
        ])
}
