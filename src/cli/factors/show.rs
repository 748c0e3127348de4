//! `factors show`: the set, one kind of dated data, or one merchant category.

use crate::cli::issuer::date;
use crate::footprint::builtin::{self, FILES};
use crate::footprint::dated::Place;
use crate::footprint::set::{Basis, Category, Mcc, RULES};
use crate::footprint::sources::SOURCES;
use crate::footprint::{Country, Currency, Kind, Scorer, SetId};
use crate::footprints::Scorers;
use crate::store::factors::FactorLoad;
use anyhow::Context;
use chrono::{Datelike, NaiveDate};

/// Id, counts, dates, checksums and sources.
pub(super) fn set(scorer: &Scorer, scorers: &Scorers, loads: Option<&[FactorLoad]>) -> String {
    let set = scorer.set();
    let counts = set.counts();
    let tables: Vec<_> = set.tables().iter().map(|country| country.code()).collect();
    let mut text = format!(
        "factor set {}, rules {RULES}\n\n\
         {:>6} industries, kg per USD of 2022, {} of them corrected\n\
         {:>6} factors of {} countries, kg per EUR of 2023\n       {}\n\
         {:>6} merchant category codes, {} of them not scored\n\
         {:>6} spending areas\n\n",
        set.id(),
        counts.industries,
        counts.adjusted,
        counts.regional,
        counts.tables,
        tables.join(" "),
        counts.codes,
        counts.not_scored,
        counts.areas,
    );
    text += &format!(
        "{:<8} {:>6}  {:<10}  {:<10}\n",
        "data", "rows", "first", "last"
    );
    for kind in Kind::ALL {
        if let Some(extent) = scorer.data().extent(kind) {
            let (rows, first, last) = (extent.rows, extent.first, extent.last);
            text += &format!("{kind:<8} {rows:>6}  {first:<10}  {last:<10}\n");
        }
    }
    text += &format!("\n{:<22} SHA-256\n", "file");
    if set.id() == scorers.default_scorer().set().id() {
        for (name, _) in FILES {
            let sum = builtin::checksum(name).unwrap_or_default();
            text += &format!("{name:<22} {sum}\n");
        }
    }
    let loads = loads.unwrap_or_default();
    let is_of_set = |load: &&FactorLoad| load.file.set_id.as_deref() == Some(set.id().as_str());
    for load in loads.iter().filter(is_of_set) {
        text += &format!("{:<22} {}\n", load.file.file, load.file.checksum);
    }
    text += &loaded(scorers, loads);
    if set.id() != scorers.default_scorer().set().id() {
        return text;
    }
    text += "\nsources\n";
    for source in SOURCES {
        text += &format!("- {}: {} ({})\n", source.what, source.name, source.licence);
    }
    text
}

/// What operators have loaded; nothing if they have not.
fn loaded(scorers: &Scorers, loads: &[FactorLoad]) -> String {
    if loads.is_empty() {
        return String::new();
    }
    let sets: Vec<_> = scorers.sets().map(SetId::to_string).collect();
    let mut text = format!(
        "\nfactor sets: {}\n\n{:>4}  {:<20} {:>6} {:>6}  {:<23}  {}\n",
        sets.join(", "),
        "load",
        "what",
        "rows",
        "kept",
        "at",
        "file, SHA-256, by"
    );
    for load in loads {
        let file = &load.file;
        let what = file.set_id.as_ref().unwrap_or(&file.kind);
        text += &format!(
            "{:>4}  {what:<20} {:>6} {:>6}  {:<23}  {}, {}, {}\n",
            load.load_id,
            file.row_count,
            file.kept,
            date(Some(load.loaded_at)),
            file.file,
            file.checksum,
            load.loaded_by
        );
    }
    text
}

/// How a merchant category is scored in a country.
pub(super) fn category(scorer: &Scorer, mcc: Mcc, country: Country) -> anyhow::Result<String> {
    let set = scorer.set();
    let category = set.category(mcc);
    let category = category.with_context(|| format!("{mcc} is in no merchant category"))?;
    let area = set.area(category).context("the category has no area")?;
    let mut text = format!(
        "{mcc} {}\narea       {} {}, {}\nmethod     {}\n",
        category.description,
        area.code,
        area.main_category,
        area.sub_category,
        category.method.name(),
    );
    if let Some(reason) = &category.reason {
        return Ok(text + &format!("not scored {reason}\n"));
    }
    if let Some(confidence) = category.confidence {
        text += &format!("confidence {confidence}\n");
    }
    text += &carriers(scorer, category, country)?;
    let factor = set.basket_factor(mcc, country).unwrap_or_default();
    if !category.industries.is_empty() {
        let basis = set.basis(country);
        let (currency, year) = (basis.currency_code(), basis.price_year());
        let name = country.name();
        text += &format!(
            "\nin {name}, kg for 1 {currency} of {year}, by table {}\n{:>8}  {:<6}  {:>12}  {:>12}\n",
            basis.code(),
            "weight",
            "NAICS",
            "kg CO2e",
            "kg CO2",
        );
        for (naics, weight) in &category.industries {
            let factor = set
                .factor(basis, *naics)
                .context("an industry has no factor")?;
            let industry = set.industry(*naics).context("an industry is missing")?;
            let (co2e, co2) = (factor.co2e, factor.co2);
            let multiplied = match &industry.multiplier {
                Some((multiplier, _)) if basis == Basis::Usd2022 => format!(" (x {multiplier})"),
                _ => String::new(),
            };
            let title = &industry.title;
            text += &format!("{weight:>8}  {naics}  {co2e:>12}  {co2:>12}  {title}{multiplied}\n");
        }
        let (co2e, co2) = (factor.co2e, factor.co2);
        text += &format!(
            "{:>8}  {:<6}  {co2e:>12}  {co2:>12}  weighted sum\n",
            "", ""
        );
    }
    Ok(text)
}

