//! What must not pass for a signed request (O6), each with its exact answer and for its own reason.

use super::attempts::attempts;
use super::{ENROL, Signed, assert_gateway_error, assert_unauthenticated, call, enrol, refusals};
use crate::on_both;
use crate::support::Backend;
use crate::support::gateway::TestGateway;
use crate::support::http::assert_crypto_error;
use crate::support::peer::{Jwe, jwe_body};
use issuer_gateway::client::sample;

on_both!(
    nothing_else_passes_for_a_signed_request,
    |backend: Backend| {
        let gateway = TestGateway::start(backend);
        let database = gateway.database.as_ref().unwrap();
        let body = Jwe::new(sample::enrolment("534403").to_string()).body();
        for attempt in attempts(&gateway, &body) {
            let before = refusals(&gateway, attempt.reason);
            let headers: Vec<(&str, &str)> = attempt
                .authorization
                .iter()
                .map(|value| ("Authorization", value.as_str()))
                .collect();
            let answer = call(&gateway, "POST", &attempt.target, &headers, &attempt.body);
            if attempt.reason.starts_with("body-hash") {
                assert_gateway_error(&answer, 400, "INVALID_BODY_HASH", &attempt.case);
            } else {
                assert_unauthenticated(&answer, &attempt.case);
            }
            let after = refusals(&gateway, attempt.reason);
            assert_eq!(after, before + 1, "{}: {}", attempt.case, attempt.reason);
        }
        // Nobody fills the store without a key; what the audit trail notes is bounded.
        let calls = "audit_entries WHERE action LIKE 'user.%'";
        for table in ["users", "cards", "oauth_nonces", "scoring_jobs", calls] {
            assert_eq!(database.count(table), 0, "{table}");
        }
        let authorization = Signed::enrol(&gateway, &body).authorization();
        assert_eq!(enrol(&gateway, &authorization, &body).status, 200);
    }
);

on_both!(
    a_refused_signature_does_not_use_up_the_nonce,
    |backend: Backend| {
        let gateway = TestGateway::start(backend);
        let body = Jwe::new(sample::enrolment("534403").to_string()).body();
        let signed = Signed::enrol(&gateway, &body);
        let foreign = Signed {
            key: "other-issuer-signing",
            ..signed.clone()
        };
        assert_unauthenticated(&enrol(&gateway, &foreign.authorization(), &body), "foreign");
        assert_eq!(enrol(&gateway, &signed.authorization(), &body).status, 200);
    }
);

on_both!(
    nothing_is_opened_before_the_signature_verifies,
    |backend: Backend| {
        let gateway = TestGateway::start(backend);
        let good = Jwe::new(sample::enrolment("534403").to_string()).segments();
        let mut spoiled = good.clone();
        spoiled[4] = "A".repeat(22);
        let [good, spoiled] = [good, spoiled].map(|segments| jwe_body(&segments.join(".")));
        let no_token = jwe_body(&".".repeat(200));
        for body in [&good[..], &spoiled, &no_token, b"no JSON", b"{}", b""] {
            let signed = Signed::enrol(&gateway, body);
            let foreign = Signed {
                key: "other-issuer-signing",
                ..signed
            };
            let unsigned = call(&gateway, "POST", ENROL, &[], body);
            assert_unauthenticated(&unsigned, "no signature");
            let forged = enrol(&gateway, &foreign.authorization(), body);
            assert_unauthenticated(&forged, "wrong signature");
        }
        assert_eq!(refusals(&gateway, "missing-authorization"), 6);
        assert_eq!(refusals(&gateway, "signature-invalid"), 6);
        for reason in ["crypto", "rules-broken"] {
            assert_eq!(refusals(&gateway, reason), 0, "{reason}");
        }
        let signed = Signed::enrol(&gateway, &spoiled).authorization();
        assert_crypto_error(&enrol(&gateway, &signed, &spoiled), "signed");
        assert_eq!(refusals(&gateway, "crypto"), 1);
    }
);
