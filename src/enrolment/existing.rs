//! A cardholder whom an issuer names by id.

use crate::call::Call;
use crate::gateway::Gateway;
use crate::ids::CardholderId;
use crate::issuers::Issuer;
use crate::refusal::Refusal;
use crate::store::cardholders::{CardholderStatus, CardholderSummary};
use crate::timeline::Step;

/// The issuer's cardholder, if there is one and it is active.
///
/// Another issuer's cardholder, an erased one, and one that has to enrol again all look the same.
///
/// # Errors
/// [`Refusal::CardholderNotFound`], [`Refusal::CardholderTerminating`],
/// [`Refusal::CardholderInactive`]; what the database says.
pub async fn existing_cardholder(
    gateway: &Gateway,
    call: &Call<'_>,
    issuer: &Issuer,
    user_id: &CardholderId,
) -> Result<CardholderSummary, Refusal> {
    call.reached(Step::Checks);
    let finder = &gateway.finder;
    let user = finder.user_timed(issuer.id, user_id, call.timeline).await;
    call.reached(Step::Lookup);
    let user = user?.ok_or(Refusal::CardholderNotFound)?;
    match user.status {
        CardholderStatus::Deleted => Err(Refusal::CardholderNotFound),
        CardholderStatus::Terminating => Err(Refusal::CardholderTerminating),
        _ if user.enrolment_epoch < issuer.enrolment_epoch => Err(Refusal::CardholderNotFound),
        CardholderStatus::Inactive => Err(Refusal::CardholderInactive),
        CardholderStatus::Active => Ok(user),
    }
}
