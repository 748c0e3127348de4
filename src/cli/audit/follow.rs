//! `audit export --follow`: until a signal ends it.

use super::Export;
use crate::audit::follow::{Follower, Missed, Round};
use crate::store::Store;
use crate::store::audit::AuditDraft;
use anyhow::Context;
use std::collections::HashSet;
use std::process::ExitCode;
use std::time::Duration;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;

pub(super) async fn follow(store: &Store, arguments: &Export) -> anyhow::Result<ExitCode> {
    let to = arguments.to.as_deref().context("--to")?;
    let state = arguments.state.as_deref().context("--state")?;
    let mut ended = ended()?;
    let mut follower = Follower::open(to, state)?;
    let (mut recorded, mut told) = (false, HashSet::new());
    loop {
        match round(store, &mut follower, &mut recorded, || *ended.borrow()).await {
            Ok(round) => {
                for chain in round.cut {
                    if told.insert(chain.clone()) {
                        eprintln!(
                            "warning: chain {chain} ends before the last entry that was exported: the database has lost \
                             entries; see docs/operations.md, \"Failover\""
                        );
                    }
                }
            }
            Err(error) => eprintln!("warning: {error:#}; trying again"),
        }
        let pause = Duration::from_secs(arguments.interval_seconds);
        // Err: the pause is over.
        if tokio::time::timeout(pause, ended.wait_for(|ended| *ended))
            .await
            .is_ok()
        {
            return Ok(ExitCode::SUCCESS);
        }
    }
}

/// What to say of entries that never came.
fn of_missed(missed: &Missed) -> String {
    let Missed {
        chain,
        from,
        to,
        purged,
    } = missed;
    let how = match purged {
        true => {
            "were purged before they were exported: this export never had them. Purge with --exported-state"
        }
        false => "are missing, and no purge says that it took them: see `audit verify`",
    };
    format!("chain {chain}: entries {from} to {to} {how}")
}

/// One look at the trail. The export is recorded before the first: nobody reads the trail without
/// an entry in it.
async fn round(
    store: &Store,
    follower: &mut Follower,
    recorded: &mut bool,
    ends: impl Fn() -> bool,
) -> anyhow::Result<Round> {
    if !*recorded {
        let draft = AuditDraft {
            detail: Some("follow".to_owned()),
            ..AuditDraft::local("audit.export")
        };
        store.record(draft).await?;
        *recorded = true;
    }
    let mut tell = |missed: Missed| eprintln!("warning: {}", of_missed(&missed));
    follower.catch_up(store, ends, &mut tell).await
}

/// Becomes true at Ctrl-C and SIGTERM.
fn ended() -> anyhow::Result<watch::Receiver<bool>> {
    let (mut interrupt, mut terminate) = (
        signal(SignalKind::interrupt())?,
        signal(SignalKind::terminate())?,
    );
    let (sender, ended) = watch::channel(false);
    tokio::spawn(async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
        sender.send_replace(true);
        sender.closed().await;
    });
    Ok(ended)
}
