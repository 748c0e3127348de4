//! `GET /supported-merchant-categories` and `GET /supported-currencies`: what transactions of the
//! caller can be scored, in the shapes of the sibling API. Clients keep both lists.

use crate::attempt::{Action, Attempt, Record};
use crate::call::Call;
use crate::footprint::set::{Category, Mcc};
use crate::footprint::{Currency, FactorSet, Scorer};
use crate::gateway::Gateway;
use crate::json;
use crate::refusal::Refusal;
use serde_json::{Value, json};

/// Every merchant category code of the caller's factor set, those that are not scored too: all of
/// them are accepted.
pub async fn merchant_categories(gateway: &Gateway, call: &Call<'_>) -> Result<Vec<u8>, Refusal> {
    answer(gateway, call, Action::ListMerchantCategories, |scorer| {
        categories(scorer.set())
    })
    .await
}

/// Every currency with an exchange rate.
pub async fn currencies(gateway: &Gateway, call: &Call<'_>) -> Result<Vec<u8>, Refusal> {
    answer(gateway, call, Action::ListCurrencies, |scorer| {
        let rated = Currency::all().filter(|currency| scorer.data().has_rate(*currency));
        rated
            .map(|currency| json!({"currencyCode": currency.code()}))
            .collect()
    })
    .await
}

async fn answer(
    gateway: &Gateway,
    call: &Call<'_>,
    action: Action,
    list: fn(&Scorer) -> Vec<Value>,
) -> Result<Vec<u8>, Refusal> {
    let attempt = Attempt::begin(gateway, call, action)?;
    if let Err(refusal) = attempt.require_active() {
        return Err(attempt.refuse(refusal).await);
    }
    // A node that does not know the set yet may know it in a second, or another node does.
    let scorers = gateway.footprints.current();
    let scorer = scorers.of(&attempt.issuer());
    let scorer = scorer.map_err(|_| Refusal::Unavailable)?;
    let body = json::to_ascii(&Value::Array(list(scorer))).to_vec();
    attempt.commit(Record).await?;
    Ok(body)
}

fn categories(set: &FactorSet) -> Vec<Value> {
    let item = |category: &Category, mcc: Mcc| {
        let area = set.area(category)?;
        Some(json!({
            "mcc": mcc.to_string(),
            "category": {
                "mainCategory": area.main_category,
                "subCategory": area.sub_category,
                "sector": category.description,
                "sectorCode": area.code.to_string(),
            },
        }))
    };
    let codes = set.categories().iter().flat_map(|category| {
        let codes = category.from.number()..=category.to.number();
        codes.filter_map(move |code| item(category, Mcc::new(code)?))
    });
    codes.collect()
}
