//! `transactions rescore`: every cardholder's months under another factor set.

use crate::app;
use crate::cli::progress::Progress;
use crate::config::Config;
use crate::footprint::SetId;
use crate::footprints::{Footprints, Scorers};
use crate::issuers::registry::IssuerRegistry;
use crate::issuers::{Issuer, IssuerStatus};
use crate::keys;
use crate::store::audit::AuditDraft;
use crate::store::{Store, now};
use crate::transactions::rescore::{Rescored, Run, Target};
use crate::vault::Vault;
use anyhow::{Context, bail};
use clap::{ArgGroup, Args};
use std::num::NonZeroU32;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

/// By then every node has read a set that was loaded.
const FOLLOWED: Duration = Duration::from_secs(5);

#[derive(Debug, Args)]
#[command(group(ArgGroup::new("what").required(true).args(["to", "stale"])))]
pub(in crate::cli) struct Arguments {
    /// Id of the factor set. It becomes the issuers' set for new transactions first.
    #[arg(long, value_name = "SET")]
    to: Option<String>,
    /// Score anew what was scored with rates or consumer prices that were too old; the set stays.
    #[arg(long)]
    stale: bool,
    /// Client id of one issuer; all issuers by default.
    #[arg(long, value_name = "CLIENT_ID")]
    issuer: Option<String>,
    /// Limit of cardholders a second, to leave the database to the nodes.
    #[arg(long, value_name = "N")]
    cardholders_per_second: Option<NonZeroU32>,
}

pub(super) fn run(config: &Config, arguments: &Arguments) -> anyhow::Result<ExitCode> {
    crate::cli::runtime()?.block_on(rescore(config, arguments))
}

async fn rescore(config: &Config, arguments: &Arguments) -> anyhow::Result<ExitCode> {
    let keks = keys::kek::load(config)?;
    let (_, store) = app::open_store(&config.database)?;
    let vault = Vault::open(&store, keks).await?;
    let scorers = Footprints::load(&store).await?.current();
    let (target, set) = target(arguments, &scorers)?;
    let registry = IssuerRegistry::load(&store).await?;
    let issuers = chosen(&registry, arguments.issuer.as_deref())?;
    if let Some(set) = &set {
        let age = loaded_for(&store, set).await?;
        tokio::time::sleep(FOLLOWED.saturating_sub(age)).await;
        for issuer in &issuers {
            let audit = AuditDraft::local("issuer.set-factor-set");
            let found = store.set_factor_set(&issuer.client_id, set.as_str(), audit);
            if !found.await? {
                bail!("no issuer {}", issuer.client_id);
            }
        }
    }
    let name = set.as_ref().map_or("stale", SetId::as_str);
    let run = |issuer| Run {
        store: &store,
        vault: &vault,
        issuer,
        target: &target,
        per_second: arguments.cardholders_per_second,
    };
    let progress = Progress::new("rescore", "cardholders")?;
    let mut length = 0;
    for issuer in &issuers {
        length += run(issuer).count().await?;
    }
    progress.set_length(length);
    let mut misfits = 0;
    for issuer in &issuers {
        let done = run(issuer).run(|seen| progress.inc(seen)).await?;
        misfits += done.misfits.len();
        record(&store, issuer, name, &done).await?;
        tell(&progress, issuer, &done);
    }
    progress.finish();
    Ok(if misfits == 0 {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

/// What is to be done; the set, if there is another one.
fn target(arguments: &Arguments, scorers: &Scorers) -> anyhow::Result<(Target, Option<SetId>)> {
    let Some(name) = &arguments.to else {
        let known = scorers.sets().filter_map(|set| {
            let scorer = scorers.get(set)?;
            Some((set.clone(), Arc::clone(scorer)))
        });
        return Ok((Target::Refresh(known.collect()), None));
    };
    let scorer = SetId::stored(name).and_then(|set| scorers.get(&set));
    let scorer = scorer.with_context(|| {
        let known: Vec<_> = scorers.sets().map(SetId::to_string).collect();
        format!("no factor set {name}; there is {}", known.join(", "))
    })?;
    let set = scorer.set().id().clone();
    Ok((Target::Set(Arc::clone(scorer)), Some(set)))
}

fn chosen(registry: &IssuerRegistry, name: Option<&str>) -> anyhow::Result<Vec<Arc<Issuer>>> {
    let mut issuers = registry.issuers();
    issuers.retain(|issuer| {
        issuer.status != IssuerStatus::Removed
            && name.is_none_or(|name| issuer.client_id.as_str() == name)
    });
    match name {
        Some(name) if issuers.is_empty() => bail!("no issuer {name}"),
        _ => Ok(issuers),
    }
}

/// How long ago a set was loaded; long ago if it is the gateway's own.
async fn loaded_for(store: &Store, set: &SetId) -> anyhow::Result<Duration> {
    let loads = store.factor_loads().await?;
    let of_set = loads
        .iter()
        .filter(|load| load.file.set_id.as_deref() == Some(set.as_str()));
    let at = of_set.map(|load| load.loaded_at).max().unwrap_or_default();
    let age = now().saturating_sub(at).max(0);
    Ok(Duration::from_micros(age.unsigned_abs()))
}

async fn record(store: &Store, issuer: &Issuer, name: &str, done: &Rescored) -> anyhow::Result<()> {
    let Rescored {
        cardholders,
        transactions,
        misfits,
    } = done;
    let audit = AuditDraft {
        issuer_id: Some(issuer.id),
        subject: Some(name.to_owned()),
        detail: Some(format!(
            "cardholders={cardholders} transactions={transactions} misfits={}",
            misfits.len()
        )),
        ..AuditDraft::local("transactions.rescore")
    };
    Ok(store.record(audit).await?)
}

fn tell(progress: &Progress, issuer: &Issuer, done: &Rescored) {
    let (cardholders, transactions) = (done.cardholders, done.transactions);
    progress.println(&format!(
        "issuer {}: {cardholders} cardholders written, {transactions} transactions with another score",
        issuer.client_id
    ));
    for user_id in &done.misfits {
        progress.println(&format!(
            "issuer {}: the months of {user_id} cannot be read, and stay as they are",
            issuer.client_id
        ));
    }
}
