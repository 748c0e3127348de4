//! `issuer apply|list|show|set-status|remove`, on a database and on a sandbox while it runs.

use crate::config_file::ready;
use crate::on_both;
use crate::process::{Running, run, text, write};
use crate::sandbox::description;
use crate::support::gateway::{TestClient, assert_refused, consumer_key, issuers_toml, test_key};
use crate::support::{Backend, TestDatabase};
use issuer_gateway::client::{Answered, sample};
use issuer_gateway::keys::source::read_private_key;
use issuer_gateway::store::now;
use openssl::asn1::Asn1Time;
use openssl::hash::MessageDigest;
use openssl::x509::X509Builder;
use std::path::Path;
use std::time::{Duration, Instant};

/// [`issuers_toml`] with absolute paths.
fn issuers() -> String {
    let folder = format!(
        "certificate = \"{}/",
        test_key("kek.key").parent().unwrap().display()
    );
    issuers_toml().replace("certificate = \"", &folder)
}

/// Tries until `condition` holds: running nodes follow an operator within two seconds.
fn answer_when(client: &TestClient, condition: impl Fn(&Answered) -> bool) -> Answered {
    let give_up = Instant::now() + Duration::from_secs(30);
    loop {
        let answer = client.enrol(&sample::enrolment("534403"));
        if condition(&answer) {
            return answer;
        }
        assert!(Instant::now() < give_up, "{:?}", answer.clear);
        std::thread::sleep(Duration::from_millis(50));
    }
}

fn operators_work_on_a_running_gateway(backend: Backend) {
    let database = TestDatabase::empty(backend);
    let dir = tempfile::tempdir().unwrap();
    let config = ready(&database, dir.path(), |_| {});
    let issuer = |args: &[&str]| {
        let mut all = vec!["--config", text(&config), "issuer"];
        all.extend(args);
        run(&all)
    };
    let (_running, base_url) = Running::serve(&config, &[]);
    let client = TestClient::new(
        &base_url,
        &consumer_key("demo"),
        "issuer-signing",
        Some("issuer-encryption"),
    );
    assert_eq!(client.enrol(&sample::enrolment("534403")).status, 200);

    let list = issuer(&["list"]).ok();
    for name in [
        "demo",
        "compat",
        "basic",
        "534403,518145,5424",
        "dashboards-only",
        "ACTIVE",
    ] {
        assert!(list.contains(name), "{list}");
    }
    let show = issuer(&["show", "compat"]).ok();
    for part in [
        "compat bank",
        "222300, 552433",
        "dashboards-only",
        "signing certificate",
        "encryption certificate",
        &consumer_key("compat"),
        "valid ",
    ] {
        assert!(show.contains(part), "{part}: {show}");
    }
    assert!(!show.contains("PRIVATE"));
    for line in [
        "envelopes             jwe, field-level",
        "field-level headers   off",
        "expired signing       refused",
        "self-service ranges   2, 5, 6, 7, 9",
    ] {
        assert!(show.contains(line), "{line}: {show}");
    }
    issuer(&["show", "nobody"]).refused(&["nobody"]);

    issuer(&["set-status", "demo", "suspended"]).ok();
    let answer = answer_when(&client, |answer| answer.status != 200);
    assert_refused(&answer, 401, &["ACCOUNT_SUSPENDED"]);
    issuer(&["set-status", "demo", "ACTIVE"]).ok();
    answer_when(&client, |answer| answer.status == 200);
    issuer(&["set-status", "nobody", "ACTIVE"]).refused(&["nobody"]);

    // Applied again: nothing changes; changed: only what changed.
    let version = || database.number("SELECT version AS n FROM registry_version");
    let before = version();
    let file = dir.path().join("issuers.toml");
    let again = issuer(&["apply", text(&file)]).ok();
    assert_eq!(again.matches(": unchanged").count(), 3, "{again}");
    assert_eq!(version(), before);
    let changed = issuers().replace("\"5424\"", "\"5425\"");
    let changed = issuer(&["apply", text(&write(dir.path(), "changed.toml", &changed))]).ok();
    assert!(changed.contains("issuer demo: changed"), "{changed}");
    assert_eq!(changed.matches(": unchanged").count(), 2, "{changed}");
    assert_eq!(version(), before + 1);

    issuer(&["remove", "demo"]).refused(&["demo", "has users", "TERMINATED"]);
    issuer(&["remove", "basic"]).ok();
    issuer(&["remove", "nobody"]).refused(&["nobody"]);
    let audited = database.texts(
        "SELECT action AS t FROM audit_entries WHERE actor = 'operator tester' ORDER BY action",
    );
    assert!(audited.contains(&"issuer.apply".to_owned()), "{audited:?}");
    assert!(
        audited.contains(&"issuer.set-status".to_owned()),
        "{audited:?}"
    );
    assert!(audited.contains(&"issuer.remove".to_owned()), "{audited:?}");
}

