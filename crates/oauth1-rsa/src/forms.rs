//! How client libraries read a query's pairs, and in which order they sign them.
//!
//! A reading never drops a pair, but that Node signs identical pairs once; an order only moves
//! pairs. Further libraries are further entries of [`FORMS`].

use super::base_string::ESCAPED;
use percent_encoding::{percent_decode_str, percent_encode};
use std::borrow::Cow;
use std::cmp::Ordering;

/// How a library reads the query's pairs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reading {
    /// As they stand on the wire. Nearly every request.
    AsSent,
    /// As Node reads them: as they stand, but identical pairs once, and an empty pair kept.
    Node,
    /// Form-decoded (`+` is a blank) and escaped again: Python, if anything is percent-encoded.
    FormDecoded,
    /// Percent-decoded (`+` is a `+`) and escaped again: Java and C#.
    PercentDecoded,
    /// `+` is a bare blank: Go, if nothing is percent-encoded. Else as they stand.
    BareBlanks,
    /// RFC 5849 to the letter: form-decoded, and the `oauth_*` values are escaped too.
    Strict,
}

/// In which order a library signs all the pairs. Any order over the same pairs is safe.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Order {
    /// By name, then by value: RFC 5849, section 3.4.1.3.2.
    Rfc5849,
    /// By the text `name=value`: Python.
    Text,
    /// By the name followed by a comma: how JavaScript sorts the entries of a `Map`.
    JavaScript,
    /// Numbers in names and values by their size: PHP's `SORT_NATURAL`.
    Natural,
    /// The query's pairs before the `oauth_*` pairs, by their text without regard to case; the
    /// values of one name together, in the order of their bytes: Ruby.
    Ruby,
}

/// The most likely forms first. Node's and Ruby's own escaping come after these, in `base_string`.
pub(super) const FORMS: [(Reading, Order); 13] = [
    (Reading::AsSent, Order::Rfc5849),
    (Reading::AsSent, Order::Text),
    (Reading::Node, Order::JavaScript),
    (Reading::FormDecoded, Order::Rfc5849),
    (Reading::FormDecoded, Order::Text),
    (Reading::PercentDecoded, Order::Rfc5849),
    (Reading::PercentDecoded, Order::Text),
    (Reading::Strict, Order::Rfc5849),
    (Reading::Strict, Order::Text),
    (Reading::BareBlanks, Order::Rfc5849),
    (Reading::AsSent, Order::Natural),
    (Reading::FormDecoded, Order::Natural),
    (Reading::PercentDecoded, Order::Natural),
];

/// A name and its value.
pub(super) type Pair<'a> = (Cow<'a, str>, Cow<'a, str>);

/// The query's pairs and the `oauth_*` pairs, each reading made once and only when it is asked for.
pub(super) struct Read<'a> {
    query: &'a str,
    oauth: &'a [(&'a str, &'a str)],
    made: Vec<(Reading, Pairs<'a>)>,
}

/// All the pairs of one reading, still in the order in which they came.
pub(super) struct Pairs<'a> {
    query: Vec<Pair<'a>>,
    oauth: Vec<Pair<'a>>,
}

impl<'a> Read<'a> {
    pub(super) fn new(query: &'a str, oauth: &'a [(&'a str, &'a str)]) -> Self {
        Self {
            query,
            oauth,
            made: Vec::new(),
        }
    }

    /// `name=value` joined by `&`, read and sorted as given.
    pub(super) fn parameters(&mut self, reading: Reading, order: Order) -> String {
        if !self.made.iter().any(|(known, _)| *known == reading) {
            let pairs = Pairs::new(self.query, self.oauth, reading);
            self.made.push((reading, pairs));
        }
        let made = self.made.iter().find(|(known, _)| *known == reading);
        let Some((_, pairs)) = made else {
            return String::new();
        };
        joined_pairs(&order.arrange(pairs), reading == Reading::Node)
    }
}

