//! `factors show|score|load`: factor sets and dated data, and one purchase scored with its sum.

mod load;
mod show;

use crate::app;
use crate::footprint::score::{Conversion, Explanation, Score};
use crate::footprint::set::Mcc;
use crate::footprint::{Country, Currency, Kind, Money, Purchase, Scorer, SetId, Verdict, builtin};
use crate::footprints::Footprints;
use anyhow::{Context, bail};
use chrono::NaiveDate;
use clap::{Args, Subcommand};
use std::path::Path;

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Show the factor set: id, counts, dates, checksums, sources. Or look up one thing in it.
    ///
    /// Needs no configuration: the program contains the files. --loaded adds what operators have
    /// loaded into the database of --config.
    Show(Show),
    /// Score one purchase, and write the sum out.
    ///
    /// Nothing is stored. The exit status is 1 if merchant category or currency is unknown.
    Score(ScoreArguments),
    /// Load exchange rates, consumer prices, energy prices or grids, or a factor set of your own.
    ///
    /// A file is validated whole: one fault, named by line, column and rule, and nothing is loaded.
    /// A row for a day, month, price or year that is there already replaces it. Running nodes
    /// follow within two seconds; scores that exist stay (`transactions rescore --stale`).
    Load(load::Load),
}

#[derive(Debug, Args)]
pub(super) struct Show {
    /// Id of the factor set; one that was loaded needs --config.
    #[arg(long, value_name = "ID", default_value = builtin::SET_ID)]
    set: String,
    /// Use what operators have loaded, too; needs --config.
    #[arg(long)]
    loaded: bool,
    /// List one kind of dated data: exchange rates, energy prices, electricity grids or consumer
    /// prices.
    #[arg(long, value_name = "rates|prices|grid|cpi", value_parser = kind, conflicts_with = "mcc")]
    kind: Option<Kind>,
    /// Show how a merchant category is scored; needs --country.
    #[arg(long, value_name = "CODE", value_parser = mcc, requires = "country")]
    mcc: Option<Mcc>,
    /// The merchant's country, three letters, e.g. SWE. With --kind: only its rows.
    #[arg(long, value_name = "ALPHA3", value_parser = country)]
    country: Option<Country>,
}

#[derive(Debug, Args)]
pub(super) struct ScoreArguments {
    /// Id of the factor set; one that was loaded needs --config.
    #[arg(long, value_name = "ID", default_value = builtin::SET_ID)]
    set: String,
    /// Use what operators have loaded, too; needs --config.
    #[arg(long)]
    loaded: bool,
    /// Merchant category code, 1 to 4 digits.
    #[arg(long, value_name = "CODE", value_parser = mcc)]
    mcc: Mcc,
    /// Amount paid, e.g. 54.20; negative for a refund.
    #[arg(long, value_name = "DECIMAL", allow_hyphen_values = true)]
    amount: String,
    /// Its currency, three letters, e.g. USD.
    #[arg(long, value_name = "ISO4217", value_parser = currency)]
    currency: Currency,
    /// Local date of the purchase, e.g. 2026-01-15.
    #[arg(long, value_name = "YYYY-MM-DD")]
    date: NaiveDate,
    /// The merchant's country, three letters, e.g. USA.
    #[arg(long, value_name = "ALPHA3", value_parser = country)]
    country: Country,
}

fn mcc(text: &str) -> Result<Mcc, &'static str> {
    Mcc::parse(text).ok_or("must be 1 to 4 digits")
}

fn country(text: &str) -> Result<Country, &'static str> {
    Country::from_alpha3(text).ok_or("must be an ISO 3166 alpha-3 code such as SWE")
}

fn currency(text: &str) -> Result<Currency, &'static str> {
    Currency::from_alpha(text).ok_or("must be an ISO 4217 code such as SEK")
}

fn kind(text: &str) -> Result<Kind, &'static str> {
    Kind::parse(text).ok_or("must be rates, prices, grid or cpi")
}

