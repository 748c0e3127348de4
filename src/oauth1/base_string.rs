//! The signature base string (RFC 5849, section 3.4.1), in every form that official libraries sign.
//!
//! `METHOD & escaped(base URL) & escaped(parameter string)`. Libraries agree on the outside and differ in
//! how they read the query (wire-formats.md 3.2), so a request has several candidates (3.3). A candidate
//! may reorder and re-escape, but it holds the whole path, the whole host and every received pair:
//! anything left out would not be signed. The one exception is tolerable: Node signs identical pairs once.

use super::{PublicOrigin, Refusal};
use percent_encoding::{
    AsciiSet, NON_ALPHANUMERIC, percent_decode_str, percent_encode, utf8_percent_encode,
};
use std::borrow::Cow;
use std::cmp::Ordering;

/// What RFC 5849, section 3.6 escapes: all but RFC 3986's unreserved characters.
pub(super) const ESCAPED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

/// What JavaScript's `encodeURIComponent` escapes.
const ESCAPED_BY_JAVASCRIPT: &AsciiSet = &ESCAPED
    .remove(b'!')
    .remove(b'\'')
    .remove(b'(')
    .remove(b')')
    .remove(b'*');

/// Path and query together; no call of the API comes near it.
const MAX_TARGET_BYTES: usize = 8 * 1024;

/// Bounds the signature verifications of one request. One origin has at most 12 candidates, and without
/// a query 3.
const MAX_CANDIDATES: usize = 32;

/// How a library reads the query's pairs.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Reading {
    /// As they stand on the wire. Nearly every request.
    AsSent,
    /// As Node reads them: as they stand, but identical pairs once, and an empty pair kept.
    Node,
    /// Form-decoded (`+` is a blank) and escaped again: Python, if anything is percent-encoded.
    FormDecoded,
    /// Percent-decoded (`+` is a `+`) and escaped again: Java and C#.
    PercentDecoded,
    /// RFC 5849 to the letter: form-decoded, and the `oauth_*` values are escaped too.
    Strict,
}

/// How a library sorts all the pairs. Any order over the same pairs is safe.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Order {
    /// By name, then by value: RFC 5849, section 3.4.1.3.2.
    Rfc5849,
    /// By the text `name=value`: Python.
    Text,
    /// By the name followed by a comma: how JavaScript sorts the entries of a `Map`.
    JavaScript,
}

/// The most likely forms first.
const FORMS: [(Reading, Order); 9] = [
    (Reading::AsSent, Order::Rfc5849),
    (Reading::AsSent, Order::Text),
    (Reading::Node, Order::JavaScript),
    (Reading::FormDecoded, Order::Rfc5849),
    (Reading::FormDecoded, Order::Text),
    (Reading::PercentDecoded, Order::Rfc5849),
    (Reading::PercentDecoded, Order::Text),
    (Reading::Strict, Order::Rfc5849),
    (Reading::Strict, Order::Text),
];

type Pair<'a> = (Cow<'a, str>, Cow<'a, str>);

/// What a signature covers: the request line and the `oauth_*` parameters, decoded.
pub(super) struct Message<'a> {
    method: &'a str,
    path: &'a str,
    query: &'a str,
    oauth: Vec<(&'a str, &'a str)>,
}

impl<'a> Message<'a> {
    /// Refuses an `oauth_*` parameter in the query, escaped or not: it would be a second one.
    pub(super) fn new(
        method: &'a str,
        path: &'a str,
        query: Option<&'a str>,
        oauth: Vec<(&'a str, &'a str)>,
    ) -> Result<Self, Refusal> {
        let query = query.unwrap_or_default();
        if path.len().saturating_add(query.len()) > MAX_TARGET_BYTES {
            return Err(Refusal::TargetTooLong);
        }
        let is_oauth = |part: &str| percent_decode_str(part).take(6).eq(*b"oauth_");
        if query.split('&').any(is_oauth) {
            return Err(Refusal::DuplicateParameter);
        }
        Ok(Self {
            method,
            path,
            query,
            oauth,
        })
    }

