//! Settings of the cardholders' web view.

use serde::Deserialize;
use std::net::SocketAddr;
use url::{Host, Url};

/// `[dashboard]`
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Dashboard {
    /// A listener of its own, beside the public one: phones reach the web view alone, and the API
    /// stays private. TLS as for `server.listen`.
    pub listen: Option<SocketAddr>,
    /// What stands before `/home/` in the addresses that cardholders get:
    /// `https://host[:port][/prefix]`, or `http` on loopback. Absent: the first of
    /// `server.public_base_urls`.
    pub public_url: Option<String>,
    /// Pages that a cardholder may load in a second on each node, for long; beyond that: 429.
    pub pages_per_second: u32,
    /// Pages that a cardholder may load at once after a pause.
    pub burst: u32,
}

impl Default for Dashboard {
    fn default() -> Self {
        Self {
            listen: None,
            public_url: None,
            pages_per_second: 1,
            burst: 30,
        }
    }
}

impl Dashboard {
    /// The rule of `public_url`, in words.
    pub(super) const RULE: &str =
        "must be https://host[:port][/prefix], or http on a loopback address";

    /// Whether `public_url` can be used.
    pub(super) fn is_usable(&self) -> bool {
        self.public_url.as_deref().is_none_or(|text| {
            Url::parse(text).is_ok_and(|url| {
                let plain = url.query().is_none()
                    && url.fragment().is_none()
                    && url.username().is_empty()
                    && url.password().is_none();
                plain && (url.scheme() == "https" || url.scheme() == "http" && is_loopback(&url))
            })
        })
    }
}

/// Whether a URL's host is this machine.
pub(crate) fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_travel_encrypted_or_not_at_all() {
        let usable = |url: &str| {
            Dashboard {
                public_url: Some(url.to_owned()),
                ..Dashboard::default()
            }
            .is_usable()
        };
        for url in [
            "https://view.bank.example",
            "https://view.bank.example:8443/co2/",
            "http://localhost:8080",
            "http://127.0.0.1:8080",
            "http://[::1]:8080",
        ] {
            assert!(usable(url), "{url}");
        }
        for url in [
            "http://view.bank.example",
            "https://view.bank.example/?a=b",
            "https://user@view.bank.example",
            "view.bank.example",
            "",
        ] {
            assert!(!usable(url), "{url}");
        }
    }
}
