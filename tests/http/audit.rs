//! The audit trail: what each act leaves in it, and what the real `audit` command finds and tells.

mod acts;
mod commands;
mod flood;
mod nodes;
mod tampering;

use crate::support::TestDatabase;
use crate::support::gateway::test_key;
use serde_json::Value;
use std::path::PathBuf;
use std::process::{Command, Output};

/// A configuration file for `database`; one that is there already stays.
fn config_file(database: &TestDatabase) -> PathBuf {
    let config = database.dir().join("gateway.toml");
    if config.exists() {
        return config;
    }
    let text = format!(
        "[server]\ndrain_delay_s = 0\nlisten = \"127.0.0.1:0\"\n[metrics]\nlisten = \"127.0.0.1:0\"\n[database]\nurl = {:?}\n[vault]\nkek_file = {:?}\n[[keys.gateway]]\nfile = {:?}\nstate = \"primary\"\n",
        database.url_text,
        test_key("kek.key"),
        test_key("gateway.pem"),
    );
    std::fs::write(&config, text).unwrap();
    config
}

/// Runs the real program on `database`, as the operator `alice`.
fn operate(database: &TestDatabase, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_issuer-gateway"))
        .arg("--config")
        .arg(config_file(database))
        .args(arguments)
        .env_remove("SUDO_USER")
        .env("USER", "alice")
        .output()
        .unwrap()
}

/// Exit status and standard output of `audit verify`.
fn verify(database: &TestDatabase, arguments: &[&str]) -> (i32, String) {
    let output = operate(database, &[&["audit", "verify"], arguments].concat());
    (
        output.status.code().unwrap(),
        String::from_utf8(output.stdout).unwrap(),
    )
}

#[track_caller]
fn assert_whole(database: &TestDatabase) -> String {
    let (status, text) = verify(database, &[]);
    assert_eq!(status, 0, "{text}");
    text
}

/// What `audit export` writes: every line a JSON object, in the order of time.
fn export(database: &TestDatabase, arguments: &[&str]) -> Vec<Value> {
    let output = operate(database, &[&["audit", "export"], arguments].concat());
    assert!(output.status.success(), "{output:?}");
    let text = String::from_utf8(output.stdout).unwrap();
    let mut lines: Vec<Value> = text
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    lines.sort_by(|a, b| a["at"].as_str().cmp(&b["at"].as_str()));
    lines
}

/// A column of an exported entry; empty if it is null.
fn text<'a>(entry: &'a Value, name: &str) -> &'a str {
    match &entry[name] {
        Value::Null => "",
        value => value.as_str().unwrap(),
    }
}

/// `action outcome reason` of each entry.
fn summary(entries: &[Value]) -> Vec<String> {
    let fields = ["action", "outcome", "reason"];
    entries
        .iter()
        .map(|entry| {
            let words = fields.map(|name| text(entry, name));
            words.join(" ").trim_end().to_owned()
        })
        .collect()
}

/// The entries with one of these actions.
fn only(entries: &[Value], actions: &[&str]) -> Vec<Value> {
    let wanted = |entry: &&Value| actions.contains(&text(entry, "action"));
    entries.iter().filter(wanted).cloned().collect()
}
