//! `migrate`: apply missing migrations, for deployments that keep `database.migrate = false`.

use crate::config::Config;
use crate::store::migrations;
use std::time::Duration;

pub(super) fn run(config: &Config) -> anyhow::Result<()> {
    let url = config.database.migrating()?;
    let timeout = Duration::from_secs(config.database.migrate_timeout_s);
    let applied = migrations::run_within(&url, timeout)?;
    match applied.len() {
        0 => println!("The database is up to date."),
        count => println!("Applied {count} migration(s): {}", applied.join(", ")),
    }
    Ok(())
}