    /// The base string that our own signer signs: pairs as sent, in RFC order.
    pub(super) fn to_sign(&self, origin: &PublicOrigin) -> String {
        let parameters = self.parameter_string(Reading::AsSent, Order::Rfc5849);
        self.base_string(origin.as_str(), &parameters)
    }

    /// Whether `accepts` takes one of the candidates. Each is built only when those before it were
    /// declined, and none is tried twice; without a query the first three readings are one string.
    pub(super) fn any_candidate(
        &self,
        origins: &[PublicOrigin],
        mut accepts: impl FnMut(&str) -> bool,
    ) -> bool {
        let mut tried: Vec<String> = Vec::new();
        let mut attempt = |candidate: String| {
            if tried.len() >= MAX_CANDIDATES || tried.contains(&candidate) {
                return false;
            }
            let accepted = accepts(&candidate);
            tried.push(candidate);
            accepted
        };
        for (reading, order) in FORMS {
            let parameters = self.parameter_string(reading, order);
            for origin in origins {
                if attempt(self.base_string(origin.as_str(), &parameters)) {
                    return true;
                }
            }
        }
        let parameters = self.parameter_string(Reading::Node, Order::JavaScript);
        origins
            .iter()
            .flat_map(PublicOrigin::as_node_signs_it)
            .any(|origin| attempt(self.javascript_base_string(origin, &parameters)))
    }

    fn base_string(&self, origin: &str, parameters: &str) -> String {
        let length = self.method.len() + origin.len() + self.path.len() + 2 * parameters.len();
        let mut text = String::with_capacity(length + 32);
        text.push_str(self.method);
        text.push('&');
        text.extend(utf8_percent_encode(origin, ESCAPED));
        text.extend(utf8_percent_encode(self.path_or_root(origin), ESCAPED));
        text.push('&');
        text.extend(utf8_percent_encode(parameters, ESCAPED));
        text
    }

    /// Node escapes with `encodeURIComponent`, then only the first `*` of the parameters and the
    /// first `!` of the whole.
    fn javascript_base_string(&self, origin: &str, parameters: &str) -> String {
        let escaped = |text| utf8_percent_encode(text, ESCAPED_BY_JAVASCRIPT).to_string();
        let url = escaped(origin) + &escaped(self.path_or_root(origin));
        let parameters = escaped(parameters).replacen('*', "%2A", 1);
        format!("{}&{url}&{parameters}", self.method).replacen('!', "%21", 1)
    }

    /// The path as sent; an empty one is `/`, unless the origin's prefix makes the URL's path.
    fn path_or_root(&self, origin: &str) -> &'a str {
        let has_prefix = origin.split('/').nth(3).is_some();
        if self.path.is_empty() && !has_prefix {
            "/"
        } else {
            self.path
        }
    }

    /// All pairs, read and sorted as given, as `name=value` joined by `&`.
    fn parameter_string(&self, reading: Reading, order: Order) -> String {
        let mut pairs: Vec<Pair<'_>> = Vec::with_capacity(self.oauth.len() + 4);
        for (name, value) in &self.oauth {
            pairs.push(match reading {
                Reading::Strict => (escape(name.as_bytes()), escape(value.as_bytes())),
                _ => (Cow::Borrowed(*name), Cow::Borrowed(*value)),
            });
        }
        if !self.query.is_empty() {
            let parts = self.query.split('&');
            pairs.extend(parts.filter_map(|part| read_pair(part, reading)));
        }
        pairs.sort_unstable_by(|a, b| order.compare(a, b));
        if reading == Reading::Node {
            pairs.dedup();
        }

        let length = pairs
            .iter()
            .map(|(name, value)| name.len() + value.len() + 2);
        let mut text = String::with_capacity(length.sum());
        for (name, value) in &pairs {
            if !text.is_empty() {
                text.push('&');
            }
            text.push_str(name);
            text.push('=');
            text.push_str(value);
        }
        text
    }
}

