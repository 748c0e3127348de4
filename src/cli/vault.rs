//! `vault status|split-kek|rotate-kek`: the keys of the data at rest.

mod rotate_kek;
mod split_kek;
mod status;

use clap::Subcommand;
use std::path::Path;
use std::process::ExitCode;

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Show every data key (version, state, KEK, creation), and how many rows use which.
    Status,
    /// Write the KEK as two shares for two custodians, into files of mode 0600.
    ///
    /// Neither share reveals anything alone. Splits the configured KEK, or makes a new one that is nowhere but in the two
    /// shares. Reads no database and changes no configuration: name the shares in vault.kek_shares.
    SplitKek(split_kek::Arguments),
    /// Wrap every data key under the configured KEK.
    ///
    /// Every node must have the new KEK as its KEK, and the former one among vault.further_keks, before: nodes take up a
    /// changed configuration within 10 seconds. Afterwards the former KEK can be removed everywhere.
    RotateKek,
}

pub(super) fn run(config: Option<&Path>, command: Command) -> anyhow::Result<ExitCode> {
    match command {
        Command::Status => status::run(&super::load(config)?)?,
        Command::SplitKek(arguments) => split_kek::run(config, &arguments)?,
        Command::RotateKek => rotate_kek::run(&super::load(config)?)?,
    }
    Ok(ExitCode::SUCCESS)
}
