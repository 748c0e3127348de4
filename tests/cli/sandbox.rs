//! `sandbox`: what the first run makes, and what later runs keep.

use crate::process::{Running, run, text};
use openssl::pkcs12::Pkcs12;
use openssl::pkey::PKey;
use serde_json::Value;
use std::collections::BTreeMap;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

pub(crate) fn description(dir: &Path) -> Value {
    serde_json::from_slice(&std::fs::read(dir.join("sandbox.json")).unwrap()).unwrap()
}

fn base_url(dir: &Path) -> String {
    description(dir)["base_url"].as_str().unwrap().to_owned()
}

/// Every file below `dir` with its content, the database aside.
fn files(dir: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut files = BTreeMap::new();
    let mut folders = vec![dir.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if !text(&path).contains("gateway.db") {
                files.insert(path.clone(), std::fs::read(&path).unwrap());
            }
        }
    }
    files
}

fn mode(path: &Path) -> u32 {
    std::fs::metadata(path).unwrap().permissions().mode() & 0o777
}

fn enrol(dir: &Path, issuer: &str) -> crate::process::Output {
    let file = dir.join("sandbox.json");
    run(&[
        "client",
        "enrol",
        "--sandbox",
        text(&file),
        "--issuer",
        issuer,
    ])
}

#[test]
fn the_first_run_makes_what_the_contract_names() {
    let root = tempfile::tempdir().unwrap();
    let dir = root.path().join("deep/sandbox");
    let _running = Running::sandbox(&dir);
    let sandbox = description(&dir);
    let names = |value: &Value| {
        let mut names: Vec<_> = value.as_object().unwrap().keys().cloned().collect();
        names.sort();
        names
    };
    assert_eq!(names(&sandbox), ["base_url", "gateway", "issuers", "users"]);
    assert_eq!(
        names(&sandbox["gateway"]),
        ["certificate", "ec_certificate", "fingerprint"]
    );
    assert_eq!(names(&sandbox["issuers"]), ["basic", "compat", "demo"]);
    assert!(
        sandbox["base_url"]
            .as_str()
            .unwrap()
            .starts_with("http://127.0.0.1:")
    );

    let path = |value: &Value| {
        let relative = Path::new(value.as_str().unwrap());
        assert!(relative.is_relative(), "{relative:?}");
        dir.join(relative)
    };
    let certificate = std::fs::read(path(&sandbox["gateway"]["certificate"])).unwrap();
    let certificate = openssl::x509::X509::from_pem(&certificate).unwrap();
    let spki = certificate
        .public_key()
        .unwrap()
        .public_key_to_der()
        .unwrap();
    assert_eq!(
        sandbox["gateway"]["fingerprint"].as_str().unwrap(),
        hex::encode(openssl::sha::sha256(&spki))
    );

    let expected = [
        ("demo", vec!["534403", "518145", "5424"], true, "mirror"),
        ("compat", vec!["222300", "552433"], true, "dashboards-only"),
        ("basic", vec!["510665", "5050"], false, "mirror"),
    ];
    let mut consumer_keys = Vec::new();
    for (name, ranges, donation, responses) in expected {
        let issuer = &sandbox["issuers"][name];
        let members = [
            "account_ranges",
            "client_id",
            "consumer_key",
            "decryption_key",
            "decryption_p12",
            "donation",
            "p12_password",
            "responses",
            "signing_key",
            "signing_p12",
        ];
        let mut known = names(issuer);
        known.sort();
        assert_eq!(known, members);
        assert_eq!(issuer["account_ranges"], serde_json::json!(ranges));
        assert_eq!(issuer["donation"], donation);
        assert_eq!(issuer["responses"], responses);
        let consumer_key = issuer["consumer_key"].as_str().unwrap();
        let client_id = issuer["client_id"].as_str().unwrap();
        assert!(consumer_key.starts_with(&format!("{client_id}!")));
        consumer_keys.push(consumer_key.to_owned());
        for purpose in ["signing", "decryption"] {
            let pem = std::fs::read(path(&issuer[format!("{purpose}_key")])).unwrap();
            assert!(pem.starts_with(b"-----BEGIN PRIVATE KEY-----"), "PKCS#8");
            let key = PKey::private_key_from_pem(&pem).unwrap();
            let p12 = std::fs::read(path(&issuer[format!("{purpose}_p12")])).unwrap();
            let p12 = Pkcs12::from_der(&p12).unwrap();
            let opened = p12
                .parse2(issuer["p12_password"].as_str().unwrap())
                .unwrap();
            assert!(opened.pkey.unwrap().public_eq(&key), "the same key");
            let certificate = opened.cert.unwrap();
            assert!(certificate.public_key().unwrap().public_eq(&key));
            assert_eq!(certificate.alias(), Some(&b"keyalias"[..]));
        }
    }
    consumer_keys.sort();
    consumer_keys.dedup();
    assert_eq!(consumer_keys.len(), 3);

    assert_eq!(mode(&dir), 0o700);
    for file in files(&dir).keys() {
        assert_eq!(mode(file), 0o600, "{file:?}");
    }
    assert_eq!(mode(&dir.join("gateway.db")), 0o600);
    for issuer in ["demo", "compat", "basic"] {
        enrol(&dir, issuer).ok();
    }
}

