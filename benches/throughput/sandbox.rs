//! Keys, issuers and configuration: a sandbox made by the program itself, served with a
//! configuration like production's.

use super::database::Database;
use super::gateway::{Gateway, Process, program, run};
use anyhow::Context;
use issuer_gateway::client::Client;
use issuer_gateway::client::identity::{Identity, SandboxIssuer};
use std::path::{Path, PathBuf};
use tempfile::TempDir;

/// Where the gateways' logs go: not beside the configuration, whose folder a gateway watches.
const LOGS: &str = "logs";

/// What clients sign, whatever port a gateway listens on: so that a request suits every node.
pub(crate) const PUBLIC_URL: &str = "https://gateway.bench.example";

/// The sandbox's issuer with donation on and encrypted answers.
const ISSUER: &str = "demo";
/// The one that floods while fairness is measured: its answers are encrypted too.
const OTHER_ISSUER: &str = "basic";

/// All that is switched on in production; the rest is the defaults.
const CONFIG: &str = r#"[server]
drain_delay_s = 0
listen = "127.0.0.1:0"
public_base_urls = ["PUBLIC_URL"]

[database]
url = "set by the environment"

[vault]
kek_file = "kek.key"

[dashboard]
# A bench loads more pages than a cardholder.
pages_per_second = 1000
burst = 100000

[[keys.gateway]]
file = "gateway.pem"
certificate = "gateway-cert.pem"
state = "primary"

[[keys.gateway]]
file = "gateway-ec.pem"
certificate = "gateway-ec-cert.pem"
state = "primary"
"#;

pub(crate) const DATABASE: &str = "ISSUER_GATEWAY__DATABASE__URL";
const MULTI_BUFFER: &str = "ISSUER_GATEWAY__CRYPTO__MULTI_BUFFER";
const ISSUER_RATE: &str = "ISSUER_GATEWAY__LIMITS__ISSUER_RATE_PER_SECOND";

/// The folder and what is in it.
pub(crate) struct Sandbox {
    folder: TempDir,
    config: PathBuf,
    /// Encrypts, signs and opens as the issuer.
    pub(crate) client: Client,
    /// The same issuer, who encrypts to the EC key.
    pub(crate) ec_client: Client,
    /// Another issuer, and the leading digits of its cards.
    pub(crate) other: (Client, String),
    /// Who the issuer is in signatures and in the audit trail.
    pub(crate) consumer_key: String,
    /// Leading digits of the issuer's cards.
    pub(crate) account_range: String,
}

/// A database with the issuers on board, and the gateways on it. Gateways go before their database.
pub(crate) struct Site {
    pub(crate) gateways: Vec<Gateway>,
    pub(crate) database: Database,
}

impl Sandbox {
    pub(crate) fn make() -> anyhow::Result<Self> {
        let folder = tempfile::tempdir()?;
        let dir = text(folder.path())?;
        // Its gateway is not needed, but once it serves, the folder is complete.
        let command = program(&["sandbox", "--dir", dir, "--port", "0"], &[]);
        let mut maker = Process::start(command, folder.path().join("sandbox.log"))?;
        maker.wait_for("Serving until Ctrl-C.")?;
        maker.stop()?;

        let config = folder.path().join("bench.toml");
        std::fs::write(&config, CONFIG.replace("PUBLIC_URL", PUBLIC_URL))?;
        std::fs::create_dir(folder.path().join(LOGS))?;
        let description = folder.path().join("sandbox.json");
        let (mut identity, issuer) = Identity::from_sandbox(&description, ISSUER)?;
        PUBLIC_URL.clone_into(&mut identity.base_url);
        let (mut by_ec, _) = Identity::from_sandbox(&description, ISSUER)?;
        PUBLIC_URL.clone_into(&mut by_ec.base_url);
        let by_ec = by_ec.with_ec_key(&description)?;
        let (mut other, other_issuer) = Identity::from_sandbox(&description, OTHER_ISSUER)?;
        PUBLIC_URL.clone_into(&mut other.base_url);
        let SandboxIssuer {
            consumer_key,
            account_ranges,
            ..
        } = issuer;
        Ok(Self {
            config,
            client: Client::new(identity)?,
            ec_client: Client::new(by_ec)?,
            consumer_key,
            other: (Client::new(other)?, first(other_issuer.account_ranges)?),
            account_range: first(account_ranges)?,
            folder,
        })
    }

    /// The folder, for files of the caller's own.
    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// The configuration file; its database has to come from the environment.
    pub(crate) fn config(&self) -> &Path {
        &self.config
    }

    /// Brings the issuers on board of an empty database and starts `nodes` gateways on it, without
    /// Intel's library.
    pub(crate) fn open(&self, database: Database, nodes: usize) -> anyhow::Result<Site> {
        self.open_with(database, nodes, "off")
    }

    /// The same with this `crypto.multi_buffer`.
    pub(crate) fn open_with(
        &self,
        database: Database,
        nodes: usize,
        multi_buffer: &str,
    ) -> anyhow::Result<Site> {
        self.open_set(database, nodes, &[(MULTI_BUFFER, multi_buffer)])
    }

    /// A PostgreSQL database of its own with one gateway that has this
    /// `limits.issuer_rate_per_second`.
    pub(crate) fn with_issuer_rate(&self, per_second: u64) -> anyhow::Result<Site> {
        let rate = per_second.to_string();
        self.open_set(Database::postgres()?, 1, &[(ISSUER_RATE, &rate)])
    }

    fn open_set(
        &self,
        database: Database,
        nodes: usize,
        settings: &[(&str, &str)],
    ) -> anyhow::Result<Site> {
        let url = database.url();
        let environment = [&[(DATABASE, url.as_str())], settings].concat();
        let issuers = self.folder.path().join("issuers.toml");
        run(
            &[
                "--config",
                text(&self.config)?,
                "issuer",
                "apply",
                text(&issuers)?,
            ],
            &environment,
        )?;
        let gateways = (0..nodes)
            .map(|_| {
                let name = format!("gateway-{}.log", uuid::Uuid::new_v4().simple());
                let log = self.folder.path().join(LOGS).join(name);
                Gateway::start(&self.config, log, &environment)
            })
            .collect::<anyhow::Result<_>>()?;
        Ok(Site { gateways, database })
    }

    /// Checks the whole audit trail by the product's own command.
    pub(crate) fn verify_trail(&self, site: &Site) -> anyhow::Result<()> {
        let url = site.database.url();
        run(
            &["--config", text(&self.config)?, "audit", "verify"],
            &[(DATABASE, &url)],
        )
    }

    /// A PostgreSQL database of its own with one gateway.
    pub(crate) fn on_postgres(&self) -> anyhow::Result<Site> {
        self.open(Database::postgres()?, 1)
    }
}

impl Site {
    /// Stops the gateways in order; the database goes with the value.
    pub(crate) fn close(self) -> anyhow::Result<()> {
        self.gateways.into_iter().try_for_each(Gateway::stop)
    }
}

fn first(account_ranges: Vec<String>) -> anyhow::Result<String> {
    let first = account_ranges.into_iter().next();
    first.context("the issuer has no account range")
}

pub(crate) fn text(path: &Path) -> anyhow::Result<&str> {
    path.to_str().context("the temporary folder is not UTF-8")
}
