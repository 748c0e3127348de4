//! Payloads that do not open are counted for each issuer, and slow down no other.

use crate::on_both_blocking;
use crate::support::Backend;
use crate::support::gateway::{TestGateway, user_id};
use crate::support::http::{assert_crypto_error, post};
use crate::support::peer::Jwe;
use issuer_gateway::client::sample;
use serde_json::json;

fn counted(gateway: &TestGateway, issuer: &str, reason: &str) -> u64 {
    let name =
        format!(r#"issuer_gateway_crypto_refusals_total{{issuer="{issuer}",reason="{reason}"}} "#);
    let page = gateway.gateway.metrics.render();
    let line = page.lines().find_map(|line| line.strip_prefix(&name));
    line.map_or(0, |count| count.parse().unwrap())
}

on_both_blocking!(
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

on_both_blocking!(
    an_issuer_that_floods_with_what_does_not_open_is_refused_alone,
    |backend: Backend| {
        let gateway = TestGateway::start(backend);
        let body = Jwe::new("{}").with_header(&json!({"kid": "nobody"})).body();
        // More than are answered at once, and more than may wait for their turn. How many that
        // takes is up to the machine.
        let mut statuses = Vec::new();
        while !statuses.contains(&503) {
            assert!(statuses.len() < 10_000, "the flood was never refused");
            let round: Vec<u16> = std::thread::scope(|scope| {
                let sending: Vec<_> = (0..128)
                    .map(|_| {
                        let client = gateway.client("demo");
                        let body = &body;
                        scope.spawn(move || [(); 2].map(|()| post(&client, &[], body).status))
                    })
                    .collect();
                sending
                    .into_iter()
                    .flat_map(|one| one.join().unwrap())
                    .collect()
            });
            statuses.extend(round);
        }
        assert!(statuses.iter().all(|status| [400, 503].contains(status)));
        // Refused as overloaded, such calls use up no nonce.
        let refused = statuses.iter().filter(|status| **status == 400).count();
        let nonces = gateway.database.as_ref().unwrap().count("oauth_nonces");
        let [least, most] =
            [refused, statuses.len() - 1].map(|count| i64::try_from(count).unwrap());
        assert!((least..=most).contains(&nonces), "{least} {nonces} {most}");
        let other = gateway.client("compat");
        user_id(&other.enrol(&sample::enrolment("222300")));
    }
);
