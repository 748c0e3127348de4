//! Settings of the cardholders' web view.

use serde::Deserialize;
use std::net::SocketAddr;
use std::path::PathBuf;
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
    /// Fonts that themes may name although no phone has them; 40 KB in all. Read at the start.
    pub fonts: Vec<FontFile>,
}

/// `[[dashboard.fonts]]`
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FontFile {
    /// As themes name it: 1 to 100 letters A to Z, digits, blanks and hyphens.
    pub family: String,
    /// WOFF2.
    pub file: PathBuf,
    /// 1 to 1000, or two of them for a variable font: `100 900`.
    #[serde(default = "regular")]
    pub weight: String,
}

fn regular() -> String {
    "400".to_owned()
}

impl FontFile {
    /// Both go into a style sheet as they are.
    fn is_usable(&self) -> bool {
        let clean = |c: char| c.is_ascii_alphanumeric() || c == ' ' || c == '-';
        let family = self.family.trim() == self.family
            && (1..=100).contains(&self.family.len())
            && self.family.chars().all(clean);
        let weights: Vec<_> = self.weight.split(' ').map(str::parse::<u16>).collect();
        let in_range = |weight: &Result<u16, _>| matches!(weight, Ok(1..=1000));
        family && (1..=2).contains(&weights.len()) && weights.iter().all(in_range)
    }
}

impl Default for Dashboard {
    fn default() -> Self {
        Self {
            listen: None,
            public_url: None,
            pages_per_second: 1,
            burst: 30,
            fonts: Vec::new(),
        }
    }
}

impl Dashboard {
    /// The rule of `public_url`, in words.
    pub(super) const RULE: &str =
        "must be https://host[:port][/prefix], or http on a loopback address";

    /// The rule of `fonts`, in words.
    pub(super) const FONT_RULE: &str = "each has a family of 1 to 100 letters A to Z, digits, blanks \
        and hyphens, a WOFF2 file, and a weight of 1 to 1000 or two of them";

    /// Whether all `fonts` can be named in a style sheet.
    pub(super) fn has_usable_fonts(&self) -> bool {
        self.fonts.iter().all(FontFile::is_usable)
    }

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
    fn a_font_stays_inside_its_rule() {
        let usable = |family: &str, weight: &str| {
            let font = FontFile {
                family: family.to_owned(),
                file: PathBuf::new(),
                weight: weight.to_owned(),
            };
            font.is_usable()
        };
        assert!(usable("Mark Offc For MC", "400") && usable("B-1", "100 900"));
        for (family, weight) in [
            ("", "400"),
            (" A", "400"),
            ("a\"}", "400"),
            ("A", ""),
            ("A", "bold"),
            ("A", "0"),
            ("A", "1 2 3"),
            ("A", "400;x:y"),
        ] {
            assert!(!usable(family, weight), "{family} {weight}");
        }
    }

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
