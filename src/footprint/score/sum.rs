//! The sum itself: [`Scorer::score`] takes its total, [`Scorer::explain`] its steps.

use super::super::dated::{CpiRow, GridRow, PriceRow};
use super::super::set::{Basis, Category, Confidence, Intensity, Method};
use super::super::{Carrier, Currency, Grams, Month};
use super::convert::{Converted, Refused, divide};
use super::{AsOf, Deflator, Merchant, Purchase, Score, Scorer};
use chrono::Datelike;
use rust_decimal::Decimal;

/// Months after which consumer prices are stale.
const FRESH_MONTHS: i32 = 3;

/// A score with the parts that it is the sum of.
pub(super) struct Sum<'s> {
    pub(super) category: &'s Category,
    pub(super) spend: Option<SpendPart<'s>>,
    pub(super) energy: [Option<EnergyPart<'s>>; 4],
    pub(super) score: Score,
}

/// What is scored by its price.
pub(super) struct SpendPart<'s> {
    pub(super) converted: Converted,
    pub(super) cpi: &'s CpiRow,
    pub(super) deflator: Deflator,
    /// Grams per unit of the table's currency, by the basket's weights.
    pub(super) grams_per_unit: &'s Intensity,
    pub(super) grams: Intensity,
}

/// What is scored by its quantity.
pub(super) struct EnergyPart<'s> {
    pub(super) carrier: Carrier,
    pub(super) weight: Decimal,
    pub(super) converted: Converted,
    pub(super) price: &'s PriceRow,
    /// kg CO2e per unit.
    pub(super) kg_use: Decimal,
    pub(super) kg_upstream: Decimal,
    pub(super) grid: Option<&'s GridRow>,
    pub(super) grams: Decimal,
}

