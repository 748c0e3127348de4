//! `audit purge`: deletes old entries behind keyed anchors.

use super::verify::{self, Trail, number};
use crate::audit::purge::{self, BrokenChain, Limits, Purged, Rule};
use crate::cli::progress::Progress;
use crate::config::Config;
use crate::store::Store;
use crate::store::audit::AuditDraft;
use crate::store::audit::purges::PURGE;
use anyhow::{Context, ensure};
use chrono::{DateTime, Days, NaiveDate, SecondsFormat, SubsecRound, Utc};
use clap::Args;
use std::num::NonZeroU32;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// PCI DSS 10.5.1: audit logs are kept for twelve months.
const YEAR: Days = Days::new(365);

#[derive(Debug, Args)]
pub(in crate::cli) struct Arguments {
    /// Purge entries of before this time: a day in UTC such as 2025-12-31, or
    /// 2025-12-31T22:00:00Z.
    #[arg(long, value_name = "TIME", value_parser = time, required_unless_present = "older_than_days", conflicts_with = "older_than_days")]
    before: Option<DateTime<Utc>>,
    /// Purge entries that are older than so many days.
    #[arg(long, value_name = "DAYS")]
    older_than_days: Option<u32>,
    /// Say what would go, and delete nothing.
    #[arg(long)]
    dry_run: bool,
    /// Purge only what `audit export --follow` has exported: its --state file. Entries that it does
    /// not have yet stay.
    #[arg(long, value_name = "FILE")]
    exported_state: Option<PathBuf>,
    /// Allow a cut-off of less than 365 days ago. PCI DSS 10.5.1 asks for twelve months, so the
    /// entries must be kept elsewhere.
    #[arg(long)]
    keep_less_than_a_year: bool,
    /// Entries in one transaction, 1 to 5000.
    #[arg(long, value_name = "N", default_value = "2000", value_parser = batch)]
    batch: NonZeroU32,
    /// Limit of entries a second, to leave the database to the nodes.
    #[arg(long, value_name = "N")]
    rows_per_second: Option<NonZeroU32>,
}

fn batch(text: &str) -> Result<NonZeroU32, String> {
    let number = text.parse().ok().filter(|n: &NonZeroU32| n.get() <= 5_000);
    number.ok_or_else(|| "must be 1 to 5000".to_owned())
}

fn time(text: &str) -> Result<DateTime<Utc>, String> {
    if let Ok(day) = text.parse::<NaiveDate>() {
        return Ok(day.and_time(chrono::NaiveTime::MIN).and_utc());
    }
    let time = text.parse::<DateTime<Utc>>();
    time.map_err(|_| "neither a day such as 2025-12-31 nor 2025-12-31T22:00:00Z".to_owned())
}

impl Arguments {
    /// The time that entries must be older than.
    fn cut_off(&self) -> anyhow::Result<DateTime<Utc>> {
        let now = Utc::now().trunc_subsecs(0);
        let days = |days: Days| now.checked_sub_days(days);
        let (before, option) = match (self.before, self.older_than_days) {
            (Some(before), _) => (before, format!("--before {}", told(before))),
            (None, number) => {
                let number = number.unwrap_or(u32::MAX);
                let option = format!("--older-than-days {number}");
                let before = days(Days::new(number.into()));
                let before = before.with_context(|| format!("{option}: reaches back too far"))?;
                (before, option)
            }
        };
        ensure!(before <= now, "{option}: is in the future");
        ensure!(
            self.keep_less_than_a_year || days(YEAR).is_some_and(|year| before <= year),
            "{option}: entries of the last 365 days would go, and PCI DSS 10.5.1 asks for twelve months: with --keep-less-than-a-year \
             you say that they are kept elsewhere"
        );
        Ok(before)
    }
}

fn told(time: DateTime<Utc>) -> String {
    time.to_rfc3339_opts(SecondsFormat::AutoSi, true)
}