fn carriers(scorer: &Scorer, category: &Category, country: Country) -> anyhow::Result<String> {
    let mut text = String::new();
    for (carrier, weight) in category.carriers() {
        let factor = scorer
            .set()
            .carrier(carrier)
            .context("a carrier has no factor")?;
        let unit = carrier.unit();
        let upstream = factor.kg_upstream;
        text += &format!("\n{weight:>8}  {carrier}\n{:>10}", "");
        match factor.kg_use {
            Some(kg) => text += &format!("{kg} kg CO2e a {unit} in use, {upstream} before\n"),
            None => {
                let grid = scorer.data().grid(country, NaiveDate::MAX.year());
                let grid = grid.context("no grid is known")?;
                let (place, year, grams) = (grid.place, grid.year, grid.g_co2e_per_kwh);
                text += &format!("{grams} g CO2e a kWh, grid of {place} in {year}\n");
            }
        }
        text += &match scorer.data().price(country, carrier, NaiveDate::MAX) {
            None => format!("{:>10}no price in {country}: counts as electricity\n", ""),
            Some(row) => format!(
                "{:>10}{} {} a {unit} in {} from {}, {}\n",
                "", row.price, row.currency, row.place, row.from_date, row.source
            ),
        };
    }
    Ok(text)
}

/// The rows of one kind; of rates, one line for each currency.
pub(super) fn kind(
    scorer: &Scorer,
    kind: Kind,
    country: Option<Country>,
) -> anyhow::Result<String> {
    let data = scorer.data();
    let wanted = |place: Place| country.is_none_or(|country| place == Place::Country(country));
    anyhow::ensure!(
        country.is_none() || matches!(kind, Kind::Prices | Kind::Grid),
        "--country goes with --kind prices or --kind grid"
    );
    let lines: Vec<String> = match kind {
        Kind::Rates => Currency::all()
            .filter_map(|currency| rates(scorer, currency))
            .collect(),
        Kind::Cpi => data
            .months()
            .map(|row| {
                let interpolated = if row.interpolated {
                    "  interpolated"
                } else {
                    ""
                };
                let (usd, eur) = (row.to_usd2022, row.to_eur2023);
                format!(
                    "{}  {:>8}  {usd}  {eur}{interpolated}",
                    row.month, row.cpi_u
                )
            })
            .collect(),
        Kind::Prices => data
            .prices()
            .filter(|row| wanted(row.place))
            .map(|row| {
                let unit = format!("{} a {}", row.currency, row.carrier.unit());
                let (place, carrier, from, price) =
                    (row.place, row.carrier, row.from_date, row.price);
                format!(
                    "{place:<4}  {carrier:<11}  {from}  {price:>7} {unit:<11}  {}",
                    row.source
                )
            })
            .collect(),
        Kind::Grid => data
            .grids()
            .filter(|row| wanted(row.place))
            .map(|row| format!("{:<4}  {}  {:>6}", row.place, row.year, row.g_co2e_per_kwh))
            .collect(),
    };
    let title = match kind {
        Kind::Rates => "currency, rows, first and last day, units for 1 EUR on the last",
        Kind::Cpi => "month, US CPI-U, to USD of 2022, to EUR of 2023",
        Kind::Prices => "country, carrier, from, price, source",
        Kind::Grid => "country, year, g CO2e for 1 kWh",
    };
    Ok(format!("{title}\n{}\n", lines.join("\n")))
}

fn rates(scorer: &Scorer, currency: Currency) -> Option<String> {
    let data = scorer.data();
    let last = data.rate(currency, NaiveDate::MAX)?;
    let first = data.rate(currency, NaiveDate::MIN)?;
    let rows = data.rates().filter(|row| row.currency == currency).count();
    let (first, date, per_eur) = (first.date, last.date, last.per_eur);
    Some(format!(
        "{currency}  {rows:>6}  {first}  {date}  {per_eur:>12}"
    ))
}
