//! Edits `[[keys.gateway]]` in a configuration file, keeping its comments and order.
//!
//! Rotation has two steps, with time in between for every node to load the new key: [`add_active`],
//! then [`promote`]. A node that has not loaded a key yet would refuse messages that are encrypted
//! to it.

use super::source::read_declared;
use crate::config::Config;
use crate::private_file;
use anyhow::{Context, bail, ensure};
use chrono::{DateTime, Utc};
use openssl::asn1::Asn1Time;
use openssl::bn::{BigNum, MsbOption};
use openssl::error::ErrorStack;
use openssl::hash::MessageDigest;
use openssl::nid::Nid;
use openssl::pkey::{PKey, Private};
use openssl::rsa::Rsa;
use openssl::x509::{X509, X509Name};
use std::fs;
use std::path::{Path, PathBuf};
use toml_edit::{ArrayOfTables, DocumentMut, Table, value};

/// A new RSA key of `bits` (2048 to 4096).
pub fn generate(bits: u32) -> anyhow::Result<PKey<Private>> {
    ensure!(
        (2_048..=4_096).contains(&bits),
        "an RSA key must have 2048 to 4096 bits"
    );
    Ok(PKey::from_rsa(Rsa::generate(bits)?)?)
}

/// A certificate for `key` by itself, from now on for `days`.
pub fn self_signed(key: &PKey<Private>, common_name: &str, days: u32) -> Result<X509, ErrorStack> {
    let mut name = X509Name::builder()?;
    name.append_entry_by_nid(Nid::COMMONNAME, common_name)?;
    let name = name.build();
    let mut serial = BigNum::new()?;
    serial.rand(127, MsbOption::MAYBE_ZERO, false)?;
    let mut builder = X509::builder()?;
    builder.set_version(2)?;
    builder.set_serial_number(&*serial.to_asn1_integer()?)?;
    builder.set_subject_name(&name)?;
    builder.set_issuer_name(&name)?;
    builder.set_pubkey(key)?;
    builder.set_not_before(&*Asn1Time::days_from_now(0)?)?;
    builder.set_not_after(&*Asn1Time::days_from_now(days)?)?;
    builder.sign(key, MessageDigest::sha256())?;
    Ok(builder.build())
}

/// Writes the whole file or nothing, readable by its owner alone.
pub fn write_private(file: &Path, content: &[u8]) -> anyhow::Result<()> {
    private_file::replace(file, content).with_context(|| file.display().to_string())
}

/// Makes a key and certificate beside the primary key's file and declares them as `active`; returns
/// the key's file.
pub fn add_active(
    config_file: &Path,
    bits: u32,
    days: u32,
    now: DateTime<Utc>,
) -> anyhow::Result<PathBuf> {
    let config = Config::load(config_file)?;
    let primary = config
        .keys
        .gateway
        .iter()
        .find(|key| key.state == crate::payload::KeyState::Primary);
    let folder = primary
        .and_then(|key| key.file.parent())
        .context("configuration: keys.gateway: no primary key")?
        .to_owned();
    let stem = format!("gateway-{}", now.format("%Y%m%dT%H%M%SZ"));
    let key_file = folder.join(format!("{stem}.pem"));
    let certificate_file = folder.join(format!("{stem}-cert.pem"));
    ensure!(!key_file.exists(), "{} exists already", key_file.display());
    let key = generate(bits)?;
    write_private(&key_file, &key.private_key_to_pem_pkcs8()?)?;
    write_private(
        &certificate_file,
        &self_signed(&key, "issuer-gateway", days)?.to_pem()?,
    )?;

    let not_after = (now + chrono::Duration::days(i64::from(days)))
        .format("%Y-%m-%dT%H:%M:%SZ")
        .to_string();
    edit(config_file, |keys| {
        let mut entry = Table::new();
        entry.insert("file", value(relative(config_file, &key_file)));
        entry.insert(
            "certificate",
            value(relative(config_file, &certificate_file)),
        );
        entry.insert("state", value("active"));
        entry.insert("not_after", value(not_after));
        keys.push(entry);
        Ok(())
    })?;
    Ok(key_file)
}

/// Makes the newest active key (the last one declared) the primary key, and the primary key active;
/// returns the file of the new primary.
pub fn promote(config_file: &Path) -> anyhow::Result<String> {
    let mut promoted = String::new();
    edit(config_file, |keys| {
        let state = |table: &Table| {
            table
                .get("state")
                .and_then(|item| item.as_str())
                .map(str::to_owned)
        };
        let newest = keys
            .iter()
            .enumerate()
            .filter(|(_, table)| state(table).as_deref() == Some("active"))
            .last();
        let Some((newest, _)) = newest else {
            bail!("there is no active key to promote: run `keys rotate` first")
        };
        for (index, table) in keys.iter_mut().enumerate() {
            if index == newest {
                set_state(table, "primary");
                promoted = table
                    .get("file")
                    .and_then(|item| item.as_str())
                    .unwrap_or_default()
                    .to_owned();
            } else if state(table).as_deref() == Some("primary") {
                set_state(table, "active");
            }
        }
        Ok(())
    })?;
    Ok(promoted)
}

