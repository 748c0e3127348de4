//! What official libraries may send, in every variant, opens (wire-formats.md, J4, J6, F2, F4, F5).

use super::{Bench, enrolment};
use crate::on_both;
use crate::support::Backend;
use crate::support::peer::{
    FieldLevel, Jwe, Wrap, base64_standard, base64url, certificate_digest, josekit_token, jwe_body,
    key_digest, oaep_sha256, oaep_sha512, thumbprint,
};
use openssl::symm::Cipher;
use serde_json::{Value, json};

/// Every way in which clients name a key, and not to name one.
fn hints() -> Vec<String> {
    let (key, certificate) = (key_digest("gateway"), certificate_digest("gateway"));
    vec![
        hex::encode(&key),
        hex::encode_upper(&key),
        base64_standard(&key),
        base64url(&key),
        hex::encode(&certificate),
        hex::encode_upper(&certificate),
        base64_standard(&certificate),
        base64_standard(&certificate)
            .trim_end_matches('=')
            .to_owned(),
        base64url(&certificate),
        base64url(&thumbprint("gateway")),
        "gateway-2026".to_owned(),
        String::new(),
    ]
}

on_both!(tokens_name_the_key_in_many_ways, |backend: Backend| {
    let bench = Bench::start(backend);
    let mut kids: Vec<Value> = hints().into_iter().map(Value::from).collect();
    // Absent: the primary key is meant.
    kids.push(Value::Null);
    for kid in kids {
        let token = Jwe::new(enrolment()).with_header(&json!({ "kid": kid }));
        bench.opens(&kid.to_string(), &[], &token.body());
    }
});

on_both!(
    tokens_come_with_other_ivs_and_ciphers,
    |backend: Backend| {
        let bench = Bench::start(backend);
        for (enc, cipher, cek) in [
            ("A128GCM", Cipher::aes_128_gcm(), 16),
            ("A192GCM", Cipher::aes_192_gcm(), 24),
            ("A256GCM", Cipher::aes_256_gcm(), 32),
        ] {
            for iv in [12, 16] {
                let token = Jwe {
                    cipher,
                    cek: vec![7; cek],
                    iv: vec![9; iv],
                    ..Jwe::new(enrolment())
                };
                let token = token.with_header(&json!({ "enc": enc }));
                bench.opens(&format!("{enc}, IV of {iv} bytes"), &[], &token.body());
            }
        }
    }
);

on_both!(tokens_of_josekit_open, |backend: Backend| {
    let bench = Bench::start(backend);
    for enc in ["A128GCM", "A192GCM", "A256GCM", "A128CBC-HS256"] {
        let token = josekit_token(enc, &enrolment());
        bench.opens(enc, &[], &jwe_body(&token));
    }
});

/// Writes the binary members of a field-level message.
type Encode = fn(&[u8]) -> String;

/// Rewrites base64url in another of the alphabets that clients mix.
type Spelling = fn(&str) -> String;

on_both!(tokens_come_in_any_base64, |backend: Backend| {
    let bench = Bench::start(backend);
    let padded = |segment: &str| format!("{segment}{}", "=".repeat((4 - segment.len() % 4) % 4));
    let spellings: [(&str, Spelling); 4] = [
        ("node: - and / side by side", |segment| {
            segment.replace('_', "/")
        }),
        ("+ and _ side by side", |segment| segment.replace('-', "+")),
        ("standard", |segment| {
            segment.replace('-', "+").replace('_', "/")
        }),
        ("url, to be padded", str::to_owned),
    ];
    for (case, spell) in spellings {
        for pad in [false, true] {
            // The header segment is authenticated as it came, so it is spelled before sealing.
            let mut token = Jwe::new(enrolment()).with_header(&json!({"x": "~~~???>>>"}));
            token.iv = vec![0xff; 16];
            let finish = |bytes: &[u8]| {
                let segment = spell(&base64url(bytes));
                if pad { padded(&segment) } else { segment }
            };
            let head = finish(token.header.as_bytes());
            // Until the wrapped key has both characters that the alphabets differ in.
            let sealed = std::iter::repeat_with(|| token.seal_under(&head))
                .find(|sealed| {
                    let wrapped = base64url(&sealed[0]);
                    wrapped.contains('-') && wrapped.contains('_')
                })
                .unwrap();
            let [wrapped, iv, text, tag] = sealed.map(|bytes| finish(&bytes));
            let compact = [head, wrapped, iv, text, tag].join(".");
            assert_eq!(
                compact.contains('/'),
                case.contains('/') || case == "standard"
            );
            assert_eq!(compact.contains('='), pad);
            bench.opens(&format!("{case}, padded: {pad}"), &[], &jwe_body(&compact));
        }
    }
});

