//! The cardholders of a seed file, and how they are enrolled.

use super::csv::Table;
use super::{Plan, Seeds};
use crate::cli::sandbox::files::Files;
use crate::client::identity::{Identity, SandboxCardholder, SandboxFile};
use crate::client::{Answered, Client, Operation, sample, sample_year};
use crate::keys::rotation::write_private;
use crate::oauth1::SignatureMethod;
use crate::payload::EnvelopeKind;
use anyhow::{Context, bail, ensure};
use chrono::Utc;
use serde::Deserialize;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;

/// A cardholder as the file describes it. What is left out is made up, the same each time.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Fields {
    id: String,
    card_number: Option<String>,
    currency: Option<String>,
    /// `YYYY-MM`
    expiry: Option<String>,
    first_name: Option<String>,
    last_name: Option<String>,
    email: Option<String>,
    country: Option<String>,
    postal_code: Option<String>,
    state: Option<String>,
    city: Option<String>,
    line1: Option<String>,
    locale: Option<String>,
    /// A made-up year of transactions, up to today.
    year: bool,
}

/// A cardholder of an issuer.
pub(super) struct Cardholder {
    issuer: String,
    card_number: String,
    fields: Fields,
}

/// The cardholders of a table: a row for each.
pub(super) fn of_table(table: &Table) -> anyhow::Result<Vec<Fields>> {
    let row = |row: &Vec<String>| {
        let mut fields = Fields::default();
        for (column, value) in table.header.iter().zip(row) {
            let value = Some(value.clone()).filter(|value| !value.is_empty());
            match column.as_str() {
                "id" => fields.id = value.unwrap_or_default(),
                "card_number" => fields.card_number = value,
                "currency" => fields.currency = value,
                "expiry" => fields.expiry = value,
                "first_name" => fields.first_name = value,
                "last_name" => fields.last_name = value,
                "email" => fields.email = value,
                "country" => fields.country = value,
                "postal_code" => fields.postal_code = value,
                "state" => fields.state = value,
                "city" => fields.city = value,
                "line1" => fields.line1 = value,
                "locale" => fields.locale = value,
                "year" => fields.year = matches!(value.as_deref(), Some("yes" | "true" | "1")),
                other => bail!("there is no field {other}"),
            }
        }
        Ok(fields)
    };
    table.rows.iter().map(row).collect()
}

impl Cardholder {
    pub(super) fn new(plan: &Plan, fields: Fields) -> anyhow::Result<Self> {
        ensure!(!fields.id.is_empty(), "a cardholder without an id");
        let prefix = plan.account_ranges.first();
        let prefix = prefix.context("account_ranges: is empty")?;
        let made_up = || {
            let hash = Sha256::digest(format!("{} {}", plan.name, fields.id));
            let digits = hash.iter().map(|byte| char::from(b'0' + byte % 10));
            sample::card_number_of(prefix, digits)
        };
        let card_number = fields.card_number.clone().unwrap_or_else(made_up);
        Ok(Self {
            issuer: plan.name.clone(),
            card_number,
            fields,
        })
    }

    pub(super) fn id(&self) -> &str {
        &self.fields.id
    }

