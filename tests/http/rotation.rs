//! Gateway keys rotate by editing the configuration under a gateway that serves.

mod deployment;
mod proof;

use crate::on_both;
use crate::support::gateway::{TestGateway, consumer_key, test_key};
use crate::support::http::send;
use crate::support::{Backend, Over, TestDatabase, until};
use deployment::{Deployment, published, reloads};
use issuer_gateway::client::identity::{Identity, KeyFiles};
use issuer_gateway::client::{Client, Operation, sample};
use issuer_gateway::keys::rotation;
use issuer_gateway::oauth1::SignatureMethod;
use issuer_gateway::payload::{EnvelopeKind, KeyKind};
use serde_json::Value;
use std::fs;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

fn client(gateway: &TestGateway, certificate: &Path) -> Client {
    let files = KeyFiles {
        consumer_key: &consumer_key("demo"),
        signing_key: &test_key("issuer-signing.pem"),
        gateway_certificate: certificate,
        decryption_key: Some(&test_key("issuer-encryption.pem")),
        tls_ca: None,
    };
    Client::new(Identity::from_files(gateway.base_url.clone(), &files).unwrap()).unwrap()
}

fn enrol(client: &Client) -> u16 {
    let clear = sample::enrolment("534403").to_string();
    let request = client.prepare(
        &Operation::Enrol,
        EnvelopeKind::Jwe,
        SignatureMethod::RsaSha256,
        clear.as_bytes(),
    );
    client.send(&request.unwrap()).unwrap().status
}

