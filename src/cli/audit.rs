//! `audit verify|export|purge`: checks the trail, writes it for other systems, or shortens it.

mod follow;
mod purge;
mod verify;

use crate::app;
use crate::audit::export::{self, Filter};
use crate::config::Config;
use crate::store::Store;
use crate::store::audit::AuditDraft;
use anyhow::{bail, ensure};
use chrono::{DateTime, Utc};
use clap::{Args, Subcommand};
use std::io::{BufWriter, ErrorKind, stdout};
use std::path::PathBuf;
use std::process::ExitCode;

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Check that nobody edited, removed, reordered or slipped in an entry.
    ///
    /// Exit status: 0 if the trail is whole, 1 if it is broken, 3 if it is whole but nodes declared
    /// more lost entries (gaps) than --known-gaps.
    ///
    /// Where entries were purged, a chain begins behind its keyed anchor; the command then needs
    /// the KEK. On a node the command also looks up every entry that the node's witness
    /// (audit.witness) names, and so finds a lost tail. Nodes may run meanwhile. The check is
    /// itself an entry.
    Verify {
        /// An entry that the trail must have: CHAIN:SEQ:HASH out of a log or an export, or a file
        /// with a copy of a witness. May be repeated.
        #[arg(long, value_name = "CHAIN:SEQ:HASH or FILE")]
        expect: Vec<String>,
        /// Number of declared gaps that you have explained, by failovers that lost entries. With
        /// more gaps the exit status is 3.
        #[arg(long, value_name = "COUNT", default_value_t = 0)]
        known_gaps: u64,
    },
    /// Write the trail as JSON lines, to standard output or, with --follow, to a file while it
    /// grows. The export is itself an entry.
    Export(Export),
    /// Delete old entries behind a keyed anchor, so that `audit verify` stays 0.
    ///
    /// The command first checks the whole trail, as `audit verify` does, and purges nothing of a
    /// broken one. It deletes the oldest entries of each chain, up to the first newer one, and
    /// never the last. A row with a MAC under a key of the vault says up to which entry. Deleted
    /// entries are gone: export them before.
    ///
    /// Nodes may run meanwhile. Resumable: run it again after an interruption. The purge is itself
    /// an entry.
    Purge(purge::Arguments),
}

#[derive(Debug, Args)]
pub(super) struct Export {
    /// Only entries at or after this time, e.g. 2026-01-31T00:00:00Z.
    #[arg(long, value_name = "RFC3339")]
    since: Option<DateTime<Utc>>,
    /// Only entries before this time.
    #[arg(long, value_name = "RFC3339")]
    until: Option<DateTime<Utc>>,
    /// Only entries that concern this issuer.
    #[arg(long, value_name = "CLIENT_ID")]
    issuer: Option<String>,
    /// Append the whole trail to the file --to, and go on with what is new until Ctrl-C or
    /// SIGTERM.
    ///
    /// Each entry is exported at least once, whoever is killed: started again with the same
    /// --state, the export goes on where it ended. While the database is away, it waits.
    #[arg(long, requires_all = ["to", "state"], conflicts_with_all = ["since", "until", "issuer"])]
    follow: bool,
    /// The file that --follow appends to. You may rotate it.
    #[arg(long, value_name = "FILE", requires = "follow")]
    to: Option<PathBuf>,
    /// The file in which --follow notes how far it is: the last exported entry of each chain. You
    /// can give it to `audit verify --expect`.
    #[arg(long, value_name = "FILE", requires = "follow")]
    state: Option<PathBuf>,
    /// How often --follow looks for new entries, in seconds.
    #[arg(long, value_name = "SECONDS", default_value_t = 5, value_parser = clap::value_parser!(u64).range(1..=3600), requires = "follow")]
    interval_seconds: u64,
}

pub(super) fn run(config: &Config, command: Command) -> anyhow::Result<ExitCode> {
    super::runtime()?.block_on(async {
        let (url, store) = app::open_store(&config.database)?;
        match command {
            Command::Verify { expect, known_gaps } => {
                let witness = config.audit.witness_file(&url);
                let trail = verify::Trail::new(config, &store);
                verify::verify(&trail, witness.as_deref(), &expect, known_gaps).await
            }
            Command::Purge(arguments) => {
                let witness = config.audit.witness_file(&url);
                purge::purge(config, &store, witness.as_deref(), &arguments).await
            }
            Command::Export(arguments) if arguments.follow => {
                follow::follow(&store, &arguments).await
            }
            Command::Export(arguments) => export(&store, &arguments).await,
        }
    })
}

async fn export(store: &Store, arguments: &Export) -> anyhow::Result<ExitCode> {
    if let (Some(since), Some(until)) = (arguments.since, arguments.until) {
        ensure!(since < until, "--since is not before --until");
    }
    let issuer = match &arguments.issuer {
        None => None,
        Some(client_id) => {
            let issuers = store.load_registry().await?.issuers;
            let found = issuers
                .iter()
                .find(|issuer| issuer.declared.client_id.as_str() == client_id);
            let Some(found) = found else {
                bail!("no issuer {client_id}")
            };
            Some(found.issuer_id)
        }
    };
    let filter = Filter {
        since: arguments.since,
        until: arguments.until,
        issuer,
    };
    // Recorded first: nobody reads the trail without an entry in it.
    let draft = AuditDraft {
        issuer_id: issuer,
        ..AuditDraft::local("audit.export")
    };
    store.record(draft).await?;
    let mut out = BufWriter::new(stdout().lock());
    match export::export(store, &filter, &mut out).await {
        Err(error) if is_broken_pipe(&error) => Ok(ExitCode::SUCCESS),
        Err(error) => Err(error),
        Ok(count) => {
            eprintln!("{count} entries");
            Ok(ExitCode::SUCCESS)
        }
    }
}

/// Whether the reader has closed the pipe, as `audit export | head` does.
fn is_broken_pipe(error: &anyhow::Error) -> bool {
    let kind = |error: &(dyn std::error::Error + 'static)| {
        let io = error.downcast_ref::<std::io::Error>();
        let json = error.downcast_ref::<serde_json::Error>();
        io.map(std::io::Error::kind)
            .or_else(|| json.and_then(serde_json::Error::io_error_kind))
    };
    error
        .chain()
        .any(|error| kind(error) == Some(ErrorKind::BrokenPipe))
}
