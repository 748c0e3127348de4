//! `GET /issuers`: the caller's profile (cce-api.md 3.6).

use super::answer;
use crate::call::{Action, Call, Caller};
use crate::gateway::Gateway;
use crate::refusal::Refusal;
use crate::store::writer::Act;

/// The profile of the issuer that calls, as JSON.
pub async fn show(gateway: &Gateway, call: &Call<'_>) -> Result<Vec<u8>, Refusal> {
    let caller = Caller::authenticate(gateway, call)?;
    let prepared = caller
        .require_active()
        .map(|()| (Act::Record, answer::details(&caller.issuer)));
    let (_, body) = caller
        .settle(gateway, call, Action::ShowIssuer, None, prepared)
        .await?;
    Ok(body)
}
