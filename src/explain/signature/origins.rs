//! The URLs that a client may have called the gateway by, beside those that it has.

use super::super::endpoint::MOUNT;
use super::super::recorded::Recorded;
use crate::oauth1::PublicOrigin;

/// An origin that the gateway does not go by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Other {
    /// `scheme://host[:port][/prefix]`
    pub(super) text: String,
    /// The gateway's that is nearest.
    pub(super) nearest: String,
    pub(super) code: &'static str,
    /// In how many of scheme, host, port and prefix it differs from that.
    pub(super) differences: usize,
}

/// Parts of an origin, as written.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Parts {
    scheme: String,
    host: String,
    port: Option<String>,
    prefix: String,
}

impl Parts {
    fn of(text: &str) -> Option<Self> {
        let (scheme, rest) = text.split_once("://")?;
        let (authority, prefix) = match rest.find('/') {
            Some(at) => rest.split_at(at),
            None => (rest, ""),
        };
        let (host, port) = cut(authority);
        Some(Self {
            scheme: scheme.to_owned(),
            host: host.to_owned(),
            port: port.map(str::to_owned),
            prefix: prefix.to_owned(),
        })
    }

    fn text(&self) -> String {
        let port = self.port.as_ref().map(|port| format!(":{port}"));
        format!(
            "{}://{}{}{}",
            self.scheme,
            self.host,
            port.unwrap_or_default(),
            self.prefix
        )
    }

    /// In what it differs, as the code of the mistake.
    fn differences(&self, other: &Self) -> Vec<&'static str> {
        let mut all = Vec::new();
        if self.scheme != other.scheme {
            all.push("signature.scheme");
        }
        if self.host != other.host {
            let case = self.host.eq_ignore_ascii_case(&other.host);
            all.push(match case {
                true => "signature.host_case",
                false => "signature.host",
            });
        }
        if self.port != other.port {
            all.push("signature.port");
        }
        if self.prefix != other.prefix {
            all.push("signature.path_prefix");
        }
        all
    }
}

/// Host and port of an authority.
fn cut(authority: &str) -> (&str, Option<&str>) {
    match authority.rsplit_once(':') {
        Some((host, port)) if port.bytes().all(|b| b.is_ascii_digit()) => (host, Some(port)),
        _ => (authority, None),
    }
}

/// Names that a gateway on one's own machine goes by, and those of the API that it stands in for.
const HOSTS: [&str; 7] = [
    "localhost",
    "127.0.0.1",
    "[::1]",
    "0.0.0.0",
    "host.docker.internal",
    "sandbox.api.mastercard.com",
    "api.mastercard.com",
];
const PORTS: [&str; 4] = ["80", "443", "8080", "8443"];

/// All that are usual, the nearest first.
pub(super) fn others(call: &Recorded, own: &[PublicOrigin]) -> Vec<Other> {
    let own: Vec<Parts> = own
        .iter()
        .filter_map(|origin| Parts::of(origin.as_str()))
        .collect();
    let mut hosts: Vec<String> = own.iter().map(|parts| parts.host.clone()).collect();
    let mut ports: Vec<Option<String>> = own.iter().map(|parts| parts.port.clone()).collect();
    let mut prefixes: Vec<String> = own.iter().map(|parts| parts.prefix.clone()).collect();
    let named = [call.authority(), call.header("x-forwarded-host")];
    for authority in named.into_iter().flatten() {
        let (host, port) = cut(authority);
        hosts.extend([host.to_owned(), host.to_ascii_lowercase()]);
        ports.push(port.map(str::to_owned));
    }
    hosts.extend(own.iter().map(|parts| parts.host.to_ascii_uppercase()));
    hosts.extend(HOSTS.map(str::to_owned));
    ports.push(None);
    ports.extend(PORTS.map(|port| Some(port.to_owned())));
    prefixes.extend([String::new(), MOUNT.to_owned()]);
    for list in [&mut hosts, &mut prefixes] {
        let mut seen = Vec::new();
        list.retain(|item| {
            !seen.contains(item) && {
                seen.push(item.clone());
                true
            }
        });
    }
    let mut seen = Vec::new();
    ports.retain(|item| {
        !seen.contains(item) && {
            seen.push(item.clone());
            true
        }
    });

    let mut all = Vec::new();
    for scheme in ["http", "https"] {
        for host in &hosts {
            for port in &ports {
                for prefix in &prefixes {
                    let parts = Parts {
                        scheme: scheme.to_owned(),
                        host: host.clone(),
                        port: port.clone(),
                        prefix: prefix.clone(),
                    };
                    all.extend(other(&parts, &own));
                }
            }
        }
    }
    all.sort_by_key(|other| other.differences);
    all
}

fn other(parts: &Parts, own: &[Parts]) -> Option<Other> {
    let nearest = own.iter().map(|own| (parts.differences(own), own));
    let (differences, nearest) = nearest.min_by_key(|(differences, _)| {
        let another_host = differences.contains(&"signature.host");
        (differences.len(), another_host)
    })?;
    let code = match differences.as_slice() {
        [] => return None,
        [single] => single,
        _ => "signature.url",
    };
    Some(Other {
        text: parts.text(),
        nearest: nearest.text(),
        code,
        differences: differences.len(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_come_first_and_say_what_differs() {
        let own = [
            PublicOrigin::parse("http://127.0.0.1:9000").unwrap(),
            PublicOrigin::parse("http://localhost:9000").unwrap(),
        ];
        let call = Recorded {
            headers: vec![("Host".into(), "gw.example:9000".into())],
            ..Recorded::default()
        };
        let all = others(&call, &own);
        let code = |text: &str| all.iter().find(|other| other.text == text).map(|o| o.code);
        assert_eq!(code("https://127.0.0.1:9000"), Some("signature.scheme"));
        assert_eq!(code("http://localhost"), Some("signature.port"));
        assert_eq!(code("http://gw.example:9000"), Some("signature.host"));
        assert_eq!(code("http://LOCALHOST:9000"), Some("signature.host_case"));
        assert_eq!(
            code("http://localhost:9000/cts"),
            Some("signature.path_prefix")
        );
        assert_eq!(
            code("https://sandbox.api.mastercard.com/cts"),
            Some("signature.url")
        );
        assert_eq!(code("http://localhost:9000"), None);
        assert_eq!(all[0].differences, 1);
        assert!(all.len() < 600, "{}", all.len());
    }
}
