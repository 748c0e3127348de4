//! Configuration: defaults, then one TOML file, then `ISSUER_GATEWAY__SECTION__NAME` environment
//! variables; the later one wins.
//!
//! [`Config::load`] refuses unknown names and validates every setting before anything starts.
//! Relative paths are relative to the file's own folder. docs/operations.md has the table of all
//! settings.

mod audit;
mod crypto;
mod dashboard;
mod database;
mod directory;
mod environment;
mod keys;
mod limits;
mod log;
mod parse;
mod server;
mod tokens;
mod traces;
mod validate;
mod vault;

pub use audit::{Audit, Witness};
pub use crypto::Crypto;
pub(crate) use dashboard::is_loopback;
pub use dashboard::{Dashboard, FontFile};
pub use database::Database;
pub use directory::DirectorySettings;
pub use keys::{GatewayKey, KeyPlace, Keys, Oaep};
pub use limits::Limits;
pub use log::{Log, LogFormat};
pub use server::Server;
pub use tokens::{Token, TokenObject, find as find_token};
pub use traces::Traces;
pub use vault::{KekCommand, KekObject, KekSource, ShareSource, Transit, Vault};

use crate::unwrap::MultiBuffer;
use serde::Deserialize;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

/// Everything that can be configured.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// The listener that issuers call.
    #[serde(default)]
    pub server: Server,
    /// Where Prometheus reads.
    #[serde(default)]
    pub metrics: Metrics,
    /// SQLite or PostgreSQL.
    pub database: Database,
    /// The key that wraps the keys of the data at rest.
    pub vault: Vault,
    /// The keys that issuers encrypt to.
    pub keys: Keys,
    /// PKCS#11 tokens that keep keys.
    #[serde(default)]
    pub tokens: Vec<Token>,
    /// The audit trail.
    #[serde(default)]
    pub audit: Audit,
    /// RSA private operations.
    #[serde(default)]
    pub crypto: Crypto,
    /// What each issuer may take of a node.
    #[serde(default)]
    pub limits: Limits,
    /// Signature verification.
    #[serde(default)]
    pub oauth: OAuth,
    /// Erasing deleted users.
    #[serde(default)]
    pub erasure: Erasure,
    /// Card transactions.
    #[serde(default)]
    pub transactions: Transactions,
    /// The users API.
    #[serde(default)]
    pub users: DirectorySettings,
    /// The cardholders' web view.
    #[serde(default)]
    pub dashboard: Dashboard,
    /// Logging.
    #[serde(default)]
    pub log: Log,
    /// Spans of calls, for an OpenTelemetry collector; absent: none.
    #[serde(default)]
    pub traces: Option<Traces>,
    /// The file it was read from, if it was.
    #[serde(skip)]
    pub source: Option<PathBuf>,
}

/// `[metrics]`
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Metrics {
    /// Address for `GET /metrics`; absent: no metrics listener. Beyond loopback it takes TLS by
    /// `server.tls_certificate`, and `token_file` or `client_ca`.
    pub listen: Option<SocketAddr>,
    /// File with a token of at least 32 characters: scrapers send `Authorization: Bearer TOKEN`.
    pub token_file: Option<PathBuf>,
    /// PEM file with certificate authorities: scrapers show a certificate by one of them. TLS on
    /// loopback, too.
    pub client_ca: Option<PathBuf>,
}

/// `[oauth]`
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct OAuth {
    /// How far `oauth_timestamp` may be from our clock, either way, in seconds.
    pub window_seconds: i64,
}

impl Default for OAuth {
    fn default() -> Self {
        Self {
            window_seconds: 300,
        }
    }
}

/// `[erasure]`
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Erasure {
    /// This node erases deleted users. At least one node of an installation has to.
    pub enabled: bool,
}

impl Default for Erasure {
    fn default() -> Self {
        Self { enabled: true }
    }
}

/// `[transactions]`
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Transactions {
    /// Days for which transactions of cards that are not enrolled are kept, by the card's blind
    /// index alone: 0 (they are not) to 400.
    pub retain_unenrolled: u16,
}

