//! What the console's buttons do: calls as an issuer's server makes them, which the list then
//! shows, and the operator's switches.

use super::Console;
use crate::client::identity::Identity;
use crate::client::{Answered, Client, Operation, sample, sample_year};
use crate::gateway::Gateway;
use crate::ids::{CardholderId, ClientId};
use crate::issuers::{Issuer, IssuerStatus};
use crate::oauth1::SignatureMethod;
use crate::payload::EnvelopeKind;
use crate::store::audit::AuditDraft;
use anyhow::{Context, bail};
use chrono::Utc;
use serde_json::{Value, json};

/// The buttons for an issuer: the value that they send, and what they say.
pub fn buttons(issuer: Option<&Issuer>) -> Vec<(&'static str, &'static str)> {
    let donation = match issuer {
        Some(issuer) if issuer.donation => ("donation-off", "Turn donation off"),
        _ => ("donation-on", "Turn donation on"),
    };
    let status = match issuer {
        Some(issuer) if issuer.status == IssuerStatus::Active => ("suspend", "Suspend the issuer"),
        _ => ("resume", "Resume the issuer"),
    };
    vec![
        ("enrol", "Enrol a sample cardholder"),
        ("year", "Send a sample year"),
        ("dashboard", "Open the web view"),
        donation,
        status,
    ]
}

/// What a button does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// `POST /issuers/users`
    Enrol,
    /// `POST /issuers/transactions`, for the last sample cardholder or a new one.
    Year,
    /// `GET /issuers/users/{userid}/dashboards`, for the same.
    Dashboard,
    /// Donation on or off.
    Donation(bool),
    /// The issuer may call, or is suspended.
    Open(bool),
}

impl Action {
    /// As a button sends it.
    pub fn parse(text: &str) -> Option<Self> {
        Some(match text {
            "enrol" => Self::Enrol,
            "year" => Self::Year,
            "dashboard" => Self::Dashboard,
            "donation-on" => Self::Donation(true),
            "donation-off" => Self::Donation(false),
            "resume" => Self::Open(true),
            "suspend" => Self::Open(false),
            _ => return None,
        })
    }
}

/// What has been done.
pub enum Done {
    /// In words.
    Said(String),
    /// An address to go to.
    Address(String),
}

impl Console {
    /// Does what a button says, as the issuer `name`. It calls this sandbox over HTTP, and waits:
    /// not for an event loop.
    ///
    /// # Errors
    /// A call that was refused, with its answer; no issuer of that name.
    pub fn call(&self, name: &str, action: Action) -> anyhow::Result<Done> {
        let (identity, issuer) = Identity::from_sandbox(&self.description, name)?;
        let client = Client::new(identity)?;
        let prefix = issuer.account_ranges.first();
        let prefix = prefix.context("the issuer has no account range")?;
        let cardholder = || match self.cardholder(name) {
            Some(user_id) => Ok(user_id),
            None => self.enrol(&client, name, prefix),
        };
        match action {
            Action::Enrol => {
                let user_id = self.enrol(&client, name, prefix)?;
                Ok(Done::Said(format!("Enrolled the cardholder {user_id}.")))
            }
            Action::Year => {
                let user_id = cardholder()?;
                let items = sample_year::transactions(&user_id, Utc::now().date_naive());
                let count = items.len();
                let batch = json!({ "transactions": items });
                sealed(&client, &Operation::PostTransactions, &batch)?;
                Ok(Done::Said(format!(
                    "Sent {count} transactions of {user_id}."
                )))
            }
            Action::Dashboard => {
                let user_id = cardholder()?;
                let user_id = CardholderId::parse(&user_id).context("not a user id")?;
                let operation = Operation::Dashboard(user_id, None);
                let request = client.sign(&operation, SignatureMethod::RsaSha256, Vec::new())?;
                let answer = accepted(client.send(&request)?)?;
                let url = answer.get("url").and_then(Value::as_str);
                Ok(Done::Address(
                    url.context("no url in the answer")?.to_owned(),
                ))
            }
            Action::Donation(_) | Action::Open(_) => bail!("this is no call"),
        }
    }

    fn enrol(&self, client: &Client, name: &str, prefix: &str) -> anyhow::Result<String> {
        let answer = sealed(client, &Operation::Enrol, &sample::enrolment(prefix))?;
        let user_id = answer.get("userid").and_then(Value::as_str);
        let user_id = user_id.context("no userid in the answer")?.to_owned();
        self.enrolled(name, user_id.clone());
        Ok(user_id)
    }
}

fn sealed(client: &Client, operation: &Operation, clear: &Value) -> anyhow::Result<Value> {
    let (envelope, signature) = (EnvelopeKind::Jwe, SignatureMethod::RsaSha256);
    let clear = clear.to_string();
    let request = client.prepare(operation, envelope, signature, clear.as_bytes())?;
    accepted(client.send(&request)?)
}

fn accepted(answer: Answered) -> anyhow::Result<Value> {
    let clear = answer.clear.unwrap_or_default();
    if answer.status == 200 {
        return Ok(clear);
    }
    let code = clear.pointer("/Errors/Error/0/ReasonCode");
    let code = code.and_then(Value::as_str).unwrap_or_default();
    bail!("the call was refused: {} {code}", answer.status)
}

/// Turns one of the operator's switches. In force for the next call.
///
/// # Errors
/// The store's; no such issuer.
pub async fn switch(gateway: &Gateway, client_id: &str, action: Action) -> anyhow::Result<String> {
    let id = ClientId::parse(client_id).context("not a client id")?;
    let store = &gateway.store;
    let said = match action {
        Action::Donation(on) => {
            let audit = AuditDraft::local("issuer.set-donation");
            store.set_donation(&id, on, audit).await?;
            if on {
                "Donation is on: whoever was enrolled while it was off has to enrol again."
            } else {
                "Donation is off: updates are refused."
            }
        }
        Action::Open(open) => {
            let (status, said) = match open {
                true => (IssuerStatus::Active, "The issuer may call again."),
                false => (
                    IssuerStatus::Suspended,
                    "The issuer is suspended: its calls are refused with ACCOUNT_SUSPENDED.",
                ),
            };
            let audit = AuditDraft::local("issuer.set-status");
            store.set_issuer_status(&id, status, audit).await?;
            said
        }
        Action::Enrol | Action::Year | Action::Dashboard => bail!("this is no switch"),
    };
    gateway.registry.refresh(store).await?;
    Ok(said.to_owned())
}
