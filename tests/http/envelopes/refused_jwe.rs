//! Tokens that must not open (wire-formats.md, J7), those above all that general JOSE libraries let
//! through.

use super::{Bench, Cases, enrolment};
use crate::on_both;
use crate::support::Backend;
use crate::support::peer::{
    Jwe, base64url, josekit_token, jwe_body, key_digest, oaep_sha1, oaep_sha512,
};
use openssl::symm::Cipher;
use serde_json::{Value, json};

fn joined(segments: &[String; 5]) -> Vec<u8> {
    jwe_body(&segments.join("."))
}

/// Cut or repeated, but otherwise right: whoever compares only as many bytes as there are lets it
/// through.
fn tags(cases: &mut Cases) {
    for length in (0..16).chain([17, 32]) {
        let token = Jwe::new(enrolment());
        let head = base64url(token.header.as_bytes());
        let [wrapped, iv, text, tag] = token.seal_under(&head);
        let tag = &tag.repeat(2)[..length];
        let [wrapped, iv, text] = [&wrapped, &iv, &text].map(|bytes| base64url(bytes));
        let body = joined(&[head, wrapped, iv, text, base64url(tag)]);
        cases.push((format!("tag of {length} bytes"), body));
    }
}

fn ivs(cases: &mut Cases) {
    for length in [0, 1, 8, 11, 13, 15, 17, 24, 32] {
        let mut segments = Jwe {
            iv: vec![9; length.max(1)],
            ..Jwe::new(enrolment())
        }
        .segments();
        if length == 0 {
            segments[2].clear();
        }
        cases.push((format!("IV of {length} bytes"), joined(&segments)));
    }
}

fn headers(cases: &mut Cases) {
    let kid = hex::encode(key_digest("gateway"));
    for changes in [
        json!({"zip": "DEF"}),
        json!({"zip": "none"}),
        json!({"crit": ["exp"], "exp": 1}),
        json!({"crit": []}),
        json!({"p2c": 1_000_000}),
        json!({"jku": "https://example.com/keys"}),
        json!({"x5u": "https://example.com/keys"}),
        json!({"kid": "nobody"}),
        json!({"kid": "gateway-2025"}),
        json!({"kid": hex::encode(key_digest("gateway-next"))}),
        json!({"kid": kid[1..]}),
        json!({"kid": format!("{kid} ")}),
        json!({"kid": 1}),
        json!({"alg": "RSA-OAEP"}),
        json!({"alg": "RSA-OAEP-512"}),
        json!({"alg": "RSA1_5"}),
        json!({"alg": "dir"}),
        json!({"alg": "none"}),
        json!({"alg": "rsa-oaep-256"}),
        json!({"alg": null}),
        json!({"enc": "A256CBC-HS512"}),
        json!({"enc": "A192CBC-HS384"}),
        json!({"enc": "C20P"}),
        json!({"enc": "none"}),
        json!({"enc": null}),
        // Allowed, but not what the content key and the ciphertext are.
        json!({"enc": "A128GCM"}),
        json!({"enc": "A128CBC-HS256"}),
    ] {
        let token = Jwe::new(enrolment()).with_header(&changes);
        cases.push((changes.to_string(), token.body()));
    }
    let usual = Jwe::new(enrolment()).header;
    let twice =
        |name: &str, value: &Value| usual.replacen('{', &format!("{{\"{name}\":{value},"), 1);
    for header in [
        twice("alg", &json!("RSA-OAEP-256")),
        twice("enc", &json!("A256GCM")),
        twice("kid", &json!("")),
        twice("cty", &json!("text/plain")),
        twice("\\u0061lg", &json!("dir")),
        usual.replace("\"kid\":", "\"x\":{\"a\":1,\"a\":2},\"kid\":"),
        format!("[{usual}]"),
        format!("{usual}x"),
        "null".to_owned(),
        String::new(),
    ] {
        let token = Jwe {
            header: header.clone(),
            ..Jwe::new(enrolment())
        };
        cases.push((header, token.body()));
    }
}

fn segments(cases: &mut Cases) {
    let token = Jwe::new(enrolment()).segments().join(".");
    let mut push = |case: &str, token: &str| cases.push((case.to_owned(), jwe_body(token)));
    push("four segments", token.rsplit_once('.').unwrap().0);
    push("six segments", &format!("{token}.AAAA"));
    push("six segments, the last empty", &format!("{token}."));
    push("dots", &".".repeat(200));
    push("a blank", &token.replacen('.', ". ", 1));
    push("a line break", &format!("{token}\n"));

    // The same header in other words: not the text that was authenticated.
    let header = Jwe::new("").header;
    let spaced = base64url(header.replacen(',', ", ", 1).as_bytes());
    let other_cty = base64url(
        header
            .replace("application/json", "application/jsoN")
            .as_bytes(),
    );
    for (case, head) in [
        ("a blank in the header", spaced),
        ("a header byte changed", other_cty),
    ] {
        // A token of its own: a wrapped key that was refused once is refused for that alone.
        let mut changed = Jwe::new(enrolment()).segments();
        changed[0] = head;
        push(case, &changed.join("."));
    }
    for (index, part) in ["wrapped key", "IV", "ciphertext", "tag"]
        .iter()
        .enumerate()
    {
        let mut changed = Jwe::new(enrolment()).segments();
        let old = changed[index + 1].remove(2);
        changed[index + 1].insert(2, if old == 'A' { 'B' } else { 'A' });
        push(&format!("{part} changed"), &changed.join("."));
    }
}

