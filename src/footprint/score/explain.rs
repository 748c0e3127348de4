//! Every step of a score, for a payment's page and for support.

use super::super::dated::Place;
use super::super::set::{Area, Basis, Category, Confidence, Intensity, Method, Naics, SetId};
use super::super::{Carrier, Currency};
use super::line;
use super::sum::{EnergyPart, SpendPart, Sum};
use super::{AsOf, Assessment, Conversion, Purchase, Scorer, Verdict};
use chrono::NaiveDate;
use rust_decimal::Decimal;

/// A purchase's score, step by step.
#[derive(Debug, Clone)]
pub struct Explanation<'s> {
    /// What [`Scorer::score`] says of the same purchase.
    pub assessment: Assessment,
    /// The factor set.
    pub set: &'s SetId,
    /// `None` for an unknown merchant category.
    pub category: Option<&'s Category>,
    /// `None` for an unknown merchant category.
    pub area: Option<&'s Area>,
    /// What is scored by its price; `None` where energy carriers are all that was bought, or
    /// nothing is scored.
    pub spend: Option<SpendStep<'s>>,
    /// What is scored by its quantity.
    pub energy: Vec<EnergyStep<'s>>,
    /// `None` if nothing is scored.
    pub confidence_reason: Option<ConfidenceReason>,
    /// The whole sum in one line, from the amount to grams of CO2e; `None` if nothing is scored.
    pub line: Option<String>,
}

/// From the amount to the grams of a basket's industries.
#[derive(Debug, Clone)]
pub struct SpendStep<'s> {
    /// The rates; `None` where the amount is in the table's currency.
    pub conversion: Option<Conversion>,
    /// The table's currency.
    pub currency: Currency,
    /// The amount in it, at the day's rate.
    pub converted: Decimal,
    /// The correction to the price year, and the month it is from.
    pub deflator: super::Deflator,
    /// The month's index was never published: it lies between its neighbours.
    pub interpolated: bool,
    /// The table, with its price year.
    pub basis: Basis,
    /// The amount in prices of that year.
    pub real: Decimal,
    /// kg per unit of the table's currency: the basket's weights times its factors.
    pub factor: Intensity,
    /// What `factor` is made of.
    pub basket: Vec<BasketShare<'s>>,
    /// Not rounded.
    pub grams: Intensity,
}

/// One industry of a basket.
#[derive(Debug, Clone)]
pub struct BasketShare<'s> {
    /// Its code.
    pub naics: Naics,
    /// Its English title.
    pub title: &'s str,
    /// Of the whole amount.
    pub weight: Decimal,
    /// kg per unit of the table's currency, the multiplier included.
    pub factor: Intensity,
    /// On the factor of the United States, with its reason; `None` in tables of countries.
    pub multiplier: Option<(Decimal, &'s str)>,
}

/// From a share of the amount to the grams of one energy carrier.
#[derive(Debug, Clone)]
pub struct EnergyStep<'s> {
    /// What is bought.
    pub carrier: Carrier,
    /// Of the whole amount.
    pub weight: Decimal,
    /// The rates; `None` where the amount is in the price's currency.
    pub conversion: Option<Conversion>,
    /// For one litre or kilowatt-hour.
    pub price: Decimal,
    /// The price's currency.
    pub currency: Currency,
    /// Whose price it is.
    pub price_place: Place,
    /// Since when it holds.
    pub price_from: NaiveDate,
    /// Who published it.
    pub price_source: &'s str,
    /// Litres or kilowatt-hours.
    pub quantity: Decimal,
    /// kg CO2e per unit when it is used.
    pub kg_use: Decimal,
    /// kg CO2e per unit before it is used.
    pub kg_upstream: Decimal,
    /// Where both come from.
    pub factor_source: &'s str,
    /// Electricity only: whose grid, and of which year.
    pub grid: Option<(Place, i32)>,
    /// Not rounded.
    pub grams: Decimal,
}

/// Why a score is trusted as far as it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ConfidenceReason {
    /// High: a quantity was measured.
    MeasuredQuantity,
    /// Medium: one kind of product or service, with a factor of its sector.
    SectorFactor,
    /// Low: the shop sells many kinds of things.
    MixedBasket,
    /// Low: the sector's factor is known to be rough.
    RoughSector,
    /// Low: a quantity of energy was told from a price.
    QuantityFromPrice,
}

