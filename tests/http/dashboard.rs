//! The cardholder's web view: the call that issues its address, and the pages behind it.

mod browser;
mod delivery;
mod tokens;

use crate::on_both;
use crate::support::at_rest::audit_trail;
use crate::support::gateway::{
    TestClient, TestGateway, assert_refused, config, issuers_toml, user_id,
};
use crate::support::{Backend, TestDatabase};
use browser::{Browser, Fetched, month_before};
use issuer_gateway::client::{Answered, Operation, sample, sample_year};
use issuer_gateway::ids::CardholderId;
use issuer_gateway::oauth1::SignatureMethod;
use serde_json::json;

/// A gateway with these issuers, whose cardholders may click as fast as a test does.
fn start(backend: Backend, issuers: &str) -> TestGateway {
    let database = TestDatabase::new(backend);
    let mut config = config(&database.url_text);
    config.dashboard.burst = 1_000;
    let mut gateway = TestGateway::start_as(&config, issuers);
    gateway.database = Some(database);
    gateway
}

/// The issuers, of whom the first has these settings of its web view.
fn with_view(settings: &str) -> String {
    let view = format!("[issuer.dashboard]\n{settings}\n[[issuer.signing]]");
    issuers_toml().replacen("[[issuer.signing]]", &view, 1)
}

/// A cardholder of the issuer with a year of payments until today.
fn with_a_year(client: &TestClient, prefix: &str) -> String {
    let id = user_id(&client.enrol(&sample::enrolment(prefix)));
    let items = sample_year::transactions(&id, chrono::Utc::now().date_naive());
    let clear = json!({ "transactions": items });
    let answer = client.send(&client.prepare(&Operation::PostTransactions, &clear));
    assert_eq!(answer.status, 200, "{:?}", answer.clear);
    id
}

fn ask(client: &TestClient, id: &str, language: Option<&str>) -> Answered {
    let operation = Operation::Dashboard(
        CardholderId::parse(id).unwrap(),
        language.map(str::to_owned),
    );
    let request = client
        .client
        .sign(&operation, SignatureMethod::RsaSha256, Vec::new());
    client.send(&request.unwrap())
}

fn address(client: &TestClient, id: &str, language: Option<&str>) -> String {
    let answer = ask(client, id, language);
    assert_eq!(answer.status, 200, "{:?}", answer.clear);
    let clear = answer.clear.unwrap();
    assert_eq!(clear["expiryInMillis"], "900000");
    clear["url"].as_str().unwrap().to_owned()
}

#[track_caller]
fn assert_closed(fetched: &Fetched) {
    assert_eq!(fetched.status, 401, "{}", fetched.body);
    assert!(fetched.body.contains("id=\"title\""), "{}", fetched.body);
}

/// What differs from page to page, taken out.
fn without_nonce(body: &str) -> String {
    let start = body.find("nonce=\"").unwrap() + 7;
    let end = start + body[start..].find('"').unwrap();
    format!("{}{}", &body[..start], &body[end..])
}

on_both!(a_fresh_address_opens_a_view, |backend: Backend| {
    let gateway = TestGateway::start(backend);
    let client = gateway.client("demo");
    let id = with_a_year(&client, "534403");
    let answer = ask(&client, &id, Some("sv"));
    let body = String::from_utf8_lossy(&answer.body).into_owned();
    assert!(body.contains("encryptedData"), "{body}");
    let url = address(&client, &id, Some("sv"));
    assert!(
        url.starts_with(&format!("{}/home/?auth_token=", gateway.base_url)),
        "{url}"
    );
    assert!(url.ends_with("&lang=sv") && !url.contains(&id), "{url}");

    let mut browser = Browser::new();
    let first = browser.fetch_once(&url);
    assert_eq!(first.status, 303);
    let cookie = first.header("set-cookie");
    // Loopback over http: a browser would not keep a cookie that is marked for TLS.
    assert!(
        cookie.starts_with("view=") && cookie.contains("HttpOnly; SameSite=Lax"),
        "{cookie}"
    );
    assert!(cookie.contains("Path=/home/v/"), "{cookie}");
    let page = browser.open(&url);
    assert_eq!(page.status, 200, "{}", page.body);
    assert!(
        page.body.contains("<html lang=\"sv\">") && page.body.contains("Hittills")
            || page.body.contains("hittills")
    );
    assert!(
        !browser.address.contains("auth_token"),
        "{}",
        browser.address
    );
    for (name, part) in [
        ("cache-control", "no-store"),
        ("referrer-policy", "no-referrer"),
        ("x-content-type-options", "nosniff"),
        ("x-robots-tag", "noindex"),
        ("cross-origin-opener-policy", "same-origin"),
        ("permissions-policy", "geolocation=()"),
        (
            "content-security-policy",
            "default-src 'none'; style-src 'nonce-",
        ),
        ("content-security-policy", "frame-ancestors 'none'"),
    ] {
        assert!(
            page.header(name).contains(part),
            "{name}: {}",
            page.header(name)
        );
    }
    // The same address again opens another view.
    let mut second = Browser::new();
    assert_eq!(second.open(&url).status, 200);
    assert_ne!(second.address, browser.address);
    // A cookie of one view is worth nothing in another.
    second.cookie = browser.cookie.clone();
    assert_closed(&second.reload());
});

