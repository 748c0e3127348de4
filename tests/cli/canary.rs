//! Enrols and updates marked cardholders, provokes every kind of refusal and an outage with logging
//! at its loudest, and then looks for any mark in everything that was written: log, metrics,
//! traces, error answers, and the database.

mod cardholders;
mod requests;
mod search;

use crate::config_file::ready;
use crate::process::{Running, text};
use crate::serve::tls_files;
use crate::support::collector::FakeCollector;
use crate::support::gateway::{ISSUERS, consumer_key, test_key};
use crate::support::proxy::Proxy;
use crate::support::{Backend, TestDatabase};
use cardholders::{enrolment, secrets_of, tokens_of};
use issuer_gateway::client::identity::{Identity, KeyFiles};
use issuer_gateway::client::{Answered, Client, Operation, Prepared};
use issuer_gateway::oauth1::SignatureMethod::RsaSha256;
use issuer_gateway::payload::EnvelopeKind::{self, FieldLevel, Jwe};
use search::{Secret, Written};
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// A running gateway, what was sent to it, and what it answered.
struct Scene {
    running: Running,
    base_url: String,
    tls_ca: Option<PathBuf>,
    client: Client,
    /// Personal data and signatures: nowhere.
    secrets: Vec<Secret>,
    answers: Vec<Answered>,
}

fn client(base_url: &str, consumer_key: &str, tls_ca: Option<&Path>) -> Client {
    let key = |name: &str| test_key(&format!("{name}.pem"));
    let files = KeyFiles {
        consumer_key,
        signing_key: &key(ISSUERS[0].signing),
        gateway_certificate: &key("gateway-cert"),
        decryption_key: Some(&key(ISSUERS[0].encryption)),
        tls_ca,
    };
    Client::new(Identity::from_files(base_url.to_owned(), &files).unwrap()).unwrap()
}

impl Scene {
    fn prepare(&mut self, envelope: EnvelopeKind, operation: &Operation, clear: &str) -> Prepared {
        let prepared = self
            .client
            .prepare(operation, envelope, RsaSha256, clear.as_bytes());
        if let Ok(payload) = serde_json::from_str(clear) {
            secrets_of(&payload, &mut self.secrets);
        }
        prepared.unwrap()
    }

    fn sign(&self, body: &str) -> Prepared {
        self.client
            .sign(&Operation::Enrol, RsaSha256, body.into())
            .unwrap()
    }

    /// Sends it and keeps what must not be found.
    fn send(&mut self, request: &Prepared) -> (u16, Value) {
        tokens_of(request, &mut self.secrets);
        let answer = self.client.send(request).unwrap();
        let seen = (answer.status, answer.clear.clone().unwrap());
        self.answers.push(answer);
        seen
    }

    fn call(
        &mut self,
        envelope: EnvelopeKind,
        operation: &Operation,
        clear: &Value,
    ) -> (u16, Value) {
        let request = self.prepare(envelope, operation, &clear.to_string());
        self.send(&request)
    }

    #[track_caller]
    fn expect(&mut self, request: &Prepared, status: u16, code: &str) {
        let (seen, answer) = self.send(request);
        assert_eq!(
            (seen, &answer["Errors"]["Error"][0]["ReasonCode"]),
            (status, &Value::from(code)),
            "{answer}"
        );
    }
}

/// The address in the line that says where it serves this (`listening` or `metrics`), in either
/// format.
fn address(running: &mut Running, what: &str) -> String {
    let json = format!("\"message\":\"{what}\"");
    let text = format!("INFO {what} address=");
    let line = running.wait_for_any("stderr", &[&json, &text]);
    let start = line.find("127.0.0.1:").expect("an address");
    line[start..]
        .chars()
        .take_while(|c| c.is_ascii_digit() || ".:".contains(*c))
        .collect()
}

fn outage(scene: &mut Scene, database: &TestDatabase, proxy: Option<&Proxy>) {
    let clear = enrolment("outage").to_string();
    let lock = database.lock();
    let request = scene.prepare(Jwe, &Operation::Enrol, &clear);
    scene.expect(&request, 503, "SERVICE_UNAVAILABLE");
    drop(lock);
    if let Some(proxy) = proxy {
        proxy.cut();
        scene.expect(&request, 503, "SERVICE_UNAVAILABLE");
        proxy.restore();
    }
    let give_up = Instant::now() + Duration::from_secs(30);
    loop {
        let request = scene.prepare(FieldLevel, &Operation::Enrol, &clear);
        if scene.send(&request).0 != 503 {
            break;
        }
        assert!(Instant::now() < give_up, "no recovery");
        std::thread::sleep(Duration::from_millis(50));
    }
}

/// Keys that the gateway holds.
fn keys(tls_key: Option<&Path>) -> Vec<Secret> {
    let kek = std::fs::read_to_string(test_key("kek.key")).unwrap();
    let bytes =
        base64::Engine::decode(&base64::engine::general_purpose::STANDARD, kek.trim()).unwrap();
    let mut secrets = vec![
        Secret::token("KEK", kek.trim()),
        Secret::value("KEK", bytes),
    ];
    let gateway = test_key("gateway.pem");
    for file in [Some(gateway.as_path()), tls_key].into_iter().flatten() {
        let pem = std::fs::read_to_string(file).unwrap();
        let lines = pem.lines().filter(|line| line.len() == 64);
        secrets.extend(lines.map(|line| Secret::token(text(file), line)));
        let key = openssl::pkey::PKey::private_key_from_pem(pem.as_bytes()).unwrap();
        secrets.push(Secret::value(
            "private exponent",
            key.rsa().unwrap().d().to_vec(),
        ));
        secrets.push(Secret::value(
            "prime",
            key.rsa().unwrap().p().unwrap().to_vec(),
        ));
    }
    secrets
}

