//! The gateway's keys, the KEK and the TLS key, from files and environment or in the hands of a
//! token or service, parsed once when they are loaded.
//!
//! Errors name the file and its expected content, never its actual content.

pub mod certificates;
pub mod http;
pub mod jwks;
pub mod kek;
mod old_ciphers;
pub mod rotation;
pub mod seeded;
pub mod source;
pub mod token;

use crate::config::{Config, GatewayKey, KeyPlace};
use crate::payload::{DecryptionKey, Fingerprint, KeyRing, KeyState};
use anyhow::{Context, anyhow};
use chrono::{DateTime, Utc};
use openssl::asn1::{Asn1Time, Asn1TimeRef};
use openssl::pkey::PKey;
use openssl::x509::X509;
use rustls::RootCertStore;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject};
use rustls::server::{ResolvesServerCert, WebPkiClientVerifier};
use rustls::sign::CertifiedKey;
use std::path::Path;
use std::sync::Arc;
use zeroize::Zeroizing;

/// Loads `[[keys.gateway]]`: each key checked, one primary of each kind, no name that means two
/// keys. Blocks while tokens are asked.
///
/// # Errors
/// A key cannot be used, or they do not make a ring.
pub fn load_ring(config: &Config) -> anyhow::Result<KeyRing> {
    let mut ring = Vec::with_capacity(config.keys.gateway.len());
    // The file of a destroyed key may be gone; its entry only records that there was one.
    for key in config
        .keys
        .gateway
        .iter()
        .filter(|key| key.state != KeyState::Destroyed)
    {
        let loaded = load_one(config, key)?;
        let end = key.not_after()?;
        let end = end.or_else(|| moment(loaded.certificate()?.not_after()));
        ring.push(loaded.ending(end.map(Into::into)));
    }
    KeyRing::new(ring).context("configuration: keys.gateway")
}

/// Loads one key that is not destroyed.
///
/// # Errors
/// It cannot be used.
pub fn load_one(config: &Config, key: &GatewayKey) -> anyhow::Result<DecryptionKey> {
    let (aliases, state) = (key.aliases.clone(), key.state);
    let loaded = match key.place()? {
        KeyPlace::File(file) => {
            let pair = source::read_declared(key, file)?;
            DecryptionKey::new(pair.private, pair.certificate, aliases, state)
        }
        KeyPlace::Token(object) => {
            let (kept, public) = token::open(&config.tokens, object, key.oaep)
                .with_context(|| format!("keys.gateway: {}", key.name()))?;
            let certificate = source::read_own_certificate(key, &public)?;
            DecryptionKey::kept(kept, public, certificate, aliases, state)
        }
    };
    loaded.with_context(|| key.name())
}

/// The moment an ASN.1 time names.
pub fn moment(time: &Asn1TimeRef) -> Option<DateTime<Utc>> {
    let difference = Asn1Time::from_unix(0).ok()?.diff(time).ok()?;
    DateTime::from_timestamp(
        i64::from(difference.days) * 86_400 + i64::from(difference.secs),
        0,
    )
}

/// The listener's TLS certificate chain and key, checked to belong together.
pub fn tls_key(certificate: &Path, key: &Path) -> anyhow::Result<CertifiedKey> {
    let name = |path: &Path| path.display().to_string();
    let (of_chain, of_key) = (
        || format!("server.tls_certificate {}", name(certificate)),
        || format!("server.tls_key {}", name(key)),
    );
    let chain_pem = std::fs::read(certificate).with_context(of_chain)?;
    let key_pem = Zeroizing::new(std::fs::read(key).with_context(of_key)?);
    certificates::require_one_key(&key_pem).map_err(|rule| anyhow!("{}: {rule}", of_key()))?;
    let mut chain = CertificateDer::pem_slice_iter(&chain_pem)
        .collect::<Result<Vec<_>, _>>()
        .with_context(of_chain)?;
    let key_der = PrivateKeyDer::from_pem_slice(&key_pem).with_context(of_key)?;
    // The key's own certificate comes first, wherever the file has it.
    if let Ok(private) = PKey::private_key_from_der(key_der.secret_der()) {
        let own = certificates::of_key(&chain_pem, &private);
        let own = own
            .map_err(|rule| anyhow!("{}: {rule}", of_chain()))?
            .to_der()?;
        chain.sort_by_key(|certificate| certificate.as_ref() != own.as_slice());
    }
    CertifiedKey::from_der(chain, key_der, &rustls::crypto::ring::default_provider())
        .with_context(|| format!("TLS with {} and {}", name(certificate), name(key)))
}

/// Fingerprint and end of the certificate that clients see.
pub fn tls_end(key: &CertifiedKey) -> Option<(String, DateTime<Utc>)> {
    let certificate = X509::from_der(key.cert.first()?).ok()?;
    let fingerprint = Fingerprint::of_certificate(&certificate).ok()?;
    Some((fingerprint.to_string(), moment(certificate.not_after())?))
}

/// TLS 1.2 and 1.3; `resolver` is asked for the certificate at each handshake, so that it can be
/// replaced.
pub fn tls_config(resolver: Arc<dyn ResolvesServerCert>) -> anyhow::Result<rustls::ServerConfig> {
    tls_config_for(resolver, None)
}

/// The same for clients that show a certificate by one of the authorities in `client_ca` (PEM), if
/// it is given.
///
/// # Errors
/// A file that cannot be read, or has no certificate of an authority.
pub fn tls_config_for(
    resolver: Arc<dyn ResolvesServerCert>,
    client_ca: Option<&Path>,
) -> anyhow::Result<rustls::ServerConfig> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = rustls::ServerConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()?;
    let builder = match client_ca {
        None => builder.with_no_client_auth(),
        Some(file) => {
            let context = || format!("metrics.client_ca {}", file.display());
            let pem = std::fs::read(file).with_context(context)?;
            let mut roots = RootCertStore::empty();
            for certificate in CertificateDer::pem_slice_iter(&pem) {
                roots
                    .add(certificate.with_context(context)?)
                    .with_context(context)?;
            }
            let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider);
            builder.with_client_cert_verifier(verifier.build().with_context(context)?)
        }
    };
    Ok(builder.with_cert_resolver(resolver))
}
