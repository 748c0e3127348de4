//! `/docs`: the page and its files, all from here. tests/interop/browser opens it in a browser.

use crate::support::Backend;
use crate::support::gateway::TestGateway;
use crate::support::http::send;
use issuer_gateway::http::docs::FILES;

#[test]
fn the_page_loads_nothing_from_elsewhere() {
    let gateway = TestGateway::start(Backend::Sqlite);
    let config = ureq::Agent::config_builder().http_status_as_error(false);
    let agent: ureq::Agent = config.build().into();
    let get = |path: &str| {
        let mut response = agent
            .get(format!("{}{path}", gateway.base_url))
            .call()
            .unwrap();
        assert_eq!(response.status(), 200, "{path}");
        let policy = response.headers()["content-security-policy"]
            .to_str()
            .unwrap();
        assert!(
            policy.starts_with("default-src 'none'; script-src 'self';"),
            "{policy}"
        );
        assert!(
            !policy.contains("unsafe") && !policy.contains("http"),
            "{policy}"
        );
        let media_type = response.headers()["content-type"]
            .to_str()
            .unwrap()
            .to_owned();
        let body = response
            .body_mut()
            .with_config()
            .limit(8 << 20)
            .read_to_string()
            .unwrap();
        assert!(!body.is_empty());
        (media_type, body)
    };
    let (media_type, page) = get("/docs");
    assert!(media_type.starts_with("text/html"), "{media_type}");
    assert!(!page.contains("://"), "no address of another origin");
    for file in FILES {
        assert!(
            page.contains(&format!("\"docs/{}\"", file.name)),
            "{}",
            file.name
        );
        let (media_type, _) = get(&format!("/docs/{}", file.name));
        assert!(media_type.starts_with("text/"), "{media_type}");
    }
    for other in ["index.html", "swagger-initializer.js", "..%2Fopenapi.json"] {
        let answer = send(
            "GET",
            &format!("{}/docs/{other}", gateway.base_url),
            &[],
            b"",
        );
        assert_eq!(answer.status, 404, "{other}");
    }
}
