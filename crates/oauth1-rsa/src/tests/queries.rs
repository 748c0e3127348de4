//! How each library reads a query, and the forms of the base string around it.

use super::*;

/// The pairs that sort before the `oauth_*` pairs, and those that sort after.
type Pairs = (&'static str, &'static str);

/// Query on the wire, and the pairs that Node, Python, Java and RFC 5849 sign.
const TABLE: &[(&str, [Pairs; 4])] = &[
    ("lang=en-US", [("lang=en-US", ""); 4]),
    (
        "t=10:30",
        [
            ("", "t=10:30"),
            ("", "t=10:30"),
            ("", "t=10:30"),
            ("", "t=10%3A30"),
        ],
    ),
    ("t=10%3A30", [("", "t=10%3A30"); 4]),
    (
        "q=a+b",
        [("", "q=a+b"), ("", "q=a+b"), ("", "q=a+b"), ("", "q=a%20b")],
    ),
    (
        "q=a+b&t=%3A",
        [
            ("", "q=a+b&t=%3A"),
            ("", "q=a%20b&t=%3A"),
            ("", "q=a%2Bb&t=%3A"),
            ("", "q=a%20b&t=%3A"),
        ],
    ),
    (
        "q=a%2fb",
        [
            ("", "q=a%2fb"),
            ("", "q=a%2Fb"),
            ("", "q=a%2Fb"),
            ("", "q=a%2Fb"),
        ],
    ),
    (
        "q=%7Ex",
        [("", "q=%7Ex"), ("", "q=~x"), ("", "q=~x"), ("", "q=~x")],
    ),
    (
        "a=1&a=1",
        [
            ("a=1", ""),
            ("a=1&a=1", ""),
            ("a=1&a=1", ""),
            ("a=1&a=1", ""),
        ],
    ),
    (
        "id=1&id2=2",
        [
            ("id=1&id2=2", ""),
            ("id2=2&id=1", ""),
            ("id=1&id2=2", ""),
            ("id=1&id2=2", ""),
        ],
    ),
    (
        "f=x&f%5Bn%5D=y",
        [
            ("f%5Bn%5D=y&f=x", ""),
            ("f%5Bn%5D=y&f=x", ""),
            ("f=x&f%5Bn%5D=y", ""),
            ("f=x&f%5Bn%5D=y", ""),
        ],
    ),
    (
        "a=1&",
        [("=&a=1", ""), ("a=1", ""), ("a=1", ""), ("a=1", "")],
    ),
    (
        "p=(x)*!",
        [
            ("", "p=(x)*!"),
            ("", "p=(x)*!"),
            ("", "p=(x)*!"),
            ("", "p=%28x%29%2A%21"),
        ],
    ),
    // Beyond the table: O5, and a query that several orders read differently.
    ("", [("", ""); 4]),
    ("q=AT%26T", [("", "q=AT%26T"); 4]),
    ("q=caf%C3%A9", [("", "q=caf%C3%A9"); 4]),
    ("e=", [("e=", ""); 4]),
    ("flag", [("flag=", ""); 4]),
    ("a=2&a=1", [("a=1&a=2", ""); 4]),
    ("z=1&b=2&a=3", [("a=3&b=2", "z=1"); 4]),
    (
        "a=1&a%2B=2&a-=3",
        [
            ("a%2B=2&a=1&a-=3", ""),
            ("a%2B=2&a-=3&a=1", ""),
            ("a=1&a%2B=2&a-=3", ""),
            ("a=1&a%2B=2&a-=3", ""),
        ],
    ),
];

#[test]
fn every_librarys_reading_of_the_query_verifies() {
    let signed = Signed::new("GET", "/users", "");
    for (query, columns) in TABLE {
        let request = get("/users", Some(query));
        for ((before, after), library) in columns.iter().zip(["Node", "Python", "Java", "RFC"]) {
            let base_string = signed.base_string(&signed.parameters(before, after));
            let header = signed.header(&rsa_sha256(&base_string));
            assert_eq!(verify(&header, &request), Ok(()), "{library} {query}");
        }
        // O4: a generic client escapes the oauth_* values as well.
        let (before, after) = columns[3];
        let base_string = signed.base_string(&signed.escaped_parameters(before, after));
        let header = signed.header(&rsa_sha256(&base_string));
        assert_eq!(verify(&header, &request), Ok(()), "strict {query}");
    }
}

