//! The answer of enrol and update: a `UserReference` (cce-api.md 3.3), sealed as the issuer wants
//! it.

use crate::ids::CardholderId;
use crate::issuers::{Issuer, Responses};
use crate::json;
use crate::payload::{self, EnvelopeKind};
use crate::refusal::Refusal;
use chrono::{DateTime, Utc};
use serde_json::json;

/// What an issuer gets to know of an enrolled card.
pub(super) struct UserReference<'a> {
    /// The id to keep.
    pub(super) user_id: &'a CardholderId,
    /// The last four digits of the PAN.
    pub(super) last_four: &'a str,
}

/// The body to send: in the envelope of the request, or in clear where only dashboards are
/// encrypted.
pub(super) fn answer(
    issuer: &Issuer,
    envelope: EnvelopeKind,
    now: DateTime<Utc>,
    reference: &UserReference<'_>,
) -> Result<Vec<u8>, Refusal> {
    let clear = json::to_ascii(&json!({
        "userid": reference.user_id.as_str(),
        "cardNumberLastFourDigits": reference.last_four,
        "status": "ACTIVE",
    }));
    match issuer.responses {
        Responses::DashboardsOnly => Ok(clear.to_vec()),
        Responses::Mirror => {
            let recipient = issuer
                .recipient(now)
                .ok_or(Refusal::NoEncryptionCertificate)?;
            payload::seal(envelope, recipient, &clear)
                .map_err(|_| Refusal::Internal("sealing the answer"))
        }
    }
}
