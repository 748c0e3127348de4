//! `serve`: TLS, signals, and a process that dies in the middle of its work.

use crate::config_file::ready;
use crate::on_both;
use crate::process::{Output, Running, run_with, text, write};
use crate::support::gateway::{ISSUERS, TestClient, consumer_key, test_key, user_id};
use crate::support::{Backend, TestDatabase};
use issuer_gateway::client::{Operation, sample};
use openssl::asn1::Asn1Time;
use openssl::hash::MessageDigest;
use openssl::pkey::PKey;
use openssl::rsa::Rsa;
use openssl::x509::extension::SubjectAlternativeName;
use openssl::x509::{X509, X509Name};
use std::path::{Path, PathBuf};
use std::sync::Mutex;

/// A TLS certificate for 127.0.0.1 and its key.
pub(crate) fn tls_files(dir: &Path) -> (PathBuf, PathBuf) {
    let key = PKey::from_rsa(Rsa::generate(2_048).unwrap()).unwrap();
    let mut name = X509Name::builder().unwrap();
    name.append_entry_by_text("CN", "127.0.0.1").unwrap();
    let name = name.build();
    let mut builder = X509::builder().unwrap();
    builder.set_version(2).unwrap();
    builder.set_subject_name(&name).unwrap();
    builder.set_issuer_name(&name).unwrap();
    builder.set_pubkey(&key).unwrap();
    builder
        .set_not_before(&Asn1Time::days_from_now(0).unwrap())
        .unwrap();
    builder
        .set_not_after(&Asn1Time::days_from_now(2).unwrap())
        .unwrap();
    let names = SubjectAlternativeName::new()
        .ip("127.0.0.1")
        .build(&builder.x509v3_context(None, None))
        .unwrap();
    builder.append_extension(names).unwrap();
    builder.sign(&key, MessageDigest::sha256()).unwrap();
    let certificate = String::from_utf8(builder.build().to_pem().unwrap()).unwrap();
    let key = String::from_utf8(key.private_key_to_pem_pkcs8().unwrap()).unwrap();
    (
        write(dir, "tls-cert.pem", &certificate),
        write(dir, "tls-key.pem", &key),
    )
}

/// `client enrol` as the demo issuer with explicit keys.
fn enrol(base_url: &str, more: &[&str]) -> Output {
    let file = |name: &str| text(&test_key(name)).to_owned();
    let key = consumer_key("demo");
    let (signing, certificate, decryption) = (
        file("issuer-signing.pem"),
        file("gateway-cert.pem"),
        file("issuer-encryption.pem"),
    );
    let mut args = vec![
        "client",
        "enrol",
        "-",
        "--base-url",
        base_url,
        "--consumer-key",
        &key,
        "--signing-key",
        &signing,
        "--gateway-certificate",
        &certificate,
        "--decryption-key",
        &decryption,
    ];
    args.extend(more);
    run_with(
        &args,
        &[],
        sample::enrolment("534403").to_string().as_bytes(),
    )
}

fn tls_by_rustls(backend: Backend) {
    let database = TestDatabase::empty(backend);
    let dir = tempfile::tempdir().unwrap();
    let (certificate, key) = tls_files(dir.path());
    let config = ready(&database, dir.path(), |sections| {
        // Beyond loopback: TLS is what makes that possible.
        sections.server = format!(
            "listen = \"0.0.0.0:0\"\npublic_base_urls = [\"https://api.gateway.example\", \"https://127.0.0.1:1\"]\n\
             tls_certificate = \"{}\"\ntls_key = \"{}\"",
            certificate.display(),
            key.display()
        );
    });
    let loopback = [("ISSUER_GATEWAY__SERVER__LISTEN", "127.0.0.1:0")];
    let (_beyond, _) = Running::serve(&config, &[]);
    let own_origin = ready(&database, dir.path(), |sections| {
        sections.server =
            "tls_certificate = \"tls-cert.pem\"\ntls_key = \"tls-key.pem\"".to_owned();
    });
    let (mut running, base_url) = Running::serve(&own_origin, &loopback);
    let https = base_url.replace("http://", "https://");
    enrol(&https, &["--tls-ca", text(&certificate)]).ok();
    // An authority that nobody knows, and no TLS at all.
    enrol(&https, &[]).refused(&["https://127.0.0.1"]);
    assert_eq!(enrol(&base_url, &[]).code, Some(1));
    assert_eq!(database.count("users"), 1);
    assert!(running.signal("TERM").success());
}

/// What the gateway chooses of the protocols that a TLS client offers; an error if it refuses them
/// all.
fn negotiated(https: &str, offered: &[u8]) -> Result<Option<Vec<u8>>, openssl::ssl::Error> {
    use openssl::ssl::{Ssl, SslContext, SslMethod, SslStream, SslVerifyMode};
    let mut context = SslContext::builder(SslMethod::tls_client()).unwrap();
    context.set_verify(SslVerifyMode::NONE);
    context.set_alpn_protos(offered).unwrap();
    let address = https.strip_prefix("https://").unwrap();
    let stream = std::net::TcpStream::connect(address).unwrap();
    let ssl = Ssl::new(&context.build()).unwrap();
    let mut stream = SslStream::new(ssl, stream).unwrap();
    stream.connect()?;
    // TLS 1.3: the client is done before it hears of a refusal.
    std::io::Write::write_all(&mut stream, b"GET /health/live HTTP/1.1\r\nHost: a\r\n\r\n").ok();
    stream.ssl_read(&mut [0; 8])?;
    Ok(stream.ssl().selected_alpn_protocol().map(<[u8]>::to_vec))
}

