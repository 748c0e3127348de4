//! `client enrol|update`: an issuer server in one command.

use crate::process::{Output, Running, run, run_with, text, write};
use crate::sandbox::description;
use issuer_gateway::client::sample;
use serde_json::Value;
use std::path::{Path, PathBuf};

struct Sandbox {
    _running: Running,
    root: tempfile::TempDir,
    dir: PathBuf,
}

fn sandbox() -> Sandbox {
    let root = tempfile::tempdir().unwrap();
    let dir = root.path().join("sandbox");
    Sandbox {
        _running: Running::sandbox(&dir),
        root,
        dir,
    }
}

impl Sandbox {
    fn client(&self, args: &[&str], input: &[u8]) -> Output {
        let file = self.dir.join("sandbox.json");
        let mut all = vec!["client"];
        all.extend(args);
        all.extend(["--sandbox", text(&file)]);
        run_with(&all, &[], input)
    }
}

/// The user id in the printed answer.
fn user_id(stdout: &str) -> String {
    let answer: Value = serde_json::from_str(stdout).unwrap();
    assert_eq!(answer["status"], "ACTIVE");
    answer["userid"].as_str().unwrap().to_owned()
}

#[test]
fn json_comes_from_a_file_from_standard_input_or_is_made() {
    let sandbox = sandbox();
    let from_file = write(
        sandbox.root.path(),
        "card.json",
        &sample::enrolment("518145").to_string(),
    );
    let id = user_id(&sandbox.client(&["enrol", text(&from_file)], b"").ok());
    let input = sample::enrolment("5424").to_string();
    user_id(&sandbox.client(&["enrol", "-"], input.as_bytes()).ok());
    let made = sandbox.client(&["enrol"], b"");
    assert!(made.stderr.contains("HTTP 200"), "{}", made.stderr);
    user_id(&made.ok());

    let update = write(
        sandbox.root.path(),
        "update.json",
        &sample::update().to_string(),
    );
    for args in [
        vec!["update", &id],
        vec!["update", &id, text(&update)],
        vec!["update", &id, "-"],
    ] {
        let input = sample::update().to_string();
        assert_eq!(user_id(&sandbox.client(&args, input.as_bytes()).ok()), id);
    }
}

#[test]
fn envelopes_signatures_issuers_and_base_urls_go_together() {
    let sandbox = sandbox();
    let cts = format!(
        "{}/cts",
        description(&sandbox.dir)["base_url"].as_str().unwrap()
    );
    for issuer in ["demo", "compat", "basic"] {
        for envelope in ["jwe", "fle"] {
            for signature in ["rsa-sha256", "rsa-pss"] {
                let how = [
                    "--envelope",
                    envelope,
                    "--signature",
                    signature,
                    "--issuer",
                    issuer,
                    "--base-url",
                    &cts,
                    "-v",
                ];
                let mut enrol = vec!["enrol"];
                enrol.extend(how);
                let shown = sandbox.client(&enrol, b"").ok();
                let method = if signature == "rsa-pss" {
                    "RSA-PSS"
                } else {
                    "RSA-SHA256"
                };
                assert!(shown.contains(method), "{shown}");
                assert!(
                    shown.contains(&format!("POST {cts}/issuers/users")),
                    "{shown}"
                );
                assert_eq!(shown.contains("encryptedKey"), envelope == "fle", "{shown}");
            }
        }
    }
}

#[test]
fn verbose_shows_clear_wire_and_opened() {
    let sandbox = sandbox();
    let enrolment = sample::enrolment("534403");
    let input = enrolment.to_string();
    let pan = enrolment["cardNumber"].as_str().unwrap();
    for envelope in ["jwe", "fle"] {
        let shown = sandbox.client(
            &["enrol", "-", "-v", "--envelope", envelope],
            input.as_bytes(),
        );
        if envelope == "jwe" {
            assert_eq!(shown.code, Some(0));
        } else {
            // The same card again.
            assert_eq!(shown.code, Some(1));
        }
        let text = &shown.stdout;
        let stages = [
            "--- request in clear",
            "--- request on the wire",
            "--- answer on the wire",
            "--- answer opened",
        ];
        let at = stages.map(|stage| {
            text.find(stage)
                .unwrap_or_else(|| panic!("no {stage} in {text}"))
        });
        assert!(at.is_sorted());
        let (clear, request, answer, opened) = (
            &text[at[0]..at[1]],
            &text[at[1]..at[2]],
            &text[at[2]..at[3]],
            &text[at[3]..],
        );
        assert!(clear.contains(pan));
        assert!(
            !request.contains(pan)
                && request.contains("encryptedData")
                && request.contains("Authorization: OAuth ")
        );
        if envelope == "jwe" {
            assert!(
                answer.contains("HTTP 200")
                    && answer.contains("encryptedData")
                    && !answer.contains("userid")
            );
            assert!(opened.contains("userid") && opened.contains(&pan[12..]));
        } else {
            assert!(answer.contains("HTTP 400") && opened.contains("USER_ALREADY_EXISTS"));
        }
    }
}

