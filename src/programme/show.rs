//! `GET /issuers`: the caller's profile (cce-api.md 3.6).

use super::answer;
use crate::attempt::{Action, Attempt, Record};
use crate::call::Call;
use crate::gateway::Gateway;
use crate::refusal::Refusal;

/// The profile of the issuer that calls, as JSON.
pub async fn show(gateway: &Gateway, call: &Call<'_>) -> Result<Vec<u8>, Refusal> {
    let attempt = Attempt::begin(gateway, call, Action::ShowIssuer)?;
    if let Err(refusal) = attempt.require_active() {
        return Err(attempt.refuse(refusal).await);
    }
    let body = answer::details(&attempt.issuer());
    attempt.commit(Record).await?;
    Ok(body)
}
