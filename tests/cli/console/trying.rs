//! Faults on demand, buttons, downloads, and the example for tests in Rust.

use super::{Sandbox, helper, send};
use crate::process::text;
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::time::Duration;

#[test]
fn faults_come_as_ordered() {
    let sandbox = Sandbox::start();
    let order =
        |form: &str| assert_eq!(sandbox.post("/console/faults", form).status, 303, "{form}");
    let enrol = |issuer: &str| sandbox.client(&["enrol", "--issuer", issuer]);

    order("issuer=demo&fault=USER_ALREADY_EXISTS&calls=2");
    enrol("basic").ok();
    for _ in 0..2 {
        let refused = enrol("demo");
        assert!(
            refused.stdout.contains("USER_ALREADY_EXISTS"),
            "{}",
            refused.stdout
        );
        assert_eq!(sandbox.newest()["summary"]["fault"], "USER_ALREADY_EXISTS");
        assert!(
            !sandbox.newest()["request"]["body"]
                .as_str()
                .unwrap()
                .is_empty()
        );
    }
    enrol("demo").ok();

    order("fault=unavailable&value=7");
    let busy = sandbox.get("/issuers");
    assert_eq!((busy.status, busy.header("retry-after")), (503, "7"));
    assert!(busy.body.contains("SERVICE_UNAVAILABLE"));

    // The call is done; its answer is lost.
    order("issuer=demo&fault=cut");
    let cut = enrol("demo");
    assert_eq!(cut.code, Some(1));
    // Before its head or in its body, as the socket's buffers have it.
    let lost = ["Peer disconnected", "reading the answer"];
    assert!(
        lost.iter().any(|words| cut.stderr.contains(words)),
        "{}",
        cut.stderr
    );
    assert_eq!(sandbox.newest()["summary"]["status"], 200);

    order("issuer=demo&fault=wrong-key");
    let wrong = enrol("demo");
    assert!(
        wrong
            .stderr
            .contains("does not open with the given decryption key"),
        "{}",
        wrong.stderr
    );
    let call = sandbox.newest();
    assert_eq!(call["answer"]["clear"]["status"], "ACTIVE");
    enrol("demo").ok();

    order("issuer=demo&fault=delay&value=300&calls=1");
    enrol("demo").ok();
    assert!(
        sandbox.newest()["summary"]["microseconds"]
            .as_u64()
            .unwrap()
            >= 300_000
    );

    order("fault=cut&calls=5");
    assert!(sandbox.get("/console/faults").body.contains("everybody"));
    assert_eq!(sandbox.post("/console/faults/clear", "").status, 303);
    enrol("demo").ok();
    for wrong in [
        "fault=so+what",
        "fault=NO_SUCH_CODE",
        "fault=cut&calls=10001",
        "fault=delay&value=x",
    ] {
        assert_eq!(
            sandbox.post("/console/faults", wrong).status,
            400,
            "{wrong}"
        );
    }
    assert_eq!(
        sandbox
            .post("/console/faults", "issuer=nobody&fault=cut")
            .status,
        404
    );
}

#[test]
fn a_header_makes_the_fault_of_one_call() {
    let sandbox = Sandbox::start();
    let with = |fault: &str| sandbox.send("GET", "/issuers", &[("x-sandbox-fault", fault)], "");
    let suspended = with("ACCOUNT_SUSPENDED");
    assert_eq!(suspended.status, 401);
    assert!(suspended.body.contains("ACCOUNT_SUSPENDED"));
    assert!(suspended.header("www-authenticate").starts_with("OAuth"));
    assert_eq!(with("unavailable=3").header("retry-after"), "3");
    assert_eq!(
        with("delay=1").status,
        401,
        "handled as always: it is not signed"
    );
    let unknown = with("nonsense");
    assert_eq!(unknown.status, 400);
    assert!(unknown.body.contains("a fault is a ReasonCode"));
    assert_eq!(sandbox.get("/issuers").status, 401);
    assert_eq!(sandbox.calls("").len(), 5);
}

