//! Issuers' certificates that have ended or have not begun (spec decisions 17 and 22).

use crate::on_both;
use crate::support::Backend;
use crate::support::gateway::{
    TestClient, TestGateway, assert_refused, consumer_key, issuer_toml, test_key, user_id,
};
use chrono::Utc;
use issuer_gateway::client::{Operation, sample};
use issuer_gateway::expiry;
use issuer_gateway::issuers::validity::AHEAD;
use issuer_gateway::keys::source::read_private_key;
use issuer_gateway::payload::EnvelopeKind;
use openssl::asn1::Asn1Time;
use openssl::hash::MessageDigest;
use openssl::x509::{X509Builder, X509NameBuilder};
use std::path::{Path, PathBuf};

const MINUTE: i64 = 60;
const DAY: i64 = 24 * 60 * MINUTE;

/// A certificate of a test key, valid between these moments in seconds from now.
fn certificate(dir: &Path, key: &str, from: i64, to: i64) -> PathBuf {
    let private = read_private_key(&test_key(&format!("{key}.pem"))).unwrap();
    let at = |seconds: i64| Asn1Time::from_unix(Utc::now().timestamp() + seconds).unwrap();
    let mut name = X509NameBuilder::new().unwrap();
    name.append_entry_by_text("CN", key).unwrap();
    let name = name.build();
    let mut builder = X509Builder::new().unwrap();
    builder.set_subject_name(&name).unwrap();
    builder.set_issuer_name(&name).unwrap();
    builder.set_pubkey(&private).unwrap();
    builder.set_not_before(&at(from)).unwrap();
    builder.set_not_after(&at(to)).unwrap();
    builder.sign(&private, MessageDigest::sha256()).unwrap();
    let file = dir.join(format!("{key} {from} {to}.pem"));
    std::fs::write(&file, builder.build().to_pem().unwrap()).unwrap();
    file
}

/// `demo` with these certificates, in seconds from now, and further lines.
fn toml(dir: &Path, signing: (i64, i64), encryption: (i64, i64), lines: &str) -> String {
    let signing = certificate(dir, "issuer-signing", signing.0, signing.1);
    let encryption = certificate(dir, "issuer-encryption", encryption.0, encryption.1);
    format!(
        "{}{lines}\n[[issuer.signing]]\nconsumer_key = \"{}\"\ncertificate = {signing:?}\n\
         [[issuer.encryption]]\ncertificate = {encryption:?}\n",
        issuer_toml("demo", &["534403"], true),
        consumer_key("demo"),
    )
}

const VALID: (i64, i64) = (-10 * DAY, 100 * DAY);

#[track_caller]
fn assert_enrols(client: &TestClient) -> String {
    user_id(&client.enrol(&sample::enrolment("534403")))
}

#[track_caller]
fn assert_not_proven(client: &TestClient) {
    let answer = client.enrol(&sample::enrolment("534403"));
    assert_refused(&answer, 401, &["AUTHENTICATION_FAILED"]);
}

on_both!(
    signatures_count_while_their_certificate_is_valid,
    |backend: Backend| {
        let dir = tempfile::tempdir().unwrap();
        let dir = dir.path();
        let gateway = TestGateway::start_declaring(backend, &toml(dir, VALID, VALID, ""));
        let client = gateway.client("demo");
        assert_enrols(&client);

        let ended = (-10 * DAY, -MINUTE);
        gateway.apply_issuers(&toml(dir, ended, VALID, ""));
        assert_not_proven(&client);
        gateway.apply_issuers(&toml(dir, ended, VALID, "accept_expired_signing = true"));
        assert_enrols(&client);

        // Clocks differ: five minutes of tolerance at the beginning, and none for what has yet to
        // come.
        gateway.apply_issuers(&toml(dir, (4 * MINUTE, DAY), VALID, ""));
        assert_enrols(&client);
        let to_come = (10 * MINUTE, DAY);
        gateway.apply_issuers(&toml(dir, to_come, VALID, "accept_expired_signing = true"));
        assert_not_proven(&client);

        // Beside one that has ended another one counts, as in a rotation.
        let both = toml(dir, ended, VALID, "");
        let second = certificate(dir, "issuer-signing", VALID.0, VALID.1);
        let both = format!(
            "{both}[[issuer.signing]]\nconsumer_key = \"{}\"\ncertificate = {second:?}\n",
            consumer_key("demo")
        );
        gateway.apply_issuers(&both);
        assert_enrols(&client);
    }
);

