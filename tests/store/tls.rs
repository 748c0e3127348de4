//! `sslmode=verify-full` to PostgreSQL, with the libraries that the build brings.

use crate::fence::until;
use crate::support::{Backend, TestDatabase, postgres_env};
use issuer_gateway::store::{DatabaseUrl, Store, StoreError};

async fn ping(url: &str) -> Result<(), StoreError> {
    Store::open(&DatabaseUrl::parse(url).unwrap(), 1)
        .ping()
        .await
}

#[tokio::test]
async fn the_server_is_verified() {
    let database = TestDatabase::new(Backend::Postgres);
    let ca = postgres_env("ISSUER_GATEWAY_TEST_POSTGRES_CA");
    let verified = format!("{}?sslmode=verify-full&sslrootcert={ca}", database.url_text);
    assert_eq!(ping(&verified).await, Ok(()));
    assert_eq!(
        ping(&verified.replace("127.0.0.1", "localhost")).await,
        Ok(())
    );

    // Encrypted indeed.
    let store = Store::open(&DatabaseUrl::parse(&verified).unwrap(), 1);
    store.ping().await.unwrap();
    let encrypted = "SELECT count(*) AS n FROM pg_stat_ssl JOIN pg_stat_activity USING (pid) \
                     WHERE ssl AND application_name = 'issuer-gateway' \
                     AND datname = current_database()";
    // Those of before end by themselves.
    until("one connection is left", || database.number(encrypted) == 1).await;
}

#[tokio::test]
async fn another_host_or_authority_is_refused() {
    let database = TestDatabase::new(Backend::Postgres);
    let ca = postgres_env("ISSUER_GATEWAY_TEST_POSTGRES_CA");
    // `hostaddr` is where libpq connects, the host of the URL is what it verifies.
    let (start, name) = database.url_text.rsplit_once('/').unwrap();
    let (start, port) = start.rsplit_once(':').unwrap();
    let (start, _) = start.rsplit_once('@').unwrap();
    let wrong_host = format!(
        "{start}@db.example.com:{port}/{name}?hostaddr=127.0.0.1&sslmode=verify-full&sslrootcert={ca}"
    );
    let error = ping(&wrong_host).await.unwrap_err();
    assert!(
        error.to_string().contains("does not match host name"),
        "{error}"
    );

    let other = database.dir().join("other.crt");
    std::fs::write(&other, self_signed()).unwrap();
    let wrong_ca = format!(
        "{}?sslmode=verify-full&sslrootcert={}",
        database.url_text,
        other.display()
    );
    let error = ping(&wrong_ca).await.unwrap_err();
    assert!(
        error.to_string().contains("certificate verify failed"),
        "{error}"
    );
}

/// A certificate that signed nothing.
fn self_signed() -> Vec<u8> {
    use openssl::asn1::Asn1Time;
    use openssl::hash::MessageDigest;
    use openssl::pkey::PKey;
    use openssl::x509::{X509, X509Name};
    let key = PKey::from_rsa(openssl::rsa::Rsa::generate(2048).unwrap()).unwrap();
    let mut name = X509Name::builder().unwrap();
    name.append_entry_by_text("CN", "another CA").unwrap();
    let name = name.build();
    let mut certificate = X509::builder().unwrap();
    certificate.set_subject_name(&name).unwrap();
    certificate.set_issuer_name(&name).unwrap();
    certificate.set_pubkey(&key).unwrap();
    certificate
        .set_not_before(&Asn1Time::days_from_now(0).unwrap())
        .unwrap();
    certificate
        .set_not_after(&Asn1Time::days_from_now(1).unwrap())
        .unwrap();
    certificate.sign(&key, MessageDigest::sha256()).unwrap();
    certificate.build().to_pem().unwrap()
}
