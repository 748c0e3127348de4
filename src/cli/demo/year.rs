//! The second half of the demonstration: a year of purchases, and their footprint.

use super::{prepare, title};
use crate::client::{Answered, Client, Operation, sample_year};
use crate::footprint::set::Mcc;
use crate::footprint::{Country, Currency, Money, Purchase, Scorer};
use crate::ids::CardholderId;
use crate::oauth1::SignatureMethod;
use anyhow::{Context, ensure};
use chrono::{NaiveDate, Utc};
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// Sends a made-up year of the cardholder's purchases, and shows what it adds up to.
pub(super) fn run(client: &Client, user_id: &CardholderId) -> anyhow::Result<()> {
    title("5. A year of made-up purchases: POST /issuers/transactions");
    let items = sample_year::transactions(user_id.as_str(), Utc::now().date_naive());
    let batch = json!({ "transactions": items });
    let request = prepare(client, &Operation::PostTransactions, &batch)?;
    let answer = client.send(&request)?;
    ensure!(
        answer.status == 200,
        "the transactions were answered {}",
        answer.status
    );
    let outcomes = outcomes(&answer).context("the transactions were answered without outcomes")?;
    let scored = outcomes.iter().filter(|outcome| grams(outcome).is_some());
    println!(
        "{} transactions went in with one call, encrypted; {} have grams, {} have a reason instead.",
        outcomes.len(),
        scored.count(),
        outcomes
            .iter()
            .filter(|one| one.get("notScoredReason").is_some())
            .count(),
    );
    println!();
    show_areas(outcomes);
    show_sum(&items, outcomes)?;

    title("6. The score of this month: GET /issuers/users/{userid}/aggregate-carbon-scores");
    let operation = Operation::AggregateScore(user_id.clone());
    let request = client.sign(&operation, SignatureMethod::RsaSha256, Vec::new())?;
    let answer = client.send(&request)?;
    ensure!(
        answer.status == 200,
        "the score was answered {}",
        answer.status
    );
    super::show_answer(&answer);

    title("7. The cardholder's web view: GET /issuers/users/{userid}/dashboards");
    let operation = Operation::Dashboard(user_id.clone(), None);
    let request = client.sign(&operation, SignatureMethod::RsaSha256, Vec::new())?;
    let answer = client.send(&request)?;
    let url = answer.clear.as_ref().and_then(|clear| clear.get("url"));
    let url = url.and_then(Value::as_str);
    let url = url.context("the gateway issued no address of a web view")?;
    println!("Open it in a browser; it starts a view for 15 minutes:");
    println!();
    println!("  {url}");
    println!();
    println!("A new one, in another language: issuer-gateway client dashboard {user_id} --lang sv");
    Ok(())
}

fn outcomes(answer: &Answered) -> Option<&Vec<Value>> {
    answer.clear.as_ref()?.get("transactions")?.as_array()
}

fn grams(outcome: &Value) -> Option<f64> {
    outcome.get("carbonEmissionInGrams")?.as_f64()
}

/// The three spending areas with the most grams.
fn show_areas(outcomes: &[Value]) {
    let mut areas: BTreeMap<&str, f64> = BTreeMap::new();
    for outcome in outcomes {
        let area = outcome.pointer("/category/subCategory");
        if let (Some(area), Some(grams)) = (area.and_then(Value::as_str), grams(outcome)) {
            *areas.entry(area).or_default() += grams;
        }
    }
    let total: f64 = areas.values().sum();
    let mut areas: Vec<_> = areas.into_iter().collect();
    areas.sort_by(|(_, one), (_, other)| other.total_cmp(one));
    println!("{:<28} {:>9.0} kg CO2e", "The year", total / 1000.0);
    for (area, grams) in areas.iter().take(3) {
        let share = 100.0 * grams / total;
        println!("  {area:<26} {:>9.0} kg, {share:.0} %", grams / 1000.0);
    }
    println!();
}

/// The sum of the latest groceries, written out with the same factors.
fn show_sum(items: &[Value], outcomes: &[Value]) -> anyhow::Result<()> {
    let latest = items.iter().zip(outcomes).rev();
    let groceries = latest.into_iter().find(|(item, _)| item["mcc"] == "5411");
    let (item, outcome) = groceries.context("the sample year has no groceries")?;
    let purchase = purchase(item).context("the sample's groceries are no purchase")?;
    let scorer = Scorer::builtin()?;
    let explained = scorer.explain(&purchase);
    println!(
        "How one of them is worked out ({} on {}):",
        item["merchantName"].as_str().unwrap_or_default(),
        purchase.date
    );
    println!("  {}", explained.line.as_deref().unwrap_or_default());
    println!(
        "The gateway answered {} g.",
        outcome["carbonEmissionInGrams"]
    );
    Ok(())
}

fn purchase(item: &Value) -> Option<Purchase> {
    let text = |name: &str| item.pointer(name)?.as_str();
    let currency = Currency::from_alpha(text("/amount/currencyCode")?)?;
    let value = item.pointer("/amount/value")?.to_string();
    Some(Purchase {
        mcc: Mcc::parse(text("/mcc")?)?,
        amount: Money::parse(&value, currency).ok()?,
        date: text("/date")?.parse::<NaiveDate>().ok()?,
        country: Country::from_alpha3(text("/countryISOCode")?)?,
    })
}
