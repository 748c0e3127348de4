//! The metrics: each one that docs/operations.md names is on the page, each one on the page is
//! named there, and beyond loopback nobody reads them without a token or a certificate.

use crate::on_both;
use crate::support::gateway::{TestGateway, config, user_id};
use crate::support::{Backend, TestDatabase};
use issuer_gateway::client::{Operation, sample, sample_year};
use issuer_gateway::ids::CardholderId;
use openssl::asn1::Asn1Time;
use openssl::hash::MessageDigest;
use openssl::pkey::{PKey, Private};
use openssl::rsa::Rsa;
use openssl::x509::extension::{BasicConstraints, SubjectAlternativeName};
use openssl::x509::{X509, X509Name};
use serde_json::json;
use std::collections::BTreeSet;
use std::path::Path;
use std::time::{Duration, Instant};
use ureq::tls::{Certificate, ClientCert, PrivateKey, RootCerts, TlsConfig};

/// Those that show only once something has gone wrong, or at another time of day.
const RARE: [&str; 9] = [
    "issuer_gateway_background_failures_total",
    "issuer_gateway_begins_seconds",
    "issuer_gateway_connection_errors_total",
    "issuer_gateway_issuer_limited_total",
    "issuer_gateway_job_panics_total",
    "issuer_gateway_refusals_summed_total",
    "issuer_gateway_reloads_total",
    "issuer_gateway_scoring_jobs_ended_total",
    "issuer_gateway_token_up",
];

/// The names in the first column of the table of metrics.
fn documented() -> BTreeSet<String> {
    let document = include_str!("../../docs/operations.md");
    let (_, rest) = document.split_once("### Metrics\n").unwrap();
    let section = rest.split("\n### ").next().unwrap();
    let rows = section.lines().filter(|line| line.starts_with("| `"));
    let cells = rows.filter_map(|row| row.split(" | ").next());
    let names = cells.flat_map(|cell| cell.split('`').skip(1).step_by(2));
    let bare = names.filter_map(|name| name.split('{').next());
    bare.map(str::to_owned).collect()
}

/// The names of the families on the page.
fn shown(page: &str) -> BTreeSet<String> {
    let types = page.lines().filter_map(|line| line.strip_prefix("# TYPE "));
    let names = types.filter_map(|line| line.split(' ').next());
    names.map(str::to_owned).collect()
}