on_both!(blocking: operators_work_on_a_running_gateway);

/// When it is applied, when it is shown, and in the log of a running node.
#[test]
fn an_operator_is_told_of_a_theme_that_nobody_could_read() {
    let database = TestDatabase::empty(Backend::Sqlite);
    let dir = tempfile::tempdir().unwrap();
    let config = ready(&database, dir.path(), |_| {});
    let (mut running, _) = Running::serve(&config, &[]);
    let theme = r##"theme = { fontColor = "#FFFFFF", backgroundColor = "#FFFFFF" }"##;
    let file = write(dir.path(), "new.toml", &one("new", "[\"400000\"]", theme));
    let pair = "fontColor on backgroundColor: contrast 1.00, at least 4.5 is needed";
    let issuer = |args: &[&str]| run(&[&["--config", text(&config), "issuer"], args].concat());
    let applied = issuer(&["apply", text(&file)]);
    let warning = format!("warning: issuer new: {pair}");
    assert!(applied.stderr.contains(&warning), "{}", applied.stderr);
    let shown = issuer(&["show", "new"]).ok();
    assert!(shown.contains(pair), "{shown}");
    let log = running.wait_for("stderr", pair);
    assert!(log.contains("the web view changes a theme"), "{log}");
}

/// One issuer, `extra` before its certificates.
pub(crate) fn one(client_id: &str, ranges: &str, extra: &str) -> String {
    let key = |name: &str| test_key(name).display().to_string();
    format!(
        "[[issuer]]\nclient_id = \"{client_id}\"\nname = \"New Bank\"\nemail = \"a@new.example\"\n\
         currency_code = \"USD\"\ncountry_code = \"USA\"\ncountry_name = \"United States of America\"\n\
         account_ranges = {ranges}\ndonation = true\n{extra}\n\
         [[issuer.signing]]\nconsumer_key = \"{client_id}!key\"\ncertificate = \"{}\"\n\
         [[issuer.encryption]]\ncertificate = \"{}\"\n",
        key("issuer-signing-cert.pem"),
        key("issuer-encryption-cert.pem"),
    )
}

/// Every row but those of the audit trail, which has refused commands too.
fn programme(database: &TestDatabase) -> Vec<String> {
    let dump = database.dump();
    let rows = dump.lines().filter(|row| !row.starts_with("audit_"));
    rows.map(str::to_owned).collect()
}

