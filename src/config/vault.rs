//! `[vault]`: the sources of the KEKs, which wrap the data keys.

use super::ConfigError;
use serde::Deserialize;
use std::path::PathBuf;

/// `[vault]`: the key-encryption key comes from exactly one of the first three.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Vault {
    /// File with 32 bytes in base64.
    pub kek_file: Option<PathBuf>,
    /// Name of an environment variable with 32 bytes in base64.
    pub kek_env: Option<String>,
    /// Two custodians' shares, as `vault split-kek` wrote them.
    pub kek_shares: Option<[ShareSource; 2]>,
    /// KEKs that may unwrap data keys beside that one, and wrap none: the former one while KEKs
    /// change.
    pub further_keks: Vec<KekSource>,
}

/// Where a KEK is: a table with exactly one of `file`, `env` and `shares`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "KekTable")]
pub enum KekSource {
    /// A file with 32 bytes in base64.
    File(PathBuf),
    /// The name of an environment variable with 32 bytes in base64.
    Env(String),
    /// Two shares.
    Shares([ShareSource; 2]),
}

/// Where a custodian's share of a KEK is: a table with exactly one of `file` and `env`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "ShareTable")]
pub enum ShareSource {
    /// A file.
    File(PathBuf),
    /// The name of an environment variable.
    Env(String),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct KekTable {
    file: Option<PathBuf>,
    env: Option<String>,
    shares: Option<[ShareSource; 2]>,
}

impl TryFrom<KekTable> for KekSource {
    type Error = &'static str;

    fn try_from(table: KekTable) -> Result<Self, Self::Error> {
        match (table.file, table.env, table.shares) {
            (Some(file), None, None) => Ok(Self::File(file)),
            (None, Some(name), None) => Ok(Self::Env(name)),
            (None, None, Some(shares)) => Ok(Self::Shares(shares)),
            _ => Err("needs exactly one of file, env and shares"),
        }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ShareTable {
    file: Option<PathBuf>,
    env: Option<String>,
}

impl TryFrom<ShareTable> for ShareSource {
    type Error = &'static str;

    fn try_from(table: ShareTable) -> Result<Self, Self::Error> {
        match (table.file, table.env) {
            (Some(file), None) => Ok(Self::File(file)),
            (None, Some(name)) => Ok(Self::Env(name)),
            _ => Err("needs exactly one of file and env"),
        }
    }
}

impl Vault {
    /// Where the KEK is.
    ///
    /// # Errors
    /// If not exactly one place is named.
    pub fn kek(&self) -> Result<KekSource, ConfigError> {
        match (&self.kek_file, &self.kek_env, &self.kek_shares) {
            (Some(file), None, None) => Ok(KekSource::File(file.clone())),
            (None, Some(name), None) => Ok(KekSource::Env(name.clone())),
            (None, None, Some(shares)) => Ok(KekSource::Shares(shares.clone())),
            _ => Err(ConfigError::Invalid {
                setting: "vault",
                rule: "needs exactly one of kek_file, kek_env and kek_shares".to_owned(),
            }),
        }
    }

    /// Every file with a KEK or a share.
    pub fn files(&self) -> Vec<PathBuf> {
        let mut copy = self.clone();
        copy.files_mut().into_iter().map(std::mem::take).collect()
    }

    /// The same, to be changed.
    pub(super) fn files_mut(&mut self) -> Vec<&mut PathBuf> {
        let mut shares: Vec<&mut ShareSource> = Vec::new();
        let mut files: Vec<&mut PathBuf> = self.kek_file.iter_mut().collect();
        shares.extend(self.kek_shares.iter_mut().flatten());
        for kek in &mut self.further_keks {
            match kek {
                KekSource::File(file) => files.push(file),
                KekSource::Env(_) => {}
                KekSource::Shares(both) => shares.extend(both),
            }
        }
        for share in shares {
            if let ShareSource::File(file) = share {
                files.push(file);
            }
        }
        files
    }
}
