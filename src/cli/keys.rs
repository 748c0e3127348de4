//! `keys generate|list|fingerprint|rotate|check`: the gateway's own keys.

use crate::config::Config;
use crate::gateway::web_view::read_fonts;
use crate::keys::source::{read_declared, read_key_pair};
use crate::keys::{certificates, rotation};
use crate::payload::{Fingerprint, KeyState};
use crate::store::audit::AuditDraft;
use crate::{app, keys};
use anyhow::{Context, ensure};
use chrono::{DateTime, Utc};
use clap::Subcommand;
use openssl::error::ErrorStack;
use openssl::pkey::{HasPublic, PKeyRef};
use std::collections::HashMap;
use std::path::{Path, PathBuf};

/// Validity of generated certificates.
const DAYS: u32 = 730;

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Make an RSA key (PKCS#8 PEM) and, beside it, a self-signed certificate to hand to issuers.
    Generate {
        /// File for the key. The certificate gets the same name with -cert.pem at its end.
        file: PathBuf,
        /// Size of the key in bits: 2048 to 4096.
        #[arg(long, default_value_t = 2_048)]
        bits: u32,
        /// Validity of the certificate in days.
        #[arg(long, default_value_t = DAYS)]
        days: u32,
    },
    /// List the gateway keys of the configuration: state, fingerprints, size, end, last use.
    List,
    /// Show every digest by which clients may name a key; takes a key or a certificate.
    Fingerprint {
        /// PEM or PKCS#12 file.
        file: PathBuf,
        /// Name of the environment variable with the passphrase of an encrypted file.
        #[arg(long, value_name = "NAME")]
        passphrase_env: Option<String>,
    },
    /// Make a new key and declare it `active`; with --promote make the newest active key primary.
    ///
    /// The command edits the configuration file and keeps its comments. Promote after every node
    /// has loaded the new key: running nodes load a changed file within 10 seconds.
    Rotate {
        /// Second step: make the newest active key primary.
        #[arg(long)]
        promote: bool,
        /// Size of the new key in bits: 2048 to 4096.
        #[arg(long, default_value_t = 2_048)]
        bits: u32,
        /// Validity of the new certificate in days.
        #[arg(long, default_value_t = DAYS)]
        days: u32,
    },
    /// Load the configuration, and every key and font that it names; start nothing.
    Check,
}

/// Runs a command; those on a configuration take its file.
pub(super) fn run(config: Option<&Path>, command: Command) -> anyhow::Result<()> {
    let file = || {
        config
            .context("--config FILE is needed, before the command: issuer-gateway --config FILE …")
    };
    match command {
        Command::Generate { file, bits, days } => generate(&file, bits, days),
        Command::Fingerprint {
            file,
            passphrase_env,
        } => fingerprint(&file, passphrase_env.as_deref()),
        Command::List => list(&Config::load(file()?)?),
        Command::Rotate {
            promote,
            bits,
            days,
        } => rotate(file()?, promote, bits, days),
        Command::Check => {
            rotation::check(file()?)?;
            read_fonts(&Config::load(file()?)?.dashboard.fonts)?;
            println!("The configuration and its keys load.");
            Ok(())
        }
    }
}

fn generate(file: &Path, bits: u32, days: u32) -> anyhow::Result<()> {
    let certificate_file = file.with_extension("").display().to_string() + "-cert.pem";
    ensure!(!file.exists(), "{} exists already", file.display());
    let key = rotation::generate(bits)?;
    rotation::write_private(file, &key.private_key_to_pem_pkcs8()?)?;
    rotation::write_private(
        Path::new(&certificate_file),
        &rotation::self_signed(&key, "issuer-gateway", days)?.to_pem()?,
    )?;
    println!("key:         {}", file.display());
    println!("certificate: {certificate_file}");
    println!("fingerprint: {}", Fingerprint::of_public_key(&key)?);
    Ok(())
}