/// Why a configuration is refused. Names the setting, never a secret's value.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// Missing file, bad TOML, unknown name, wrong type.
    #[error("configuration {path}: {message}")]
    Unreadable {
        /// The file.
        path: String,
        /// What is wrong with it.
        message: String,
    },
    /// A value that can be read but not used.
    #[error("configuration: {setting}: {rule}")]
    Invalid {
        /// `section.name`.
        setting: &'static str,
        /// What it must be.
        rule: String,
    },
}

impl Config {
    /// Reads `file`, lays the environment over it, resolves relative paths and validates the whole.
    pub fn load(file: &Path) -> Result<Self, ConfigError> {
        let mut loaded = parse::load(file).map_err(|message| ConfigError::Unreadable {
            path: file.display().to_string(),
            message,
        })?;
        loaded.resolve_paths(file.parent().unwrap_or(Path::new("")));
        loaded.source = Some(file.to_owned());
        loaded.validate()?;
        Ok(loaded)
    }

    fn resolve_paths(&mut self, folder: &Path) {
        let resolve = |path: &mut PathBuf| *path = folder.join(&*path);
        self.server.tls_certificate.iter_mut().for_each(resolve);
        self.server.tls_key.iter_mut().for_each(resolve);
        self.metrics.token_file.iter_mut().for_each(resolve);
        self.metrics.client_ca.iter_mut().for_each(resolve);
        self.vault.files_mut().into_iter().for_each(resolve);
        if let Witness::File(path) = &mut self.audit.witness {
            resolve(path);
        }
        if let Some(traces) = &mut self.traces {
            traces.headers_file.iter_mut().for_each(resolve);
            traces.ca_file.iter_mut().for_each(resolve);
        }
        if let MultiBuffer::Library(path) = &mut self.crypto.multi_buffer {
            resolve(path);
        }
        for font in &mut self.dashboard.fonts {
            resolve(&mut font.file);
        }
        for token in &mut self.tokens {
            resolve(&mut token.module);
            resolve(&mut token.pin_file);
        }
        for key in &mut self.keys.gateway {
            key.file.iter_mut().for_each(resolve);
            key.certificate.iter_mut().for_each(resolve);
            key.passphrase_file.iter_mut().for_each(resolve);
        }
        let relative = self
            .database
            .url
            .strip_prefix("sqlite:")
            .filter(|path| !path.starts_with('/'));
        if let Some(path) = relative {
            self.database.url = format!("sqlite:{}", folder.join(path).display());
        }
    }

    /// The settings that differ from `running` and that a reload does not take up.
    pub fn needs_restart(&self, running: &Self) -> Vec<&'static str> {
        let server = |config: &Self| {
            let server = &config.server;
            let reloaded = Server {
                public_base_urls: Vec::new(),
                tls_certificate: server.tls_certificate.as_ref().map(|_| PathBuf::new()),
                tls_key: None,
                ..server.clone()
            };
            format!("{reloaded:?}")
        };
        let database = |config: &Self| {
            let d = &config.database;
            (
                d.url.clone(),
                d.pool_mode,
                d.migrate,
                d.pool_size,
                d.writers,
                d.write_queue,
            )
        };
        let changed = [
            ("server", server(self) != server(running)),
            ("metrics", self.metrics != running.metrics),
            ("database", database(self) != database(running)),
            (
                "vault.store_pan",
                self.vault.store_pan != running.vault.store_pan,
            ),
            ("audit", self.audit != running.audit),
            ("crypto", self.crypto != running.crypto),
            ("limits", self.limits != running.limits),
            ("transactions", self.transactions != running.transactions),
            ("erasure", self.erasure.enabled != running.erasure.enabled),
            (
                "users",
                format!("{:?}", self.users) != format!("{:?}", running.users),
            ),
            (
                "dashboard",
                format!("{:?}", self.dashboard) != format!("{:?}", running.dashboard),
            ),
            (
                "log",
                format!("{:?}", self.log) != format!("{:?}", running.log),
            ),
            ("traces", self.traces != running.traces),
        ];
        changed
            .into_iter()
            .filter(|(_, changed)| *changed)
            .map(|(setting, _)| setting)
            .collect()
    }
}
