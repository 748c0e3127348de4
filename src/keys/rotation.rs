//! Edits `[[keys.gateway]]` in a configuration file, keeping its comments and order.
//!
//! Rotation has two steps, with time in between for every node to load the new key: [`add_active`],
//! then [`promote`]. A node that has not loaded a key yet would refuse messages that are encrypted
//! to it.

use super::token;
use crate::config::{Config, KeyPlace, Oaep, TokenObject};
use crate::payload::{Curve, KeyKind, KeyState};
use crate::private_file;
use anyhow::{Context, bail, ensure};
use chrono::{DateTime, Utc};
use openssl::asn1::Asn1Time;
use openssl::bn::{BigNum, MsbOption};
use openssl::ec::{EcGroup, EcKey};
use openssl::error::ErrorStack;
use openssl::hash::MessageDigest;
use openssl::nid::Nid;
use openssl::pkey::{HasPublic, PKey, PKeyRef, Private};
use openssl::rsa::Rsa;
use openssl::x509::{X509, X509Name};
use std::fs;
use std::path::{Path, PathBuf};
use toml_edit::{ArrayOfTables, DocumentMut, InlineTable, Table, value};

/// A key to be made.
#[derive(Debug, Clone)]
pub enum NewKey {
    /// RSA of so many bits, in a file.
    Rsa(u32),
    /// EC, in a file.
    Ec(Curve),
    /// RSA of so many bits, in the token of this name.
    InToken {
        /// `tokens.name`.
        token: String,
        /// Who takes the padding off; `None`: as for the other keys in the token.
        oaep: Option<Oaep>,
        /// Size of the modulus.
        bits: u32,
    },
}

/// A new RSA key of `bits` (2048 to 4096).
pub fn generate(bits: u32) -> anyhow::Result<PKey<Private>> {
    require_size(bits)?;
    Ok(PKey::from_rsa(Rsa::generate(bits)?)?)
}

/// Refuses what no RSA key here has.
pub fn require_size(bits: u32) -> anyhow::Result<()> {
    ensure!(
        (2_048..=4_096).contains(&bits),
        "an RSA key must have 2048 to 4096 bits"
    );
    Ok(())
}

/// A new EC key.
pub fn generate_ec(curve: Curve) -> Result<PKey<Private>, ErrorStack> {
    let group = EcGroup::from_curve_name(curve.nid())?;
    PKey::from_ec_key(EcKey::generate(&group)?)
}

/// A certificate for `key` by itself, from now on for `days`.
pub fn self_signed(key: &PKey<Private>, common_name: &str, days: u32) -> Result<X509, ErrorStack> {
    certificate(key, key, common_name, &random_serial()?, from_now(days)?)
}

/// A certificate for a key that signs nothing, such as one in a token: by a key that nobody has any
/// more. Clients take the public key out of it, and look at nothing else.
pub fn unsigned<T: HasPublic>(
    key: &PKeyRef<T>,
    common_name: &str,
    days: u32,
) -> Result<X509, ErrorStack> {
    let thrown_away = PKey::from_rsa(Rsa::generate(2_048)?)?;
    let (serial, dates) = (random_serial()?, from_now(days)?);
    certificate(key, &thrown_away, common_name, &serial, dates)
}

/// The same as [`self_signed`] between two moments, and with a serial number out of the key: the
/// same certificate each time.
pub fn self_signed_between(
    key: &PKey<Private>,
    common_name: &str,
    from: DateTime<Utc>,
    until: DateTime<Utc>,
) -> Result<X509, ErrorStack> {
    let hash = openssl::sha::sha256(&key.public_key_to_der()?);
    let mut serial = BigNum::from_slice(&hash)?;
    serial.mask_bits(127)?;
    let dates = (
        Asn1Time::from_unix(from.timestamp())?,
        Asn1Time::from_unix(until.timestamp())?,
    );
    certificate(key, key, common_name, &serial, dates)
}

fn random_serial() -> Result<BigNum, ErrorStack> {
    let mut serial = BigNum::new()?;
    serial.rand(127, MsbOption::MAYBE_ZERO, false)?;
    Ok(serial)
}

