//! `GET /issuers` and `PUT /issuers`: every member and every row of the catalogue that they can
//! return (cce-api.md 3.6 to 3.8, 4, 5, 7.6).

mod ranges;
mod together;

use crate::on_both;
use crate::support::Backend;
use crate::support::gateway::{TestClient, TestGateway, assert_refused, errors, issuers_toml_with};
use crate::support::http::send;
use issuer_gateway::client::{Answered, sample};
use issuer_gateway::issuers::IssuerStatus;
use serde_json::{Value, json};

const SERVICE: &str = "CARBON CALCULATOR EXPERIENCE";
const TAKEN: &str = "SERVICE_PROVIDER_ACCOUNT_RANGES_ALREADY_EXIST";

struct Issuer {
    client: TestClient,
    url: String,
}

impl Issuer {
    fn of(gateway: &TestGateway, name: &str) -> Self {
        Self {
            client: gateway.client(name),
            url: format!("{}/issuers", gateway.base_url),
        }
    }

    fn get(&self) -> Answered {
        self.client.send_to("GET", &self.url, Vec::new())
    }

    fn put(&self, body: &Value) -> Answered {
        self.client
            .send_to("PUT", &self.url, body.to_string().into_bytes())
    }

    /// The profile, which must be there.
    fn profile(&self) -> Value {
        let answer = self.get();
        assert_eq!(answer.status, 200, "{:?}", answer.clear);
        answer.clear.unwrap()
    }

    fn changed(&self, body: &Value) -> Value {
        let answer = self.put(body);
        assert_eq!(answer.status, 200, "{:?}", answer.clear);
        answer.clear.unwrap()
    }
}

fn paths(answer: &Answered) -> Vec<String> {
    let path = |details: Value| {
        let text = details.as_str().unwrap().to_owned();
        text.split_once(':').unwrap().0.to_owned()
    };
    errors(answer).into_iter().map(|e| path(e.3)).collect()
}

fn default_theme() -> Value {
    let family = "Mark Offc For MC";
    json!({
        "backgroundColor": "#FFFFFF", "widgetBackgroundColor": "#FFFFFF", "fontColor": "#000000",
        "barGraphColor": "#111111", "buttonColor": "#999999", "buttonTextColor": "#FFFFFF",
        "titleFontType": family, "titleFontSize": "28px",
        "subTitleFontType": family, "subTitleFontSize": "20px",
        "paragraphFontType": family, "paragraphFontSize": "15px",
        "buttonTextFontType": family, "buttonTextFontSize": "15px",
        "linkFontType": family, "linkFontSize": "15px",
    })
}

on_both!(an_issuer_sees_its_whole_profile, |backend: Backend| {
    let gateway = TestGateway::start(backend);
    let expected = json!({
        "clientId": "demo", "supportedAccountRange": "534403,518145,5424",
        "status": "ACTIVE", "email": "cards@demo.example", "currencyCode": "USD",
        "countryCode": "USA", "countryName": "United States of America",
        "termsAndConditionURL": "", "privacyNoticeURL": "", "optOutURL": "",
        "preferredTheme": default_theme(),
    });
    assert_eq!(Issuer::of(&gateway, "demo").profile(), expected);
    let below = Issuer {
        client: gateway.client("demo"),
        url: format!("{}/cts/issuers", gateway.base_url),
    };
    assert_eq!(below.profile(), expected);
});

