//! `[crypto]`: the engine of RSA private operations, and how long wrapped keys of JWEs are
//! remembered.

use crate::unwrap::MultiBuffer;
use serde::Deserialize;
use std::time::Duration;

/// `[crypto]`
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Crypto {
    /// `off`, `auto`, or the path of Intel's `libcrypto_mb.so`.
    pub multi_buffer: MultiBuffer,
    /// How many days the gateway remembers which message the wrapped key of a JWE has opened: 1 to
    /// 3650. It remembers those of field-level payloads as long as their gateway key is in use.
    pub remember_jwe_days: u32,
}

impl Default for Crypto {
    fn default() -> Self {
        Self {
            multi_buffer: MultiBuffer::default(),
            remember_jwe_days: 90,
        }
    }
}

impl Crypto {
    /// `remember_jwe_days` as a duration.
    pub fn remember_jwe(&self) -> Duration {
        Duration::from_secs(u64::from(self.remember_jwe_days) * 24 * 3_600)
    }
}

#[cfg(test)]
mod tests {
    use crate::config::Config;
    use crate::unwrap::MultiBuffer;
    use std::path::Path;

    fn load(dir: &Path, section: &str) -> Config {
        let file = dir.join("gateway.toml");
        let rest =
            "[database]\nurl = \"sqlite:a.db\"\n[vault]\nkek_env = \"KEK\"\n[keys]\ngateway = []\n";
        std::fs::write(&file, format!("{rest}{section}")).unwrap();
        Config::load(&file).unwrap()
    }

    #[test]
    fn a_path_is_relative_to_the_file_and_a_change_needs_a_restart() {
        let dir = tempfile::tempdir().unwrap();
        let absent = load(dir.path(), "");
        assert_eq!(absent.crypto.multi_buffer, MultiBuffer::Off);
        for (text, expected) in [
            ("auto", MultiBuffer::Auto),
            (
                "lib/a.so",
                MultiBuffer::Library(dir.path().join("lib/a.so")),
            ),
            ("/lib/a.so", MultiBuffer::Library("/lib/a.so".into())),
        ] {
            let section = format!("[crypto]\nmulti_buffer = \"{text}\"\n");
            let config = load(dir.path(), &section);
            assert_eq!(config.crypto.multi_buffer, expected);
            assert_eq!(config.needs_restart(&absent), ["crypto"]);
            assert!(config.needs_restart(&config).is_empty());
        }
    }
}
