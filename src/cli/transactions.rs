//! `transactions rescore`: stored transactions under another factor set.

mod rescore;

use crate::config::Config;
use clap::Subcommand;
use std::process::ExitCode;

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Score every stored transaction under another factor set, or those with stale rates anew.
    ///
    /// Nodes may serve meanwhile. All months of a cardholder change at once, so no sum mixes two
    /// sets, and the cardholder's page tells the total before and after for 90 days. Resumable: run
    /// it again after an interruption. The exit status is 1 if somebody's months cannot be read.
    Rescore(rescore::Arguments),
}

pub(super) fn run(config: &Config, command: Command) -> anyhow::Result<ExitCode> {
    match command {
        Command::Rescore(arguments) => rescore::run(config, &arguments),
    }
}
