//! A real gateway on port 0 with three issuers, and clients for them.

use super::{Backend, TestDatabase, document};
use issuer_gateway::app::{self, RunningApp};
use issuer_gateway::client::identity::{Identity, KeyFiles};
use issuer_gateway::client::{Answered, Client, Operation, Prepared};
use issuer_gateway::clock::Clock;
use issuer_gateway::config::{
    Audit, Config, Crypto, Dashboard, Database, DirectorySettings, Erasure, GatewayKey, Keys,
    Limits, Log, Metrics, OAuth, Oaep, Server, Transactions, Vault,
};
use issuer_gateway::gateway::Gateway;
use issuer_gateway::housekeeping::Job;
use issuer_gateway::ids::{CardholderId, ClientId, IssuerId};
use issuer_gateway::issuers::IssuerStatus;
use issuer_gateway::issuers::declaration;
use issuer_gateway::keys::source::read_private_key;
use issuer_gateway::oauth1::{SignatureMethod, SigningKey};
use issuer_gateway::payload::{EnvelopeKind, KeyState};
use issuer_gateway::store::audit::AuditDraft;
use issuer_gateway::store::cardholders::CardholderStatus;
use issuer_gateway::store::issuers::{Applied, Removal};
use issuer_gateway::store::now;
use issuer_gateway::store::url::PoolMode;
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tokio::runtime::Runtime;

/// The issuers of a test gateway. All share test keys; each has client id and consumer key of its
/// own.
pub struct TestIssuer {
    pub name: &'static str,
    pub ranges: &'static [&'static str],
    pub donation: bool,
    pub responses: &'static str,
    pub signing: &'static str,
    pub encryption: &'static str,
}

pub const ISSUERS: [TestIssuer; 3] = [
    TestIssuer {
        name: "demo",
        ranges: &["534403", "518145", "5424"],
        donation: true,
        responses: "mirror",
        signing: "issuer-signing",
        encryption: "issuer-encryption",
    },
    TestIssuer {
        name: "compat",
        ranges: &["222300", "552433"],
        donation: true,
        responses: "dashboards-only",
        signing: "other-issuer-signing",
        encryption: "other-issuer-encryption",
    },
    TestIssuer {
        name: "basic",
        ranges: &["510665", "5050"],
        donation: false,
        responses: "mirror",
        signing: "issuer-signing",
        encryption: "issuer-encryption",
    },
];

/// A file under `tests/keys/`.
pub fn test_key(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/keys")
        .join(name)
}

pub fn consumer_key(issuer: &str) -> String {
    format!("{issuer}!0123456789abcdef0123456789abcdef0123456789abcdef")
}

/// A configuration for `database` on a free port of loopback.
pub fn config(database_url: &str) -> Config {
    Config {
        server: Server {
            listen: "127.0.0.1:0".parse().unwrap(),
            workers: 2,
            drain_delay_s: 0,
            shutdown_timeout_s: 60,
            ..Server::default()
        },
        metrics: Metrics {
            listen: Some("127.0.0.1:0".parse().unwrap()),
            ..Metrics::default()
        },
        database: Database {
            url: database_url.to_owned(),
            pool_mode: PoolMode::Session,
            migrate_url: None,
            migrate: true,
            migrate_timeout_s: 60,
            commit_timeout_ms: 5_000,
            pool_size: 4,
            writers: 2,
            write_queue: 512,
        },
        vault: Vault {
            kek_file: Some(test_key("kek.key")),
            ..Vault::default()
        },
        keys: Keys {
            gateway: vec![GatewayKey {
                file: Some(test_key("gateway.pem")),
                pkcs11: None,
                oaep: Oaep::default(),
                certificate: Some(test_key("gateway-cert.pem")),
                passphrase_env: None,
                passphrase_file: None,
                not_after: None,
                state: KeyState::Primary,
                aliases: vec!["gateway-2026".to_owned()],
            }],
        },
        tokens: Vec::new(),
        audit: Audit::default(),
        crypto: Crypto::default(),
        oauth: OAuth::default(),
        erasure: Erasure::default(),
        transactions: Transactions::default(),
        users: DirectorySettings::default(),
        dashboard: Dashboard::default(),
        limits: Limits::default(),
        log: Log::default(),
        traces: None,
        source: None,
    }
}

/// The TOML that declares an issuer, up to its certificates.
pub fn issuer_toml(name: &str, ranges: &[&str], donation: bool) -> String {
    format!(
        r#"
[[issuer]]
client_id = "{name}"
name = "{name} bank"
email = "cards@{name}.example"
currency_code = "USD"
country_code = "USA"
country_name = "United States of America"
account_ranges = {ranges:?}
self_service_ranges = ["2", "5", "6", "7", "9"]
donation = {donation}
"#
    )
}

