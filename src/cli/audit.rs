//! `audit verify|export`: checks the trail, or writes it for other systems.

mod follow;

use crate::app;
use crate::audit::export::{self, Filter};
use crate::audit::verify::{self, Event, Summary};
use crate::audit::witness::file;
use crate::config::Config;
use crate::store::Store;
use crate::store::audit::{AuditDraft, AuditHead};
use anyhow::{Context, bail, ensure};
use chrono::{DateTime, Utc};
use clap::{Args, Subcommand};
use indicatif::{ProgressBar, ProgressStyle};
use std::io::{BufWriter, ErrorKind, stdout};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// Exit status of `audit verify` if there are more declared gaps than `--known-gaps`.
const UNEXPLAINED_GAPS: u8 = 3;

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Check that nobody edited, removed, reordered or slipped in an entry.
    ///
    /// Exit status: 0 if the trail is whole, 1 if it is broken, 3 if it is whole but nodes declared
    /// more lost entries (gaps) than --known-gaps.
    ///
    /// On a node the command also looks up every entry that the node's witness (audit.witness)
    /// names, and so finds a lost tail. Nodes may run meanwhile. The check is itself an entry.
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
                verify(&store, witness.as_deref(), &expect, known_gaps).await
            }
            Command::Export(arguments) if arguments.follow => {
                follow::follow(&store, &arguments).await
            }
            Command::Export(arguments) => export(&store, &arguments).await,
        }
    })
}

async fn verify(
    store: &Store,
    witness: Option<&Path>,
    expect: &[String],
    known_gaps: u64,
) -> anyhow::Result<ExitCode> {
    // Read before the trail: then every entry that it names must be in the trail.
    let mut known = witnessed(witness)?;
    let mut expected = Vec::new();
    for text in expect {
        expected.extend(parse_expected(text)?);
    }
    // Draws on standard error, and only if that is a terminal.
    let bar = ProgressBar::new(u64::try_from(store.audit_length().await.unwrap_or(0))?);
    bar.set_style(ProgressStyle::with_template(
        "{wide_bar} {human_pos}/{human_len} entries, {eta} left",
    )?);
    let mut declared = Vec::new();
    let mut observer = |event: Event<'_>| match event {
        Event::Read(count) => bar.inc(count),
        Event::Broken { chain, broken } => {
            bar.suspend(|| println!("BROKEN chain {chain}: {broken}"));
        }
        Event::Gap { chain, gap } => {
            bar.suspend(|| {
                println!(
                    "GAP chain {}: the database lost {} confirmed entries after entry {}, and what they stand for (declared in chain {chain})",
                    gap.chain,
                    gap.lost(),
                    gap.found.0
                );
            });
            declared.push(gap);
        }
        Event::Open { chain } => bar.suspend(|| {
            println!(
                "note: chain {chain} has no node.stop at its end: the node runs, or was killed"
            );
        }),
    };
    let mut summary = verify::verify(store, &mut observer).await?;
    // An entry that a node has declared as lost is a gap, and not a second fault.
    known.retain(|head| !declared.iter().any(|gap| gap.covers(&head.chain, head.seq)));
    summary.broken += verify::acknowledged(store, &known, &mut |event| {
        if let Event::Broken { chain, broken } = event {
            bar.suspend(|| println!("BROKEN chain {chain}: {broken}"));
        }
    })
    .await?;
    bar.finish_and_clear();
    for AuditHead { chain, seq, hash } in expected {
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
    // The exit status tells the finding, even if the audit entry cannot be written.
    if let Err(error) = store.record(draft).await {
        eprintln!("warning: the check is not in the audit trail: {error}");
    }
    if broken > 0 {
        println!("The audit trail is broken in {broken} place(s).");
        return Ok(ExitCode::FAILURE);
    }
    println!("The audit trail is whole: {entries} entries in {chains} chains, {anchors} anchors.");
    if !known.is_empty() {
        let count = known.len();
        println!("All that this node's witness names is in it: the ends of {count} chains.");
    }
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

/// What the node's own witness names.
fn witnessed(witness: Option<&Path>) -> anyhow::Result<Vec<AuditHead>> {
    let Some(file) = witness else {
        eprintln!("hint: audit.witness names no file: a tail that the database lost is not found");
        return Ok(Vec::new());
    };
    let Some(known) = read(file)? else {
        let file = file.display();
        eprintln!("hint: there is no witness {file}: a tail that the database lost is not found");
        return Ok(Vec::new());
    };
    Ok(known)
}

fn parse_expected(text: &str) -> anyhow::Result<Vec<AuditHead>> {
    if let Some(head) = file::parse_head(text) {
        return Ok(vec![head]);
    }
    let known = read(Path::new(text))?;
    known.with_context(|| format!("--expect {text}: neither CHAIN:SEQ:HASH nor a file"))
}

fn read(file: &Path) -> anyhow::Result<Option<Vec<AuditHead>>> {
    file::read(file).with_context(|| format!("the witness {}", file.display()))
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
