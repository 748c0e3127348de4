//! Signatures with every usual mistake, made by OpenSSL over texts that are written by hand here.

use super::super::digest::Hash;
use super::super::knowledge::{Knowledge, KnownIssuer, SigningKey};
use super::super::names::NamedKey;
use super::super::recorded::Recorded;
use super::super::report::{Explanation, StepId, Verdict};
use super::super::{codec, explain};
use crate::issuers::validity::Validity;
use crate::oauth1::PublicOrigin;
use chrono::{DateTime, Utc};
use openssl::pkey::{PKey, Private, Public};
use openssl::rsa::{Padding, Rsa};
use openssl::sign::{RsaPssSaltlen, Signer};
use std::sync::LazyLock;

const NOW: i64 = 1_795_786_944;
const BODY: &str = r#"{"accountRange":"5344 03"}"#;

static KEYS: LazyLock<[PKey<Private>; 4]> =
    LazyLock::new(|| [0; 4].map(|_| PKey::from_rsa(Rsa::generate(2_048).unwrap()).unwrap()));

fn public(index: usize) -> PKey<Public> {
    PKey::public_key_from_der(&KEYS[index].public_key_to_der().unwrap()).unwrap()
}

fn now() -> DateTime<Utc> {
    DateTime::from_timestamp(NOW, 0).unwrap()
}

fn signing(consumer_key: &str, index: usize, validity: Validity) -> SigningKey {
    SigningKey {
        consumer_key: consumer_key.into(),
        key: public(index),
        validity,
    }
}

fn known() -> Knowledge {
    let always = Validity::from_micros(None, None);
    let ended = Validity::from_micros(None, Some((NOW - 1) * 1_000_000));
    Knowledge {
        origins: vec![PublicOrigin::parse("http://127.0.0.1:8080").unwrap()],
        window_seconds: 300,
        issuers: vec![
            KnownIssuer {
                name: "Demo Bank".into(),
                client_id: "demo".into(),
                signing: vec![signing("demo!1", 0, always), signing("demo!old", 0, ended)],
                encryption: vec![
                    NamedKey::of_public("its decryption key".into(), &public(1)).unwrap(),
                ],
                issuer: None,
            },
            KnownIssuer {
                name: "Other Bank".into(),
                client_id: "other".into(),
                signing: vec![signing("other!1", 2, always)],
                encryption: Vec::new(),
                issuer: None,
            },
        ],
        ..Knowledge::default()
    }
}

/// RFC 3986 escaping, written out.
fn escape(text: &str) -> String {
    text.bytes()
        .map(|b| match b {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
                char::from(b).to_string()
            }
            _ => format!("%{b:02X}"),
        })
        .collect()
}

fn by(index: usize, hash: Hash, text: &[u8]) -> Vec<u8> {
    let mut signer = Signer::new(hash.message_digest(), &KEYS[index]).unwrap();
    signer.sign_oneshot_to_vec(text).unwrap()
}

fn pss(mgf1: Hash, salt: RsaPssSaltlen, text: &[u8]) -> Vec<u8> {
    let mut signer = Signer::new(Hash::Sha256.message_digest(), &KEYS[0]).unwrap();
    signer.set_rsa_padding(Padding::PKCS1_PSS).unwrap();
    signer.set_rsa_mgf1_md(mgf1.message_digest()).unwrap();
    signer.set_rsa_pss_saltlen(salt).unwrap();
    signer.sign_oneshot_to_vec(text).unwrap()
}

/// A `PUT /issuers?b=2&a=x%20y`; each part can be signed otherwise than it is sent.
struct Case {
    method: &'static str,
    url: String,
    query: &'static str,
    oauth: Vec<(&'static str, String)>,
    /// Makes base string of the three parts.
    join: fn(&str, &str, &str) -> String,
    sign: fn(&[u8]) -> Vec<u8>,
    sent_method: &'static str,
}

impl Case {
    fn new() -> Self {
        let hash = codec::to_base64(&Hash::Sha256.of(BODY.as_bytes()));
        Self {
            method: "PUT",
            url: "http://127.0.0.1:8080/issuers".into(),
            query: "a=x%20y&b=2&",
            oauth: vec![
                ("oauth_body_hash", hash),
                ("oauth_consumer_key", "demo!1".into()),
                ("oauth_nonce", "abcdefgh".into()),
                ("oauth_signature_method", "RSA-SHA256".into()),
                ("oauth_timestamp", NOW.to_string()),
                ("oauth_version", "1.0".into()),
            ],
            join: |method, url, parameters| {
                format!("{method}&{}&{}", escape(url), escape(parameters))
            },
            sign: |text| by(0, Hash::Sha256, text),
            sent_method: "RSA-SHA256",
        }
    }

