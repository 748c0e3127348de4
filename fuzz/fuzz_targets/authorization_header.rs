//! An `Authorization` header with the request that it came with: a line each for the method, the
//! request target and the header, and the body after them.
//!
//! The keys are those of the recorded requests, so the seeds verify; now is always the header's own
//! time. Whatever verifies does not verify with one more byte in its body.
#![no_main]

use issuer_gateway_fuzz::parts;
use libfuzzer_sys::fuzz_target;
use oauth1_rsa::{Authorization, Policy, PublicOrigin, Request, VerifyingKey};
use openssl::pkey::PKey;
use serde_json::Value;
use std::sync::LazyLock;

static KEYS: LazyLock<Vec<VerifyingKey>> = LazyLock::new(|| {
    let recorded = include_bytes!("../../crates/oauth1-rsa/tests/fixtures/vectors.json");
    let recorded: Value = serde_json::from_slice(recorded).unwrap();
    let key = |library: &str| {
        let pem = recorded[library]["public_key"].as_str().unwrap();
        let key = PKey::public_key_from_pem(pem.as_bytes()).unwrap();
        VerifyingKey::from_public_key(key).unwrap()
    };
    ["node", "python"].map(key).into()
});
static ORIGINS: LazyLock<Vec<PublicOrigin>> = LazyLock::new(|| {
    let origins = ["http://api.example.com", "https://api.example.com"];
    origins
        .map(|origin| PublicOrigin::parse(origin).unwrap())
        .into()
});

fn verifies(request: &Request<'_>, header: &str) -> bool {
    let Ok(authorization) = Authorization::parse(header) else {
        return false;
    };
    let keys: Vec<_> = KEYS.iter().collect();
    let now = authorization.timestamp();
    authorization
        .verify(request, &ORIGINS, &keys, &Policy::default(), now)
        .is_ok()
}

fuzz_target!(|input: &[u8]| {
    let Some(([method, target, header], body)) = parts(input) else {
        return;
    };
    let (path, query) = match target.split_once('?') {
        Some((path, query)) => (path, Some(query)),
        None => (target, None),
    };
    let request = Request {
        method,
        path,
        query,
        body,
    };
    if verifies(&request, header) {
        let longer = [body, b" "].concat();
        let request = Request {
            body: &longer,
            ..request
        };
        assert!(!verifies(&request, header));
    }
});
