//! `[vault]`: the sources of the KEKs, which wrap the data keys.

use super::{ConfigError, TokenObject, is_loopback};
use serde::Deserialize;
use std::path::PathBuf;
use std::time::Duration;

/// `[vault]`: the key-encryption key comes from exactly one of the first four.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Vault {
    /// `[vault.kek]`, whatever the source.
    pub kek: Option<KekSource>,
    /// The same as `kek = { file = … }`.
    pub kek_file: Option<PathBuf>,
    /// The same as `kek = { env = … }`.
    pub kek_env: Option<String>,
    /// The same as `kek = { shares = … }`.
    pub kek_shares: Option<[ShareSource; 2]>,
    /// KEKs that may unwrap data keys beside that one, and wrap none: the former one while KEKs
    /// change.
    pub further_keks: Vec<KekSource>,
    /// Whether card numbers are stored, sealed. `false`: their blind index and last four digits
    /// alone, so index keys cannot be rotated.
    pub store_pan: bool,
}

impl Default for Vault {
    fn default() -> Self {
        Self {
            kek: None,
            kek_file: None,
            kek_env: None,
            kek_shares: None,
            further_keks: Vec::new(),
            store_pan: true,
        }
    }
}

/// Where a KEK is: a table with exactly one of `file`, `env`, `shares`, `command`, `pkcs11` and
/// `transit`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "KekTable")]
pub enum KekSource {
    /// A file with 32 bytes in base64.
    File(PathBuf),
    /// The name of an environment variable with 32 bytes in base64.
    Env(String),
    /// Two shares, as `vault split-kek` wrote them.
    Shares([ShareSource; 2]),
    /// A program that prints 32 bytes in base64.
    Command(KekCommand),
    /// An AES key in a token, which wraps and unwraps there.
    Pkcs11(KekObject),
    /// A key of a transit engine of Vault or OpenBao, which wraps and unwraps there.
    Transit(Transit),
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

/// A program that prints a KEK. No shell: each text is one argument.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KekCommand {
    /// The program by its absolute path, then its arguments.
    pub arguments: Vec<String>,
    /// How long it may run, in seconds: 1 to 120.
    pub timeout_s: u64,
}

/// An AES key in a token, and its version, which an operator counts.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KekObject {
    /// `tokens.name`.
    pub token: String,
    /// CKA_LABEL.
    pub label: Option<String>,
    /// CKA_ID in hex.
    pub id: Option<String>,
    /// From 1; part of the KEK's id. Raise it where another key takes the place of the object.
    #[serde(default = "first")]
    pub version: u32,
}

impl KekObject {
    /// Token, label and id.
    pub fn object(&self) -> TokenObject {
        TokenObject {
            token: self.token.clone(),
            label: self.label.clone(),
            id: self.id.clone(),
        }
    }
}

fn first() -> u32 {
    1
}

/// A key of a transit engine.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Transit {
    /// `https://HOST:PORT`; `http` for an agent on loopback alone.
    pub address: String,
    /// Where the engine is mounted.
    #[serde(default = "mount")]
    pub mount: String,
    /// The key's name.
    pub key: String,
    /// The KEK's name in the database; left out: namespace, mount and key. Two servers with the
    /// same key names need different ones.
    pub name: Option<String>,
    /// File with the token that is sent, such as the sink of an agent. Read for each request.
    pub token_file: PathBuf,
    /// The namespace, if the server has any.
    pub namespace: Option<String>,
    /// PEM file of the authorities that may have signed the server's certificate; left out: those
    /// of the public web.
    pub ca_file: Option<PathBuf>,
    /// How long a request may take, in milliseconds: 100 to 60000.
    #[serde(default = "timeout_ms")]
    pub timeout_ms: u64,
}

fn mount() -> String {
    "transit".to_owned()
}

fn timeout_ms() -> u64 {
    5_000
}

impl Transit {
    /// The KEK's name in the database.
    pub fn name(&self) -> String {
        let place = || {
            let parts = [
                self.namespace.as_deref(),
                Some(&self.mount),
                Some(&self.key),
            ];
            let parts: Vec<_> = parts.into_iter().flatten().collect();
            parts.join("/")
        };
        self.name.clone().unwrap_or_else(place)
    }

