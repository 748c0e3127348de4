//! Configurations for `serve`, and their refusal by name.

use crate::on_both;
use crate::process::{run, run_with, text, write};
use crate::support::Backend;
use crate::support::gateway::{issuers_toml, test_key};
use crate::support::{TestDatabase, gateway};
use std::path::{Path, PathBuf};

/// The `[database]`, `[vault]` and `[[keys.gateway]]` of a good configuration, each to be replaced
/// by a test.
pub(crate) struct Sections {
    pub(crate) server: String,
    pub(crate) database: String,
    pub(crate) vault: String,
    pub(crate) keys: String,
    pub(crate) rest: String,
}

impl Sections {
    pub(crate) fn new(database_url: &str) -> Self {
        Self {
            server: "listen = \"127.0.0.1:0\"".to_owned(),
            database: format!("url = \"{database_url}\""),
            vault: format!("kek_file = \"{}\"", test_key("kek.key").display()),
            keys: key("gateway", "primary"),
            rest: "[metrics]\nlisten = \"127.0.0.1:0\"\n".to_owned(),
        }
    }

    pub(crate) fn write(&self, dir: &Path) -> PathBuf {
        let Self {
            server,
            database,
            vault,
            keys,
            rest,
        } = self;
        let text = format!(
            "[server]\ndrain_delay_s = 0\n{server}\n[database]\n{database}\n[vault]\n{vault}\n{keys}\n{rest}"
        );
        write(dir, "gateway.toml", &text)
    }
}

/// A `[[keys.gateway]]` of a test key.
pub(crate) fn key(name: &str, state: &str) -> String {
    format!(
        "[[keys.gateway]]\nfile = \"{}\"\nstate = \"{state}\"\n",
        test_key(&format!("{name}.pem")).display()
    )
}

/// A configuration for the database with the three test issuers on board.
pub(crate) fn ready(
    database: &TestDatabase,
    dir: &Path,
    change: impl FnOnce(&mut Sections),
) -> PathBuf {
    let mut sections = Sections::new(&database.url_text);
    change(&mut sections);
    let config = sections.write(dir);
    let absolute = format!("certificate = \"{}/", test_key("").display()).replace("//", "/");
    let issuers = issuers_toml().replace("certificate = \"", &absolute);
    let issuers = write(dir, "issuers.toml", &issuers);
    run(&["--config", text(&config), "issuer", "apply", text(&issuers)]).ok();
    config
}

