//! `backup FILE`: a verified copy of the SQLite database while nodes serve.

use super::progress::Progress;
use crate::audit::witness::file;
use crate::config::Config;
use crate::store::audit::AuditDraft;
use crate::store::backup::{self, Content};
use crate::store::{DatabaseUrl, Store};
use anyhow::{Context, bail};
use clap::Args;
use std::path::PathBuf;

#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// File for the copy, made with mode 0600; nothing is overwritten.
    file: PathBuf,
}

pub(super) fn run(config: &Config, arguments: &Arguments) -> anyhow::Result<()> {
    let (url, file) = (DatabaseUrl::parse(&config.database.url)?, &arguments.file);
    let DatabaseUrl::Sqlite(database) = &url else {
        let file = file.display();
        bail!(
            "`backup` copies SQLite databases. PostgreSQL has tools of its own, to be run while nodes serve:\n  \
             pg_dump --format=custom --file={file} \"$DATABASE_URL\"      (back: pg_restore --dbname=\"$EMPTY_DATABASE_URL\" {file})\n  \
             pg_basebackup --pgdata=DIRECTORY --wal-method=stream    (the whole server; with archive_command to any moment)"
        );
    };
    let known = match config.audit.witness_file(&url) {
        None => Vec::new(),
        Some(witness) => file::read(&witness)
            .with_context(|| format!("the witness {}", witness.display()))?
            .unwrap_or_default(),
    };
    record(&url, database.exists())?;
    let progress = Progress::new("backup", "pages")?;
    let mut observer = |done, all| {
        progress.set_length(all);
        progress.set_position(done);
    };
    let copied = backup::sqlite(database, file, &known, &mut observer);
    progress.finish();
    let Content {
        tables,
        rows,
        migration,
        chains,
        entries,
    } = copied?;
    println!(
        "{}: {rows} rows in {tables} tables, as in the database; integrity_check ok.",
        file.display()
    );
    println!(
        "Migrations up to {migration}. Audit trail: {entries} entries in {chains} chains, each with its end."
    );
    println!(
        "Keep the KEK elsewhere: without it nobody can read the copy, and beside it everybody."
    );
    Ok(())
}

/// Writes the audit entry before the copy, so that the copy holds it. The command also copies a
/// database that cannot be written to or lacks migrations: such a copy may be needed most.
fn record(url: &DatabaseUrl, there: bool) -> anyhow::Result<()> {
    if there {
        let store = Store::open(url, 1);
        let draft = AuditDraft::local("database.backup");
        if let Err(error) = super::runtime()?.block_on(store.record(draft)) {
            eprintln!("warning: the backup is not in the audit trail: {error}");
        }
    }
    Ok(())
}
