//! Profiles that several change at once: two calls, two nodes, two issuers, a replay, the
//! operator's file.

use super::Issuer;
use crate::on_both;
use crate::support::Backend;
use crate::support::gateway::{
    TestGateway, assert_refused, config, consumer_key, errors, issuers_toml, test_key,
};
use crate::support::http::send;
use issuer_gateway::issuers::declaration;
use issuer_gateway::store::audit::AuditDraft;
use issuer_gateway::store::issuers::IssuerChange;
use issuer_gateway::store::now;
use serde_json::{Value, json};

/// Applies the issuers' file, as an operator does; returns what became of the first, `demo`.
fn apply(gateway: &TestGateway, toml: &str) -> IssuerChange {
    let declared = declaration::parse(toml, &test_key("")).unwrap();
    let audit = AuditDraft::accepted(now(), "test", "issuer.apply");
    let store = &gateway.gateway.store;
    let applied = gateway
        .block_on(store.apply_issuers(declared, audit))
        .unwrap();
    gateway
        .block_on(gateway.gateway.registry.refresh(store))
        .unwrap();
    applied[0].change
}

on_both!(concurrent_changes_lose_nothing, |backend: Backend| {
    let first = TestGateway::start(backend);
    let database = first.database.as_ref().unwrap();
    let second = TestGateway::start_with(&config(&database.url_text));
    std::thread::scope(|scope| {
        for number in 0..12 {
            let gateway = if number % 2 == 0 { &first } else { &second };
            scope.spawn(move || {
                let demo = Issuer::of(gateway, "demo");
                let own = format!("own{number}");
                let body = json!({
                    "supportedAccountRange": format!("60{number:02}"),
                    "preferredTheme": {own: "x"},
                });
                // An overloaded database may ask to come again.
                for _ in 0..5 {
                    if demo.put(&body).status == 200 {
                        return;
                    }
                }
                panic!("not changed in five attempts");
            });
        }
    });
    // Each node follows the other by itself (it looks every second).
    let deadline = std::time::Instant::now() + std::time::Duration::from_secs(30);
    let lacks = |profile: &Value, number: usize| {
        let ranges = profile["supportedAccountRange"].as_str().unwrap();
        let range = format!("60{number:02}");
        let found = ranges.split(',').filter(|r| **r == range).count();
        assert!(found < 2, "{ranges}");
        found == 0 || profile["preferredTheme"][format!("own{number}")] != "x"
    };
    for gateway in [&first, &second] {
        let demo = Issuer::of(gateway, "demo");
        loop {
            let profile = demo.profile();
            if !(0..12).any(|number| lacks(&profile, number)) {
                break;
            }
            assert!(std::time::Instant::now() < deadline, "a change is lost");
            std::thread::sleep(std::time::Duration::from_millis(50));
        }
    }
});

on_both!(one_of_two_issuers_gets_a_range, |backend: Backend| {
    let gateway = TestGateway::start(backend);
    let statuses: Vec<u16> = std::thread::scope(|scope| {
        let ask = |(name, range): (&'static str, &'static str)| {
            let gateway = &gateway;
            scope.spawn(move || {
                let issuer = Issuer::of(gateway, name);
                issuer.put(&json!({"supportedAccountRange": range})).status
            })
        };
        let asked = [
            ("demo", "6011"),
            ("compat", "601100"),
            ("basic", "60110000"),
        ]
        .map(ask);
        asked.map(|thread| thread.join().unwrap()).into()
    });
    assert_eq!(
        statuses.iter().filter(|s| **s == 200).count(),
        1,
        "{statuses:?}"
    );
    assert_eq!(
        statuses.iter().filter(|s| **s == 400).count(),
        2,
        "{statuses:?}"
    );
});