fn a_bad_file_is_refused_by_name(backend: Backend) {
    let database = TestDatabase::empty(backend);
    let dir = tempfile::tempdir().unwrap();
    let config = ready(&database, dir.path(), |_| {});
    let before = programme(&database);
    let good = one("new", "[\"400000\"]", "");
    let replaced = |from: &str, to: &str| {
        assert!(good.contains(from), "{from}");
        good.replace(from, to)
    };
    let cases: Vec<(String, Vec<&str>)> = vec![
        // Within the file: equal, containing, contained.
        (
            good.clone() + &one("other", "[\"400000\"]", ""),
            vec!["new", "other", "400000"],
        ),
        (
            good.clone() + &one("other", "[\"4000\"]", ""),
            vec!["new", "other", "4000"],
        ),
        (
            one("new", "[\"400000\", \"40000011\"]", ""),
            vec!["new", "40000011"],
        ),
        // Against the database, where demo has 534403 and 5424; the good one before it is not
        // stored either.
        (
            good.clone() + &one("other", "[\"53440311\"]", ""),
            vec!["other", "53440311", "534403", "demo"],
        ),
        (
            good.clone() + &one("other", "[\"5344\"]", ""),
            vec!["other", "5344", "demo"],
        ),
        (good.clone() + &good, vec!["new", "twice"]),
        (
            replaced("issuer-signing-cert.pem", "issuer-signing.pem"),
            vec!["issuer new", "signing.certificate", "issuer-signing.pem"],
        ),
        (
            replaced("issuer-encryption-cert.pem", "none.pem"),
            vec!["issuer new", "encryption.certificate", "none.pem"],
        ),
        (
            replaced("donation = true", "donation = true\ncolour = \"red\""),
            vec!["issuer new", "colour"],
        ),
        (
            replaced("[[issuer.signing]]", "[[issuer.signing]]\nkind = 1"),
            vec!["issuer new", "kind"],
        ),
        (
            replaced("donation = true", ""),
            vec!["issuer new", "donation"],
        ),
        (
            replaced("email = \"a@new.example\"", ""),
            vec!["issuer new", "email"],
        ),
        (
            replaced("new!key", "old!key"),
            vec!["issuer new", "signing.consumer_key"],
        ),
        (replaced("USD", "ZZZ"), vec!["issuer new", "currency_code"]),
        (
            replaced("\"USA\"", "\"US\""),
            vec!["issuer new", "country_code"],
        ),
        (
            replaced("400000", "40a000"),
            vec!["issuer new", "account_ranges", "40a000"],
        ),
        (
            replaced("400000", "400"),
            vec!["issuer new", "account_ranges", "400"],
        ),
        (one("new", "[]", ""), vec!["issuer new", "account_ranges"]),
        (
            one("new", "[\"400000\"]", "responses = \"plain\""),
            vec!["issuer new", "responses"],
        ),
        (
            one("new", "[\"400000\"]", "envelopes = []"),
            vec!["issuer new", "envelopes"],
        ),
        (
            one("new", "[\"400000\"]", "envelopes = [\"jwe\", \"pgp\"]"),
            vec!["issuer new", "envelopes"],
        ),
        (
            one(
                "new",
                "[\"400000\"]",
                "envelopes = [\"jwe\"]\nfield_level_headers = true",
            ),
            vec!["issuer new", "field_level_headers", "envelopes"],
        ),
        (
            one("new", "[\"400000\"]", "answers = { envelope = \"pgp\" }"),
            vec!["issuer new", "answers.envelope", "field-level"],
        ),
        (
            one("new", "[\"400000\"]", "answers = { encoding = \"base32\" }"),
            vec!["issuer new", "answers.encoding", "base64url"],
        ),
        (
            one("new", "[\"400000\"]", "answers = { digest = \"SHA-1\" }"),
            vec!["issuer new", "answers.digest", "SHA-512"],
        ),
        (
            one(
                "new",
                "[\"400000\"]",
                "answers = { envelope = \"jwe\", encoding = \"hex\" }",
            ),
            vec!["issuer new", "answers", "envelope"],
        ),
        (
            one("new", "[\"400000\"]", "answers = { padding = \"none\" }"),
            vec!["issuer new", "padding"],
        ),
        (
            one(
                "new",
                "[\"400000\"]",
                "self_service_ranges = [\"\", \"123456789\"]",
            ),
            vec!["issuer new", "self_service_ranges", "123456789"],
        ),
        (one("new id", "[\"400000\"]", ""), vec!["client_id"]),
        ("issuers = []".to_owned(), vec!["issuer"]),
        ("[[issuer]".to_owned(), vec!["1"]),
        (String::new(), vec!["issuer"]),
        // All of it at once.
        (
            replaced("USD", "ZZZ")
                .replace("400000", "1")
                .replace("new!key", "x")
                .replace("a@new.example", "nobody")
                + &one("second", "[\"400000\"]", "responses = \"plain\""),
            vec![
                "issuer new: currency_code",
                "issuer new: account_ranges",
                "issuer new: signing.consumer_key",
                "issuer new: email",
                "issuer second: responses",
            ],
        ),
    ];
    for (content, named) in cases {
        let file = write(dir.path(), "bad.toml", &content);
        let output = run(&["--config", text(&config), "issuer", "apply", text(&file)]);
        let message = output.refused(&named);
        assert!(!message.contains("PRIVATE KEY"), "{message}");
    }
    let missing = dir.path().join("missing.toml");
    run(&["--config", text(&config), "issuer", "apply", text(&missing)]).refused(&["missing.toml"]);
    assert_eq!(programme(&database), before, "nothing was stored");
}

on_both!(blocking: a_bad_file_is_refused_by_name);

/// A certificate of a test key that is valid between these days from now.
fn dated(dir: &Path, key: &str, days: (i64, i64)) -> String {
    let private = read_private_key(&test_key(&format!("{key}.pem"))).unwrap();
    let at = |days: i64| Asn1Time::from_unix(now() / 1_000_000 + days * 86_400).unwrap();
    let mut builder = X509Builder::new().unwrap();
    builder.set_pubkey(&private).unwrap();
    builder.set_not_before(&at(days.0)).unwrap();
    builder.set_not_after(&at(days.1)).unwrap();
    builder.sign(&private, MessageDigest::sha256()).unwrap();
    let pem = builder.build().to_pem().unwrap();
    let file = dir.join(format!("{key}{}{}.pem", days.0, days.1));
    std::fs::write(&file, pem).unwrap();
    file.display().to_string()
}

