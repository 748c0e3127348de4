//! A test for each row of the error catalogue that enrol and update can return (cce-api.md,
//! sections 4 and 5), and for the order in which they are checked.

use crate::on_both;
use crate::support::Backend;
use crate::support::gateway::{TestGateway, assert_refused, errors, user_id};
use crate::support::http::send;
use issuer_gateway::client::{Operation, sample};
use issuer_gateway::ids::CardholderId;
use issuer_gateway::issuers::IssuerStatus;
use issuer_gateway::oauth1::SignatureMethod;
use issuer_gateway::store::cardholders::CardholderStatus;
use serde_json::{Value, json};

const SERVICE: &str = "CARBON CALCULATOR EXPERIENCE";
const GATEWAY: &str = "Gateway";

fn details(answer: &issuer_gateway::client::Answered) -> Vec<String> {
    errors(answer)
        .into_iter()
        .map(|(_, _, _, details)| details.as_str().unwrap().to_owned())
        .collect()
}

/// A valid enrolment with one member changed.
fn with(pointer: &str, value: Value) -> Value {
    let mut enrolment = sample::enrolment("534403");
    *enrolment.pointer_mut(pointer).unwrap() = value;
    enrolment
}

on_both!(enrol_answers_a_user_reference, |backend: Backend| {
    let gateway = TestGateway::start(backend);
    let enrolment = sample::enrolment("534403");
    let answer = gateway.client("demo").enrol(&enrolment);
    let clear = answer.clear.clone().unwrap();
    let card = enrolment["cardNumber"].as_str().unwrap();
    assert_eq!(answer.status, 200, "{clear}");
    assert_eq!(clear["cardNumberLastFourDigits"], card[12..]);
    assert_eq!(clear["status"], "ACTIVE");
    assert!(CardholderId::parse(clear["userid"].as_str().unwrap()).is_some());
    assert_eq!(clear.as_object().unwrap().len(), 3);
});

on_both!(
    every_violation_is_reported_at_once_by_field_and_rule,
    |backend: Backend| {
        let gateway = TestGateway::start(backend);
        let broken = json!({
            "email": {"type": "home", "value": "no-address"},
            "name": {"firstName": "J@ne"},
            "cardholderName": "Jane_Sample",
            "cardNumber": "22230064488425200",
            "cardBaseCurrency": "US",
            "expiryInfo": {"month": "13", "year": "2039"},
            "billingAddress": {"countryCode": "USA", "type": "home", "postalCode": "00-950", "line1": "ab"},
        });
        let answer = gateway.client("demo").enrol(&broken);
        assert_eq!(answer.status, 400);
        let all = errors(&answer);
        for (source, code, recoverable, details) in &all {
            assert_eq!(
                (source.as_str(), code.as_str(), *recoverable),
                (SERVICE, "INVALID_REQUEST_PARAMETER", false)
            );
            let details = details.as_str().unwrap();
            for sent in [
                "no-address",
                "J@ne",
                "Jane_Sample",
                "22230064488425200",
                "00-950",
            ] {
                assert!(!details.contains(sent), "{details} repeats what was sent");
            }
        }
        let fields: Vec<String> = details(&answer)
            .iter()
            .map(|text| text.split(':').next().unwrap().to_owned())
            .collect();
        let expected = [
            "email.value",
            "name.firstName",
            "name.lastName",
            "cardholderName",
            "cardNumber",
            "cardBaseCurrency",
            "expiryInfo.month",
            "billingAddress.postalCode",
            "billingAddress.line1",
            "locale",
        ];
        let mut sorted = fields.clone();
        sorted.sort();
        let mut wanted = expected.to_vec();
        wanted.sort_unstable();
        assert_eq!(sorted, wanted);
    }
);

