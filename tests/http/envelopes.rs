//! Both envelopes over HTTP, made and read by an independent peer: what must open, what must not,
//! what comes back.

mod accepted;
mod answers;
mod forms;
mod refused_field_level;
mod refused_jwe;
mod settings;

use crate::support::Backend;
use crate::support::gateway::{ISSUERS, TestClient, TestGateway, issuers_toml_with};
use crate::support::http::{assert_crypto_error, post};
use issuer_gateway::client::sample;

/// What a case is about, and the body of its request.
type Cases = Vec<(String, Vec<u8>)>;

/// A gateway with a client, for many cases.
struct Bench {
    gateway: TestGateway,
    client: TestClient,
}

impl Bench {
    fn start(backend: Backend) -> Self {
        Self::with(TestGateway::start(backend))
    }

    /// Issuers may send parameters of field-level encryption as headers.
    fn start_with_headers(backend: Backend) -> Self {
        Self::with(TestGateway::start_declaring(
            backend,
            &issuers_toml_with("field_level_headers = true"),
        ))
    }

    fn with(gateway: TestGateway) -> Self {
        let client = gateway.client("demo");
        Self { gateway, client }
    }

    #[track_caller]
    fn opens(&self, case: &str, headers: &[(&str, &str)], body: &[u8]) {
        let answer = post(&self.client, headers, body);
        assert_eq!(answer.status, 200, "{case}: {:?}", answer.clear);
    }

    /// The issuers take turns: one alone gets a hundred refusals of the kind at once, and would be
    /// slowed down then.
    #[track_caller]
    fn refuses_all(&self, cases: &Cases) {
        let clients = ISSUERS.map(|issuer| self.gateway.client(issuer.name));
        for ((case, body), client) in cases.iter().zip(clients.iter().cycle()) {
            assert_crypto_error(&post(client, &[], body), case);
        }
        self.assert_nothing_came_of(i64::try_from(cases.len()).unwrap());
    }

    /// Each refused call left its audit entry, with the one reason, and nothing else but its nonce.
    fn assert_nothing_came_of(&self, cases: i64) {
        let database = self.gateway.database.as_ref().unwrap();
        let refused = "SELECT count(*) AS n FROM audit_entries \
                       WHERE action = 'user.enrol' AND outcome = 'refused' AND reason = 'crypto'";
        assert_eq!(database.number(refused), cases);
        assert_eq!(database.count("oauth_nonces"), cases);
        for table in ["users", "cards", "scoring_jobs"] {
            assert_eq!(database.count(table), 0, "{table}");
        }
    }
}

/// The text of a valid enrolment, of another card each time.
fn enrolment() -> String {
    sample::enrolment("534403").to_string()
}
