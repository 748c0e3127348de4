//! Which headers are read, and what as; which are refused, and why.

use super::*;
use proptest::prelude::*;

const REST: &str = r#"oauth_nonce="abcdefgh",oauth_timestamp="1700000000",oauth_signature_method="RSA-SHA256",oauth_signature="AAAA""#;

#[test]
fn official_and_tolerated_forms_mean_the_same() {
    let key = "client!0123";
    for header in [
        format!(r#"OAuth oauth_consumer_key="{key}",{REST}"#),
        format!(r#"oauth  oauth_consumer_key="{key}" , {REST}"#),
        format!(
            "OAUTH\toauth_consumer_key\t=  \"{key}\",\t{}",
            REST.replace(',', " ,  ")
        ),
        format!(r#"OAuth realm="a, b=c",oauth_consumer_key="{key}",{REST}"#),
        format!(r#"OAuth {REST},oauth_consumer_key="client%210123""#),
        format!(r#"OAuth Realm="",{REST},oauth_token="",oauth_consumer_key="client%210123"  "#),
    ] {
        let parsed = Authorization::parse(&header).unwrap();
        assert_eq!(parsed.consumer_key(), key, "{header}");
        assert_eq!(parsed.client_id(), "client", "{header}");
        assert_eq!(parsed.nonce(), "abcdefgh");
        assert_eq!(parsed.timestamp(), 1_700_000_000);
        assert_eq!(parsed.method(), Some(SignatureMethod::RsaSha256));
        assert_eq!(parsed.signature(), [0, 0, 0]);
    }
}

#[test]
fn values_are_decoded_without_turning_plus_into_a_blank() {
    let header = format!(
        r#"OAuth {REST},oauth_consumer_key="k",oauth_body_hash="a+b/c=",oauth_x="%C3%A9+%2B%3d""#
    );
    let parsed = Authorization::parse(&header).unwrap();
    assert_eq!(parsed.body_hash(), Some("a+b/c="));
    assert_eq!(find(&parsed.signed, "oauth_x").unwrap(), "é++=");
    assert_eq!(parsed.client_id(), "k");
    assert!(parsed.signed().all(|(name, _)| name != "oauth_signature"));
}

#[test]
fn signatures_may_be_bare_escaped_or_unpadded() {
    for text in ["+/8=", "%2B%2F8%3D", "+/8", "%2b/8="] {
        let header = format!(r#"OAuth oauth_consumer_key="k",{REST}"#).replace("AAAA", text);
        let parsed = Authorization::parse(&header).unwrap();
        assert_eq!(parsed.signature(), [0xfb, 0xff], "{text}");
    }
}

#[test]
fn refused_headers() {
    use HeaderFault::*;
    use SignatureError::{DuplicateParameter, MissingAuthorization, MissingParameter};
    let whole = format!(r#"oauth_consumer_key="k",{REST}"#);
    let many: String = (0..40).map(|i| format!(r#",oauth_x{i}="""#)).collect();
    let cases: Vec<(String, SignatureError)> = vec![
        (String::new(), MissingAuthorization),
        ("OAuth".into(), MissingAuthorization),
        ("Bearer abc".into(), MissingAuthorization),
        (format!("OAuth2 {whole}"), MissingAuthorization),
        ("OAuth x".into(), NotAList.into()),
        (format!("OAuth {whole},"), NotAList.into()),
        (format!("OAuth {whole} x"), NotAList.into()),
        (format!("OAuth ,{whole}"), NotAList.into()),
        (format!(r#"OAuth {whole},oauth_x=1"#), NotAList.into()),
        (format!(r#"OAuth {whole},oauth_x="1"#), NotAList.into()),
        (format!(r#"OAuth {whole},oauth_x='1'"#), NotAList.into()),
        (format!(r#"OAuth {whole},oauth_x="%zz""#), Value.into()),
        (format!(r#"OAuth {whole},oauth_x="%f""#), Value.into()),
        (format!(r#"OAuth {whole},oauth_x="%FF""#), Value.into()),
        (format!(r#"OAuth {whole},oauth_x="é""#), Value.into()),
        (format!(r#"OAuth {whole},oauth_x="a\b""#), Value.into()),
        (format!(r#"OAuth {whole},oauth_x="a&q=1""#), Value.into()),
        (format!(r#"OAuth {whole},oauth_x="a%26b""#), Value.into()),
        (
            format!(r#"OAuth {whole},lang="en""#),
            ForeignParameter.into(),
        ),
        (format!(r#"OAuth {whole},oauth%5Fx="en""#), NotAList.into()),
        (format!("OAuth {whole}{many}"), TooManyParameters.into()),
        (
            format!(r#"OAuth {whole},oauth_x="{}""#, "a".repeat(9000)),
            TooLong.into(),
        ),
        (
            format!(r#"OAuth {whole},oauth_nonce="abcdefgh""#),
            DuplicateParameter("oauth_nonce"),
        ),
        (
            format!(r#"OAuth {whole},oauth_signature="AAAA""#),
            DuplicateParameter("oauth_signature"),
        ),
        (
            format!(r#"OAuth {whole},oauth_x="1",oauth_x="1""#),
            DuplicateParameter("oauth_*"),
        ),
        (
            format!(r#"OAuth realm="a",{whole},REALM="a""#),
            DuplicateParameter("realm"),
        ),
        (
            format!("OAuth {REST}"),
            MissingParameter("oauth_consumer_key"),
        ),
    ];
    for (header, refusal) in cases {
        assert_eq!(
            Authorization::parse(&header).unwrap_err(),
            refusal,
            "{header}"
        );
    }
    for name in ["nonce", "timestamp", "signature_method", "signature"] {
        let header = format!("OAuth {whole}")
            .replace(&format!("oauth_{name}="), &format!("oauth_other_{name}="));
        let refusal = Authorization::parse(&header).unwrap_err();
        assert_eq!(refusal.reason(), "missing-parameter", "{name}");
    }
}

#[test]
fn refused_values() {
    let long_key = "k".repeat(257);
    let long_nonce = "n".repeat(129);
    for (name, value) in [
        ("oauth_consumer_key", ""),
        ("oauth_consumer_key", "a b"),
        ("oauth_consumer_key", "%C3%A9"),
        ("oauth_consumer_key", "a%0Ab"),
        ("oauth_consumer_key", &long_key),
        ("oauth_nonce", ""),
        ("oauth_nonce", "a b"),
        ("oauth_nonce", "a%22b"),
        ("oauth_nonce", &long_nonce),
        ("oauth_timestamp", ""),
        ("oauth_timestamp", "-1"),
        ("oauth_timestamp", "+1"),
        ("oauth_timestamp", "1.5"),
        ("oauth_timestamp", "1234567890123"),
        ("oauth_signature", "!!!"),
        ("oauth_signature", "A"),
        ("oauth_signature", "-_8="),
    ] {
        let header: Vec<String> = [
            ("oauth_consumer_key", "k"),
            ("oauth_nonce", "n"),
            ("oauth_timestamp", "1"),
            ("oauth_signature_method", "RSA-SHA256"),
            ("oauth_signature", "AAAA"),
        ]
        .into_iter()
        .map(|(n, v)| format!(r#"{n}="{}""#, if n == name { value } else { v }))
        .collect();
        let header = format!("OAuth {}", header.join(","));
        let refusal = Authorization::parse(&header).unwrap_err();
        assert_eq!(refusal, SignatureError::MalformedParameter(name), "{value}");
        let detail = refusal.detail().unwrap();
        assert!(detail.starts_with(&format!("{name}: must be ")), "{detail}");
    }
}

#[test]
fn every_refusal_names_the_parameter_and_its_rule() {
    use SignatureError::*;
    for name in [
        "oauth_consumer_key",
        "oauth_nonce",
        "oauth_timestamp",
        "oauth_signature_method",
        "oauth_signature",
        "oauth_version",
        "oauth_body_hash",
    ] {
        assert_eq!(known(name), Some(name));
        for (refusal, rule) in [
            (MissingParameter(name), "is required"),
            (DuplicateParameter(name), "must come once"),
            (MalformedParameter(name), "must be "),
        ] {
            let detail = refusal.detail().unwrap();
            assert!(detail.starts_with(&format!("{name}: {rule}")), "{detail}");
        }
    }
    // A value that is not text is its parameter's fault, where that is known.
    let header = format!(r#"OAuth {REST},oauth_consumer_key="k",oauth_body_hash="%zz""#);
    let refusal = Authorization::parse(&header).unwrap_err();
    assert_eq!(refusal, MalformedParameter("oauth_body_hash"));
    assert_eq!(
        DuplicateParameter("realm").detail(),
        Some("realm: must come once")
    );
    let foreign = DuplicateParameter("oauth_*").detail();
    assert_eq!(foreign, Some("oauth_*: must come once"));
    assert_eq!(SignatureInvalid.detail(), None);
}

#[test]
fn debug_shows_neither_nonce_nor_signature() {
    let header = format!(r#"OAuth oauth_consumer_key="client!secret",{REST}"#);
    let shown = format!("{:?}", Authorization::parse(&header).unwrap());
    assert!(shown.contains("client"), "{shown}");
    assert!(
        !shown.contains("secret") && !shown.contains("abcdefgh"),
        "{shown}"
    );
}

proptest! {
    #[test]
    fn any_text_is_parsed_or_refused(text in "\\PC*", tail in "[ -~]*") {
        let _ = Authorization::parse(&text);
        let _ = Authorization::parse(&format!("OAuth {tail}"));
        let _ = Authorization::parse(&format!(r#"OAuth {REST},oauth_consumer_key="{tail}""#));
    }

    #[test]
    fn lists_of_odd_pairs_never_panic(pairs in proptest::collection::vec("[a-z_]{0,8}[ =\"]{0,3}[!-~]{0,9}\"?", 0..40)) {
        let _ = Authorization::parse(&format!("OAuth {}", pairs.join(",")));
    }
}