on_both!(
    each_field_rule_of_enrol_has_its_answer,
    |backend: Backend| {
        let gateway = TestGateway::start(backend);
        let client = gateway.client("demo");
        let expired = json!({"month": "01", "year": "2020"});
        let cases = [
            (
                "/email/value",
                json!("x@y"),
                "INVALID_REQUEST_PARAMETER",
                "email.value",
            ),
            (
                "/email",
                json!("jane@example.com"),
                "INVALID_REQUEST_PARAMETER",
                "email",
            ),
            (
                "/name/firstName",
                json!("Jane;"),
                "INVALID_REQUEST_PARAMETER",
                "name.firstName",
            ),
            (
                "/name/lastName",
                json!("444555454"),
                "INVALID_REQUEST_PARAMETER",
                "name.lastName",
            ),
            (
                "/cardholderName",
                json!("Jane#Sample"),
                "INVALID_REQUEST_PARAMETER",
                "cardholderName",
            ),
            (
                "/cardNumber",
                json!("22230064488425200"),
                "INVALID_REQUEST_PARAMETER",
                "cardNumber",
            ),
            (
                "/cardNumber",
                json!(5_344_035_171_224_363_u64),
                "INVALID_REQUEST_PARAMETER",
                "cardNumber",
            ),
            (
                "/cardNumber",
                json!("5344035171224364"),
                "INVALID_FPAN",
                "cardNumber",
            ),
            (
                "/cardNumber",
                json!("2223006448842520"),
                "INVALID_FPAN",
                "cardNumber",
            ),
            (
                "/cardBaseCurrency",
                json!("ZZZ"),
                "UNSUPPORTED_CURRENCY",
                "cardBaseCurrency",
            ),
            (
                "/expiryInfo",
                expired,
                "INVALID_REQUEST_PARAMETER",
                "expiryInfo",
            ),
            (
                "/billingAddress/countryCode",
                json!("ZZZ"),
                "INVALID_REQUEST_PARAMETER",
                "billingAddress.countryCode",
            ),
            (
                "/billingAddress/postalCode",
                json!("   "),
                "INVALID_REQUEST_PARAMETER",
                "billingAddress.postalCode",
            ),
            ("/locale", json!(""), "INVALID_REQUEST_PARAMETER", "locale"),
        ];
        for (pointer, value, code, field) in cases {
            let answer = client.enrol(&with(pointer, value));
            assert_refused(&answer, 400, &[code]);
            assert!(
                details(&answer)[0].starts_with(field),
                "{:?} names {field}",
                details(&answer)
            );
        }
    }
);

on_both!(
    donation_decides_which_fields_are_mandatory,
    |backend: Backend| {
        let gateway = TestGateway::start(backend);
        let only_required = |prefix: &str| {
            let mut enrolment = sample::enrolment(prefix);
            for optional in ["name", "billingAddress", "locale"] {
                enrolment.as_object_mut().unwrap().remove(optional);
            }
            enrolment
        };
        assert_eq!(
            gateway
                .client("basic")
                .enrol(&only_required("510665"))
                .status,
            200
        );
        let refused = gateway.client("demo").enrol(&only_required("534403"));
        assert_refused(&refused, 400, &["INVALID_REQUEST_PARAMETER"; 3]);
        let mut without_email = only_required("510665");
        without_email.as_object_mut().unwrap().remove("email");
        assert_refused(
            &gateway.client("basic").enrol(&without_email),
            400,
            &["INVALID_REQUEST_PARAMETER"],
        );
    }
);

on_both!(a_card_enrols_once, |backend: Backend| {
    let gateway = TestGateway::start(backend);
    let client = gateway.client("demo");
    let enrolment = sample::enrolment("534403");
    assert_eq!(client.enrol(&enrolment).status, 200);
    let answer = client.enrol(&enrolment);
    assert_refused(&answer, 400, &["USER_ALREADY_EXISTS"]);
    assert_eq!(errors(&answer)[0].0, SERVICE);
});