/// The TOML that declares [`ISSUERS`].
pub fn issuers_toml() -> String {
    let entry = |issuer: &TestIssuer| {
        let head = issuer_toml(issuer.name, issuer.ranges, issuer.donation);
        format!(
            r#"{head}responses = "{responses}"
[[issuer.signing]]
consumer_key = "{consumer_key}"
certificate = "{signing}-cert.pem"
[[issuer.encryption]]
certificate = "{encryption}-cert.pem"
"#,
            responses = issuer.responses,
            consumer_key = consumer_key(issuer.name),
            signing = issuer.signing,
            encryption = issuer.encryption,
        )
    };
    ISSUERS.iter().map(entry).collect()
}

/// The same, with a line more for each issuer.
pub fn issuers_toml_with(line: &str) -> String {
    issuers_toml().replace("\ndonation = ", &format!("\n{line}\ndonation = "))
}

fn audit() -> AuditDraft {
    AuditDraft::accepted(now(), "test", "test")
}

pub struct TestGateway {
    runtime: Runtime,
    running: Option<RunningApp>,
    pub gateway: Arc<Gateway>,
    pub base_url: String,
    pub metrics_url: String,
    /// Dropped last: the gateway must be stopped before its database goes.
    pub database: Option<TestDatabase>,
}

impl TestGateway {
    /// Whether it keeps calls for people to look at.
    pub fn has_console(&self) -> bool {
        self.running.as_ref().unwrap().console().is_some()
    }

    /// A gateway on a database of its own, with the three issuers on board.
    pub fn start(backend: Backend) -> Self {
        let database = TestDatabase::new(backend);
        let config = config(&database.url_text);
        let mut gateway = Self::start_with(&config);
        gateway.database = Some(database);
        gateway
    }

    /// The same, but users who are TERMINATING stay so.
    pub fn start_without_erasure(backend: Backend) -> Self {
        let database = TestDatabase::new(backend);
        let mut config = config(&database.url_text);
        config.erasure.enabled = false;
        let mut gateway = Self::start_with(&config);
        gateway.database = Some(database);
        gateway
    }

    /// The same, with issuers declared by a TOML of the test's own.
    pub fn start_declaring(backend: Backend, issuers: &str) -> Self {
        let database = TestDatabase::new(backend);
        let mut gateway = Self::start_as(&config(&database.url_text), issuers);
        gateway.database = Some(database);
        gateway
    }

    /// A gateway with a configuration of the test's own; issuers are brought on board if there are
    /// none.
    pub fn start_with(config: &Config) -> Self {
        Self::start_as(config, &issuers_toml())
    }

    /// Both of a test's own.
    pub fn start_as(config: &Config, issuers: &str) -> Self {
        Self::try_start_as(config, issuers, Clock::system()).unwrap()
    }

    /// The same, on a node with this clock; or why it does not start.
    pub fn try_start(config: &Config, clock: Clock) -> anyhow::Result<Self> {
        Self::try_start_as(config, &issuers_toml(), clock)
    }

    fn try_start_as(config: &Config, issuers: &str, clock: Clock) -> anyhow::Result<Self> {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()
            .unwrap();
        let running = runtime.block_on(async {
            let (_, store) = app::open_store(&config.database).unwrap();
            if store.load_registry().await.unwrap().issuers.is_empty() {
                let declared = declaration::parse(issuers, &test_key("")).unwrap();
                store.apply_issuers(declared, audit()).await.unwrap();
            }
            app::start_by(config, clock).await
        })?;
        Ok(Self {
            gateway: running.gateway.clone(),
            base_url: format!("http://{}", running.address),
            metrics_url: format!("http://{}/metrics", running.metrics_address.unwrap()),
            running: Some(running),
            runtime,
            database: None,
        })
    }

    /// The web view's own listener.
    pub fn view_url(&self) -> String {
        let address = self.running.as_ref().unwrap().dashboard_address;
        format!("http://{}", address.unwrap())
    }

    /// Starts a background job beside the node's own.
    pub fn start_job<J: Job>(&self, make: impl Fn() -> J + Send + 'static) {
        let _inside = self.runtime.enter();
        self.running.as_ref().unwrap().housekeeping.start(make);
    }

    /// The metrics page.
    pub fn metrics(&self) -> String {
        let mut page = ureq::get(&self.metrics_url).call().unwrap();
        page.body_mut().read_to_string().unwrap()
    }