on_both!(
    profiles_have_the_members_of_the_published_schema_and_no_other,
    |backend: Backend| {
        // cce-api.md 3.6: generated Java and Go clients refuse any other member.
        let published = [
            "clientId",
            "countryCode",
            "countryName",
            "currencyCode",
            "customerId",
            "email",
            "optOutURL",
            "preferredTheme",
            "privacyNoticeURL",
            "status",
            "supportedAccountRange",
            "termsAndConditionURL",
        ];
        let toml = issuers_toml_with("customer_id = \"144136\"");
        let gateway = TestGateway::start_declaring(backend, &toml);
        let demo = Issuer::of(&gateway, "demo");
        let names = |profile: &Value| -> Vec<String> {
            let mut names: Vec<_> = profile.as_object().unwrap().keys().cloned().collect();
            names.sort();
            names
        };
        assert_eq!(names(&demo.profile()), published);
        let changed = demo.changed(&json!({
            "termsAndConditionURL": "https://demo.example/terms",
            "privacyNoticeURL": "https://demo.example/privacy",
            "optOutURL": "https://demo.example/out",
        }));
        let in_detail = ["countryCode", "countryName", "currencyCode", "email"];
        let expected = published
            .into_iter()
            .filter(|name| !in_detail.contains(name));
        assert_eq!(names(&changed), expected.collect::<Vec<_>>());
    }
);

on_both!(an_empty_url_changes_nothing, |backend: Backend| {
    let gateway = TestGateway::start(backend);
    let demo = Issuer::of(&gateway, "demo");
    let url = "https://demo.example/terms";
    demo.changed(&json!({ "termsAndConditionURL": url }));
    // What `GET` answers may come back as it is.
    let seen = demo.profile();
    assert_eq!(seen["optOutURL"], "");
    let changed = demo.changed(&json!({
        "termsAndConditionURL": "", "optOutURL": seen["optOutURL"],
        "privacyNoticeURL": seen["privacyNoticeURL"],
    }));
    assert_eq!(changed["termsAndConditionURL"], url);
    assert_eq!(demo.profile(), seen);
});

on_both!(only_what_is_sent_changes, |backend: Backend| {
    let gateway = TestGateway::start(backend);
    let demo = Issuer::of(&gateway, "demo");
    let changed = demo.changed(&json!({
        "supportedAccountRange": " 5611 , 534403,56113,5611",
        "termsAndConditionURL": " https://demo.example/terms\n",
        "optOutURL": "http://demo.example/out?lang=sv#here",
        "preferredTheme": {"fontColor": "#abc", "linkFontSize": "9px", "logo": "leaf \u{1f331}"},
        "issuerName": "Another", "status": "SUSPENDED", "email": "x", "donation": false,
    }));
    let mut theme = default_theme();
    theme["fontColor"] = json!("#abc");
    theme["linkFontSize"] = json!("9px");
    theme["logo"] = json!("leaf \u{1f331}");
    let expected = json!({
        "clientId": "demo", "supportedAccountRange": "534403,518145,5424,5611", "status": "ACTIVE",
        "termsAndConditionURL": "https://demo.example/terms",
        "optOutURL": "http://demo.example/out?lang=sv#here",
        "preferredTheme": theme,
    });
    assert_eq!(changed, expected);
    assert_eq!(demo.changed(&json!({})), expected);

    // Seen at once on this node, with what cannot be changed here as it was.
    let profile = demo.profile();
    for (name, value) in expected.as_object().unwrap() {
        assert_eq!(profile[name], *value, "{name}");
    }
    assert!(profile.get("issuerName").is_none());
    assert_eq!(profile["email"], "cards@demo.example");

    // Theme keys merge, URLs are replaced.
    let again = demo.changed(&json!({
        "privacyNoticeURL": "https://demo.example/privacy",
        "optOutURL": "https://demo.example/out",
        "preferredTheme": {"fontColor": "#123456"},
    }));
    theme["fontColor"] = json!("#123456");
    assert_eq!(again["preferredTheme"], theme);
    assert_eq!(again["optOutURL"], "https://demo.example/out");
    assert_eq!(again["termsAndConditionURL"], "https://demo.example/terms");

    // Cards of the new range enrol at once.
    assert_eq!(demo.client.enrol(&sample::enrolment("5611")).status, 200);
    let other = gateway.client("compat").enrol(&sample::enrolment("5611"));
    assert_refused(&other, 400, &["INVALID_FPAN"]);
});