/// One part of the query between `&`, as `reading` sees it. A pair without `=` has an empty value.
fn read_pair(part: &str, reading: Reading) -> Option<Pair<'_>> {
    if reading == Reading::Node {
        // Node takes an `=` at the very start for a part of the name.
        let equals = part.find('=').filter(|at| *at > 0);
        let (name, value) = equals.map_or((part, ""), |at| {
            let (name, value) = part.split_at(at);
            (name, value.strip_prefix('=').unwrap_or_default())
        });
        return Some((name.into(), value.into()));
    }
    if part.is_empty() {
        return None;
    }
    let (name, value) = part.split_once('=').unwrap_or((part, ""));
    Some(match reading {
        Reading::AsSent | Reading::Node => (name.into(), value.into()),
        Reading::PercentDecoded => (reescape(name), reescape(value)),
        Reading::FormDecoded | Reading::Strict => (
            reescape(&name.replace('+', " ")),
            reescape(&value.replace('+', " ")),
        ),
    })
}

fn reescape(text: &str) -> Cow<'static, str> {
    let decoded: Vec<u8> = percent_decode_str(text).collect();
    escape(&decoded)
}

fn escape(bytes: &[u8]) -> Cow<'static, str> {
    Cow::Owned(percent_encode(bytes, ESCAPED).to_string())
}

impl Order {
    fn compare(self, a: &Pair<'_>, b: &Pair<'_>) -> Ordering {
        match self {
            Self::Rfc5849 => a.cmp(b),
            Self::Text => joined(a, b'=').cmp(joined(b, b'=')),
            Self::JavaScript => joined(a, b',').cmp(joined(b, b',')),
        }
    }
}

fn joined<'p>(pair: &'p Pair<'_>, separator: u8) -> impl Iterator<Item = u8> + 'p {
    let (name, value) = pair;
    name.bytes().chain([separator]).chain(value.bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn candidates(query: Option<&str>, origins: &[&str]) -> Vec<String> {
        let parse = |origin: &&str| PublicOrigin::parse(origin).unwrap();
        let origins: Vec<PublicOrigin> = origins.iter().map(parse).collect();
        let oauth = vec![("oauth_version", "1.0"), ("oauth_body_hash", "a+/=")];
        let message = Message::new("GET", "/p", query, oauth).unwrap();
        let mut all = Vec::new();
        assert!(!message.any_candidate(&origins, |candidate| {
            all.push(candidate.to_owned());
            false
        }));
        all
    }

    #[test]
    fn without_a_query_only_the_strict_form_differs() {
        for query in [None, Some("")] {
            assert_eq!(
                candidates(query, &["https://h:8443"]),
                [
                    "GET&https%3A%2F%2Fh%3A8443%2Fp&oauth_body_hash%3Da%2B%2F%3D%26oauth_version%3D1.0",
                    "GET&https%3A%2F%2Fh%3A8443%2Fp&oauth_body_hash%3Da%252B%252F%253D%26oauth_version%3D1.0",
                ]
            );
        }
        assert_eq!(candidates(Some("lang=en-US"), &["https://h:8443"]).len(), 2);
        // Node's explicit default port is a third one.
        assert_eq!(candidates(None, &["https://h"]).len(), 3);
    }

    #[test]
    fn candidates_are_distinct_and_capped() {
        let worst = "b=1&b-=(+)&b-=(+)&b%2f=!!&&c=%7e";
        let mut one = candidates(Some(worst), &["https://[::1]"]);
        assert_eq!(one.len(), 12);
        one.sort();
        one.dedup();
        assert_eq!(one.len(), 12);
        let many = ["https://a", "https://b", "https://c", "https://d"];
        assert_eq!(candidates(Some(worst), &many).len(), MAX_CANDIDATES);
    }

    #[test]
    fn the_signer_signs_the_first_candidate() {
        let origin = PublicOrigin::parse("https://h").unwrap();
        let query = Some("z=%2f&a=+&z=1");
        let message = Message::new("GET", "/p", query, vec![("oauth_x", "!")]).unwrap();
        let signed = message.to_sign(&origin);
        assert_eq!(
            signed,
            "GET&https%3A%2F%2Fh%2Fp&a%3D%2B%26oauth_x%3D%21%26z%3D%252f%26z%3D1"
        );
        assert!(message.any_candidate(&[origin], |candidate| {
            assert_eq!(candidate, signed);
            true
        }));
    }
}