#[test]
fn a_refusal_is_exit_status_1() {
    let sandbox = sandbox();
    let mut foreign = sample::enrolment("222300");
    let refused = |args: &[&str], input: &str, code: &str| {
        let output = sandbox.client(args, input.as_bytes());
        assert_eq!(output.code, Some(1), "{}{}", output.stdout, output.stderr);
        assert!(
            output.stdout.contains(code),
            "{}{}",
            output.stdout,
            output.stderr
        );
    };
    refused(&["enrol", "-"], &foreign.to_string(), "INVALID_FPAN");
    foreign["cardNumber"] = "5344035171224363".into();
    foreign["expiryInfo"]["year"] = "2001".into();
    refused(
        &["enrol", "-"],
        &foreign.to_string(),
        "INVALID_REQUEST_PARAMETER",
    );
    refused(&["enrol", "-"], "not json", "Errors");
    let id = issuer_gateway::ids::CardholderId::random();
    refused(&["update", id.as_str()], "", "USER_NOT_FOUND");
    refused(
        &["update", id.as_str(), "--issuer", "basic"],
        "",
        "UPDATE_USER_NOT_ACCESSIBLE",
    );

    sandbox
        .client(&["update", "short"], b"")
        .refused(&["36 characters"]);
    sandbox
        .client(&["enrol", "--issuer", "nobody"], b"")
        .refused(&["nobody", "demo", "compat", "basic"]);
    sandbox
        .client(&["enrol", "/nonexistent.json"], b"")
        .refused(&["/nonexistent.json"]);
    sandbox
        .client(&["enrol", "--base-url", "http://127.0.0.1:1"], b"")
        .refused(&["http://127.0.0.1:1"]);
    run(&["client", "enrol", "--sandbox", "/nonexistent/sandbox.json"])
        .refused(&["start a sandbox first"]);
}

#[test]
fn explicit_key_files_take_the_place_of_a_sandbox() {
    let sandbox = sandbox();
    let described = description(&sandbox.dir);
    let path = |relative: &Value| {
        text(&sandbox.dir.join(Path::new(relative.as_str().unwrap()))).to_owned()
    };
    let base_url = described["base_url"].as_str().unwrap();
    let certificate = path(&described["gateway"]["certificate"]);
    let client = |issuer: &str, decryption: bool, range: &str, json: bool| {
        let issuer = &described["issuers"][issuer];
        let (signing, opening) = (
            path(&issuer["signing_key"]),
            path(&issuer["decryption_key"]),
        );
        let mut args = vec![
            "client",
            "enrol",
            "--base-url",
            base_url,
            "--consumer-key",
            issuer["consumer_key"].as_str().unwrap(),
            "--signing-key",
            &signing,
            "--gateway-certificate",
            &certificate,
        ];
        if decryption {
            args.extend(["--decryption-key", &opening]);
        }
        if json {
            args.push("-");
        }
        run_with(&args, &[], sample::enrolment(range).to_string().as_bytes())
    };
    user_id(&client("demo", true, "534403", true).ok());
    // Plain answers need no key.
    user_id(&client("compat", false, "222300", true).ok());
    client("demo", false, "534403", true).refused(&["encrypted", "decryption key"]);
    client("demo", true, "534403", false).refused(&["give the JSON"]);
    // Half of them is wrong usage.
    let output = run(&["client", "enrol", "--consumer-key", "a!b"]);
    assert_eq!(output.code, Some(2));
    assert!(output.stderr.contains("--signing-key"), "{}", output.stderr);
}
