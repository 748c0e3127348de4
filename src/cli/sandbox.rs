//! `sandbox`: a gateway like production, out of one folder, in one command.
//!
//! - `files`: the folder; `issuers`: who is on board; `making`: keys and ids
//! - `directory`: the app of the users API
//! - `seed`: cardholders and transactions to begin with; `reset`: back to the beginning

mod directory;
mod files;
mod issuers;
mod making;
mod reset;
mod seed;

use super::demo;
use crate::app::{self, RunningApp, Sandbox, Signals};
use crate::config::Config;
use crate::console::Console;
use crate::issuers::declaration;
use crate::keys::seeded::Seed;
use crate::store::audit::AuditDraft;
use crate::telemetry;
use anyhow::Context;
use clap::{Args, Subcommand};
use files::Files;
use making::Making;
use seed::Seeds;
use std::path::PathBuf;
use std::sync::Arc;

#[derive(Debug, Args)]
pub(super) struct Arguments {
    #[command(subcommand)]
    command: Option<Command>,
    /// Folder for keys, database and configuration. The first run makes it, later runs use it
    /// again.
    #[arg(long, value_name = "DIR", default_value = "sandbox", global = true)]
    dir: PathBuf,
    /// Port on 127.0.0.1; 0 takes a free one [default: the port of the last run, at first 8080].
    #[arg(long, value_name = "N")]
    port: Option<u16>,
    /// Show an enrolment, an update, a refused duplicate and a refused forgery, then keep serving.
    #[arg(long)]
    demo: bool,
    /// TOML file with the issuers, cardholders and transactions to begin with (docs/sandbox.md).
    #[arg(long, value_name = "FILE", conflicts_with = "demo")]
    seed: Option<PathBuf>,
    /// INSECURE, for fixtures of tests: make keys and ids out of this text, the same each time.
    ///
    /// Everybody who knows the text has the keys. Without a text: "issuer-gateway".
    #[arg(long, value_name = "TEXT", num_args = 0..=1, default_missing_value = "issuer-gateway")]
    seed_keys: Option<String>,
    /// Keep no calls, and show no console at the listener's address.
    #[arg(long)]
    no_console: bool,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Remove the database, so that the next run begins anew with the same keys.
    Reset(reset::Arguments),
}

pub(super) fn run(arguments: &Arguments) -> anyhow::Result<()> {
    if let Some(Command::Reset(reset)) = &arguments.command {
        return reset::run(&arguments.dir, reset);
    }
    let mut signals = Signals::listen()?;
    super::run_to_the_end(async {
        let Some((running, files)) = signals.unless_they_come(start(arguments)).await? else {
            return Ok(());
        };
        if arguments.demo {
            let description = files.description.clone();
            let shown = tokio::task::spawn_blocking(move || demo::run(&description));
            // A signal ends the wait for it, not the order of the shutdown.
            signals.unless_they_come(async { shown.await? }).await?;
        }
        println!("Serving until Ctrl-C.");
        running.run_until(&mut signals).await
    })
}

async fn start(arguments: &Arguments) -> anyhow::Result<(RunningApp, Files)> {
    let dir = &arguments.dir;
    let seeds = arguments.seed.as_deref().map(seed::read).transpose()?;
    let making = match &arguments.seed_keys {
        Some(text) => Making::Seeded(Seed::new(text)),
        None => Making::Random,
    };
    let plans = seeds
        .as_ref()
        .map_or_else(issuers::usual, |seeds| seeds.issuers.clone());
    let files = files::prepare(dir, arguments.port, &plans, &making)
        .with_context(|| format!("sandbox {}", dir.display()))?;
    let config = Config::load(&files.config)?;
    telemetry::init_logging(&config.log)?;
    bring_issuers_on_board(&config, &files).await?;
    directory::bring_on_board(&config, &files).await?;
    let console = Arc::new(Console::new(&files.description, &config));
    let sandbox = Sandbox {
        console: (!arguments.no_console).then_some(console),
        fixed_ids: making.seed().cloned(),
    };
    let running = app::start_sandbox(&config, sandbox).await?;
    let base_url = format!("http://{}", running.address);
    files::write_base_url(&files, &base_url)?;
    if making.seed().is_some() {
        eprintln!(
            "WARNING: --seed-keys: the keys of this sandbox are NO SECRET. Everybody can make"
        );
        eprintln!("WARNING: them again. Never use them for anything but fixtures of tests.");
    }
    println!("Sandbox {} listens on {base_url}", dir.display());
    if running.console().is_some() {
        println!("  console, with each call explained:  {base_url}/");
    }
    println!(
        "  description for clients and tests: {}",
        files.description.display()
    );
    println!(
        "  configuration for every command:   issuer-gateway --config {} …",
        files.config.display()
    );
    match seeds {
        Some(seeds) => plant(running, files, seeds).await,
        None => Ok((running, files)),
    }
}

/// Enrols the cardholders of a seed file, and imports its transactions.
async fn plant(
    running: RunningApp,
    files: Files,
    seeds: Seeds,
) -> anyhow::Result<(RunningApp, Files)> {
    let planting = tokio::task::spawn_blocking(move || {
        let enrolled = seed::enrol(&files, &seeds);
        (enrolled, files, seeds)
    });
    let (enrolled, files, seeds) = planting.await?;
    let cardholders = enrolled?;
    let transactions = seed::import(&running.gateway, &files, &seeds).await?;
    println!("  seeded: {cardholders} cardholders, {transactions} transactions from files");
    Ok((running, files))
}

/// Only on an empty database: later changes by an operator are not undone by a restart.
async fn bring_issuers_on_board(config: &Config, files: &Files) -> anyhow::Result<()> {
    let (_, store) = app::open_store(&config.database)?;
    if store.load_registry().await?.issuers.is_empty() {
        let audit = AuditDraft::local("issuer.apply");
        store
            .apply_issuers(declaration::read(&files.issuers)?, audit)
            .await?;
    }
    Ok(())
}
