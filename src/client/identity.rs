//! The client's identity: its keys, its consumer key, and the gateway that it calls.

use crate::keys;
use crate::keys::source::{read_certificate, read_private_key};
use crate::oauth1::SigningKey;
use crate::payload::{DecryptionKey, KeyRing, KeyState, Recipient};
use anyhow::Context;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};

/// `sandbox.json`: a contract with tools and tests. Paths are relative to its own folder.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct SandboxFile {
    /// `http://127.0.0.1:8080`
    pub base_url: String,
    /// Whom requests are encrypted to.
    pub gateway: SandboxGateway,
    /// The issuers on board, by short name.
    pub issuers: BTreeMap<String, SandboxIssuer>,
    /// Keys for the users API.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub users: Option<SandboxDirectory>,
    /// The keys were made out of a text that is no secret (`--seed-keys`).
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub insecure_keys: bool,
    /// The cardholders of the seed file, by the ids that it gives them.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub cardholders: BTreeMap<String, SandboxCardholder>,
}

/// A cardholder of the seed file in `sandbox.json`.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SandboxCardholder {
    /// The short name of its issuer.
    pub issuer: String,
    /// As the gateway has answered.
    pub userid: String,
    /// The number of its card.
    pub card_number: String,
}

impl fmt::Debug for SandboxCardholder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SandboxCardholder").finish_non_exhaustive()
    }
}

/// The sandbox's app of the users API.
#[derive(Clone, Serialize, Deserialize)]
pub struct SandboxDirectory {
    /// Reaches every user of the app.
    pub app_key: String,
    /// Reaches one user.
    pub user_token: String,
    /// That user, until it is renamed.
    pub user_id: String,
}

impl fmt::Debug for SandboxDirectory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SandboxDirectory").finish_non_exhaustive()
    }
}

/// The gateway's public side in `sandbox.json`.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct SandboxGateway {
    /// PEM certificate that clients encrypt to.
    pub certificate: PathBuf,
    /// Hex SHA-256 of its public key (SPKI DER): the `kid` and fingerprint that libraries send.
    pub fingerprint: String,
    /// PEM certificate of the EC key, for clients that speak ECDH-ES. A sandbox of an earlier
    /// version has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ec_certificate: Option<PathBuf>,
}

/// One issuer in `sandbox.json`.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct SandboxIssuer {
    /// The issuer's id.
    pub client_id: String,
    /// `client_id!key_id`
    pub consumer_key: String,
    /// PKCS#8 PEM.
    pub signing_key: PathBuf,
    /// The same key in PKCS#12.
    pub signing_p12: PathBuf,
    /// PKCS#8 PEM; answers are encrypted to it.
    pub decryption_key: PathBuf,
    /// The same key in PKCS#12.
    pub decryption_p12: PathBuf,
    /// Opens both PKCS#12 files; the key's alias is `keyalias`.
    pub p12_password: String,
    /// BINs of 4 to 8 digits.
    pub account_ranges: Vec<String>,
    /// The donation toggle.
    pub donation: bool,
    /// `mirror` or `dashboards-only`.
    pub responses: String,
}

impl SandboxFile {
    /// Reads a `sandbox.json`.
    pub fn read(file: &Path) -> anyhow::Result<Self> {
        let text = std::fs::read(file)
            .with_context(|| format!("{}: start a sandbox first", file.display()))?;
        serde_json::from_slice(&text)
            .with_context(|| format!("{} is not a sandbox.json", file.display()))
    }
}

/// What a client needs to call as an issuer.
pub struct Identity {
    /// Where the gateway is, with its path prefix (`/cts`), if any.
    pub base_url: String,
    /// Signs requests.
    pub signing: SigningKey,
    /// Requests are encrypted to it.
    pub gateway: Recipient,
    /// Opens answers; needed only where answers are encrypted.
    pub decryption: Option<KeyRing>,
    /// PEM file of the certificate authority of the gateway's TLS certificate; else the public
    /// ones.
    pub tls_ca: Option<PathBuf>,
}

/// Key files, one by one.
pub struct KeyFiles<'a> {
    /// `client_id!key_id`
    pub consumer_key: &'a str,
    /// PKCS#8 PEM.
    pub signing_key: &'a Path,
    /// PEM certificate of the gateway.
    pub gateway_certificate: &'a Path,
    /// PKCS#8 PEM.
    pub decryption_key: Option<&'a Path>,
    /// PEM.
    pub tls_ca: Option<&'a Path>,
}

impl Identity {
    /// The same, who encrypts to the sandbox's EC key.
    pub fn with_ec_key(self, file: &Path) -> anyhow::Result<Self> {
        let sandbox = SandboxFile::read(file)?;
        let certificate = sandbox
            .gateway
            .ec_certificate
            .with_context(|| format!("{} has no EC key: make a new sandbox", file.display()))?;
        let folder = file.parent().unwrap_or(Path::new(""));
        let certificate = read_certificate(&folder.join(certificate))?;
        Ok(Self {
            gateway: Recipient::from_certificate(&certificate)?,
            ..self
        })
    }

    /// The issuer called `name` in a `sandbox.json`.
    pub fn from_sandbox(file: &Path, name: &str) -> anyhow::Result<(Self, SandboxIssuer)> {
        let folder = file.parent().unwrap_or(Path::new(""));
        let sandbox = SandboxFile::read(file)?;
        let issuer = sandbox.issuers.get(name).with_context(|| {
            let names: Vec<&str> = sandbox.issuers.keys().map(String::as_str).collect();
            format!(
                "no issuer {name} in {}; it has: {}",
                file.display(),
                names.join(", ")
            )
        })?;
        let identity = Self::from_files(
            sandbox.base_url.clone(),
            &KeyFiles {
                consumer_key: &issuer.consumer_key,
                signing_key: &folder.join(&issuer.signing_key),
                gateway_certificate: &folder.join(&sandbox.gateway.certificate),
                decryption_key: Some(&folder.join(&issuer.decryption_key)),
                tls_ca: None,
            },
        )?;
        Ok((identity, issuer.clone()))
    }

    /// An issuer by explicit key files.
    pub fn from_files(base_url: String, files: &KeyFiles<'_>) -> anyhow::Result<Self> {
        let signing = SigningKey::from_private_key(
            read_private_key(files.signing_key)?,
            files.consumer_key.to_owned(),
        )?;
        let certificate = read_certificate(files.gateway_certificate)?;
        let gateway = Recipient::from_certificate(&certificate)?;
        let decryption = files.decryption_key.map(own_ring).transpose()?;
        Ok(Self {
            base_url,
            signing,
            gateway,
            decryption,
            tls_ca: files.tls_ca.map(Path::to_path_buf),
        })
    }

    /// TLS settings towards the gateway.
    pub fn tls(&self) -> anyhow::Result<ureq::tls::TlsConfig> {
        keys::http::tls(self.tls_ca.as_deref())
    }
}

/// A ring of the client's one key: answers are opened exactly as requests are.
fn own_ring(file: &Path) -> anyhow::Result<KeyRing> {
    let key = DecryptionKey::new(read_private_key(file)?, None, Vec::new(), KeyState::Primary)
        .with_context(|| file.display().to_string())?;
    Ok(KeyRing::new(vec![key])?)
}
