//! `transactions import`: card transactions from a file.

use crate::app;
use crate::cli::progress::Progress;
use crate::config::Config;
use crate::footprints::Footprints;
use crate::ids::ClientId;
use crate::issuers::registry::IssuerRegistry;
use crate::issuers::{Issuer, IssuerStatus};
use crate::keys;
use crate::transactions::feed::Format;
use crate::transactions::import::{Event, Import, ImportFailure, Options, Parts, Summary};
use crate::vault::Vault;
use anyhow::{Context, bail};
use chrono::NaiveDate;
use clap::Args;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

#[derive(Debug, Args)]
pub(in crate::cli) struct Arguments {
    /// The file. Delete it afterwards: it holds card numbers.
    file: PathBuf,
    /// Take only cards and cardholders of this issuer. Needed for a file that names cardholders by
    /// userid, unless there is one issuer only.
    #[arg(long, value_name = "CLIENT_ID", value_parser = client_id)]
    issuer: Option<ClientId>,
    /// Format of the file; without it, the content tells.
    #[arg(long, value_name = "csv|ipm", value_parser = format)]
    format: Option<Format>,
    /// Leave out what was bought before this day.
    #[arg(long, value_name = "YYYY-MM-DD")]
    since: Option<NaiveDate>,
    /// Say what would become of each record, and write nothing.
    #[arg(long)]
    dry_run: bool,
}

fn client_id(text: &str) -> Result<ClientId, &'static str> {
    ClientId::parse(text).ok_or("not a client id")
}

fn format(text: &str) -> Result<Format, &'static str> {
    match text {
        "csv" => Ok(Format::Csv),
        "ipm" => Ok(Format::Ipm),
        _ => Err("must be csv or ipm"),
    }
}

pub(super) fn run(config: &Config, arguments: &Arguments) -> anyhow::Result<ExitCode> {
    crate::cli::runtime()?.block_on(import(config, arguments))
}

async fn import(config: &Config, arguments: &Arguments) -> anyhow::Result<ExitCode> {
    let (_, store) = app::open_store(&config.database)?;
    let vault = Vault::open(&store, keys::kek::load(config)?).await?;
    let registry = IssuerRegistry::load(&store).await?;
    let footprints = Footprints::load(&store).await?;
    let options = Options {
        format: arguments.format,
        issuer: issuer(&registry, arguments.issuer.as_ref())?,
        since: arguments.since,
        dry_run: arguments.dry_run,
        retain_unenrolled: config.transactions.retain_unenrolled,
    };
    let parts = Parts {
        store: &store,
        vault: &vault,
        registry: &registry,
        footprints: &footprints,
    };
    let progress = Progress::of_bytes("transactions import")?;
    let mut observe = |event: Event| match event {
        Event::Size(bytes) => progress.set_length(bytes),
        Event::Position(position) => progress.set_position(position),
        Event::Records(records) => progress.count(records),
        Event::Resumed(record) => progress.println(&format!(
            "goes on behind record {record}, where the import before was interrupted"
        )),
    };
    let imported = Import::run(parts, &arguments.file, options, &mut observe).await;
    progress.finish();
    let name = arguments.file.display();
    let summary = imported.map_err(|failure| match failure {
        ImportFailure::Feed(_) | ImportFailure::NoFile => {
            anyhow::Error::new(failure).context(format!("{name}"))
        }
        other => anyhow::Error::new(other)
            .context("the import was interrupted; run it again, and it goes on where it was"),
    })?;
    show(&summary, arguments.dry_run);
    if let Some(error) = summary.stopped {
        return Err(anyhow::Error::new(error).context(format!("{name}")));
    }
    Ok(if summary.tally.failures() == 0 {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

fn issuer(
    registry: &IssuerRegistry,
    client_id: Option<&ClientId>,
) -> anyhow::Result<Option<Arc<Issuer>>> {
    let Some(client_id) = client_id else {
        return Ok(None);
    };
    let all = registry.issuers();
    let found = all.iter().find(|issuer| issuer.client_id == *client_id);
    let found = found.with_context(|| format!("no issuer {client_id}"))?;
    if found.status != IssuerStatus::Active {
        bail!("issuer {client_id} is {}", found.status.as_str());
    }
    Ok(Some(Arc::clone(found)))
}

fn show(summary: &Summary, dry_run: bool) {
    for (outcome, count) in summary.tally.outcomes() {
        println!("{count:>14}  {}", outcome.words());
    }
    let (total, format) = (summary.tally.total(), summary.format.name());
    println!("{total:>14}  records, {format}");
    println!("SHA-256 {}", hex::encode(summary.sum));
    if dry_run {
        println!("a dry run: nothing was written");
    }
    if let Some(rejects) = &summary.rejects {
        println!("{}: what was not stored, and why", rejects.display());
    }
}
