//! A configuration with its keys in a folder, as a deployment has it, and what a gateway that
//! follows it shows.

use crate::support::gateway::{TestGateway, test_key};
use crate::support::http::send;
use issuer_gateway::config::Config;
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};

/// A folder with a configuration like a deployment's: keys beside it, to be edited by a test.
pub(super) struct Deployment {
    pub(super) dir: tempfile::TempDir,
    pub(super) file: PathBuf,
}

impl Deployment {
    pub(super) fn new(database_url: &str) -> Self {
        let dir = tempfile::tempdir().unwrap();
        for name in ["gateway.pem", "gateway-cert.pem", "kek.key"] {
            fs::copy(test_key(name), dir.path().join(name)).unwrap();
        }
        let file = dir.path().join("gateway.toml");
        let text = format!(
            r#"# The gateway's configuration
[server]
drain_delay_s = 0
listen = "127.0.0.1:0"
workers = 2
[metrics]
listen = "127.0.0.1:0"
[database]
url = "{database_url}"
[vault]
kek_file = "kek.key"

# in use since spring
[[keys.gateway]]
file = "gateway.pem"
certificate = "gateway-cert.pem"
state = "primary"
"#
        );
        fs::write(&file, text).unwrap();
        Self { dir, file }
    }

    pub(super) fn start(&self) -> TestGateway {
        TestGateway::start_with(&Config::load(&self.file).unwrap())
    }

    pub(super) fn path(&self, name: impl AsRef<Path>) -> PathBuf {
        self.dir.path().join(name)
    }

    pub(super) fn text(&self) -> String {
        fs::read_to_string(&self.file).unwrap()
    }

    /// The same in a folder of its own, for another node.
    pub(super) fn copy(&self) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("gateway.toml");
        let copy = Self { dir, file };
        copy.follow(self);
        copy
    }

    /// Takes over new files, then the configuration.
    pub(super) fn follow(&self, original: &Self) {
        for name in original.other_files() {
            if !self.path(&name).exists() {
                fs::copy(original.path(&name), self.path(&name)).unwrap();
            }
        }
        self.write(&original.text());
    }

    /// Removes files that are gone: once nobody reads a configuration that names them.
    pub(super) fn clean_up(&self, original: &Self) {
        for name in self.other_files() {
            if !original.path(&name).exists() {
                fs::remove_file(self.path(&name)).unwrap();
            }
        }
    }

    /// Key files and certificates.
    fn other_files(&self) -> Vec<OsString> {
        let files = fs::read_dir(self.dir.path()).unwrap();
        let names = files.map(|file| file.unwrap().file_name());
        names.filter(|name| name != "gateway.toml").collect()
    }

    /// Replaces the configuration in one step, so that nobody reads half of it.
    pub(super) fn write(&self, text: &str) {
        let partial = self.path("gateway.toml.partial");
        fs::write(&partial, text).unwrap();
        fs::rename(partial, &self.file).unwrap();
    }

    pub(super) fn replace(&self, from: &str, to: &str) {
        let text = self.text();
        assert!(text.contains(from), "{text}");
        fs::write(&self.file, text.replace(from, to)).unwrap();
    }
}

/// The `kid`s of the published key set, the primary one first.
pub(super) fn published(gateway: &TestGateway) -> Vec<String> {
    let url = format!("{}/.well-known/jwks.json", gateway.base_url);
    let set = send("GET", &url, &[], b"").clear.unwrap();
    set["keys"]
        .as_array()
        .unwrap()
        .iter()
        .map(|key| key["kid"].as_str().unwrap().to_owned())
        .collect()
}

/// How many reloads ended in `success` or `failure`.
pub(super) fn reloads(gateway: &TestGateway, result: &str) -> usize {
    let name = format!(r#"issuer_gateway_reloads_total{{result="{result}"}}"#);
    let page = metrics(gateway);
    let line = page.lines().find(|line| line.starts_with(&name));
    line.and_then(|line| line.rsplit(' ').next())
        .map_or(0, |count| count.parse().unwrap())
}

/// The page of all metrics.
pub(super) fn metrics(gateway: &TestGateway) -> String {
    let config = ureq::Agent::config_builder().build();
    let agent: ureq::Agent = config.into();
    let mut page = agent.get(&gateway.metrics_url).call().unwrap();
    page.body_mut().read_to_string().unwrap()
}
