//! `vault rotate-kek`: wraps every data key under the configured KEK.

use crate::config::Config;
use crate::{app, keys, rotation};

pub(super) fn run(config: &Config) -> anyhow::Result<()> {
    let keks = keys::kek::load(config)?;
    let (_, store) = app::open_store(&config.database)?;
    let count = crate::cli::runtime()?.block_on(rotation::kek::rotate(&store, &keks))?;
    let id = keks.primary().id();
    match count {
        0 => println!("Every data key is wrapped with KEK {id} already."),
        _ => println!("{count} data key(s) are wrapped with KEK {id} now."),
    }
    if keks.ids().len() > 1 {
        println!(
            "Once every node has it as its KEK, remove the others from vault.further_keks everywhere. Backups of \
             the database made before need the KEK of their time."
        );
    }
    Ok(())
}
