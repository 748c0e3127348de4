//! The calls that are made: each carries marks, and most are refused.

use super::cardholders::{NO_OBJECTS, broken, enrolment, update};
use super::search::Secret;
use super::{Scene, client};
use crate::support::gateway::user_id;
use crate::support::wire::Wire;
use issuer_gateway::client::{Operation, Prepared};
use issuer_gateway::ids::CardholderId;
use issuer_gateway::oauth1::SignatureMethod::RsaSha256;
use issuer_gateway::payload::EnvelopeKind::{FieldLevel, Jwe};
use serde_json::Value;

pub(super) fn enrolled_and_updated(scene: &mut Scene) -> CardholderId {
    let first = enrolment("one");
    let (status, answer) = scene.call(Jwe, &Operation::Enrol, &first);
    assert_eq!(status, 200, "{answer}");
    let id = CardholderId::parse(&user_id(scene.answers.last().unwrap())).unwrap();
    assert_eq!(
        scene
            .call(FieldLevel, &Operation::Enrol, &enrolment("two"))
            .0,
        200
    );
    assert_eq!(
        scene
            .call(Jwe, &Operation::Update(id.clone()), &update("three"))
            .0,
        200
    );
    assert_eq!(
        scene
            .call(FieldLevel, &Operation::Update(id.clone()), &update("four"))
            .0,
        200
    );
    // Refused by the database.
    let (_, answer) = scene.call(Jwe, &Operation::Enrol, &first);
    assert_eq!(
        answer["Errors"]["Error"][0]["ReasonCode"],
        "USER_ALREADY_EXISTS"
    );
    id
}

pub(super) fn refused_by_rules(scene: &mut Scene, id: &CardholderId) {
    for payload in broken() {
        let (status, answer) = scene.call(Jwe, &Operation::Enrol, &payload);
        assert!(
            status == 400 || payload.get("canaryMemberName").is_some(),
            "{status} {answer} {payload}"
        );
        let mut changed = update("broken");
        changed["phoneNumber"] = "canary-no-phone".into();
        changed["name"] = payload["name"].clone();
        assert_eq!(
            scene
                .call(FieldLevel, &Operation::Update(id.clone()), &changed)
                .0,
            400
        );
    }
    for text in NO_OBJECTS {
        scene.secrets.push(Secret::value(text, text));
        for envelope in [Jwe, FieldLevel] {
            let request = scene.prepare(envelope, &Operation::Enrol, text);
            assert_eq!(scene.send(&request).0, 400);
        }
    }
}

pub(super) fn refused_by_cryptography(scene: &mut Scene) {
    let clear = enrolment("sealed").to_string();
    let jwe = scene.prepare(Jwe, &Operation::Enrol, &clear);
    let body: Value = serde_json::from_slice(&jwe.body).unwrap();
    let segments: Vec<&str> = body["encryptedData"].as_str().unwrap().split('.').collect();
    let with = |index: usize, segment: &str| {
        let mut changed = segments.clone();
        changed[index] = segment;
        serde_json::json!({"encryptedData": changed.join(".")}).to_string()
    };
    let foreign_kid = base64::Engine::encode(
        &base64::engine::general_purpose::URL_SAFE_NO_PAD,
        r#"{"alg":"RSA-OAEP-256","enc":"A256GCM","kid":"canaryForeignKid"}"#,
    );
    scene.secrets.push(Secret::value("kid", "canaryForeignKid"));
    for (index, segment) in [
        (0, foreign_kid.as_str()),
        (1, &segments[1].replace(['A', 'B', 'C'], "D")),
        (2, "Y2FuYXJ5SXY"),
        (3, &segments[3].replace(['A', 'B', 'C'], "D")),
        (4, "Y2FuYXJ5VGFnQ2FuYXJ5VA"),
    ] {
        let request = scene.sign(&with(index, segment));
        scene.expect(&request, 400, "CRYPTO_ERROR");
    }

    let sealed = scene.prepare(FieldLevel, &Operation::Enrol, &clear);
    let body: Value = serde_json::from_slice(&sealed.body).unwrap();
    for member in [
        "encryptedKey",
        "encryptedData",
        "iv",
        "oaepHashingAlgorithm",
        "publicKeyFingerprint",
    ] {
        let mut changed = body.clone();
        if changed.get(member).is_some() {
            changed[member] = "ca7a4105ec4e7ca7a4105ec4e7ca7a41".into();
            let request = scene.sign(&changed.to_string());
            assert_eq!(scene.send(&request).0, 400, "{member}");
        }
    }
    let junk = r#"{"canaryJunkMember": "canaryJunkValue", "encryptedData": "canaryJunkToken"}"#;
    for text in ["canaryJunkMember", "canaryJunkValue", "canaryJunkToken"] {
        scene.secrets.push(Secret::value(text, text));
    }
    let request = scene.sign(junk);
    assert_eq!(scene.send(&request).0, 400);
}

