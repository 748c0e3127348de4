//! KEKs: in memory, from a file, an environment variable, two shares or a command; in a token; at a
//! transit service.
//!
//! Errors name the setting and the file or variable, never its content.

mod command;
mod token;
mod transit;

use crate::config::{self, Config, KekSource, ShareSource};
use crate::vault::shares::Share;
use crate::vault::{Kek, KekFault, Keks, KeyWrap};
use anyhow::{Context, bail};
use std::path::Path;
use zeroize::Zeroizing;

/// Loads the KEK and the further ones of a configuration. Blocks while their keepers are asked.
///
/// # Errors
/// One cannot be had. A [`KekFault`] is in the error's chain if its keeper is to blame.
pub fn load(config: &Config) -> anyhow::Result<Keks> {
    let load = |source: &KekSource, setting| -> anyhow::Result<Box<dyn KeyWrap>> {
        match source {
            KekSource::Pkcs11(object) => {
                let settings = config::find_token(&config.tokens, &object.token)?;
                Ok(Box::new(
                    token::TokenKek::open(settings, object).context(setting)?,
                ))
            }
            KekSource::Transit(at) => Ok(Box::new(transit::TransitKek::open(at).context(setting)?)),
            source => Ok(Box::new(in_memory(source, setting)?)),
        }
    };
    let primary = load(&config.vault.source()?, "vault.kek")?;
    let further = config.vault.further_keks.iter();
    let further = further.map(|source| load(source, "vault.further_keks"));
    Ok(Keks::of(primary, further.collect::<anyhow::Result<_>>()?))
}

/// Loads the KEK alone, to be split.
///
/// # Errors
/// As [`load`], and if the KEK cannot leave its keeper.
pub fn load_primary(config: &Config) -> anyhow::Result<Kek> {
    in_memory(&config.vault.source()?, "vault.kek")
}

/// `setting` is where the source is named.
fn in_memory(source: &KekSource, setting: &str) -> anyhow::Result<Kek> {
    match source {
        KekSource::File(file) => parse(&read_file(file, &format!("{setting}: file"))?)
            .with_context(|| file.display().to_string()),
        KekSource::Env(name) => {
            parse(&read_env(name, &format!("{setting}: env"))?).with_context(|| name.clone())
        }
        KekSource::Shares([one, other]) => {
            let setting = format!("{setting}: shares");
            let (one, other) = (load_share(one, &setting)?, load_share(other, &setting)?);
            Kek::from_shares(&one, &other).context(setting)
        }
        KekSource::Command(command) => {
            let name = || format!("{setting}: command {}", command::name(command));
            parse(&command::run(command).with_context(name)?).with_context(name)
        }
        KekSource::Pkcs11(_) | KekSource::Transit(_) => {
            bail!("{setting}: this KEK never leaves its keeper")
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

/// A fault that passes by itself, or one that somebody has to mend.
fn fault(passing: bool, reason: &'static str, text: String) -> KekFault {
    if passing {
        KekFault::Away { reason, text }
    } else {
        KekFault::Refused { reason, text }
    }
}
