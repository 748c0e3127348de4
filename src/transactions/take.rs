//! `POST /issuers/transactions`: an issuer hands in card transactions (scoring.md 12.1).

use super::outcome;
use super::post::Batch;
use super::rules::{self, Received};
use crate::answer::Reply;
use crate::attempt::{Action, Attempt, Post};
use crate::call::Call;
use crate::gateway::Gateway;
use crate::payload::{Envelope, EnvelopeForm};
use crate::refusal::Refusal;
use serde_json::{Value, json};
use std::sync::Arc;

/// Takes the transactions of a signed, encrypted request; the answer is what to send: one outcome
/// for each item, in their order.
///
/// # Errors
/// Those of the envelope; a body that is not a list of items. An item of its own never fails the
/// call.
pub async fn take(gateway: &Gateway, call: &Call<'_>) -> Result<Reply, Refusal> {
    let attempt = Attempt::begin(gateway, call, Action::PostTransactions)?;
    let issuer = attempt.issuer();
    let mut request = match prepare(&attempt).await {
        Ok(request) => request,
        Err(refusal) => return Err(attempt.refuse(refusal).await),
    };
    let good = std::mem::take(&mut request.good);
    let scorers = gateway.footprints.current();
    let batch = Batch::new(Arc::clone(&issuer), scorers, good, call.now)
        .retaining(gateway.retain_unenrolled);
    attempt
        .commit_sealed(|keys| Ok(Post(batch.posting(keys))))
        .await?;
    let results = batch.results();
    for result in &results {
        gateway.metrics.transaction(outcome::name(result));
    }
    for _ in request
        .items
        .iter()
        .filter(|item| item.violations.is_some())
    {
        gateway.metrics.transaction("invalid");
    }
    let mut posted = results.into_iter();
    let outcomes = request.items.iter().map(|item| match &item.violations {
        Some(violations) => Some(outcome::broken(item.name.as_deref(), violations)),
        None => Some(outcome::posted(item, &posted.next()?)),
    });
    let outcomes: Option<Vec<Value>> = outcomes.collect();
    let outcomes = outcomes.ok_or(Refusal::Internal("an item without an outcome"))?;
    let clear = json!({ "transactions": outcomes });
    Reply::mirroring(request.form, &issuer, call, &clear)
}

/// A request whose body is a list of items.
struct Request {
    /// Those that break no rule, in their order.
    good: Vec<super::item::Item>,
    /// All of them, for their outcomes.
    items: Vec<Named>,
    /// How it came, and how the answer goes.
    form: EnvelopeForm,
}

/// What an outcome says of its item.
pub(super) struct Named {
    pub(super) name: Option<String>,
    pub(super) brand: Option<super::item::Brand>,
    pub(super) mcc: Option<crate::footprint::set::Mcc>,
    /// `None`: it breaks no rule.
    violations: Option<Vec<crate::violation::Violation>>,
}

/// Decrypts, and reads the items.
async fn prepare(attempt: &Attempt<'_>) -> Result<Request, Refusal> {
    let call = attempt.call;
    attempt.require_active()?;
    call.require_json()?;
    let issuer = attempt.issuer();
    let envelope = Envelope::parse_batch(call.body, &call.field_level, issuer.accepted())?;
    issuer.require_recipient(call.now, envelope.kind())?;
    let opened = attempt.open(envelope).await?;
    let received = rules::items(&opened.object, &issuer)?;
    let mut good = Vec::with_capacity(received.len());
    let mut items = Vec::with_capacity(received.len());
    for Received { name, brand, item } in received {
        let (mcc, violations) = match item {
            Ok(item) => {
                let mcc = item.mcc;
                good.push(item);
                (Some(mcc), None)
            }
            Err(violations) => (None, Some(violations)),
        };
        items.push(Named {
            name,
            brand,
            mcc,
            violations,
        });
    }
    Ok(Request {
        good,
        items,
        form: opened.form,
    })
}
