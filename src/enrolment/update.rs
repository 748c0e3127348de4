//! `PUT /issuers/users/{userid}`: name, locale, address, e-mail or phone change (cce-api.md 3.2).

use super::existing::existing_cardholder;
use super::reference::reference;
use super::rules::{self, IssuerRules, ProfileUpdate};
use crate::answer::Reply;
use crate::attempt::{Action, Attempt, Updated};
use crate::call::Call;
use crate::gateway::Gateway;
use crate::ids::{CardholderId, IssuerId};
use crate::payload::{Envelope, EnvelopeForm};
use crate::refusal::Refusal;
use crate::store::cardholders::SealedProfile;
use crate::store::writer::CardholderUpdate;
use crate::vault::{Place, SealedColumn, VaultError, VaultKeys};
use crate::violation::Violation;

/// Updates the cardholder `user_id` (as it stands in the path); the answer is what to send.
pub async fn update(gateway: &Gateway, call: &Call<'_>, user_id: &str) -> Result<Reply, Refusal> {
    let subject = CardholderId::parse(user_id);
    let attempt = Attempt::begin(gateway, call, Action::UpdateCardholder)?.about(subject.as_ref());
    let issuer = attempt.issuer();
    let request = match prepare(&attempt, subject).await {
        Ok(request) => request,
        Err(refusal) => return Err(attempt.refuse(refusal).await),
    };
    let updated = attempt
        .commit_sealed(|keys| sealed(keys, call, issuer.id, &request))
        .await?;
    match updated {
        Updated::Done => {
            let reference = reference(&request.user_id, &request.last_four);
            Reply::mirroring(request.form, &issuer, call, &reference)
        }
        Updated::Gone => Err(Refusal::CardholderNotFound),
    }
}

/// A request that breaks no rule, for a user who is there.
struct Request {
    user_id: CardholderId,
    changes: ProfileUpdate,
    /// How it came, and how the answer goes.
    form: EnvelopeForm,
    last_four: String,
}

/// Checks in the order of cce-api.md section 5.
async fn prepare(attempt: &Attempt<'_>, user_id: Option<CardholderId>) -> Result<Request, Refusal> {
    let call = attempt.call;
    attempt.require_active()?;
    call.require_json()?;
    let issuer = attempt.issuer();
    if !issuer.donation {
        return Err(Refusal::UpdateNotAccessible);
    }
    let user_id = user_id.ok_or_else(|| vec![Violation::invalid("userid", CardholderId::RULE)])?;
    let user = existing_cardholder(attempt.gateway, call, &issuer, &user_id).await?;
    let last_four = user
        .last_four
        .ok_or(Refusal::Internal("a user without a card"))?;
    let envelope = Envelope::parse(call.body, &call.field_level, issuer.accepted())?;
    issuer.require_recipient(call.now, envelope.kind())?;
    let opened = attempt.open(envelope).await?;
    Ok(Request {
        user_id,
        changes: rules::update(&opened.object, &IssuerRules::of(&issuer))?,
        form: opened.form,
        last_four,
    })
}

/// The new values, sealed; nothing is written yet.
fn sealed(
    keys: &VaultKeys,
    call: &Call<'_>,
    issuer_id: IssuerId,
    request: &Request,
) -> Result<CardholderUpdate, VaultError> {
    let seal = |column, clear: &[u8]| {
        let place = Place {
            owner: issuer_id.into(),
            row_id: request.user_id.as_str(),
            column,
            month: None,
        };
        keys.seal(place, clear)
    };
    let seal_bytes = |column, clear: &[u8]| seal(column, clear).map(|sealed| sealed.bytes);
    let changes = &request.changes;
    let name = seal(SealedColumn::CardholderName, &changes.name.to_json())?;
    let email_index = changes
        .email
        .as_ref()
        .map(|email| keys.email_index(issuer_id, email.value()));
    Ok(CardholderUpdate {
        issuer_id,
        user_id: request.user_id.clone(),
        seal_key: name.key_version,
        profile: SealedProfile {
            name: Some(name.bytes),
            locale: Some(seal_bytes(
                SealedColumn::CardholderLocale,
                &changes.locale.to_json(),
            )?),
            billing_address: changes
                .billing_address
                .as_ref()
                .map(|address| {
                    seal_bytes(SealedColumn::CardholderBillingAddress, &address.to_json())
                })
                .transpose()?,
            email: changes
                .email
                .as_ref()
                .map(|email| seal_bytes(SealedColumn::CardholderEmail, &email.to_json()))
                .transpose()?,
            phone: changes
                .phone_number
                .as_ref()
                .map(|phone| seal_bytes(SealedColumn::CardholderPhone, &phone.to_json()))
                .transpose()?,
            email_index: email_index.as_ref().map(|index| index.bytes.to_vec()),
            email_index_key: email_index.as_ref().map(|index| index.key_version),
        },
        updated_at: call.now.timestamp_micros(),
    })
}
