//! `[keys]`: the keys that issuers encrypt to.

use super::ConfigError;
use crate::payload::KeyState;
use chrono::{DateTime, NaiveDate, Utc};
use serde::Deserialize;
use std::path::PathBuf;

/// `[keys]`
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Keys {
    /// `[[keys.gateway]]`, at least one, exactly one of them primary.
    pub gateway: Vec<GatewayKey>,
}

/// `[[keys.gateway]]`: a private key that requests are encrypted to.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GatewayKey {
    /// PKCS#8 PEM (also encrypted) or PKCS#12 file, RSA of 2048 to 4096 bits.
    pub file: PathBuf,
    /// PEM file of the certificate handed to issuers, if they name keys by certificate digest.
    pub certificate: Option<PathBuf>,
    /// Name of the environment variable with the passphrase of an encrypted key file.
    pub passphrase_env: Option<String>,
    /// File with the passphrase of an encrypted key file.
    pub passphrase_file: Option<PathBuf>,
    /// RFC 3339 date or time by which the key should be replaced; warnings begin 30 days ahead.
    pub not_after: Option<String>,
    /// `primary`, `active`, `disabled` or `destroyed`.
    pub state: KeyState,
    /// Free-text `kid` values that mean this key.
    #[serde(default)]
    pub aliases: Vec<String>,
}

impl GatewayKey {
    /// The declared end as a moment; a date means its first second.
    pub fn not_after(&self) -> Result<Option<DateTime<Utc>>, ConfigError> {
        let Some(text) = &self.not_after else {
            return Ok(None);
        };
        let date = || {
            text.parse::<NaiveDate>()
                .ok()?
                .and_hms_opt(0, 0, 0)
                .map(|time| time.and_utc())
        };
        let moment = DateTime::parse_from_rfc3339(text)
            .ok()
            .map(|time| time.to_utc())
            .or_else(date);
        moment.map(Some).ok_or_else(|| ConfigError::Invalid {
            setting: "keys.gateway.not_after",
            rule: "must be an RFC 3339 date or time in quotes".to_owned(),
        })
    }
}
