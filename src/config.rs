//! Configuration: defaults, then one TOML file, then `ISSUER_GATEWAY__SECTION__NAME` environment
//! variables; the later one wins.
//!
//! [`Config::load`] refuses unknown names and validates every setting before anything starts.
//! Relative paths are relative to the file's own folder. docs/operations.md has the table of all
//! settings.

mod audit;
mod crypto;
mod directory;
mod keys;
mod log;
mod parse;
mod vault;

pub use audit::{Audit, Witness};
pub use crypto::Crypto;
pub use directory::DirectorySettings;
pub use keys::{GatewayKey, Keys};
pub use log::{Log, LogFormat};
pub use vault::{KekSource, ShareSource, Vault};

use crate::oauth1::{MAX_ORIGINS, MAX_WINDOW_SECONDS};
use crate::unwrap::MultiBuffer;
use serde::Deserialize;
use std::fmt;
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
    /// The audit trail.
    #[serde(default)]
    pub audit: Audit,
    /// RSA private operations.
    #[serde(default)]
    pub crypto: Crypto,
    /// Signature verification.
    #[serde(default)]
    pub oauth: OAuth,
    /// Erasing deleted users.
    #[serde(default)]
    pub erasure: Erasure,
    /// The users API.
    #[serde(default)]
    pub users: DirectorySettings,
    /// Logging.
    #[serde(default)]
    pub log: Log,
    /// The file it was read from, if it was.
    #[serde(skip)]
    pub source: Option<PathBuf>,
}

/// `[server]`
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Server {
    /// Address and port to listen on; port 0 takes a free one.
    pub listen: SocketAddr,
    /// What clients put before the path: `https://host[:port][/prefix]`. Signatures are verified
    /// over these, never over `Host`. Empty: the listener's own address (loopback only).
    pub public_base_urls: Vec<String>,
    /// PEM file with the TLS certificate chain.
    pub tls_certificate: Option<PathBuf>,
    /// PEM file with the TLS private key.
    pub tls_key: Option<PathBuf>,
    /// A proxy in front ends TLS; needed to listen beyond loopback without TLS of our own.
    pub behind_tls_proxy: bool,
    /// Largest request body, in bytes; larger ones get 413.
    pub max_body_bytes: usize,
    /// How long a client may take to send the header, in milliseconds.
    pub header_timeout_ms: u64,
    /// How long a client may take to send the body, in milliseconds.
    pub body_timeout_ms: u64,
    /// How long a client may take to read each 64 KiB of an answer, or its rest, in milliseconds;
    /// then its connection is cut.
    pub write_timeout_ms: u64,
    /// Connections each worker keeps open at most.
    pub max_connections_per_worker: usize,
    /// HTTP worker threads; 0 means one for each core.
    pub workers: usize,
    /// Threads that run RSA private operations; 0 means one for each core.
    pub decrypt_threads: usize,
    /// Requests that may wait for an RSA private operation; beyond that: 503.
    pub decrypt_queue: usize,
    /// How long a connection may idle between two requests, in seconds; 0: one request for each
    /// connection.
    pub keep_alive_s: u64,
    /// How long a shutdown goes on serving with `/health/ready` at 503 before it stops accepting,
    /// in seconds: as long as load balancers take to notice. At most half of `shutdown_timeout_s`.
    pub drain_delay_s: u64,
    /// How long a shutdown takes at most, the drain delay included, in seconds.
    pub shutdown_timeout_s: u64,
}

impl Default for Server {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 8080)),
            public_base_urls: Vec::new(),
            tls_certificate: None,
            tls_key: None,
            behind_tls_proxy: false,
            max_body_bytes: 64 * 1024,
            header_timeout_ms: 5_000,
            body_timeout_ms: 10_000,
            write_timeout_ms: 30_000,
            max_connections_per_worker: 2_048,
            workers: 0,
            decrypt_threads: 0,
            decrypt_queue: 1_024,
            keep_alive_s: 60,
            drain_delay_s: 5,
            shutdown_timeout_s: 30,
        }
    }
}

/// `[metrics]`
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Metrics {
    /// Loopback address for `GET /metrics`; absent: no metrics listener.
    pub listen: Option<SocketAddr>,
}

/// `[database]`
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Database {
    /// `sqlite:PATH` or `postgres://…`. May hold a password, so `Debug` hides it.
    pub url: String,
    /// Apply missing migrations at start. Off: refuse to start when some are missing.
    #[serde(default = "yes")]
    pub migrate: bool,
    /// How long a start waits for another one that is migrating the database, in seconds.
    #[serde(default = "default_migrate_timeout")]
    pub migrate_timeout_s: u64,
    /// How long the outcome of a COMMIT under way is waited for, in milliseconds.
    #[serde(default = "default_commit_timeout")]
    pub commit_timeout_ms: u64,
    /// Connections for reading.
    #[serde(default = "default_pool_size")]
    pub pool_size: u32,
    /// Threads that commit, each with its own connection (SQLite always uses one).
    #[serde(default = "default_writers")]
    pub writers: usize,
    /// Commits that may wait; beyond that: 503.
    #[serde(default = "default_write_queue")]
    pub write_queue: usize,
}