on_both!(all_violations_are_reported_at_once, |backend: Backend| {
    let gateway = TestGateway::start(backend);
    let demo = Issuer::of(&gateway, "demo");
    let before = demo.profile();
    let answer = demo.put(&json!({
        "supportedAccountRange": "222300,5611",
        "termsAndConditionURL": "javascript:alert(1)",
        "privacyNoticeURL": " ",
        "optOutURL": 7,
        "preferredTheme": {"fontColor": "red!", "linkFontSize": "12", "titleFontType": null,
                           "buttonColor": "#99999", "own": {"a": 1}},
    }));
    assert_eq!(answer.status, 400);
    let expected = [
        "termsAndConditionURL",
        "privacyNoticeURL",
        "optOutURL",
        "preferredTheme.fontColor",
        "preferredTheme.buttonColor",
        "preferredTheme.titleFontType",
        "preferredTheme.linkFontSize",
        "preferredTheme",
        "supportedAccountRange",
    ];
    assert_eq!(paths(&answer), expected);
    for (source, code, recoverable, details) in errors(&answer) {
        let range = details.as_str().unwrap().starts_with("supportedAccount");
        let wanted = if range {
            TAKEN
        } else {
            "INVALID_REQUEST_PARAMETER"
        };
        assert_eq!((source.as_str(), code.as_str()), (SERVICE, wanted));
        assert!(!recoverable);
        for sent in ["222300", "javascript", "red!", "99999"] {
            assert!(!details.as_str().unwrap().contains(sent), "{details}");
        }
    }
    assert_eq!(demo.profile(), before);
});

on_both!(each_bad_body_has_its_answer, |backend: Backend| {
    let gateway = TestGateway::start(backend);
    let demo = Issuer::of(&gateway, "demo");
    let put = |body: &[u8]| demo.client.send_to("PUT", &demo.url, body.to_vec());
    for body in ["", "[]", "null", "{", "\"x\"", r#"{"a":1,"a":2}"#] {
        assert_refused(&put(body.as_bytes()), 400, &["INVALID_REQUEST_PARAMETER"]);
    }
    for list in [
        "",
        " ",
        "534",
        "534403123",
        "5344,",
        "5344 5403",
        "5344;5403",
        "53a4",
    ] {
        let answer = demo.put(&json!({"supportedAccountRange": list}));
        assert_refused(&answer, 400, &["INVALID_REQUEST_PARAMETER"]);
        assert_eq!(paths(&answer), ["supportedAccountRange"]);
    }
    let long = format!("https://demo.example/{}", "x".repeat(2_063));
    for url in [
        "demo.example",
        "/terms",
        "ftp://demo.example",
        "https://",
        &long,
    ] {
        let answer = demo.put(&json!({"privacyNoticeURL": url}));
        assert_eq!(paths(&answer), ["privacyNoticeURL"], "{url}");
    }
    let url = format!("  {}  ", &long[..2_083]);
    assert_eq!(demo.put(&json!({"privacyNoticeURL": url})).status, 200);
    let many: Value = (0..33)
        .map(|n| (format!("k{n}"), json!("x")))
        .collect::<serde_json::Map<_, _>>()
        .into();
    assert_eq!(
        paths(&demo.put(&json!({"preferredTheme": many}))),
        ["preferredTheme"]
    );
});

on_both!(own_theme_keys_are_limited_in_all, |backend: Backend| {
    let gateway = TestGateway::start(backend);
    let demo = Issuer::of(&gateway, "demo");
    for first in [0, 16] {
        let keys: serde_json::Map<_, _> = (first..first + 16)
            .map(|n| (format!("own{n}"), json!("x")))
            .collect();
        demo.changed(&json!({"preferredTheme": keys}));
    }
    let over = demo
        .put(&json!({"preferredTheme": {"one": "too many"}, "supportedAccountRange": "222300"}));
    assert_refused(&over, 400, &[TAKEN, "INVALID_REQUEST_PARAMETER"]);
    let known = demo.changed(&json!({"preferredTheme": {"own3": "y", "fontColor": "#000"}}));
    assert_eq!(known["preferredTheme"]["own3"], "y");
    assert_eq!(known["preferredTheme"].as_object().unwrap().len(), 48);
});

