//! Field-level answers are written like their requests: encoding, digest, and the place of the
//! parameters (wire-formats.md 2.2). What has no request to mirror follows the setting `answers`.

use super::{Bench, enrolment};
use crate::on_both;
use crate::support::Backend;
use crate::support::gateway::{TestGateway, issuers_toml_with, user_id};
use crate::support::http::{post, send, send_seeing};
use crate::support::peer::{
    FieldLevel, Wrap, base64_standard, base64url, from_base64url, key_digest, oaep_sha256,
    oaep_sha512, open_field_level_in, open_jwe, texts,
};
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use chrono::Utc;
use issuer_gateway::answer::Reply;
use issuer_gateway::call::Call;
use issuer_gateway::client::{Operation, sample};
use issuer_gateway::ids::ClientId;
use issuer_gateway::oauth1::SignatureMethod;
use issuer_gateway::payload::FieldLevelHeaders;
use serde_json::{Value, json};
use std::sync::OnceLock;

/// A call of this moment that asks for something and brings nothing.
fn call(proven: &OnceLock<ClientId>) -> Call<'_> {
    Call {
        method: "GET",
        path: "/",
        query: None,
        authorization: None,
        content_type: None,
        content_encoding: None,
        field_level: FieldLevelHeaders::collect(|_| None),
        body: b"",
        request_id: "",
        peer: None,
        direct: false,
        observer: None,
        timeline: None,
        proven,
        now: Utc::now(),
    }
}

/// A text encoding as official clients write it, and the reader that takes nothing else.
struct Written {
    encode: fn(&[u8]) -> String,
    decode: fn(&str) -> Vec<u8>,
}

/// Lower-case hex: all seven libraries. Padded base64: six of them, and unpadded base64url: Go.
const ENCODINGS: [Written; 3] = [
    Written {
        encode: |bytes| hex::encode(bytes),
        decode: |text| {
            assert_eq!(text, text.to_lowercase());
            hex::decode(text).unwrap()
        },
    },
    Written {
        encode: base64_standard,
        decode: |text| BASE64_STANDARD.decode(text).unwrap(),
    },
    Written {
        encode: base64url,
        decode: from_base64url,
    },
];

/// Digest names as clients send them (`None`: not at all), and as answers have them.
const DIGESTS: [(Option<&str>, &str, Wrap); 4] = [
    (Some("SHA256"), "SHA256", oaep_sha256),
    (None, "SHA256", oaep_sha256),
    (Some("SHA512"), "SHA512", oaep_sha512),
    (Some("sha-512"), "SHA512", oaep_sha512),
];

const KEY: &str = "issuer-encryption";

fn reference(plaintext: &[u8]) -> Value {
    let reference: Value = serde_json::from_slice(plaintext).unwrap();
    assert_eq!(reference["status"], "ACTIVE");
    reference
}

on_both!(
    field_level_answers_mirror_encoding_and_digest,
    |backend: Backend| {
        let bench = Bench::start(backend);
        for Written { encode, decode } in &ENCODINGS {
            for (named, digest, wrap) in DIGESTS {
                let message = |clear: String| {
                    let message = FieldLevel {
                        wrap,
                        ..FieldLevel::new(clear)
                    };
                    message.body_with(encode, &json!({ "oaepHashingAlgorithm": named }))
                };
                let read = |body: &[u8]| {
                    assert_eq!(texts(body).len(), 5);
                    reference(&open_field_level_in(KEY, body, decode, digest))
                };
                let answer = post(&bench.client, &[], &message(enrolment()));
                assert_eq!(answer.status, 200, "{named:?}");
                let enrolled = read(&answer.body);

                let path = format!("/issuers/users/{}", enrolled["userid"].as_str().unwrap());
                let url = format!("{}{path}", bench.gateway.base_url);
                let body = message(sample::update().to_string());
                let authorization = bench.client.authorization("PUT", &url, &body);
                let headers = [
                    ("Authorization", authorization.as_str()),
                    ("Content-Type", "application/json"),
                ];
                let answer = send("PUT", &url, &headers, &body);
                assert_eq!(answer.status, 200, "{named:?}");
                assert_eq!(read(&answer.body), enrolled);
            }
        }
    }
);

