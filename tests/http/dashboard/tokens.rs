//! Who may look, and how long: tokens, cookies, frames, clocks.

use super::browser::Browser;
use super::{address, ask, assert_closed, start, with_a_year, with_view, without_nonce};
use crate::lifecycle::behind_proxy;
use crate::on_both;
use crate::support::Backend;
use crate::support::at_rest::audit_trail;
use crate::support::gateway::{TestGateway, assert_refused, issuers_toml, user_id};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::TimeDelta;
use issuer_gateway::client::sample;
use issuer_gateway::ids::ClientId;
use issuer_gateway::issuers::IssuerStatus;
use issuer_gateway::store::audit::AuditDraft;
use issuer_gateway::store::cardholders::CardholderStatus;
use issuer_gateway::store::now;
use url::Url;

/// The token in an address.
fn token_of(url: &str) -> &str {
    let (_, rest) = url.split_once("auth_token=").unwrap();
    rest.split('&').next().unwrap()
}

on_both!(a_view_ends_with_the_right_to_it, |backend: Backend| {
    let gateway = TestGateway::start_without_erasure(backend);
    let client = gateway.client("demo");
    let opened = || {
        let id = user_id(&client.enrol(&sample::enrolment("534403")));
        let mut browser = Browser::new();
        assert_eq!(browser.open(&address(&client, &id, None)).status, 200);
        (id, browser)
    };
    let mut bodies = Vec::new();
    let (id, mut browser) = opened();
    gateway.set_user_status("demo", &id, CardholderStatus::Inactive);
    let closed = browser.reload();
    assert_closed(&closed);
    bodies.push(without_nonce(&closed.body));
    let api = browser.get("api/summary");
    assert_eq!(api.status, 401);
    assert!(api.body.contains("INVALID_TOKEN"), "{}", api.body);
    assert_refused(&ask(&client, &id, None), 401, &["USER_INACTIVE"]);

    let (id, mut browser) = opened();
    assert_eq!(client.delete(&[&id]).status, 202);
    let closed = browser.reload();
    assert_closed(&closed);
    bodies.push(without_nonce(&closed.body));
    assert_refused(
        &ask(&client, &id, None),
        401,
        &["USER_TERMINATE_IN_PROGRESS"],
    );

    let (_, mut browser) = opened();
    gateway.set_issuer_status("demo", IssuerStatus::Suspended);
    let closed = browser.reload();
    assert_closed(&closed);
    bodies.push(without_nonce(&closed.body));
    gateway.set_issuer_status("demo", IssuerStatus::Active);

    let (_, mut browser) = opened();
    let issuer = ClientId::parse("demo").unwrap();
    gateway.block_on(async {
        let store = &gateway.gateway.store;
        for on in [false, true] {
            let audit = AuditDraft::accepted(now(), "test", "test");
            store.set_donation(&issuer, on, audit).await.unwrap();
        }
        gateway.gateway.registry.refresh(store).await.unwrap();
    });
    let closed = browser.reload();
    assert_closed(&closed);
    bodies.push(without_nonce(&closed.body));
    bodies.dedup();
    assert_eq!(bodies.len(), 1, "{bodies:#?}");
});

on_both!(tokens_end_with_their_time, |backend: Backend| {
    let gateway = start(backend, &with_view("return_url = 'bankapp://home'"));
    let client = gateway.client("demo");
    let id = user_id(&client.enrol(&sample::enrolment("534403")));
    let url = address(&client, &id, Some("sv"));
    let passed = |minutes: i64, seconds: i64| {
        let time = TimeDelta::minutes(minutes) + TimeDelta::seconds(seconds);
        gateway.gateway.clock.set_wrong_by(time);
    };
    let mut kept = Browser::new();
    assert_eq!(kept.open(&url).status, 200);
    passed(14, 50);
    assert_eq!(Browser::new().open(&url).status, 200);
    assert_eq!(kept.reload().status, 200);
    passed(15, 1);
    let closed = Browser::new().fetch_once(&url);
    assert_closed(&closed);
    for part in ["<html lang=\"sv\">", "Vyn har stängts", "bankapp://home"] {
        assert!(closed.body.contains(part), "{}", closed.body);
    }
    for minutes in (29..179).step_by(14) {
        passed(minutes, 0);
        assert_eq!(kept.reload().status, 200, "{minutes}");
    }
    passed(179, 0);
    assert_eq!(kept.reload().status, 200);
    passed(181, 0);
    assert_closed(&kept.reload());
});

on_both!(an_address_can_be_good_for_one_view, |backend: Backend| {
    let gateway = start(backend, &with_view("single_use = true"));
    let client = gateway.client("demo");
    let id = user_id(&client.enrol(&sample::enrolment("534403")));
    let url = address(&client, &id, None);
    let mut browser = Browser::new();
    assert_eq!(browser.open(&url).status, 200);
    assert_closed(&Browser::new().fetch_once(&url));
    assert_eq!(browser.reload().status, 200, "the view itself goes on");
    let other = address(&client, &id, None);
    assert_eq!(Browser::new().open(&other).status, 200);
    let trail = audit_trail(&gateway);
    let opened = trail
        .iter()
        .filter(|entry| entry.action == "dashboard.open");
    let reasons: Vec<_> = opened.map(|entry| entry.reason.as_deref()).collect();
    assert_eq!(reasons, [None, Some("nonce-used"), None]);
});

