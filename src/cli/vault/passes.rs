//! `vault rotate|reseal|rotate-index|verify`: data keys and index keys, and the rows under them.

use super::progress::Passing;
use crate::config::Config;
use crate::rotation::primary::{self, RotationError};
use crate::rotation::{self, Event, Limits, Passed, Verified};
use crate::store::Store;
use crate::vault::Vault;
use crate::{app, keys};
use clap::Args;
use std::num::NonZeroU32;
use std::process::ExitCode;

#[derive(Debug, Args)]
pub(in crate::cli) struct Arguments {
    /// Rows in one transaction or query, 1 to 1000.
    #[arg(long, value_name = "N", default_value = "100", value_parser = batch)]
    batch: NonZeroU32,
    /// Limit of rows a second, to leave the database to the nodes.
    #[arg(long, value_name = "N")]
    rows_per_second: Option<NonZeroU32>,
}

fn batch(text: &str) -> Result<NonZeroU32, String> {
    let number = text.parse().ok().filter(|n: &NonZeroU32| n.get() <= 1_000);
    number.ok_or_else(|| "must be 1 to 1000".to_owned())
}

impl Arguments {
    fn limits(&self) -> Limits {
        Limits {
            batch: self.batch,
            rows_per_second: self.rows_per_second,
        }
    }
}

async fn open(config: &Config) -> anyhow::Result<(Store, Vault)> {
    let keks = keys::kek::load(config)?;
    let (_, store) = app::open_store(&config.database)?;
    let vault = Vault::open(&store, keks).await?;
    Ok((store, vault))
}

pub(super) fn rotate(config: &Config) -> anyhow::Result<()> {
    crate::cli::runtime()?.block_on(async {
        let (store, vault) = open(config).await?;
        let version = primary::rotate_seal(&store, &vault).await?;
        println!(
            "Data key seal {version} is the primary one: everything is sealed under it from now on. Next: `vault reseal`."
        );
        Ok(())
    })
}

pub(super) fn reseal(config: &Config, arguments: &Arguments) -> anyhow::Result<ExitCode> {
    crate::cli::runtime()?.block_on(async {
        let (store, vault) = open(config).await?;
        let progress = Passing::new("reseal")?;
        let mut observer = |event: Event<'_>| progress.show(&event);
        let passed = rotation::reseal(&store, &vault, arguments.limits(), &mut observer).await?;
        progress.finish();
        Ok(report("seal", &passed))
    })
}

pub(super) fn rotate_index(config: &Config, arguments: &Arguments) -> anyhow::Result<ExitCode> {
    crate::cli::runtime()?.block_on(async {
        let (store, vault) = open(config).await?;
        match primary::begin_index_rotation(&store, &vault).await {
            Ok(version) => println!("Data key index {version} is the primary one."),
            Err(RotationError::UnderWay(former)) => {
                println!(
                    "Going on with the rotation under way: rows may still be under index {former}."
                );
            }
            Err(error) => return Err(error.into()),
        }
        let progress = Passing::new("rotate-index")?;
        let mut observer = |event: Event<'_>| progress.show(&event);
        let passed = rotation::reindex(&store, &vault, arguments.limits(), &mut observer).await?;
        progress.finish();
        Ok(report("index", &passed))
    })
}

fn report(purpose: &str, passed: &Passed) -> ExitCode {
    let Passed {
        version,
        rows,
        misfits,
        retired,
    } = passed;
    if *misfits > 0 {
        println!(
            "{rows} rows are under {purpose} {version} now; {misfits} do not fit and stay as they are, so no key is retired."
        );
        return ExitCode::FAILURE;
    }
    let retired: String = retired
        .iter()
        .map(|version| format!(" {purpose} {version} is retired."))
        .collect();
    println!("Every row is under {purpose} {version}: {rows} were rewritten.{retired}");
    ExitCode::SUCCESS
}

pub(super) fn verify(config: &Config, arguments: &Arguments) -> anyhow::Result<ExitCode> {
    crate::cli::runtime()?.block_on(async {
        let (store, vault) = open(config).await?;
        let progress = Passing::new("verify")?;
        let mut observer = |event: Event<'_>| progress.show(&event);
        let verified = rotation::verify(&store, &vault, arguments.limits(), &mut observer).await?;
        progress.finish();
        let Verified { rows, misfits } = verified;
        let entry = rotation::entry("vault.verify", rows, misfits);
        // The exit status tells the finding, even if the audit entry cannot be written.
        if let Err(error) = store.record(entry).await {
            eprintln!("warning: the check is not in the audit trail: {error}");
        }
        if misfits > 0 {
            println!("{misfits} of {rows} rows do not fit.");
            return Ok(ExitCode::FAILURE);
        }
        println!("Every sealed column of {rows} rows opens, and every blind index is right.");
        Ok(ExitCode::SUCCESS)
    })
}
