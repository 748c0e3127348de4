//! KEKs from files, environment variables and custodians' shares.
//!
//! Errors name the setting and the file or variable, never its content.

use crate::config::{KekSource, ShareSource, Vault};
use crate::vault::shares::Share;
use crate::vault::{Kek, Keks};
use anyhow::Context;
use std::path::Path;
use zeroize::Zeroizing;

/// Loads the KEK and the further ones of a configuration.
pub fn load(vault: &Vault) -> anyhow::Result<Keks> {
    let primary = load_primary(vault)?;
    let further = vault
        .further_keks
        .iter()
        .map(|source| load_one(source, "vault.further_keks."));
    Ok(Keks::new(primary, further.collect::<anyhow::Result<_>>()?))
}

/// Loads the KEK alone.
pub fn load_primary(vault: &Vault) -> anyhow::Result<Kek> {
    load_one(&vault.kek()?, "vault.kek_")
}

/// `setting` is what stands before the source's own name: `vault.kek_` before `file`.
fn load_one(source: &KekSource, setting: &str) -> anyhow::Result<Kek> {
    match source {
        KekSource::File(file) => parse(&read_file(file, &format!("{setting}file"))?)
            .with_context(|| file.display().to_string()),
        KekSource::Env(name) => {
            parse(&read_env(name, &format!("{setting}env"))?).with_context(|| name.clone())
        }
        KekSource::Shares([one, other]) => {
            let setting = format!("{setting}shares");
            let (one, other) = (load_share(one, &setting)?, load_share(other, &setting)?);
            Kek::from_shares(&one, &other).context(setting)
        }
    }
}

fn parse(text: &str) -> anyhow::Result<Kek> {
    Kek::from_base64(text).context("not 32 bytes in base64")
}

fn load_share(source: &ShareSource, setting: &str) -> anyhow::Result<Share> {
    let (text, name) = match source {
        ShareSource::File(file) => (read_file(file, setting)?, file.display().to_string()),
        ShareSource::Env(name) => (read_env(name, setting)?, name.clone()),
    };
    Share::parse(&text).with_context(|| format!("{setting}: {name}"))
}

fn read_file(file: &Path, setting: &str) -> anyhow::Result<Zeroizing<String>> {
    let text = std::fs::read_to_string(file);
    let text = text.with_context(|| format!("{setting} {}", file.display()))?;
    Ok(Zeroizing::new(text))
}

fn read_env(name: &str, setting: &str) -> anyhow::Result<Zeroizing<String>> {
    let text = std::env::var(name).ok();
    let text = text.with_context(|| format!("{setting}: {name} is not set"))?;
    Ok(Zeroizing::new(text))
}
