//! Reads file and environment as one [`Config`]. Its errors never quote a value: it may be a
//! password.

use super::{Config, environment};
use crate::toml_error::{describe, without_value};
use config::{ConfigError, File, FileFormat};
use std::path::Path;

/// Reads `file` and lays the `ISSUER_GATEWAY__SECTION__NAME` variables over it.
pub(super) fn load(file: &Path) -> Result<Config, String> {
    let text = std::fs::read_to_string(file).map_err(|error| error.to_string())?;
    // The crate's own error quotes the whole line.
    if let Err(error) = toml::from_str::<toml::Table>(&text) {
        return Err(describe(&text, &error));
    }
    let environment = environment::document(std::env::vars_os())?;
    config::Config::builder()
        .add_source(File::from_str(&text, FileFormat::Toml))
        .add_source(File::from_str(&environment, FileFormat::Toml))
        .build()
        .and_then(config::Config::try_deserialize)
        .map_err(|error| message(&error))
}

/// The setting and what is expected there.
fn message(error: &ConfigError) -> String {
    match error {
        ConfigError::Type { expected, key, .. } => {
            let key = key.as_deref().unwrap_or("a setting");
            format!("{key}: wrong type, expected {expected}")
        }
        ConfigError::At { error, key, .. } => match key {
            Some(key) => format!("{key}: {}", message(error)),
            None => message(error),
        },
        ConfigError::NotFound(key) => format!("missing configuration field {key:?}"),
        ConfigError::Message(text) => without_value(text),
        // The other variants hold errors of other libraries, which may quote a value.
        _ => "cannot be read".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_error_quotes_a_value() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("gateway.toml");
        let good = "[vault]\nkek_env = \"A\"\n[keys]\ngateway = []\n";
        for (rest, expected) in [
            (
                "[database]\nurl = \"postgres://u:canary@h",
                "line 6, column ",
            ),
            ("[database]\nurl = canary", "line 6, column "),
            (
                "database = \"postgres://u:canary@h\"",
                "keys: unknown field `database`",
            ),
            (
                "[database]\nurl = \"a\"\npool_size = \"canary\"",
                "database.pool_size: wrong type",
            ),
            (
                "[database]\nurl = [\"canary\"]",
                "database.url: wrong type, expected a string",
            ),
            (
                "[database]\nurl = \"a\"\n[log]\nformat = \"canary\"",
                "log.format: unknown value",
            ),
            (
                "[database]\nurl = \"a\"\n[server]\nlisten = \"canary\"",
                "server.listen: ",
            ),
            (
                "[database]\nurl = \"a\"\ntypo = \"canary\"",
                "unknown field `typo`",
            ),
        ] {
            std::fs::write(&file, format!("{good}{rest}")).unwrap();
            let message = load(&file).unwrap_err();
            assert!(message.contains(expected), "{rest}: {message}");
            assert!(!message.contains("canary"), "{rest}: {message}");
        }
        assert!(load(&dir.path().join("none.toml")).is_err());
    }
}
