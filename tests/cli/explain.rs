//! `client explain` and the library behind it: each of the table's broken requests is explained
//! with the right cause, from what the sandbox answered and from files of every form.

mod files;
mod table;
mod world;

use crate::process::{Output, Running, run, run_with, text, write};
use files::Answered;
use issuer_gateway::app;
use issuer_gateway::client::identity::SandboxFile;
use issuer_gateway::config::Config;
use issuer_gateway::explain::{
    Answer, Endpoint, Explanation, Knowledge, OwnKey, Recorded, Spent, Verdict, explain,
};
use issuer_gateway::issuers::registry::IssuerRegistry;
use issuer_gateway::oauth1::PublicOrigin;
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use table::Broken;
use world::World;

struct Sandbox {
    running: Running,
    root: tempfile::TempDir,
    dir: PathBuf,
    world: World,
}

fn sandbox() -> Sandbox {
    let root = tempfile::tempdir().unwrap();
    let dir = root.path().join("sandbox");
    let running = Running::sandbox(&dir);
    Sandbox {
        world: World::of(&dir),
        running,
        root,
        dir,
    }
}

impl Sandbox {
    fn explain(&self, args: &[&str]) -> Output {
        let mut all = vec!["client", "explain", "--sandbox", text(&self.dir)];
        all.extend(args);
        run(&all)
    }

    /// The one explanation of a file, in JSON.
    #[track_caller]
    fn told(&self, name: &str, content: &str, args: &[&str]) -> Value {
        let file = write(self.root.path(), name, content);
        let mut all = vec![text(&file), "--json"];
        all.extend(args);
        let output = self.explain(&all);
        let told: Result<Value, _> = serde_json::from_str(&output.stdout);
        assert!(told.is_ok(), "{}{}", output.stdout, output.stderr);
        let told = told.unwrap();
        let told = told.as_array().unwrap();
        assert_eq!(told.len(), 1, "{name}");
        told[0].clone()
    }
}

/// What the library knows of a sandbox: as the commands and the console load it.
fn knowledge(dir: &Path, world: &World) -> Knowledge {
    let config = Config::load(&dir.join("gateway.toml")).unwrap();
    let description = SandboxFile::read(&dir.join("sandbox.json")).unwrap();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .unwrap();
    let issuers = runtime.block_on(async {
        let (_, store) = app::open_store(&config.database).unwrap();
        IssuerRegistry::load(&store).await.unwrap().issuers()
    });
    Knowledge::of_gateway(
        &config,
        vec![PublicOrigin::parse(&world.base_url).unwrap()],
        config.oauth.window_seconds,
        &issuers,
        &OwnKey::of_sandbox(&description, dir).unwrap(),
    )
    .unwrap()
}

fn recorded(sent: &Answered) -> Recorded {
    Recorded {
        method: sent.request.method.clone(),
        target: sent.request.target.clone(),
        headers: sent.request.headers.clone(),
        body: sent.request.body.clone(),
        missing: 0,
        at: Some(sent.at),
        answer: Some(Answer {
            status: sent.status,
            body: sent.body.clone(),
            fault: None,
        }),
    }
}

/// Asserts on an explanation, all of which is shown where it is wrong.
#[track_caller]
fn assert_told(name: &str, code: &str, told: &Value) {
    let cause = &told["cause"];
    assert_eq!(cause["code"], code, "{name}: {told:#}");
    let texts = [&cause["what"], &cause["advice"], &told["summary"]];
    for said in texts {
        let said = said.as_str().unwrap();
        assert!(said.len() > 10 && said.ends_with('.'), "{name}: {said}");
    }
    let verdicts = told["steps"].as_array().unwrap().iter();
    let failed: Vec<&Value> = verdicts
        .filter(|step| step["verdict"] == "failed")
        .collect();
    assert_eq!(failed.len(), 1, "{name}: {told:#}");
    assert_eq!(failed[0]["step"], told["failed"], "{name}");
}