#[test]
fn applying_names_certificates_that_end_or_have_not_begun() {
    let database = TestDatabase::empty(Backend::Sqlite);
    let dir = tempfile::tempdir().unwrap();
    let config = ready(&database, dir.path(), |_| {});
    let apply = |signing, encryption, extra: &str| {
        let toml = one("new", "[\"400000\"]", extra)
            .replace(
                &test_key("issuer-signing-cert.pem").display().to_string(),
                &dated(dir.path(), "issuer-signing", signing),
            )
            .replace(
                &test_key("issuer-encryption-cert.pem").display().to_string(),
                &dated(dir.path(), "issuer-encryption", encryption),
            );
        let file = write(dir.path(), "dated.toml", &toml);
        let output = run(&["--config", text(&config), "issuer", "apply", text(&file)]);
        assert_eq!(output.code, Some(0), "{}", output.stderr);
        output.stdout + &output.stderr
    };
    let quiet = apply((-1, 300), (-1, 300), "");
    assert!(!quiet.contains("warning"), "{quiet}");
    let soon = apply((-1, 10), (-1, 300), "");
    assert!(
        soon.contains("warning: issuer new: signing certificate ")
            && soon.contains(" ends soon, on "),
        "{soon}"
    );
    let ended = apply((-9, -1), (2, 300), "");
    for part in [
        "has ended on ",
        ": calls signed with it are refused",
        "encryption certificate ",
        "is not valid before ",
        "no encryption certificate is valid now",
    ] {
        assert!(ended.contains(part), "{part}: {ended}");
    }
    let accepted = apply((-9, -1), (-1, 300), "accept_expired_signing = true");
    assert!(
        accepted.contains("has ended on ") && !accepted.contains("are refused"),
        "{accepted}"
    );
    let show = run(&["--config", text(&config), "issuer", "show", "new"]).ok();
    assert!(
        show.contains("expired signing       accepted") && show.contains(": has ended on "),
        "{show}"
    );
}

#[test]
fn every_issuer_command_works_on_a_sandbox_while_it_runs() {
    let root = tempfile::tempdir().unwrap();
    let dir = root.path().join("sandbox");
    let _running = Running::sandbox(&dir);
    let config = dir.join("gateway.toml");
    let basic = description(&dir)["issuers"]["basic"]["client_id"]
        .as_str()
        .unwrap()
        .to_owned();
    let issuer = |args: &[&str]| {
        let mut all = vec!["--config", text(&config), "issuer"];
        all.extend(args);
        run(&all).ok()
    };
    let declared: &Path = &dir.join("issuers.toml");
    assert_eq!(
        issuer(&["apply", text(declared)])
            .matches(": unchanged")
            .count(),
        3
    );
    assert!(issuer(&["list"]).contains(&basic));
    assert!(issuer(&["show", &basic]).contains("510665, 5050"));
    issuer(&["set-status", &basic, "TERMINATED"]);
    issuer(&["remove", &basic]);
    assert!(issuer(&["apply", text(declared)]).contains(&format!("issuer {basic}: ")));
}

#[test]
fn the_example_file_is_in_order() {
    let database = TestDatabase::empty(Backend::Sqlite);
    let dir = tempfile::tempdir().unwrap();
    let config = ready(&database, dir.path(), |_| {});
    run(&["--config", text(&config), "issuer", "remove", "demo"]).ok();
    // config/issuers.example.toml, with certificates where it wants them.
    let example = Path::new(env!("CARGO_MANIFEST_DIR")).join("config/issuers.example.toml");
    let file = dir.path().join("example.toml");
    std::fs::copy(example, &file).unwrap();
    std::fs::create_dir(dir.path().join("abc-bank")).unwrap();
    for purpose in ["signing", "encryption"] {
        let to = dir.path().join(format!("abc-bank/{purpose}-cert.pem"));
        std::fs::copy(test_key(&format!("issuer-{purpose}-cert.pem")), to).unwrap();
    }
    let applied = run(&["--config", text(&config), "issuer", "apply", text(&file)]).ok();
    assert!(applied.contains("brought on board"), "{applied}");
}