/// Changes a state in place, so that a comment behind it stays.
fn set_state(table: &mut Table, state: &str) {
    if let Some(item) = table.get_mut("state").and_then(|item| item.as_value_mut()) {
        let decor = item.decor().clone();
        *item = state.into();
        *item.decor_mut() = decor;
    }
}

/// Edits the key tables; the file is replaced in one step, and only if the whole result validates.
fn edit(
    config_file: &Path,
    change: impl FnOnce(&mut ArrayOfTables) -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    let text =
        fs::read_to_string(config_file).with_context(|| config_file.display().to_string())?;
    let mut document: DocumentMut = text
        .parse()
        .map_err(|_| anyhow::anyhow!("{}: not valid TOML", config_file.display()))?;
    let keys = document
        .get_mut("keys")
        .and_then(|keys| keys.get_mut("gateway"))
        .and_then(|item| item.as_array_of_tables_mut());
    change(keys.context("configuration: [[keys.gateway]] tables are needed for this")?)?;

    let candidate = config_file.with_extension("toml.candidate");
    write_private(&candidate, document.to_string().as_bytes())?;
    let checked = check(&candidate);
    if let Err(error) = checked {
        let _ = fs::remove_file(&candidate);
        return Err(error.context("the edited configuration would not load; nothing was changed"));
    }
    let permissions = fs::metadata(config_file)?.permissions();
    fs::set_permissions(&candidate, permissions)?;
    fs::rename(&candidate, config_file).with_context(|| config_file.display().to_string())
}

/// Loads a configuration and every key that it names, as a node would.
pub fn check(config_file: &Path) -> anyhow::Result<Config> {
    let config = Config::load(config_file)?;
    super::load_ring(&config.keys)?;
    super::kek::load(&config.vault)?;
    if let (Some(certificate), Some(key)) = (&config.server.tls_certificate, &config.server.tls_key)
    {
        super::tls_key(certificate, key)?;
    }
    for key in config
        .keys
        .gateway
        .iter()
        .filter(|key| key.state != crate::payload::KeyState::Destroyed)
    {
        read_declared(key)?;
    }
    Ok(config)
}

/// A path as the configuration should name it: relative to its folder where the file lies below it.
fn relative(config_file: &Path, file: &Path) -> String {
    let folder = config_file.parent().unwrap_or(Path::new(""));
    file.strip_prefix(folder)
        .unwrap_or(file)
        .display()
        .to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::payload::KeyState;

    const CONFIG: &str = r#"# a comment at the top
[database]
url = "sqlite:gateway.db"

[vault]
kek_file = "kek.key"

# the key of 2025
[[keys.gateway]]
file = "old.pem"
state = "primary" # since January
"#;

    fn files() -> (tempfile::TempDir, PathBuf) {
        let dir = tempfile::tempdir().unwrap();
        let config = dir.path().join("gateway.toml");
        fs::write(&config, CONFIG).unwrap();
        fs::write(
            dir.path().join("kek.key"),
            &*crate::vault::Kek::generate().unwrap(),
        )
        .unwrap();
        fs::write(
            dir.path().join("old.pem"),
            generate(2_048).unwrap().private_key_to_pem_pkcs8().unwrap(),
        )
        .unwrap();
        (dir, config)
    }

    fn states(config: &Path) -> Vec<KeyState> {
        Config::load(config)
            .unwrap()
            .keys
            .gateway
            .iter()
            .map(|key| key.state)
            .collect()
    }

    #[test]
    fn rotation_is_two_steps_and_keeps_comments() {
        let (_dir, config) = files();
        assert!(promote(&config).is_err(), "nothing to promote yet");
        add_active(&config, 2_048, 90, Utc::now()).unwrap();
        assert_eq!(states(&config), [KeyState::Primary, KeyState::Active]);
        promote(&config).unwrap();
        assert_eq!(states(&config), [KeyState::Active, KeyState::Primary]);
        let text = fs::read_to_string(&config).unwrap();
        for comment in [
            "# a comment at the top",
            "# the key of 2025",
            "# since January",
        ] {
            assert!(text.contains(comment), "{comment} is gone:\n{text}");
        }
        check(&config).unwrap();
    }

    #[test]
    fn an_edit_that_would_not_load_changes_nothing() {
        let (dir, config) = files();
        fs::remove_file(dir.path().join("kek.key")).unwrap();
        assert!(add_active(&config, 2_048, 90, Utc::now()).is_err());
        assert_eq!(fs::read_to_string(&config).unwrap(), CONFIG);
    }
}