/// Query on the wire, and all the pairs as Ruby, Go and PHP sign them; `OAUTH` stands for the
/// `oauth_*` pairs.
const ORDERS: &[(&str, &str, &str)] = &[
    ("z=1&B=2&a=3", "Ruby", "a=3&B=2&z=1&OAUTH"),
    ("lang=en-US&x=2", "Ruby", "lang=en-US&x=2&OAUTH"),
    ("q=a+b", "Go", "OAUTH&q=a b"),
    ("b=1&q=a+b", "Go", "b=1&OAUTH&q=a b"),
    ("a=10&a=9", "PHP", "a=9&a=10&OAUTH"),
    ("a10=x&a9=y&z=1", "PHP", "a9=y&a10=x&OAUTH&z=1"),
    ("a=%3A10&a=%3A9", "PHP", "a=%3A9&a=%3A10&OAUTH"),
];

#[test]
fn the_orders_of_ruby_go_and_php_verify() {
    let signed = Signed::new("GET", "/users", "");
    let oauth = signed.parameters("", "");
    for (query, library, pairs) in ORDERS {
        let base_string = signed.base_string(&pairs.replace("OAUTH", &oauth));
        let header = signed.header(&rsa_sha256(&base_string));
        let result = verify(&header, &get("/users", Some(query)));
        assert_eq!(result, Ok(()), "{library} {query}");
    }
}

#[test]
fn ruby_escapes_tildes_and_no_asterisks() {
    let signed = Signed::new("GET", "/a~b*c", "");
    let parameters = format!("p=x~*&{}", signed.parameters("", ""));
    let base_string = signed
        .base_string(&parameters)
        .replace('~', "%7E")
        .replace("%2A", "*");
    let header = signed.header(&rsa_sha256(&base_string));
    assert_eq!(verify(&header, &get("/a~b*c", Some("p=x~*"))), Ok(()));
}

#[test]
fn javascript_escapes_less_than_the_rfc() {
    let signed = Signed::new("GET", "/a(b)", "");
    let parameters = signed.parameters("", "p=(x)*!*");
    // The first exclamation mark is the consumer key's.
    let base_string = signed
        .base_string(&parameters)
        .replace("%28", "(")
        .replace("%29", ")")
        .replace("p%3D(x)%2A%21%2A", "p%3D(x)%2A!*");
    let header = signed.header(&rsa_sha256(&base_string));
    assert_eq!(verify(&header, &get("/a(b)", Some("p=(x)*!*"))), Ok(()));
}

#[test]
fn node_keeps_an_explicit_default_port_and_drops_brackets() {
    for (configured, signed_origin) in [
        ("https://api.example.com", "https://api.example.com:443"),
        ("http://api.example.com", "http://api.example.com:80"),
        ("http://[::1]:8080", "http://::1:8080"),
    ] {
        let mut signed = Signed::new("GET", "/", "");
        signed.url = format!("{signed_origin}/issuers");
        let header = signed.signed_header();
        let result = Authorization::parse(&header).unwrap().verify(
            &get("/issuers", None),
            &origins(&[configured]),
            &[&KEY.public],
            &Policy::default(),
            NOW,
        );
        assert_eq!(result, Ok(()), "{signed_origin}");
    }
}

#[test]
fn the_path_is_judged_as_sent() {
    for path in [
        "/", "/a%20b", "/a%2Fb", "/a%2fb", "/users/", "/a//b", "/a/../b", "/a;v=1", "/é",
    ] {
        let header = Signed::new("GET", path, "").signed_header();
        assert_eq!(verify(&header, &get(path, None)), Ok(()), "{path}");
    }
    let header = Signed::new("GET", "/", "").signed_header();
    assert_eq!(verify(&header, &get("", None)), Ok(()));
    for (signed, received) in [
        ("/a%2Fb", "/a/b"),
        ("/a%2Fb", "/a%2fb"),
        ("/users/", "/users"),
        ("/a//b", "/a/b"),
        ("/a/../b", "/b"),
        ("/a", "/a;v=1"),
        ("/users", "/Users"),
    ] {
        let header = Signed::new("GET", signed, "").signed_header();
        assert_eq!(
            verify(&header, &get(received, None)),
            Err(SignatureError::SignatureInvalid),
            "{signed}"
        );
    }
}

