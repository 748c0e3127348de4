//! `[[tokens]]`: PKCS#11 tokens that keep keys.

use super::ConfigError;
use serde::Deserialize;
use std::path::PathBuf;
use std::time::Duration;

/// `[[tokens]]`: a token of a PKCS#11 module.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Token {
    /// How keys of this configuration name it.
    pub name: String,
    /// The module's shared library, for example `/usr/lib/softhsm/libsofthsm2.so`.
    pub module: PathBuf,
    /// The token's label; the first token that has it is taken.
    pub label: String,
    /// File with the user's PIN.
    pub pin_file: PathBuf,
    /// Sessions, and so private operations at once: 1 to 256. Most tokens do their best with 16 to
    /// 32, however many cores the node has.
    #[serde(default = "sessions")]
    pub sessions: u16,
    /// How long a call waits for the token, in milliseconds: 100 to 60000.
    #[serde(default = "timeout_ms")]
    pub timeout_ms: u64,
}

fn sessions() -> u16 {
    16
}

fn timeout_ms() -> u64 {
    2_000
}

impl Token {
    /// `timeout_ms` as a duration.
    pub fn timeout(&self) -> Duration {
        Duration::from_millis(self.timeout_ms)
    }
}

/// A key in a token: which token, and by label, id or both which object in it.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TokenObject {
    /// `tokens.name`.
    pub token: String,
    /// CKA_LABEL.
    pub label: Option<String>,
    /// CKA_ID in hex.
    pub id: Option<String>,
}

impl TokenObject {
    /// CKA_ID as bytes.
    ///
    /// # Errors
    /// It is not hex, or neither it nor a label is there.
    pub fn id_bytes(&self) -> Result<Option<Vec<u8>>, ConfigError> {
        let invalid = |rule: &str| ConfigError::Invalid {
            setting: "pkcs11",
            rule: rule.to_owned(),
        };
        if self.id.is_none() && self.label.is_none() {
            return Err(invalid("needs label, id (hex), or both"));
        }
        let id = self.id.as_ref().map(hex::decode).transpose();
        id.map_err(|_| invalid("id must be hex digits, two for each byte"))
    }
}

/// Checks every token, and that no two have one name.
pub(super) fn validate(tokens: &[Token]) -> Result<(), ConfigError> {
    let invalid = |setting, rule: &str| {
        Err(ConfigError::Invalid {
            setting,
            rule: rule.to_owned(),
        })
    };
    for (at, token) in tokens.iter().enumerate() {
        if tokens.iter().take(at).any(|other| other.name == token.name) {
            return invalid("tokens.name", "two tokens have one name");
        }
        if !(1..=256).contains(&token.sessions) {
            return invalid("tokens.sessions", "must be 1 to 256");
        }
        if !(100..=60_000).contains(&token.timeout_ms) {
            return invalid("tokens.timeout_ms", "must be 100 to 60000");
        }
    }
    Ok(())
}

/// The token of this name.
///
/// # Errors
/// There is none.
pub fn find<'a>(tokens: &'a [Token], name: &str) -> Result<&'a Token, ConfigError> {
    let found = tokens.iter().find(|token| token.name == name);
    found.ok_or_else(|| ConfigError::Invalid {
        setting: "pkcs11.token",
        rule: format!("no [[tokens]] has the name {name:?}"),
    })
}
