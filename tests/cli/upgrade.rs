//! Databases that former versions have filled (`tests/upgrade`) are brought up to date, and go on.

use crate::config_file::Sections;
use crate::on_both;
use crate::process::{Running, run, text};
use crate::support::gateway::{TestClient, assert_refused, consumer_key, user_id};
use crate::support::{Backend, TestDatabase};
use issuer_gateway::client::sample;
use serde_json::Value;
use std::path::{Path, PathBuf};

on_both!(blocking: every_former_version_is_upgraded);

/// The card of the first cardholder.
const ENROLLED: &str = "5344035555555556";

/// The folders of the versions.
fn versions() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/upgrade");
    let entries = std::fs::read_dir(folder).unwrap();
    let paths = entries.map(|entry| entry.unwrap().path());
    paths.filter(|path| path.is_dir()).collect()
}

fn every_former_version_is_upgraded(backend: Backend) {
    let versions = versions();
    assert!(!versions.is_empty());
    for version in versions {
        upgraded(backend, &version);
    }
}

fn upgraded(backend: Backend, version: &Path) {
    let name = match backend {
        Backend::Sqlite => "sqlite",
        Backend::Postgres => "postgres",
    };
    let read = |file: &str| std::fs::read_to_string(version.join(file)).unwrap();
    let facts: Value = serde_json::from_str(&read("facts.json")).unwrap();
    let users: Vec<&str> = facts[name]["users"]
        .as_array()
        .unwrap()
        .iter()
        .map(|user| user.as_str().unwrap())
        .collect();
    let database = TestDatabase::empty(backend);
    database.execute(&read(&format!("{name}.sql")));
    let dir = tempfile::tempdir().unwrap();
    let config = Sections::new(&database.url_text).write(dir.path());
    let operate = |args: &[&str]| {
        let mut all = vec!["--config", text(&config)];
        all.extend(args);
        run(&all).ok()
    };
    operate(&["migrate"]);
    assert_eq!(operate(&["migrate"]), "The database is up to date.\n");
    operate(&["vault", "verify"]);
    operate(&["audit", "verify"]);

    let (mut running, base_url) = Running::serve(&config, &[]);
    let (signing, decryption) = ("issuer-signing", Some("issuer-encryption"));
    let client = TestClient::new(&base_url, &consumer_key("demo"), signing, decryption);
    // A card is known, a cardholder is opened and sealed again, and new ones come.
    let mut known = sample::enrolment("534403");
    known["cardNumber"] = ENROLLED.into();
    assert_refused(&client.enrol(&known), 400, &["USER_ALREADY_EXISTS"]);
    assert_eq!(client.update(users[0], &sample::update()).status, 200);
    user_id(&client.enrol(&sample::enrolment("534403")));
    // The record of the users API opens, for the key of then.
    let record = ureq::get(format!("{base_url}/users/u1"))
        .header(
            "Authorization",
            format!("Bearer {}", facts[name]["app_key"].as_str().unwrap()),
        )
        .call();
    let record = record.unwrap().body_mut().read_to_string().unwrap();
    assert!(record.contains("test@example.com"), "{record}");
    assert!(running.signal("TERM").success());
    for user in users {
        assert!(operate(&["user", "show", user]).contains("ACTIVE"));
    }
    operate(&["vault", "reseal"]);
    operate(&["vault", "verify"]);
    operate(&["audit", "verify"]);
}