impl<'a> Pairs<'a> {
    fn new(query: &'a str, oauth: &'a [(&'a str, &'a str)], reading: Reading) -> Self {
        let parts = query.split('&').filter(|_| !query.is_empty());
        let escaped = query.contains('%');
        let oauth = oauth.iter().map(|(name, value)| match reading {
            Reading::Strict => (escape(name.as_bytes()), escape(value.as_bytes())),
            _ => (Cow::Borrowed(*name), Cow::Borrowed(*value)),
        });
        Self {
            query: parts
                .filter_map(|part| read_pair(part, reading, escaped))
                .collect(),
            oauth: oauth.collect(),
        }
    }
}

fn joined_pairs(pairs: &[&Pair<'_>], identical_once: bool) -> String {
    let length = pairs
        .iter()
        .map(|(name, value)| name.len() + value.len() + 2);
    let mut text = String::with_capacity(length.sum());
    let mut before: Option<&Pair<'_>> = None;
    for pair in pairs {
        if identical_once && before == Some(*pair) {
            continue;
        }
        before = Some(*pair);
        if !text.is_empty() {
            text.push('&');
        }
        text.push_str(&pair.0);
        text.push('=');
        text.push_str(&pair.1);
    }
    text
}

/// One part of the query between `&`, as `reading` sees it. A pair without `=` has an empty value.
fn read_pair(part: &str, reading: Reading, escaped: bool) -> Option<Pair<'_>> {
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
        // Without `%` no two queries that can be sent become one by this: a blank cannot be sent.
        Reading::BareBlanks if !escaped => (
            name.replace('+', " ").into(),
            value.replace('+', " ").into(),
        ),
        Reading::AsSent | Reading::Node | Reading::BareBlanks => (name.into(), value.into()),
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
    fn arrange<'p, 'a>(self, pairs: &'p Pairs<'a>) -> Vec<&'p Pair<'a>> {
        if self == Self::Ruby {
            return ruby(pairs);
        }
        let mut all: Vec<_> = pairs.query.iter().chain(&pairs.oauth).collect();
        all.sort_by(|a, b| match self {
            Self::Rfc5849 | Self::Ruby => a.cmp(b),
            Self::Text => joined(a, b'=').cmp(joined(b, b'=')),
            Self::JavaScript => joined(a, b',').cmp(joined(b, b',')),
            Self::Natural => natural(&a.0, &b.0)
                .then_with(|| a.0.cmp(&b.0))
                .then_with(|| natural(&a.1, &b.1)),
        });
        all
    }
}

fn ruby<'p, 'a>(pairs: &'p Pairs<'a>) -> Vec<&'p Pair<'a>> {
    let lower = |pair: &'p Pair<'a>| joined(pair, b'=').map(|b| b.to_ascii_lowercase());
    let mut sorted: Vec<&Pair<'a>> = pairs.query.iter().collect();
    sorted.sort_by(|a, b| lower(a).cmp(lower(b)).then_with(|| a.cmp(b)));
    let mut oauth: Vec<&Pair<'a>> = pairs.oauth.iter().collect();
    oauth.sort();

    let mut all: Vec<&Pair<'a>> = Vec::with_capacity(sorted.len() + oauth.len());
    for pair in &sorted {
        if all.iter().any(|(name, _)| *name == pair.0) {
            continue;
        }
        let start = all.len();
        all.extend(sorted.iter().filter(|(name, _)| *name == pair.0));
        if let Some(group) = all.get_mut(start..) {
            group.sort();
        }
    }
    all.extend(oauth);
    all
}

fn joined<'p>(pair: &'p Pair<'_>, separator: u8) -> impl Iterator<Item = u8> + 'p {
    let (name, value) = pair;
    name.bytes().chain([separator]).chain(value.bytes())
}

