//! Gateway keys in a token of SoftHSM: enrolments, rotation, an outage, and everything that an
//! operator may get wrong.

use crate::config_file::{Sections, key, ready};
use crate::on_both;
use crate::process::{Running, run_with, text, write};
use crate::support::gateway::{consumer_key, test_key, user_id};
use crate::support::softhsm::SoftHsm;
use crate::support::{Backend, Over, TestDatabase, until};
use issuer_gateway::client::identity::{Identity, KeyFiles};
use issuer_gateway::client::{Answered, Client, Operation, sample};
use issuer_gateway::oauth1::SignatureMethod;
use issuer_gateway::payload::EnvelopeKind;
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

/// A gateway whose primary key is in a token; a key in a file is active beside it.
struct At {
    database: TestDatabase,
    dir: tempfile::TempDir,
    hsm: SoftHsm,
    config: PathBuf,
}

const KEY: &str =
    "pkcs11 = { token = \"hsm\", label = \"gateway\", id = \"01\" }\noaep = \"raw\"\n";

impl At {
    fn new(backend: Backend) -> Self {
        let at = Self::without_key(backend);
        let made = at
            .run(&[
                "keys",
                "generate",
                text(&at.path("token-cert.pem")),
                "--token",
                "hsm",
            ])
            .ok();
        assert!(made.contains("token hsm, label gateway, id 01"), "{made}");
        let primary = format!(
            "[[keys.gateway]]\n{KEY}certificate = \"token-cert.pem\"\nstate = \"primary\"\n"
        );
        at.configure(&(primary + &key("gateway", "active")));
        at
    }