on_both!(
    every_screen_and_figure_can_be_reached,
    |backend: Backend| {
        let gateway = start(backend, &issuers_toml());
        let client = gateway.client("demo");
        let id = with_a_year(&client, "534403");
        let mut browser = Browser::new();
        let page = browser.open(&address(&client, &id, None));
        assert!(page.body.contains("Got it"));
        let script = page.attribute("<script src=\"");
        let script = browser.get(&script);
        assert_eq!(script.status, 200);
        assert!(script.header("cache-control").contains("immutable"));
        for (path, text) in [
            ("transactions", "1 to 20 of"),
            ("transactions?offset=20", "21 to 40 of"),
            ("method", "How it works"),
            ("intro", "Introduction"),
            ("category/101", "Groceries"),
            ("?category=101&cut=50", "50% less spending on Groceries"),
            ("?month=1999-01", "No payments in January 1999"),
            ("?month=nonsense&cut=7&offset=-1", "so far"),
            ("?lang=pl-PL", "do tej pory"),
        ] {
            let page = browser.get(path);
            assert_eq!(page.status, 200, "{path}: {}", page.body);
            assert!(
                page.body.contains(text),
                "{path}: no {text} in {}",
                page.body
            );
        }
        // The language stays with the view.
        assert!(browser.get("method").body.contains("<html lang=\"pl-PL\">"));
        browser.get("?lang=en-US");

        let summary = browser.json("api/summary");
        let score = client_score(&client, &id);
        let grams = summary["carbonEmissionInGrams"].as_f64().unwrap();
        assert!((grams - score).abs() < 0.005, "{grams} {score}");
        let months = browser.json("api/aggregates?aggregateType=2&count=13");
        let months = months["items"].as_array().unwrap();
        assert_eq!(
            months.last().unwrap()["carbonEmissionInGrams"],
            summary["carbonEmissionInGrams"]
        );
        for month in months {
            let period = month["period"].as_str().unwrap();
            let categories = browser.json(&format!("api/categories?month={period}"));
            let items = categories["items"].as_array().unwrap();
            let sum: f64 = items
                .iter()
                .map(|item| item["carbonEmissionInGrams"].as_f64().unwrap())
                .sum();
            let whole = month["carbonEmissionInGrams"].as_f64().unwrap();
            assert!((sum - whole).abs() < 0.01, "{period}: {sum} {whole}");
        }
        let list = browser.json("api/transactions?limit=3");
        assert_eq!(
            (&list["count"], list["items"].as_array().unwrap().len()),
            (&json!(3), 3)
        );
        let first = list["items"][0]["transactionMetadata"]["id"]
            .as_str()
            .unwrap()
            .to_owned();
        let page = browser.get(&format!("transactions/{first}"));
        assert!(page.body.contains("How was this estimated?"));
        let one = browser.json(&format!("api/transactions/{first}"));
        assert_eq!(one["transactionMetadata"]["id"], json!(first));
        for path in [
            "profile",
            "status",
            "benchmarks",
            "what-if?category=101&cut=10",
        ] {
            assert!(browser.json(&format!("api/{path}")).is_object(), "{path}");
        }
        for path in ["nothing", "category/999", "category/x", "transactions/none"] {
            let page = browser.get(path);
            assert_eq!(page.status, 404, "{path}");
            assert!(
                page.body.contains("href=\"/home/v/"),
                "{path}: {}",
                page.body
            );
        }
        let missing = browser.get("api/transactions/none");
        assert_eq!(missing.status, 404);
        assert!(missing.body.contains("NOT_FOUND"));
        let before = month_before(chrono::Utc::now().date_naive());
        let page = browser.get(&format!("?month={before}"));
        assert!(
            page.body.contains("Compared with yourself"),
            "{}",
            page.body
        );
    }
);

