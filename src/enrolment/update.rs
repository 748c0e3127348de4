//! `PUT /issuers/users/{userid}`: name, locale, address, e-mail or phone change (cce-api.md 3.2).

use super::answer::{UserReference, answer};
use super::rules::{self, IssuerRules};
use crate::call::{Action, Call, Caller};
use crate::gateway::Gateway;
use crate::ids::UserId;
use crate::payload::{self, Envelope, EnvelopeKind};
use crate::refusal::Refusal;
use crate::store::users::UserStatus;
use crate::store::writer::{Act, Outcome, UserUpdate};
use crate::vault::{Column, Place};
use crate::violation::Violation;

/// Updates the cardholder `user_id` (as it stands in the path); the answer is the body to send.
pub async fn update(gateway: &Gateway, call: &Call<'_>, user_id: &str) -> Result<Vec<u8>, Refusal> {
    let caller = Caller::authenticate(gateway, call)?;
    let subject = UserId::parse(user_id);
    let prepared = prepare(gateway, call, &caller, subject.as_ref()).await;
    let settled = caller
        .settle(
            gateway,
            call,
            Action::UpdateUser,
            subject.as_ref(),
            prepared,
        )
        .await?;
    let (outcome, (user_id, envelope, last_four)) = settled;
    match outcome {
        Outcome::Done => answer(
            &caller.issuer,
            envelope,
            call.now,
            &UserReference {
                user_id: &user_id,
                last_four: &last_four,
            },
        ),
        Outcome::UserGone => Err(Refusal::UserNotFound),
        Outcome::Replayed | Outcome::CardTaken | Outcome::Taken(_) | Outcome::MustReEnrol(_) => {
            Err(Refusal::Internal("an update ended as something else"))
        }
    }
}

/// Checks in the order of cce-api.md section 5, then seals the new values; nothing is written yet.
async fn prepare(
    gateway: &Gateway,
    call: &Call<'_>,
    caller: &Caller,
    user_id: Option<&UserId>,
) -> Result<(Act, (UserId, EnvelopeKind, String)), Refusal> {
    caller.require_active()?;
    call.require_json()?;
    let issuer = &caller.issuer;
    if !issuer.donation {
        return Err(Refusal::UpdateNotAccessible);
    }
    let user_id = user_id.ok_or_else(|| vec![Violation::invalid("userid", UserId::FORM)])?;
    let last_four = existing_card(gateway, caller, user_id).await?;
    issuer.require_recipient(call.now)?;
    let envelope = Envelope::parse(call.body, &call.field_level)?;
    let opened = payload::open(
        &caller.live.keys,
        &gateway.unwrapper,
        &caller.live.jwe_policy,
        envelope,
    )
    .await?;
    let changes = rules::update(&opened.object, &IssuerRules::of(issuer))?;

    let vault = &gateway.vault;
    let seal = |column, clear: &[u8]| {
        vault.seal(
            Place {
                issuer_id: issuer.id,
                row_id: user_id.as_str(),
                column,
            },
            clear,
        )
    };
    let seal_bytes = |column, clear: &[u8]| seal(column, clear).map(|sealed| sealed.bytes);
    let name = seal(Column::UserName, &changes.name.to_json())?;
    let email_index = changes
        .email
        .as_ref()
        .map(|email| vault.email_index(issuer.id, email.value()));
    let update = UserUpdate {
        issuer_id: issuer.id,
        user_id: user_id.clone(),
        seal_key: name.key_version,
        name: Some(name.bytes),
        locale: Some(seal_bytes(Column::UserLocale, &changes.locale.to_json())?),
        billing_address: changes
            .billing_address
            .as_ref()
            .map(|address| seal_bytes(Column::UserBillingAddress, &address.to_json()))
            .transpose()?,
        email: changes
            .email
            .as_ref()
            .map(|email| seal_bytes(Column::UserEmail, &email.to_json()))
            .transpose()?,
        phone: changes
            .phone_number
            .as_ref()
            .map(|phone| seal_bytes(Column::UserPhone, &phone.to_json()))
            .transpose()?,
        email_index: email_index.as_ref().map(|index| index.bytes.to_vec()),
        email_index_key: email_index.as_ref().map(|index| index.key_version),
        updated_at: call.now.timestamp_micros(),
    };
    Ok((
        Act::Update(Box::new(update)),
        (user_id.clone(), opened.kind, last_four),
    ))
}

/// The last four digits of the user's card, if this issuer has such a user and it may be updated.
///
/// Another issuer's user, an erased one, and one that has to enrol again all look the same.
async fn existing_card(
    gateway: &Gateway,
    caller: &Caller,
    user_id: &UserId,
) -> Result<String, Refusal> {
    let issuer = &caller.issuer;
    let user = gateway
        .store
        .find_user(issuer.id, user_id)
        .await?
        .ok_or(Refusal::UserNotFound)?;
    match user.status {
        UserStatus::Deleted => Err(Refusal::UserNotFound),
        UserStatus::Terminating => Err(Refusal::UserTerminating),
        _ if user.enrolment_epoch < issuer.enrolment_epoch => Err(Refusal::UserNotFound),
        UserStatus::Inactive => Err(Refusal::UserInactive),
        UserStatus::Active => user
            .last_four
            .ok_or(Refusal::Internal("a user without a card")),
    }
}