fn from_now(days: u32) -> Result<(Asn1Time, Asn1Time), ErrorStack> {
    Ok((Asn1Time::days_from_now(0)?, Asn1Time::days_from_now(days)?))
}

fn certificate<T: HasPublic>(
    key: &PKeyRef<T>,
    signer: &PKeyRef<Private>,
    common_name: &str,
    serial: &BigNum,
    (from, until): (Asn1Time, Asn1Time),
) -> Result<X509, ErrorStack> {
    let mut name = X509Name::builder()?;
    name.append_entry_by_nid(Nid::COMMONNAME, common_name)?;
    let name = name.build();
    let mut builder = X509::builder()?;
    builder.set_version(2)?;
    builder.set_serial_number(&*serial.to_asn1_integer()?)?;
    builder.set_subject_name(&name)?;
    builder.set_issuer_name(&name)?;
    builder.set_pubkey(key)?;
    builder.set_not_before(&from)?;
    builder.set_not_after(&until)?;
    builder.sign(signer, MessageDigest::sha256())?;
    Ok(builder.build())
}

/// Writes the whole file or nothing, readable by its owner alone.
pub fn write_private(file: &Path, content: &[u8]) -> anyhow::Result<()> {
    private_file::replace(file, content).with_context(|| file.display().to_string())
}

/// Makes a key and certificate, the files beside those of the primary key, and declares them as
/// `active`; returns the key's name.
///
/// # Errors
/// The key cannot be made, or the configuration would not load with it.
pub fn add_active(
    config_file: &Path,
    new: &NewKey,
    days: u32,
    now: DateTime<Utc>,
) -> anyhow::Result<String> {
    let config = Config::load(config_file)?;
    let folder = folder_of_keys(&config)?;
    let stem = format!("gateway-{}", now.format("%Y%m%dT%H%M%SZ"));
    let certificate_file = folder.join(format!("{stem}-cert.pem"));
    let mut entry = Table::new();
    let (name, certificate) = match new {
        NewKey::Rsa(_) | NewKey::Ec(_) => {
            let file = folder.join(format!("{stem}.pem"));
            ensure!(!file.exists(), "{} exists already", file.display());
            let key = match new {
                NewKey::Ec(curve) => generate_ec(*curve)?,
                NewKey::Rsa(bits) | NewKey::InToken { bits, .. } => generate(*bits)?,
            };
            write_private(&file, &key.private_key_to_pem_pkcs8()?)?;
            entry.insert("file", value(relative(config_file, &file)));
            let certificate = self_signed(&key, "issuer-gateway", days)?;
            (file.display().to_string(), certificate)
        }
        NewKey::InToken { token, oaep, bits } => {
            let object = TokenObject {
                token: token.clone(),
                label: Some(stem.clone()),
                id: Some(hex::encode(stem.as_bytes())),
            };
            let oaep = oaep.unwrap_or_else(|| oaep_in(&config, token));
            let key = token::generate(&config, &object, *bits)?;
            entry.insert("pkcs11", value(inline(&object)));
            if oaep == Oaep::Raw {
                entry.insert("oaep", value("raw"));
            }
            let certificate = unsigned(&key, "issuer-gateway", days)?;
            (KeyPlace::Token(&object).to_string(), certificate)
        }
    };
    write_private(&certificate_file, &certificate.to_pem()?)?;
    let not_after = (now + chrono::Duration::days(i64::from(days)))
        .format("%Y-%m-%dT%H:%M:%SZ")
        .to_string();
    entry.insert(
        "certificate",
        value(relative(config_file, &certificate_file)),
    );
    entry.insert("state", value("active"));
    entry.insert("not_after", value(not_after));
    edit(config_file, |keys| {
        keys.push(entry);
        Ok(())
    })?;
    Ok(name)
}

/// Where the primary key's file is, or its certificate's.
fn folder_of_keys(config: &Config) -> anyhow::Result<PathBuf> {
    let primaries = config.keys.gateway.iter();
    let mut primaries = primaries.filter(|key| key.state == KeyState::Primary);
    let file = primaries.find_map(|key| key.file.as_ref().or(key.certificate.as_ref()));
    let file = file.or(config.source.as_ref());
    let folder = file.and_then(|file| file.parent());
    Ok(folder
        .context("configuration: keys.gateway: no primary key")?
        .to_owned())
}

