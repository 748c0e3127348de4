//! The part of the configuration that a reload swaps in one step, under requests in flight.
//!
//! A request takes one [`Reloadable`] at its start and keeps it to its end. Loading validates the
//! whole new state before anything is swapped; a bad one is refused and the old one stays in force.

use crate::config::{Config, Server};
use crate::keys;
use crate::oauth1::PublicOrigin;
use crate::payload::KeyRing;
use anyhow::Context;
use chrono::{DateTime, Utc};
use rustls::sign::CertifiedKey;
use std::net::SocketAddr;
use std::sync::Arc;

/// Keys and rules that requests are opened and verified by.
pub struct Reloadable {
    /// The private keys that requests are encrypted to.
    pub keys: KeyRing,
    /// Where clients say that we are: what signatures are verified over.
    pub origins: Vec<PublicOrigin>,
    /// How far `oauth_timestamp` may be from our clock, either way, in seconds.
    pub oauth_window_seconds: i64,
    /// What the listener shows to TLS clients, if it speaks TLS itself.
    pub tls: Option<Arc<CertifiedKey>>,
    /// Fingerprint and end of that certificate.
    pub tls_end: Option<(String, DateTime<Utc>)>,
}

impl Reloadable {
    /// Reads keys and certificates of a validated configuration. Blocks while tokens are asked.
    /// `address` is where the gateway listens.
    pub fn load(config: &Config, address: SocketAddr) -> anyhow::Result<Self> {
        let tls = match (&config.server.tls_certificate, &config.server.tls_key) {
            (Some(certificate), Some(key)) => Some(Arc::new(keys::tls_key(certificate, key)?)),
            _ => None,
        };
        let tls_end = tls.as_deref().and_then(keys::tls_end);
        Ok(Self {
            tls_end,
            keys: keys::load_ring(config)?,
            origins: origins(&config.server, address)?,
            oauth_window_seconds: config.oauth.window_seconds,
            tls,
        })
    }
}

/// The configured public origins, or, on loopback without any, the listener's own.
///
/// # Errors
/// A URL that is no origin.
pub fn origins(server: &Server, address: SocketAddr) -> anyhow::Result<Vec<PublicOrigin>> {
    let scheme = if server.tls_certificate.is_some() {
        "https"
    } else {
        "http"
    };
    let own = || {
        vec![
            format!("{scheme}://{address}"),
            format!("{scheme}://localhost:{}", address.port()),
        ]
    };
    let urls = if server.public_base_urls.is_empty() {
        own()
    } else {
        server.public_base_urls.clone()
    };
    let parse = |url: &String| {
        PublicOrigin::parse(url)
            // What stands before an `@` may be a password, which no origin may have.
            .with_context(|| {
                let shown = url.rsplit_once('@').map_or(url.as_str(), |(_, host)| host);
                format!("configuration: server.public_base_urls: {shown}")
            })
    };
    urls.iter().map(parse).collect()
}
