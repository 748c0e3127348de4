//! What must be refused, each with its reason.

use super::*;
use SignatureError::*;

const BODY: &str = r#"{"encryptedData":"a.b.c.d.e"}"#;

/// A signed `PUT /issuers/users/1?lang=en-US&id=7` with a body.
fn put() -> (Signed, String) {
    let signed = Signed::new("PUT", "/issuers/users/1", BODY);
    let parameters = signed.parameters("id=7&lang=en-US", "");
    let header = signed.header(&rsa_sha256(&signed.base_string(&parameters)));
    (signed, header)
}

const REQUEST: Request<'static> = Request {
    method: "PUT",
    path: "/issuers/users/1",
    query: Some("lang=en-US&id=7"),
    body: BODY.as_bytes(),
};

#[test]
fn a_changed_request_is_refused() {
    let (_, header) = put();
    assert_eq!(verify(&header, &REQUEST), Ok(()));
    let query = |query| Request {
        query: Some(query),
        ..REQUEST
    };
    for (request, refusal) in [
        (
            Request {
                body: br#"{"encryptedData":"a.b.c.d.f"}"#,
                ..REQUEST
            },
            BodyHashMismatch,
        ),
        (
            Request {
                body: b"",
                ..REQUEST
            },
            BodyHashMismatch,
        ),
        (
            Request {
                method: "POST",
                ..REQUEST
            },
            SignatureInvalid,
        ),
        (
            Request {
                method: "put",
                ..REQUEST
            },
            SignatureInvalid,
        ),
        (
            Request {
                path: "/issuers/Users/1",
                ..REQUEST
            },
            SignatureInvalid,
        ),
        (
            Request {
                path: "/issuers/users/2",
                ..REQUEST
            },
            SignatureInvalid,
        ),
        (
            Request {
                query: None,
                ..REQUEST
            },
            SignatureInvalid,
        ),
        (query("lang=en-US"), SignatureInvalid),
        (query("lang=en-US&id=7&x=1"), SignatureInvalid),
        (query("lang=en-US&id=8"), SignatureInvalid),
        (query("lang=en-US&id=7&id=8"), SignatureInvalid),
        (query("lang=en-GB&id=7"), SignatureInvalid),
        (query("LANG=en-US&id=7"), SignatureInvalid),
        (query("lang=en-US&id=7&oauth_x=1"), ParameterInQuery),
        (query("lang=en-US&id=7&oauth%5Fnonce=abc"), ParameterInQuery),
        (query("%6Fauth_signature&lang=en-US"), ParameterInQuery),
    ] {
        assert_eq!(verify(&header, &request), Err(refusal));
    }
    let long = "x".repeat(8 * 1024);
    assert_eq!(verify(&header, &query(&long)), Err(TargetTooLong));
    assert_eq!(verify(&header, &query(&long[..1_025])), Err(QueryTooLarge));
    let pairs = format!("lang=en-US&id=7{}", "&x=1".repeat(31));
    assert_eq!(verify(&header, &query(&pairs)), Err(QueryTooLarge));
}