fn fingerprint(file: &Path, passphrase_env: Option<&str>) -> anyhow::Result<()> {
    let content = std::fs::read(file).with_context(|| file.display().to_string())?;
    let ([of_key, thumbprint], certificate) = match certificates::leaf(&content) {
        Ok(certificate) => (names(&*certificate.public_key()?)?, Some(certificate)),
        Err(_) => {
            let passphrase = passphrase_env
                .map(std::env::var)
                .transpose()
                .context("--passphrase-env")?;
            let pair = read_key_pair(file, passphrase.as_deref())?;
            (names(&pair.private)?, pair.certificate)
        }
    };
    println!("public key   sha256 hex     {of_key}");
    println!("public key   thumbprint     {}", thumbprint.to_base64url());
    if let Some(certificate) = certificate {
        let digest = Fingerprint::of_certificate(&certificate)?;
        println!("certificate  sha256 hex     {digest}");
        println!("certificate  sha256 base64  {}", digest.to_base64());
    }
    Ok(())
}

/// The fingerprint and the JWK thumbprint.
fn names<T: HasPublic>(key: &PKeyRef<T>) -> Result<[Fingerprint; 2], ErrorStack> {
    Ok([
        Fingerprint::of_public_key(key)?,
        Fingerprint::thumbprint(key)?,
    ])
}

fn list(config: &Config) -> anyhow::Result<()> {
    let used = last_used(config)?;
    println!(
        "{:<10} {:<64} {:<16} {:<5} {:<20} {:<20} FILE",
        "STATE", "FINGERPRINT", "CERTIFICATE", "BITS", "END", "LAST USED"
    );
    for key in &config.keys.gateway {
        if key.state == KeyState::Destroyed {
            println!(
                "{:<10} {:<64} {:<16} {:<5} {:<20} {:<20} {}",
                key.state,
                "-",
                "-",
                "-",
                "-",
                "-",
                key.file.display()
            );
            continue;
        }
        let pair = read_declared(key)?;
        let fingerprint = Fingerprint::of_public_key(&pair.private)?.to_string();
        let of_certificate = pair
            .certificate
            .as_ref()
            .map(|certificate| Fingerprint::of_certificate(certificate))
            .transpose()?;
        let of_certificate = of_certificate.map_or("-".to_owned(), |digest| {
            digest.to_string().chars().take(16).collect()
        });
        let end = key
            .not_after()?
            .or_else(|| keys::moment(pair.certificate.as_ref()?.not_after()));
        let last_used = used
            .get(&fingerprint)
            .and_then(|seconds| DateTime::from_timestamp(*seconds, 0));
        println!(
            "{:<10} {fingerprint:<64} {of_certificate:<16} {:<5} {:<20} {:<20} {}",
            key.state,
            pair.private.bits(),
            time(end),
            time(last_used),
            key.file.display()
        );
    }
    Ok(())
}

fn time(time: Option<DateTime<Utc>>) -> String {
    time.map_or_else(
        || "-".to_owned(),
        |time| time.format("%Y-%m-%dT%H:%M:%SZ").to_string(),
    )
}

/// When each key last opened a payload on any node, by fingerprint.
fn last_used(config: &Config) -> anyhow::Result<HashMap<String, i64>> {
    let (_, store) = app::open_store(&config.database)?;
    Ok(super::runtime()?
        .block_on(store.key_usage())?
        .into_iter()
        .collect())
}

fn rotate(file: &Path, promote: bool, bits: u32, days: u32) -> anyhow::Result<()> {
    let (action, key) = if promote {
        let promoted = rotation::promote(file)?;
        println!("{promoted} is primary now; the former primary key stays active.");
        println!(
            "Hand its certificate to issuers. When no issuer uses the former key any more (keys list), disable it."
        );
        ("key.promote", promoted)
    } else {
        let added = rotation::add_active(file, bits, days, Utc::now())?;
        println!("{} is active.", added.display());
        println!(
            "Once every node has loaded it (10 s after the file reached it), run `keys rotate --promote`."
        );
        ("key.add", added.display().to_string())
    };
    let config = Config::load(file)?;
    let (_, store) = app::open_store(&config.database)?;
    let audit = AuditDraft {
        subject: Some(key),
        ..AuditDraft::local(action)
    };
    super::runtime()?.block_on(store.record(audit))?;
    Ok(())
}
