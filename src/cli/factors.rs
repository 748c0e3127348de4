//! `factors show|score`: the factor set, and the score of one purchase with its sum.

mod show;

use crate::footprint::score::{Conversion, Explanation, Score};
use crate::footprint::set::Mcc;
use crate::footprint::{Country, Currency, Kind, Money, Purchase, Scorer, Verdict};
use anyhow::{Context, bail, ensure};
use chrono::NaiveDate;
use clap::{Args, Subcommand};

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Show the factor set: id, counts, dates, checksums, sources. Or look up one thing in it.
    ///
    /// Needs no configuration: the program contains the files.
    Show(Show),
    /// Score one purchase, and write the sum out.
    ///
    /// Nothing is stored. The exit status is 1 if merchant category or currency is unknown.
    Score(ScoreArguments),
}

#[derive(Debug, Args)]
pub(super) struct Show {
    /// Id of the factor set.
    #[arg(long, value_name = "ID", default_value = crate::footprint::builtin::SET_ID)]
    set: String,
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
    /// Id of the factor set.
    #[arg(long, value_name = "ID", default_value = crate::footprint::builtin::SET_ID)]
    set: String,
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

pub(super) fn run(command: &Command) -> anyhow::Result<()> {
    let scorer = Scorer::builtin()?;
    let (Command::Show(Show { set, .. }) | Command::Score(ScoreArguments { set, .. })) = command;
    let known = scorer.set().id();
    ensure!(
        set == known.as_str(),
        "no factor set {set}; there is {known}"
    );
    let text = match command {
        Command::Show(arguments) => match (arguments.kind, arguments.mcc, arguments.country) {
            (Some(kind), _, country) => show::kind(&scorer, kind, country)?,
            (None, Some(mcc), Some(country)) => show::category(&scorer, mcc, country)?,
            (None, _, Some(country)) => {
                bail!("--country {country} needs --mcc or --kind")
            }
            (None, _, None) => show::set(&scorer),
        },
        Command::Score(arguments) => score(&scorer, arguments)?,
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
