//! A set from its files, validated whole.

use super::super::number::within;
use super::super::table::{Faults, Row, Table};
use super::super::{Carrier, Country};
use super::category::NO_CATEGORY;
use super::{
    Area, Category, Confidence, FactorSet, Intensity, Mcc, Method, Naics, SetFiles, SetId, factors,
};
use rust_decimal::Decimal;
use std::collections::HashSet;

const AREAS: &[&str] = &["area", "code", "main_category", "sub_category"];
const MCC: &[&str] = &[
    "mcc_from",
    "mcc_to",
    "description",
    "area",
    "method",
    "basket",
    "confidence",
    "reason",
];

const BASKET: usize = 5;

/// Codes that a category may have: below the mark for "none".
const MOST_CATEGORIES: usize = 10_000;

pub(super) fn parse(id: SetId, files: &SetFiles<'_>) -> Result<FactorSet, Faults> {
    let mut faults = Faults::default();
    let industries = faults.take(factors::industries(files.emission_factors));
    let regional = faults.take(factors::regional(files.regional_factors));
    let areas = faults.take(areas(files.areas));
    let carriers = faults.take(factors::carriers(files.carriers));
    let (Some(mut industries), Some(regional), Some(areas), Some(carriers)) =
        (industries, regional, areas, carriers)
    else {
        return Err(faults);
    };
    faults.take(factors::adjust(&mut industries, files.adjustments));
    let mut tables: Vec<Country> = regional.keys().map(|(country, _)| *country).collect();
    tables.sort_unstable();
    tables.dedup();
    let mut set = FactorSet {
        id,
        industries,
        tables,
        regional,
        areas,
        categories: Vec::new(),
        by_mcc: vec![NO_CATEGORY; 10_000],
        carriers,
        baskets: Vec::new(),
    };
    let Some(categories) = faults.take(categories(&set, files.mcc)) else {
        return Err(faults);
    };
    for (category, index) in categories.iter().zip(0u16..) {
        let range = usize::from(category.from.number())..=usize::from(category.to.number());
        if let Some(codes) = set.by_mcc.get_mut(range) {
            codes.fill(index);
        }
    }
    set.baskets = baskets(&set, &categories)
        .ok_or_else(|| Faults::of_file("mcc.csv", "has a basket whose factor is out of range"))?;
    set.categories = categories;
    faults.or(set)
}

/// Grams per unit of currency, by category, then by table.
fn baskets(set: &FactorSet, categories: &[Category]) -> Option<Vec<Intensity>> {
    let mut baskets = Vec::with_capacity(categories.len() * (set.tables.len() + 1));
    for category in categories {
        let bases = std::iter::once(super::Basis::Usd2022);
        for basis in bases.chain(set.tables.iter().copied().map(super::Basis::Eur2023)) {
            let mut sum = Intensity::default();
            for (naics, weight) in &category.industries {
                sum = sum.plus(set.factor(basis, *naics)?.times(*weight)?)?;
            }
            baskets.push(sum.times(Decimal::ONE_THOUSAND)?);
        }
    }
    Some(baskets)
}

fn areas(text: &str) -> Result<Vec<Area>, Faults> {
    let (mut ids, mut codes) = (HashSet::new(), HashSet::new());
    let named = |text: &str| {
        (1..=100)
            .contains(&text.chars().count())
            .then(|| text.to_owned())
    };
    let mut areas = Table::read("areas.csv", text, AREAS)?
        .filled()?
        .each(|row| {
            let rule = "must be 1 to 40 lower-case letters, digits and underscores";
            let id = row.get(0, rule, |text| {
                let shaped =
                    |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
                ((1..=40).contains(&text.len()) && text.bytes().all(shaped))
                    .then(|| text.to_owned())
            });
            let code = row.get(1, "must be a number from 100 to 999", |text| {
                text.parse().ok().filter(|code| (100..=999).contains(code))
            });
            let main_category = row.get(2, "must have 1 to 100 characters", named);
            let sub_category = row.get(3, "must have 1 to 100 characters", named);
            let area = Area {
                id: id?,
                code: code?,
                main_category: main_category?,
                sub_category: sub_category?,
            };
            if !ids.insert(area.id.clone()) {
                row.fault(0, "comes twice");
            }
            if !codes.insert(area.code) {
                row.fault(1, "comes twice");
            }
            Some(area)
        })?;
    areas.sort_by_key(|area| area.code);
    Ok(areas)
}

fn categories(set: &FactorSet, text: &str) -> Result<Vec<Category>, Faults> {
    let mut taken = vec![false; MOST_CATEGORIES];
    let table = Table::read("mcc.csv", text, MCC)?.filled()?;
    let mut categories = table.each(|row| {
        let category = category(set, row)?;
        let range = usize::from(category.from.number())..=usize::from(category.to.number());
        if let Some(codes) = taken.get_mut(range) {
            if codes.contains(&true) {
                row.fault(0, "overlaps another row");
            }
            codes.fill(true);
        }
        Some(category)
    })?;
    categories.sort_by_key(|category| category.from);
    Ok(categories)
}