/// Every file beside an SQLite database; nothing for PostgreSQL.
fn raw_files(database: &TestDatabase) -> Vec<Written> {
    std::fs::read_dir(database.dir())
        .unwrap()
        .map(|file| file.unwrap().path())
        .map(|file| Written::new(text(&file), std::fs::read(&file).unwrap()))
        .collect()
}

fn nothing_leaks(backend: Backend, format: &str, tls: bool) {
    let database = TestDatabase::empty(backend);
    let dir = tempfile::tempdir().unwrap();
    let (certificate, tls_key) = tls_files(dir.path());
    let collector = FakeCollector::start();
    let proxy = (backend == Backend::Postgres).then(|| {
        let (authority, _) = database.url_text.rsplit_once('/').unwrap();
        Proxy::start(authority.rsplit_once('@').unwrap().1.to_owned())
    });
    let config = ready(&database, dir.path(), |sections| {
        if let Some(proxy) = &proxy {
            let name = database.url_text.rsplit_once('/').unwrap().1;
            sections.database = format!("url = \"postgresql://postgres@{}/{name}\"", proxy.address);
        }
        if tls {
            sections.server += "\ntls_certificate = \"tls-cert.pem\"\ntls_key = \"tls-key.pem\"";
        }
        sections.rest = format!(
            "[metrics]\nlisten = \"127.0.0.1:0\"\n[log]\nformat = \"{format}\"\nfilter = \"trace\"\n[traces]\nendpoint = \"{}\"\n",
            collector.endpoint()
        );
    });
    let mut running = Running::start(&["--config", text(&config), "serve"], &[]);
    let scheme = if tls { "https" } else { "http" };
    let base_url = format!("{scheme}://{}", address(&mut running, "listening"));
    let metrics = address(&mut running, "metrics");
    let tls_ca = tls.then_some(certificate);
    let mut scene = Scene {
        client: client(&base_url, &consumer_key("demo"), tls_ca.as_deref()),
        running,
        base_url,
        tls_ca,
        secrets: keys(tls.then_some(tls_key.as_path())),
        answers: Vec::new(),
    };

    let id = requests::enrolled_and_updated(&mut scene);
    requests::refused_by_rules(&mut scene, &id);
    requests::refused_by_cryptography(&mut scene);
    requests::refused_by_signature(&mut scene);
    requests::odd_requests(&mut scene);
    outage(&mut scene, &database, proxy.as_ref());

    let metrics = ureq::get(format!("http://{metrics}/metrics"))
        .call()
        .unwrap()
        .body_mut()
        .read_to_vec()
        .unwrap();
    let while_it_ran = raw_files(&database);
    let ended = scene.running.signal("TERM");
    let log = scene.running.written("stderr");
    assert!(ended.success(), "{ended}: {log}");

    // What is looked through is really there.
    let stderr = scene.running.written("stderr");
    let request_ids =
        database.texts("SELECT request_id AS t FROM audit_entries WHERE request_id IS NOT NULL");
    assert!(request_ids.len() > 50, "{}", request_ids.len());
    for request_id in &request_ids {
        assert!(
            stderr.contains(request_id),
            "{request_id} is not in the log"
        );
    }
    let dump = database.dump();
    assert!(dump.contains(id.as_str()));
    assert!(String::from_utf8_lossy(&metrics).contains("issuer_gateway_refusals_total"));

    scene.secrets.sort();
    scene.secrets.dedup();
    let secrets = &scene.secrets;
    assert!(secrets.len() > 200, "{}", secrets.len());
    for answer in &scene.answers {
        Written::new("an answer", &answer.body).assert_no(secrets);
        if answer.status != 200 {
            Written::new("an error", answer.clear.as_ref().unwrap().to_string()).assert_no(secrets);
        }
    }
    Written::new("metrics", metrics).assert_no(secrets);
    Written::new("the database", dump).assert_no(secrets);
    for file in while_it_ran.into_iter().chain(raw_files(&database)) {
        file.assert_no(secrets);
    }
    // In the log not even what the database has in clear.
    let mut all = vec![Secret::value("consumer key", consumer_key("demo"))];
    for nonce in database.texts("SELECT nonce AS t FROM oauth_nonces") {
        all.push(Secret::token("oauth_nonce", &nonce));
    }
    // Every call is one that is traced; spans name no cardholder either.
    let calls = collector
        .spans()
        .iter()
        .filter(|span| span.kind == 2)
        .count();
    assert!(calls >= scene.answers.len(), "{calls}");
    all.push(Secret::value("user id", id.as_str()));
    for (head, body) in collector.received() {
        let sent = Written::new("traces", [head.as_bytes(), &body].concat());
        sent.assert_no(secrets);
        sent.assert_no(&all);
    }
    all.pop();
    for stream in ["stdout", "stderr"] {
        let log = Written::new(stream, scene.running.written(stream));
        log.assert_no(secrets);
        log.assert_no(&all);
    }
}

#[test]
fn nothing_leaks_sqlite_json() {
    nothing_leaks(Backend::Sqlite, "json", false);
}

#[test]
fn nothing_leaks_sqlite_text_tls() {
    nothing_leaks(Backend::Sqlite, "text", true);
}

#[test]
fn nothing_leaks_postgres_json_tls() {
    nothing_leaks(Backend::Postgres, "json", true);
}

#[test]
fn nothing_leaks_postgres_text() {
    nothing_leaks(Backend::Postgres, "text", false);
}