on_both!(a_rotation_drops_no_request, |backend: Backend| {
    let database = TestDatabase::new(backend);
    let deployment = Deployment::new(&database.url_text);
    let gateway = deployment.start();
    let old_certificate = deployment.path("gateway-cert.pem");
    let old = client(&gateway, &old_certificate);
    let done = AtomicBool::new(false);
    let answered = AtomicUsize::new(0);
    std::thread::scope(|scope| {
        let _over = Over(&done);
        for _ in 0..3 {
            scope.spawn(|| {
                let client = client(&gateway, &old_certificate);
                while !done.load(Ordering::Relaxed) {
                    assert_eq!(enrol(&client), 200);
                    answered.fetch_add(1, Ordering::Relaxed);
                }
            });
        }
        let before = published(&gateway);
        assert_eq!(before.len(), 1);
        let added = {
            let new = rotation::NewKey::Rsa(2_048);
            rotation::add_active(&deployment.file, &new, 90, chrono::Utc::now()).unwrap()
        };
        until("the new key is loaded", || published(&gateway).len() == 2);
        assert_eq!(published(&gateway)[0], before[0], "not primary yet");
        let certificate = added.replace(".pem", "-cert.pem");
        let new = client(&gateway, Path::new(&certificate));
        assert_eq!(enrol(&new), 200, "an active key opens");

        rotation::promote(&deployment.file, KeyKind::Rsa).unwrap();
        until("the new key is primary", || {
            published(&gateway)[0] != before[0]
        });
        assert_eq!((enrol(&new), enrol(&old)), (200, 200), "both open");
        let seen = answered.load(Ordering::Relaxed);
        until("requests go on", || {
            answered.load(Ordering::Relaxed) > seen + 5
        });
    });

    deployment.replace(r#"state = "active""#, r#"state = "disabled""#);
    until("the old key is out", || published(&gateway).len() == 1);
    assert_eq!(enrol(&old), 400, "a disabled key does not open");
    deployment.replace(r#"state = "disabled""#, r#"state = "active""#);
    until("the old key is back", || published(&gateway).len() == 2);
    assert_eq!(enrol(&old), 200);
    let text = deployment.text();
    assert!(text.contains("# in use since spring"), "{text}");
});

on_both!(
    a_broken_configuration_is_refused_and_the_old_one_serves,
    |backend: Backend| {
        let database = TestDatabase::new(backend);
        let deployment = Deployment::new(&database.url_text);
        let gateway = deployment.start();
        let old = client(&gateway, &deployment.path("gateway-cert.pem"));
        let failures = || reloads(&gateway, "failure");
        let good = deployment.text();
        fs::write(
            deployment.path("broken.pem"),
            "-----BEGIN PRIVATE KEY-----\nbroken\n-----END PRIVATE KEY-----\n",
        )
        .unwrap();
        let bad = [
            good.replace(r#"file = "gateway.pem""#, r#"file = "broken.pem""#),
            good.replace(r#"state = "primary""#, r#"state = "active""#),
            good.replace("[server]", "[server]\nunknown_setting = 1"),
            "not toml at all [".to_owned(),
        ];
        for (index, text) in bad.iter().enumerate() {
            fs::write(&deployment.file, text).unwrap();
            until("the failure is counted", || failures() > index);
            assert_eq!(enrol(&old), 200, "the last good state serves");
        }
        fs::write(
            &deployment.file,
            format!("{good}aliases = [\"since-then\"]\n"),
        )
        .unwrap();
        until("the mended file is taken up", || {
            let live = gateway.gateway.reloadable();
            live.keys.find(Some("since-then"), KeyKind::Rsa).is_some()
        });
    }
);

on_both!(a_swapped_symlink_is_noticed, |backend: Backend| {
    // How Kubernetes replaces a ConfigMap: the visible file is a link through `..data`, which is
    // renamed.
    let database = TestDatabase::new(backend);
    let deployment = Deployment::new(&database.url_text);
    let dir = deployment.dir.path();
    let good = deployment.text();
    for (version, text) in [
        ("v1", good.clone()),
        ("v2", format!("{good}aliases = [\"v2\"]\n")),
    ] {
        fs::create_dir(dir.join(version)).unwrap();
        fs::write(dir.join(version).join("gateway.toml"), text).unwrap();
    }
    fs::remove_file(&deployment.file).unwrap();
    std::os::unix::fs::symlink("v1", dir.join("..data")).unwrap();
    std::os::unix::fs::symlink("..data/gateway.toml", &deployment.file).unwrap();
    let gateway = deployment.start();
    std::os::unix::fs::symlink("v2", dir.join("..data_tmp")).unwrap();
    fs::rename(dir.join("..data_tmp"), dir.join("..data")).unwrap();
    until("the new version is in force", || {
        gateway
            .gateway
            .reloadable()
            .keys
            .find(Some("v2"), KeyKind::Rsa)
            .is_some()
    });
});

on_both!(
    the_key_set_is_what_clients_can_encrypt_to,
    |backend: Backend| {
        let gateway = TestGateway::start(backend);
        let url = format!("{}/.well-known/jwks.json", gateway.base_url);
        let set: Value = send("GET", &url, &[], b"").clear.unwrap();
        let key = &set["keys"][0];
        assert_eq!(
            (
                key["kty"].as_str(),
                key["use"].as_str(),
                key["alg"].as_str()
            ),
            (Some("RSA"), Some("enc"), Some("RSA-OAEP-256"))
        );
        assert!(key.get("d").is_none(), "no private member");
        let jwk = josekit::jwk::Jwk::from_map(key.as_object().unwrap().clone()).unwrap();
        let encrypter = josekit::jwe::RSA_OAEP_256.encrypter_from_jwk(&jwk).unwrap();
        let mut header = josekit::jwe::JweHeader::new();
        header.set_content_encryption("A256GCM");
        header.set_key_id(key["kid"].as_str().unwrap());
        let clear = sample::enrolment("534403").to_string();
        let token = josekit::jwe::serialize_compact(clear.as_bytes(), &header, &encrypter).unwrap();
        let answer = gateway
            .client("demo")
            .post(format!(r#"{{"encryptedData":"{token}"}}"#).as_bytes());
        assert_eq!(answer.status, 200, "{:?}", answer.clear);
    }
);
