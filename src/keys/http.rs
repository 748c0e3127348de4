//! Certificate authorities for HTTPS calls of our own.

use anyhow::{Context, ensure};
use std::path::Path;
use std::sync::Arc;
use ureq::tls::{PemItem, RootCerts, TlsConfig, parse_pem};

/// TLS settings that trust the authorities of a PEM file alone; without one, those of the public
/// web.
pub fn tls(authorities: Option<&Path>) -> anyhow::Result<TlsConfig> {
    let builder = TlsConfig::builder();
    let Some(file) = authorities else {
        return Ok(builder.build());
    };
    let pem = std::fs::read(file).with_context(|| file.display().to_string())?;
    let certificate = |item| match item {
        Ok(PemItem::Certificate(certificate)) => Some(certificate),
        _ => None,
    };
    let authorities: Vec<_> = parse_pem(&pem).filter_map(certificate).collect();
    ensure!(
        !authorities.is_empty(),
        "{}: no certificate in PEM",
        file.display()
    );
    Ok(builder
        .root_certs(RootCerts::Specific(Arc::new(authorities)))
        .build())
}