on_both!(
    parameters_that_came_as_headers_go_back_as_headers,
    |backend: Backend| {
        let bench = Bench::start_with_headers(backend);
        let fingerprint = hex::encode(key_digest("gateway"));
        let own = hex::encode(key_digest(KEY));
        for (digest_name, fingerprint_name) in [
            ("x-oaep-hashing-algorithm", "x-public-key-fingerprint"),
            (
                "x-oaep-padding-digest-algorithm",
                "x-encryption-key-fingerprint",
            ),
            (
                "x-oaep-hashing-algorithm",
                "x-encryption-certificate-fingerprint",
            ),
        ] {
            for Written { encode, decode } in &ENCODINGS {
                let message = FieldLevel {
                    wrap: oaep_sha512,
                    ..FieldLevel::new(enrolment())
                };
                let [iv, wrapped, text] = message.seal().map(|bytes| encode(&bytes));
                let body = json!({ "encryptedData": text }).to_string();
                let request = bench.client.client.sign(
                    &Operation::Enrol,
                    SignatureMethod::RsaSha256,
                    body.into_bytes(),
                );
                let request = request.unwrap();
                let headers = [
                    ("Authorization", request.authorization.as_str()),
                    ("Content-Type", "application/json"),
                    ("x-iv", &iv),
                    ("x-encrypted-key", &wrapped),
                    (digest_name, "SHA512"),
                    (fingerprint_name, &fingerprint),
                ];
                let (answer, seen) = send_seeing("POST", &request.url, &headers, &request.body);
                assert_eq!(answer.status, 200);
                let header = |name: &str| seen[name].to_str().unwrap();
                assert_eq!(header(fingerprint_name), own);
                assert_eq!(
                    seen.keys()
                        .filter(|name| name.as_str().contains("digest")
                            || name.as_str().contains("hashing"))
                        .count(),
                    1
                );
                let mut members = texts(&answer.body);
                assert_eq!(members.keys().collect::<Vec<_>>(), ["encryptedData"]);
                members.insert("iv".to_owned(), json!(header("x-iv")));
                members.insert("encryptedKey".to_owned(), json!(header("x-encrypted-key")));
                members.insert(
                    "oaepHashingAlgorithm".to_owned(),
                    json!(header(digest_name)),
                );
                let whole = Value::Object(members).to_string();
                reference(&open_field_level_in(
                    KEY,
                    whole.as_bytes(),
                    decode,
                    "SHA512",
                ));
            }
        }
        // The digest comes always, a fingerprint only to those who send one.
        let [iv, wrapped, text] = FieldLevel::new(enrolment()).seal().map(hex::encode);
        let body = json!({ "encryptedData": text }).to_string();
        let request = bench.client.client.sign(
            &Operation::Enrol,
            SignatureMethod::RsaSha256,
            body.into_bytes(),
        );
        let request = request.unwrap();
        let headers = [
            ("Authorization", request.authorization.as_str()),
            ("Content-Type", "application/json"),
            ("x-iv", &iv),
            ("x-encrypted-key", &wrapped),
        ];
        let (_, seen) = send_seeing("POST", &request.url, &headers, &request.body);
        assert_eq!(seen["x-oaep-hashing-algorithm"], "SHA256");
        assert!(
            seen.keys()
                .all(|name| !name.as_str().contains("fingerprint"))
        );
    }
);

on_both!(
    what_has_no_request_to_mirror_follows_the_setting_answers,
    |backend: Backend| {
        let clear = json!({"url": "https://cards.example/é"});
        for (line, encoding, digest) in [
            ("", 0, "SHA256"),
            ("answers = { encoding = \"base64\" }", 1, "SHA256"),
            (
                "answers = { encoding = \"base64url\", digest = \"SHA-512\" }",
                2,
                "SHA512",
            ),
        ] {
            let gateway = TestGateway::start_declaring(backend, &issuers_toml_with(line));
            for issuer in gateway.gateway.registry.issuers() {
                let reply = Reply::unasked(&issuer, &call(&OnceLock::new()), &clear).unwrap();
                assert!(reply.headers.is_empty());
                let decode = ENCODINGS[encoding].decode;
                let key = match issuer.name.as_str() {
                    "compat bank" => "other-issuer-encryption",
                    _ => KEY,
                };
                let plaintext = open_field_level_in(key, &reply.body, decode, digest);
                assert!(plaintext.is_ascii());
                assert_eq!(serde_json::from_slice::<Value>(&plaintext).unwrap(), clear);
            }
        }
        let jwe = "answers = { envelope = \"jwe\" }";
        let gateway = TestGateway::start_declaring(backend, &issuers_toml_with(jwe));
        let issuers = gateway.gateway.registry.issuers();
        let demo = issuers.iter().find(|issuer| issuer.name == "demo bank");
        let reply = Reply::unasked(demo.unwrap(), &call(&OnceLock::new()), &clear).unwrap();
        let (_, plaintext) = open_jwe(KEY, &reply.body);
        assert_eq!(serde_json::from_slice::<Value>(&plaintext).unwrap(), clear);
        // Requests are mirrored as before.
        let client = gateway.client("demo");
        let body = FieldLevel::new(enrolment()).body();
        assert_eq!(texts(&post(&client, &[], &body).body).len(), 5);
        user_id(&client.enrol(&sample::enrolment("534403")));
    }
);