#[test]
fn headers_may_be_written_in_every_form_of_the_specification() {
    let signed = Signed::new("GET", "/issuers", "");
    let signature = rsa_sha256(&signed.base_string(&signed.parameters("", "")));
    let plain = signed.header(&signature);
    let bare = plain.replace(&escape(&base64(&signature)), &base64(&signature));
    let mut shuffled: Vec<&str> = plain.trim_start_matches("OAuth ").split(',').collect();
    shuffled.reverse();
    let escaped = plain
        .replace(CONSUMER_KEY, &escape(CONSUMER_KEY))
        .replace(&signed.oauth[0].1, &escape(&signed.oauth[0].1));
    assert_ne!(escaped, plain);
    for header in [
        plain.replace(',', ", "),
        plain.replace(',', " ,\t"),
        plain.replace("nonce=\"", "nonce = \""),
        plain.replace("OAuth ", "oauth  "),
        plain.replace("OAuth ", r#"OAuth realm="https://x/, y","#),
        format!("OAuth {}", shuffled.join(",")),
        bare,
        escaped,
    ] {
        let request = get("/issuers", None);
        assert_eq!(verify(&header, &request), Ok(()), "{header}");
    }
}

#[test]
fn unknown_oauth_parameters_are_part_of_what_is_signed() {
    let mut signed = Signed::new("GET", "/issuers", "");
    signed.oauth.insert(5, ("oauth_token", String::new()));
    let header = signed.signed_header();
    let request = get("/issuers", None);
    assert_eq!(verify(&header, &request), Ok(()));
    let removed = header.replace(r#"oauth_token="","#, "");
    assert_eq!(
        verify(&removed, &request),
        Err(SignatureError::SignatureInvalid)
    );
}

#[test]
fn a_proxied_server_verifies_the_public_url() {
    let header = Signed::new("GET", "/cts/issuers", "").signed_header();
    let authorization = Authorization::parse(&header).unwrap();
    for (origin, path, expected) in [
        ("https://api.example.com", "/cts/issuers", Ok(())),
        ("https://api.example.com/cts", "/issuers", Ok(())),
        ("HTTPS://API.example.com:443", "/cts/issuers", Ok(())),
        (
            "https://api.example.com",
            "/issuers",
            Err(SignatureError::SignatureInvalid),
        ),
        (
            "http://api.example.com",
            "/cts/issuers",
            Err(SignatureError::SignatureInvalid),
        ),
        (
            "https://tenant2.example.com",
            "/cts/issuers",
            Err(SignatureError::SignatureInvalid),
        ),
    ] {
        let result = authorization.verify(
            &get(path, None),
            &origins(&[origin]),
            &[&KEY.public],
            &Policy::default(),
            NOW,
        );
        assert_eq!(result, expected, "{origin} {path}");
    }
    // The prefix alone: the proxy hands on an empty path.
    let header = Signed::new("GET", "/cts", "").signed_header();
    let result = Authorization::parse(&header).unwrap().verify(
        &get("", None),
        &origins(&["https://api.example.com/cts"]),
        &[&KEY.public],
        &Policy::default(),
        NOW,
    );
    assert_eq!(result, Ok(()));
}

#[test]
fn any_configured_origin_and_any_key_of_the_client_will_do() {
    let mut signed = Signed::new("GET", "/", "");
    signed.url = "http://localhost:8080/issuers".into();
    let header = signed.signed_header();
    let result = Authorization::parse(&header).unwrap().verify(
        &get("/issuers", None),
        &origins(&["http://127.0.0.1:8080", "http://localhost:8080"]),
        &[&OTHER_KEY.public, &KEY.public],
        &Policy::default(),
        NOW,
    );
    assert_eq!(result, Ok(()));
}