/// Compares runs of digits as numbers, and all else byte by byte. It is a total order.
fn natural(a: &str, b: &str) -> Ordering {
    let (mut a, mut b) = (a.as_bytes(), b.as_bytes());
    loop {
        let order = match (a.split_first(), b.split_first()) {
            (Some((x, _)), Some((y, _))) if x.is_ascii_digit() && y.is_ascii_digit() => {
                let ((first, rest_a), (second, rest_b)) = (number(a), number(b));
                (a, b) = (rest_a, rest_b);
                first
                    .len()
                    .cmp(&second.len())
                    .then_with(|| first.cmp(second))
            }
            (Some((x, rest_a)), Some((y, rest_b))) => {
                (a, b) = (rest_a, rest_b);
                x.cmp(y)
            }
            (x, y) => return x.is_some().cmp(&y.is_some()),
        };
        if order.is_ne() {
            return order;
        }
    }
}

/// The digits in front, without leading zeros, and what follows them.
fn number(text: &[u8]) -> (&[u8], &[u8]) {
    let end = text.iter().position(|b| !b.is_ascii_digit());
    let (digits, rest) = text.split_at(end.unwrap_or(text.len()));
    let zeros = digits.iter().take_while(|b| **b == b'0').count();
    (digits.get(zeros..).unwrap_or_default(), rest)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn parameters(query: &str, reading: Reading, order: Order) -> String {
        let oauth = [("oauth_nonce", "n"), ("oauth_body_hash", "h")];
        Read::new(query, &oauth).parameters(reading, order)
    }

    #[test]
    fn each_librarys_order() {
        let hash = "oauth_body_hash=h&oauth_nonce=n";
        for (query, reading, order, expected) in [
            (
                "z=1&a=2",
                Reading::AsSent,
                Order::Ruby,
                format!("a=2&z=1&{hash}"),
            ),
            (
                "b=1&A=2&a=1",
                Reading::AsSent,
                Order::Ruby,
                format!("a=1&A=2&b=1&{hash}"),
            ),
            (
                "a=b&a=B&a=A",
                Reading::AsSent,
                Order::Ruby,
                format!("a=A&a=B&a=b&{hash}"),
            ),
            (
                "a=10&a=9",
                Reading::AsSent,
                Order::Natural,
                format!("a=9&a=10&{hash}"),
            ),
            (
                "a10=1&a9=1&z=0",
                Reading::AsSent,
                Order::Natural,
                format!("a9=1&a10=1&{hash}&z=0"),
            ),
            (
                "q=a+b",
                Reading::BareBlanks,
                Order::Rfc5849,
                format!("{hash}&q=a b"),
            ),
            (
                "q=a+b&t=%3A",
                Reading::BareBlanks,
                Order::Rfc5849,
                format!("{hash}&q=a+b&t=%3A"),
            ),
        ] {
            assert_eq!(
                parameters(query, reading, order),
                expected,
                "{query} {order:?}"
            );
        }
    }

    #[test]
    fn natural_order_counts() {
        for (a, b) in [
            ("9", "10"),
            ("a9b", "a10a"),
            ("a", "a1"),
            ("1", "a"),
            ("a2", "b1"),
        ] {
            assert_eq!(natural(a, b), Ordering::Less, "{a} {b}");
            assert_eq!(natural(b, a), Ordering::Greater, "{a} {b}");
        }
        assert_eq!(natural("a01", "a1"), Ordering::Equal);
    }

    proptest! {
        /// Nothing received is left out, whatever the order; sorting never panics.
        #[test]
        fn every_order_keeps_every_pair(query in "[a-cA-C0-9=&+%!*~]{0,60}") {
            let sorted = |text: &str| {
                let mut parts: Vec<String> = text.split('&').map(str::to_owned).collect();
                parts.sort();
                parts
            };
            let expected = sorted(&parameters(&query, Reading::AsSent, Order::Rfc5849));
            for order in [Order::Text, Order::JavaScript, Order::Natural, Order::Ruby] {
                prop_assert_eq!(&sorted(&parameters(&query, Reading::AsSent, order)), &expected);
            }
        }
    }
}
