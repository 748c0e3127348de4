//! `users app add|list`, `users token issue|revoke`: the operator's view of the users API.

use crate::app;
use crate::config::Config;
use crate::directory::{ApiKey, KeyKind};
use crate::ids::AppId;
use crate::store::audit::AuditDraft;
use crate::store::directory::apps::Issued;
use crate::store::{Store, StoreError, now};
use anyhow::{Context, bail, ensure};
use chrono::DateTime;
use clap::Subcommand;

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Make and list apps. An app reaches its own users only.
    #[command(subcommand)]
    App(AppCommand),
    /// Issue and revoke keys of apps and tokens of their users.
    #[command(subcommand)]
    Token(TokenCommand),
}

#[derive(Debug, Subcommand)]
pub(super) enum AppCommand {
    /// Make an app and print its key, this once.
    Add {
        /// Name of the app: 1 to 64 characters of A-Z a-z 0-9 . _ -
        name: String,
        /// Serve /users?id= without a key, as one of the documented APIs does. One app at most, and
        /// only on a gateway that listens on loopback without a proxy in front.
        #[arg(long)]
        anonymous: bool,
    },
    /// List apps and the ids of their keys.
    List,
}

#[derive(Debug, Subcommand)]
pub(super) enum TokenCommand {
    /// Issue a token that reaches one user, or, without a user id, another key of the app. Print it
    /// this once.
    Issue {
        /// The app's name.
        app: String,
        /// The user's current user_id.
        user_id: Option<String>,
    },
    /// Revoke a token or an app key; takes effect at once.
    Revoke {
        /// Id of the key or token, 16 hex digits, as `users app list` shows it.
        key_id: String,
    },
}

pub(super) fn run(config: &Config, command: Command) -> anyhow::Result<()> {
    super::runtime()?.block_on(async {
        let (_, store) = app::open_store(&config.database)?;
        match command {
            Command::App(AppCommand::Add { name, anonymous }) => {
                add(config, &store, &name, anonymous).await
            }
            Command::App(AppCommand::List) => list(&store).await,
            Command::Token(TokenCommand::Issue { app, user_id }) => {
                issue(&store, &app, user_id.as_deref()).await
            }
            Command::Token(TokenCommand::Revoke { key_id }) => revoke(&store, &key_id).await,
        }
    })
}

fn audit(action: &str) -> AuditDraft {
    AuditDraft::local(action)
}

async fn add(config: &Config, store: &Store, name: &str, anonymous: bool) -> anyhow::Result<()> {
    let legal = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-');
    ensure!(
        (1..=64).contains(&name.len()) && name.bytes().all(legal),
        "an app's name is 1 to 64 of A-Z a-z 0-9 . _ -"
    );
    ensure!(
        !anonymous || app::allows_anonymous(&config.server, config.server.listen),
        "--anonymous needs server.listen on loopback and no behind_tls_proxy: anybody who reaches the listener may change users"
    );
    let key = ApiKey::generate(KeyKind::App)?;
    let stored = key.stored(now());
    let key_id = stored.key_id.clone();
    match store
        .add_directory_app(name, anonymous, stored, audit("directory.add-app"))
        .await
    {
        Ok(_) => {}
        Err(StoreError::Duplicate(_)) if anonymous => {
            bail!("an app {name} exists, or another app is anonymous already")
        }
        Err(StoreError::Duplicate(_)) => bail!("an app {name} exists"),
        Err(error) => return Err(error.into()),
    }
    eprintln!("app {name}: key {key_id}, shown this once:");
    println!("{}", key.expose());
    Ok(())
}

async fn list(store: &Store) -> anyhow::Result<()> {
    println!(
        "{:<30} {:<10} {:<18} {:<25} REACHES",
        "APP", "ANONYMOUS", "KEY ID", "SINCE"
    );
    for app in store.directory_apps().await? {
        let anonymous = if app.anonymous { "yes" } else { "no" };
        for key in store.directory_keys(AppId(app.app_id)).await? {
            let since = DateTime::from_timestamp_micros(key.created_at)
                .map(|time| time.format("%Y-%m-%d %H:%M:%S UTC").to_string())
                .unwrap_or_default();
            let reaches = key
                .klaim_id
                .map_or_else(|| "the app".to_owned(), |id| format!("user {id}"));
            println!(
                "{:<30} {anonymous:<10} {:<18} {since:<25} {reaches}",
                app.name, key.key_id
            );
        }
    }
    Ok(())
}

async fn issue(store: &Store, app: &str, user_id: Option<&str>) -> anyhow::Result<()> {
    let kind = user_id.map_or(KeyKind::App, |_| KeyKind::User);
    let key = ApiKey::generate(kind)?;
    let stored = key.stored(now());
    let key_id = stored.key_id.clone();
    match store
        .issue_directory_key(app, user_id, stored, audit("directory.issue-key"))
        .await?
    {
        Issued::Done => {}
        Issued::UnknownApp => bail!("no app {app}"),
        Issued::UnknownUser => bail!("app {app} has no such user"),
    }
    eprintln!("app {app}: key {key_id}, shown this once:");
    println!("{}", key.expose());
    Ok(())
}

async fn revoke(store: &Store, key_id: &str) -> anyhow::Result<()> {
    let revoked = store
        .revoke_directory_key(key_id, audit("directory.revoke-key"))
        .await?;
    revoked
        .then(|| println!("key {key_id} is revoked"))
        .with_context(|| format!("no key {key_id}; `users app list` shows them"))
}
