//! `vault status|rotate|reseal|rotate-index|verify|split-kek|rotate-kek`: the keys of the data at
//! rest.

mod passes;
mod progress;
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
    /// Make a new data key, under which every node seals from now on.
    ///
    /// What is stored stays readable under the former one; `vault rewrap` brings it under the new
    /// one.
    Rotate,
    /// Seal every row that is under an older data key under the newest one, then retire the older
    /// ones for good.
    ///
    /// Nodes may serve meanwhile. Once it was broken off, run it again: it goes on where it was.
    Rewrap(passes::Arguments),
    /// Make a new index key, bring every blind index under it, then retire the former one for good.
    ///
    /// Nodes may serve meanwhile: cards and e-mail addresses are found under both. Once it was
    /// broken off, run it again: it goes on where it was.
    RotateIndex(passes::Arguments),
    /// Open every sealed column of every row and make every blind index again; the exit status is 1
    /// if one does not fit.
    ///
    /// Changes nothing; nodes may serve meanwhile. The check is an entry of the audit trail.
    Verify(passes::Arguments),
    /// Write the KEK as two shares for two custodians, into files of mode 0600.
    ///
    /// Neither share reveals anything alone. Splits the configured KEK, or makes a new one that is
    /// nowhere but in the two shares. Reads no database and changes no configuration: name the
    /// shares in vault.kek_shares.
    SplitKek(split_kek::Arguments),
    /// Wrap every data key under the configured KEK.
    ///
    /// Every node must have the new KEK as its KEK, and the former one among vault.further_keks,
    /// before: nodes take up a changed configuration within 10 seconds. Afterwards the former KEK
    /// can be removed everywhere.
    RotateKek,
}

pub(super) fn run(config: Option<&Path>, command: Command) -> anyhow::Result<ExitCode> {
    match command {
        Command::Status => status::run(&super::load(config)?)?,
        Command::Rotate => passes::rotate(&super::load(config)?)?,
        Command::Rewrap(limits) => return passes::rewrap(&super::load(config)?, &limits),
        Command::RotateIndex(limits) => {
            return passes::rotate_index(&super::load(config)?, &limits);
        }
        Command::Verify(limits) => return passes::verify(&super::load(config)?, &limits),
        Command::SplitKek(arguments) => split_kek::run(config, &arguments)?,
        Command::RotateKek => rotate_kek::run(&super::load(config)?)?,
    }
    Ok(ExitCode::SUCCESS)
}