#[test]
fn each_of_the_usual_mistakes_is_explained_with_its_cause() {
    let sandbox = sandbox();
    let all = table::all(&sandbox.world);
    assert!(all.len() > 100, "{}", all.len());
    let mut known = knowledge(&sandbox.dir, &sandbox.world);
    let mut sent = Vec::new();
    for broken in &all {
        if let Some(before) = &broken.before {
            let answered = files::send(&sandbox.world, before);
            known.spent.extend(Spent::of(&recorded(&answered)));
            sent.push((None, answered));
        }
        sent.push((Some(broken), files::send(&sandbox.world, &broken.request)));
    }

    // By the library.
    let mut wrong = Vec::new();
    for (broken, answered) in &sent {
        let explained: Explanation = explain(&recorded(answered), &known);
        let code = explained.cause.as_ref().map(|cause| cause.code);
        match broken {
            Some(broken) if code != Some(broken.code) => wrong.push(format!(
                "{} is told as {code:?}, not {}:\n{explained}",
                broken.name, broken.code
            )),
            Some(broken) => {
                assert!(answered.status >= 400, "{}", broken.name);
                let told = serde_json::to_value(&explained).unwrap();
                assert_told(broken.name, broken.code, &told);
            }
            None => {}
        }
    }
    assert!(
        wrong.is_empty(),
        "{} wrong:\n{}",
        wrong.len(),
        wrong.join("\n")
    );

    // By the console, which numbers the calls as they came.
    for (number, (broken, _)) in (1..).zip(&sent) {
        if let Some(Broken { name, code, .. }) = broken {
            let call = files::get(&sandbox.world, &format!("/console/calls/{number}.json"));
            let call: Value = serde_json::from_slice(&call.body).unwrap();
            assert_told(name, code, &call["explanation"]);
        }
    }

    // By the command, out of one HAR file.
    let calls: Vec<&Answered> = sent.iter().map(|(_, answered)| answered).collect();
    let har = write(sandbox.root.path(), "all.har", &files::har(&calls));
    let output = sandbox.explain(&[text(&har), "--json"]);
    assert_eq!(output.code, Some(1), "{}", output.stderr);
    let told: Vec<Value> = serde_json::from_str(&output.stdout).unwrap();
    assert_eq!(told.len(), sent.len());
    for (told, (broken, _)) in told.iter().zip(&sent) {
        if let Some(Broken { name, code, .. }) = broken {
            assert_told(name, code, told);
        }
    }
}

#[test]
fn every_form_of_file_gives_the_same_explanation() {
    let sandbox = sandbox();
    let world = &sandbox.world;
    let all = table::all(world);
    for name in [
        "a query left out",
        "JSON that was written anew",
        "OAEP with SHA-1",
    ] {
        let broken = all.iter().find(|broken| broken.name == name).unwrap();
        let sent = files::send(world, &broken.request);
        let body = sent.request.body.clone();
        let body = write(
            sandbox.root.path(),
            "body.json",
            std::str::from_utf8(&body).unwrap(),
        );
        let with_body: &[&str] = &["--body", text(&body)];
        for (form, content, args) in [
            ("raw.txt", files::raw(&sent), &[][..]),
            ("trace.txt", files::trace(&sent), &[]),
            ("trace-ascii.txt", files::trace_ascii(&sent), &[]),
            ("one.har", files::har(&[&sent]), &[]),
            ("curl.txt", files::curl(&sent), with_body),
            ("command.txt", files::curl_with_command(&sent), &[]),
        ] {
            let told = sandbox.told(form, &content, args);
            assert_told(&format!("{name} in {form}"), broken.code, &told);
        }
        // Without the body nothing is said of it.
        let told = sandbox.told("curl.txt", &files::curl(&sent), &[]);
        assert!(
            told["remarks"][0].as_str().unwrap().contains("--body"),
            "{told:#}"
        );
        let expected = match broken.code {
            "body_hash.rewritten_json" => "body_hash.answered",
            "oaep.digest" => "payload.answered",
            code => code,
        };
        assert_eq!(told["cause"]["code"], expected, "{told:#}");
    }
}