#[test]
fn a_pair_cannot_move_from_the_query_into_the_header() {
    let (_, header) = put();
    let request = Request {
        query: Some("id=7"),
        ..REQUEST
    };
    let moved = format!(r#"{header},lang="en-US""#);
    assert_eq!(
        verify(&moved, &request),
        Err(HeaderFault::ForeignParameter.into())
    );
    let absorbed = format!(r#"{header},oauth_z="&lang=en-US""#);
    assert_eq!(verify(&absorbed, &request), Err(HeaderFault::Value.into()));
}

#[test]
fn a_changed_header_is_refused() {
    let (signed, header) = put();
    let signature_at = header.find("oauth_signature=").unwrap();
    let signature = &header[signature_at + r#"oauth_signature=""#.len()..header.len() - 1];
    let (without_signature, _) = header.split_at(signature_at - 1);
    for (changed, refusal) in [
        (header.replace(NONCE, "Ab3dEf9i"), SignatureInvalid),
        (header.replace("1700000000", "1700000001"), SignatureInvalid),
        (header.replace(CONSUMER_KEY, "other!0a"), SignatureInvalid),
        (
            header.replace(signature, &escape(&base64(&[0; 256]))),
            SignatureInvalid,
        ),
        (
            header.replace(signature, &escape(&base64(&[0xff; 256]))),
            SignatureInvalid,
        ),
        (
            header.replace(signature, &escape(&base64(&[1; 255]))),
            SignatureInvalid,
        ),
        (header.replace(signature, ""), SignatureInvalid),
        (
            without_signature.to_owned(),
            MissingParameter("oauth_signature"),
        ),
        (
            format!(r#"{header},oauth_nonce="x""#),
            DuplicateParameter("oauth_nonce"),
        ),
        (header.replace("1.0", "1.0a"), UnsupportedVersion),
        (header.replace("1.0", "2.0"), UnsupportedVersion),
    ] {
        assert_eq!(verify(&changed, &REQUEST), Err(refusal), "{changed}");
    }
    // The version may be left out, if it was not signed either.
    let signed = signed.without("oauth_version");
    let parameters = signed.parameters("id=7&lang=en-US", "");
    let header = signed.header(&rsa_sha256(&signed.base_string(&parameters)));
    assert_eq!(verify(&header, &REQUEST), Ok(()));
}

#[test]
fn timestamps_are_accepted_within_the_window_only() {
    let header = Signed::new("GET", "/issuers", "").signed_header();
    let authorization = Authorization::parse(&header).unwrap();
    for (now, expected) in [
        (NOW - 301, Err(TimestampOutOfWindow)),
        (NOW - 300, Ok(())),
        (NOW + 300, Ok(())),
        (NOW + 301, Err(TimestampOutOfWindow)),
        (i64::MIN, Err(TimestampOutOfWindow)),
        (i64::MAX, Err(TimestampOutOfWindow)),
    ] {
        let result = authorization.verify(
            &get("/issuers", None),
            &origins(&["https://api.example.com"]),
            &[&KEY.public],
            &Policy::default(),
            now,
        );
        assert_eq!(result, expected, "{now}");
    }
}

#[test]
fn a_body_needs_its_hash() {
    let post = |body: &'static [u8]| Request {
        method: "POST",
        path: "/issuers/users",
        query: None,
        body,
    };
    let unhashed = Signed::new("POST", "/issuers/users", "").without("oauth_body_hash");
    let header = unhashed.signed_header();
    assert_eq!(verify(&header, &post(b"{}")), Err(BodyHashMissing));
    assert_eq!(verify(&header, &post(b"")), Ok(()));

    // The hash of other bytes, properly signed.
    let header = Signed::new("POST", "/issuers/users", "{ }").signed_header();
    assert_eq!(verify(&header, &post(b"{}")), Err(BodyHashMismatch));
    assert_eq!(verify(&header, &post(b"{ }")), Ok(()));
}

#[test]
fn an_unknown_client_and_a_foreign_key_look_like_a_bad_signature() {
    let header = Signed::new("GET", "/issuers", "").signed_header();
    let authorization = Authorization::parse(&header).unwrap();
    let verify_with = |keys: &[&VerifyingKey]| {
        authorization.verify(
            &get("/issuers", None),
            &origins(&["https://api.example.com"]),
            keys,
            &Policy::default(),
            NOW,
        )
    };
    assert_eq!(verify_with(&[]), Err(SignatureInvalid));
    assert_eq!(verify_with(&[&OTHER_KEY.public]), Err(SignatureInvalid));
    assert_eq!(verify_with(&[&KEY.public]), Ok(()));
}

#[test]
fn without_a_configured_origin_nothing_verifies() {
    let header = Signed::new("GET", "/issuers", "").signed_header();
    let authorization = Authorization::parse(&header).unwrap();
    let result = authorization.verify(
        &get("/issuers", None),
        &[],
        &[&KEY.public],
        &Policy::default(),
        NOW,
    );
    assert_eq!(result, Err(SignatureInvalid));
}

#[test]
fn only_the_two_methods_are_known_and_neither_passes_for_the_other() {
    let request = get("/issuers", None);
    for method in [
        "HMAC-SHA1",
        "HMAC-SHA256",
        "RSA-SHA1",
        "RSA-SHA512",
        "PLAINTEXT",
        "RSA-PSS-SHA256",
        "rsa-sha256",
        "",
    ] {
        let signed = Signed::new("GET", "/issuers", "").with("oauth_signature_method", method);
        let header = signed.signed_header();
        assert_eq!(
            verify(&header, &request),
            Err(UnsupportedSignatureMethod),
            "{method}"
        );
    }

    let pkcs1 = Signed::new("GET", "/issuers", "");
    let pss = pkcs1.clone().with("oauth_signature_method", "RSA-PSS");
    let base_string = |signed: &Signed| signed.base_string(&signed.parameters("", ""));
    for (signed, signature, expected) in [
        (&pss, rsa_pss(&base_string(&pss), 32), Ok(())),
        (&pss, rsa_pss(&base_string(&pss), 20), Err(SignatureInvalid)),
        (&pss, rsa_pss(&base_string(&pss), 0), Err(SignatureInvalid)),
        (
            &pss,
            rsa_pss(&base_string(&pss), 222),
            Err(SignatureInvalid),
        ),
        (&pss, rsa_sha256(&base_string(&pss)), Err(SignatureInvalid)),
        (
            &pkcs1,
            rsa_pss(&base_string(&pkcs1), 32),
            Err(SignatureInvalid),
        ),
    ] {
        let header = signed.header(&signature);
        assert_eq!(verify(&header, &request), expected);
    }
}

#[test]
fn an_issuer_can_forbid_pss() {
    let signed = Signed::new("GET", "/issuers", "").with("oauth_signature_method", "RSA-PSS");
    let signature = rsa_pss(&signed.base_string(&signed.parameters("", "")), 32);
    let policy = Policy {
        allow_pss: false,
        ..Policy::default()
    };
    let header = signed.header(&signature);
    let result = Authorization::parse(&header).unwrap().verify(
        &get("/issuers", None),
        &origins(&["https://api.example.com"]),
        &[&KEY.public],
        &policy,
        NOW,
    );
    assert_eq!(result, Err(UnsupportedSignatureMethod));
}

#[test]
fn checks_come_in_the_documented_order() {
    // Everything is wrong with this request; each check that is repaired uncovers the next.
    let request = Request {
        method: "POST",
        path: "/issuers/users",
        query: None,
        body: b"{}",
    };
    let mut signed = Signed::new("POST", "/elsewhere", "[]")
        .with("oauth_signature_method", "PLAINTEXT")
        .with("oauth_version", "2.0")
        .with("oauth_timestamp", "1");
    for (name, value, refusal) in [
        (
            "oauth_signature_method",
            "RSA-SHA256".to_owned(),
            UnsupportedSignatureMethod,
        ),
        ("oauth_version", "1.0".to_owned(), UnsupportedVersion),
        ("oauth_timestamp", NOW.to_string(), TimestampOutOfWindow),
        (
            "oauth_body_hash",
            base64(&Sha256::digest("{}")),
            BodyHashMismatch,
        ),
    ] {
        assert_eq!(verify(&signed.signed_header(), &request), Err(refusal));
        signed = signed.with(name, &value);
    }
    assert_eq!(
        verify(&signed.signed_header(), &request),
        Err(SignatureInvalid)
    );
}

#[test]
fn every_refusal_has_its_own_reason() {
    let all = [
        (MissingAuthorization, "missing-authorization"),
        (HeaderFault::NotAList.into(), "malformed-header"),
        (DuplicateParameter("oauth_nonce"), "duplicate-parameter"),
        (ParameterInQuery, "parameter-in-query"),
        (MissingParameter("x"), "missing-parameter"),
        (MalformedParameter("x"), "malformed-parameter"),
        (UnsupportedVersion, "unsupported-version"),
        (UnsupportedSignatureMethod, "unsupported-signature-method"),
        (TimestampOutOfWindow, "timestamp-out-of-window"),
        (TargetTooLong, "target-too-long"),
        (QueryTooLarge, "query-too-large"),
        (BodyHashMissing, "body-hash-missing"),
        (BodyHashMismatch, "body-hash-mismatch"),
        (SignatureInvalid, "signature-invalid"),
        (NonceUsed, "nonce-used"),
    ];
    for (refusal, reason) in all {
        assert_eq!(refusal.reason(), reason);
    }
}