impl ConfidenceReason {
    /// A stable code: catalogues of translations go by it.
    pub fn code(self) -> &'static str {
        match self {
            Self::MeasuredQuantity => "measured_quantity",
            Self::SectorFactor => "sector_factor",
            Self::MixedBasket => "mixed_basket",
            Self::RoughSector => "rough_sector",
            Self::QuantityFromPrice => "quantity_from_price",
        }
    }

    /// English, for operators.
    pub fn text(self) -> &'static str {
        match self {
            Self::MeasuredQuantity => "from a measured quantity",
            Self::SectorFactor => "one kind of product or service, with a factor of its sector",
            Self::MixedBasket => {
                "the shop sells many kinds of things, and what was bought is not known"
            }
            Self::RoughSector => "the factor of this sector is known to be rough",
            Self::QuantityFromPrice => "the quantity of energy was told from a price",
        }
    }

    fn of(category: &Category) -> Option<Self> {
        Some(match (category.confidence?, category.method) {
            (Confidence::High, _) => Self::MeasuredQuantity,
            (Confidence::Medium, _) => Self::SectorFactor,
            (Confidence::Low, Method::Fuel) => Self::QuantityFromPrice,
            (Confidence::Low, _) if category.industries.len() > 1 => Self::MixedBasket,
            (Confidence::Low, _) => Self::RoughSector,
        })
    }
}

impl Scorer {
    /// The steps of [`Scorer::score`]: the same sum, with its parts.
    pub fn explain(&self, purchase: &Purchase) -> Explanation<'_> {
        self.explain_as_of(purchase, AsOf::date(purchase.date))
    }

    /// The steps of a stored score, with the rows that it was made from. Should an operator have
    /// replaced those rows, or put a price of energy before the purchase, the grams differ from the
    /// stored ones: compare them.
    pub fn explain_as_of(&self, purchase: &Purchase, as_of: AsOf) -> Explanation<'_> {
        let assessment = self.score_as_of(purchase, as_of);
        let category = self.set.category(purchase.mcc);
        let mut explanation = Explanation {
            assessment,
            set: self.set.id(),
            category,
            area: category.and_then(|category| self.set.area(category)),
            spend: None,
            energy: Vec::new(),
            confidence_reason: None,
            line: None,
        };
        if let (Verdict::Scored(score), Ok(sum)) = (assessment.verdict, self.sum(purchase, as_of)) {
            explanation.confidence_reason = ConfidenceReason::of(sum.category);
            explanation.spend = self.spend_step(&sum);
            let energy = sum.energy.iter().flatten();
            explanation.energy = energy.filter_map(|part| self.energy_step(part)).collect();
            explanation.line = Some(line::write(purchase, &explanation, score.co2e));
        }
        explanation
    }

    fn spend_step(&self, sum: &Sum<'_>) -> Option<SpendStep<'_>> {
        let SpendPart {
            converted,
            cpi,
            deflator,
            grams_per_unit,
            grams,
        } = sum.spend.as_ref()?;
        let basis = sum.score.basis;
        let value = converted.value()?;
        let basket = sum
            .category
            .industries
            .iter()
            .filter_map(|(naics, weight)| {
                let industry = self.set.industry(*naics)?;
                let multiplier = industry.multiplier.as_ref();
                Some(BasketShare {
                    naics: *naics,
                    title: &industry.title,
                    weight: *weight,
                    factor: self.set.factor(basis, *naics)?,
                    multiplier: multiplier
                        .filter(|_| basis == Basis::Usd2022)
                        .map(|(multiplier, reason)| (*multiplier, reason.as_str())),
                })
            });
        Some(SpendStep {
            conversion: converted.conversion,
            currency: Currency::from_alpha(basis.currency_code())?,
            converted: value,
            deflator: *deflator,
            interpolated: cpi.interpolated,
            basis,
            real: value.checked_mul(deflator.factor)?,
            factor: grams_per_unit.times(Decimal::new(1, 3))?,
            basket: basket.collect(),
            grams: *grams,
        })
    }

    fn energy_step<'s>(&'s self, part: &EnergyPart<'s>) -> Option<EnergyStep<'s>> {
        let share = part.converted.value()?.checked_mul(part.weight)?;
        Some(EnergyStep {
            carrier: part.carrier,
            weight: part.weight,
            conversion: part.converted.conversion,
            price: part.price.price,
            currency: part.price.currency,
            price_place: part.price.place,
            price_from: part.price.from_date,
            price_source: &part.price.source,
            quantity: share.checked_div(part.price.price)?,
            kg_use: part.kg_use,
            kg_upstream: part.kg_upstream,
            factor_source: &self.set.carrier(part.carrier)?.note,
            grid: part.grid.map(|row| (row.place, row.year)),
            grams: part.grams,
        })
    }
}