    /// A token without keys, and a configuration that needs none.
    fn without_key(backend: Backend) -> Self {
        let database = TestDatabase::empty(backend);
        let dir = tempfile::tempdir().unwrap();
        let hsm = SoftHsm::new();
        let config = ready(&database, dir.path(), |sections| {
            sections.rest += &hsm.toml()
        });
        Self {
            database,
            dir,
            hsm,
            config,
        }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// Replaces the keys, in one step.
    fn configure(&self, keys: &str) {
        let mut sections = Sections::new(&self.database.url_text);
        sections.keys = keys.to_owned();
        sections.rest += &self.hsm.toml();
        let partial = tempfile::tempdir_in(self.dir.path()).unwrap();
        std::fs::rename(sections.write(partial.path()), &self.config).unwrap();
    }

    fn run(&self, args: &[&str]) -> crate::process::Output {
        let args = [&["--config", text(&self.config)], args].concat();
        run_with(&args, &self.hsm.env(), b"")
    }

    fn serve(&self) -> (Running, String, String) {
        let (mut running, base_url) = Running::serve(&self.config, &self.hsm.env());
        let line = running.wait_for("stderr", r#""message":"metrics""#);
        let line: Value = serde_json::from_str(&line).unwrap();
        let metrics = format!("http://{}/metrics", line["address"].as_str().unwrap());
        (running, base_url, metrics)
    }
}

fn client(base_url: &str, certificate: &Path) -> Client {
    let files = KeyFiles {
        consumer_key: &consumer_key("demo"),
        signing_key: &test_key("issuer-signing.pem"),
        gateway_certificate: certificate,
        decryption_key: Some(&test_key("issuer-encryption.pem")),
        tls_ca: None,
    };
    Client::new(Identity::from_files(base_url.to_owned(), &files).unwrap()).unwrap()
}

fn enrol_in(client: &Client, envelope: EnvelopeKind) -> Answered {
    let clear = sample::enrolment("534403").to_string();
    let signature = SignatureMethod::RsaSha256;
    let request = client.prepare(&Operation::Enrol, envelope, signature, clear.as_bytes());
    client.send(&request.unwrap()).unwrap()
}

fn enrol(client: &Client) -> u16 {
    enrol_in(client, EnvelopeKind::Jwe).status
}

fn metric(url: &str, name: &str) -> u64 {
    let page = ureq::get(url)
        .call()
        .unwrap()
        .body_mut()
        .read_to_string()
        .unwrap();
    let number = page.lines().find_map(|line| line.strip_prefix(name));
    number.map_or(0, |number| number.trim().parse().unwrap())
}

const IN_TOKENS: &str = r#"issuer_gateway_rsa_operations_total{engine="pkcs11"}"#;
const UP: &str = r#"issuer_gateway_token_up{token="hsm"}"#;

fn enrolments_are_opened_by_a_key_in_a_token(backend: Backend) {
    let at = At::new(backend);
    let (mut running, base_url, metrics) = at.serve();
    let certificate = at.path("token-cert.pem");
    let token = client(&base_url, &certificate);
    for envelope in [EnvelopeKind::Jwe, EnvelopeKind::FieldLevel] {
        user_id(&enrol_in(&token, envelope));
    }
    assert_eq!(metric(&metrics, IN_TOKENS), 2);
    assert_eq!(metric(&metrics, UP), 1);
    // Many at once: each has a session.
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                let client = client(&base_url, &certificate);
                for _ in 0..3 {
                    assert_eq!(enrol(&client), 200);
                }
            });
        }
    });
    assert_eq!(metric(&metrics, IN_TOKENS), 26);
    assert_eq!(
        enrol(&client(&base_url, &test_key("gateway-cert.pem"))),
        200
    );

    // What was not encrypted to the key is CRYPTO_ERROR, as with a key in a file: a wrong padding,
    // and a number beyond the modulus.
    let clear = sample::enrolment("534403").to_string();
    let signature = SignatureMethod::RsaSha256;
    let request = token.prepare(
        &Operation::Enrol,
        EnvelopeKind::Jwe,
        signature,
        clear.as_bytes(),
    );
    let body: Value = serde_json::from_slice(&request.unwrap().body).unwrap();
    let jwe = body["encryptedData"].as_str().unwrap();
    for wrapped in ["A".repeat(342), format!("{}w", "_".repeat(341))] {
        let mut segments: Vec<&str> = jwe.split('.').collect();
        segments[1] = &wrapped;
        let body = serde_json::json!({ "encryptedData": segments.join(".") });
        let request = token.sign(&Operation::Enrol, signature, body.to_string().into());
        let answer = token.send(&request.unwrap()).unwrap();
        let code = answer
            .clear
            .as_ref()
            .unwrap()
            .pointer("/Errors/Error/0/ReasonCode");
        assert_eq!(code.unwrap(), "CRYPTO_ERROR");
    }
    assert_eq!(metric(&metrics, UP), 1);

    let listed = at.run(&["keys", "list"]).ok();
    assert!(
        listed.contains("token hsm, label gateway, id 01"),
        "{listed}"
    );
    at.run(&["keys", "check"]).ok();

    // Rotation, inside of the token, while it serves.
    let added = at.run(&["keys", "rotate", "--token", "hsm"]).ok();
    assert!(added.contains("token hsm, label gateway-20"), "{added}");
    running.wait_for("stderr", "configuration reloaded");
    at.run(&["keys", "rotate", "--promote"]).ok();
    let config = std::fs::read_to_string(&at.config).unwrap();
    assert_eq!(config.matches("oaep = \"raw\"").count(), 2, "{config}");
    let new = std::fs::read_dir(at.dir.path()).unwrap();
    let new = new.map(|entry| entry.unwrap().path()).find(|path| {
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        name.starts_with("gateway-20") && name.ends_with("-cert.pem")
    });
    let new = client(&base_url, &new.unwrap());
    until("the new key opens", || enrol(&new) == 200);
    assert_eq!(enrol(&token), 200, "the former one still does");
    assert!(running.signal("TERM").success());
}

on_both!(blocking: enrolments_are_opened_by_a_key_in_a_token);