on_both!(both_need_a_signature_and_use_it_up, |backend: Backend| {
    let gateway = TestGateway::start(backend);
    let demo = Issuer::of(&gateway, "demo");
    let url = demo.url.as_str();
    for (method, bodies) in [
        ("GET", vec!["", ""]),
        ("PUT", vec!["{}", "{\"optOutURL\":7}", ""]),
    ] {
        assert_refused(
            &send(method, url, &[], b""),
            401,
            &["AUTHENTICATION_FAILED"],
        );
        for body in bodies {
            let body = body.as_bytes();
            let authorization = demo.client.authorization(method, url, body);
            let headers = [
                ("Authorization", authorization.as_str()),
                ("Content-Type", "application/json"),
            ];
            let first = send(method, url, &headers, body);
            assert_ne!(first.status, 401, "{method}");
            let again = send(method, url, &headers, body);
            assert_refused(&again, 401, &["AUTHENTICATION_FAILED"]);
            assert_eq!(errors(&again)[0].0, "Gateway");
        }
    }
    let authorization = demo.client.authorization("PUT", url, b"{}");
    let headers = [
        ("Authorization", authorization.as_str()),
        ("Content-Type", "application/json"),
    ];
    assert_refused(
        &send("PUT", url, &headers, b"{ }"),
        400,
        &["INVALID_BODY_HASH"],
    );
    for method in ["POST", "DELETE", "PATCH"] {
        let answer = send(method, url, &[], b"");
        assert_refused(&answer, 405, &["METHOD_NOT_ALLOWED"]);
    }
});

on_both!(one_nonce_among_many_changes_once, |backend: Backend| {
    let gateway = TestGateway::start(backend);
    let demo = Issuer::of(&gateway, "demo");
    let body = br#"{"supportedAccountRange":"6011"}"#;
    let authorization = demo.client.authorization("PUT", &demo.url, body);
    let statuses: Vec<u16> = std::thread::scope(|scope| {
        let ask = |_| {
            scope.spawn(|| {
                let headers = [
                    ("Authorization", authorization.as_str()),
                    ("Content-Type", "application/json"),
                ];
                send("PUT", &demo.url, &headers, body).status
            })
        };
        let threads: Vec<_> = (0..6).map(ask).collect();
        threads.into_iter().map(|t| t.join().unwrap()).collect()
    });
    assert_eq!(
        statuses.iter().filter(|s| **s == 200).count(),
        1,
        "{statuses:?}"
    );
    assert_eq!(
        statuses.iter().filter(|s| **s == 401).count(),
        5,
        "{statuses:?}"
    );
    let database = gateway.database.as_ref().unwrap();
    let entries = |outcome: &str| {
        database.number(&format!(
            "SELECT count(*) AS n FROM audit_entries WHERE action = 'issuer.change' AND outcome = '{outcome}'"
        ))
    };
    assert_eq!((entries("accepted"), entries("refused")), (1, 5));
    let actors = database
        .texts("SELECT DISTINCT actor AS t FROM audit_entries WHERE action = 'issuer.change'");
    assert_eq!(actors, [consumer_key("demo")]);
});

on_both!(
    applying_the_file_again_keeps_what_the_issuer_set,
    |backend: Backend| {
        let gateway = TestGateway::start(backend);
        let demo = Issuer::of(&gateway, "demo");
        demo.changed(&json!({
            "supportedAccountRange": "6011,6012",
            "optOutURL": "https://demo.example/out",
            "preferredTheme": {"fontColor": "#123"},
        }));
        let changed = demo.profile();
        assert_eq!(apply(&gateway, &issuers_toml()), IssuerChange::Unchanged);
        assert_eq!(demo.profile(), changed);

        // What the file does name is the operator's: a range taken over and then left out goes, an
        // own one stays.
        let toml = issuers_toml();
        let with = toml.replacen("\"534403\", ", "\"534403\", \"6011\", ", 1);
        assert_ne!(with, toml);
        assert_eq!(apply(&gateway, &with), IssuerChange::Updated);
        assert_eq!(
            demo.profile()["supportedAccountRange"],
            "534403,6011,518145,5424,6012"
        );
        assert_eq!(apply(&gateway, &toml), IssuerChange::Updated);
        assert_eq!(
            demo.profile()["supportedAccountRange"],
            "534403,518145,5424,6012"
        );

        let extra = "opt_out_url = \" https://operator.example/out \"\ntheme = { buttonColor = \"#fff\" }\ndonation";
        assert_eq!(
            apply(&gateway, &toml.replacen("donation", extra, 1)),
            IssuerChange::Updated
        );
        let profile = demo.profile();
        assert_eq!(profile["optOutURL"], "https://operator.example/out");
        assert_eq!(profile["preferredTheme"]["buttonColor"], "#fff");
        assert_eq!(
            profile["preferredTheme"]["fontColor"], "#000000",
            "a declared theme replaces the old one"
        );

        let bad = toml.replacen("donation", "theme = { fontColor = \"red\" }\ndonation", 1);
        let problems = declaration::parse(&bad, &test_key(""))
            .unwrap_err()
            .to_string();
        assert!(
            problems.contains("issuer demo: theme.fontColor: must be #"),
            "{problems}"
        );
    }
);
