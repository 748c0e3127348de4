//! `[audit]`: the witness, a node's record of the audit trail outside of the database.

use crate::private_file::beside;
use crate::store::DatabaseUrl;
use serde::Deserialize;
use std::path::PathBuf;

/// `[audit]`
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Audit {
    /// `auto`, `off`, or the path of the witness.
    pub witness: Witness,
}

impl Audit {
    /// The witness of a node with this database; `None` if it has none.
    pub fn witness_file(&self, database: &DatabaseUrl) -> Option<PathBuf> {
        match (&self.witness, database) {
            (Witness::Off, _) | (Witness::Auto, DatabaseUrl::Postgres(_)) => None,
            (Witness::Auto, DatabaseUrl::Sqlite(file)) => Some(beside(file, ".witness")),
            (Witness::File(file), _) => Some(file.clone()),
        }
    }
}

/// Where a node keeps the ends of its chains. By them `audit verify` notices that a database has
/// lost the end of its trail.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(from = "String")]
pub enum Witness {
    /// SQLite: beside the database, with `.witness` at the end of its name. PostgreSQL: nowhere,
    /// since a node knows no place of its own that survives it.
    #[default]
    Auto,
    /// Nowhere.
    Off,
    /// In this file, which no node on another machine writes.
    File(PathBuf),
}

impl From<String> for Witness {
    fn from(text: String) -> Self {
        match text.as_str() {
            "auto" => Self::Auto,
            "off" => Self::Off,
            _ => Self::File(text.into()),
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::config::Config;
    use crate::store::DatabaseUrl;
    use std::path::{Path, PathBuf};

    #[test]
    fn a_witness_is_beside_the_file_or_where_it_is_put() {
        let dir = tempfile::tempdir().unwrap();
        let load = |url: &str, section: &str| -> (Config, Option<PathBuf>) {
            let file = dir.path().join("gateway.toml");
            let text = format!(
                "[database]\nurl = \"{url}\"\n[vault]\nkek_env = \"KEK\"\n[keys]\ngateway = []\n{section}"
            );
            std::fs::write(&file, text).unwrap();
            let config = Config::load(&file).unwrap();
            let url = DatabaseUrl::parse(&config.database.url).unwrap();
            let witness = config.audit.witness_file(&url);
            (config, witness)
        };
        let at = |name: &str| Some(dir.path().join(name));
        let (sqlite, postgres) = ("sqlite:a.db", "postgresql://h/db");
        let (absent, witness) = load(sqlite, "");
        assert_eq!(witness, at("a.db.witness"));
        for (url, setting, expected) in [
            (sqlite, "auto", at("a.db.witness")),
            (sqlite, "off", None),
            (sqlite, "b.witness", at("b.witness")),
            (postgres, "auto", None),
            (postgres, "off", None),
            (postgres, "b.witness", at("b.witness")),
            (postgres, "/b", Some(Path::new("/b").to_owned())),
        ] {
            let (config, witness) = load(url, &format!("[audit]\nwitness = \"{setting}\"\n"));
            assert_eq!(witness, expected, "{url} {setting}");
            let restart = config.needs_restart(&absent).contains(&"audit");
            assert_eq!(restart, setting != "auto", "{setting}");
        }
    }
}
