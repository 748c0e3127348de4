//! The signature base string (RFC 5849, section 3.4.1), in every form that official libraries sign.
//!
//! `METHOD & escaped(base URL) & escaped(parameter string)`. Libraries agree on the outside and
//! differ in how they read the query, so a request has several candidates. A candidate may reorder
//! and re-escape, but it holds the whole path, the whole host and every received pair: anything
//! left out would not be signed. The one exception is tolerable: Node signs identical pairs once.

use super::forms::{FORMS, Order, Read, Reading};
use super::{PublicOrigin, SignatureError};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use sha2::{Digest as _, Sha256};

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

/// What Ruby's `URI.encode_www_form_component` escapes.
const ESCAPED_BY_RUBY: &AsciiSet = &ESCAPED.add(b'~').remove(b'*');

/// Path and query together; no call of the API comes near it.
const MAX_TARGET_BYTES: usize = 4 * 1024;

/// The query, without its `?`.
const MAX_QUERY_BYTES: usize = 1024;

/// Pairs of the query, empty ones included.
const MAX_PAIRS: usize = 32;

/// Base strings that one request is verified against. Without a query an origin has 3, so that all
/// forms are tried for up to 8 origins.
pub(super) const MAX_CANDIDATES: usize = 24;

/// The most origins that can be configured.
pub const MAX_ORIGINS: usize = 8;

/// SHA-256 of a base string.
pub(super) type Digest = [u8; 32];

/// What a signature covers: the request line and the `oauth_*` parameters, decoded.
pub(super) struct Message<'a> {
    method: &'a str,
    path: &'a str,
    query: &'a str,
    oauth: Vec<(&'a str, &'a str)>,
}

/// A base string that a library may have signed: both parts, the first with its `&`.
pub(super) struct Candidate<'c> {
    pub(super) url: &'c str,
    pub(super) parameters: &'c str,
}

impl Candidate<'_> {
    fn digest(&self) -> Digest {
        let hash = Sha256::new().chain_update(self.url);
        hash.chain_update(self.parameters).finalize().into()
    }
}