#[test]
fn tls_offers_http_1_1_alone() {
    let database = TestDatabase::empty(Backend::Sqlite);
    let dir = tempfile::tempdir().unwrap();
    tls_files(dir.path());
    let config = ready(&database, dir.path(), |sections| {
        sections.server += "\ntls_certificate = \"tls-cert.pem\"\ntls_key = \"tls-key.pem\"";
    });
    let (_running, base_url) = Running::serve(&config, &[]);
    let https = base_url.replace("http://", "https://");
    let http_1_1 = Some(b"http/1.1".to_vec());
    assert_eq!(negotiated(&https, b"\x02h2\x08http/1.1").unwrap(), http_1_1);
    assert_eq!(negotiated(&https, b"\x08http/1.1").unwrap(), http_1_1);
    assert!(negotiated(&https, b"\x02h2").is_err(), "HTTP/2 alone");
}

#[test]
fn malformed_requests_write_a_bounded_number_of_lines() {
    let database = TestDatabase::empty(Backend::Sqlite);
    let dir = tempfile::tempdir().unwrap();
    let config = ready(&database, dir.path(), |_| {});
    let (mut running, base_url) = Running::serve(&config, &[]);
    let address = base_url.strip_prefix("http://").unwrap();
    for _ in 0..200 {
        let mut stream = std::net::TcpStream::connect(address).unwrap();
        std::io::Write::write_all(&mut stream, b"canaryVerb / canary/7.7\r\n\r\n").unwrap();
        let mut answer = String::new();
        std::io::Read::read_to_string(&mut stream, &mut answer).ok();
        assert!(answer.starts_with("HTTP/1.1 400 "), "{answer}");
    }
    assert!(running.signal("TERM").success());
    let log = running.written("stderr");
    let lines = log.lines().filter(|line| line.contains("stream error"));
    assert_eq!(lines.count(), 10, "{log}");
    assert!(!log.contains("ERROR"), "{log}");
    assert!(!log.contains("canary"), "{log}");
}

on_both!(blocking: tls_by_rustls);

pub(crate) fn client(base_url: &str) -> TestClient {
    TestClient::new(
        base_url,
        &consumer_key("demo"),
        ISSUERS[0].signing,
        Some(ISSUERS[0].encryption),
    )
}

/// Enrols from four threads until the gateway is gone; `stop` is called once some were answered.
/// Returns the user ids that were answered.
pub(crate) fn enrol_until_gone(base_url: &str, stop: impl FnOnce()) -> Vec<String> {
    let enrolled = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                let client = client(base_url);
                loop {
                    let request = client.prepare(&Operation::Enrol, &sample::enrolment("534403"));
                    let Ok(answer) = client.client.send(&request) else {
                        break;
                    };
                    if answer.status == 200 {
                        enrolled.lock().unwrap().push(user_id(&answer));
                    }
                }
            });
        }
        while enrolled.lock().unwrap().len() < 30 {
            std::thread::sleep(std::time::Duration::from_millis(5));
        }
        stop();
    });
    enrolled.into_inner().unwrap()
}

fn what_was_answered_survives_a_kill(backend: Backend) {
    let database = TestDatabase::empty(backend);
    let dir = tempfile::tempdir().unwrap();
    let config = ready(&database, dir.path(), |_| {});
    let (running, base_url) = Running::serve(&config, &[]);
    let enrolled = enrol_until_gone(&base_url, || running.kill());

    let (_running, base_url) = Running::serve(&config, &[]);
    let client = client(&base_url);
    for id in &enrolled {
        let answer = client.update(id, &sample::update());
        assert_eq!(answer.status, 200, "{:?}", answer.clear);
    }
    let users = database.count("users");
    assert!(users >= i64::try_from(enrolled.len()).unwrap());
    assert_eq!(database.count("cards"), users);
    assert_eq!(database.count("scoring_jobs"), users);
}

on_both!(blocking: what_was_answered_survives_a_kill);

fn a_signal_ends_it_in_order(backend: Backend) {
    let database = TestDatabase::empty(backend);
    let dir = tempfile::tempdir().unwrap();
    let config = ready(&database, dir.path(), |_| {});
    for signal in ["TERM", "INT"] {
        let before = database.count("users");
        let (mut running, base_url) = Running::serve(&config, &[]);
        let mut status = None;
        let enrolled = enrol_until_gone(&base_url, || status = Some(running.signal(signal)));
        assert_eq!(status.unwrap().code(), Some(0), "{signal}");
        assert!(running.written("stderr").contains(r#""message":"stopped""#));
        // Exactly what was answered is there.
        let made = database.count("users") - before;
        assert_eq!(made, i64::try_from(enrolled.len()).unwrap());
    }
}

on_both!(blocking: a_signal_ends_it_in_order);

/// Systemd (`Type=notify`) counts the node as started from this message on.
#[cfg(target_os = "linux")]
#[test]
fn systemd_is_told_when_the_node_serves() {
    let database = TestDatabase::new(Backend::Sqlite);
    let dir = tempfile::tempdir().unwrap();
    let config = ready(&database, dir.path(), |_| {});
    let path = dir.path().join("notify.sock");
    let socket = std::os::unix::net::UnixDatagram::bind(&path).unwrap();
    let (mut running, base_url) = Running::serve(&config, &[("NOTIFY_SOCKET", text(&path))]);
    let mut message = [0; 64];
    let length = socket.recv(&mut message).unwrap();
    assert_eq!(&message[..length], b"READY=1\n");
    enrol(&base_url, &[]).ok();
    assert!(running.signal("TERM").success());
}