impl Scorer {
    pub(super) fn sum(&self, purchase: &Purchase, as_of: AsOf) -> Result<Sum<'_>, Refused> {
        let index = self.set.category_index(purchase.mcc);
        let index = index.ok_or(Refused::InvalidMcc)?;
        let category = self.set.category_at(index).ok_or(Refused::InvalidMcc)?;
        let Some(confidence) = category.confidence else {
            return Err(Refused::NotScored);
        };
        // A currency without rates fails also where prices are in it.
        if !self.data.has_rate(purchase.amount.currency()) {
            return Err(Refused::UnsupportedCurrency);
        }
        let merchant = self.merchants.get(purchase.country.index());
        let merchant = merchant.ok_or(Refused::OutOfRange)?;
        let spend = if category.industries.is_empty() {
            None
        } else {
            Some(self.spend(purchase, as_of, merchant, index)?)
        };
        let mut energy = [None, None, None, None];
        if category.method == Method::Fuel {
            self.energy((purchase, as_of), merchant, category, &mut energy)?;
        }
        let score = total(
            (confidence, merchant.basis, Month::of(purchase.date)),
            spend.as_ref(),
            &energy,
        );
        Ok(Sum {
            category,
            score: score.ok_or(Refused::OutOfRange)?,
            spend,
            energy,
        })
    }

    fn spend(
        &self,
        purchase: &Purchase,
        as_of: AsOf,
        merchant: &Merchant,
        category: usize,
    ) -> Result<SpendPart<'_>, Refused> {
        let grams_per_unit = self.set.basket(category, merchant.table);
        let grams_per_unit = grams_per_unit.ok_or(Refused::OutOfRange)?;
        let cpi = self.data.cpi(as_of.consumer_prices);
        let cpi = cpi.ok_or(Refused::OutOfRange)?;
        let (currency, factor) = match merchant.basis {
            Basis::Usd2022 => (Currency::usd(), cpi.to_usd2022),
            Basis::Eur2023(_) => (Currency::eur(), cpi.to_eur2023),
        };
        let converted = self.convert(purchase, currency, as_of)?;
        let numerator = converted.numerator.checked_mul(factor);
        let numerator = numerator.ok_or(Refused::OutOfRange)?;
        let grams = |per_unit| divide(numerator.checked_mul(per_unit)?, converted.denominator);
        Ok(SpendPart {
            grams: Intensity {
                co2e: grams(grams_per_unit.co2e).ok_or(Refused::OutOfRange)?,
                co2: grams(grams_per_unit.co2).ok_or(Refused::OutOfRange)?,
            },
            converted,
            deflator: Deflator {
                factor,
                month: cpi.month,
            },
            cpi,
            grams_per_unit,
        })
    }

    fn energy<'s>(
        &'s self,
        (purchase, as_of): (&Purchase, AsOf),
        merchant: &Merchant,
        category: &Category,
        parts: &mut [Option<EnergyPart<'s>>; 4],
    ) -> Result<(), Refused> {
        let mut weights = category.carriers;
        let [.., gas, electricity] = &mut weights;
        let [.., gas_price, _] = &merchant.prices;
        // No gas is invented: what has no price is bought as electricity.
        if gas_price.is_none() {
            *electricity += std::mem::take(gas);
        }
        for ((carrier, weight), part) in Carrier::ALL.into_iter().zip(weights).zip(parts) {
            if !weight.is_zero() {
                *part = Some(self.carrier((purchase, as_of), merchant, carrier, weight)?);
            }
        }
        Ok(())
    }

    fn carrier(
        &self,
        (purchase, as_of): (&Purchase, AsOf),
        merchant: &Merchant,
        carrier: Carrier,
        weight: Decimal,
    ) -> Result<EnergyPart<'_>, Refused> {
        let price = || {
            let series = (*merchant.prices.get(carrier.index())?)?;
            self.data.prices.at(series, purchase.date)
        };
        let price = price().ok_or(Refused::OutOfRange)?;
        let factor = self.set.carrier(carrier).ok_or(Refused::OutOfRange)?;
        let grid = match factor.kg_use {
            Some(_) => None,
            None => self.data.grid.at(purchase.country, purchase.date.year()),
        };
        let of_grid = || grid?.g_co2e_per_kwh.checked_div(Decimal::ONE_THOUSAND);
        let kg_use = factor.kg_use.or_else(of_grid).ok_or(Refused::OutOfRange)?;
        let converted = self.convert(purchase, price.currency, as_of)?;
        let grams = || {
            let per_unit = kg_use.checked_add(factor.kg_upstream)?;
            let per_unit = per_unit.checked_mul(Decimal::ONE_THOUSAND)?.normalize();
            let numerator = converted.numerator.checked_mul(weight)?;
            let denominator = converted.denominator.checked_mul(price.price)?;
            numerator.checked_mul(per_unit)?.checked_div(denominator)
        };
        Ok(EnergyPart {
            carrier,
            weight,
            price,
            kg_use,
            kg_upstream: factor.kg_upstream,
            grid,
            grams: grams().ok_or(Refused::OutOfRange)?,
            converted,
        })
    }
}

/// Rounds once. Quantities of energy count as CO2 in both gases.
fn total(
    (confidence, basis, month): (Confidence, Basis, Month),
    spend: Option<&SpendPart<'_>>,
    energy: &[Option<EnergyPart<'_>>; 4],
) -> Option<Score> {
    let mut grams = spend.map_or_else(Intensity::default, |part| part.grams);
    let mut conversion = spend.map(|part| part.converted.conversion);
    let mut stale = false;
    if let Some(part) = spend {
        stale = part.converted.stale || month.since(part.cpi.month) > FRESH_MONTHS;
    }
    for part in energy.iter().flatten() {
        grams.co2e = grams.co2e.checked_add(part.grams)?;
        grams.co2 = grams.co2.checked_add(part.grams)?;
        conversion = conversion.or(Some(part.converted.conversion));
        stale |= part.converted.stale;
    }
    Some(Score {
        co2e: Grams::round(grams.co2e)?,
        co2: Grams::round(grams.co2)?,
        confidence,
        basis,
        conversion: conversion.flatten(),
        deflator: spend.map(|part| part.deflator),
        stale,
    })
}