on_both!(
    headers_are_any_json_and_bodies_hold_more,
    |backend: Backend| {
        let bench = Bench::start(backend);
        let kid = hex::encode(key_digest("gateway"));
        for header in [
        format!(r#"{{"enc":"A256GCM","cty":"application\/json","alg":"RSA-OAEP-256","kid":"{kid}"}}"#),
        format!("{{ \"kid\" : \"{kid}\",\r\n\t\"alg\" : \"RSA-OAEP-256\", \"enc\":\"A256GCM\" }} "),
        r#"{"alg":"RSA-OAEP-256","enc":"A256GCM"}"#.to_owned(),
        r#"{"alg":"RSA-OAEP-256","enc":"A256GCM","typ":"JOSE","iat":1700000000,"x":{"y":[null]}}"#.to_owned(),
        r#"{"\u0061lg":"RSA-OAEP-256","enc":"A256GCM"}"#.to_owned(),
    ] {
        let token = Jwe {
            header: header.clone(),
            ..Jwe::new(enrolment())
        };
        bench.opens(&header, &[], &token.body());
    }
        let token = Jwe::new(enrolment()).segments().join(".");
        let body = json!({"x": [1, {"y": null}], "encryptedData": token, "undefined": "abc"});
        bench.opens(
            "members beside the token",
            &[],
            format!(" {body}\n").as_bytes(),
        );
    }
);

on_both!(
    field_level_names_the_key_in_many_ways,
    |backend: Backend| {
        let bench = Bench::start(backend);
        let mut all: Vec<Value> = hints().into_iter().map(Value::from).collect();
        all.push(Value::Null);
        for hint in all {
            let message = FieldLevel::new(enrolment());
            let changes = json!({ "publicKeyFingerprint": hint });
            let body = message.body_with(|bytes| hex::encode(bytes), &changes);
            bench.opens(&hint.to_string(), &[], &body);
        }
    }
);

on_both!(
    field_level_comes_with_other_digests_keys_and_encodings,
    |backend: Backend| {
        let bench = Bench::start(backend);
        let (sha256, sha512): (Wrap, Wrap) = (oaep_sha256, oaep_sha512);
        let digests = [
            (json!("SHA256"), sha256),
            (json!("SHA-256"), sha256),
            (json!("sha256"), sha256),
            (Value::Null, sha256),
            (json!("SHA512"), sha512),
            (json!("SHA-512"), sha512),
            (json!("sha512"), sha512),
        ];
        for (name, wrap) in digests {
            let message = FieldLevel {
                wrap,
                ..FieldLevel::new(enrolment())
            };
            let changes = json!({ "oaepHashingAlgorithm": name });
            let body = message.body_with(|bytes| hex::encode(bytes), &changes);
            bench.opens(&format!("digest {name}"), &[], &body);
        }
        let encodings: [(&str, Encode); 4] = [
            ("hex", |bytes| hex::encode(bytes)),
            ("HEX", |bytes| hex::encode_upper(bytes)),
            ("base64", base64_standard),
            ("base64url", base64url),
        ];
        for (name, encode) in encodings {
            for length in [16, 32] {
                let message = FieldLevel {
                    cek: vec![7; length],
                    ..FieldLevel::new(enrolment())
                };
                let body = message.body_with(encode, &json!({"undefined": "abc"}));
                bench.opens(&format!("{name}, AES key of {length} bytes"), &[], &body);
            }
        }
    }
);

on_both!(
    field_level_parameters_come_as_headers,
    |backend: Backend| {
        let bench = Bench::start_with_headers(backend);
        for (digest_header, hint_header) in [
            ("x-oaep-hashing-algorithm", "x-public-key-fingerprint"),
            (
                "X-OAEP-Padding-Digest-Algorithm",
                "X-Encryption-Key-Fingerprint",
            ),
            (
                "x-oaep-padding-digest-algorithm",
                "x-encryption-certificate-fingerprint",
            ),
        ] {
            for encode in [|bytes: &[u8]| hex::encode(bytes), base64_standard] {
                let message = FieldLevel {
                    wrap: oaep_sha512,
                    ..FieldLevel::new(enrolment())
                };
                let [iv, wrapped, text] = message.seal().map(|bytes| encode(&bytes));
                let hint = hex::encode(certificate_digest("gateway"));
                let headers = [
                    ("x-iv", iv.as_str()),
                    ("x-encrypted-key", &wrapped),
                    (digest_header, "SHA512"),
                    (hint_header, &hint),
                ];
                let body = json!({ "encryptedData": text }).to_string();
                bench.opens(digest_header, &headers, body.as_bytes());
            }
        }
    }
);