#[test]
fn a_good_call_has_no_mistake_and_texts_are_for_people() {
    let sandbox = sandbox();
    let good = files::send(&sandbox.world, &table::good(&sandbox.world).request());
    let body = String::from_utf8_lossy(&good.body).into_owned();
    assert_eq!(good.status, 200, "{body}");
    let file = write(sandbox.root.path(), "good.txt", &files::raw(&good));
    let shown = sandbox.explain(&[text(&file)]).ok();
    assert!(shown.contains("The gateway accepted this call."), "{shown}");
    assert!(
        !shown.contains("FAILED") && !shown.contains("not checked"),
        "{shown}"
    );
    let told = sandbox.told("good.txt", &files::raw(&good), &[]);
    let steps = told["steps"].as_array().unwrap();
    assert!(
        steps.iter().all(|step| step["verdict"] == "passed"),
        "{told:#}"
    );
    assert_eq!(steps.len(), 20);

    let all = table::all(&sandbox.world);
    let broken = all
        .iter()
        .find(|broken| broken.name == "a query left out")
        .unwrap();
    let sent = files::send(&sandbox.world, &broken.request);
    let content = files::raw(&sent);
    let output = run_with(
        &[
            "client",
            "explain",
            "-",
            "--sandbox",
            text(&sandbox.dir.join("sandbox.json")),
        ],
        &[],
        content.as_bytes(),
    );
    assert_eq!(output.code, Some(1), "{}", output.stderr);
    for part in [
        "POST /issuers/users?b=x%20y&a=1, 20",
        "Base string: signature.query_left_out",
        "To do: Add the query's pairs",
        "Proof: The signature verifies with the signing key of Demo Bank",
        "[-a%3D1%26b%3Dx%2520y%26-]",
        "FAILED       Base string",
        "not reached  Signature",
    ] {
        assert!(output.stdout.contains(part), "{part}: {}", output.stdout);
    }
}

#[test]
fn a_gateway_and_a_client_explain_with_the_keys_that_they_have() {
    let mut sandbox = sandbox();
    let all = table::all(&sandbox.world);
    let of = |name: &str| {
        let broken = all.iter().find(|broken| broken.name == name).unwrap();
        (broken.code, files::send(&sandbox.world, &broken.request))
    };
    let (sent, own) = (of("https for http"), of("encrypted to its own key"));
    let sha1 = of("OAEP with SHA-1");
    // Nothing is sent: the sandbox need not run.
    assert!(sandbox.running.signal("TERM").success());
    let base_url = sandbox.world.base_url.clone();
    let config = sandbox.dir.join("gateway.toml");
    let toml = std::fs::read_to_string(&config).unwrap();
    let with_url = format!("public_base_urls = [\"{base_url}\"]\n[database]");
    std::fs::write(&config, toml.replace("[database]", &with_url)).unwrap();
    let code = |args: &[&str], sent: &Answered| {
        let file = write(sandbox.root.path(), "call.txt", &files::raw(sent));
        let mut all = args.to_vec();
        all.extend(["client", "explain", text(&file), "--json"]);
        let at = all.iter().position(|arg| *arg == "--base-url");
        // Options of the command come after it.
        if let Some(at) = at {
            let options: Vec<&str> = all.drain(at..args.len()).collect();
            all.extend(options);
        }
        let output = run(&all);
        let told: Value = serde_json::from_str(&output.stdout)
            .unwrap_or_else(|_| panic!("{}{}", output.stdout, output.stderr));
        told[0]["cause"]["code"]
            .as_str()
            .unwrap_or("none")
            .to_owned()
    };
    let by_config = ["--config", text(&config)];
    assert_eq!(code(&by_config, &sent.1), sent.0);
    assert_eq!(code(&by_config, &sha1.1), sha1.0);
    // Without the issuer's private key nobody can tell to which key it is encrypted.
    assert_eq!(code(&by_config, &own.1), "oaep.failed");

    let path = |name: &str| sandbox.dir.join(name);
    let (signing, certificate) = (path("demo/signing.pem"), path("gateway-cert.pem"));
    let decryption = path("demo/decryption.pem");
    let by_client = [
        "--base-url",
        &base_url,
        "--consumer-key",
        &sandbox.world.demo.consumer_key,
        "--signing-key",
        text(&signing),
        "--gateway-certificate",
        text(&certificate),
        "--decryption-key",
        text(&decryption),
    ];
    assert_eq!(code(&by_client, &sent.1), sent.0);
    assert_eq!(code(&by_client, &own.1), own.0);
    // What only the gateway's private key can tell is the gateway's word.
    assert_eq!(code(&by_client, &sha1.1), "payload.answered");
}