fn category(set: &FactorSet, row: &mut Row<'_, '_>) -> Option<Category> {
    let code = |text: &str| Mcc::parse(text).filter(|_| text.len() == 4);
    let from = row.get(0, "must be 4 digits", code);
    let to = row.get(1, "must be 4 digits", code);
    let description = row.text(2).to_owned();
    let area = row.get(3, "is not in areas.csv", |text| {
        set.areas.iter().position(|area| area.id == text)
    });
    let method = row.get(4, "must be spend, fuel or not_scored", Method::parse);
    let (from, to, area, method) = (from?, to?, area?, method?);
    if from > to {
        row.fault(1, "must not be below mcc_from");
    }
    if description.is_empty() {
        row.fault(2, "must not be empty");
    }
    let mut category = Category {
        from,
        to,
        description,
        area,
        method,
        industries: Vec::new(),
        carriers: [Decimal::ZERO; 4],
        confidence: None,
        reason: None,
    };
    let (confidence, reason) = (row.text(6), row.text(7));
    if method == Method::NotScored {
        for (column, rule) in [
            (
                BASKET,
                (!row.text(BASKET).is_empty()).then_some("must be empty for not_scored"),
            ),
            (
                6,
                (confidence != "none").then_some("must be none for not_scored"),
            ),
            (
                7,
                reason.is_empty().then_some("must say why it is not scored"),
            ),
        ] {
            if let Some(rule) = rule {
                row.fault(column, rule);
            }
        }
        category.reason = Some(reason.to_owned());
        return Some(category);
    }
    if !reason.is_empty() {
        row.fault(7, "must be empty unless the method is not_scored");
    }
    category.confidence = row.get(6, "must be low, medium or high", Confidence::parse);
    if method == Method::Fuel && category.confidence != Some(Confidence::Low) {
        row.fault(
            6,
            "must be low for method fuel: quantities are told from prices",
        );
    }
    basket(set, row, &mut category);
    Some(category)
}

/// `key=weight;…`: each key once, known, and the weights add up to exactly 1.
fn basket(set: &FactorSet, row: &mut Row<'_, '_>, category: &mut Category) {
    let mut sum = Decimal::ZERO;
    for part in row.text(BASKET).split(';') {
        let weight = |text: &str| {
            let weight = within(text, Decimal::new(1, 6), Decimal::ONE);
            weight.filter(|weight| weight.scale() <= 6)
        };
        let parsed = part.split_once('=').map(|(key, text)| (key, weight(text)));
        let Some((key, Some(weight))) = parsed else {
            let rule =
                format!("must be key=weight;… with weights above 0 and up to 1, here {part:?}");
            row.fault(BASKET, rule);
            return;
        };
        sum += weight;
        if let Err(rule) = add(set, category, key, weight) {
            row.fault(BASKET, rule);
        }
    }
    if sum != Decimal::ONE {
        row.fault(
            BASKET,
            format!("weights must add up to exactly 1, not {sum}"),
        );
    }
    let carriers = category.carriers().count();
    if category.method == Method::Fuel && carriers == 0 {
        row.fault(
            BASKET,
            "must name an energy carrier, or the method is spend",
        );
    }
    if category.method == Method::Spend && carriers > 0 {
        row.fault(
            BASKET,
            "must not name an energy carrier unless the method is fuel",
        );
    }
}

fn add(set: &FactorSet, category: &mut Category, key: &str, weight: Decimal) -> Result<(), String> {
    if let Some(carrier) = Carrier::parse(key) {
        let known = |carrier| set.carrier(carrier).is_some();
        // Where natural gas has no price, its weight counts as electricity.
        if !known(carrier) || !known(Carrier::Electricity) && carrier == Carrier::NaturalGas {
            return Err(format!("{key} needs its rows in carriers.csv"));
        }
        return match category.carriers.get_mut(carrier.index()) {
            Some(slot) if slot.is_zero() => {
                *slot = weight;
                Ok(())
            }
            _ => Err(format!("{key} comes twice")),
        };
    }
    let Some(naics) = Naics::parse(key) else {
        return Err(format!("{key:?} is neither a NAICS code nor a carrier"));
    };
    if set.industry(naics).is_none() {
        return Err(format!("{key} is not in emission_factors.csv"));
    }
    let lacks = |country: &&Country| !set.regional.contains_key(&(**country, naics));
    if let Some(country) = set.tables.iter().find(lacks) {
        return Err(format!(
            "{key} is not in regional_factors.csv for {country}"
        ));
    }
    if category.industries.iter().any(|(other, _)| *other == naics) {
        return Err(format!("{key} comes twice"));
    }
    category.industries.push((naics, weight));
    Ok(())
}