on_both!(
    the_envelope_is_checked_field_by_field,
    |backend: Backend| {
        let gateway = TestGateway::start(backend);
        let client = gateway.client("demo");
        let cases: [(Value, &[&str]); 5] = [
            (json!({}), &["encryptedData"]),
            (sample::enrolment("534403"), &["encryptedData"]),
            (
                json!({"encryptedData": "a".repeat(127)}),
                &["encryptedData"],
            ),
            (
                json!({"encryptedData": "a".repeat(54_001)}),
                &["encryptedData"],
            ),
            (json!({"encryptedData": 7}), &["encryptedData"]),
        ];
        for (body, fields) in cases {
            let answer = client.post(body.to_string().as_bytes());
            assert_eq!(answer.status, 400);
            for field in fields {
                assert!(
                    details(&answer).iter().any(|text| text.starts_with(field)),
                    "{:?} names {field}",
                    details(&answer)
                );
            }
            assert!(
                errors(&answer)
                    .iter()
                    .all(|(source, code, ..)| source == SERVICE
                        && code == "INVALID_REQUEST_PARAMETER")
            );
        }
        assert_refused(&client.post(b""), 400, &["INVALID_REQUEST_PARAMETER"]);
        assert_refused(&client.post(b"[]"), 400, &["INVALID_REQUEST_PARAMETER"]);
        assert_refused(
            &client.post(br#"{"encryptedData":"x","encryptedData":"y"}"#),
            400,
            &["INVALID_REQUEST_PARAMETER"],
        );
    }
);

on_both!(issuer_states_refuse_both_operations, |backend: Backend| {
    let gateway = TestGateway::start(backend);
    let client = gateway.client("demo");
    let id = user_id(&client.enrol(&sample::enrolment("534403")));
    for (status, code) in [
        (IssuerStatus::Inactive, "ACCOUNT_INACTIVE"),
        (IssuerStatus::Suspended, "ACCOUNT_SUSPENDED"),
        (IssuerStatus::Terminated, "ACCOUNT_TERMINATED"),
    ] {
        gateway.set_issuer_status("demo", status);
        assert_refused(&client.enrol(&sample::enrolment("534403")), 401, &[code]);
        assert_refused(&client.update(&id, &sample::update()), 401, &[code]);
    }
    gateway.set_issuer_status("demo", IssuerStatus::Active);
    assert_eq!(client.update(&id, &sample::update()).status, 200);
});

on_both!(a_removed_issuer_is_not_found, |backend: Backend| {
    let gateway = TestGateway::start(backend);
    gateway.remove_issuer("demo");
    let client = gateway.client("demo");
    assert_refused(
        &client.enrol(&sample::enrolment("534403")),
        404,
        &["SERVICE_PROVIDER_NOT_FOUND"],
    );
    let id = CardholderId::random();
    assert_refused(
        &client.update(id.as_str(), &sample::update()),
        404,
        &["SERVICE_PROVIDER_NOT_FOUND"],
    );
});

on_both!(only_json_is_taken, |backend: Backend| {
    let gateway = TestGateway::start(backend);
    let client = gateway.client("demo");
    let id = user_id(&client.enrol(&sample::enrolment("534403")));
    for operation in [
        Operation::Enrol,
        Operation::Update(CardholderId::parse(&id).unwrap()),
    ] {
        for content_type in ["text/plain", "application/xml", "application/jsonp", ""] {
            let request = client.prepare(&operation, &sample::enrolment("534403"));
            let headers = [
                ("Authorization", request.authorization.as_str()),
                ("Content-Type", content_type),
            ];
            let answer = send(request.method, &request.url, &headers, &request.body);
            assert_refused(&answer, 415, &["UNSUPPORTED_MEDIA_TYPE"]);
        }
        for content_type in [
            "application/json",
            "application/json;charset=UTF-8",
            "Application/JSON ; charset=utf-8",
        ] {
            let request = client.prepare(&operation, &json!({}));
            let headers = [
                ("Authorization", request.authorization.as_str()),
                ("Content-Type", content_type),
            ];
            let answer = send(request.method, &request.url, &headers, &request.body);
            assert_eq!(
                answer.status, 400,
                "{content_type} is JSON: the rules are what refuses"
            );
        }
    }
});

on_both!(what_does_not_open_is_a_crypto_error, |backend: Backend| {
    let gateway = TestGateway::start(backend);
    let client = gateway.client("demo");
    let id = user_id(&client.enrol(&sample::enrolment("534403")));
    let garbage = json!({"encryptedData": format!("{}.a.b.c.d", "e".repeat(200))}).to_string();
    let answer = client.post(garbage.as_bytes());
    assert_refused(&answer, 400, &["CRYPTO_ERROR"]);
    assert_eq!(
        errors(&answer)[0],
        (
            SERVICE.to_owned(),
            "CRYPTO_ERROR".to_owned(),
            false,
            json!("")
        )
    );
    let update = Operation::Update(CardholderId::parse(&id).unwrap());
    let request = client
        .client
        .sign(&update, SignatureMethod::RsaSha256, garbage.into_bytes())
        .unwrap();
    assert_refused(&client.send(&request), 400, &["CRYPTO_ERROR"]);
});

on_both!(
    signature_errors_come_from_the_gateway,
    |backend: Backend| {
        let gateway = TestGateway::start(backend);
        let client = gateway.client("demo");
        let mut request = client.prepare(&Operation::Enrol, &sample::enrolment("534403"));
        request.body.push(b' ');
        let answer = client.send(&request);
        assert_refused(&answer, 400, &["INVALID_BODY_HASH"]);
        assert_eq!(
            errors(&answer)[0],
            (
                GATEWAY.to_owned(),
                "INVALID_BODY_HASH".to_owned(),
                false,
                json!("oauth_body_hash: must be the SHA-256 of the body as sent, in base64")
            )
        );

        let mut request = client.prepare(&Operation::Enrol, &sample::enrolment("534403"));
        request.authorization = request
            .authorization
            .replace("oauth_nonce=\"", "oauth_nonce=\"x");
        let answer = client.send(&request);
        assert_refused(&answer, 401, &["AUTHENTICATION_FAILED"]);
        assert_eq!(errors(&answer)[0].0, GATEWAY);
    }
);

on_both!(
    update_is_closed_while_donation_is_off,
    |backend: Backend| {
        let gateway = TestGateway::start(backend);
        let client = gateway.client("basic");
        let id = user_id(&client.enrol(&sample::enrolment("510665")));
        assert_refused(
            &client.update(&id, &sample::update()),
            401,
            &["UPDATE_USER_NOT_ACCESSIBLE"],
        );
    }
);

on_both!(update_finds_only_its_own_users, |backend: Backend| {
    let gateway = TestGateway::start(backend);
    let id = user_id(&gateway.client("compat").enrol(&sample::enrolment("222300")));
    let foreign = gateway.client("demo").update(&id, &sample::update());
    let missing = gateway
        .client("demo")
        .update(CardholderId::random().as_str(), &sample::update());
    assert_refused(&foreign, 404, &["USER_NOT_FOUND"]);
    assert_eq!(
        foreign.body, missing.body,
        "another issuer's user looks like a missing one"
    );
    assert_eq!(
        gateway
            .client("compat")
            .update(&id.to_uppercase(), &sample::update())
            .status,
        200
    );
});

on_both!(user_states_refuse_updates, |backend: Backend| {
    let gateway = TestGateway::start_without_erasure(backend);
    let client = gateway.client("demo");
    let id = user_id(&client.enrol(&sample::enrolment("534403")));
    for (status, http, code) in [
        (CardholderStatus::Inactive, 401, "USER_INACTIVE"),
        (
            CardholderStatus::Terminating,
            401,
            "USER_TERMINATE_IN_PROGRESS",
        ),
        (CardholderStatus::Deleted, 404, "USER_NOT_FOUND"),
    ] {
        gateway.set_user_status("demo", &id, status);
        assert_refused(&client.update(&id, &sample::update()), http, &[code]);
    }
    gateway.set_user_status("demo", &id, CardholderStatus::Active);
    assert_eq!(client.update(&id, &sample::update()).status, 200);
});

on_both!(the_user_id_in_the_path_has_a_form, |backend: Backend| {
    let gateway = TestGateway::start(backend);
    let client = gateway.client("demo");
    for id in [
        "c8b38606-12b2-43c6-a641-be8eb0ab9dec12",
        "short",
        "g8b38606-12b2-43c6-a641-be8eb0ab9dec",
    ] {
        let url = format!("{}/issuers/users/{id}", gateway.base_url);
        let body = client.prepare(&Operation::Enrol, &sample::update()).body;
        let answer = client.send_to("PUT", &url, body);
        assert_refused(&answer, 400, &["INVALID_REQUEST_PARAMETER"]);
        assert!(details(&answer)[0].starts_with("userid"));
    }
});

on_both!(
    each_field_rule_of_update_has_its_answer,
    |backend: Backend| {
        let gateway = TestGateway::start(backend);
        let client = gateway.client("demo");
        let id = user_id(&client.enrol(&sample::enrolment("534403")));
        let cases = [
            (json!({}), vec!["name", "locale"]),
            (
                json!({"name": {"firstName": "Jane", "lastName": "444555454"}, "locale": "en-US"}),
                vec!["name.lastName"],
            ),
            (
                json!({"name": {"firstName": "Jane", "lastName": "Doe"}, "locale": "en-US", "billingAddress": {"type": "home"}}),
                vec!["billingAddress.countryCode"],
            ),
            (
                json!({"name": {"firstName": "Jane", "lastName": "Doe"}, "locale": "en-US", "phoneNumber": "0151"}),
                vec!["phoneNumber"],
            ),
            (
                json!({"name": {"firstName": "Jane", "lastName": "Doe"}, "locale": "en-US", "email": {"value": "x"}}),
                vec!["email.value"],
            ),
        ];
        for (update, fields) in cases {
            let answer = client.update(&id, &update);
            assert_refused(
                &answer,
                400,
                &vec!["INVALID_REQUEST_PARAMETER"; fields.len()],
            );
            let mut named: Vec<String> = details(&answer)
                .iter()
                .map(|text| text.split(':').next().unwrap().to_owned())
                .collect();
            named.sort();
            let mut wanted = fields.clone();
            wanted.sort_unstable();
            assert_eq!(named, wanted);
        }
    }
);

on_both!(checks_come_in_the_documented_order, |backend: Backend| {
    // signature, issuer state, media type, donation, path id, user, user state, envelope,
    // decryption, rules.
    let gateway = TestGateway::start(backend);
    let client = gateway.client("basic");
    let bad_path = format!("{}/issuers/users/short", gateway.base_url);
    let put = |url: &str, content_type: &str, body: &[u8]| {
        let authorization = client.authorization("PUT", url, body);
        send(
            "PUT",
            url,
            &[
                ("Authorization", &authorization),
                ("Content-Type", content_type),
            ],
            body,
        )
    };
    let unsigned = send("PUT", &bad_path, &[("Content-Type", "text/plain")], b"x");
    assert_refused(&unsigned, 401, &["AUTHENTICATION_FAILED"]);
    gateway.set_issuer_status("basic", IssuerStatus::Suspended);
    assert_refused(
        &put(&bad_path, "text/plain", b"x"),
        401,
        &["ACCOUNT_SUSPENDED"],
    );
    gateway.set_issuer_status("basic", IssuerStatus::Active);
    assert_refused(
        &put(&bad_path, "text/plain", b"x"),
        415,
        &["UNSUPPORTED_MEDIA_TYPE"],
    );
    assert_refused(
        &put(&bad_path, "application/json", b"x"),
        401,
        &["UPDATE_USER_NOT_ACCESSIBLE"],
    );

    let client = gateway.client("demo");
    let id = user_id(&client.enrol(&sample::enrolment("534403")));
    let put = |url: &str, body: &[u8]| client.send_to("PUT", url, body.to_vec());
    let path = |id: &str| format!("{}/issuers/users/{id}", gateway.base_url);
    assert_refused(&put(&bad_path, b"x"), 400, &["INVALID_REQUEST_PARAMETER"]);
    assert_refused(
        &put(&path(CardholderId::random().as_str()), b"x"),
        404,
        &["USER_NOT_FOUND"],
    );
    gateway.set_user_status("demo", &id, CardholderStatus::Inactive);
    assert_refused(&put(&path(&id), b"x"), 401, &["USER_INACTIVE"]);
    gateway.set_user_status("demo", &id, CardholderStatus::Active);
    assert_refused(&put(&path(&id), b"x"), 400, &["INVALID_REQUEST_PARAMETER"]);
});
