//! The sandbox's console: calls as they came, faults on demand, buttons, and who may see it all.

#[expect(unreachable_pub, reason = "a file to copy into other tests")]
#[path = "../../examples/sandbox/rust/sandbox.rs"]
mod helper;

mod doors;
mod trying;

use crate::process::{Running, run, text};
use crate::sandbox::description;
use serde_json::Value;
use std::io::{BufRead, BufReader, Write};
use std::net::TcpStream;
use std::path::PathBuf;
use std::time::Duration;

/// An answer of the console.
struct Page {
    status: u16,
    headers: ureq::http::HeaderMap,
    body: String,
}

impl Page {
    fn header(&self, name: &str) -> &str {
        self.headers
            .get(name)
            .map_or("", |value| value.to_str().unwrap())
    }

    fn json(&self) -> Value {
        assert_eq!(self.status, 200, "{}", self.body);
        serde_json::from_str(&self.body).unwrap()
    }
}

struct Sandbox {
    _running: Running,
    dir: PathBuf,
    base_url: String,
    _root: tempfile::TempDir,
}

impl Sandbox {
    fn start() -> Self {
        let root = tempfile::tempdir().unwrap();
        let dir = root.path().join("sandbox");
        let running = Running::sandbox(&dir);
        let base_url = description(&dir)["base_url"].as_str().unwrap().to_owned();
        Self {
            _running: running,
            dir,
            base_url,
            _root: root,
        }
    }

