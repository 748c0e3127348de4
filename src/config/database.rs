//! Where everything is stored.

use crate::store::DatabaseUrl;
use crate::store::url::{PoolMode, UrlError};
use serde::Deserialize;
use std::fmt;

/// `[database]`
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Database {
    /// `sqlite:PATH` or `postgres://…`. May hold a password, so `Debug` hides it.
    pub url: String,
    /// What a connection gets from a pooler before PostgreSQL.
    #[serde(default)]
    pub pool_mode: PoolMode,
    /// The address that migrations are applied at, past a pooler; absent: `url`. May hold a
    /// password.
    #[serde(default)]
    pub migrate_url: Option<String>,
    /// Apply missing migrations at start. Off: refuse to start when some are missing.
    #[serde(default = "yes")]
    pub migrate: bool,
    /// How long a start waits for another one that is migrating the database, in seconds.
    #[serde(default = "default_migrate_timeout")]
    pub migrate_timeout_s: u64,
    /// How long the writer waits for the outcome of a COMMIT under way, in milliseconds.
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

impl Database {
    /// The address that nodes and commands use.
    ///
    /// # Errors
    /// Not a database URL.
    pub fn serving(&self) -> Result<DatabaseUrl, UrlError> {
        Ok(DatabaseUrl::parse(&self.url)?.pooled(self.pool_mode))
    }

    /// The address that migrations are applied at.
    ///
    /// # Errors
    /// Not a database URL.
    pub fn migrating(&self) -> Result<DatabaseUrl, UrlError> {
        match &self.migrate_url {
            Some(url) => DatabaseUrl::parse(url),
            None => self.serving(),
        }
    }
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
