//! Scheme, host, port and path prefix under which clients know this server.
//!
//! Clients sign the URL that they call. Behind TLS termination that is not what the socket shows,
//! so the origin is configured, never read from `Host` or `X-Forwarded-*`.

use super::SetupError;
use std::net::Ipv6Addr;

/// The start of every URL that clients sign: `https://host[:port][/prefix]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublicOrigin {
    /// RFC 5849, section 3.4.1.2: scheme and host in lower case, the port unless it is the default.
    base: String,
    /// What Node's signer writes for the same origin, if that differs: an explicit default port, an
    /// IPv6 address without brackets.
    node_spellings: Vec<String>,
}

impl PublicOrigin {
    /// Parses `https://host[:port][/prefix]` or the same with `http`.
    ///
    /// `prefix` is a path that a proxy strips before the request arrives here. It is kept as
    /// written and must not end with a slash; a lone slash means that there is no prefix.
    pub fn parse(text: &str) -> Result<Self, SetupError> {
        let (scheme, rest) = text
            .split_once("://")
            .ok_or(SetupError::Origin("must start with https:// or http://"))?;
        let scheme = scheme.to_ascii_lowercase();
        let default_port = match scheme.as_str() {
            "https" => 443,
            "http" => 80,
            _ => return Err(SetupError::Origin("must start with https:// or http://")),
        };
        let (authority, prefix) = match rest.find('/') {
            Some(slash) => rest.split_at(slash),
            None => (rest, ""),
        };
        let prefix = if prefix == "/" { "" } else { prefix };
        check_prefix(prefix)?;
        let (host, port) = host_and_port(authority)?;
        let port = port.filter(|port| *port != default_port);

        let spell = |host: &str, port: Option<u16>| match port {
            Some(port) => format!("{scheme}://{host}:{port}{prefix}"),
            None => format!("{scheme}://{host}{prefix}"),
        };
        let bare = host.trim_matches(['[', ']']);
        let base = spell(&host, port);
        let mut node_spellings = vec![
            spell(bare, port),
            spell(bare, Some(port.unwrap_or(default_port))),
        ];
        node_spellings.dedup();
        node_spellings.retain(|spelling| *spelling != base);
        Ok(Self {
            base,
            node_spellings,
        })
    }

    /// The normalized origin with its prefix, without a slash at the end.
    pub fn as_str(&self) -> &str {
        &self.base
    }

    /// The normalized form first, then Node's other spellings.
    pub(super) fn as_node_signs_it(&self) -> impl Iterator<Item = &str> {
        std::iter::once(self.as_str()).chain(self.node_spellings.iter().map(String::as_str))
    }
}

fn check_prefix(prefix: &str) -> Result<(), SetupError> {
    if prefix.ends_with('/') {
        return Err(SetupError::Origin("must not end with a slash"));
    }
    let legal = |b: u8| b.is_ascii_alphanumeric() || b"/-._~!$&'()*+,;=:@%".contains(&b);
    if !prefix.bytes().all(legal) {
        return Err(SetupError::Origin(
            "must be a URL without query and fragment",
        ));
    }
    Ok(())
}

/// The host in lower case, IPv6 in brackets, and the port.
fn host_and_port(authority: &str) -> Result<(String, Option<u16>), SetupError> {
    let (host, port) = match authority.strip_prefix('[') {
        Some(rest) => {
            let (address, after) = rest
                .split_once(']')
                .filter(|(address, _)| address.parse::<Ipv6Addr>().is_ok())
                .ok_or(SetupError::Origin("has a malformed IPv6 address"))?;
            let port = match after.strip_prefix(':') {
                Some(port) => Some(port),
                None if after.is_empty() => None,
                None => return Err(SetupError::Origin("has a malformed IPv6 address")),
            };
            (format!("[{address}]"), port)
        }
        None => {
            let (name, port) = match authority.split_once(':') {
                Some((name, port)) => (name, Some(port)),
                None => (authority, None),
            };
            let legal = |b: u8| b.is_ascii_alphanumeric() || b"-._".contains(&b);
            if name.is_empty() || !name.bytes().all(legal) {
                return Err(SetupError::Origin(
                    "must name a host (ASCII letters, digits, hyphens and dots) after ://",
                ));
            }
            (name.to_owned(), port)
        }
    };
    let port = match port {
        Some(digits) if digits.bytes().all(|b| b.is_ascii_digit()) => match digits.parse() {
            Ok(port) if port > 0 => Some(port),
            _ => return Err(SetupError::Origin("has a port outside 1..=65535")),
        },
        Some(_) => return Err(SetupError::Origin("has a port outside 1..=65535")),
        None => None,
    };
    Ok((host.to_ascii_lowercase(), port))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn origins_are_normalized() {
        for (text, base, others) in [
            (
                "https://api.example.com",
                "https://api.example.com",
                vec!["https://api.example.com:443"],
            ),
            (
                "HTTPS://API.Example.COM:443/",
                "https://api.example.com",
                vec!["https://api.example.com:443"],
            ),
            (
                "http://h:80/Cts/x",
                "http://h/Cts/x",
                vec!["http://h:80/Cts/x"],
            ),
            ("http://h:443", "http://h:443", vec![]),
            ("https://127.0.0.1:8443", "https://127.0.0.1:8443", vec![]),
            (
                "http://[::1]:8080",
                "http://[::1]:8080",
                vec!["http://::1:8080"],
            ),
            (
                "https://[FE80::1]",
                "https://[fe80::1]",
                vec!["https://fe80::1", "https://fe80::1:443"],
            ),
        ] {
            let origin = PublicOrigin::parse(text).unwrap();
            assert_eq!(origin.as_str(), base, "{text}");
            let spellings: Vec<&str> = origin.as_node_signs_it().skip(1).collect();
            assert_eq!(spellings, others, "{text}");
        }
    }

    #[test]
    fn bad_origins_are_named() {
        for (text, says) in [
            ("", "https://"),
            ("api.example.com", "https://"),
            ("ftp://h", "https://"),
            ("https://", "host"),
            ("https:///cts", "host"),
            ("https://user@h", "host"),
            ("https://h?x", "host"),
            ("https://ex ample", "host"),
            ("https://exämple", "host"),
            ("https://h:", "port"),
            ("https://h:0", "port"),
            ("https://h:65536", "port"),
            ("https://h:+1", "port"),
            ("https://h:1:2", "port"),
            ("https://[::1", "IPv6"),
            ("https://[h]", "IPv6"),
            ("https://[::1]x", "IPv6"),
            ("https://h/cts/", "slash"),
            ("https://h/cts?x", "query"),
            ("https://h/cts#x", "query"),
        ] {
            let error = PublicOrigin::parse(text).unwrap_err().to_string();
            assert!(error.contains(says), "{text}: {error}");
        }
    }
}