pub(super) fn run(config: Option<&Path>, command: &Command) -> anyhow::Result<()> {
    let (set, loaded) = match command {
        Command::Load(arguments) => return load::run(&super::load(config)?, arguments),
        Command::Show(Show { set, loaded, .. }) => (set, *loaded),
        Command::Score(ScoreArguments { set, loaded, .. }) => (set, *loaded),
    };
    let loads;
    let footprints = if loaded || set != builtin::SET_ID {
        let config = super::load(config).with_context(|| {
            let own = builtin::SET_ID;
            let unknown = format!("no factor set {set} in the program, which has {own}; ");
            let beginning = if set == own { String::new() } else { unknown };
            format!("{beginning}what was loaded is in the database")
        })?;
        let (_, store) = app::open_store(&config.database)?;
        let read = super::runtime()?.block_on(async {
            anyhow::Ok((Footprints::load(&store).await?, store.factor_loads().await?))
        })?;
        loads = Some(read.1);
        read.0
    } else {
        loads = None;
        Footprints::builtin()?
    };
    let scorers = footprints.current();
    let scorer = SetId::stored(set).and_then(|id| scorers.get(&id).cloned());
    let scorer = scorer.with_context(|| {
        let known: Vec<_> = scorers.sets().map(SetId::to_string).collect();
        format!("no factor set {set}; there is {}", known.join(", "))
    })?;
    let text = match command {
        Command::Show(arguments) => match (arguments.kind, arguments.mcc, arguments.country) {
            (Some(kind), _, country) => show::kind(&scorer, kind, country)?,
            (None, Some(mcc), Some(country)) => show::category(&scorer, mcc, country)?,
            (None, _, Some(country)) => {
                bail!("--country {country} needs --mcc or --kind")
            }
            (None, _, None) => show::set(&scorer, &scorers, loads.as_deref()),
        },
        Command::Score(arguments) => score(&scorer, arguments)?,
        Command::Load(_) => String::new(),
    };
    print!("{text}");
    Ok(())
}

fn score(scorer: &Scorer, arguments: &ScoreArguments) -> anyhow::Result<String> {
    let amount = Money::parse(&arguments.amount, arguments.currency).context("--amount")?;
    let purchase = Purchase {
        mcc: arguments.mcc,
        amount,
        date: arguments.date,
        country: arguments.country,
    };
    let explained = scorer.explain(&purchase);
    let mut text = format!(
        "{amount} on {}, merchant in {} ({})\n",
        purchase.date,
        purchase.country.name(),
        purchase.country
    );
    if let (Some(category), Some(area)) = (explained.category, explained.area) {
        text += &format!(
            "{} {}: {}, {}\n",
            purchase.mcc, category.description, area.main_category, area.sub_category
        );
    }
    match explained.assessment.verdict {
        Verdict::Scored(score) => text += &scored(&score, &explained),
        Verdict::NotScored => {
            let reason = explained
                .category
                .and_then(|category| category.reason.as_deref());
            text += &format!("not scored: {}\n", reason.unwrap_or_default());
        }
        Verdict::InvalidMcc => bail!("INVALID_MCC: {} is in no merchant category", purchase.mcc),
        Verdict::UnsupportedCurrency => {
            bail!(
                "UNSUPPORTED_CURRENCY: {} has no exchange rate",
                arguments.currency
            )
        }
        Verdict::OutOfRange => bail!("the result is out of range"),
    }
    Ok(text)
}

fn scored(score: &Score, explained: &Explanation<'_>) -> String {
    let mut text = format!(
        "{} g CO2e ({} oz), of which CO2 {} g\n\n{}\n\n",
        score.co2e,
        score.co2e.ounces(),
        score.co2,
        explained.line.as_deref().unwrap_or_default(),
    );
    text += &format!(
        "factors          {}, table {}\n",
        explained.set,
        score.basis.code()
    );
    if let Some(rates) = score.conversion {
        text += &format!("exchange rates   {}\n", rates_of(&rates));
    }
    if let Some(step) = &explained.spend {
        let published = if step.interpolated {
            ", interpolated"
        } else {
            ""
        };
        let (factor, month) = (step.deflator.factor, step.deflator.month);
        let (currency, year) = (step.currency, step.basis.price_year());
        text += &format!(
            "price year       x {factor} from {month}{published} to {currency} of {year}\n"
        );
    }
    for step in &explained.energy {
        text += &format!(
            "{:<16} {} {} a {} in {} from {}, {}\n",
            step.carrier.name(),
            step.price,
            step.currency,
            step.carrier.unit(),
            step.price_place,
            step.price_from,
            step.price_source,
        );
        if let Some((place, year)) = step.grid {
            text += &format!("{:<16} grid of {place} in {year}\n", "");
        }
    }
    if let Some(reason) = explained.confidence_reason {
        text += &format!("confidence       {}: {}\n", score.confidence, reason.text());
    }
    if score.stale {
        text += "note             rates older than 7 days or consumer prices older than 3 months were used\n";
    }
    text
}

/// `10.9395 SEK and 1.1584 USD for 1 EUR, of 2025-11-12`
fn rates_of(rates: &Conversion) -> String {
    let sides = [
        (rates.from_per_eur, rates.from),
        (rates.to_per_eur, rates.to),
    ];
    let named = sides
        .iter()
        .filter(|(_, currency)| *currency != Currency::eur())
        .map(|(rate, currency)| format!("{rate} {currency}"));
    let named: Vec<_> = named.collect();
    format!("{} for 1 EUR, of {}", named.join(" and "), rates.date)
}