/// The one cipher whose tag comes apart from the encryption: its MAC must be verified, all of it.
fn cbc_hs256(cases: &mut Cases) {
    let token = || josekit_token("A128CBC-HS256", &enrolment());
    for index in 1..5 {
        let mut changed: Vec<String> = token().split('.').map(str::to_owned).collect();
        let old = changed[index].remove(5);
        changed[index].insert(5, if old == 'A' { 'B' } else { 'A' });
        let case = format!("A128CBC-HS256, segment {index} changed");
        cases.push((case, jwe_body(&changed.join("."))));
    }
    let token = token();
    let tag = token.rsplit('.').next().unwrap();
    let cut = &token[..token.len() - tag.len() / 2];
    cases.push(("A128CBC-HS256, tag cut".to_owned(), jwe_body(cut)));
}

fn keys(cases: &mut Cases) {
    for (case, token) in [
        (
            "foreign key",
            Jwe {
                key: "gateway-next",
                ..Jwe::new(enrolment())
            },
        ),
        (
            "OAEP with SHA-1",
            Jwe {
                wrap: oaep_sha1,
                ..Jwe::new(enrolment())
            },
        ),
        (
            "OAEP with SHA-512",
            Jwe {
                wrap: oaep_sha512,
                ..Jwe::new(enrolment())
            },
        ),
        (
            "content key of 16 bytes",
            Jwe {
                cek: vec![7; 16],
                ..Jwe::new(enrolment())
            },
        ),
        (
            "content key of 33 bytes",
            Jwe {
                cek: vec![7; 33],
                ..Jwe::new(enrolment())
            },
        ),
        (
            "AES-128 under A256GCM",
            Jwe {
                cipher: Cipher::aes_128_gcm(),
                ..Jwe::new(enrolment())
            },
        ),
    ] {
        cases.push((case.to_owned(), token.body()));
    }
    let whole = Jwe::new(enrolment()).segments();
    for length in [1, 128, 255, 257, 512] {
        let mut segments = whole.clone();
        segments[1] = base64url(&vec![1; length]);
        cases.push((format!("wrapped key of {length} bytes"), joined(&segments)));
    }
}

/// What no enrolment is: shared with field-level encryption.
pub(super) fn plaintexts() -> Vec<(&'static str, Vec<u8>)> {
    let text = enrolment();
    let with = |member: &str| text.replacen('{', &format!("{{{member},"), 1);
    let not_utf8 = text.replace("Jane Sample", "Jane \u{0}ample");
    let not_utf8 = not_utf8
        .into_bytes()
        .into_iter()
        .map(|byte| if byte == 0 { 0xff } else { byte });
    vec![
        ("empty", Vec::new()),
        ("not UTF-8", not_utf8.collect()),
        (
            "Latin-1",
            with("\"city\":\"K\u{f6}ln\"")
                .chars()
                .map(|c| u8::try_from(u32::from(c)).unwrap())
                .collect(),
        ),
        ("not JSON", b"cardNumber=5344030000000019".to_vec()),
        ("cut off", text.as_bytes()[..text.len() - 1].to_vec()),
        ("something after it", format!("{text}{{}}").into_bytes()),
        (
            "two byte order marks",
            format!("\u{feff}\u{feff}{text}").into_bytes(),
        ),
        ("null", b"null".to_vec()),
        ("an array", format!("[{text}]").into_bytes()),
        ("a string", json!(text).to_string().into_bytes()),
        ("a bare word", b"enrol".to_vec()),
        ("a number", b"5344030000000019".to_vec()),
        ("NaN", with("\"x\":NaN").into_bytes()),
        ("Infinity", with("\"x\":-Infinity").into_bytes()),
        (
            "a duplicate name",
            with("\"cardNumber\":\"5344030000000019\"").into_bytes(),
        ),
        (
            "a duplicate name inside",
            with("\"x\":{\"a\":1,\"a\":1}").into_bytes(),
        ),
        (
            "a duplicate name, escaped",
            with("\"\\u006cocale\":\"pl-PL\"").into_bytes(),
        ),
    ]
}

on_both!(
    tokens_that_must_not_open_give_one_answer,
    |backend: Backend| {
        let bench = Bench::start(backend);
        let mut cases = Cases::new();
        for add in [tags, ivs, headers, segments, cbc_hs256, keys] {
            add(&mut cases);
        }
        for (case, plaintext) in plaintexts() {
            cases.push((format!("plaintext: {case}"), Jwe::new(plaintext).body()));
        }
        bench.refuses_all(&cases);
        bench.opens("the same, unspoiled", &[], &Jwe::new(enrolment()).body());
    }
);