#[test]
fn a_token_that_is_unplugged_costs_its_own_keys_alone_and_comes_back() {
    let at = At::new(Backend::Sqlite);
    let (mut running, base_url, metrics) = at.serve();
    let certificate = at.path("token-cert.pem");
    let (token, file) = (
        client(&base_url, &certificate),
        client(&base_url, &test_key("gateway-cert.pem")),
    );
    assert_eq!((enrol(&token), enrol(&file)), (200, 200));
    let (done, answered) = (AtomicBool::new(false), AtomicUsize::new(0));
    std::thread::scope(|scope| {
        let _over = Over(&done);
        scope.spawn(|| {
            let client = client(&base_url, &test_key("gateway-cert.pem"));
            while !done.load(Ordering::Relaxed) {
                assert_eq!(enrol(&client), 200);
                answered.fetch_add(1, Ordering::Relaxed);
            }
        });
        for _ in 0..2 {
            at.hsm.unplug();
            for _ in 0..3 {
                let answer = enrol_in(&token, EnvelopeKind::Jwe);
                assert_eq!(answer.status, 503, "{:?}", answer.clear);
            }
            assert_eq!(metric(&metrics, UP), 0);
            let seen = answered.load(Ordering::Relaxed);
            until("the others go on", || {
                answered.load(Ordering::Relaxed) > seen + 3
            });
            at.hsm.plug_in();
            until("it is back", || enrol(&token) == 200);
            assert_eq!(metric(&metrics, UP), 1);
        }
    });
    assert!(running.signal("TERM").success());
    let log = running.written("stderr");
    assert!(
        log.contains("a token is away") && log.contains("a token is back"),
        "{log}"
    );
    assert!(log.contains("key-away"), "{log}");
    // A start without the token is refused by name.
    at.hsm.unplug();
    at.run(&["serve"])
        .refused(&["keys.gateway", "token \"hsm\"", "no token has the label"]);
}

#[test]
fn faults_are_refused_by_name() {
    let at = At::new(Backend::Sqlite);
    let primary = |lines: &str| format!("[[keys.gateway]]\n{lines}\nstate = \"primary\"\n");
    let raw = |object: &str| {
        primary(&format!(
            "pkcs11 = {{ token = \"hsm\", {object} }}\noaep = \"raw\""
        ))
    };
    let file = test_key("gateway.pem").display().to_string();
    for (keys, named) in [
        // What SoftHSM lacks.
        (
            primary("pkcs11 = { token = \"hsm\", label = \"gateway\" }"),
            &["OAEP with SHA-256", "oaep = \"raw\""][..],
        ),
        (raw("label = \"absent\""), &["no such key", "\"absent\""]),
        (raw("id = \"xy\""), &["pkcs11", "hex"]),
        (
            primary("pkcs11 = { token = \"other\", label = \"gateway\" }"),
            &["pkcs11.token", "\"other\""],
        ),
        (
            primary(""),
            &["keys.gateway", "exactly one of file and pkcs11"],
        ),
        (
            primary(&format!("file = \"{file}\"\n{KEY}")),
            &["exactly one of file and pkcs11"],
        ),
        (
            primary(&format!("file = \"{file}\"\noaep = \"raw\"")),
            &["oaep belongs to pkcs11"],
        ),
        (
            primary(&format!("{KEY}passphrase_env = \"A\"")),
            &["passphrase"],
        ),
        (
            primary(&format!(
                "{KEY}certificate = \"{}\"",
                test_key("gateway-cert.pem").display()
            )),
            &["does not belong to the private key"],
        ),
    ] {
        at.configure(&keys);
        let written = at.run(&["serve"]).refused(named);
        assert!(!written.contains(crate::support::softhsm::PIN), "{written}");
    }
    // A second key of the same name is not made.
    at.configure(&key("gateway", "primary"));
    at.run(&[
        "keys",
        "generate",
        text(&at.path("again.pem")),
        "--token",
        "hsm",
    ])
    .refused(&["hsm", "exists already"]);
    assert!(!at.path("again.pem").exists());
}

#[test]
fn a_wrong_pin_is_tried_once_and_the_right_one_is_taken_up() {
    let at = At::new(Backend::Sqlite);
    write(at.hsm.pin_file().parent().unwrap(), "pin", "00000000");
    at.run(&["serve"])
        .refused(&["token \"hsm\"", "refuses the PIN"]);
    write(
        at.hsm.pin_file().parent().unwrap(),
        "pin",
        crate::support::softhsm::PIN,
    );
    let (mut running, base_url, _) = at.serve();
    assert_eq!(enrol(&client(&base_url, &at.path("token-cert.pem"))), 200);
    assert!(running.signal("TERM").success());
}
