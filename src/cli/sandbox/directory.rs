//! The sandbox's app of the users API: its keys in `sandbox.json`, and its records in the database.

use super::files::Files;
use crate::client::identity::SandboxFile;
use crate::config::Config;
use crate::directory::rules::DirectoryProfile;
use crate::directory::{ApiKey, write};
use crate::store::audit::AuditDraft;
use crate::store::{Store, now};
use crate::vault::Vault;
use crate::{app, keys};
use anyhow::{Context, bail};
use chrono::Utc;
use zeroize::Zeroizing;

/// The app's name.
const APP: &str = "sandbox";

/// Makes the app and its user, unless the app is there: later changes are not undone by a restart.
pub(in crate::cli) async fn bring_on_board(config: &Config, files: &Files) -> anyhow::Result<()> {
    let (_, store) = app::open_store(&config.database)?;
    let apps = store.directory_apps().await?;
    if apps.iter().any(|app| app.name == APP) {
        return Ok(());
    }
    let users = SandboxFile::read(&files.description)?
        .users
        .context("sandbox.json lacks users")?;
    let key = |text: &str| ApiKey::parse(text).context("sandbox.json: users: not an API key");
    let (app_key, user_token) = (key(&users.app_key)?, key(&users.user_token)?);
    // The anonymous app that an operator made before keeps its place.
    let anonymous = !apps.iter().any(|app| app.anonymous);
    let app_id = store
        .add_directory_app(APP, anonymous, app_key.stored(now()), audit("add-app"))
        .await?;
    let vault = Vault::open(&store, keys::kek::load(config)?).await?;
    let text = |text: &str| Some(Zeroizing::new(text.to_owned()));
    let profile = DirectoryProfile {
        username: text("user"),
        name: Some(text("Sandbox User")),
        email: Some(text("user@example.com")),
        user_id: Some(users.user_id.clone()),
        metadata: None,
    };
    let keys = vault.current();
    let change = write::new_record(profile, Utc::now())?.creation(&keys, app_id, None)?;
    store
        .change_directory(change, keys.generation(), audit("create"))
        .await?;
    issue(&store, &users.user_id, &user_token).await
}

async fn issue(store: &Store, user_id: &str, token: &ApiKey) -> anyhow::Result<()> {
    use crate::store::directory::apps::Issued;
    let issued = store
        .issue_directory_key(APP, Some(user_id), token.stored(now()), audit("issue-key"))
        .await?;
    match issued {
        Issued::Done => Ok(()),
        Issued::UnknownApp | Issued::UnknownUser => bail!("the sandbox's user was not made"),
    }
}

fn audit(action: &str) -> AuditDraft {
    AuditDraft::accepted(now(), "sandbox", format!("directory.{action}"))
}
