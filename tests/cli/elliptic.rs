//! Elliptic-curve keys from the command line: made, rotated, and used by `client --key ec`.

use crate::config_file::{key, ready};
use crate::process::{Running, run, text, write};
use crate::support::gateway::{consumer_key, issuer_toml, test_key};
use crate::support::{Backend, TestDatabase};
use issuer_gateway::client::sample;
use std::path::Path;

#[test]
fn an_ec_key_is_made_declared_and_rotated_beside_rsa() {
    let database = TestDatabase::empty(Backend::Sqlite);
    let dir = tempfile::tempdir().unwrap();
    let file = |name: &str| dir.path().join(name);
    for (option, name) in [("--ec", "p256.pem"), ("--ec=P-384", "p384.pem")] {
        let made = run(&["keys", "generate", option, text(&file(name))]).ok();
        assert!(made.contains("-cert.pem"), "{made}");
    }
    let refused = run(&["keys", "generate", "--ec=P-521", text(&file("p521.pem"))]);
    assert!(
        refused.stderr.contains("P-256 or P-384"),
        "{}",
        refused.stderr
    );
    let fingerprint = run(&["keys", "fingerprint", text(&file("p256.pem"))]).ok();
    assert!(fingerprint.contains("thumbprint"), "{fingerprint}");

    let config = ready(&database, dir.path(), |sections| {
        let ec = |name: &str| format!("[[keys.gateway]]\nfile = \"{name}\"\nstate = \"primary\"\n");
        // New files go beside the first primary key's.
        sections.keys = ec("p256.pem") + &ec("p384.pem") + &key("gateway", "primary");
    });
    let command = |args: &[&str]| run(&[&["--config", text(&config), "keys"], args].concat());
    let kinds = |listed: &str| -> Vec<(String, String)> {
        let lines = listed.lines().skip(1).map(|line| {
            let words: Vec<&str> = line.split_whitespace().collect();
            (words[0].to_owned(), words[3].to_owned())
        });
        lines.collect()
    };
    let pair = |state: &str, kind: &str| (state.to_owned(), kind.to_owned());
    assert_eq!(
        kinds(&command(&["list"]).ok()),
        [
            pair("primary", "P-256"),
            pair("primary", "P-384"),
            pair("primary", "RSA-2048")
        ]
    );
    let added = command(&["rotate", "--ec"]).ok();
    assert!(added.contains("--promote --ec=P-256"), "{added}");
    command(&["rotate", "--promote"]).refused(&["no active RSA key"]);
    command(&["rotate", "--promote", "--ec"]).ok();
    assert_eq!(
        kinds(&command(&["list"]).ok()),
        [
            pair("active", "P-256"),
            pair("primary", "P-384"),
            pair("primary", "RSA-2048"),
            pair("primary", "P-256"),
        ]
    );
}

fn client(dir: &Path, args: &[&str]) -> crate::process::Output {
    let sandbox = dir.join("sandbox.json");
    run(&[
        &["client", "enrol", "--sandbox", text(&sandbox), "-v"],
        args,
    ]
    .concat())
}

#[test]
fn a_sandbox_has_an_ec_key_that_the_client_encrypts_to() {
    let dir = tempfile::tempdir().unwrap();
    let mut running = Running::sandbox(dir.path());
    let by_ec = client(dir.path(), &["--key", "ec"]).ok();
    assert!(by_ec.contains("HTTP 200"), "{by_ec}");
    client(dir.path(), &["--key", "rsa"]).ok();
    client(dir.path(), &["--key", "ec", "--envelope", "fle"]).refused(&["encrypt"]);
    assert!(running.signal("TERM").success());
}

/// An issuer with an EC certificate reads its answers in JWE.
#[test]
fn answers_are_encrypted_to_an_issuers_ec_certificate() {
    let database = TestDatabase::empty(Backend::Sqlite);
    let dir = tempfile::tempdir().unwrap();
    let file = |name: &str| dir.path().join(name);
    run(&["keys", "generate", "--ec", text(&file("gateway.pem"))]).ok();
    run(&["keys", "generate", "--ec=P-384", text(&file("bank.pem"))]).ok();
    let config = ready(&database, dir.path(), |sections| {
        sections.keys =
            "[[keys.gateway]]\nfile = \"gateway.pem\"\nstate = \"primary\"\n".to_owned();
    });
    let declare = |lines: &str| {
        let signing = test_key("issuer-signing-cert.pem");
        let issuer = issuer_toml("bank", &["2720"], true).replace("[\"2\", ", "[");
        let issuer = format!(
            "{issuer}{lines}\n[[issuer.signing]]\nconsumer_key = \"{}\"\ncertificate = \"{}\"\n\
             [[issuer.encryption]]\ncertificate = \"bank-cert.pem\"\n",
            consumer_key("bank"),
            signing.display()
        );
        let toml = write(dir.path(), "bank.toml", &issuer);
        run(&["--config", text(&config), "issuer", "apply", text(&toml)])
    };
    let jwe = "answers = { envelope = \"jwe\" }";
    let named = &["encryption", "EC certificates read JWE alone"];
    declare("").refused(named);
    declare(jwe).refused(named);
    declare(&format!("envelopes = [\"jwe\"]\n{jwe}")).ok();

    let (mut running, base_url) = Running::serve(&config, &[]);
    let clear = write(
        dir.path(),
        "clear.json",
        &sample::enrolment("272044").to_string(),
    );
    let enrolled = run(&[
        "client",
        "enrol",
        text(&clear),
        "-v",
        "--base-url",
        &base_url,
        "--consumer-key",
        &consumer_key("bank"),
        "--signing-key",
        text(&test_key("issuer-signing.pem")),
        "--gateway-certificate",
        text(&file("gateway-cert.pem")),
        "--decryption-key",
        text(&file("bank.pem")),
    ])
    .ok();
    assert!(
        enrolled.contains("HTTP 200") && enrolled.contains("\"userid\""),
        "{enrolled}"
    );
    assert!(running.signal("TERM").success());
}