    fn send(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> Page {
        send(method, &format!("{}{path}", self.base_url), headers, body)
    }

    fn get(&self, path: &str) -> Page {
        self.send("GET", path, &[], "")
    }

    fn post(&self, path: &str, form: &str) -> Page {
        let form_type = ("content-type", "application/x-www-form-urlencoded");
        self.send("POST", path, &[form_type], form)
    }

    fn client(&self, args: &[&str]) -> crate::process::Output {
        let file = self.dir.join("sandbox.json");
        let mut all = vec!["client"];
        all.extend(args);
        all.extend(["--sandbox", text(&file)]);
        run(&all)
    }

    fn calls(&self, query: &str) -> Vec<Value> {
        let list = self.get(&format!("/console/calls.json{query}")).json();
        list["calls"].as_array().unwrap().clone()
    }

    /// The newest call, whole.
    fn newest(&self) -> Value {
        let number = self.calls("")[0]["number"].clone();
        self.get(&format!("/console/calls/{number}.json")).json()
    }
}

fn send(method: &str, url: &str, headers: &[(&str, &str)], body: &str) -> Page {
    let config = ureq::Agent::config_builder()
        .http_status_as_error(false)
        .max_redirects(0)
        .max_redirects_will_error(false)
        .timeout_global(Some(Duration::from_secs(60)));
    let agent: ureq::Agent = config.build().into();
    let mut request = ureq::http::Request::builder().method(method).uri(url);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let mut response = agent.run(request.body(body).unwrap()).unwrap();
    Page {
        status: response.status().as_u16(),
        headers: response.headers().clone(),
        body: response.body_mut().read_to_string().unwrap(),
    }
}

#[test]
fn a_call_is_shown_as_it_came_and_in_clear() {
    let sandbox = Sandbox::start();
    assert!(sandbox.get("/").body.contains("Nothing here yet"));
    for (issuer, envelope, name) in [("demo", "jwe", "JWE"), ("compat", "fle", "field-level")] {
        let enrol = ["enrol", "--issuer", issuer, "--envelope", envelope];
        sandbox.client(&enrol).ok();
        let call = sandbox.newest();
        let summary = &call["summary"];
        assert_eq!(summary["method"], "POST");
        assert_eq!(
            summary["url"],
            format!("{}/issuers/users", sandbox.base_url)
        );
        assert_eq!(
            (&summary["status"], &summary["issuer"]),
            (&200.into(), &issuer.into())
        );
        assert_eq!(
            (&summary["envelope"], &summary["proven"]),
            (&name.into(), &true.into())
        );
        assert_eq!(
            call["consumerKey"],
            description(&sandbox.dir)["issuers"][issuer]["consumer_key"]
        );
        assert_eq!(
            call["key"],
            description(&sandbox.dir)["gateway"]["fingerprint"]
        );
        let sealed = call["request"]["body"].as_str().unwrap();
        assert!(sealed.contains("encryptedData") && !sealed.contains("Jane"));
        assert_eq!(call["request"]["clear"]["cardholderName"], "Jane Sample");
        let headers = call["request"]["headers"].as_array().unwrap();
        let named = |name: &str| headers.iter().any(|header| header[0] == name);
        assert!(named("host") && named("authorization") && named("content-type"));
        // The issuer compat gets its answers in clear.
        let clear_answer = &call["answer"]["clear"];
        let plain = call["answer"]["body"].as_str().unwrap();
        match issuer {
            "demo" => assert_eq!(clear_answer["status"], "ACTIVE"),
            _ => assert!(clear_answer.is_null() && plain.contains("ACTIVE")),
        }
        let steps: Vec<_> = call["steps"]
            .as_array()
            .unwrap()
            .iter()
            .map(|step| &step["step"])
            .collect();
        assert_eq!(
            steps,
            [
                "body read",
                "signature",
                "checks",
                "decryption",
                "rules",
                "seal and commit",
                "answer"
            ]
        );
        let sum: u64 = call["steps"]
            .as_array()
            .unwrap()
            .iter()
            .map(|step| step["microseconds"].as_u64().unwrap())
            .sum();
        assert!(sum > 0 && sum <= summary["microseconds"].as_u64().unwrap());

        let page = sandbox
            .get(&format!("/console/calls/{}", summary["number"]))
            .body;
        for part in [
            "On the wire",
            "In clear",
            "Jane Sample",
            "seal and commit",
            "oauth_signature",
        ] {
            assert!(page.contains(part), "{part}");
        }
    }
    // What people look at is no call, nor is a health check.
    for path in [
        "/docs",
        "/openapi.json",
        "/health/live",
        "/console/try",
        "/home/",
    ] {
        sandbox.get(path);
    }
    assert_eq!(sandbox.calls("").len(), 2);
    assert_eq!(sandbox.get("/nowhere").status, 404);
    assert_eq!(sandbox.calls("").len(), 3, "a wrong path is worth seeing");

    assert_eq!(sandbox.post("/console/clear", "").status, 303);
    assert!(sandbox.calls("").is_empty());
    assert_eq!(sandbox.get("/console/calls/1").status, 404);
}

#[test]
fn a_refused_call_says_whose_it_claims_to_be_and_can_be_picked_out() {
    let sandbox = Sandbox::start();
    sandbox.client(&["enrol"]).ok();
    let consumer_key = description(&sandbox.dir)["issuers"]["basic"]["consumer_key"].clone();
    let forged = format!(
        r#"OAuth oauth_consumer_key="{}",oauth_nonce="abcdefgh",oauth_timestamp="1",oauth_signature_method="RSA-SHA256",oauth_version="1.0",oauth_body_hash="x",oauth_signature="x""#,
        consumer_key.as_str().unwrap()
    );
    let headers = [
        ("authorization", forged.as_str()),
        ("content-type", "application/json"),
    ];
    let body = r#"{"encryptedData":"<script>alert(1)</script>"}"#;
    assert!(
        sandbox
            .send("POST", "/issuers/users", &headers, body)
            .status
            >= 400
    );
    let call = sandbox.newest();
    assert_eq!(call["summary"]["issuer"], "basic");
    assert_eq!(call["summary"]["proven"], false);
    assert_eq!(call["request"]["body"], body);
    assert!(call["request"]["clear"].is_null());
    assert!(call["summary"]["refusal"].is_string());
    let page = sandbox
        .get(&format!("/console/calls/{}", call["summary"]["number"]))
        .body;
    assert!(!page.contains("<script>alert"), "escaped");
    assert!(page.contains("not proven"));

    assert_eq!(sandbox.calls("").len(), 2);
    assert_eq!(sandbox.calls("?refused=1").len(), 1);
    assert_eq!(sandbox.calls("?issuer=basic").len(), 1);
    assert_eq!(sandbox.calls("?issuer=demo").len(), 1);
    assert_eq!(sandbox.calls("?issuer=demo&refused=1").len(), 0);
    let shown = sandbox.get("/?refused=1").body;
    assert!(shown.contains("basic, unproven") && !shown.contains(">200<"));
}

#[test]
fn the_list_is_live() {
    let sandbox = Sandbox::start();
    let address = sandbox.base_url.strip_prefix("http://").unwrap();
    let mut stream = TcpStream::connect(address).unwrap();
    stream
        .set_read_timeout(Some(Duration::from_secs(60)))
        .unwrap();
    write!(
        stream,
        "GET /console/events HTTP/1.1\r\nHost: {address}\r\n\r\n"
    )
    .unwrap();
    let mut lines = BufReader::new(stream).lines().map(Result::unwrap);
    let mut until = |text: &str| lines.find(|line| line.contains(text)).unwrap();
    until("text/event-stream");
    until(": here");
    sandbox.client(&["enrol"]).ok();
    until("event: call");
    until("id: 1");
    let row = until("data: <tr");
    assert!(row.contains("/console/calls/1") && row.contains(">200<") && row.contains("demo"));
}

#[test]
fn a_browser_that_watches_does_not_hold_up_the_end() {
    let root = tempfile::tempdir().unwrap();
    let dir = root.path().join("sandbox");
    let mut running = Running::sandbox(&dir);
    let base_url = description(&dir)["base_url"].as_str().unwrap().to_owned();
    let address = base_url.strip_prefix("http://").unwrap();
    let mut stream = TcpStream::connect(address).unwrap();
    write!(
        stream,
        "GET /console/events HTTP/1.1\r\nHost: {address}\r\n\r\n"
    )
    .unwrap();
    let mut lines = BufReader::new(stream.try_clone().unwrap()).lines();
    assert!(lines.any(|line| line.unwrap().contains(": here")));
    running.send("TERM");
    // It ends the stream itself: the client sees the last chunk, not a reset.
    let mut rest = String::new();
    lines
        .map(Result::unwrap)
        .for_each(|line| rest.push_str(&line));
    assert!(rest.ends_with('0'), "{rest}");
    assert!(running.signal("TERM").success());
}

#[test]
fn a_refused_call_is_explained() {
    let sandbox = Sandbox::start();
    let twice = crate::process::write(
        &sandbox.dir,
        "card.json",
        &issuer_gateway::client::sample::enrolment("222300").to_string(),
    );
    // A card of another issuer.
    let refused = sandbox.client(&["enrol", text(&twice)]);
    assert_eq!(refused.code, Some(1));
    let call = sandbox.newest();
    let explanation = &call["explanation"];
    assert_eq!(explanation["failed"], "rules", "{explanation:#}");
    assert!(
        explanation["cause"]["details"]
            .to_string()
            .contains("cardNumber")
    );
    let page = sandbox
        .get(&format!("/console/calls/{}", call["summary"]["number"]))
        .body;
    assert!(page.contains("What to do:") && page.contains("RSA-OAEP") && page.contains("FAILED"));

    sandbox.client(&["enrol"]).ok();
    assert!(
        sandbox.newest()["explanation"].is_null(),
        "nothing is wrong with it"
    );
}