#[test]
fn a_bad_configuration_is_refused_by_name() {
    type Change = fn(&mut Sections);
    let cases: [(&str, Change, &[&str]); 30] = [
        (
            "unknown setting",
            |s| s.server += "\nlisten_on = 1",
            &["gateway.toml", "listen_on"],
        ),
        ("unknown section", |s| s.rest += "[sever]\n", &["sever"]),
        (
            "wrong type",
            |s| s.server += "\nworkers = \"many\"",
            &["workers"],
        ),
        (
            "broken TOML",
            |s| s.server += "\nworkers = ",
            &["gateway.toml"],
        ),
        (
            "beyond loopback",
            |s| s.server = "listen = \"0.0.0.0:0\"".into(),
            &["server.listen", "tls_certificate", "behind_tls_proxy"],
        ),
        (
            "no public origin",
            |s| s.server = "listen = \"0.0.0.0:0\"\nbehind_tls_proxy = true".into(),
            &["server.public_base_urls"],
        ),
        (
            "certificate alone",
            |s| s.server += "\ntls_certificate = \"a.pem\"",
            &["server.tls_certificate", "server.tls_key"],
        ),
        (
            "TLS files missing",
            |s| s.server += "\ntls_certificate = \"a.pem\"\ntls_key = \"a.key\"",
            &["server.tls_certificate", "a.pem"],
        ),
        (
            "bad public origin",
            |s| s.server += "\npublic_base_urls = [\"api.example\"]",
            &["server.public_base_urls", "api.example"],
        ),
        (
            "metrics in public",
            |s| s.rest = "[metrics]\nlisten = \"0.0.0.0:0\"\n".into(),
            &["metrics.listen", "loopback", "metrics.token_file"],
        ),
        (
            "shared sessions, and nowhere to migrate",
            |s| s.database += "\npool_mode = \"transaction\"",
            &["database.pool_mode", "database.migrate_url"],
        ),
        (
            "settings of a session without one",
            |s| {
                s.database = "url = \"postgres://h/db?options=-c%20lock_timeout%3D9s\"\nmigrate = false\npool_mode = \"transaction\"".into();
            },
            &["database.url", "options"],
        ),
        (
            "no KEK",
            |s| s.vault = String::new(),
            &["vault", "kek_file", "kek_env", "kek_shares"],
        ),
        (
            "two KEKs",
            |s| s.vault += "\nkek_shares = [{ env = \"A\" }, { env = \"B\" }]",
            &["vault", "exactly one"],
        ),
        (
            "one share",
            |s| s.vault = "kek_shares = [{ env = \"A\" }]".into(),
            &["gateway.toml", "kek_shares"],
        ),
        (
            "a further KEK from nowhere",
            |s| s.vault += "\n[[vault.further_keks]]",
            &["vault.further_keks", "exactly one of file, env, shares"],
        ),
        (
            "a share from two places",
            |s| s.vault = "kek_shares = [{ env = \"A\", file = \"a\" }, { env = \"B\" }]".into(),
            &["vault.kek_shares", "exactly one of file and env"],
        ),
        (
            "unknown place of a share",
            |s| s.vault = "kek_shares = [{ url = \"A\" }, { env = \"B\" }]".into(),
            &["gateway.toml", "url", "file", "env"],
        ),
        (
            "unknown place of a further KEK",
            |s| s.vault += "\n[[vault.further_keks]]\nkek_file = \"a\"",
            &["gateway.toml", "kek_file", "shares"],
        ),
        (
            "further KEK file missing",
            |s| s.vault += "\n[[vault.further_keks]]\nfile = \"no.key\"",
            &["vault.further_keks", "no.key"],
        ),
        (
            "further KEK from shares that are missing",
            |s| {
                s.vault +=
                    "\n[[vault.further_keks]]\nshares = [{ env = \"NO_SHARE\" }, { env = \"B\" }]";
            },
            &["vault.further_keks", "NO_SHARE"],
        ),
        (
            "KEK file missing",
            |s| s.vault = "kek_file = \"no.key\"".into(),
            &["vault.kek: file", "no.key"],
        ),
        (
            "KEK variable missing",
            |s| s.vault = "kek_env = \"NO_SUCH_KEK\"".into(),
            &["vault.kek: env", "NO_SUCH_KEK"],
        ),
        ("no keys", |s| s.keys = String::new(), &["keys"]),
        (
            "key file missing",
            |s| s.keys = s.keys.replace("gateway.pem", "none.pem"),
            &["none.pem"],
        ),
        (
            "not a key",
            |s| s.keys = s.keys.replace("gateway.pem", "gateway-cert.pem"),
            &["gateway-cert.pem", "no private key"],
        ),
        (
            "no primary key",
            |s| s.keys = key("gateway", "active"),
            &["keys.gateway", "primary"],
        ),
        (
            "two primary keys",
            |s| s.keys += &key("gateway-next", "primary"),
            &["keys.gateway", "primary"],
        ),
        (
            "multi-buffer library missing",
            |s| s.rest += "[crypto]\nmulti_buffer = \"absent.so\"\n",
            &["crypto.multi_buffer", "/absent.so", "\"auto\""],
        ),
        (
            "no such database",
            |s| s.database = "url = \"mysql://localhost/a\"".into(),
            &["database"],
        ),
    ];
    for (name, change, named) in cases {
        let dir = tempfile::tempdir().unwrap();
        let mut sections = Sections::new("sqlite:gateway.db");
        change(&mut sections);
        let config = sections.write(dir.path());
        println!("{name}");
        let message = run(&["--config", text(&config), "serve"]).refused(named);
        println!("  {message}");
        assert!(!message.contains("PRIVATE KEY"), "{name}");
    }
}

#[test]
fn no_configuration_at_all_is_refused() {
    run(&["serve"]).refused(&["--config"]);
    run(&["--config", "/nonexistent/gateway.toml", "serve"])
        .refused(&["/nonexistent/gateway.toml"]);
}

