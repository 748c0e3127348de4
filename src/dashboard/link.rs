//! `GET /issuers/users/{userid}/dashboards`: the address of a cardholder's view (cce-api.md 3.4,
//! 7.4).

use super::language::Language;
use super::token::{Claims, IDLE, Kind};
use crate::answer::Reply;
use crate::attempt::{Action, Attempt, Record};
use crate::call::Call;
use crate::enrolment::existing::existing_cardholder;
use crate::gateway::Gateway;
use crate::ids::CardholderId;
use crate::refusal::Refusal;
use crate::violation::Violation;
use serde_json::json;
use url::form_urlencoded;

/// The address for the cardholder `user_id` (as it stands in the path), sealed to the issuer. No
/// `lang` is refused: the nearest language is taken.
///
/// # Errors
/// No such cardholder, or not an active one; no certificate to seal the answer to.
pub async fn link(gateway: &Gateway, call: &Call<'_>, user_id: &str) -> Result<Reply, Refusal> {
    let subject = CardholderId::parse(user_id);
    let attempt = Attempt::begin(gateway, call, Action::IssueDashboard)?.about(subject.as_ref());
    let issuer = attempt.issuer();
    let (claims, reply) = match prepare(&attempt, subject).await {
        Ok(prepared) => prepared,
        Err(refusal) => return Err(attempt.refuse(refusal).await),
    };
    let detail = format!("token={} lang={}", claims.id_name(), claims.language.tag());
    attempt.noting(detail).commit(Record).await?;
    Reply::unasked(&issuer, call, &reply)
}

async fn prepare(
    attempt: &Attempt<'_>,
    user_id: Option<CardholderId>,
) -> Result<(Claims, serde_json::Value), Refusal> {
    attempt.require_active()?;
    let (gateway, issuer, now) = (attempt.gateway, attempt.issuer(), attempt.call.now);
    let user_id = user_id.ok_or_else(|| vec![Violation::invalid("userid", CardholderId::RULE)])?;
    let user = existing_cardholder(gateway, attempt.call, &issuer, &user_id).await?;
    if issuer.recipient(now, issuer.answers.kind()).is_none() {
        return Err(Refusal::NoEncryptionCertificate);
    }
    let language = Language::nearest(wish(attempt.call.query).as_deref());
    let claims = Claims::start(issuer.id, user_id, user.enrolment_epoch, language, now);
    let token = claims.seal(Kind::Start, &gateway.vault.current())?;
    let url = format!(
        "{}/home/?auth_token={}&lang={}",
        gateway.web_view.public_url,
        token.reveal(),
        language.tag()
    );
    let millis = IDLE.num_milliseconds().to_string();
    Ok((claims, json!({"url": url, "expiryInMillis": millis})))
}

/// The first `lang` of the query.
fn wish(query: Option<&str>) -> Option<String> {
    let mut pairs = form_urlencoded::parse(query.unwrap_or_default().as_bytes());
    let found = pairs.find(|(name, _)| name == "lang");
    found.map(|(_, value)| value.into_owned())
}