    fn explained(&self) -> Explanation {
        let mut oauth: Vec<String> = self.oauth.iter().map(|(n, v)| format!("{n}={v}")).collect();
        oauth.sort();
        let parameters = format!("{}{}", self.query, oauth.join("&"));
        let text = (self.join)(self.method, &self.url, &parameters);
        let signature = codec::to_base64(&(self.sign)(text.as_bytes()));
        let sent = Self {
            sent_method: self.sent_method,
            ..Self::new()
        };
        let mut header = String::from("OAuth realm=\"issuers\",");
        for (name, value) in &sent.oauth {
            let value = match *name {
                "oauth_signature_method" => self.sent_method,
                "oauth_consumer_key" => {
                    let own = self.oauth.iter().find(|(known, _)| known == name);
                    own.map_or("demo!1", |(_, value)| value)
                }
                _ => value,
            };
            header.push_str(&format!("{name}=\"{value}\","));
        }
        header.push_str(&format!("oauth_signature=\"{}\"", escape(&signature)));
        let call = Recorded {
            method: "PUT".into(),
            target: "/issuers?b=2&a=x%20y".into(),
            headers: vec![
                ("Host".into(), "127.0.0.1:8080".into()),
                ("Authorization".into(), header),
                ("Content-Type".into(), "application/json".into()),
            ],
            body: BODY.into(),
            missing: 0,
            at: Some(now()),
            answer: None,
        };
        explain(&call, &known())
    }

