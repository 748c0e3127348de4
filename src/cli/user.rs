//! `user show|set-status`: the operator's view of a cardholder. Nothing sealed is opened.

use super::issuer::date;
use crate::app;
use crate::config::Config;
use crate::ids::{CardholderId, ClientId};
use crate::store::Store;
use crate::store::audit::AuditDraft;
use crate::store::cardholders::{FoundCardholder, Switched};
use crate::store::scoring_jobs::{JobState, ScoringJob};
use anyhow::{Context, bail};
use clap::{Args, Subcommand};

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Show a cardholder's ids, state, last four digits and times; no personal data.
    Show(Which),
    /// Change a cardholder's state; it takes effect at once on every node.
    ///
    /// A cardholder whose deletion was accepted cannot come back.
    SetStatus {
        #[command(flatten)]
        which: Which,
        /// ACTIVE or INACTIVE.
        #[arg(value_parser = ["ACTIVE", "INACTIVE"], ignore_case = true)]
        status: String,
    },
}

#[derive(Debug, Args)]
pub(super) struct Which {
    /// The cardholder's userid, from the answer to the enrolment.
    user_id: String,
    /// Client id of the issuer; needed only if two issuers have a cardholder with this id.
    #[arg(long, value_name = "CLIENT_ID")]
    issuer: Option<String>,
}

pub(super) fn run(config: &Config, command: Command) -> anyhow::Result<()> {
    super::runtime()?.block_on(async {
        let (_, store) = app::open_store(&config.database)?;
        match command {
            Command::Show(which) => show(&store, &which).await,
            Command::SetStatus { which, status } => {
                set_status(&store, &which, &status.to_uppercase()).await
            }
        }
    })
}

async fn find(store: &Store, which: &Which) -> anyhow::Result<(CardholderId, FoundCardholder)> {
    let user_id = CardholderId::parse(&which.user_id).context("not a user id")?;
    let issuer = match &which.issuer {
        None => None,
        Some(text) => Some(ClientId::parse(text).context("not a client id")?),
    };
    let mut found = store.find_users_anywhere(&user_id, issuer.as_ref()).await?;
    let Some(user) = found.pop() else {
        bail!("no user {user_id}");
    };
    if let Some(other) = found.first() {
        bail!(
            "issuers {} and {} both have a user {user_id}: say which with --issuer",
            other.client_id,
            user.client_id
        );
    }
    Ok((user_id, user))
}

async fn show(store: &Store, which: &Which) -> anyhow::Result<()> {
    let (user_id, user) = find(store, which).await?;
    let job = store.scoring_job(user.issuer_id, &user_id).await?;
    let rows = [
        ("user id", user_id.to_string()),
        ("issuer", user.client_id),
        ("status", user.status.as_str().to_owned()),
        ("must enrol again", user.must_enrol_again.to_string()),
        (
            "last four digits",
            user.last_four.unwrap_or_else(|| "-".to_owned()),
        ),
        ("enrolled", date(Some(user.created_at))),
        ("changed", date(Some(user.updated_at))),
        (
            "twelve months before",
            job.map_or_else(|| "-".to_owned(), told),
        ),
    ];
    for (label, value) in rows {
        println!("{label:<22}{value}");
    }
    Ok(())
}

/// The job that scores the months before the enrolment.
fn told(job: ScoringJob) -> String {
    let ScoringJob {
        status,
        next_at,
        scored,
        ended_at,
        ..
    } = job;
    match (JobState::parse(&status), ended_at) {
        (Some(JobState::Pending), _) if next_at > 0 => {
            format!("{status}, looked at again {}", date(Some(next_at)))
        }
        (_, Some(_)) => format!(
            "{status}, {}, {scored} kept transactions scored",
            date(ended_at)
        ),
        (_, None) => status,
    }
}

async fn set_status(store: &Store, which: &Which, status: &str) -> anyhow::Result<()> {
    let (user_id, user) = find(store, which).await?;
    let switched = store
        .switch_user(
            user.issuer_id,
            &user_id,
            status == "ACTIVE",
            AuditDraft::local("user.set-status"),
        )
        .await?;
    match switched {
        Switched::Done => println!("user {user_id} of issuer {} is {status}", user.client_id),
        Switched::Unknown => bail!("no user {user_id}"),
        Switched::Leaving(now) => bail!(
            "user {user_id} is {}: a deletion cannot be undone",
            now.as_str()
        ),
    }
    Ok(())
}
