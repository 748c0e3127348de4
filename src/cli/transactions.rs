//! `transactions import`: card transactions from a file; `transactions rescore`: stored ones under
//! another factor set.

mod import;
mod rescore;

use crate::config::Config;
use clap::Subcommand;
use std::process::ExitCode;

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Import card transactions from a file: CSV, or a Mastercard clearing file (IPM).
    ///
    /// The gateway finds each card's issuer by its account range and the cardholder by the card,
    /// scores the transaction and stores it. Cards that nobody has enrolled are counted, and kept
    /// only if transactions.retain_unenrolled says so. A transaction counts once, however often it
    /// comes, also in another file.
    ///
    /// Nodes may serve meanwhile. If the command is interrupted, run it again: it goes on where it
    /// was. What could not be stored is in FILE.rejects.csv, without card numbers. The exit status
    /// is 0 if nothing is there, else 1.
    Import(import::Arguments),
    /// Score every stored transaction under another factor set, or those with stale rates anew.
    ///
    /// Nodes may serve meanwhile. All months of a cardholder change at once, so no sum mixes two
    /// sets, and the cardholder's page tells the total before and after for 90 days. Resumable: run
    /// it again after an interruption. The exit status is 1 if somebody's months cannot be read.
    Rescore(rescore::Arguments),
}

pub(super) fn run(config: &Config, command: Command) -> anyhow::Result<ExitCode> {
    match command {
        Command::Import(arguments) => import::run(config, &arguments),
        Command::Rescore(arguments) => rescore::run(config, &arguments),
    }
}
