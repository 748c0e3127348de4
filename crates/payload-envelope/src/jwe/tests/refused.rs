//! What must not be read, josekit's lapses above all.

use super::*;

#[test]
fn tags_of_1_to_15_bytes_are_refused_although_they_match() {
    let whole = Forge::new().segments();
    let tag = base64::decode(&whole[4]).unwrap();
    for length in (0..16).chain([17, 32]) {
        let mut token = whole.clone();
        token[4] = base64::encode(&tag.repeat(2)[..length]);
        assert_refused(
            &body(&token.join(".")),
            CryptoReason::TagLength,
            &format!("{length}"),
        );
    }
}

#[test]
fn missing_and_odd_ivs_are_refused() {
    for length in [0, 8, 11, 13, 14, 15, 17, 24, 32] {
        let mut token = Forge::new().segments();
        if length > 0 {
            token = Forge::new().iv(length).segments();
        } else {
            token[2].clear();
        }
        assert_refused(
            &body(&token.join(".")),
            CryptoReason::IvLength,
            &format!("{length}"),
        );
    }
}

#[test]
fn headers_that_are_refused() {
    use CryptoReason::{Algorithm, Header, HeaderMember, KeyHint, UnknownKey};
    let duplicate = |first: &str| format!(r#"{{{first},"alg":"RSA-OAEP-256","enc":"A256GCM"}}"#);
    let mut cases: Vec<(String, CryptoReason)> = vec![
        (duplicate(r#""alg":"RSA-OAEP-256""#), Header),
        (duplicate(r#""enc":"A128GCM""#), Header),
        (duplicate(r#""kid":"current","kid":"former""#), Header),
        (duplicate(r#""\u0061lg":"dir""#), Header),
        (duplicate(r#""x":{"a":1,"a":1}"#), Header),
        (format!("[{}]", header(json!({}))), Header),
        (format!("\"{}\"", "x".repeat(40)), Header),
        (format!("{}{}", header(json!({})), "x"), Header),
        (format!("\u{feff}{}", header(json!({}))), Header),
        (String::new(), Header),
        ("null".into(), Header),
    ];
    for (changes, reason) in [
        (json!({"alg": null}), Header),
        (json!({"enc": null}), Header),
        (json!({"alg": ["RSA-OAEP-256"]}), Header),
        (json!({"enc": 1}), Header),
        (json!({"alg": "RSA-OAEP"}), Algorithm),
        (json!({"alg": "RSA-OAEP-512"}), Algorithm),
        (json!({"alg": "rsa-oaep-256"}), Algorithm),
        (json!({"alg": "RSA1_5"}), Algorithm),
        (json!({"alg": "dir"}), Algorithm),
        (json!({"alg": "PBES2-HS256+A128KW"}), Algorithm),
        (json!({"alg": ""}), Algorithm),
        (json!({"enc": "A256CBC-HS512"}), Algorithm),
        (json!({"enc": "A192CBC-HS384"}), Algorithm),
        (json!({"enc": "a256gcm"}), Algorithm),
        (json!({"enc": "none"}), Algorithm),
        (json!({"zip": "DEF"}), HeaderMember),
        (json!({"zip": false}), HeaderMember),
        (json!({"crit": ["exp"], "exp": 1}), HeaderMember),
        (json!({"crit": []}), HeaderMember),
        (json!({"p2c": 1_000_000}), HeaderMember),
        (json!({"jku": "https://example.com"}), HeaderMember),
        (json!({"x5u": "https://example.com"}), HeaderMember),
        (json!({"kid": 1}), KeyHint),
        (json!({"kid": ["current"]}), KeyHint),
        (json!({"kid": "unknown"}), UnknownKey),
        (json!({"kid": "off"}), UnknownKey),
        (json!({"kid": "00".repeat(32)}), UnknownKey),
    ] {
        cases.push((header(changes), reason));
    }
    let null = |name: &str| format!(r#"{{"alg":"RSA-OAEP-256","enc":"A256GCM","{name}":null}}"#);
    cases.push((null("zip"), HeaderMember));
    cases.push((null("crit"), HeaderMember));
    cases.push((null("kid"), KeyHint));
    for (header, reason) in cases {
        assert_refused(&Forge::new().header(&header).body(), reason, &header);
    }
    let not_utf8 = b"{\"alg\":\"RSA-OAEP-256\",\"enc\":\"A256GCM\",\"x\":\"\xff\"}";
    let token = Forge::new().segments_over(&base64::encode(not_utf8));
    assert_refused(&body(&token.join(".")), Header, "not UTF-8");
}

#[test]
fn the_modulus_sets_the_length_of_the_wrapped_key() {
    let big = Forge::new().header(header(json!({"kid": "big"})));
    assert_opens(&big.clone().peer(4).body(), "RSA-3072");
    assert_refused(
        &big.body(),
        CryptoReason::WrappedKeyLength,
        "RSA-2048 for RSA-3072",
    );
    let whole = Forge::new().segments();
    let wrapped = base64::decode(&whole[1]).unwrap();
    for wrong in [&wrapped[1..], &[&[0], &wrapped[..]].concat(), &[]] {
        let mut token = whole.clone();
        token[1] = base64::encode(wrong);
        let case = format!("{} bytes", wrong.len());
        assert_refused(
            &body(&token.join(".")),
            CryptoReason::WrappedKeyLength,
            &case,
        );
    }
}

#[test]
fn anything_altered_is_refused() {
    let whole = Forge::new().segments();
    for (segment, reason) in [
        (1, CryptoReason::KeyUnwrap),
        (2, CryptoReason::Authentication),
        (3, CryptoReason::Authentication),
        (4, CryptoReason::Authentication),
    ] {
        for position in [0, 7, 11] {
            let mut bytes = base64::decode(&whole[segment]).unwrap();
            bytes[position] ^= 0x10;
            let mut token = whole.clone();
            token[segment] = base64::encode(&bytes);
            let case = format!("segment {segment}, byte {position}");
            assert_refused(&body(&token.join(".")), reason, &case);
        }
    }
    // The header means the same, but it is not the text that was authenticated.
    let spaced = header(json!({})).replacen(',', ", ", 1);
    for head in [base64::encode(spaced.as_bytes()), whole[0].clone() + "="] {
        let mut token = whole.clone();
        token[0] = head;
        let error = open_body(&body(&token.join("."))).err();
        assert!(
            matches!(
                error,
                Some(CryptoReason::Authentication | CryptoReason::Encoding)
            ),
            "{error:?}"
        );
    }
}

#[test]
fn wrong_wrapping_and_wrong_key_lengths_are_one_refusal() {
    let refused = |forge: Forge, case: &'static str| {
        assert_refused(&forge.body(), CryptoReason::KeyUnwrap, case);
    };
    let mut sha384 = Forge::new();
    sha384.wrapping = Oaep::new::<rsa::sha2::Sha384>;
    refused(sha384, "OAEP with SHA-384");
    let mut mixed = Forge::new();
    mixed.wrapping = || Oaep::new_with_mgf_hash::<rsa::sha2::Sha256, rsa::sha2::Sha512>();
    refused(mixed, "MGF1 with SHA-512");
    let mut labelled = Forge::new();
    labelled.wrapping = || Oaep::new_with_label::<rsa::sha2::Sha256, _>("label");
    refused(labelled, "label");
    refused(Forge::new().peer(3), "foreign key");
    for length in [1, 16, 24, 31, 33, 64] {
        refused(Forge::new().cek(length), "content key of another length");
    }
}

#[test]
fn five_segments_exactly() {
    let token = Forge::new().segments().join(".");
    let four = token.rsplit_once('.').unwrap().0.to_owned();
    for text in [
        four,
        format!("{token}."),
        format!("{token}.{}", "A".repeat(22)),
        format!(".{token}"),
        ".".repeat(200),
        format!("{}.", "A".repeat(200)),
    ] {
        assert_refused(&body(&text), CryptoReason::SegmentCount, &text);
    }
}

#[test]
fn segments_hold_nothing_but_base64() {
    let whole = Forge::new().segments();
    for segment in 0..5 {
        for intruder in [" ", "\n", "\r\n", "\t", "\0", "*", "%3D", "é", "=", "~"] {
            for position in [0, 4, whole[segment].len()] {
                let mut token = whole.clone();
                token[segment].insert_str(position, intruder);
                // `=` at the very end is padding, if it makes the length right.
                if intruder == "=" && position > 4 && token[segment].len().is_multiple_of(4) {
                    continue;
                }
                let case = format!("{intruder:?} in segment {segment} at {position}");
                assert_refused(&body(&token.join(".")), CryptoReason::Encoding, &case);
            }
        }
    }
}

#[test]
fn plaintext_that_is_no_object_is_refused() {
    for plaintext in [
        &b""[..],
        b"null",
        b"[{}]",
        b"word",
        b"\"text\"",
        b"1",
        b"{\"a\":NaN}",
        b"{\"a\":1,\"a\":2}",
        b"{\"a\":{\"b\":1,\"b\":2}}",
        b"{\"a\":\"\xff\"}",
        b"\xef\xbb\xbf",
        b"\xef\xbb\xbf\xef\xbb\xbf{}",
        b"{} {}",
        b"{",
    ] {
        let token = Forge::new().plaintext(plaintext);
        let case = String::from_utf8_lossy(plaintext);
        assert_refused(&token.body(), CryptoReason::Plaintext, &case);
    }
}

proptest! {
    #[test]
    fn parsing_never_panics(text in ".{0,300}", segments in "[A-Za-z0-9+/_=.-]{0,400}") {
        let _ = Token::parse(&text);
        let _ = Token::parse(&segments);
        let head = base64::encode(header(json!({})).as_bytes());
        let _ = Token::parse(&format!("{head}.{segments}"));
    }

    #[test]
    fn headers_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        let _ = Token::parse(&format!("{}.AA.AA.AA.AA", base64::encode(&bytes)));
    }
}
