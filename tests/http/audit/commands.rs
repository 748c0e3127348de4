//! Each command of an operator leaves its entry; exports tell what was asked for.

use super::{assert_whole, export, only, operate, summary, text, verify};
use crate::on_both;
use crate::support::gateway::{TestGateway, issuers_toml, test_key};
use crate::support::{Backend, TestDatabase};
use issuer_gateway::client::sample;

on_both!(every_command_leaves_its_entry, |backend: Backend| {
    let database = TestDatabase::new(backend);
    let file = database.dir().join("issuers.toml");
    let declare = |text: String| {
        let folder = format!("certificate = \"{}/", test_key("").display());
        std::fs::write(&file, text.replace("certificate = \"", &folder)).unwrap();
    };
    let run = |arguments: &[&str], success: bool| {
        let output = operate(&database, arguments);
        assert_eq!(
            output.status.success(),
            success,
            "{arguments:?}: {output:?}"
        );
    };
    let apply = ["issuer", "apply", file.to_str().unwrap()];
    declare(issuers_toml());
    run(&apply, true);
    run(&apply, true);
    // One issuer claims a range of another.
    let all = issuers_toml();
    let (_, compat) = all
        .split_once("[[issuer]]\nclient_id = \"compat\"")
        .unwrap();
    let (compat, _) = compat.split_once("[[issuer]]\n").unwrap();
    let greedy = format!("[[issuer]]\nclient_id = \"compat\"{compat}");
    declare(greedy.replace("222300", "534403"));
    run(&apply, false);
    run(&["issuer", "set-status", "demo", "SUSPENDED"], true);
    run(&["issuer", "set-status", "nobody", "ACTIVE"], false);
    run(&["issuer", "remove", "basic"], true);
    run(&["issuer", "remove", "basic"], false);
    run(&["issuer", "list"], true);
    assert_whole(&database);
    // The export is in itself.
    let entries = export(&database, &[]);
    let told: Vec<String> = entries
        .iter()
        .zip(summary(&entries))
        .map(|(entry, summary)| {
            let rest = [text(entry, "subject"), text(entry, "detail")].join(" ");
            format!("{summary}: {}", rest.trim()).trim_end().to_owned()
        })
        .collect();
    let migrations = told.iter().filter(|e| e.starts_with("database.migrate"));
    assert_eq!(
        i64::try_from(migrations.count()).unwrap(),
        database.count("__diesel_schema_migrations")
    );
    let commands: Vec<&str> = told
        .iter()
        .map(String::as_str)
        .filter(|entry| !entry.starts_with("database.migrate"))
        .collect();
    let entries_verified = format!("audit.verify accepted: entries={}", entries.len() - 2);
    assert_eq!(
        commands,
        [
            "issuer.apply accepted: demo created",
            "issuer.apply accepted: compat created",
            "issuer.apply accepted: basic created",
            "issuer.apply accepted: unchanged",
            "issuer.apply refused account-range-overlap:",
            "issuer.set-status accepted: demo SUSPENDED",
            "issuer.set-status refused issuer-unknown: nobody ACTIVE",
            "issuer.remove accepted: basic",
            "issuer.remove refused issuer-unknown: basic",
            &entries_verified,
            "audit.export accepted:",
        ]
    );
    for entry in only(
        &entries,
        &["issuer.apply", "issuer.set-status", "audit.export"],
    ) {
        assert_eq!(text(&entry, "actor"), "operator alice");
        assert!(!text(&entry, "origin").is_empty());
    }
});

on_both!(exports_are_cut_to_time_and_issuer, |backend: Backend| {
    let gateway = TestGateway::start(backend);
    for (issuer, range) in [("demo", "534403"), ("compat", "222300")] {
        assert_eq!(
            gateway
                .client(issuer)
                .enrol(&sample::enrolment(range))
                .status,
            200
        );
    }
    let database = gateway.stop().unwrap();
    let of_demo = only(&export(&database, &["--issuer", "demo"]), &["user.enrol"]);
    assert_eq!(of_demo.len(), 1);
    assert_eq!(text(&of_demo[0], "issuer"), "demo");
    let at = text(&of_demo[0], "at");
    let enrolled = |arguments: &[&str]| only(&export(&database, arguments), &["user.enrol"]).len();
    assert_eq!(enrolled(&["--since", at]), 2);
    assert_eq!(enrolled(&["--until", at]), 0);
    assert_eq!(
        enrolled(&["--since", "2020-01-01T00:00:00Z", "--issuer", "compat"]),
        1
    );
    for wrong in [
        ["--issuer", "nobody"],
        ["--since", "yesterday"],
        ["--expect", "nonsense"],
    ] {
        let command = if wrong[0] == "--expect" {
            "verify"
        } else {
            "export"
        };
        let output = operate(&database, &[&["audit", command], &wrong[..]].concat());
        assert!(!output.status.success(), "{wrong:?}");
    }
    let end = &of_demo[0];
    let known = format!(
        "{}:{}:{}",
        text(end, "chain"),
        end["seq"],
        text(end, "hash")
    );
    assert_eq!(verify(&database, &["--expect", &known]).0, 0);
    let (status, found) = verify(&database, &["--expect", &known.replacen(':', ":1", 1)]);
    assert_eq!(status, 1);
    assert!(found.contains("is not the one expected"), "{found}");
});
