//! The steps of a payment's sum, in the numbers of the page's language. Who works the printed line
//! out again comes to the printed grams, within what was rounded on the way.

use super::super::facts::Payment;
use super::super::texts::Words;
use super::total::Line;
use crate::footprint::score::{Conversion, EnergyStep, SpendStep};
use crate::footprint::set::Basis;
use crate::footprint::{Carrier, Currency, Explanation, Grams};
use rust_decimal::{Decimal, RoundingStrategy};

/// Lines and the sum.
pub(super) struct Steps {
    pub(super) lines: Vec<Line>,
    pub(super) sum: String,
}

impl Steps {
    pub(super) fn of(
        words: &Words,
        payment: &Payment,
        explanation: &Explanation<'_>,
        grams: Grams,
    ) -> Self {
        let writer = Writer { words, payment };
        let mut lines = Vec::new();
        let mut terms = Vec::new();
        for step in &explanation.energy {
            writer.energy(step, &mut lines);
            terms.push(writer.energy_term(step));
        }
        if !explanation.energy.is_empty() {
            lines.push(writer.line("payment-source", words.t("payment-source-energy")));
        }
        if let Some(step) = &explanation.spend {
            writer.spend(step, &mut lines);
            terms.push(writer.spend_term(step));
        }
        let total = words.formats.places(grams.decimal(), 2);
        Self {
            lines,
            sum: format!("{} = {total} g CO₂e", terms.join(" + ")),
        }
    }
}

struct Writer<'a> {
    words: &'a Words,
    payment: &'a Payment,
}

impl Writer<'_> {
    fn line(&self, label: &str, value: String) -> Line {
        Line {
            label: self.words.t(label),
            value,
        }
    }

    fn number(&self, number: Decimal) -> String {
        self.words.formats.number(number.normalize())
    }

    /// As the sum is written down: six places.
    fn six(&self, number: Decimal) -> String {
        self.number(number.round_dp_with_strategy(6, RoundingStrategy::MidpointNearestEven))
    }

    fn in_currency(&self, number: Decimal, currency: Currency) -> String {
        format!("{}\u{a0}{currency}", self.six(number))
    }

    fn unit(&self, carrier: Carrier) -> String {
        self.words.t(match carrier {
            Carrier::Petrol | Carrier::Diesel => "unit-litre",
            Carrier::NaturalGas | Carrier::Electricity => "unit-kwh",
        })
    }

    fn carrier(&self, carrier: Carrier) -> String {
        self.words.t(&format!("carrier-{}", carrier.name()))
    }

    fn spend(&self, step: &SpendStep<'_>, lines: &mut Vec<Line>) {
        let words = self.words;
        if let Some(conversion) = step.conversion {
            let amount = self.in_currency(step.converted, step.currency);
            let date = words.formats.date(conversion.date);
            lines.push(self.line(
                "payment-converted",
                words.with(
                    "payment-converted-value",
                    &[("amount", &amount), ("date", &date)],
                ),
            ));
        }
        let year = step.basis.price_year().to_string();
        lines.push(Line {
            label: words.with("payment-price-year", &[("year", &year)]),
            value: words.with(
                "payment-price-year-value",
                &[
                    ("amount", &self.in_currency(step.real, step.currency)),
                    ("factor", &self.number(step.deflator.factor)),
                ],
            ),
        });
        let unit = format!("{} ({year})", step.currency);
        lines.push(self.line(
            "payment-factor",
            words.with(
                "payment-factor-value",
                &[("factor", &self.six(step.factor.co2e)), ("unit", &unit)],
            ),
        ));
        let source = match step.basis {
            Basis::Usd2022 => "payment-source-usa",
            _ => "payment-source-europe",
        };
        lines.push(self.line("payment-source", words.t(source)));
    }

    fn energy(&self, step: &EnergyStep<'_>, lines: &mut Vec<Line>) {
        let carrier = self.carrier(step.carrier);
        let unit = self.unit(step.carrier);
        let value = self.words.with(
            "payment-quantity-value",
            &[
                (
                    "quantity",
                    &format!("{}\u{a0}{unit}", self.six(step.quantity)),
                ),
                (
                    "price",
                    &format!("{}\u{a0}{}", self.number(step.price), step.currency),
                ),
                ("unit", &unit),
                ("factor", &self.six(step.kg_use + step.kg_upstream)),
            ],
        );
        lines.push(Line {
            label: self
                .words
                .with("payment-quantity", &[("carrier", &carrier)]),
            value,
        });
    }

    fn spend_term(&self, step: &SpendStep<'_>) -> String {
        let mut text = self.converted(step.conversion);
        if step.conversion.is_some() {
            text += &format!(" = {}", self.in_currency(step.converted, step.currency));
        }
        format!(
            "{text} × {} = {} ({}) × {} kg",
            self.number(step.deflator.factor),
            self.in_currency(step.real, step.currency),
            step.basis.price_year(),
            self.six(step.factor.co2e),
        )
    }

    fn energy_term(&self, step: &EnergyStep<'_>) -> String {
        let share = if step.weight == Decimal::ONE {
            String::new()
        } else {
            format!("{} × ", self.number(step.weight))
        };
        format!(
            "{share}{} ÷ {}\u{a0}{} = {}\u{a0}{} × {} kg",
            self.converted(step.conversion),
            self.number(step.price),
            step.currency,
            self.six(step.quantity),
            self.unit(step.carrier),
            self.six(step.kg_use + step.kg_upstream),
        )
    }

    fn converted(&self, conversion: Option<Conversion>) -> String {
        let amount = self.payment.amount;
        let mut text = self.in_currency(amount.value(), amount.currency());
        for (operator, rate) in conversion
            .into_iter()
            .flat_map(|rates| [('÷', rates.from_per_eur), ('×', rates.to_per_eur)])
        {
            if rate != Decimal::ONE {
                text += &format!(" {operator} {}", self.number(rate));
            }
        }
        text
    }
}
