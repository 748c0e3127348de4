//! A sum in one line.

use super::super::Grams;
use super::{Conversion, EnergyStep, Explanation, Purchase, SpendStep};
use rust_decimal::{Decimal, RoundingStrategy};

/// `250.00 SEK / 10.9395 = 22.852964 EUR x 0.940083 = 21.483683 EUR of 2023 x 0.285573 kg = 6135.16
/// g CO2e`. Terms are joined by plus signs; figures between are shown with 6 decimal places, and
/// not rounded in the sum.
pub(super) fn write(purchase: &Purchase, explanation: &Explanation<'_>, total: Grams) -> String {
    let amount = purchase.amount.to_string();
    let mut terms: Vec<String> = explanation
        .energy
        .iter()
        .map(|step| energy(&amount, step))
        .collect();
    if let Some(step) = &explanation.spend {
        terms.push(spend(&amount, step));
    }
    format!("{} = {total} g CO2e", terms.join(" + "))
}

/// `250.00 SEK / 10.9395`, and `x 1.1627` where the euro is only the way to another currency.
fn converted(amount: &str, conversion: Option<Conversion>) -> String {
    let Some(rates) = conversion else {
        return amount.to_owned();
    };
    let mut text = amount.to_owned();
    for (operator, rate) in [("/", rates.from_per_eur), ("x", rates.to_per_eur)] {
        if rate != Decimal::ONE {
            text += &format!(" {operator} {}", rate.normalize());
        }
    }
    text
}

fn spend(amount: &str, step: &SpendStep<'_>) -> String {
    let mut text = converted(amount, step.conversion);
    if step.conversion.is_some() {
        text += &format!(" = {} {}", six(step.converted), step.currency);
    }
    format!(
        "{text} x {} = {} {} of {} x {} kg",
        step.deflator.factor,
        six(step.real),
        step.currency,
        step.basis.price_year(),
        six(step.factor.co2e),
    )
}

fn energy(amount: &str, step: &EnergyStep<'_>) -> String {
    let share = if step.weight == Decimal::ONE {
        String::new()
    } else {
        format!("{} x ", step.weight.normalize())
    };
    let kg = step.kg_use + step.kg_upstream;
    format!(
        "{share}{} / {} {} = {} {} {} x {} kg",
        converted(amount, step.conversion),
        step.price.normalize(),
        step.currency,
        six(step.quantity),
        step.carrier.unit(),
        step.carrier.name().replace('_', " "),
        six(kg),
    )
}

fn six(number: Decimal) -> Decimal {
    number
        .round_dp_with_strategy(6, RoundingStrategy::MidpointNearestEven)
        .normalize()
}
