//! `vault split-kek`: writes a KEK as two files for two custodians.

use crate::keys;
use crate::private_file;
use crate::vault::Kek;
use anyhow::Context;
use clap::Args;
use std::fs::{self, File};
use std::io::Write as _;
use std::path::{Path, PathBuf};

#[derive(Debug, Args)]
pub(in crate::cli) struct Arguments {
    /// File for the first custodian's share; it must not exist yet.
    share_1: PathBuf,
    /// File for the second custodian's share; it must not exist yet.
    share_2: PathBuf,
    /// Split a new KEK instead of the configured one; needs no --config.
    #[arg(long)]
    new: bool,
}

pub(super) fn run(config: Option<&Path>, arguments: &Arguments) -> anyhow::Result<()> {
    let kek = if arguments.new {
        Kek::from_base64(&Kek::generate()?)?
    } else {
        keys::kek::load_primary(&crate::cli::load(config)?)?
    };
    let (one, two) = (&arguments.share_1, &arguments.share_2);
    // Makes both files before it writes to either: one share alone is of no use.
    let mut files = [create(one)?, create_or_remove(two, one)?];
    for (file, share) in files.iter_mut().zip(kek.split()?) {
        file.write_all(share.as_bytes())?;
        file.write_all(b"\n")?;
        file.sync_all()?;
    }
    println!("KEK:     {}", kek.id());
    println!("share 1: {}", one.display());
    println!("share 2: {}", two.display());
    println!(
        "Give one to each custodian; who holds both holds the KEK. vault.kek names them: shares = [{{ file = \"…\" }}, {{ file = \"…\" }}]."
    );
    Ok(())
}

fn create(file: &Path) -> anyhow::Result<File> {
    private_file::create(file).with_context(|| file.display().to_string())
}

/// If the second file cannot be made, removes the first one.
fn create_or_remove(file: &Path, made: &Path) -> anyhow::Result<File> {
    create(file).inspect_err(|_| {
        let _ = fs::remove_file(made);
    })
}