on_both!(
    an_answer_that_cannot_be_encrypted_is_refused_before_anything_is_stored,
    |backend: Backend| {
        let dir = tempfile::tempdir().unwrap();
        let dir = dir.path();
        let gateway = TestGateway::start_declaring(backend, &toml(dir, VALID, VALID, ""));
        let client = gateway.client("demo");
        let user = assert_enrols(&client);
        let database = gateway.database.as_ref().unwrap();
        let before = (database.count("users"), database.count("cards"));
        for dates in [(-10 * DAY, -MINUTE), (10 * MINUTE, DAY)] {
            gateway.apply_issuers(&toml(dir, VALID, dates, ""));
            for envelope in [EnvelopeKind::Jwe, EnvelopeKind::FieldLevel] {
                let card = sample::enrolment("534403");
                let answer = client.send(&client.prepare_in(envelope, &Operation::Enrol, &card));
                assert_refused(&answer, 400, &["NO_VALID_ENCRYPTION_CERTIFICATE"]);
            }
            let answer = client.update(&user, &sample::update());
            assert_refused(&answer, 400, &["NO_VALID_ENCRYPTION_CERTIFICATE"]);
        }
        assert_eq!((database.count("users"), database.count("cards")), before);
        let refused =
            "SELECT count(*) AS n FROM audit_entries WHERE reason = 'no-encryption-certificate'";
        assert_eq!(database.number(refused), 6);
        // Five minutes before its beginning a certificate is used already; answers in clear need
        // none.
        gateway.apply_issuers(&toml(dir, VALID, (4 * MINUTE, DAY), ""));
        assert_enrols(&client);
        let clear = toml(
            dir,
            VALID,
            (-10 * DAY, -MINUTE),
            "responses = \"dashboards-only\"",
        );
        gateway.apply_issuers(&clear);
        assert_enrols(&client);
    }
);

on_both!(what_ends_or_has_not_begun_is_named, |backend: Backend| {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    let (soon, to_come) = ((-DAY, 7 * DAY + MINUTE), (DAY, 400 * DAY));
    let gateway = TestGateway::start_declaring(backend, &toml(dir, soon, to_come, ""));
    let now = Utc::now();
    let all = expiry::all(&gateway.gateway, now);
    let of = |kind: &str| {
        let mut found = all.iter().filter(|expiry| expiry.kind == kind);
        let one = found.next().unwrap();
        assert!(found.next().is_none() && one.name.starts_with("demo "));
        one
    };
    let signing = of("issuer-signing");
    assert!(signing.at - now < AHEAD && signing.from.is_none());
    let encryption = of("issuer-encryption");
    assert!(encryption.from.is_some_and(|from| from > now));
    expiry::report(&gateway.gateway, now);
    let metrics = gateway.gateway.metrics.render();
    let line = |metric: &str, kind: &str| {
        let start = format!("{metric}{{kind=\"{kind}\",name=\"demo ");
        let found = metrics.lines().find(|line| line.starts_with(&start));
        let value = found.unwrap().rsplit(' ').next().unwrap();
        value.parse::<i64>().unwrap()
    };
    assert_eq!(
        line("issuer_gateway_expires_seconds", "issuer-signing") / DAY,
        7
    );
    let begins = line("issuer_gateway_begins_seconds", "issuer-encryption");
    assert!((1..=DAY).contains(&begins), "{begins}");

    // Of several the last to end counts, and who is off board has none.
    let longer = certificate(dir, "issuer-signing", -DAY, 300 * DAY);
    let both = format!(
        "{}[[issuer.signing]]\nconsumer_key = \"{}\"\ncertificate = {longer:?}\n",
        toml(dir, soon, VALID, ""),
        consumer_key("demo")
    );
    gateway.apply_issuers(&both);
    let all = expiry::all(&gateway.gateway, now);
    let signing: Vec<_> = all.iter().filter(|e| e.kind == "issuer-signing").collect();
    assert_eq!(signing.len(), 1);
    assert!(signing[0].at - now > AHEAD);
    gateway.remove_issuer("demo");
    let all = expiry::all(&gateway.gateway, now);
    assert!(all.iter().all(|expiry| expiry.kind == "gateway-key"));
});
