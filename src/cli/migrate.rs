//! `migrate`: apply missing migrations, for deployments that keep `database.migrate = false`.

use crate::config::Config;
use crate::store::{DatabaseUrl, migrations};

pub(super) fn run(config: &Config) -> anyhow::Result<()> {
    let url = DatabaseUrl::parse(&config.database.url)?;
    let applied = migrations::run(&url)?;
    match applied.len() {
        0 => println!("The database is up to date."),
        count => println!("Applied {count} migration(s): {}", applied.join(", ")),
    }
    Ok(())
}
