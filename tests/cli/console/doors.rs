//! Who may see the console, and where what it has recorded does not go.

use super::{Sandbox, send};
use crate::process::{Running, run_with, text};
use crate::sandbox::description;
use std::io::Read;
use std::path::{Path, PathBuf};

#[test]
fn strangers_are_kept_out() {
    let sandbox = Sandbox::start();
    for path in [
        "/",
        "/console/calls.json",
        "/console/try",
        "/console/files/demo/signing.pem",
        "/console/console.js",
    ] {
        // After DNS rebinding the browser still says the name that it was given.
        let rebound = sandbox.send("GET", path, &[("host", "rebound.example")], "");
        assert_eq!(rebound.status, 403, "{path}");
        let forwarded = sandbox.send("GET", path, &[("x-forwarded-for", "203.0.113.7")], "");
        assert_eq!(forwarded.status, 403, "{path}");
        let own = sandbox.get(path);
        assert_eq!(own.status, 200, "{path}");
        assert!(
            own.header("content-security-policy")
                .starts_with("default-src 'none'")
        );
        assert_eq!(own.header("cache-control"), "no-store");
        assert_eq!(own.header("cross-origin-resource-policy"), "same-origin");
    }
    for headers in [
        [
            ("origin", "http://elsewhere.example"),
            ("sec-fetch-site", "cross-site"),
        ],
        [("origin", "null"), ("sec-fetch-site", "same-origin")],
        [
            ("origin", sandbox.base_url.as_str()),
            ("sec-fetch-site", "cross-site"),
        ],
    ] {
        let form = ("content-type", "application/x-www-form-urlencoded");
        let all = [headers[0], headers[1], form];
        for (path, body) in [
            ("/console/faults", "fault=cut"),
            ("/console/actions", "issuer=demo&action=suspend"),
            ("/console/clear", ""),
        ] {
            assert_eq!(
                sandbox.send("POST", path, &all, body).status,
                403,
                "{path} {headers:?}"
            );
        }
    }
    assert!(
        sandbox
            .get("/console/faults")
            .body
            .contains("Calls are handled as always")
    );
    for path in [
        "/console",
        "/console/",
        "/console/nothing",
        "/console/calls/x",
    ] {
        assert_eq!(sandbox.get(path).status, 404, "{path}");
    }
}

#[test]
fn a_proxy_in_front_means_no_console() {
    let root = tempfile::tempdir().unwrap();
    let dir = root.path().join("sandbox");
    drop(Running::sandbox(&dir));
    let config = dir.join("gateway.toml");
    let text_of = std::fs::read_to_string(&config).unwrap();
    let changed = text_of.replace("[server]\n", "[server]\nbehind_tls_proxy = true\n");
    std::fs::write(&config, changed).unwrap();
    let _second = Running::sandbox(&dir);
    let base_url = description(&dir)["base_url"].as_str().unwrap().to_owned();
    for path in ["/", "/console/calls.json", "/console/try"] {
        assert_eq!(
            send("GET", &format!("{base_url}{path}"), &[], "").status,
            404,
            "{path}"
        );
    }
}

#[test]
fn what_is_recorded_reaches_no_file_and_no_log() {
    let root = tempfile::tempdir().unwrap();
    let dir = root.path().join("sandbox");
    let mut running = Running::start(
        &["sandbox", "--dir", text(&dir), "--port", "0"],
        &[("ISSUER_GATEWAY__LOG__FILTER", "trace")],
    );
    running.wait_for("stdout", "Serving until Ctrl-C.");
    let file = dir.join("sandbox.json");
    let card = issuer_gateway::client::sample::enrolment("534403");
    let number = card["cardNumber"].as_str().unwrap().to_owned();
    let args = ["client", "enrol", "-", "--sandbox", text(&file)];
    let output = run_with(&args, &[], card.to_string().as_bytes());
    output.ok();
    let base_url = description(&dir)["base_url"].as_str().unwrap().to_owned();
    let seen = send("GET", &format!("{base_url}/console/calls/1.json"), &[], "");
    assert!(seen.body.contains(&number), "the console shows it");
    assert!(running.signal("TERM").success());
    let logged = running.written("stdout") + &running.written("stderr");
    assert!(!logged.contains(&number) && !logged.contains("Jane"));
    for path in all_files(&dir) {
        let mut content = Vec::new();
        std::fs::File::open(&path)
            .unwrap()
            .read_to_end(&mut content)
            .unwrap();
        let found = content
            .windows(number.len())
            .any(|part| part == number.as_bytes());
        assert!(!found, "{}", path.display());
    }
}

#[test]
fn without_a_console_nothing_is_shown() {
    let root = tempfile::tempdir().unwrap();
    let dir = root.path().join("sandbox");
    let args = [
        "sandbox",
        "--dir",
        text(&dir),
        "--port",
        "0",
        "--no-console",
    ];
    let mut running = Running::start(&args, &[]);
    running.wait_for("stdout", "Serving until Ctrl-C.");
    assert!(!running.written("stdout").contains("console"));
    let base_url = description(&dir)["base_url"].as_str().unwrap().to_owned();
    for path in ["/", "/console/calls.json"] {
        assert_eq!(
            send("GET", &format!("{base_url}{path}"), &[], "").status,
            404
        );
    }
}

fn all_files(dir: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files.extend(all_files(&path));
        } else {
            files.push(path);
        }
    }
    files
}
