//! Callers who prove nothing can neither fill the trail nor slow down those who do.

use super::{assert_whole, export, only, text};
use crate::on_both;
use crate::support::Backend;
use crate::support::gateway::TestGateway;
use crate::support::http::send;
use issuer_gateway::client::sample;

const THREADS: usize = 4;
const EACH: usize = 50;

on_both!(
    a_flood_is_summed_up_and_nothing_is_lost,
    |backend: Backend| {
        let gateway = TestGateway::start(backend);
        let url = format!("{}/issuers/users", gateway.base_url);
        std::thread::scope(|scope| {
            for thread in 0..THREADS {
                let url = &url;
                scope.spawn(move || {
                    // Two reasons: no header, and one that does not parse.
                    let authorization = ["Basic canary", "OAuth canary"][thread % 2];
                    let headers = [
                        ("content-type", "application/json"),
                        ("authorization", authorization),
                    ];
                    for _ in 0..EACH {
                        assert_eq!(send("POST", url, &headers, b"{}").status, 401);
                    }
                });
            }
            // An issuer goes on as ever.
            let client = gateway.client("demo");
            assert_eq!(client.enrol(&sample::enrolment("534403")).status, 200);
        });
        let database = gateway.stop().unwrap();
        assert_whole(&database);
        let entries = only(&export(&database, &[]), &["signature.refused"]);
        let count = |entry: &serde_json::Value| match text(entry, "detail").strip_prefix("count=") {
            Some(count) => count.parse().unwrap(),
            None => 1,
        };
        for reason in ["missing-authorization", "malformed-header"] {
            let of_reason: Vec<_> = entries
                .iter()
                .filter(|entry| text(entry, "reason") == reason)
                .collect();
            let refusals: usize = of_reason.iter().map(|entry| count(entry)).sum();
            assert_eq!(refusals, THREADS / 2 * EACH, "{reason}");
        }
        // Twenty have their own, one more for each second that this took, and two sums every ten
        // seconds.
        assert!(entries.len() < 60, "{} entries", entries.len());
        let sums: Vec<_> = entries
            .iter()
            .filter(|entry| !text(entry, "detail").is_empty())
            .collect();
        assert!(sums.len() >= 2);
        assert!(sums.iter().all(|sum| text(sum, "origin") == "127.0.0.1"));
        database.assert_no_canary(&["canary"]);
    }
);

on_both!(the_metrics_tell_what_is_summed, |backend: Backend| {
    let gateway = TestGateway::start(backend);
    let url = format!("{}/issuers/users", gateway.base_url);
    for _ in 0..60 {
        send("POST", &url, &[("content-type", "application/json")], b"{}");
    }
    let page = gateway.gateway.metrics.render();
    let metric = r#"issuer_gateway_refusals_summed_total{reason="missing-authorization"} "#;
    let line = page.lines().find_map(|line| line.strip_prefix(metric));
    assert!(line.unwrap().parse::<u32>().unwrap() > 0);
});
