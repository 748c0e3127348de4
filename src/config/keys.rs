//! `[keys]`: the keys that issuers encrypt to.

use super::{ConfigError, TokenObject};
use crate::payload::KeyState;
use chrono::{DateTime, NaiveDate, Utc};
use serde::Deserialize;
use std::fmt;
use std::path::{Path, PathBuf};

/// `[keys]`
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Keys {
    /// `[[keys.gateway]]`, at least one, one of each kind (RSA, P-256, P-384) primary.
    pub gateway: Vec<GatewayKey>,
}

/// `[[keys.gateway]]`: a private key that requests are encrypted to.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GatewayKey {
    /// PKCS#8 PEM (also encrypted) or PKCS#12 file: RSA of 2048 to 4096 bits, or EC on P-256 or
    /// P-384.
    pub file: Option<PathBuf>,
    /// In place of the file: an RSA key in a token.
    pub pkcs11: Option<TokenObject>,
    /// Who takes the padding off, for a key in a token.
    #[serde(default)]
    pub oaep: Oaep,
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

/// Who takes the OAEP padding off, for a key in a token.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Oaep {
    /// The token: `CKM_RSA_PKCS_OAEP`.
    #[default]
    Token,
    /// The gateway: the token does the bare private operation, `CKM_RSA_X_509`.
    Raw,
}

/// Where a gateway key is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyPlace<'a> {
    /// In a file.
    File(&'a Path),
    /// In a token.
    Token(&'a TokenObject),
}

impl fmt::Display for KeyPlace<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(file) => write!(f, "{}", file.display()),
            Self::Token(object) => {
                write!(f, "token {}", object.token)?;
                for (name, text) in [("label", &object.label), ("id", &object.id)] {
                    if let Some(text) = text {
                        write!(f, ", {name} {text}")?;
                    }
                }
                Ok(())
            }
        }
    }
}

impl GatewayKey {
    /// Where it is.
    ///
    /// # Errors
    /// Not exactly one place is named, or a passphrase for a token.
    pub fn place(&self) -> Result<KeyPlace<'_>, ConfigError> {
        let with_passphrase = self.passphrase_env.is_some() || self.passphrase_file.is_some();
        let rule = match (&self.file, &self.pkcs11) {
            (Some(_), None) if self.oaep == Oaep::Raw => "oaep belongs to pkcs11",
            (Some(file), None) => return Ok(KeyPlace::File(file)),
            (None, Some(_)) if with_passphrase => "a passphrase belongs to file",
            (None, Some(object)) => return Ok(KeyPlace::Token(object)),
            _ => "needs exactly one of file and pkcs11",
        };
        Err(ConfigError::Invalid {
            setting: "keys.gateway",
            rule: rule.to_owned(),
        })
    }

    /// Where it is, in words.
    pub fn name(&self) -> String {
        self.place()
            .map_or("-".to_owned(), |place| place.to_string())
    }

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