    fn with(mut self, name: &'static str, value: &str) -> Self {
        self.oauth.retain(|(known, _)| *known != name);
        self.oauth.push((name, value.into()));
        self
    }
}

#[test]
fn the_right_signature_passes_every_check() {
    let explained = Case::new().explained();
    assert!(explained.cause.is_none(), "{explained}");
    let verdict = |step| {
        let step = explained.steps.iter().find(|known| known.step == step);
        step.unwrap().verdict
    };
    assert_eq!(verdict(StepId::Signature), Verdict::Passed);
    assert_eq!(verdict(StepId::Issuer), Verdict::NotChecked);
    assert!(!explained.base_strings.is_empty());
}

#[test]
fn each_mistake_in_the_base_string_is_proven() {
    let url = |url: &str| Case {
        url: url.into(),
        ..Case::new()
    };
    let query = |query| Case {
        query,
        ..Case::new()
    };
    let joined = |join| Case {
        join,
        ..Case::new()
    };
    let without = |name: &str| {
        let mut case = Case::new();
        case.oauth.retain(|(known, _)| *known != name);
        case
    };
    let empty = codec::to_base64(&Hash::Sha256.of(b""));
    for (case, code) in [
        (url("https://127.0.0.1:8080/issuers"), "signature.scheme"),
        (url("http://localhost:8080/issuers"), "signature.host"),
        (url("http://127.0.0.1/issuers"), "signature.port"),
        (
            url("https://api.mastercard.com/cts/issuers"),
            "signature.url",
        ),
        (
            url("http://127.0.0.1:8080/issuers/"),
            "signature.trailing_slash",
        ),
        (
            url("http://127.0.0.1:8080/cts/issuers"),
            "signature.path_prefix",
        ),
        (
            url("http://127.0.0.1:8080//issuers"),
            "signature.double_slash",
        ),
        (url("http://127.0.0.1:8080/"), "signature.path_cut"),
        (query(""), "signature.query_left_out"),
        (query("a=x%20y&"), "signature.query_pair_left_out"),
        (query("b=2&a=x%20y&"), "signature.query_unsorted"),
        (query("a=x y&b=2&"), "signature.query_not_encoded"),
        (query("a=x%2520y&b=2&"), "signature.query_encoded_twice"),
        (
            Case {
                method: "POST",
                ..Case::new()
            },
            "signature.http_method",
        ),
        (
            Case {
                method: "put",
                ..Case::new()
            },
            "signature.http_method_case",
        ),
        (without("oauth_body_hash"), "signature.body_hash_left_out"),
        (without("oauth_version"), "signature.parameter_left_out"),
        (
            Case::new().with("oauth_body_hash", &empty),
            "signature.other_body_hash",
        ),
        (
            Case::new().with("oauth_signature_method", "RSA-SHA1"),
            "signature.other_method_name",
        ),
        (
            Case::new().with("oauth_timestamp", &(NOW - 1).to_string()),
            "signature.other_timestamp",
        ),
        (
            Case::new().with("realm", "issuers"),
            "signature.realm_signed",
        ),
        (
            joined(|m, u, p| format!("{m}&{}&{}", escape(u), escape(&escape(p)))),
            "signature.encoded_twice",
        ),
        (
            joined(|m, u, p| format!("{m}&{u}&{p}")),
            "signature.not_encoded",
        ),
        (
            joined(|m, u, p| format!("{m}&{}&{p}", escape(u))),
            "signature.not_encoded",
        ),
        (
            joined(|m, u, p| {
                let lower = |text: &str| {
                    escape(text)
                        .replace("%3A", "%3a")
                        .replace("%2F", "%2f")
                        .replace("%3D", "%3d")
                        .replace("%2B", "%2b")
                        .replace("%3F", "%3f")
                };
                format!("{m}&{}&{}", lower(u), lower(p))
            }),
            "signature.lower_case_escapes",
        ),
        (
            joined(|m, u, p| format!("{m}&{}&{}\n", escape(u), escape(p))),
            "signature.end",
        ),
        (
            joined(|_, u, p| format!("{}&{}", escape(u), escape(p))),
            "signature.parts",
        ),
        (
            Case {
                sign: |text| by(0, Hash::Sha256, &Hash::Sha256.of(text)),
                ..Case::new()
            },
            "signature.hashed_twice",
        ),
        (
            Case {
                sign: |text| {
                    let text = std::str::from_utf8(text).unwrap();
                    let bytes: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
                    by(0, Hash::Sha256, &bytes)
                },
                ..Case::new()
            },
            "signature.utf16",
        ),
    ] {
        let explained = case.explained();
        let cause = explained
            .cause
            .as_ref()
            .unwrap_or_else(|| panic!("{code}: {explained}"));
        assert_eq!(cause.code, code, "{explained}");
        assert_eq!(explained.failed, Some(StepId::BaseString), "{explained}");
        assert!(
            cause.proof.as_ref().unwrap().contains("verifies"),
            "{explained}"
        );
        let diff = cause.diff.as_ref().unwrap();
        assert_ne!(diff.gateway, diff.client, "{explained}");
    }
}

#[test]
fn two_mistakes_at_once_are_both_told() {
    let case = Case {
        url: "https://127.0.0.1:8080/issuers".into(),
        query: "",
        ..Case::new()
    };
    let cause = case.explained().cause.unwrap();
    assert_eq!(cause.code, "signature.query_left_out");
    assert_eq!(cause.details[0].found, "signature.scheme");
}

#[test]
fn another_base_string_and_another_key_are_told_apart() {
    let other = Case {
        join: |_, _, _| "something else".into(),
        ..Case::new()
    };
    let explained = other.explained();
    let cause = explained.cause.as_ref().unwrap();
    assert_eq!(cause.code, "signature.other_base_string", "{explained}");
    let digest = hex::encode(Hash::Sha256.of(b"something else"));
    assert_eq!(cause.details[0].found, digest);

    for (index, code) in [
        (1, "signature.decryption_key"),
        (2, "signature.key_of_other_issuer"),
        (3, "signature.unknown_key"),
    ] {
        let sign: fn(&[u8]) -> Vec<u8> = match index {
            1 => |text| by(1, Hash::Sha256, text),
            2 => |text| by(2, Hash::Sha256, text),
            _ => |text| by(3, Hash::Sha256, text),
        };
        let explained = Case {
            sign,
            ..Case::new()
        }
        .explained();
        let cause = explained.cause.as_ref().unwrap();
        assert_eq!(cause.code, code, "{explained}");
        assert_eq!(explained.failed, Some(StepId::Signature));
        assert!(cause.proof.is_some());
    }
    let ended = Case::new()
        .with("oauth_consumer_key", "demo!old")
        .explained();
    assert_eq!(ended.cause.unwrap().code, "signature.certificate_ended");
    let unknown = Case::new().with("oauth_consumer_key", "demo!x").explained();
    assert_eq!(unknown.cause.unwrap().code, "consumer_key.other_key_id");
}

#[test]
fn other_hashes_and_paddings_are_read_out_of_the_signature() {
    for (sent_method, sign, code) in [
        (
            "RSA-SHA256",
            (|text| by(0, Hash::Sha1, text)) as fn(&[u8]) -> Vec<u8>,
            "signature.sha1",
        ),
        (
            "RSA-SHA256",
            |text| by(0, Hash::Sha512, text),
            "signature.sha512",
        ),
        (
            "RSA-SHA256",
            |text| pss(Hash::Sha256, RsaPssSaltlen::custom(32), text),
            "signature.pss",
        ),
        (
            "RSA-PSS",
            |text| by(0, Hash::Sha256, text),
            "signature.pkcs1",
        ),
        (
            "RSA-PSS",
            |text| pss(Hash::Sha1, RsaPssSaltlen::custom(32), text),
            "signature.pss_mgf1",
        ),
        (
            "RSA-PSS",
            |text| pss(Hash::Sha256, RsaPssSaltlen::custom(20), text),
            "signature.pss_salt",
        ),
        (
            "RSA-PSS",
            |text| pss(Hash::Sha256, RsaPssSaltlen::MAXIMUM_LENGTH, text),
            "signature.pss_salt",
        ),
        ("RSA-SHA256", |_| vec![7; 32], "signature.hmac"),
        (
            "RSA-SHA256",
            |text| by(0, Hash::Sha256, text)[..200].to_vec(),
            "signature.cut",
        ),
    ] {
        let case = Case {
            sent_method,
            sign,
            ..Case::new().with("oauth_signature_method", sent_method)
        };
        let explained = case.explained();
        let cause = explained
            .cause
            .as_ref()
            .unwrap_or_else(|| panic!("{code}: {explained}"));
        assert_eq!(cause.code, code, "{explained}");
    }
}

proptest::proptest! {
    /// Whatever comes is explained without a panic, and fails at one check at most.
    #[test]
    fn any_call_is_explained(
        method in "(GET|POST|PUT|é|)",
        target in "(/issuers|/issuers/users|/issuers/transactions)?[/?&=%a-f0-9é]{0,12}",
        header in "(OAuth )?((realm|oauth_[a-z]{0,9}|oauth_consumer_key|oauth_nonce|oauth_timestamp|oauth_signature_method|oauth_signature|oauth_body_hash)=\"?[a-zA-Z0-9%+/=-]{0,8}\"?,?){0,7}",
        body in "(\\{\"encryptedData\":\"[a-z.=+/-]{0,200}\"\\}|[\\x00-\\x7f]{0,20}|\\{\"iv\":\"[0-9a-f]{32}\",\"encryptedKey\":\"[0-9a-f]{256}\",\"encryptedData\":\"[0-9a-f]{128}\"\\})",
    ) {
        let call = Recorded {
            method,
            target,
            headers: vec![
                ("Authorization".into(), header),
                ("Content-Type".into(), "application/json".into()),
            ],
            body: body.into_bytes(),
            missing: 0,
            at: Some(now()),
            answer: None,
        };
        let explained = explain(&call, &known());
        let failed = explained.steps.iter().filter(|step| step.verdict == Verdict::Failed);
        proptest::prop_assert_eq!(failed.count(), usize::from(explained.cause.is_some()));
        proptest::prop_assert!(!explained.to_string().is_empty());
    }
}