#[test]
fn a_second_run_keeps_keys_and_data() {
    let root = tempfile::tempdir().unwrap();
    let dir = root.path().join("sandbox");
    let card = crate::process::write(
        root.path(),
        "card.json",
        &issuer_gateway::client::sample::enrolment("534403").to_string(),
    );
    let description_file = dir.join("sandbox.json");
    let enrol_card = || {
        run(&[
            "client",
            "enrol",
            "--sandbox",
            text(&description_file),
            text(&card),
        ])
    };
    let mut first = Running::sandbox(&dir);
    enrol_card().ok();
    assert!(first.signal("INT").success());
    let without_address = || {
        let mut kept = files(&dir);
        kept.remove(&dir.join("sandbox.json"));
        kept
    };
    let kept = without_address();

    // --port is kept for the runs after it.
    let port = std::net::TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
        .port();
    let address = format!("http://127.0.0.1:{port}");
    for args in [vec!["--port".to_owned(), port.to_string()], vec![]] {
        let mut all = vec!["sandbox", "--dir", text(&dir)];
        all.extend(args.iter().map(String::as_str));
        let mut running = Running::start(&all, &[]);
        running.wait_for("stdout", &format!("listens on {address}"));
        running.wait_for("stdout", "Serving");
        assert_eq!(base_url(&dir), address);
        let again = enrol_card();
        assert!(
            again.stdout.contains("USER_ALREADY_EXISTS"),
            "{}{}",
            again.stdout,
            again.stderr
        );
        assert!(running.signal("TERM").success());
    }
    let mut changed: Vec<_> = without_address()
        .into_iter()
        .filter(|(file, content)| kept.get(file) != Some(content))
        .collect();
    let (file, content) = changed.pop().unwrap();
    assert_eq!(file, dir.join("gateway.toml"));
    assert!(
        String::from_utf8(content)
            .unwrap()
            .contains(&format!("127.0.0.1:{port}"))
    );
    assert!(changed.is_empty());
}

#[test]
fn an_operators_change_survives_a_restart() {
    let root = tempfile::tempdir().unwrap();
    let dir = root.path().join("sandbox");
    let config = dir.join("gateway.toml");
    let mut first = Running::sandbox(&dir);
    let client_id = description(&dir)["issuers"]["demo"]["client_id"]
        .as_str()
        .unwrap()
        .to_owned();
    run(&[
        "--config",
        text(&config),
        "issuer",
        "set-status",
        &client_id,
        "suspended",
    ])
    .ok();
    assert!(first.signal("TERM").success());
    let _second = Running::sandbox(&dir);
    let refused = enrol(&dir, "demo");
    assert_eq!(refused.code, Some(1));
    assert!(
        refused.stdout.contains("ACCOUNT_SUSPENDED"),
        "{}",
        refused.stdout
    );
}

