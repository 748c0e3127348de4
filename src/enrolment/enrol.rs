//! `POST /issuers/users`: a card and its holder come on board (cce-api.md 3.1, 3.3, 7.2).

use super::reference::reference;
use super::rules::{self, Enrolment, IssuerRules};
use crate::answer::Reply;
use crate::attempt::{Action, Attempt, Enrol, Enrolled, ReEnrol, ReEnrolled};
use crate::call::Call;
use crate::footprint::Window;
use crate::gateway::Gateway;
use crate::ids::CardholderId;
use crate::issuers::Issuer;
use crate::payload::{Envelope, EnvelopeForm};
use crate::refusal::Refusal;
use crate::store::cardholders::SealedProfile;
use crate::store::writer::{NewCard, NewCardholder};
use crate::vault::{Place, SealedColumn, VaultError, VaultKeys};

/// Enrols the cardholder of a signed, encrypted request; the answer is what to send.
pub async fn enrol(gateway: &Gateway, call: &Call<'_>) -> Result<Reply, Refusal> {
    let attempt = Attempt::begin(gateway, call, Action::EnrolCardholder)?;
    let issuer = attempt.issuer();
    let request = match prepare(&attempt).await {
        Ok(request) => request,
        Err(refusal) => return Err(attempt.refuse(refusal).await),
    };
    let enrolment = &request.enrolment;
    let card_number = enrolment.card.pan.digits();
    let new_id = gateway.new_cardholder_id(&issuer.client_id, card_number);
    let enrolled = attempt
        .about(Some(&new_id))
        .commit_sealed(|keys| sealed(keys, &request, call, &issuer, &new_id).map(Enrol))
        .await?;
    let user_id = match enrolled {
        Enrolled::Done => new_id,
        Enrolled::CardTaken(holder) => return Err(Refusal::CardAlreadyEnrolled(holder)),
        // A sealed value is bound to its row: seal again, for the row of the existing cardholder.
        Enrolled::MustReEnrol(existing, attempt) => {
            let re_enrolled = attempt
                .commit_sealed(|keys| sealed(keys, &request, call, &issuer, &existing).map(ReEnrol))
                .await?;
            match re_enrolled {
                ReEnrolled::Done => existing,
                ReEnrolled::CardTaken(holder) => return Err(Refusal::CardAlreadyEnrolled(holder)),
            }
        }
    };
    let reference = reference(&user_id, enrolment.card.pan.last_four());
    Reply::mirroring(request.form, &issuer, call, &reference)
}

/// A request that breaks no rule.
struct Request {
    enrolment: Enrolment,
    /// Whether the card number is stored, sealed (`vault.store_pan`).
    store_pan: bool,
    /// How it came, and how the answer goes.
    form: EnvelopeForm,
}

/// Decrypts and applies the rules.
async fn prepare(attempt: &Attempt<'_>) -> Result<Request, Refusal> {
    let call = attempt.call;
    attempt.require_active()?;
    call.require_json()?;
    let issuer = attempt.issuer();
    let envelope = Envelope::parse(call.body, &call.field_level, issuer.accepted())?;
    issuer.require_recipient(call.now, envelope.kind())?;
    let opened = attempt.open(envelope).await?;
    let rules = IssuerRules::of(&issuer);
    let enrolment = rules::enrolment(&opened.object, &rules, call.now.date_naive())?;
    Ok(Request {
        enrolment,
        store_pan: attempt.gateway.store_pan,
        form: opened.form,
    })
}

/// The rows of a cardholder, sealed for `user_id` and no other; nothing is written yet.
fn sealed(
    keys: &VaultKeys,
    request: &Request,
    call: &Call<'_>,
    issuer: &Issuer,
    user_id: &CardholderId,
) -> Result<NewCardholder, VaultError> {
    let enrolment = &request.enrolment;
    let seal = |column, clear: &[u8]| {
        keys.seal(
            Place {
                owner: issuer.id.into(),
                row_id: user_id.as_str(),
                column,
                month: None,
            },
            clear,
        )
    };
    let seal_bytes = |column, clear: &[u8]| seal(column, clear).map(|sealed| sealed.bytes);
    let card = seal(
        SealedColumn::Card,
        &enrolment.card.to_json(request.store_pan),
    )?;
    let digits = enrolment.card.pan.digits();
    let pan_index = keys.pan_index(issuer.id, digits);
    let former_pan_index = keys.former_pan_index(issuer.id, digits);
    let email_index = keys.email_index(issuer.id, enrolment.email.value());
    // Transactions from here on are scored (cce-api.md 7.2).
    let window = Window::of_enrolment(issuer.today(call.now));
    let scored_from = issuer.first_moment(window.first_month());
    Ok(NewCardholder {
        issuer_id: issuer.id,
        user_id: user_id.clone(),
        enrolment_epoch: issuer.enrolment_epoch,
        profile: SealedProfile {
            name: enrolment
                .name
                .as_ref()
                .map(|name| seal_bytes(SealedColumn::CardholderName, &name.to_json()))
                .transpose()?,
            email: Some(seal_bytes(
                SealedColumn::CardholderEmail,
                &enrolment.email.to_json(),
            )?),
            phone: None,
            billing_address: enrolment
                .billing_address
                .as_ref()
                .map(|address| {
                    seal_bytes(SealedColumn::CardholderBillingAddress, &address.to_json())
                })
                .transpose()?,
            locale: enrolment
                .locale
                .as_ref()
                .map(|locale| seal_bytes(SealedColumn::CardholderLocale, &locale.to_json()))
                .transpose()?,
            email_index: Some(email_index.bytes.to_vec()),
            email_index_key: Some(email_index.key_version),
        },
        seal_key: card.key_version,
        card: NewCard {
            last_four: enrolment.card.pan.last_four().to_owned(),
            pan_index: pan_index.bytes.to_vec(),
            pan_index_key: pan_index.key_version,
            former_pan_index: former_pan_index.map(Into::into),
            card: card.bytes,
        },
        scoring_window: (
            scored_from.unwrap_or(call.now).timestamp_micros(),
            call.now.timestamp_micros(),
        ),
        created_at: call.now.timestamp_micros(),
    })
}
