//! Keys from files and environment, read once at start: the gateway's, the KEK, TLS.
//!
//! Errors name the file and what it should hold, never its content.

use crate::config;
use crate::payload::{GatewayKey, KeyRing};
use crate::vault::Kek;
use anyhow::{Context, bail};
use openssl::pkey::{PKey, Private};
use openssl::x509::X509;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject};
use std::path::Path;
use std::sync::Arc;
use zeroize::Zeroizing;

/// Reads a private key in PKCS#8 (or PKCS#1) PEM.
pub fn read_private_key(file: &Path) -> anyhow::Result<PKey<Private>> {
    let pem = Zeroizing::new(
        std::fs::read(file).with_context(|| format!("private key {}", file.display()))?,
    );
    PKey::private_key_from_pem(&pem)
        .ok()
        .with_context(|| format!("{}: no private key in PEM", file.display()))
}

/// Reads a certificate in PEM.
pub fn read_certificate(file: &Path) -> anyhow::Result<X509> {
    let pem = std::fs::read(file).with_context(|| format!("certificate {}", file.display()))?;
    X509::from_pem(&pem)
        .ok()
        .with_context(|| format!("{}: no certificate in PEM", file.display()))
}

/// Loads `[[keys.gateway]]`: each key checked, exactly one primary, no name that means two keys.
pub fn load_ring(keys: &config::Keys) -> anyhow::Result<KeyRing> {
    let mut ring = Vec::with_capacity(keys.gateway.len());
    for key in &keys.gateway {
        let private = read_private_key(&key.file)?;
        let certificate = key
            .certificate
            .as_deref()
            .map(read_certificate)
            .transpose()?;
        let loaded = GatewayKey::new(private, certificate, key.aliases.clone(), key.state)
            .with_context(|| key.file.display().to_string())?;
        ring.push(loaded);
    }
    KeyRing::new(ring).context("configuration: keys.gateway")
}

/// Loads the key-encryption key from its file or environment variable.
pub fn load_kek(vault: &config::Vault) -> anyhow::Result<Kek> {
    let (text, source) = match (&vault.kek_file, &vault.kek_env) {
        (Some(file), None) => {
            let text = std::fs::read_to_string(file)
                .with_context(|| format!("vault.kek_file {}", file.display()))?;
            (text, file.display().to_string())
        }
        (None, Some(name)) => {
            let text = std::env::var(name)
                .ok()
                .with_context(|| format!("vault.kek_env: {name} is not set"))?;
            (text, name.clone())
        }
        _ => bail!("configuration: vault: needs exactly one of kek_file and kek_env"),
    };
    let text = Zeroizing::new(text);
    Kek::from_base64(text.trim()).with_context(|| format!("{source}: not 32 bytes in base64"))
}

/// TLS 1.2 and 1.3 with the given chain and key.
pub fn tls_config(certificate: &Path, key: &Path) -> anyhow::Result<rustls::ServerConfig> {
    let name = |path: &Path| path.display().to_string();
    let chain = CertificateDer::pem_file_iter(certificate)
        .and_then(Iterator::collect::<Result<Vec<_>, _>>)
        .with_context(|| format!("server.tls_certificate {}", name(certificate)))?;
    let key_der = PrivateKeyDer::from_pem_file(key)
        .with_context(|| format!("server.tls_key {}", name(key)))?;
    rustls::ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .and_then(|builder| {
            builder
                .with_no_client_auth()
                .with_single_cert(chain, key_der)
        })
        .with_context(|| format!("TLS with {} and {}", name(certificate), name(key)))
}