on_both!(the_header_alone_opens_nothing, |backend: Backend| {
    for settings in [
        "single_use = true",
        "frame_origins = ['https://bank.example']",
    ] {
        let gateway = start(backend, &with_view(settings));
        let client = gateway.client("demo");
        let id = user_id(&client.enrol(&sample::enrolment("534403")));
        let url = address(&client, &id, None);
        let mut scanner = Browser::new();
        let head = scanner.head(&url);
        assert_eq!((head.status, head.header("set-cookie")), (303, ""));
        let there = Url::parse(&url).unwrap();
        let there = there.join(head.header("location")).unwrap();
        assert_closed(&scanner.fetch_once(there.as_str()));
        let trail = audit_trail(&gateway);
        assert!(trail.iter().all(|entry| entry.action != "dashboard.open"));
        assert_eq!(Browser::new().open(&url).status, 200, "it is still unused");
    }
});

on_both!(forged_tokens_open_nothing, |backend: Backend| {
    let gateway = start(backend, &issuers_toml());
    let client = gateway.client("demo");
    let id = user_id(&client.enrol(&sample::enrolment("534403")));
    let url = address(&client, &id, Some("sv"));
    let token = token_of(&url);
    let bytes = URL_SAFE_NO_PAD.decode(token).unwrap();
    let mut forged: Vec<String> = (0..bytes.len())
        .map(|at| {
            let mut flipped = bytes.clone();
            flipped[at] ^= 1 << (at % 8);
            URL_SAFE_NO_PAD.encode(flipped)
        })
        .collect();
    forged.extend(
        (0..bytes.len())
            .step_by(7)
            .map(|end| URL_SAFE_NO_PAD.encode(&bytes[..end])),
    );
    let compat = gateway.client("compat");
    let other = user_id(&compat.enrol(&sample::enrolment("222300")));
    let other = URL_SAFE_NO_PAD
        .decode(token_of(&address(&compat, &other, None)))
        .unwrap();
    forged.push(URL_SAFE_NO_PAD.encode([&other[..11], &bytes[11..]].concat()));
    forged.push(format!("{token}="));
    let mut bodies = Vec::new();
    for forged in forged {
        let closed = Browser::new().fetch_once(&url.replace(token, &forged));
        assert_closed(&closed);
        bodies.push(without_nonce(&closed.body));
    }
    bodies.dedup();
    assert_eq!(
        bodies.len(),
        1,
        "no theme, no link, in no issuer's language"
    );
    assert!(bodies[0].contains("<html lang=\"en-US\">"));
    for path in [
        "/home/",
        "/home/?auth_token=",
        "/home/v/00/",
        "/home/f/00/",
        "/home/v/00/method",
    ] {
        assert_closed(&Browser::new().fetch_once(&format!("{}{path}", gateway.base_url)));
    }
    for path in ["/home/x/00/", "/home/nothing.js", "/home/v/00/a/b/c"] {
        let missing = Browser::new().fetch_once(&format!("{}{path}", gateway.base_url));
        assert_eq!(missing.status, 404, "{path}");
    }
    let without_cookie =
        Browser::new().fetch_once(&format!("{}/home/v/{}/", gateway.base_url, "0".repeat(32)));
    assert!(
        without_cookie.body.contains("cookies"),
        "{}",
        without_cookie.body
    );
});

on_both!(a_frame_needs_no_cookie, |backend: Backend| {
    let issuers =
        with_view("frame_origins = ['https://bank.example']\nreturn_url = 'bankapp://home'");
    let gateway = start(backend, &issuers);
    let client = gateway.client("demo");
    let id = with_a_year(&client, "534403");
    let mut browser = Browser::new();
    let page = browser.open(&address(&client, &id, None));
    assert_eq!(page.status, 200);
    assert_eq!(browser.cookie, None);
    assert!(browser.address.contains("/home/f/"));
    assert!(
        page.header("content-security-policy")
            .contains("frame-ancestors https://bank.example")
    );
    assert!(page.body.contains("bankapp://home"));
    // Links carry a newer token than the address has.
    let link = page.attribute("<a href=\"../").replace("../", "");
    let page = browser.get(&format!("../{link}"));
    assert_eq!(page.status, 200, "{link}: {}", page.body);
    let done = browser.post("intro", &[("sec-fetch-site", "same-origin")]);
    assert_eq!(done.status, 303);
    assert!(done.header("location").starts_with("../"));
});

// Nothing of the view may come into the trail or the metrics.

on_both!(tokens_and_merchants_are_in_no_record, |backend: Backend| {
    let gateway = start(backend, &issuers_toml());
    let client = gateway.client("demo");
    let id = with_a_year(&client, "534403");
    let url = address(&client, &id, None);
    let mut browser = Browser::new();
    browser.open(&url);
    browser.get("transactions");
    let token = token_of(&url).to_owned();
    let view = browser.cookie.clone().unwrap();
    let metrics = gateway.metrics();
    for secret in [&token, &view.split_once('=').unwrap().1.to_owned(), &id] {
        assert!(!metrics.contains(secret.as_str()));
    }
    assert!(metrics.contains("/home/{mode}/{view}/"), "{metrics}");
    let trail = format!("{:?}", audit_trail(&gateway));
    for secret in [token.as_str(), "Corner Market", "5344"] {
        assert!(!trail.contains(secret), "{secret}");
    }
});

/// Seal and time are judged first: while the database is away, a whole token gets 503.
#[test]
fn forged_tokens_cost_no_look_at_the_database() {
    let (gateway, proxy) = behind_proxy();
    let client = gateway.client("demo");
    let id = user_id(&client.enrol(&sample::enrolment("534403")));
    let url = address(&client, &id, None);
    proxy.cut();
    let forged = url.replace(token_of(&url), &token_of(&url).replace(['A', 'B'], "C"));
    assert_closed(&Browser::new().fetch_once(&forged));
    let busy = Browser::new().fetch_once(&url);
    assert_eq!((busy.status, busy.header("retry-after")), (503, "5"));
    assert!(busy.body.contains("Try again in 5 seconds."));
    proxy.restore();
}