#[test]
fn a_first_run_that_was_cut_off_is_completed() {
    let root = tempfile::tempdir().unwrap();
    let dir = root.path().join("sandbox");
    let mut first = Running::sandbox(&dir);
    assert!(first.signal("TERM").success());
    // In the order in which a first run makes things, what comes later is missing.
    let made = [
        "gateway.db",
        "gateway.toml",
        "issuers.toml",
        "sandbox.json",
        "demo/signing.p12",
        "demo/signing-cert.pem",
        "compat/decryption.pem",
        "compat/decryption.p12",
        "compat/decryption-cert.pem",
        "gateway-cert.pem",
    ];
    for file in made {
        std::fs::remove_file(dir.join(file)).unwrap();
    }
    for journal in ["gateway.db-wal", "gateway.db-shm"] {
        std::fs::remove_file(dir.join(journal)).ok();
    }
    std::fs::write(dir.join("sandbox.json.partial"), "{\"base").unwrap();
    let _second = Running::sandbox(&dir);
    for file in made {
        assert!(dir.join(file).is_file(), "{file}");
    }
    assert!(!dir.join("sandbox.json.partial").exists());
    for issuer in ["demo", "compat", "basic"] {
        enrol(&dir, issuer).ok();
    }
}

#[test]
fn the_demonstration_shows_all_four_calls() {
    let root = tempfile::tempdir().unwrap();
    let dir = root.path().join("sandbox");
    let mut running = Running::start(
        &["sandbox", "--dir", text(&dir), "--port", "0", "--demo"],
        &[],
    );
    running.wait_for("stdout", "Serving until Ctrl-C.");
    let shown = running.written("stdout");
    for part in [
        "1. Enrol a cardholder",
        "request in clear",
        "what goes over the wire",
        "encryptedData",
        "answer opened",
        "2. Change the postal code",
        "10001",
        "3. The same card",
        "USER_ALREADY_EXISTS",
        "4. A token",
        "CRYPTO_ERROR",
    ] {
        assert!(shown.contains(part), "{part} is not shown:\n{shown}");
    }
    // It goes on serving.
    enrol(&dir, "basic").ok();
    assert!(running.signal("INT").success());
}

#[test]
fn a_port_that_is_taken_is_refused_by_name() {
    let root = tempfile::tempdir().unwrap();
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port().to_string();
    let dir = root.path().join("sandbox");
    run(&["sandbox", "--dir", text(&dir), "--port", &port]).refused(&["cannot listen", &port]);
}

fn example_seed() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/sandbox/seed.toml")
}

/// A run with the example's seed, and with keys that are the same each time.
fn seeded(dir: &Path) -> Running {
    let seed = example_seed();
    let args = [
        "sandbox",
        "--dir",
        text(dir),
        "--port",
        "0",
        "--seed",
        text(&seed),
        "--seed-keys",
    ];
    let mut running = Running::start(&args, &[]);
    running.wait_for("stdout", "Serving until Ctrl-C.");
    running
}

#[test]
fn seeded_keys_and_ids_are_the_same_on_every_machine_and_say_what_they_are() {
    let root = tempfile::tempdir().unwrap();
    let dirs = ["one", "two"].map(|name| root.path().join(name));
    let all = dirs.each_ref().map(|dir| {
        let running = seeded(dir);
        assert!(running.written("stderr").contains("NO SECRET"));
        let mut made = files(dir);
        made.retain(|file, _| {
            let name = text(file);
            !name.ends_with("sandbox.json")
                && !name.ends_with(".p12")
                && !name.ends_with("gateway.toml")
        });
        let made: Vec<_> = made
            .into_iter()
            .map(|(file, content)| (file.strip_prefix(dir).unwrap().to_owned(), content))
            .collect();
        let mut description = description(dir);
        description["base_url"] = Value::Null;
        (made, description)
    });
    assert_eq!(all[0].1, all[1].1);
    assert!(all[0].0 == all[1].0, "keys and certificates");
    assert_eq!(all[0].1["insecure_keys"], true);
    let pem = std::fs::read(dirs[0].join("gateway-cert.pem")).unwrap();
    let certificate = openssl::x509::X509::from_pem(&pem).unwrap();
    let name = format!("{:?}", certificate.subject_name());
    assert!(name.contains("INSECURE"), "{name}");

    // Such a folder goes on only with the option, and another one only without.
    run(&["sandbox", "--dir", text(&dirs[0]), "--port", "0"]).refused(&["--seed-keys"]);
    let random = root.path().join("random");
    drop(Running::sandbox(&random));
    run(&[
        "sandbox",
        "--dir",
        text(&random),
        "--port",
        "0",
        "--seed-keys",
    ])
    .refused(&["without --seed-keys"]);
}

