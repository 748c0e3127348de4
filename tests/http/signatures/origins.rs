//! Behind a proxy: clients sign the public URL, which is configured and never taken from the
//! request (O7).

use super::{ENROL, Signed, assert_unauthenticated, call};
use crate::on_both;
use crate::support::gateway::{TestGateway, config};
use crate::support::peer::Jwe;
use crate::support::{Backend, TestDatabase};
use issuer_gateway::client::sample;

fn behind_proxy(database: &TestDatabase, public: &[&str]) -> TestGateway {
    let mut config = config(&database.url_text);
    config.server.public_base_urls = public.iter().map(|url| (*url).to_owned()).collect();
    TestGateway::start_with(&config)
}

fn enrolment() -> Vec<u8> {
    Jwe::new(sample::enrolment("534403").to_string()).body()
}

/// What a proxy, or anybody, may say about where the request was meant to go.
const HEADERS: [[(&str, &str); 5]; 3] = [
    [
        ("Host", "gateway-7.internal:8080"),
        ("X-Forwarded-Host", "gateway-7.internal"),
        ("X-Forwarded-Proto", "http"),
        ("X-Forwarded-Prefix", "/internal"),
        ("Forwarded", "host=gateway-7.internal;proto=http"),
    ],
    [
        ("Host", "public.example"),
        ("X-Forwarded-Host", "public.example"),
        ("X-Forwarded-Proto", "https"),
        ("X-Forwarded-Prefix", "/cts"),
        ("Forwarded", "host=public.example;proto=https"),
    ],
    [
        ("Host", "evil.example"),
        ("X-Forwarded-Host", "evil.example"),
        ("X-Forwarded-Proto", "https"),
        ("X-Forwarded-Prefix", "/cts"),
        ("Forwarded", "host=evil.example;proto=https"),
    ],
];

/// Sends an enrolment, signed for `url`, to `target`.
fn enrol(gateway: &TestGateway, url: &str, target: &str, said: &[(&str, &str)]) -> u16 {
    let body = enrolment();
    let authorization = Signed::new("POST", url, &body).authorization();
    let mut headers = vec![("Authorization", authorization.as_str())];
    headers.extend_from_slice(said);
    let answer = call(gateway, "POST", target, &headers, &body);
    if answer.status != 200 {
        assert_unauthenticated(&answer, url);
    }
    answer.status
}

on_both!(a_proxy_may_strip_the_public_prefix, |backend: Backend| {
    let database = TestDatabase::new(backend);
    let gateway = behind_proxy(&database, &["https://public.example/cts"]);
    for said in &HEADERS {
        for url in [
            "https://public.example/cts/issuers/users",
            // As Node signs a URL that names the default port.
            "https://public.example:443/cts/issuers/users",
        ] {
            assert_eq!(enrol(&gateway, url, ENROL, said), 200, "{url} {said:?}");
        }
        for url in [
            &format!("{}{ENROL}", gateway.base_url),
            "https://public.example/issuers/users",
            "http://public.example/cts/issuers/users",
            "https://public.example:8443/cts/issuers/users",
            "https://evil.example/cts/issuers/users",
            "http://gateway-7.internal:8080/issuers/users",
            "http://gateway-7.internal/internal/issuers/users",
        ] {
            assert_eq!(enrol(&gateway, url, ENROL, said), 401, "{url} {said:?}");
        }
    }
    let id = database.texts("SELECT user_id AS t FROM users").remove(0);
    let target = format!("{ENROL}/{id}");
    let body = Jwe::new(sample::update().to_string()).body();
    let url = format!("https://public.example/cts{target}");
    let authorization = Signed::new("PUT", &url, &body).authorization();
    let answer = call(
        &gateway,
        "PUT",
        &target,
        &[("Authorization", &authorization)],
        &body,
    );
    assert_eq!(answer.status, 200);
});

on_both!(a_proxy_may_pass_the_path_as_it_is, |backend: Backend| {
    let database = TestDatabase::new(backend);
    let gateway = behind_proxy(
        &database,
        &["https://public.example", "https://old.example"],
    );
    let under_cts = format!("/cts{ENROL}");
    for said in &HEADERS {
        for host in ["public.example", "old.example"] {
            let url = format!("https://{host}/cts/issuers/users");
            assert_eq!(enrol(&gateway, &url, &under_cts, said), 200, "{url}");
            assert_eq!(enrol(&gateway, &url, ENROL, said), 401, "{url}");
        }
        let url = "https://evil.example/cts/issuers/users";
        assert_eq!(enrol(&gateway, url, &under_cts, said), 401, "{said:?}");
    }
});

on_both!(
    without_configuration_loopback_is_known_by_both_names,
    |backend: Backend| {
        let gateway = TestGateway::start(backend);
        let port = gateway.base_url.rsplit(':').next().unwrap();
        for host in ["127.0.0.1", "localhost"] {
            let url = format!("http://{host}:{port}{ENROL}");
            assert_eq!(enrol(&gateway, &url, ENROL, &HEADERS[2]), 200, "{url}");
        }
        let url = format!("http://evil.example:{port}{ENROL}");
        assert_eq!(enrol(&gateway, &url, ENROL, &HEADERS[2]), 401);
    }
);