    /// A number on the metrics page, by the whole name with its labels.
    pub fn metric(&self, name: &str) -> f64 {
        let page = self.metrics();
        let line = page
            .lines()
            .find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
        let number = line.unwrap_or_else(|| panic!("{name} is not in\n{page}"));
        number.parse().unwrap()
    }

    /// Stops it, and says what the shutdown left behind.
    pub fn try_stop(mut self) -> anyhow::Result<()> {
        let running = self.running.take().unwrap();
        self.runtime.block_on(running.stop())
    }

    pub fn block_on<F: Future>(&self, future: F) -> F::Output {
        self.runtime.block_on(future)
    }

    /// A client of the named issuer.
    pub fn client(&self, issuer: &str) -> TestClient {
        self.client_at(issuer, &self.base_url)
    }

    /// A client that calls another base URL (`…/cts`).
    pub fn client_at(&self, issuer: &str, base_url: &str) -> TestClient {
        let issuer = ISSUERS.iter().find(|known| known.name == issuer).unwrap();
        TestClient::new(
            base_url,
            &consumer_key(issuer.name),
            issuer.signing,
            Some(issuer.encryption),
        )
    }

    pub fn issuer_id(&self, client_id: &str) -> IssuerId {
        let issuers = self.gateway.registry.issuers();
        issuers
            .iter()
            .find(|issuer| issuer.client_id.as_str() == client_id)
            .unwrap()
            .id
    }

    /// Changes an issuer's state as an operator does, and lets the node notice.
    pub fn set_issuer_status(&self, client_id: &str, status: IssuerStatus) {
        let id = ClientId::parse(client_id).unwrap();
        self.block_on(async {
            assert!(
                self.gateway
                    .store
                    .set_issuer_status(&id, status, audit())
                    .await
                    .unwrap()
            );
            self.gateway
                .registry
                .refresh(&self.gateway.store)
                .await
                .unwrap();
        });
    }

    /// Applies a file of issuers as an operator does, and lets the node notice.
    pub fn apply_issuers(&self, issuers: &str) -> Vec<Applied> {
        let declared = declaration::parse(issuers, &test_key("")).unwrap();
        self.block_on(async {
            let store = &self.gateway.store;
            let applied = store.apply_issuers(declared, audit()).await.unwrap();
            self.gateway.registry.refresh(store).await.unwrap();
            applied
        })
    }

    /// Takes an issuer off board as an operator does, and lets the node notice.
    pub fn remove_issuer(&self, client_id: &str) {
        let id = ClientId::parse(client_id).unwrap();
        self.block_on(async {
            assert_eq!(
                self.gateway
                    .store
                    .remove_issuer(&id, audit())
                    .await
                    .unwrap(),
                Removal::Removed
            );
            self.gateway
                .registry
                .refresh(&self.gateway.store)
                .await
                .unwrap();
        });
    }

    /// Changes a user's state.
    pub fn set_user_status(&self, client_id: &str, user_id: &str, status: CardholderStatus) {
        let id = CardholderId::parse(user_id).unwrap();
        let issuer_id = self.issuer_id(client_id);
        let store = &self.gateway.store;
        assert!(
            self.block_on(store.set_user_status(issuer_id, &id, status, audit()))
                .unwrap()
        );
    }

    pub fn stop(mut self) -> Option<TestDatabase> {
        self.shut_down();
        self.database.take()
    }

    fn shut_down(&mut self) {
        if let Some(running) = self.running.take() {
            self.runtime.block_on(running.stop()).unwrap();
        }
    }
}

impl Drop for TestGateway {
    fn drop(&mut self) {
        self.shut_down();
    }
}

/// A client with shorthand for the common calls.
pub struct TestClient {
    pub client: Client,
    base_url: String,
    signing: SigningKey,
}

impl TestClient {
    /// A client with any test keys.
    pub fn new(
        base_url: &str,
        consumer_key: &str,
        signing: &str,
        decryption: Option<&str>,
    ) -> Self {
        let key = |name: &str| test_key(&format!("{name}.pem"));
        let decryption = decryption.map(key);
        let files = KeyFiles {
            consumer_key,
            signing_key: &key(signing),
            gateway_certificate: &test_key("gateway-cert.pem"),
            decryption_key: decryption.as_deref(),
            tls_ca: None,
        };
        let client =
            Client::new(Identity::from_files(base_url.to_owned(), &files).unwrap()).unwrap();
        let private = read_private_key(&key(signing)).unwrap();
        Self {
            client,
            base_url: base_url.to_owned(),
            signing: SigningKey::from_private_key(private, consumer_key.to_owned()).unwrap(),
        }
    }