#[test]
fn a_seed_is_planted_once() {
    let root = tempfile::tempdir().unwrap();
    let dir = root.path().join("sandbox");
    let mut first = seeded(&dir);
    let shown = first.written("stdout");
    assert!(
        shown.contains("seeded: 3 cardholders, 3 transactions"),
        "{shown}"
    );
    let planted = description(&dir)["cardholders"].clone();
    let mut ids: Vec<_> = planted.as_object().unwrap().keys().cloned().collect();
    ids.sort();
    assert_eq!(ids, ["astrid", "jane", "year"]);
    let issuers = description(&dir)["issuers"].clone();
    assert_eq!(issuers.as_object().unwrap().len(), 2);
    assert_eq!(issuers["compat"]["responses"], "dashboards-only");
    assert!(first.signal("TERM").success());

    let mut second = seeded(&dir);
    assert_eq!(description(&dir)["cardholders"], planted);
    let config = dir.join("gateway.toml");
    let jane = planted["jane"]["userid"].as_str().unwrap();
    run(&["--config", text(&config), "user", "show", jane]).ok();
    assert!(second.signal("TERM").success());
    assert!(
        !files(&dir)
            .keys()
            .any(|file| text(file).contains("partial"))
    );

    let other = root.path().join("other.toml");
    std::fs::write(&other, "[[issuer]]\nname = \"basic\"\n").unwrap();
    run(&[
        "sandbox",
        "--dir",
        text(&dir),
        "--port",
        "0",
        "--seed",
        text(&other),
        "--seed-keys",
    ])
    .refused(&["the folder has other issuers"]);
    std::fs::write(&other, "[[issuer]]\nname = \"acme\"\n").unwrap();
    run(&[
        "sandbox",
        "--dir",
        text(&root.path().join("new")),
        "--seed",
        text(&other),
    ])
    .refused(&["issuer acme", "account_ranges"]);
}

#[test]
fn a_reset_leaves_the_keys_and_a_whole_one_nothing() {
    let root = tempfile::tempdir().unwrap();
    let dir = root.path().join("sandbox");
    let mut first = Running::sandbox(&dir);
    let card = issuer_gateway::client::sample::enrolment("534403").to_string();
    let card = crate::process::write(root.path(), "card.json", &card);
    let file = dir.join("sandbox.json");
    let enrol_card = || run(&["client", "enrol", "--sandbox", text(&file), text(&card)]);
    enrol_card().ok();
    run(&["sandbox", "reset", "--dir", text(&dir)]).refused(&["stop it first"]);
    assert!(first.signal("TERM").success());
    let before = files(&dir);
    run(&["sandbox", "reset", "--dir", text(&dir)]).ok();
    assert_eq!(files(&dir), before, "the keys are kept");
    assert!(!dir.join("gateway.db").exists() && !dir.join("gateway.db.witness").exists());

    let mut second = Running::sandbox(&dir);
    enrol_card().ok();
    assert!(second.signal("TERM").success());
    std::fs::write(dir.join("notes.txt"), "mine").unwrap();
    run(&["sandbox", "--dir", text(&dir), "reset", "--all"]).ok();
    let left: Vec<_> = files(&dir).into_keys().collect();
    assert_eq!(left, [dir.join("notes.txt")]);
    std::fs::remove_file(dir.join("notes.txt")).unwrap();
    run(&["sandbox", "reset", "--dir", text(&dir)]).refused(&["start a sandbox first"]);
}
