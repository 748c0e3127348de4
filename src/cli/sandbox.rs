//! `sandbox`: a gateway like production, out of one folder, in one command.

use super::{demo, sandbox_directory, sandbox_files};
use crate::app::{self, RunningApp, Signals};
use crate::config::Config;
use crate::issuers::declaration;
use crate::store::audit::AuditDraft;
use crate::telemetry;
use anyhow::Context;
use clap::Args;
use std::path::PathBuf;

#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// Folder for keys, database and configuration. The first run makes it, later runs use it
    /// again.
    #[arg(long, value_name = "DIR", default_value = "sandbox")]
    dir: PathBuf,
    /// Port on 127.0.0.1; 0 takes a free one [default: the port of the last run, at first 8080].
    #[arg(long, value_name = "N")]
    port: Option<u16>,
    /// Show an enrolment, an update, a refused duplicate and a refused forgery, then keep serving.
    #[arg(long)]
    demo: bool,
}

pub(super) fn run(arguments: &Arguments) -> anyhow::Result<()> {
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

async fn start(arguments: &Arguments) -> anyhow::Result<(RunningApp, sandbox_files::Files)> {
    let dir = &arguments.dir;
    let files = sandbox_files::prepare(dir, arguments.port)
        .with_context(|| format!("sandbox {}", dir.display()))?;
    let config = Config::load(&files.config)?;
    telemetry::init_logging(&config.log)?;
    bring_issuers_on_board(&config, &files).await?;
    sandbox_directory::bring_on_board(&config, &files).await?;
    let running = app::start(&config).await?;
    let base_url = format!("http://{}", running.address);
    sandbox_files::write_base_url(&files, &base_url)?;
    println!("Sandbox {} listens on {base_url}", dir.display());
    println!(
        "  description for clients and tests: {}",
        files.description.display()
    );
    println!(
        "  configuration for every command:   issuer-gateway --config {} …",
        files.config.display()
    );
    Ok((running, files))
}

/// Only on an empty database: later changes by an operator are not undone by a restart.
async fn bring_issuers_on_board(
    config: &Config,
    files: &sandbox_files::Files,
) -> anyhow::Result<()> {
    let (_, store) = app::open_store(&config.database)?;
    if store.load_registry().await?.issuers.is_empty() {
        let audit = AuditDraft::local("issuer.apply");
        store
            .apply_issuers(declaration::read(&files.issuers)?, audit)
            .await?;
    }
    Ok(())
}