on_both!(ranges_are_first_come_first_served, |backend: Backend| {
    let gateway = TestGateway::start(backend);
    let (demo, compat) = (Issuer::of(&gateway, "demo"), Issuer::of(&gateway, "compat"));
    compat.changed(&json!({"supportedAccountRange": "5611"}));
    for range in [
        "5611",
        "56110",
        "222300",
        "2223",
        "22230012",
        "510665",
        "7777,5611",
    ] {
        let answer = demo.put(&json!({"supportedAccountRange": range}));
        assert_refused(&answer, 400, &[TAKEN]);
        assert_eq!(errors(&answer)[0].0, SERVICE);
    }
    assert_eq!(
        demo.profile()["supportedAccountRange"],
        "534403,518145,5424"
    );
    // What is its own already, or lies in its own, is no clash.
    let own = demo.changed(&json!({"supportedAccountRange": "5344,534403,5612"}));
    assert_eq!(own["supportedAccountRange"], "534403,518145,5424,5344,5612");
    // An issuer in another state keeps its ranges.
    gateway.set_issuer_status("compat", IssuerStatus::Terminated);
    assert_refused(
        &demo.put(&json!({"supportedAccountRange": "5611"})),
        400,
        &[TAKEN],
    );
});

on_both!(issuer_states_and_media_types, |backend: Backend| {
    let gateway = TestGateway::start(backend);
    let demo = Issuer::of(&gateway, "demo");
    for (status, code) in [
        (IssuerStatus::Inactive, "ACCOUNT_INACTIVE"),
        (IssuerStatus::Suspended, "ACCOUNT_SUSPENDED"),
        (IssuerStatus::Terminated, "ACCOUNT_TERMINATED"),
    ] {
        gateway.set_issuer_status("demo", status);
        assert_refused(&demo.get(), 401, &[code]);
        // The state comes before media type and body.
        let body = b"x".to_vec();
        assert_refused(&demo.client.send_to("PUT", &demo.url, body), 401, &[code]);
    }
    gateway.set_issuer_status("demo", IssuerStatus::Active);
    for content_type in ["text/plain", "application/xml", ""] {
        let body = br#"{"optOutURL":"https://demo.example"}"#;
        let authorization = demo.client.authorization("PUT", &demo.url, body);
        let headers = [
            ("Authorization", authorization.as_str()),
            ("Content-Type", content_type),
        ];
        let answer = send("PUT", &demo.url, &headers, body);
        assert_refused(&answer, 415, &["UNSUPPORTED_MEDIA_TYPE"]);
    }
    // No body: the missing body is the mistake, whatever the header says. GET needs no
    // Content-Type.
    let authorization = demo.client.authorization("PUT", &demo.url, b"");
    let answer = send("PUT", &demo.url, &[("Authorization", &authorization)], b"");
    assert_refused(&answer, 400, &["INVALID_REQUEST_PARAMETER"]);
    let authorization = demo.client.authorization("GET", &demo.url, b"");
    let answer = send("GET", &demo.url, &[("Authorization", &authorization)], b"");
    assert_eq!(answer.status, 200);
    assert_eq!(answer.clear.unwrap()["optOutURL"], "");

    gateway.remove_issuer("basic");
    let basic = Issuer::of(&gateway, "basic");
    assert_refused(&basic.get(), 404, &["SERVICE_PROVIDER_NOT_FOUND"]);
    assert_refused(&basic.put(&json!({})), 404, &["SERVICE_PROVIDER_NOT_FOUND"]);
});
