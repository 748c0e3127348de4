//! `audit verify|export`: is the trail whole, and the trail for other systems.

use crate::app;
use crate::audit::export::{self, Filter};
use crate::audit::verify::{self, Event, Summary};
use crate::config::Config;
use crate::store::Store;
use crate::store::audit::AuditDraft;
use anyhow::{Context, bail, ensure};
use chrono::{DateTime, Utc};
use clap::{Args, Subcommand};
use indicatif::{ProgressBar, ProgressStyle};
use std::io::{BufWriter, ErrorKind, stdout};
use std::process::ExitCode;

/// Exit status of `audit verify` if there are more declared gaps than `--known-gaps`.
const UNEXPLAINED_GAPS: u8 = 3;

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Check that no entry was edited, removed, reordered or slipped in; the exit status is 1 if one was, and 3 if all that
    /// there is holds, but a node has declared that the database lost entries.
    ///
    /// Nodes may run meanwhile. The check is itself an entry.
    Verify {
        /// An entry known from elsewhere (a log, an export) that must be there: CHAIN:SEQ:HASH. May be repeated.
        #[arg(long, value_name = "CHAIN:SEQ:HASH")]
        expect: Vec<String>,
        /// So many declared gaps are explained, by failovers that lost entries. With more of them the exit status is 3.
        #[arg(long, value_name = "COUNT", default_value_t = 0)]
        known_gaps: u64,
    },
    /// Write the trail to standard output as JSON lines. The export is itself an entry.
    Export(Export),
}

#[derive(Debug, Args)]
pub(super) struct Export {
    /// Only entries from this moment on, e.g. 2026-01-31T00:00:00Z.
    #[arg(long, value_name = "RFC3339")]
    since: Option<DateTime<Utc>>,
    /// Only entries before this moment.
    #[arg(long, value_name = "RFC3339")]
    until: Option<DateTime<Utc>>,
    /// Only entries that concern this issuer.
    #[arg(long, value_name = "CLIENT_ID")]
    issuer: Option<String>,
}

pub(super) fn run(config: &Config, command: Command) -> anyhow::Result<ExitCode> {
    super::runtime()?.block_on(async {
        let (_, store) = app::open_store(&config.database)?;
        match command {
            Command::Verify { expect, known_gaps } => verify(&store, &expect, known_gaps).await,
            Command::Export(arguments) => export(&store, &arguments).await,
        }
    })
}

async fn verify(store: &Store, expect: &[String], known_gaps: u64) -> anyhow::Result<ExitCode> {
    let expected = expect
        .iter()
        .map(|text| parse_expected(text).with_context(|| format!("{text}: not CHAIN:SEQ:HASH")))
        .collect::<anyhow::Result<Vec<_>>>()?;
    // Draws on standard error, and only if that is a terminal.
    let bar = ProgressBar::new(u64::try_from(store.audit_length().await.unwrap_or(0))?);
    bar.set_style(ProgressStyle::with_template(
        "{wide_bar} {human_pos}/{human_len} entries, {eta} left",
    )?);
    let mut observer = |event: Event<'_>| {
        match event {
        Event::Read(count) => bar.inc(count),
        Event::Broken { chain, broken } => {
            bar.suspend(|| println!("BROKEN chain {chain}: {broken}"));
        }
        Event::Gap { chain, gap } => bar.suspend(|| {
            println!(
                "GAP chain {}: the database lost {} confirmed entries after entry {}, and what they stand for (declared in chain {chain})",
                gap.chain,
                gap.lost(),
                gap.found.0
            );
        }),
        Event::Open { chain } => bar.suspend(|| {
            println!(
                "note: chain {chain} has no node.stop at its end: the node runs, or was killed"
            );
        }),
    }
    };
    let mut summary = verify::verify(store, &mut observer).await?;
    bar.finish_and_clear();
    for (chain, seq, hash) in expected {
        if store.audit_hash(&chain, seq).await?.as_ref() != Some(&hash) {
            println!("BROKEN chain {chain}: entry {seq} is not the one expected");
            summary.broken += 1;
        }
    }
    let Summary {
        chains,
        entries,
        anchors,
        gaps,
        broken,
    } = summary;
    let draft = AuditDraft {
        detail: Some(format!("entries={entries}")),
        ..AuditDraft::local("audit.verify")
    };
    let draft = match broken {
        0 => draft,
        _ => draft.refused("trail-broken"),
    };
    // The finding counts, also where it cannot be written down.
    if let Err(error) = store.record(draft).await {
        eprintln!("warning: the check is not in the audit trail: {error}");
    }
    if broken > 0 {
        println!("The audit trail is broken in {broken} place(s).");
        return Ok(ExitCode::FAILURE);
    }
    println!("The audit trail is whole: {entries} entries in {chains} chains, {anchors} anchors.");
    if gaps == 0 {
        return Ok(ExitCode::SUCCESS);
    }
    println!(
        "In {gaps} place(s) it declares that the database lost entries which it had confirmed. A failover to a standby that \
         lagged behind does that; so does whoever cuts a chain while its node runs. See docs/operations.md, \"Failover\"."
    );
    Ok(match gaps > known_gaps {
        true => ExitCode::from(UNEXPLAINED_GAPS),
        false => ExitCode::SUCCESS,
    })
}

fn parse_expected(text: &str) -> Option<(String, i64, Vec<u8>)> {
    let mut parts = text.splitn(3, ':');
    let (chain, seq, hash) = (parts.next()?, parts.next()?, parts.next()?);
    Some((chain.to_owned(), seq.parse().ok()?, hex::decode(hash).ok()?))
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
    // First: whoever has read the trail is in it.
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

/// `audit export | head` has what it wants.
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
