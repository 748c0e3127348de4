//! The rules for single settings, and for settings that depend on each other.

use super::{Config, ConfigError, Dashboard, KeyPlace, Traces};
use crate::oauth1::{MAX_ORIGINS, MAX_WINDOW_SECONDS};
use crate::store::DatabaseUrl;
use crate::store::url::PoolMode;

impl Config {
    /// Checks settings that depend on each other.
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
        let metrics = &self.metrics;
        let is_guarded = metrics.token_file.is_some() || metrics.client_ca.is_some();
        let beyond = metrics.listen.filter(|address| !address.ip().is_loopback());
        if beyond.is_some() && (server.tls_certificate.is_none() || !is_guarded) {
            return invalid(
                "metrics.listen",
                "beyond loopback needs server.tls_certificate, and metrics.token_file or metrics.client_ca",
            );
        }
        if metrics.client_ca.is_some() && server.tls_certificate.is_none() {
            return invalid("metrics.client_ca", "needs server.tls_certificate");
        }
        if self.dashboard.pages_per_second == 0 || self.dashboard.burst == 0 {
            return invalid(
                "dashboard.pages_per_second, dashboard.burst",
                "must not be 0",
            );
        }
        if !self.dashboard.is_usable() {
            return invalid("dashboard.public_url", Dashboard::RULE);
        }
        if !self.dashboard.has_usable_fonts() {
            return invalid("dashboard.fonts", Dashboard::FONT_RULE);
        }
        let beyond = self
            .dashboard
            .listen
            .filter(|view| !view.ip().is_loopback());
        if beyond.is_some() && server.tls_certificate.is_none() && !server.behind_tls_proxy {
            return invalid(
                "dashboard.listen",
                "beyond loopback needs server.tls_certificate and server.tls_key, or server.behind_tls_proxy = true",
            );
        }
        self.limits.validate()?;
        self.traces.iter().try_for_each(Traces::validate)?;
        self.vault.validate()?;
        super::tokens::validate(&self.tokens)?;
        for key in &self.keys.gateway {
            if let KeyPlace::Token(object) = key.place()? {
                super::find_token(&self.tokens, &object.token)?;
                object.id_bytes()?;
            }
        }
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
        if self.database.pool_mode == PoolMode::Transaction {
            let database = &self.database;
            if database.migrate && database.migrate_url.is_none() {
                return invalid(
                    "database.pool_mode",
                    "\"transaction\" needs database.migrate_url (PostgreSQL's own address, past the pooler), or database.migrate = false",
                );
            }
            if DatabaseUrl::parse(&database.url).is_ok_and(|url| url.has_session_options()) {
                return invalid(
                    "database.url",
                    "must not have `options` with database.pool_mode = \"transaction\": they are a session's",
                );
            }
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
        if self.transactions.retain_unenrolled > 400 {
            return invalid("transactions.retain_unenrolled", "must be 0 to 400 days");
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
