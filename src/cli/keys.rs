//! `keys generate|list|fingerprint|rotate|check`: the gateway's own keys.

use crate::config::{Config, KeyPlace, Oaep, TokenObject};
use crate::gateway::web_view::read_fonts;
use crate::http::metrics::Token;
use crate::keys::rotation::NewKey;
use crate::keys::source::read_key_pair;
use crate::keys::{certificates, rotation};
use crate::payload::{Curve, Fingerprint, KeyKind, KeyState};
use crate::store::audit::AuditDraft;
use crate::traces::Traces;
use crate::{app, keys};
use anyhow::{Context, ensure};
use chrono::{DateTime, Utc};
use clap::{Args, Subcommand};
use openssl::pkey::{HasPublic, PKeyRef};
use std::collections::HashMap;
use std::path::{Path, PathBuf};

/// Validity of generated certificates.
const DAYS: u32 = 730;

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Make a key (PKCS#8 PEM) and, beside it, a self-signed certificate to hand to issuers.
    ///
    /// RSA, or with --ec an elliptic-curve key. With --token the key is made in a token of the
    /// configuration and never leaves it; FILE is then the file of its certificate.
    Generate(Generate),
    /// List the gateway keys of the configuration: state, fingerprints, kind, end, last use.
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
    /// has loaded the new key: running nodes load a changed file within 10 seconds. Each kind of
    /// key (RSA, P-256, P-384) has a primary key of its own.
    Rotate(Rotate),
    /// Load the configuration, and every key and font that it names; start nothing.
    Check,
}

#[derive(Debug, Args)]
pub(super) struct Generate {
    /// File for the key. The certificate gets the same name with -cert.pem at its end.
    file: PathBuf,
    #[command(flatten)]
    kind: Kind,
    /// With --token: the label that the key gets.
    #[arg(long, requires = "token", default_value = "gateway")]
    label: String,
    /// With --token: the id that the key gets, in hex.
    #[arg(long, requires = "token", value_name = "HEX", default_value = "01")]
    id: String,
    /// Validity of the certificate in days.
    #[arg(long, default_value_t = DAYS)]
    days: u32,
}

#[derive(Debug, Args)]
pub(super) struct Rotate {
    /// Second step: make the newest active key primary.
    #[arg(long)]
    promote: bool,
    #[command(flatten)]
    kind: Kind,
    /// With --token: `raw` if the token does not know OAEP with SHA-256; left out: as for its other
    /// keys.
    #[arg(long, requires = "token", value_parser = oaep)]
    oaep: Option<Oaep>,
    /// Validity of the new certificate in days.
    #[arg(long, default_value_t = DAYS)]
    days: u32,
}

#[derive(Debug, Args)]
struct Kind {
    /// Size of an RSA key in bits: 2048 to 4096.
    #[arg(long, default_value_t = 2_048)]
    bits: u32,
    /// An EC key instead of an RSA key: P-256 or P-384.
    #[arg(long, value_name = "CURVE", num_args = 0..=1, require_equals = true, default_missing_value = "P-256", value_parser = curve, conflicts_with = "bits")]
    ec: Option<Curve>,
    /// An RSA key in this token of the configuration (tokens.name).
    #[arg(long, value_name = "NAME", conflicts_with = "ec")]
    token: Option<String>,
}

impl Kind {
    fn kind(&self) -> KeyKind {
        self.ec.map_or(KeyKind::Rsa, KeyKind::Ec)
    }

    fn new_key(&self, oaep: Option<Oaep>) -> NewKey {
        match (&self.token, self.ec) {
            (Some(token), _) => NewKey::InToken {
                token: token.clone(),
                oaep,
                bits: self.bits,
            },
            (None, Some(curve)) => NewKey::Ec(curve),
            (None, None) => NewKey::Rsa(self.bits),
        }
    }
}

fn curve(text: &str) -> Result<Curve, String> {
    Curve::parse(text).ok_or_else(|| "must be P-256 or P-384".to_owned())
}

fn oaep(text: &str) -> Result<Oaep, String> {
    match text {
        "token" => Ok(Oaep::Token),
        "raw" => Ok(Oaep::Raw),
        _ => Err("must be token or raw".to_owned()),
    }
}

/// Runs a command; those on a configuration take its file.
pub(super) fn run(config: Option<&Path>, command: Command) -> anyhow::Result<()> {
    let file = || {
        config
            .context("--config FILE is needed, before the command: issuer-gateway --config FILE …")
    };
    match command {
        Command::Generate(arguments) => match &arguments.kind.token {
            None => generate(&arguments),
            Some(token) => generate_in_token(&Config::load(file()?)?, token, &arguments),
        },
        Command::Fingerprint {
            file,
            passphrase_env,
        } => fingerprint(&file, passphrase_env.as_deref()),
        Command::List => list(&Config::load(file()?)?),
        Command::Rotate(arguments) => rotate(file()?, &arguments),
        Command::Check => {
            rotation::check(file()?)?;
            let config = Config::load(file()?)?;
            read_fonts(&config.dashboard.fonts)?;
            config
                .metrics
                .token_file
                .as_deref()
                .map(Token::read)
                .transpose()?;
            config.traces.as_ref().map(Traces::check).transpose()?;
            println!("The configuration and its keys load.");
            Ok(())
        }
    }
}

