//! A field-level body with its four headers: a line each for `x-iv`, `x-encrypted-key`, the digest
//! and the fingerprint (empty: not sent), and the body after them.
//!
//! Members of the body win over headers: where the body opens by itself, headers change nothing.
#![no_main]

use issuer_gateway_fuzz::{open, parts};
use libfuzzer_sys::fuzz_target;
use payload_envelope::FieldLevelHeaders;
use payload_envelope::field_level::{
    ENCRYPTED_KEY_HEADER, FINGERPRINT_HEADERS, IV_HEADER, OAEP_DIGEST_HEADERS,
};

fuzz_target!(|input: &[u8]| {
    let Some(([iv, encrypted_key, oaep_digest, fingerprint], body)) = parts(input) else {
        return;
    };
    let headers = FieldLevelHeaders::collect(|name| {
        let text = match name {
            IV_HEADER => iv,
            ENCRYPTED_KEY_HEADER => encrypted_key,
            name if OAEP_DIGEST_HEADERS.first() == Some(&name) => oaep_digest,
            name if FINGERPRINT_HEADERS.first() == Some(&name) => fingerprint,
            _ => "",
        };
        Some(text).filter(|text| !text.is_empty())
    });
    let opened = open(body, &headers);
    // A digest or fingerprint that the body leaves out is the header's to say.
    if headers.oaep_digest.is_none()
        && headers.fingerprint.is_none()
        && let Some(alone) = open(body, &FieldLevelHeaders::default())
    {
        let opened = opened.expect("the body opens without headers");
        assert_eq!(opened.object.members(), alone.object.members());
    }
});