/// As the other keys of this token have it.
fn oaep_in(config: &Config, token: &str) -> Oaep {
    let same =
        |key: &&crate::config::GatewayKey| key.pkcs11.as_ref().is_some_and(|at| at.token == token);
    let known = config.keys.gateway.iter().find(same);
    known.map(|key| key.oaep).unwrap_or_default()
}

fn inline(object: &TokenObject) -> InlineTable {
    let mut table = InlineTable::new();
    table.insert("token", object.token.as_str().into());
    for (name, text) in [("label", &object.label), ("id", &object.id)] {
        if let Some(text) = text {
            table.insert(name, text.as_str().into());
        }
    }
    table
}

/// Makes the newest active key of a kind (the last one declared) the primary key of its kind, and
/// the primary key active; returns the name of the new primary.
///
/// # Errors
/// There is none, or the configuration would not load.
pub fn promote(config_file: &Path, kind: KeyKind) -> anyhow::Result<String> {
    let config = Config::load(config_file)?;
    let of_kind = |key: &crate::config::GatewayKey| -> anyhow::Result<bool> {
        let loads = key.state != KeyState::Destroyed;
        Ok(loads && super::load_one(&config, key)?.kind() == kind)
    };
    let of_kind: anyhow::Result<Vec<bool>> = config.keys.gateway.iter().map(of_kind).collect();
    let of_kind = of_kind?;
    let mut declared = config.keys.gateway.iter().zip(&of_kind).enumerate();
    let newest = declared.rfind(|(_, (key, of_kind))| **of_kind && key.state == KeyState::Active);
    let Some((newest, (promoted, _))) = newest else {
        bail!("there is no active {kind} key to promote: run `keys rotate` first")
    };
    edit(config_file, |keys| {
        for (index, table) in keys.iter_mut().enumerate() {
            let state = table.get("state").and_then(|item| item.as_str());
            let is_primary = state == Some("primary");
            if index == newest {
                set_state(table, "primary");
            } else if is_primary && of_kind.get(index) == Some(&true) {
                set_state(table, "active");
            }
        }
        Ok(())
    })?;
    Ok(promoted.name())
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
    super::load_ring(&config)?;
    super::kek::load(&config)?;
    if let (Some(certificate), Some(key)) = (&config.server.tls_certificate, &config.server.tls_key)
    {
        super::tls_key(certificate, key)?;
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

    const RSA: NewKey = NewKey::Rsa(2_048);

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
        assert!(
            promote(&config, KeyKind::Rsa).is_err(),
            "nothing to promote yet"
        );
        add_active(&config, &RSA, 90, Utc::now()).unwrap();
        assert_eq!(states(&config), [KeyState::Primary, KeyState::Active]);
        promote(&config, KeyKind::Rsa).unwrap();
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
    fn keys_of_other_kinds_keep_their_states() {
        use KeyState::{Active, Primary};
        let (_dir, config) = files();
        let p256 = NewKey::Ec(Curve::P256);
        let ec = KeyKind::Ec(Curve::P256);
        let at = |second: i64| DateTime::from_timestamp(1_700_000_000 + second, 0).unwrap();
        add_active(&config, &p256, 90, at(0)).unwrap();
        let error = promote(&config, KeyKind::Rsa).unwrap_err().to_string();
        assert!(error.contains("no active RSA key"), "{error}");
        promote(&config, ec).unwrap();
        assert_eq!(states(&config), [Primary, Primary]);
        add_active(&config, &p256, 90, at(1)).unwrap();
        add_active(&config, &RSA, 90, at(2)).unwrap();
        promote(&config, ec).unwrap();
        assert_eq!(states(&config), [Primary, Active, Primary, Active]);
        promote(&config, KeyKind::Rsa).unwrap();
        assert_eq!(states(&config), [Active, Active, Primary, Primary]);
    }

    #[test]
    fn an_edit_that_would_not_load_changes_nothing() {
        let (dir, config) = files();
        fs::remove_file(dir.path().join("kek.key")).unwrap();
        assert!(add_active(&config, &RSA, 90, Utc::now()).is_err());
        assert_eq!(fs::read_to_string(&config).unwrap(), CONFIG);
    }
}