    /// `timeout_ms` as a duration.
    pub fn timeout(&self) -> Duration {
        Duration::from_millis(self.timeout_ms)
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct KekTable {
    file: Option<PathBuf>,
    env: Option<String>,
    shares: Option<[ShareSource; 2]>,
    command: Option<Vec<String>>,
    timeout_s: Option<u64>,
    pkcs11: Option<KekObject>,
    transit: Option<Transit>,
}

impl TryFrom<KekTable> for KekSource {
    type Error = &'static str;

    fn try_from(table: KekTable) -> Result<Self, Self::Error> {
        if table.timeout_s.is_some() && table.command.is_none() {
            return Err("timeout_s belongs to command");
        }
        let timeout_s = table.timeout_s.unwrap_or(10);
        let command = |arguments| {
            Self::Command(KekCommand {
                arguments,
                timeout_s,
            })
        };
        let sources = [
            table.file.map(Self::File),
            table.env.map(Self::Env),
            table.shares.map(Self::Shares),
            table.command.map(command),
            table.pkcs11.map(Self::Pkcs11),
            table.transit.map(Self::Transit),
        ];
        let mut sources = sources.into_iter().flatten();
        match (sources.next(), sources.next()) {
            (Some(source), None) => Ok(source),
            _ => Err("needs exactly one of file, env, shares, command, pkcs11 and transit"),
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
    pub fn source(&self) -> Result<KekSource, ConfigError> {
        let sources = [
            self.kek.clone(),
            self.kek_file.clone().map(KekSource::File),
            self.kek_env.clone().map(KekSource::Env),
            self.kek_shares.clone().map(KekSource::Shares),
        ];
        let mut sources = sources.into_iter().flatten();
        match (sources.next(), sources.next()) {
            (Some(source), None) => Ok(source),
            _ => Err(invalid(
                "vault",
                "needs exactly one of kek, kek_file, kek_env and kek_shares",
            )),
        }
    }

    /// Checks every source.
    pub(super) fn validate(&self) -> Result<(), ConfigError> {
        self.source()?.validate("vault.kek")?;
        let mut further = self.further_keks.iter();
        further.try_for_each(|source| source.validate("vault.further_keks"))
    }

    /// Every file with a KEK or a share, or with what a KEK's keeper asks for.
    pub fn files(&self) -> Vec<PathBuf> {
        let mut copy = self.clone();
        copy.files_mut().into_iter().map(std::mem::take).collect()
    }

    /// The same, to be changed.
    pub(super) fn files_mut(&mut self) -> Vec<&mut PathBuf> {
        let mut files: Vec<&mut PathBuf> = self.kek_file.iter_mut().collect();
        for share in self.kek_shares.iter_mut().flatten() {
            files.extend(share.file_mut());
        }
        for kek in self.kek.iter_mut().chain(&mut self.further_keks) {
            match kek {
                KekSource::File(file) => files.push(file),
                KekSource::Env(_) | KekSource::Command(_) | KekSource::Pkcs11(_) => {}
                KekSource::Shares(both) => {
                    files.extend(both.iter_mut().filter_map(ShareSource::file_mut));
                }
                KekSource::Transit(transit) => {
                    files.push(&mut transit.token_file);
                    files.extend(&mut transit.ca_file);
                }
            }
        }
        files
    }
}

impl ShareSource {
    fn file_mut(&mut self) -> Option<&mut PathBuf> {
        match self {
            Self::File(file) => Some(file),
            Self::Env(_) => None,
        }
    }
}

impl KekSource {
    fn validate(&self, setting: &'static str) -> Result<(), ConfigError> {
        match self {
            Self::File(_) | Self::Env(_) | Self::Shares(_) => Ok(()),
            Self::Command(command) => {
                let program = command.arguments.first();
                if program.is_none_or(|program| !program.starts_with('/')) {
                    return Err(invalid(
                        setting,
                        "command must begin with a program's absolute path",
                    ));
                }
                if !(1..=120).contains(&command.timeout_s) {
                    return Err(invalid(setting, "timeout_s must be 1 to 120"));
                }
                Ok(())
            }
            Self::Pkcs11(key) => key.object().id_bytes().map(drop),
            Self::Transit(transit) => transit.validate(setting),
        }
    }
}

impl Transit {
    fn validate(&self, setting: &'static str) -> Result<(), ConfigError> {
        let url = url::Url::parse(&self.address).ok();
        let safe = url.is_some_and(|url| match url.scheme() {
            "https" => url.host_str().is_some(),
            "http" => is_loopback(&url),
            _ => false,
        });
        if !safe {
            return Err(invalid(
                setting,
                "transit.address must be https://HOST[:PORT], or http:// on loopback",
            ));
        }
        let plain = |text: &str| {
            let allowed = |c: char| c.is_ascii_alphanumeric() || "-_./".contains(c);
            !text.is_empty() && text.chars().all(allowed) && !text.contains("..")
        };
        if !plain(&self.mount)
            || !plain(&self.key)
            || self.key.contains('/')
            || !plain(&self.name())
        {
            return Err(invalid(
                setting,
                "transit.mount, namespace, key and name must be of A-Z a-z 0-9 - _ . / (no / in key)",
            ));
        }
        if !(100..=60_000).contains(&self.timeout_ms) {
            return Err(invalid(setting, "transit.timeout_ms must be 100 to 60000"));
        }
        Ok(())
    }
}

fn invalid(setting: &'static str, rule: &str) -> ConfigError {
    ConfigError::Invalid {
        setting,
        rule: rule.to_owned(),
    }
}