pub(super) fn refused_by_signature(scene: &mut Scene) {
    let clear = enrolment("signed").to_string();
    let good = scene.prepare(Jwe, &Operation::Enrol, &clear);
    assert_eq!(scene.send(&good).0, 200);
    scene.expect(&good, 401, "AUTHENTICATION_FAILED");

    let fresh = scene.prepare(Jwe, &Operation::Enrol, &clear);
    let mut changed = Vec::new();
    let signature = fresh
        .authorization
        .split("oauth_signature=\"")
        .nth(1)
        .unwrap();
    changed.push(
        fresh
            .authorization
            .replace(signature, &signature.to_lowercase()),
    );
    changed.push(fresh.authorization.replace("RSA-SHA256", "CANARY-METHOD"));
    changed.push(fresh.authorization.replace(
        "oauth_version=",
        "canaryParameter=\"canaryParameterValue\", oauth_version=",
    ));
    changed.push("Bearer canaryBearerToken77317731".to_owned());
    changed.push("OAuth canaryNoParameter77317731".to_owned());
    for name in [
        "CANARY-METHOD",
        "canaryParameter",
        "canaryBearerToken77317731",
        "canaryNoParameter77317731",
    ] {
        scene.secrets.push(Secret::value(name, name));
    }
    for authorization in changed {
        let request = Prepared {
            authorization,
            body: fresh.body.clone(),
            ..scene.sign("")
        };
        scene.expect(&request, 401, "AUTHENTICATION_FAILED");
    }
    let request = Prepared {
        body: b"{\"canaryOtherBody\":1}".to_vec(),
        ..scene.sign("{}")
    };
    scene.expect(&request, 400, "INVALID_BODY_HASH");

    // Nobody's consumer key, and one of another client.
    let unknown = "canaryClientId7731!canaryConsumerKey7731";
    scene
        .secrets
        .push(Secret::value("foreign consumer key", unknown));
    let stranger = client(&scene.base_url, unknown, scene.tls_ca.as_deref());
    let request = stranger
        .prepare(&Operation::Enrol, Jwe, RsaSha256, clear.as_bytes())
        .unwrap();
    scene.expect(&request, 401, "AUTHENTICATION_FAILED");
}

/// Paths, queries, methods and headers that carry marks.
pub(super) fn odd_requests(scene: &mut Scene) {
    let marks = [
        "canaryPath7731",
        "canaryQuery7731",
        "CANARYVERB7731",
        "canaryHeader7731",
        "canaryCookie7731",
        "canaryAgent7731",
        "canaryLength7731",
        "canaryCoding7731",
        "canaryType7731",
    ];
    scene
        .secrets
        .extend(marks.map(|mark| Secret::value(mark, mark)));
    for (method, path) in [
        ("PUT", "/issuers/users/canaryPath7731"),
        ("POST", "/canaryPath7731?a=canaryQuery7731"),
        ("POST", "/issuers/users?a=canaryQuery7731"),
    ] {
        let request = Prepared {
            method,
            url: format!("{}{path}", scene.base_url),
            ..scene.sign("{}")
        };
        assert!(scene.send(&request).0 >= 400);
    }
    if scene.tls_ca.is_none() {
        for head in [
            "CANARYVERB7731 /issuers/users HTTP/1.1\r\nHost: a\r\nCookie: canaryCookie7731\r\nUser-Agent: canaryAgent7731\r\n",
            "POST /issuers/users HTTP/1.1\r\nHost: a\r\nX-Canary: canaryHeader7731\r\nContent-Type: canaryType7731\r\n",
            "POST /issuers/users HTTP/1.1\r\nHost: a\r\nContent-Length: canaryLength7731\r\n",
            "POST /issuers/users HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: canaryCoding7731\r\n",
            "POST /canaryPath7731\u{1} HTTP/1.1\r\ncanaryHeader7731\r\n",
        ] {
            let mut wire = Wire::connect(&scene.base_url);
            wire.send(format!("{head}\r\n").as_bytes());
            let answer = wire.read("POST").expect("an answer");
            assert!(answer.status >= 400);
        }
    }
}