    /// A fresh `Authorization` header for any request.
    pub fn authorization(&self, method: &str, url: &str, body: &[u8]) -> String {
        self.signing
            .sign(method, url, body, SignatureMethod::RsaSha256)
            .unwrap()
    }

    /// Signs any request and sends it as JSON.
    pub fn send_to(&self, method: &'static str, url: &str, body: Vec<u8>) -> Answered {
        let authorization = self.authorization(method, url, &body);
        self.send(&Prepared {
            method,
            url: url.to_owned(),
            authorization,
            body,
        })
    }

    pub fn prepare(&self, operation: &Operation, clear: &Value) -> Prepared {
        self.prepare_in(EnvelopeKind::Jwe, operation, clear)
    }

    pub fn prepare_in(
        &self,
        envelope: EnvelopeKind,
        operation: &Operation,
        clear: &Value,
    ) -> Prepared {
        self.client
            .prepare(
                operation,
                envelope,
                SignatureMethod::RsaSha256,
                clear.to_string().as_bytes(),
            )
            .unwrap()
    }

    pub fn send(&self, request: &Prepared) -> Answered {
        let answered = self.client.send(request).unwrap();
        document::assert_documented(request.method, &request.url, &answered);
        answered
    }

    pub fn enrol(&self, clear: &Value) -> Answered {
        self.send(&self.prepare(&Operation::Enrol, clear))
    }

    pub fn update(&self, user_id: &str, clear: &Value) -> Answered {
        self.send(&self.prepare(
            &Operation::Update(CardholderId::parse(user_id).unwrap()),
            clear,
        ))
    }

    /// Asks for the deletion of users.
    pub fn delete(&self, user_ids: &[impl AsRef<str>]) -> Answered {
        let ids: Vec<&str> = user_ids.iter().map(AsRef::as_ref).collect();
        self.delete_list(Value::from(ids).to_string().as_bytes())
    }

    /// Signs and sends a list of users to delete as it is.
    pub fn delete_list(&self, body: &[u8]) -> Answered {
        let url = format!("{}/issuers/user-deletions", self.base_url);
        self.send_to("POST", &url, body.to_vec())
    }

    /// Signs and sends a body as it is.
    pub fn post(&self, body: &[u8]) -> Answered {
        self.send(
            &self
                .client
                .sign(&Operation::Enrol, SignatureMethod::RsaSha256, body.to_vec())
                .unwrap(),
        )
    }
}

/// The `userid` of a successful answer.
pub fn user_id(answer: &Answered) -> String {
    assert_eq!(answer.status, 200, "{:?}", answer.clear);
    answer.clear.as_ref().unwrap()["userid"]
        .as_str()
        .unwrap()
        .to_owned()
}

/// The ids in the answer of an accepted deletion.
#[track_caller]
pub fn accepted(answer: &Answered) -> Vec<String> {
    let text = String::from_utf8_lossy(&answer.body);
    assert_eq!(answer.status, 202, "{text}");
    serde_json::from_slice(&answer.body).unwrap()
}

/// `(Source, ReasonCode, Recoverable, Details)` of every element of an error answer.
pub fn errors(answer: &Answered) -> Vec<(String, String, bool, Value)> {
    let clear = answer
        .clear
        .as_ref()
        .expect("an error answer is a JSON object");
    let elements = clear["Errors"]["Error"]
        .as_array()
        .expect("Errors.Error is an array");
    assert!(!elements.is_empty());
    let text = |element: &Value, name: &str| element[name].as_str().unwrap().to_owned();
    let element = |element: &Value| {
        let length = text(element, "Description").chars().count();
        assert!(
            (10..=1_000).contains(&length),
            "Description has {length} characters"
        );
        let recoverable = element["Recoverable"].as_bool().unwrap();
        (
            text(element, "Source"),
            text(element, "ReasonCode"),
            recoverable,
            element["Details"].clone(),
        )
    };
    elements.iter().map(element).collect()
}

/// Asserts status and reason codes of an error answer.
#[track_caller]
pub fn assert_refused(answer: &Answered, status: u16, codes: &[&str]) {
    let got: Vec<String> = errors(answer)
        .into_iter()
        .map(|(_, code, _, _)| code)
        .collect();
    assert_eq!(
        (
            answer.status,
            got.iter().map(String::as_str).collect::<Vec<_>>()
        ),
        (status, codes.to_vec()),
        "{:?}",
        answer.clear
    );
}