#[test]
fn what_cannot_be_read_is_refused_by_place_and_rule() {
    let sandbox = sandbox();
    let refused = |name: &str, content: &str, args: &[&str], says: &[&str]| {
        let file = write(sandbox.root.path(), name, content);
        let mut all = vec![text(&file)];
        all.extend(args);
        sandbox.explain(&all).refused(says);
    };
    refused(
        "empty.txt",
        "",
        &[],
        &["empty.txt", "line 1", "must not be empty"],
    );
    refused(
        "text.txt",
        "\nhello",
        &[],
        &["line 2", "HAR", "curl", "HTTP/1.1"],
    );
    refused(
        "bad.har",
        "{\"log\":{\"entries\":[{}]}}",
        &[],
        &["log.entries[0].request.url"],
    );
    let request = "GET /issuers HTTP/1.1\n\n";
    refused("at.txt", request, &["--at", "noon"], &["--at", "RFC 3339"]);
    refused(
        "body.txt",
        request,
        &["--body", "/nonexistent"],
        &["/nonexistent"],
    );
    let two = format!("{request}{request}");
    refused(
        "two.txt",
        &two,
        &["--body", "/nonexistent"],
        &["one call", "has 2"],
    );
    run(&[
        "client",
        "explain",
        "/nonexistent.har",
        "--sandbox",
        text(&sandbox.dir),
    ])
    .refused(&["/nonexistent.har"]);
    let file = write(sandbox.root.path(), "call.txt", request);
    run(&[
        "client",
        "explain",
        text(&file),
        "--sandbox",
        "/nonexistent/sandbox.json",
    ])
    .refused(&["start a sandbox first"]);
    let output = run(&["client", "explain", text(&file), "--base-url", "http://h"]);
    assert_eq!(output.code, Some(2), "{}", output.stderr);
    // Without any signature there is still something to say.
    let told = sandbox.told("call.txt", request, &["--at", "1795786944"]);
    assert_eq!(told["cause"]["code"], "header.missing");
    assert!(
        told["call"]
            .as_str()
            .unwrap()
            .ends_with("2026-11-27 13:42:24 UTC")
    );
}

/// Every code that the module can tell.
fn codes() -> &'static Vec<String> {
    static CODES: OnceLock<Vec<String>> = OnceLock::new();
    CODES.get_or_init(|| {
        let mut codes = Vec::new();
        let mut folders = vec![PathBuf::from("src/explain")];
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    folders.push(path);
                } else if !path.ends_with("tests.rs") {
                    let source = std::fs::read_to_string(&path).unwrap();
                    let source = source.split("#[cfg(test)]").next().unwrap().to_owned();
                    codes.extend(quoted_codes(&source));
                }
            }
        }
        codes.sort();
        codes.dedup();
        codes
    })
}

/// Texts such as `"family.name"`.
fn quoted_codes(source: &str) -> Vec<String> {
    let families = [
        "answer",
        "body_hash",
        "card",
        "consumer_key",
        "content_type",
        "envelope",
        "field_level",
        "header",
        "http",
        "issuer",
        "iv",
        "json",
        "jwe",
        "kid",
        "method",
        "nonce",
        "oaep",
        "payload",
        "query",
        "rules",
        "signature",
        "tag",
        "timestamp",
        "user",
        "wrapped_key",
    ];
    let quoted = source.split('"').skip(1).step_by(2);
    let is_code = |text: &&str| {
        text.split_once('.').is_some_and(|(family, name)| {
            let legal = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
            families.contains(&family) && !name.is_empty() && name.chars().all(legal)
        })
    };
    quoted.filter(is_code).map(str::to_owned).collect()
}

#[test]
fn the_document_lists_every_code() {
    let document = std::fs::read_to_string("docs/sandbox.md").unwrap();
    assert!(codes().len() > 120, "{:?}", codes());
    let missing: Vec<&String> = codes()
        .iter()
        .filter(|code| !document.contains(&format!("`{code}`")))
        .collect();
    assert!(missing.is_empty(), "docs/sandbox.md lacks {missing:?}");
}

#[test]
fn every_signed_operation_is_known() {
    let [issuer_api, ..] = issuer_gateway::http::routes::PUBLIC;
    let mut served: Vec<(String, &str)> = (issuer_api.endpoints)()
        .iter()
        .map(|endpoint| (endpoint.method.to_string(), endpoint.path))
        .collect();
    let mut known: Vec<(String, &str)> = Endpoint::ALL
        .iter()
        .map(|endpoint| (endpoint.method.to_owned(), endpoint.path))
        .collect();
    served.sort();
    known.sort();
    assert_eq!(served, known);
}

#[test]
fn verdicts_have_words() {
    let words = [
        Verdict::Passed,
        Verdict::Failed,
        Verdict::NotReached,
        Verdict::NotChecked,
    ]
    .map(Verdict::word);
    assert_eq!(words, ["passed", "FAILED", "not reached", "not checked"]);
}