fn client_score(client: &TestClient, id: &str) -> f64 {
    let operation = Operation::AggregateScore(CardholderId::parse(id).unwrap());
    let request = client
        .client
        .sign(&operation, SignatureMethod::RsaSha256, Vec::new());
    let answer = client.send(&request.unwrap()).clear.unwrap();
    answer["carbonEmissionInGrams"]
        .as_str()
        .unwrap()
        .parse()
        .unwrap()
}

on_both!(the_introduction_is_seen_once, |backend: Backend| {
    let gateway = TestGateway::start(backend);
    let client = gateway.client("demo");
    let id = with_a_year(&client, "534403");
    let mut browser = Browser::new();
    assert!(
        browser
            .open(&address(&client, &id, None))
            .body
            .contains("Got it")
    );
    let foreign = browser.post("intro", &[("sec-fetch-site", "cross-site")]);
    assert_closed(&foreign);
    assert_closed(&browser.post("intro", &[]));
    let done = browser.post("intro", &[("sec-fetch-site", "same-origin")]);
    assert_eq!((done.status, done.header("location")), (303, "./"));
    assert!(!browser.reload().body.contains("Got it"));
    let mut other_phone = Browser::new();
    assert!(
        !other_phone
            .open(&address(&client, &id, None))
            .body
            .contains("Got it")
    );
    assert!(other_phone.get("intro").body.contains("Got it"));
    let origin = gateway.base_url.clone();
    let by_api = other_phone.post("api/intro", &[("origin", &origin)]);
    assert_eq!(by_api.status, 204);
});

on_both!(issuing_obeys_the_rules_of_all_calls, |backend: Backend| {
    let gateway = TestGateway::start(backend);
    let client = gateway.client("demo");
    let id = user_id(&client.enrol(&sample::enrolment("534403")));
    for (wish, tag) in [
        (None, "en-US"),
        (Some("C.UTF-8"), "en-US"),
        (Some("en_US.UTF-8"), "en-US"),
        (Some("ES-cl"), "es-CL"),
        (Some("de"), "en-US"),
    ] {
        assert!(
            address(&client, &id, wish).ends_with(&format!("&lang={tag}")),
            "{wish:?}"
        );
    }
    let unknown = "00000000-0000-4000-8000-000000000000";
    assert_refused(&ask(&client, unknown, None), 404, &["USER_NOT_FOUND"]);
    // Another issuer's cardholder looks like a missing one.
    assert_refused(
        &ask(&gateway.client("compat"), &id, None),
        404,
        &["USER_NOT_FOUND"],
    );
    Browser::new().open(&address(&client, &id, Some("sv")));
    let trail = audit_trail(&gateway);
    let of = |action: &str| {
        let entry = trail.iter().rev().find(|entry| entry.action == action);
        entry.unwrap().clone()
    };
    let (issued, opened) = (of("dashboard.issue"), of("dashboard.open"));
    assert_eq!(issued.subject.as_deref(), Some(id.as_str()));
    assert_eq!(opened.subject.as_deref(), Some(id.as_str()));
    let token = opened.detail.unwrap();
    assert!(token.starts_with("token="), "{token}");
    assert_eq!(issued.detail.unwrap(), format!("{token} lang=sv"));
});

on_both!(pages_come_at_a_bounded_rate, |backend: Backend| {
    let gateway = TestGateway::start(backend);
    let client = gateway.client("demo");
    let id = user_id(&client.enrol(&sample::enrolment("534403")));
    let mut browser = Browser::new();
    browser.open(&address(&client, &id, None));
    let busy = (0..200)
        .map(|_| browser.reload())
        .find(|page| page.status != 200);
    let busy = busy.expect("two hundred pages at once are too many");
    assert_eq!((busy.status, busy.header("retry-after")), (429, "5"));
    assert!(busy.body.contains("Try again in 5 seconds."));
});

#[test]
fn a_listener_of_its_own_serves_the_view_alone() {
    let database = TestDatabase::new(Backend::Sqlite);
    let mut config = config(&database.url_text);
    config.dashboard.listen = Some("127.0.0.1:0".parse().unwrap());
    let gateway = TestGateway::start_with(&config);
    let client = gateway.client("demo");
    let id = user_id(&client.enrol(&sample::enrolment("534403")));
    let url = address(&client, &id, None).replace(&gateway.base_url, &gateway.view_url());
    let mut browser = Browser::new();
    assert_eq!(browser.open(&url).status, 200);
    for path in ["/issuers", "/docs", "/health/ready", "/"] {
        let answer = Browser::new().fetch_once(&format!("{}{path}", gateway.view_url()));
        assert_eq!(answer.status, 404, "{path}");
    }
}
