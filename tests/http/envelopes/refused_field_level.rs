//! Field-level messages that must not open (wire-formats.md, F3 and F6).

use super::refused_jwe::plaintexts;
use super::{Bench, Cases, enrolment};
use crate::on_both;
use crate::support::Backend;
use crate::support::gateway::assert_refused;
use crate::support::http::post;
use crate::support::peer::{
    FieldLevel, Wrap, base64_standard, key_digest, oaep_sha1, oaep_sha384, oaep_sha512,
};
use serde_json::{Value, json};

fn hex_of(bytes: &[u8]) -> String {
    hex::encode(bytes)
}

fn changed(changes: &Value) -> Vec<u8> {
    FieldLevel::new(enrolment()).body_with(hex_of, changes)
}

fn encodings(cases: &mut Cases) {
    let [iv, wrapped, text] = FieldLevel::new(enrolment()).seal().map(hex::encode);
    let body = |iv: &str, wrapped: &str, text: &str| {
        json!({"encryptedData": text, "iv": iv, "encryptedKey": wrapped})
            .to_string()
            .into_bytes()
    };
    for (case, body) in [
        ("odd hex: ciphertext", body(&iv, &wrapped, &text[1..])),
        ("odd hex: wrapped key", body(&iv, &wrapped[1..], &text)),
        ("odd hex: IV", body(&iv[1..], &wrapped, &text)),
        (
            "no hex: ciphertext",
            body(&iv, &wrapped, &format!("g{}", &text[1..])),
        ),
        (
            "no hex: wrapped key",
            body(&iv, &format!("g{}", &wrapped[1..]), &text),
        ),
        (
            "no hex: IV",
            body(&format!("g{}", &iv[1..]), &wrapped, &text),
        ),
        ("a blank", body(&iv, &wrapped, &format!(" {}", &text[1..]))),
        ("no IV text", body("", &wrapped, &text)),
        (
            "half a block",
            body(&iv, &wrapped, &text[..text.len() - 16]),
        ),
        ("a byte more", body(&iv, &wrapped, &format!("{text}00"))),
    ] {
        cases.push((case.to_owned(), body));
    }
    for length in [0, 1, 8, 12, 15, 17, 18, 24, 32] {
        for encode in [hex_of as fn(&[u8]) -> String, base64_standard] {
            let iv = encode(&vec![1; length]);
            cases.push((
                format!("IV of {length} bytes: {iv:?}"),
                body(&iv, &wrapped, &text),
            ));
        }
    }
    for length in [128, 255, 257, 384, 512] {
        let wrapped = "01".repeat(length);
        cases.push((
            format!("wrapped key of {length} bytes"),
            body(&iv, &wrapped, &text),
        ));
    }
}

fn keys(cases: &mut Cases) {
    let wrapped_by = |wrap: Wrap| FieldLevel {
        wrap,
        ..FieldLevel::new(enrolment())
    };
    let wrong_key = |length: usize| FieldLevel {
        cek: vec![7; length],
        ..FieldLevel::new(enrolment())
    };
    for (case, message) in [
        (
            "foreign key",
            FieldLevel {
                key: "gateway-next",
                ..FieldLevel::new(enrolment())
            },
        ),
        ("wrapped by SHA-512, said SHA256", wrapped_by(oaep_sha512)),
        ("wrapped by SHA-1, said SHA256", wrapped_by(oaep_sha1)),
        ("content key of 15 bytes", wrong_key(15)),
        ("content key of 24 bytes", wrong_key(24)),
        ("content key of 33 bytes", wrong_key(33)),
    ] {
        cases.push((case.to_owned(), message.body()));
    }
    let sha1 = wrapped_by(oaep_sha1);
    let sha384 = wrapped_by(oaep_sha384);
    for (message, name) in [
        (&sha1, "SHA1"),
        (&sha1, "SHA-1"),
        (&sha384, "SHA384"),
        (&sha384, "SHA-384"),
    ] {
        let body = message.body_with(hex_of, &json!({ "oaepHashingAlgorithm": name }));
        cases.push((format!("digest {name}"), body));
    }
    for name in ["", "MD5", "SHA224", "SHA 256", "SHA256 "] {
        cases.push((
            format!("digest {name:?}"),
            changed(&json!({ "oaepHashingAlgorithm": name })),
        ));
    }
    for hint in [
        "nobody",
        "gateway-2025",
        &hex::encode(key_digest("gateway-next")),
        &"0".repeat(64),
    ] {
        cases.push((
            format!("fingerprint {hint}"),
            changed(&json!({ "publicKeyFingerprint": hint })),
        ));
    }
}

fn paddings(cases: &mut Cases) {
    let mut text = enrolment().into_bytes();
    text.resize(text.len().next_multiple_of(16), b' ');
    for (case, end) in [
        ("zeros", vec![0; 16]),
        ("longer than a block", vec![17; 16]),
        ("uneven", [vec![9; 8], vec![7, 8], vec![8; 6]].concat()),
        ("none", Vec::new()),
    ] {
        let padded = [&text[..], &end].concat();
        let message = FieldLevel {
            padded,
            ..FieldLevel::new("")
        };
        cases.push((format!("padding: {case}"), message.body()));
    }
}

on_both!(
    messages_that_must_not_open_give_one_answer,
    |backend: Backend| {
        let bench = Bench::start(backend);
        let mut cases = Cases::new();
        for add in [encodings, keys, paddings] {
            add(&mut cases);
        }
        for (case, mut plaintext) in plaintexts() {
            // Short ciphertexts break the published length, which has an answer of its own.
            let blanks = 128_usize.saturating_sub(plaintext.len());
            plaintext.splice(0..0, vec![b' '; blanks]);
            cases.push((
                format!("plaintext: {case}"),
                FieldLevel::new(plaintext).body(),
            ));
        }
        bench.refuses_all(&cases);
        bench.opens(
            "the same, unspoiled",
            &[],
            &FieldLevel::new(enrolment()).body(),
        );
    }
);

on_both!(
    members_of_another_type_or_length_are_named,
    |backend: Backend| {
        let bench = Bench::start(backend);
        for (changes, fields) in [
            (json!({"iv": 7}), vec!["iv"]),
            (
                json!({"iv": null, "encryptedKey": null}),
                vec!["encryptedKey", "iv"],
            ),
            (
                json!({"encryptedKey": ["00"], "oaepHashingAlgorithm": {}}),
                vec!["encryptedKey", "oaepHashingAlgorithm"],
            ),
            (
                json!({"encryptedKey": "00".repeat(64)}),
                vec!["encryptedKey"],
            ),
            (
                json!({"publicKeyFingerprint": true}),
                vec!["publicKeyFingerprint"],
            ),
            (
                json!({"encryptedData": "00".repeat(63)}),
                vec!["encryptedData"],
            ),
            (
                json!({"encryptedData": "00".repeat(27_008)}),
                vec!["encryptedData"],
            ),
        ] {
            let answer = post(&bench.client, &[], &changed(&changes));
            assert_refused(
                &answer,
                400,
                &vec!["INVALID_REQUEST_PARAMETER"; fields.len()],
            );
            let elements = &answer.clear.unwrap()["Errors"]["Error"];
            let named = elements.as_array().unwrap().iter().map(|element| {
                element["Details"]
                    .as_str()
                    .unwrap()
                    .split(':')
                    .next()
                    .unwrap()
                    .to_owned()
            });
            assert_eq!(named.collect::<Vec<_>>(), fields, "{changes}");
        }
    }
);
