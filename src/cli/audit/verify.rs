//! `audit verify`, and the same check before a purge.

use crate::audit::purged::PurgeKeys;
use crate::audit::verify::{self, Event, Summary};
use crate::audit::witness::file;
use crate::config::Config;
use crate::keys;
use crate::store::Store;
use crate::store::audit::{AuditDraft, AuditHead, Gap};
use crate::vault::Vault;
use anyhow::Context;
use indicatif::{ProgressBar, ProgressStyle};
use std::path::Path;
use std::process::ExitCode;

/// Exit status of `audit verify` if there are more declared gaps than `--known-gaps`.
const UNEXPLAINED_GAPS: u8 = 3;

/// The trail of a database, and the keys for the anchors of its purges.
pub(super) struct Trail<'a> {
    store: &'a Store,
    keys: PurgeKeys<'a>,
}

impl<'a> Trail<'a> {
    /// The keys are those of `config`, opened only if there is an anchor.
    pub(super) fn new(config: &'a Config, store: &'a Store) -> Self {
        let open = move || {
            let opened = async move {
                let opened = open_vault(config, store).await;
                opened.context("entries were purged, and their anchors need the keys of the vault")
            };
            Box::pin(opened) as futures_util::future::BoxFuture<'a, _>
        };
        Self {
            store,
            keys: PurgeKeys::later(open),
        }
    }

    /// Those of a vault that is open.
    pub(super) fn with_vault(store: &'a Store, vault: &'a Vault) -> Self {
        let keys = PurgeKeys::Of(vault);
        Self { store, keys }
    }

    /// Checks all of it, and that it has the entries of `known`. Says on standard output where it
    /// is broken.
    pub(super) async fn check(&self, known: &mut Vec<AuditHead>) -> anyhow::Result<Summary> {
        // Draws on standard error, and only if that is a terminal.
        let length = self.store.audit_length().await.unwrap_or(0);
        let bar = ProgressBar::new(u64::try_from(length).unwrap_or(0));
        bar.set_style(ProgressStyle::with_template(
            "{wide_bar} {human_pos}/{human_len} entries, {eta} left",
        )?);
        let mut declared = Vec::new();
        let mut observer = |event: Event<'_>| tell(&bar, event, &mut declared);
        let mut summary = verify::verify(self.store, &self.keys, &mut observer).await?;
        // An entry that a node has declared as lost is a gap, and not a second fault.
        known.retain(|head| !declared.iter().any(|gap| gap.covers(&head.chain, head.seq)));
        let mut observer = |event: Event<'_>| tell(&bar, event, &mut Vec::new());
        let missing = verify::acknowledged(self.store, &self.keys, known, &mut observer);
        summary.broken += missing.await?;
        bar.finish_and_clear();
        Ok(summary)
    }

    /// How many of `expected` are not there, nor purged.
    async fn missing(&self, expected: &[AuditHead]) -> anyhow::Result<u64> {
        let mut missing = 0;
        for head in expected {
            let AuditHead { chain, seq, .. } = head;
            let one = std::slice::from_ref(head);
            if verify::acknowledged(self.store, &self.keys, one, &mut |_| {}).await? > 0 {
                println!("BROKEN chain {chain}: entry {seq} is not the one expected");
                missing += 1;
            } else if self.store.audit_hash(chain, *seq).await?.is_none() {
                println!("note: chain {chain}: entry {seq}, which is expected, was purged");
            }
        }
        Ok(missing)
    }
}

/// The vault that `config` describes.
pub(super) async fn open_vault(config: &Config, store: &Store) -> anyhow::Result<Vault> {
    let keks = keys::kek::load(config)?;
    Ok(Vault::open(store, keks).await?)
}

fn tell(bar: &ProgressBar, event: Event<'_>, declared: &mut Vec<Gap>) {
    match event {
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
    }
}

pub(super) async fn verify(
    trail: &Trail<'_>,
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
    let mut summary = trail.check(&mut known).await?;
    summary.broken += trail.missing(&expected).await?;
    let entries = summary.entries;
    let draft = AuditDraft {
        detail: Some(format!("entries={entries}")),
        ..AuditDraft::local("audit.verify")
    };
    let draft = match summary.broken {
        0 => draft,
        _ => draft.refused("trail-broken"),
    };
    // The exit status tells the finding, even if the audit entry cannot be written.
    if let Err(error) = trail.store.record(draft).await {
        eprintln!("warning: the check is not in the audit trail: {error}");
    }
    if summary.broken > 0 {
        println!("The audit trail is broken in {} place(s).", summary.broken);
        return Ok(ExitCode::FAILURE);
    }
    whole(&summary);
    if !known.is_empty() {
        let count = known.len();
        println!("All that this node's witness names is in it: the ends of {count} chains.");
    }
    let gaps = summary.gaps;
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

fn whole(summary: &Summary) {
    let Summary {
        chains,
        entries,
        anchors,
        purged,
        purged_chains,
        ..
    } = summary;
    println!("The audit trail is whole: {entries} entries in {chains} chains, {anchors} anchors.");
    if *purged > 0 {
        println!(
            "Before them {} of {} {} purged; keyed anchors vouch for it.",
            number(*purged, "entry", "entries"),
            number(*purged_chains, "chain", "chains"),
            if *purged == 1 { "was" } else { "were" }
        );
    }
}

/// What the node's own witness names.
pub(super) fn witnessed(witness: Option<&Path>) -> anyhow::Result<Vec<AuditHead>> {
    let Some(file) = witness else {
        eprintln!("hint: audit.witness names no file: a tail that the database lost is not found");
        return Ok(Vec::new());
    };
    let Some(known) = read("the witness", file)? else {
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
    let known = read("--expect", Path::new(text))?;
    known.with_context(|| format!("--expect {text}: neither CHAIN:SEQ:HASH nor a file"))
}

/// The heads that a witness, or the state of an export, names; `what` says which it is.
pub(super) fn read(what: &str, file: &Path) -> anyhow::Result<Option<Vec<AuditHead>>> {
    file::read(file).with_context(|| format!("{what} {}", file.display()))
}

/// `1 chain`, `2 chains`.
pub(super) fn number(count: u64, one: &str, more: &str) -> String {
    let noun = if count == 1 { one } else { more };
    format!("{count} {noun}")
}