    /// What is sent to enrol it.
    fn enrolment(&self) -> anyhow::Result<Value> {
        let fields = &self.fields;
        let mut enrolment = sample::enrolment("");
        let mut set = |pointer: &str, value: Option<&str>| {
            if let (Some(place), Some(value)) = (enrolment.pointer_mut(pointer), value) {
                *place = value.into();
            }
        };
        let name = |default: &str, value: &Option<String>| {
            value.clone().unwrap_or_else(|| default.to_owned())
        };
        let (first, last) = (
            name("Jane", &fields.first_name),
            name("Sample", &fields.last_name),
        );
        set("/cardNumber", Some(&self.card_number));
        set("/cardholderName", Some(&format!("{first} {last}")));
        set("/name/firstName", Some(&first));
        set("/name/lastName", Some(&last));
        set("/email/value", fields.email.as_deref());
        set("/cardBaseCurrency", fields.currency.as_deref());
        set("/billingAddress/countryCode", fields.country.as_deref());
        set("/billingAddress/postalCode", fields.postal_code.as_deref());
        set("/billingAddress/state", fields.state.as_deref());
        set("/billingAddress/city", fields.city.as_deref());
        set("/billingAddress/line1", fields.line1.as_deref());
        set("/locale", fields.locale.as_deref());
        if let Some(expiry) = &fields.expiry {
            let parts = expiry.split_once('-');
            let (year, month) = parts.context("expiry: must be YYYY-MM")?;
            set("/expiryInfo/year", Some(year));
            set("/expiryInfo/month", Some(month));
        }
        Ok(enrolment)
    }
}

/// Enrols the cardholders by calls to the running sandbox, and writes their ids into its
/// description. Those that are enrolled already stay as they are.
///
/// # Errors
/// A call that was refused; it names the cardholder.
pub(in crate::cli::sandbox) fn enrol(files: &Files, seeds: &Seeds) -> anyhow::Result<usize> {
    let mut clients: BTreeMap<&str, Client> = BTreeMap::new();
    let mut enrolled = BTreeMap::new();
    for cardholder in &seeds.cardholders {
        let issuer = cardholder.issuer.as_str();
        if !clients.contains_key(issuer) {
            let (identity, _) = Identity::from_sandbox(&files.description, issuer)?;
            clients.insert(issuer, Client::new(identity)?);
        }
        let client = clients.get(issuer).context("no client")?;
        let userid = enrol_one(client, cardholder)
            .with_context(|| format!("the cardholder {} of {issuer}", cardholder.id()))?;
        let described = SandboxCardholder {
            issuer: issuer.to_owned(),
            userid,
            card_number: cardholder.card_number.clone(),
        };
        enrolled.insert(cardholder.id().to_owned(), described);
    }
    let count = enrolled.len();
    let mut description = SandboxFile::read(&files.description)?;
    if description.cardholders != enrolled {
        description.cardholders = enrolled;
        let text = serde_json::to_vec_pretty(&description)?;
        write_private(&files.description, &text)?;
    }
    Ok(count)
}

fn enrol_one(client: &Client, cardholder: &Cardholder) -> anyhow::Result<String> {
    let answer = call(client, &Operation::Enrol, &cardholder.enrolment()?)?;
    let clear = answer.clear.unwrap_or_default();
    let (userid, new) = match answer.status {
        200 => (clear.get("userid").and_then(Value::as_str), true),
        _ => (enrolled_before(&clear), false),
    };
    let Some(userid) = userid else {
        bail!("the enrolment was answered {}: {clear}", answer.status);
    };
    if new && cardholder.fields.year {
        let items = sample_year::transactions(userid, Utc::now().date_naive());
        let batch = json!({ "transactions": items });
        let answer = call(client, &Operation::PostTransactions, &batch)?;
        ensure!(
            answer.status == 200,
            "the transactions were answered {}",
            answer.status
        );
    }
    Ok(userid.to_owned())
}

/// The id of a card's cardholder stands at the end of the refusal's details.
fn enrolled_before(clear: &Value) -> Option<&str> {
    let error = clear.pointer("/Errors/Error/0")?;
    if error.get("ReasonCode")?.as_str()? != "USER_ALREADY_EXISTS" {
        return None;
    }
    error.get("Details")?.as_str()?.split(' ').next_back()
}

fn call(client: &Client, operation: &Operation, clear: &Value) -> anyhow::Result<Answered> {
    let (envelope, signature) = (EnvelopeKind::Jwe, SignatureMethod::RsaSha256);
    let clear = clear.to_string();
    let request = client.prepare(operation, envelope, signature, clear.as_bytes())?;
    client.send(&request)
}