fn generate(arguments: &Generate) -> anyhow::Result<()> {
    let file = &arguments.file;
    let certificate_file = file.with_extension("").display().to_string() + "-cert.pem";
    ensure!(!file.exists(), "{} exists already", file.display());
    let key = match arguments.kind.ec {
        Some(curve) => rotation::generate_ec(curve)?,
        None => rotation::generate(arguments.kind.bits)?,
    };
    rotation::write_private(file, &key.private_key_to_pem_pkcs8()?)?;
    rotation::write_private(
        Path::new(&certificate_file),
        &rotation::self_signed(&key, "issuer-gateway", arguments.days)?.to_pem()?,
    )?;
    println!("key:         {}", file.display());
    println!("certificate: {certificate_file}");
    println!("fingerprint: {}", Fingerprint::of_public_key(&key)?);
    Ok(())
}

fn generate_in_token(config: &Config, token: &str, arguments: &Generate) -> anyhow::Result<()> {
    let file = &arguments.file;
    ensure!(!file.exists(), "{} exists already", file.display());
    rotation::require_size(arguments.kind.bits)?;
    let object = TokenObject {
        token: token.to_owned(),
        label: Some(arguments.label.clone()),
        id: Some(arguments.id.clone()),
    };
    let key = keys::token::generate(config, &object, arguments.kind.bits)?;
    let certificate = rotation::unsigned(&key, "issuer-gateway", arguments.days)?;
    rotation::write_private(file, &certificate.to_pem()?)?;
    println!("key:         {}", KeyPlace::Token(&object));
    println!("certificate: {}", file.display());
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
fn names<T: HasPublic>(key: &PKeyRef<T>) -> anyhow::Result<[Fingerprint; 2]> {
    Ok([
        Fingerprint::of_public_key(key)?,
        Fingerprint::thumbprint_of(key)?,
    ])
}

fn list(config: &Config) -> anyhow::Result<()> {
    let used = last_used(config)?;
    let line = |[state, fingerprint, certificate, kind, end, used, place]: [&str; 7]| {
        println!(
            "{state:<10} {fingerprint:<64} {certificate:<16} {kind:<8} {end:<20} {used:<20} {place}"
        );
    };
    line([
        "STATE",
        "FINGERPRINT",
        "CERTIFICATE",
        "KIND",
        "END",
        "LAST USED",
        "PLACE",
    ]);
    for key in &config.keys.gateway {
        let state = key.state.as_str();
        if key.state == KeyState::Destroyed {
            line([state, "-", "-", "-", "-", "-", &key.name()]);
            continue;
        }
        let loaded = keys::load_one(config, key)?;
        let fingerprint = loaded.fingerprint().to_string();
        let of_certificate = loaded.certificate_fingerprint();
        let of_certificate = of_certificate.map_or("-".to_owned(), |digest| {
            digest.to_string().chars().take(16).collect()
        });
        let kind = match loaded.kind() {
            KeyKind::Rsa => format!("RSA-{}", loaded.bits()),
            kind => kind.to_string(),
        };
        let end = key
            .not_after()?
            .or_else(|| keys::moment(loaded.certificate()?.not_after()));
        let last_used = used
            .get(&fingerprint)
            .and_then(|seconds| DateTime::from_timestamp(*seconds, 0));
        line([
            state,
            &fingerprint,
            &of_certificate,
            &kind,
            &time(end),
            &time(last_used),
            &key.name(),
        ]);
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

fn rotate(file: &Path, arguments: &Rotate) -> anyhow::Result<()> {
    let (action, key) = if arguments.promote {
        let promoted = rotation::promote(file, arguments.kind.kind())?;
        println!("{promoted} is primary now; the former primary key stays active.");
        println!(
            "Hand its certificate to issuers. When no issuer uses the former key any more (keys list), disable it."
        );
        ("key.promote", promoted)
    } else {
        let new = arguments.kind.new_key(arguments.oaep);
        let added = rotation::add_active(file, &new, arguments.days, Utc::now())?;
        println!("{added} is active.");
        println!(
            "Once every node has loaded it (10 s after the file reached it), run `keys rotate --promote{}`.",
            arguments
                .kind
                .ec
                .map_or(String::new(), |curve| format!(" --ec={}", curve.name()))
        );
        ("key.add", added)
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