fn a_wrong_kek_is_refused(backend: Backend) {
    let database = TestDatabase::empty(backend);
    let dir = tempfile::tempdir().unwrap();
    let config = ready(&database, dir.path(), |_| {});
    // The right one makes the data keys.
    let (mut running, _) = crate::process::Running::serve(&config, &[]);
    running.signal("TERM");
    drop(running);
    let other = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
    let mut sections = Sections::new(&database.url_text);
    for (vault, env) in [
        (
            "kek_env = \"OTHER_KEK\"".to_owned(),
            vec![("OTHER_KEK", other)],
        ),
        (
            format!(
                "kek_file = \"{}\"",
                write(dir.path(), "other.key", other).display()
            ),
            vec![],
        ),
    ] {
        sections.vault = vault;
        let config = sections.write(dir.path());
        let message = run_with(&["--config", text(&config), "serve"], &env, b"").refused(&[]);
        assert!(
            message.to_lowercase().contains("kek") || message.contains("key-encryption"),
            "{message}"
        );
        assert!(!message.contains(other), "{message}");
    }
    sections.vault = "kek_env = \"OTHER_KEK\"".to_owned();
    let config = sections.write(dir.path());
    let short = run_with(
        &["--config", text(&config), "serve"],
        &[("OTHER_KEK", "c2hvcnRDYW5hcnk=")],
        b"",
    );
    let message = short.refused(&["OTHER_KEK", "32 bytes"]);
    assert!(!message.contains("c2hvcnRDYW5hcnk="), "{message}");
}

on_both!(blocking: a_wrong_kek_is_refused);

fn migrations_run_once(backend: Backend) {
    let database = TestDatabase::empty(backend);
    let dir = tempfile::tempdir().unwrap();
    let mut sections = Sections::new(&database.url_text);
    sections.database += "\nmigrate = false";
    let config = sections.write(dir.path());
    run(&["--config", text(&config), "serve"]).refused(&["issuer-gateway migrate"]);
    let first = run(&["--config", text(&config), "migrate"]).ok();
    let second = run(&["--config", text(&config), "migrate"]).ok();
    assert_ne!(
        first, second,
        "the second run has nothing to do and says so"
    );
    assert_eq!(database.count("users"), 0);
    let (mut running, _) = crate::process::Running::serve(&config, &[]);
    assert!(running.signal("TERM").success());
}

on_both!(blocking: migrations_run_once);

#[test]
fn the_environment_overrides_the_file() {
    let database = TestDatabase::empty(Backend::Sqlite);
    let dir = tempfile::tempdir().unwrap();
    let config = ready(&database, dir.path(), |sections| {
        sections.server = "listen = \"127.0.0.1:1\"".to_owned();
    });
    let url = database.url_text.as_str();
    let key = std::fs::read_to_string(test_key("kek.key")).unwrap();
    let env = [
        ("ISSUER_GATEWAY__SERVER__LISTEN", "127.0.0.1:0"),
        ("ISSUER_GATEWAY__SERVER__WORKERS", "1"),
        ("ISSUER_GATEWAY__DATABASE__URL", url),
        ("ISSUER_GATEWAY__LOG__FILTER", "issuer_gateway=debug"),
        ("ISSUER_GATEWAY__OAUTH__WINDOW_SECONDS", "60"),
        ("MY_KEK", key.as_str()),
    ];
    let (running, base_url) = crate::process::Running::serve(&config, &env);
    let answer = crate::support::wire::exchange(&base_url, "GET", "/health/ready", &[], b"");
    assert_eq!(answer.status, 200);
    drop(running);

    // The configuration file, too.
    let by_name = run_with(
        &["issuer", "list"],
        &[("ISSUER_GATEWAY_CONFIG", text(&config))],
        b"",
    )
    .ok();
    assert!(by_name.contains(gateway::ISSUERS[0].name));

    for (name, value, named) in [
        ("ISSUER_GATEWAY__SERVER__LISTEN_ON", "1", "listen_on"),
        ("ISSUER_GATEWAY__SERVER__WORKERS", "many", "workers"),
        (
            "ISSUER_GATEWAY__OAUTH__WINDOW_SECONDS",
            "0",
            "oauth.window_seconds",
        ),
    ] {
        run_with(&["--config", text(&config), "serve"], &[(name, value)], b"").refused(&[named]);
    }
}
