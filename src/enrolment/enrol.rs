//! `POST /issuers/users`: a card and its holder come on board (cce-api.md 3.1, 3.3, 7.2).

use super::answer::{UserReference, answer};
use super::rules::{self, IssuerRules};
use crate::call::{Action, Call, Caller};
use crate::gateway::Gateway;
use crate::ids::UserId;
use crate::payload::{self, Envelope, EnvelopeKind};
use crate::refusal::Refusal;
use crate::store::writer::{Act, NewCard, NewUser, Outcome};
use crate::vault::{Column, Place};
use chrono::Months;

/// Transactions of this many months before enrolment are scored (cce-api.md 7.2).
const SCORED_MONTHS: Months = Months::new(12);

/// Enrols the cardholder of a signed, encrypted request; the answer is the body to send.
pub async fn enrol(gateway: &Gateway, call: &Call<'_>) -> Result<Vec<u8>, Refusal> {
    let caller = Caller::authenticate(gateway, call)?;
    let user_id = UserId::random();
    let prepared = prepare(gateway, call, &caller, &user_id).await;
    let settled = caller
        .settle(gateway, call, Action::EnrolUser, Some(&user_id), prepared)
        .await?;
    let (outcome, (envelope, last_four)) = settled;
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
        Outcome::CardTaken => Err(Refusal::UserAlreadyExists),
        Outcome::Replayed | Outcome::UserGone => {
            Err(Refusal::Internal("an enrolment ended as something else"))
        }
    }
}

/// Decrypts, applies the rules and seals for storage; nothing is written yet.
async fn prepare(
    gateway: &Gateway,
    call: &Call<'_>,
    caller: &Caller,
    user_id: &UserId,
) -> Result<(Act, (EnvelopeKind, String)), Refusal> {
    caller.require_active()?;
    call.require_json()?;
    let issuer = &caller.issuer;
    issuer.require_recipient(call.now)?;
    let envelope = Envelope::parse(call.body, &call.field_level)?;
    let opened = payload::open(
        &caller.live.keys,
        &gateway.unwrapper,
        &caller.live.jwe_policy,
        envelope,
    )
    .await?;
    let rules = IssuerRules::of(issuer);
    let enrolment = rules::enrolment(&opened.object, &rules, call.now.date_naive())?;

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
    let card = seal(Column::Card, &enrolment.card.to_json())?;
    let pan_index = vault.pan_index(issuer.id, enrolment.card.pan.digits());
    let email_index = vault.email_index(issuer.id, enrolment.email.value());
    let last_four = enrolment.card.pan.last_four().to_owned();
    let scored_from = call
        .now
        .checked_sub_months(SCORED_MONTHS)
        .unwrap_or(call.now);
    let user = NewUser {
        issuer_id: issuer.id,
        user_id: user_id.clone(),
        enrolment_epoch: issuer.enrolment_epoch,
        name: enrolment
            .name
            .as_ref()
            .map(|name| seal_bytes(Column::UserName, &name.to_json()))
            .transpose()?,
        email: Some(seal_bytes(Column::UserEmail, &enrolment.email.to_json())?),
        phone: None,
        billing_address: enrolment
            .billing_address
            .as_ref()
            .map(|address| seal_bytes(Column::UserBillingAddress, &address.to_json()))
            .transpose()?,
        locale: enrolment
            .locale
            .as_ref()
            .map(|locale| seal_bytes(Column::UserLocale, &locale.to_json()))
            .transpose()?,
        email_index: Some(email_index.bytes.to_vec()),
        email_index_key: Some(email_index.key_version),
        seal_key: card.key_version,
        card: NewCard {
            last_four: last_four.clone(),
            pan_index: pan_index.bytes.to_vec(),
            pan_index_key: pan_index.key_version,
            card: card.bytes,
        },
        scoring_window: (scored_from.timestamp_micros(), call.now.timestamp_micros()),
        created_at: call.now.timestamp_micros(),
    };
    Ok((Act::Enrol(Box::new(user)), (opened.kind, last_four)))
}