pub(super) async fn purge(
    config: &Config,
    store: &Store,
    witness: Option<&Path>,
    arguments: &Arguments,
) -> anyhow::Result<ExitCode> {
    let before = arguments.cut_off()?;
    let exported =
        match &arguments.exported_state {
            None => None,
            Some(file) => {
                let heads = verify::read("--exported-state", file)?;
                Some(heads.with_context(|| {
                    format!("--exported-state {}: no such file", file.display())
                })?)
            }
        };
    let vault = verify::open_vault(config, store).await?;
    let told = told(before);
    let draft = |detail: String| AuditDraft {
        detail: Some(format!("before={told}{detail}")),
        ..AuditDraft::local(PURGE)
    };
    // A purge must not take the traces of tampering away, nor what was exported otherwise.
    let mut known = verify::witnessed(witness)?;
    known.extend(exported.iter().flatten().cloned());
    let checked = Trail::with_vault(store, &vault).check(&mut known).await?;
    if checked.broken > 0 {
        let refused = draft(String::new()).refused("trail-broken");
        store.record(refused).await?;
        let places = checked.broken;
        println!("The audit trail is broken in {places} place(s): nothing was purged.");
        return Ok(ExitCode::FAILURE);
    }
    let exported = exported.map(|heads| heads.into_iter().map(|head| (head.chain, head.seq)));
    let rule = Rule {
        before: before.timestamp_micros(),
        exported: exported.map(Iterator::collect),
    };
    let due = purge::count(store, &rule).await?;
    if arguments.dry_run {
        let due_of = amount(&due);
        println!("{due_of} from before {told} would be purged. Nothing was changed.");
        withheld(&due);
        return Ok(ExitCode::SUCCESS);
    }
    // Recorded first: no entry goes without one in the trail.
    store.record(draft(String::new())).await?;
    let progress = Progress::new("purge", "entries")?;
    progress.set_length(due.entries);
    let limits = Limits {
        batch: arguments.batch,
        rows_per_second: arguments.rows_per_second,
    };
    let mut so_far = Purged::default();
    let mut observer = |gone: Purged| {
        progress.inc(gone.entries);
        so_far.entries += gone.entries;
        so_far.gaps += gone.gaps;
    };
    let purging = purge::purge(store, &vault, &rule, limits, &mut observer).await;
    progress.finish();
    let purged = match purging {
        Ok(purged) => purged,
        Err(error) => {
            gaps(&so_far);
            if error.is::<BrokenChain>() {
                let Purged { entries, gaps, .. } = so_far;
                let refused = draft(format!(" entries={entries} gaps={gaps}"));
                if let Err(error) = store.record(refused.refused("trail-broken")).await {
                    eprintln!("warning: the refusal is not in the audit trail: {error}");
                }
            }
            return Err(error);
        }
    };
    let Purged {
        entries, chains, ..
    } = purged;
    let of_gaps = purged.gaps;
    let ended = draft(format!(" entries={entries} chains={chains} gaps={of_gaps}"));
    store.record(ended).await?;
    let were = if entries == 1 { "was" } else { "were" };
    println!("{} from before {told} {were} purged.", amount(&purged));
    gaps(&purged);
    withheld(&purged);
    Ok(ExitCode::SUCCESS)
}

fn amount(purged: &Purged) -> String {
    let entries = number(purged.entries, "entry", "entries");
    let chains = number(purged.chains, "chain", "chains");
    format!("{entries} of {chains}")
}

fn gaps(purged: &Purged) {
    let gone = purged.gaps;
    if gone > 0 {
        let gaps = number(gone, "declared gap", "declared gaps");
        println!("{gaps} went: lower --known-gaps by {gone}.");
    }
}

fn withheld(purged: &Purged) {
    if purged.withheld > 0 {
        let chains = number(purged.withheld, "chain", "chains");
        let have = if purged.withheld == 1 { "has" } else { "have" };
        println!("Kept: {chains} {have} entries from before it that were not exported yet.");
    }
}