#[test]
fn buttons_make_calls_and_turn_switches() {
    let sandbox = Sandbox::start();
    let press = |action: &str| {
        let pressed = sandbox.post("/console/actions", &format!("issuer=demo&action={action}"));
        assert_eq!(pressed.status, 303, "{action}: {}", pressed.body);
        pressed.header("location").to_owned()
    };
    let said = || sandbox.get("/console/try?issuer=demo").body;

    assert_eq!(press("year"), "/console/try?issuer=demo");
    assert!(said().contains("transactions of"), "{}", said());
    let paths: Vec<String> = sandbox
        .calls("")
        .iter()
        .map(|call| call["url"].as_str().unwrap().to_owned())
        .collect();
    assert!(paths[0].ends_with("/issuers/transactions") && paths[1].ends_with("/issuers/users"));
    let year = sandbox.newest();
    assert!(
        year["request"]["clear"]["transactions"]
            .as_array()
            .unwrap()
            .len()
            > 250
    );

    let view = press("dashboard");
    assert!(
        view.starts_with(&format!("{}/home/", sandbox.base_url)),
        "{view}"
    );
    assert_eq!(send("GET", &view, &[], "").status, 303);

    press("suspend");
    assert!(said().contains("ACCOUNT_SUSPENDED"));
    press("enrol");
    assert!(said().contains("It did not work: the call was refused: 401 ACCOUNT_SUSPENDED"));
    press("resume");
    press("enrol");
    assert!(said().contains("Enrolled the cardholder"));
    press("donation-off");
    assert!(said().contains("donation off"));
    press("donation-on");
    assert!(said().contains("donation on"));

    assert_eq!(
        sandbox
            .post("/console/actions", "issuer=demo&action=format")
            .status,
        400
    );
    assert_eq!(
        sandbox
            .post("/console/actions", "issuer=nobody&action=enrol")
            .status,
        404
    );
}

#[test]
fn keys_certificates_and_clients_can_be_downloaded() {
    let sandbox = Sandbox::start();
    for name in [
        "signing.p12",
        "signing.pem",
        "decryption-cert.pem",
        "gateway-cert.pem",
        "sandbox.json",
    ] {
        let url = format!("{}/console/files/compat/{name}", sandbox.base_url);
        let mut response = ureq::get(&url).call().unwrap();
        let file = match name {
            "gateway-cert.pem" | "sandbox.json" => sandbox.dir.join(name),
            name => sandbox.dir.join("compat").join(name),
        };
        let body = response.body_mut().read_to_vec().unwrap();
        assert_eq!(body, std::fs::read(file).unwrap(), "{name}");
        let disposition = response.headers()["content-disposition"].to_str().unwrap();
        assert_eq!(disposition, format!("attachment; filename=\"{name}\""));
    }
    for path in [
        "compat/kek.key",
        "compat/..%2Fkek.key",
        "nobody/signing.pem",
        "..%2F/signing.pem",
        "%2E%2E/gateway.pem",
    ] {
        assert_eq!(
            sandbox.get(&format!("/console/files/{path}")).status,
            404,
            "{path}"
        );
    }
    let snippet = sandbox.get("/console/snippets/demo/enrol.sh");
    assert!(snippet.body.starts_with("#!/usr/bin/env bash"));
    assert_eq!(sandbox.get("/console/snippets/demo/enrol.bas").status, 404);

    // The one that needs nothing but curl and openssl really enrols.
    let file = sandbox.dir.join("enrol.sh");
    std::fs::write(&file, snippet.body).unwrap();
    let output = std::process::Command::new("bash")
        .arg(&file)
        .output()
        .unwrap();
    let written = String::from_utf8_lossy(&output.stdout);
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let answer: Value = serde_json::from_str(&written).unwrap();
    assert_eq!(answer["status"], "ACTIVE", "{written}");
}

#[test]
fn the_example_for_rust_starts_a_seeded_sandbox_and_ends_it() {
    let program = Path::new(env!("CARGO_BIN_EXE_issuer-gateway"));
    let seed = example("seed.toml");
    let options = ["--seed", text(&seed), "--seed-keys=ci"];
    let sandbox = helper::Sandbox::start(program, &options).unwrap();
    let jane = &sandbox.description["cardholders"]["jane"];
    assert_eq!(jane["issuer"], "acme");
    // As the examples in Node and Python have it.
    assert_eq!(jane["userid"], "b9e3a66f-827f-4ba2-8a71-24eee5519685");
    assert!(sandbox.path("acme/signing.pem").exists());
    let url = format!("{}/console/calls.json", sandbox.base_url());
    let calls = send("GET", &url, &[], "").json();
    assert!(
        calls["calls"].as_array().unwrap().len() >= 3,
        "they were enrolled by calls"
    );
    drop(sandbox);
    let config = ureq::Agent::config_builder().timeout_global(Some(Duration::from_secs(5)));
    assert!(ureq::Agent::from(config.build()).get(&url).call().is_err());
    assert!(helper::Sandbox::start(program, &["--seed", "nowhere.toml"]).is_err());
}

/// A file of `examples/sandbox`.
fn example(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("examples/sandbox")
        .join(name)
}
