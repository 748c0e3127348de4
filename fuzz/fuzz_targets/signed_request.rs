//! Both sides of a signature: a line each for the method and the request target, and the body after
//! them. What [`SigningKey`] signs, [`Authorization`] verifies.
#![no_main]

use issuer_gateway_fuzz::parts;
use libfuzzer_sys::fuzz_target;
use oauth1_rsa::{
    Authorization, Policy, PublicOrigin, Request, SignatureMethod, SigningKey, VerifyingKey,
};
use openssl::pkey::PKey;
use std::sync::LazyLock;

const PEM: &[u8] = include_bytes!("../../tests/keys/issuer-signing.pem");
const ORIGIN: &str = "https://api.example.com";
const NOW: i64 = 1_700_000_000;

static SIGNING: LazyLock<SigningKey> = LazyLock::new(|| {
    let key = PKey::private_key_from_pem(PEM).unwrap();
    SigningKey::from_private_key(key, "client!key".to_owned()).unwrap()
});
static VERIFYING: LazyLock<VerifyingKey> = LazyLock::new(|| {
    let key = PKey::private_key_from_pem(PEM).unwrap();
    let public = PKey::public_key_from_pem(&key.public_key_to_pem().unwrap()).unwrap();
    VerifyingKey::from_public_key(public).unwrap()
});
static ORIGINS: LazyLock<[PublicOrigin; 1]> =
    LazyLock::new(|| [PublicOrigin::parse(ORIGIN).unwrap()]);

fuzz_target!(|input: &[u8]| {
    let Some(([method, target], body)) = parts(input) else {
        return;
    };
    // A request target begins with a slash and has no fragment: no server sees another.
    if !target.starts_with('/') || target.contains('#') {
        return;
    }
    let url = format!("{ORIGIN}{target}");
    let rsa = SignatureMethod::RsaSha256;
    let Ok(header) = SIGNING.sign_at(method, &url, body, rsa, NOW, "nonce") else {
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
    let authorization = Authorization::parse(&header).expect("a header of our own parses");
    authorization
        .verify(&request, &*ORIGINS, &[&*VERIFYING], &Policy::default(), NOW)
        .expect("what was signed verifies");
});
