//! Where the cardholders' web view is, what fonts it serves, and how often it may be asked.

mod fonts;

pub use fonts::{Font, FontError, read as read_fonts};

use crate::config::{self, Config};
use crate::throttle::{Bucket, Buckets, Rate};
use std::net::SocketAddr;
use std::sync::{Mutex, PoisonError};
use std::time::Instant;
use url::Url;

/// Tokens that do not open, of all callers together: no client address is trusted.
const STRANGERS: Rate = Rate::new(50, 200);

/// The web view's part of a running gateway.
pub struct WebView {
    /// What stands before `/home/`: scheme, host and prefix, without a slash at the end.
    pub public_url: String,
    /// Scheme and host, as browsers name the origin.
    pub origin: String,
    /// The prefix of paths; empty, or with a slash at its beginning and none at its end.
    pub prefix: String,
    /// Whether it is reached over TLS. If not, it is on loopback.
    pub secure: bool,
    /// Whether this node itself ends TLS.
    pub ends_tls: bool,
    /// The operator's fonts.
    pub fonts: Vec<Font>,
    pages: Buckets,
    strangers: Mutex<Bucket>,
}

impl WebView {
    /// By the configuration of a node that listens on `address`.
    ///
    /// # Errors
    /// A font that cannot be served.
    pub fn new(config: &Config, address: SocketAddr) -> Result<Self, FontError> {
        let fonts = read_fonts(&config.dashboard.fonts)?;
        let named = config.dashboard.public_url.clone();
        let first = || config.server.public_base_urls.first().cloned();
        let own = || match config.server.tls_certificate {
            Some(_) => format!("https://{address}"),
            None => format!("http://{address}"),
        };
        let public_url = named.or_else(first).unwrap_or_else(own);
        let public_url = public_url.trim_end_matches('/').to_owned();
        let url = Url::parse(&public_url).ok();
        let prefix = url.as_ref().map(|url| url.path().trim_end_matches('/'));
        let loopback = url.as_ref().is_some_and(config::is_loopback);
        let plain = url.as_ref().is_some_and(|url| url.scheme() == "http");
        Ok(Self {
            fonts,
            origin: url
                .as_ref()
                .map(|url| url.origin().ascii_serialization())
                .unwrap_or_default(),
            prefix: prefix.unwrap_or_default().to_owned(),
            // Behind a proxy that ends TLS the address may be written with http; the cookie is
            // marked for TLS all the same.
            secure: !(plain && loopback),
            ends_tls: config.server.tls_certificate.is_some(),
            public_url,
            pages: Buckets::new(Rate::new(
                config.dashboard.pages_per_second,
                config.dashboard.burst,
            )),
            strangers: Mutex::default(),
        })
    }

    /// Takes a page of a cardholder's; false if there were too many.
    pub fn allows_page(&self, cardholder: &str, now: Instant) -> bool {
        self.pages.allow(cardholder, now)
    }

    /// Takes a look at a token that does not open; false if there were too many.
    pub fn allows_stranger(&self, now: Instant) -> bool {
        let mut bucket = self
            .strangers
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        bucket.take_now(STRANGERS, now)
    }
}
