//! What is in the database, opened as the gateway would open it.

use super::gateway::TestGateway;
use issuer_gateway::ids::CardholderId;
use issuer_gateway::store::audit::AuditEntry;
use issuer_gateway::store::cardholders::{SealedCard, SealedCardholder};
use issuer_gateway::vault::{Place, SealedColumn, VaultError};
use serde_json::{Value, json};

/// A user's row and the card's, sealed as they are.
pub fn sealed(
    gateway: &TestGateway,
    issuer: &str,
    user_id: &str,
) -> (SealedCardholder, SealedCard) {
    let user_id = CardholderId::parse(user_id).unwrap();
    let store = &gateway.gateway.store;
    let loading = store.load_sealed_user(gateway.issuer_id(issuer), &user_id);
    let (user, card) = gateway.block_on(loading).unwrap().unwrap();
    (user, card.unwrap())
}

/// Opens one sealed value in a column of a user.
pub fn open(
    gateway: &TestGateway,
    issuer: &str,
    user_id: &str,
    column: SealedColumn,
    sealed: &[u8],
) -> Result<Value, VaultError> {
    let place = Place {
        owner: gateway.issuer_id(issuer).into(),
        row_id: user_id,
        column,
        month: None,
    };
    let clear = gateway.gateway.vault.current().open_sealed(place, sealed)?;
    Ok(serde_json::from_slice(&clear).unwrap())
}

/// All that is stored of a user, in the shape of an enrolment (and `phoneNumber` of an update).
pub fn stored(gateway: &TestGateway, issuer: &str, user_id: &str) -> Value {
    let (user, card) = sealed(gateway, issuer, user_id);
    let open = |column, sealed: &[u8]| open(gateway, issuer, user_id, column, sealed).unwrap();
    let card = open(SealedColumn::Card, &card.card);
    let mut all = json!({
        "cardholderName": card["cardholderName"],
        "cardNumber": card["cardNumber"],
        "cardBaseCurrency": card["cardBaseCurrency"],
        "expiryInfo": {"month": card["expiryMonth"], "year": card["expiryYear"]},
    });
    let parts = [
        (
            "email",
            SealedColumn::CardholderEmail,
            user.profile.email,
            None,
        ),
        (
            "name",
            SealedColumn::CardholderName,
            user.profile.name,
            None,
        ),
        (
            "billingAddress",
            SealedColumn::CardholderBillingAddress,
            user.profile.billing_address,
            None,
        ),
        (
            "locale",
            SealedColumn::CardholderLocale,
            user.profile.locale,
            Some("locale"),
        ),
        (
            "phoneNumber",
            SealedColumn::CardholderPhone,
            user.profile.phone,
            Some("phoneNumber"),
        ),
    ];
    for (name, column, sealed, member) in parts {
        if let Some(sealed) = sealed {
            let opened = open(column, &sealed);
            all[name] = member.map_or(opened.clone(), |member| opened[member].clone());
        }
    }
    all
}

/// What the audit trail has of calls, in the order of time.
pub fn audit_trail(gateway: &TestGateway) -> Vec<AuditEntry> {
    let store = &gateway.gateway.store;
    gateway.block_on(async {
        let (mut all, mut last) = (Vec::new(), String::new());
        while let Some(chain) = store.next_audit_chain(&last).await.unwrap() {
            all.extend(store.audit_entries(&chain, 0, 10_000).await.unwrap());
            last = chain;
        }
        // Commands and the node itself come in between when they like.
        all.retain(|entry| entry.request_id.is_some());
        all.sort_by_key(|entry| entry.at);
        all
    })
}