on_both!(every_metric_is_there_and_explained, |backend: Backend| {
    let gateway = TestGateway::start(backend);
    let client = gateway.client("demo");
    let id = user_id(&client.enrol(&sample::enrolment("534403")));
    let user = CardholderId::parse(&id).unwrap();
    assert_eq!(client.update(&id, &sample::update()).status, 200);
    let items = sample_year::transactions(&id, chrono::Utc::now().date_naive());
    let scored = items.len();
    let batch = json!({ "transactions": items });
    let posted = client.send(&client.prepare(&Operation::PostTransactions, &batch));
    assert_eq!(posted.status, 200);
    // Refused: a payload whose tag was altered.
    let mut again = client.prepare(&Operation::Update(user), &sample::update());
    let at = again.body.len() - 10;
    again.body[at] = if again.body[at] == b'A' { b'B' } else { b'A' };
    again.authorization = client.authorization("PUT", &again.url, &again.body);
    assert_eq!(client.send(&again).status, 400);

    let wanted: BTreeSet<String> = documented()
        .into_iter()
        .filter(|name| !RARE.contains(&name.as_str()))
        .collect();
    let give_up = Instant::now() + Duration::from_secs(30);
    let page = loop {
        let page = gateway.metrics();
        // The jobs set some of them when they have run once.
        if wanted.is_subset(&shown(&page)) || Instant::now() > give_up {
            break page;
        }
        std::thread::sleep(Duration::from_millis(50));
    };
    let missing: Vec<_> = wanted.difference(&shown(&page)).cloned().collect();
    assert_eq!(missing, [] as [String; 0], "{page}");
    let unnamed: Vec<_> = shown(&page).difference(&documented()).cloned().collect();
    assert_eq!(unnamed, [] as [String; 0], "not in docs/operations.md");

    let metric = |name: &str| gateway.metric(name);
    for queue in ["unwrap", "lookup", "calls", "feeds"] {
        let of = |what: &str| format!(r#"issuer_gateway_queue_{what}{{queue="{queue}"}}"#);
        assert_eq!(metric(&of("depth")), 0.0, "{queue}");
        assert_eq!(metric(&of("oldest_seconds")), 0.0, "{queue}");
        assert!(metric(&of("capacity")) > 0.0, "{queue}");
    }
    for by in ["pool", "calls", "feeds"] {
        let name = format!(r#"issuer_gateway_statement_seconds_count{{by="{by}"}}"#);
        assert!(metric(&name) > 0.0, "{by}");
    }
    assert_eq!(metric("issuer_gateway_pool_capacity"), 4.0);
    assert!(metric("issuer_gateway_vault_generation") >= 1.0);
    assert!(metric("issuer_gateway_registry_version") >= 1.0);
    let age = metric(r#"issuer_gateway_data_key_age_seconds{purpose="seal",version="1"}"#);
    assert!(age < 86_400.0, "{age}");
    assert!(metric(r#"issuer_gateway_sealed_values_total{version="1"}"#) >= 6.0);
    let calls = metric(r#"issuer_gateway_issuer_request_seconds_count{issuer="demo"}"#);
    assert_eq!(calls, 4.0);
    let refused = r#"issuer_gateway_issuer_refusals_total{issuer="demo",reason="crypto"}"#;
    assert_eq!(metric(refused), 1.0, "{page}");
    assert_eq!(metric("issuer_gateway_call_clock_seconds_count"), 4.0);
    let of = |outcome: &str| {
        let name = format!(r#"issuer_gateway_transactions_total{{outcome="{outcome}"}}"#);
        if page.contains(&name) {
            metric(&name)
        } else {
            0.0
        }
    };
    let taken = of("scored") + of("not_scored") + of("authorisation");
    assert_eq!(taken, f64::from(u32::try_from(scored).unwrap()));
    assert!(page.contains("issuer_gateway_build_info{"));
});

/// A name's certificate with its key, by an authority or by itself.
fn certificate(name: &str, authority: Option<&(X509, PKey<Private>)>) -> (X509, PKey<Private>) {
    let key = PKey::from_rsa(Rsa::generate(2_048).unwrap()).unwrap();
    let mut subject = X509Name::builder().unwrap();
    subject.append_entry_by_text("CN", name).unwrap();
    let subject = subject.build();
    let mut builder = X509::builder().unwrap();
    builder.set_version(2).unwrap();
    builder.set_subject_name(&subject).unwrap();
    let issuer = authority.map_or(&*subject, |(certificate, _)| certificate.subject_name());
    builder.set_issuer_name(issuer).unwrap();
    builder.set_pubkey(&key).unwrap();
    let days = |days| Asn1Time::days_from_now(days).unwrap();
    builder.set_not_before(&days(0)).unwrap();
    builder.set_not_after(&days(2)).unwrap();
    if authority.is_none() {
        let basic = BasicConstraints::new().critical().ca().build().unwrap();
        builder.append_extension(basic).unwrap();
    }
    let names = SubjectAlternativeName::new()
        .ip("127.0.0.1")
        .build(&builder.x509v3_context(None, None))
        .unwrap();
    builder.append_extension(names).unwrap();
    let signer = authority.map_or(&key, |(_, key)| key);
    builder.sign(signer, MessageDigest::sha256()).unwrap();
    (builder.build(), key)
}

fn write(folder: &Path, name: &str, content: &[u8]) -> std::path::PathBuf {
    let file = folder.join(name);
    std::fs::write(&file, content).unwrap();
    file
}

#[test]
fn a_token_or_a_certificate_opens_the_page() {
    let database = TestDatabase::new(Backend::Sqlite);
    let folder = tempfile::tempdir().unwrap();
    let authority = certificate("scrapers", None);
    let server = certificate("gateway", Some(&authority));
    let scraper = certificate("prometheus", Some(&authority));
    let stranger = certificate("stranger", Some(&certificate("others", None)));
    let token = "0123456789abcdef0123456789abcdef";
    let mut config = config(&database.url_text);
    let in_folder = |name: &str, content: &[u8]| Some(write(folder.path(), name, content));
    config.server.tls_certificate = in_folder("tls.pem", &server.0.to_pem().unwrap());
    let key = server.1.private_key_to_pem_pkcs8().unwrap();
    config.server.tls_key = in_folder("tls.key", &key);
    config.metrics.token_file = in_folder("token", token.as_bytes());
    config.metrics.client_ca = in_folder("ca.pem", &authority.0.to_pem().unwrap());
    let gateway = TestGateway::start_with(&config);
    let url = gateway.metrics_url.replace("http://", "https://");
    let read = |shown: Option<&(X509, PKey<Private>)>, header: &str| {
        let root = Certificate::from_pem(&authority.0.to_pem().unwrap())
            .unwrap()
            .to_owned();
        let roots = RootCerts::from(vec![root]);
        let client = shown.map(|(certificate, key)| {
            let chain = Certificate::from_pem(&certificate.to_pem().unwrap())
                .unwrap()
                .to_owned();
            let key = PrivateKey::from_pem(&key.private_key_to_pem_pkcs8().unwrap()).unwrap();
            ClientCert::new_with_certs(&[chain], key)
        });
        let tls = TlsConfig::builder().root_certs(roots).client_cert(client);
        let agent: ureq::Agent = ureq::Agent::config_builder()
            .tls_config(tls.build())
            .http_status_as_error(false)
            .build()
            .into();
        let answer = agent.get(&url).header("authorization", header).call();
        answer.map(|answer| answer.status().as_u16()).ok()
    };
    let good = format!("Bearer {token}");
    assert_eq!(read(Some(&scraper), &good), Some(200));
    assert_eq!(read(Some(&scraper), "Bearer wrong"), Some(401));
    assert_eq!(read(Some(&stranger), &good), None, "the handshake fails");
    assert_eq!(read(None, &good), None, "the handshake fails");
}
