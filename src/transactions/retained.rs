//! Transactions of cards that are not enrolled yet: kept by the card's blind index alone, and
//! scored once the card is enrolled (scoring.md 12.3).
//!
//! What is kept has no merchant and no card number. Rows go with the enrolment that scores them,
//! with an erasure of the card's holder, and after the days of `transactions.retain_unenrolled`.

mod wire;

use super::item::Item;
use super::post::{Batch, Posted};
use crate::attempt::sealing;
use crate::enrolment::card::StoredCard;
use crate::footprint::Scorer;
use crate::gateway::Gateway;
use crate::ids::{CardholderId, IssuerId};
use crate::issuers::Issuer;
use crate::store::audit::AuditDraft;
use crate::store::retained::{CardIndex, RetainedRow};
use crate::store::writer::Act;
use crate::store::{Commit, now};
use crate::vault::{Place, SealedColumn, VaultError, VaultKeys};
use anyhow::Context;
use sha2::{Digest, Sha256};
use std::sync::Arc;

/// Most transactions of a card that are taken over.
const MOST: i64 = 20_000;
/// Of them, so many in one transaction of the database.
const BATCH: usize = 500;

/// Seals an item of a card with this blind index; `scorer` says which of its amounts has a rate.
pub(super) fn row(
    keys: &VaultKeys,
    issuer_id: IssuerId,
    (key, index): &CardIndex,
    item: &Item,
    scorer: &Scorer,
) -> Result<RetainedRow, VaultError> {
    let retained_id = retained_id(index, item);
    let bytes = wire::write(item, scorer).ok_or(VaultError::DoesNotOpen)?;
    let sealed = keys.seal(place(issuer_id, &retained_id), &bytes)?;
    Ok(RetainedRow {
        pan_index: index.clone(),
        pan_index_key: *key,
        content: sealed.bytes,
        seal_key: sealed.key_version,
        retained_id,
    })
}

/// The same for the same transaction of the same card. Nobody without the index key can make it.
fn retained_id(index: &[u8], item: &Item) -> String {
    let mut digest = Sha256::new();
    digest.update(index);
    digest.update(item.source.to_string().as_bytes());
    let digest: [u8; 32] = digest.finalize().into();
    let (half, _) = digest.split_at(16);
    hex::encode(half)
}

fn place(issuer_id: IssuerId, retained_id: &str) -> Place<'_> {
    Place::of_issuer(issuer_id, retained_id, SealedColumn::RetainedTransaction)
}

/// Scores what was kept of a cardholder's card, and deletes it; returns how many transactions of
/// the window that were.
///
/// Interrupted anywhere, it can be done again: a transaction counts once.
///
/// # Errors
/// What the database says; a card or row that does not open. Other rows are scored all the same.
pub(super) async fn take_over(
    gateway: &Gateway,
    issuer: &Arc<Issuer>,
    user_id: &CardholderId,
) -> anyhow::Result<i32> {
    let (store, keys) = (&gateway.store, gateway.vault.current());
    let Some((sealed, own)) = store.sealed_card(issuer.id, user_id).await? else {
        return Ok(0);
    };
    let place_of_card = Place::of_issuer(issuer.id, user_id.as_str(), SealedColumn::Card);
    let card = StoredCard::from_json(&keys.open_sealed(place_of_card, &sealed)?);
    let indexes = match card.context("a stored card")?.pan {
        Some(pan) => indexes(&keys, issuer.id, pan.digits()),
        // The number is not stored: the index that the card has is the only one.
        None => vec![own],
    };
    let rows = store.retained(issuer.id, indexes, MOST).await?;
    let (mut scored, mut unreadable) = (0, 0);
    for rows in rows.chunks(BATCH) {
        let mut items = Vec::with_capacity(rows.len());
        let mut ids = Vec::with_capacity(rows.len());
        for (retained_id, content) in rows {
            let opened = keys.open_sealed(place(issuer.id, retained_id), content);
            match opened.ok().and_then(|bytes| wire::read(&bytes, user_id)) {
                Some(item) => {
                    items.push(item);
                    ids.push(retained_id.clone());
                }
                None => unreadable += 1,
            }
        }
        scored += post(gateway, issuer, user_id, items).await?;
        store.delete_retained(issuer.id, ids).await?;
    }
    anyhow::ensure!(
        unreadable == 0,
        "{unreadable} kept transactions do not open"
    );
    Ok(scored)
}

fn indexes(keys: &VaultKeys, issuer_id: IssuerId, digits: &str) -> Vec<CardIndex> {
    let primary = keys.pan_index(issuer_id, digits);
    let former = keys.former_pan_index(issuer_id, digits);
    let all = [Some(primary), former].into_iter().flatten();
    all.map(|index| (index.key_version, index.bytes.to_vec()))
        .collect()
}

async fn post(
    gateway: &Gateway,
    issuer: &Arc<Issuer>,
    user_id: &CardholderId,
    items: Vec<Item>,
) -> anyhow::Result<i32> {
    if items.is_empty() {
        return Ok(0);
    }
    let scorers = gateway.footprints.current();
    let batch = Batch::new(Arc::clone(issuer), scorers, items, gateway.clock.now());
    let audit = AuditDraft {
        issuer_id: Some(issuer.id),
        subject: Some(user_id.as_str().to_owned()),
        ..AuditDraft::accepted(now(), "gateway", "transactions.take-over")
    };
    let parts = (&gateway.vault, &gateway.store, &gateway.writer);
    sealing::commit(parts, None, |keys| {
        Ok(Commit {
            nonce: None,
            act: Act::Post(Box::new(batch.posting(keys))),
            audit: audit.clone(),
            opening: None,
            sealed_under: None,
        })
    })
    .await?;
    let results = batch.results();
    let stored = results
        .iter()
        .filter(|posted| matches!(posted, Posted::Stored(_)));
    Ok(i32::try_from(stored.count()).unwrap_or(i32::MAX))
}
