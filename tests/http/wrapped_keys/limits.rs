//! Payloads that do not open are counted for each issuer, and slow down no other.

use crate::on_both;
use crate::support::Backend;
use crate::support::gateway::{TestGateway, assert_refused, user_id};
use crate::support::http::{assert_crypto_error, post};
use crate::support::peer::Jwe;
use futures_util::FutureExt;
use issuer_gateway::client::sample;
use issuer_gateway::refusal::Refusal;
use serde_json::json;

fn counted(gateway: &TestGateway, issuer: &str, reason: &str) -> u64 {
    let name =
        format!(r#"issuer_gateway_crypto_refusals_total{{issuer="{issuer}",reason="{reason}"}} "#);
    let page = gateway.gateway.metrics.render();
    let line = page.lines().find_map(|line| line.strip_prefix(&name));
    line.map_or(0, |count| count.parse().unwrap())
}

on_both!(
    refusals_are_counted_by_issuer_and_reason,
    |backend: Backend| {
        let gateway = TestGateway::start(backend);
        let (demo, compat) = (gateway.client("demo"), gateway.client("compat"));
        let unknown = |client| {
            let kid = json!({"kid": "nobody"});
            let body = Jwe::new("{}").with_header(&kid).body();
            assert_crypto_error(&post(client, &[], &body), "unknown key");
        };
        for _ in 0..3 {
            unknown(&demo);
        }
        unknown(&compat);
        let body = Jwe::new(sample::enrolment("534403").to_string()).body();
        assert_eq!(post(&demo, &[], &body).status, 200);
        assert_crypto_error(&post(&compat, &[], &body), "another's");
        let all = ["demo", "compat"].map(|issuer| {
            ["crypto", "wrapped-key-reused"].map(|reason| counted(&gateway, issuer, reason))
        });
        assert_eq!(all, [[3, 0], [1, 1]]);
    }
);

on_both!(
    an_issuer_that_floods_with_what_does_not_open_is_refused_alone,
    |backend: Backend| {
        let gateway = TestGateway::start(backend);
        let demo = gateway.client("demo");
        let parts = &gateway.gateway;
        let issuers = parts.registry.issuers();
        let issuer = issuers
            .iter()
            .find(|issuer| issuer.client_id.as_str() == "demo")
            .unwrap();
        // As many as a flood brings faster than a test can send them: a minute's debt and more.
        gateway.block_on(async {
            for _ in 0..1_000 {
                let refusal = Refusal::Crypto("unknown-key");
                let refused = parts.throttle.refused(issuer, &refusal, &parts.metrics);
                // What it has to wait for its answer is of no interest.
                let _ = refused.now_or_never();
            }
        });
        let body = Jwe::new(sample::enrolment("534403").to_string()).body();
        let answer = post(&demo, &[], &body);
        assert_refused(&answer, 503, &["SERVICE_UNAVAILABLE"]);
        // Nothing was decrypted, and the same request may come again.
        let database = gateway.database.as_ref().unwrap();
        for table in ["oauth_nonces", "opened_keys", "users"] {
            assert_eq!(database.count(table), 0, "{table}");
        }
        user_id(&gateway.client("compat").enrol(&sample::enrolment("222300")));
    }
);