fn yes() -> bool {
    true
}
fn default_migrate_timeout() -> u64 {
    60
}
fn default_commit_timeout() -> u64 {
    5_000
}
fn default_pool_size() -> u32 {
    8
}
fn default_writers() -> usize {
    2
}
fn default_write_queue() -> usize {
    2_048
}

impl fmt::Debug for Database {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Database")
            .field("migrate", &self.migrate)
            .finish_non_exhaustive()
    }
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
        self.vault.files_mut().into_iter().for_each(resolve);
        if let Witness::File(path) = &mut self.audit.witness {
            resolve(path);
        }
        if let MultiBuffer::Library(path) = &mut self.crypto.multi_buffer {
            resolve(path);
        }
        for key in &mut self.keys.gateway {
            resolve(&mut key.file);
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
                d.migrate,
                d.pool_size,
                d.writers,
                d.write_queue,
            )
        };
        let changed = [
            ("server", server(self) != server(running)),
            ("metrics", self.metrics.listen != running.metrics.listen),
            ("database", database(self) != database(running)),
            ("audit", self.audit != running.audit),
            ("crypto", self.crypto != running.crypto),
            ("erasure", self.erasure.enabled != running.erasure.enabled),
            (
                "users",
                format!("{:?}", self.users) != format!("{:?}", running.users),
            ),
            (
                "log",
                format!("{:?}", self.log) != format!("{:?}", running.log),
            ),
        ];
        changed
            .into_iter()
            .filter(|(_, changed)| *changed)
            .map(|(setting, _)| setting)
            .collect()
    }

    /// Checks what one setting alone cannot tell.
    pub fn validate(&self) -> Result<(), ConfigError> {
        let invalid = |setting, rule: &str| {
            Err(ConfigError::Invalid {
                setting,
                rule: rule.to_owned(),
            })
        };
        let server = &self.server;
        if server.tls_certificate.is_some() != server.tls_key.is_some() {
            return invalid(
                "server.tls_certificate",
                "needs server.tls_key beside it, and the other way round",
            );
        }
        let loopback = server.listen.ip().is_loopback();
        if !loopback && server.tls_certificate.is_none() && !server.behind_tls_proxy {
            return invalid(
                "server.listen",
                "beyond loopback needs server.tls_certificate and server.tls_key, or server.behind_tls_proxy = true",
            );
        }
        if server.public_base_urls.is_empty() && !loopback {
            return invalid(
                "server.public_base_urls",
                "must name the origin that clients sign, https://host[:port][/prefix]",
            );
        }
        if self
            .metrics
            .listen
            .is_some_and(|address| !address.ip().is_loopback())
        {
            return invalid("metrics.listen", "must be a loopback address");
        }
        self.vault.kek()?;
        if server.public_base_urls.len() > MAX_ORIGINS {
            return invalid("server.public_base_urls", "must be at most 8");
        }
        if !(1..=MAX_WINDOW_SECONDS).contains(&self.oauth.window_seconds) {
            return invalid("oauth.window_seconds", "must be 1 to 900");
        }
        if !(100..=600_000).contains(&server.write_timeout_ms) {
            return invalid("server.write_timeout_ms", "must be 100 to 600000");
        }
        if !(1_000..=60_000).contains(&self.database.commit_timeout_ms) {
            return invalid("database.commit_timeout_ms", "must be 1000 to 60000");
        }
        if !(1..=86_400).contains(&self.database.migrate_timeout_s) {
            return invalid("database.migrate_timeout_s", "must be 1 to 86400");
        }
        if server.shutdown_timeout_s == 0 {
            return invalid("server.shutdown_timeout_s", "must not be 0");
        }
        if server.max_body_bytes == 0 || server.decrypt_queue == 0 || self.database.write_queue == 0
        {
            return invalid(
                "server.max_body_bytes, server.decrypt_queue, database.write_queue",
                "must not be 0",
            );
        }
        if !(1..=3_650).contains(&self.crypto.remember_jwe_days) {
            return invalid("crypto.remember_jwe_days", "must be 1 to 3650");
        }
        if self.users.requests_per_second == 0 || self.users.burst == 0 {
            return invalid("users.requests_per_second, users.burst", "must not be 0");
        }
        if self.database.pool_size == 0 || self.database.writers == 0 {
            return invalid("database.pool_size, database.writers", "must not be 0");
        }
        Ok(())
    }
}
