//! `vault status|rotate|reseal|rotate-index|verify|split-kek|make-kek|rotate-kek`: the keys of the
//! data at rest.

mod make_kek;
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
    /// Make a new data key. Every node seals under it from now on.
    ///
    /// Stored rows stay readable under the former data key. `vault reseal` seals them under the new
    /// one.
    Rotate,
    /// Seal every row under the newest data key, then retire the older data keys for good.
    ///
    /// Nodes may serve meanwhile. Resumable: run it again after an interruption.
    #[command(visible_alias = "rewrap")]
    Reseal(passes::Arguments),
    /// Make a new index key, make every blind index under it, then retire the former one for good.
    ///
    /// Nodes may serve meanwhile: they find cards and e-mail addresses under both keys. Resumable:
    /// run it again after an interruption.
    RotateIndex(passes::Arguments),
    /// Open every sealed column and make every blind index again. The exit status is 1 if one does
    /// not fit.
    ///
    /// The command changes no row. Nodes may serve meanwhile. The audit trail gets an entry.
    Verify(passes::Arguments),
    /// Write the KEK as two shares for two custodians, into files of mode 0600.
    ///
    /// One share alone reveals nothing. The command splits the configured KEK; with --new it makes
    /// another KEK, which exists in the two shares only. It reads no database and changes no
    /// configuration: name the shares in vault.kek.
    SplitKek(split_kek::Arguments),
    /// Make a KEK in a token of the configuration: an AES-256 key that never leaves it.
    ///
    /// The command changes no configuration: name the key in vault.kek.
    MakeKek(make_kek::Arguments),
    /// Wrap every data key under the configured KEK, wherever the former and the new one lie.
    ///
    /// Before: give every node the new KEK as its KEK and the former one in vault.further_keks.
    /// Nodes load a changed configuration within 10 seconds. After: remove the former KEK from
    /// every node.
    RotateKek,
}

pub(super) fn run(config: Option<&Path>, command: Command) -> anyhow::Result<ExitCode> {
    match command {
        Command::Status => status::run(&super::load(config)?)?,
        Command::Rotate => passes::rotate(&super::load(config)?)?,
        Command::Reseal(limits) => return passes::reseal(&super::load(config)?, &limits),
        Command::RotateIndex(limits) => {
            return passes::rotate_index(&super::load(config)?, &limits);
        }
        Command::Verify(limits) => return passes::verify(&super::load(config)?, &limits),
        Command::SplitKek(arguments) => split_kek::run(config, &arguments)?,
        Command::MakeKek(arguments) => make_kek::run(&super::load(config)?, &arguments)?,
        Command::RotateKek => rotate_kek::run(&super::load(config)?)?,
    }
    Ok(ExitCode::SUCCESS)
}
