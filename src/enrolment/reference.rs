//! The answer of enrol and update: a `UserReference` (cce-api.md 3.3).

use crate::ids::CardholderId;
use serde_json::{Value, json};

/// What an issuer gets to know of an enrolled card: the id to keep, and the last four digits of
/// the PAN.
pub(super) fn reference(user_id: &CardholderId, last_four: &str) -> Value {
    json!({
        "userid": user_id.as_str(),
        "cardNumberLastFourDigits": last_four,
        "status": "ACTIVE",
    })
}
