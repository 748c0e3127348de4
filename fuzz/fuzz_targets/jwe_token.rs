//! A compact JWE as a sender puts it into `encryptedData`.
//!
//! Whatever opens is authenticated: with another character in its tag it does not open.
#![no_main]

use issuer_gateway_fuzz::open;
use libfuzzer_sys::fuzz_target;
use payload_envelope::FieldLevelHeaders;
use serde_json::json;

fn opens(token: &str) -> bool {
    let body = json!({"encryptedData": token}).to_string();
    open(body.as_bytes(), &FieldLevelHeaders::default()).is_some()
}

fuzz_target!(|token: &str| {
    if opens(token)
        && let Some((rest, tag)) = token.rsplit_once('.')
    {
        let other = if tag.starts_with('A') { "B" } else { "A" };
        assert!(!opens(&format!("{rest}.{other}{}", &tag[1..])));
    }
});