impl<'a> Message<'a> {
    /// Refuses a target or a query beyond the limits before anything is built of it, and an
    /// `oauth_*` parameter in the query, escaped or not: it would be a second one.
    pub(super) fn new(
        method: &'a str,
        path: &'a str,
        query: Option<&'a str>,
        oauth: Vec<(&'a str, &'a str)>,
    ) -> Result<Self, SignatureError> {
        let query = query.unwrap_or_default();
        if path.len().saturating_add(query.len()) > MAX_TARGET_BYTES {
            return Err(SignatureError::TargetTooLong);
        }
        if query.len() > MAX_QUERY_BYTES
            || query.bytes().filter(|b| *b == b'&').count() >= MAX_PAIRS
        {
            return Err(SignatureError::QueryTooLarge);
        }
        let is_oauth = |part: &str| percent_decode_str(part).take(6).eq(*b"oauth_");
        if query.split('&').any(is_oauth) {
            return Err(SignatureError::ParameterInQuery);
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
        let mut read = Read::new(self.query, &self.oauth);
        let parameters = read.parameters(Reading::AsSent, Order::Rfc5849);
        self.url(origin.as_str(), ESCAPED) + &escape(&parameters, ESCAPED)
    }

    /// Every candidate, in the order in which they are tried.
    pub(super) fn all(&self, origins: &[PublicOrigin]) -> Vec<String> {
        let mut all = Vec::new();
        self.any_candidate(origins, |candidate, _| {
            all.push(candidate.url.to_owned() + candidate.parameters);
            false
        });
        all
    }

    /// Whether `accepts` takes one of the candidates, of which it also gets the digest. A form is
    /// built only when those before it were declined, for all origins at once; no candidate is
    /// tried twice.
    pub(super) fn any_candidate(
        &self,
        origins: &[PublicOrigin],
        mut accepts: impl FnMut(&Candidate<'_>, &Digest) -> bool,
    ) -> bool {
        let mut tried: Vec<Digest> = Vec::with_capacity(MAX_CANDIDATES);
        let mut attempt = |url: &str, parameters: &str| {
            if tried.len() >= MAX_CANDIDATES {
                return false;
            }
            let candidate = Candidate { url, parameters };
            let digest = candidate.digest();
            if tried.contains(&digest) {
                return false;
            }
            tried.push(digest);
            accepts(&candidate, &digest)
        };
        let mut read = Read::new(self.query, &self.oauth);
        let urls = |set| {
            origins
                .iter()
                .map(move |origin| self.url(origin.as_str(), set))
        };
        let rfc: Vec<String> = urls(ESCAPED).collect();
        let mut built: Vec<String> = Vec::new();
        for (reading, order) in FORMS {
            let parameters = escape(&read.parameters(reading, order), ESCAPED);
            if built.contains(&parameters) {
                continue;
            }
            if rfc.iter().any(|url| attempt(url, &parameters)) {
                return true;
            }
            built.push(parameters);
        }
        let parameters = read.parameters(Reading::AsSent, Order::Ruby);
        let parameters = escape(&parameters, ESCAPED_BY_RUBY);
        if urls(ESCAPED_BY_RUBY).any(|url| attempt(&url, &parameters)) {
            return true;
        }
        let parameters = read.parameters(Reading::Node, Order::JavaScript);
        let parameters = escape(&parameters, ESCAPED_BY_JAVASCRIPT).replacen('*', "%2A", 1);
        origins
            .iter()
            .flat_map(PublicOrigin::as_node_signs_it)
            .any(|origin| {
                // Of the whole base string, Node escapes the first exclamation mark.
                let url = self.url(origin, ESCAPED_BY_JAVASCRIPT);
                if url.contains('!') {
                    attempt(&url.replacen('!', "%21", 1), &parameters)
                } else {
                    attempt(&url, &parameters.replacen('!', "%21", 1))
                }
            })
    }

    /// Method and base URL, each followed by `&`.
    fn url(&self, origin: &str, escaped: &'static AsciiSet) -> String {
        let mut text =
            String::with_capacity(self.method.len() + origin.len() + self.path.len() + 32);
        text.push_str(self.method);
        text.push('&');
        text.extend(utf8_percent_encode(origin, escaped));
        text.extend(utf8_percent_encode(self.path_or_root(origin), escaped));
        text.push('&');
        text
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
}

fn escape(text: &str, escaped: &'static AsciiSet) -> String {
    utf8_percent_encode(text, escaped).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn candidates(query: Option<&str>, origins: &[&str]) -> Vec<String> {
        let parse = |origin: &&str| PublicOrigin::parse(origin).unwrap();
        let origins: Vec<PublicOrigin> = origins.iter().map(parse).collect();
        let oauth = vec![("oauth_version", "1.0"), ("oauth_body_hash", "a+/=")];
        let message = Message::new("GET", "/p", query, oauth).unwrap();
        message.all(&origins)
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
        let worst = "b=1&b-=(+)&b-=(+)&b%2f=!!&&c=%7e&b10=~&b9=*";
        let mut one = candidates(Some(worst), &["https://[::1]"]);
        let all = one.len();
        assert!((14..=MAX_CANDIDATES).contains(&all), "{all}");
        one.sort();
        one.dedup();
        assert_eq!(one.len(), all);
        let many = ["https://a", "https://b", "https://c", "https://d"];
        assert_eq!(candidates(Some(worst), &many).len(), MAX_CANDIDATES);
    }

    #[test]
    fn without_a_query_all_forms_are_tried_for_the_most_origins() {
        let origins: Vec<String> = (0..MAX_ORIGINS).map(|n| format!("https://h{n}")).collect();
        let origins: Vec<&str> = origins.iter().map(String::as_str).collect();
        assert_eq!(candidates(None, &origins).len(), MAX_CANDIDATES);
    }

    #[test]
    fn queries_are_bounded_before_anything_is_built() {
        let new = |path: &str, query: &str| {
            Message::new("GET", path, Some(query), Vec::new()).map(|_| ())
        };
        assert_eq!(new("/p", &"x".repeat(MAX_QUERY_BYTES)), Ok(()));
        let longer = "x".repeat(MAX_QUERY_BYTES + 1);
        assert_eq!(new("/p", &longer), Err(SignatureError::QueryTooLarge));
        let pairs = |count| vec!["a=1"; count].join("&");
        assert_eq!(new("/p", &pairs(MAX_PAIRS)), Ok(()));
        assert_eq!(
            new("/p", &pairs(MAX_PAIRS + 1)),
            Err(SignatureError::QueryTooLarge)
        );
        let path = "/".repeat(MAX_TARGET_BYTES);
        assert_eq!(new(&path, ""), Ok(()));
        assert_eq!(new(&path, "x"), Err(SignatureError::TargetTooLong));
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
        assert!(message.any_candidate(&[origin], |candidate, digest| {
            assert_eq!(candidate.url.to_owned() + candidate.parameters, signed);
            assert_eq!(*digest, Digest::from(Sha256::digest(&signed)));
            true
        }));
    }
}
