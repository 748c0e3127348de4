//! A base string in the making, with every choice that a client can get wrong.

use super::super::digest::Hash;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};

/// RFC 5849, section 3.6.
const ESCAPED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

/// What `application/x-www-form-urlencoded` escapes, blanks apart.
const FORM: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'*')
    .remove(b' ');

/// In which order the pairs are joined.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Order {
    /// All by name and value: right.
    Sorted,
    /// As in the header, the query before them.
    QueryThenHeader,
    /// As in the header, the query after them.
    HeaderThenQuery,
    /// The `oauth_*` pairs sorted, the query before them as it came.
    QueryThenSorted,
    /// The `oauth_*` pairs sorted, the query after them as it came.
    SortedThenQuery,
}

/// How the query's pairs are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Query {
    /// As on the wire: right.
    AsSent,
    /// Decoded and escaped again: right, too.
    EscapedAnew,
    /// Decoded.
    Decoded,
    /// Escaped once more.
    Twice,
}

/// Which characters are escaped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Escapes {
    /// All but unreserved ones, in upper-case hex: right.
    Rfc,
    /// The same in lower-case hex.
    LowerHex,
    /// As forms do it: a blank is `+`.
    Form,
    /// All but letters and digits.
    TooMany,
}

/// What is handed to the signing function.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Wrap {
    /// The text in UTF-8: right.
    Text,
    Utf16Little,
    Utf16Big,
    /// The text's SHA-256.
    Digest,
    /// The same in hex digits.
    HexDigest,
}

/// Which of the three parts are there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Layout {
    /// `METHOD&URL&PARAMETERS`: right.
    Whole,
    WithoutMethod,
    ParametersAlone,
    WithoutAmpersands,
}

/// All of it. A draft that nothing was done to is a base string of the gateway's.
#[derive(Clone)]
pub(super) struct Draft {
    pub(super) method: String,
    /// `scheme://host[:port][/prefix]`
    pub(super) origin: String,
    pub(super) path: String,
    /// As on the wire.
    pub(super) query: Vec<(String, String)>,
    /// Decoded, in the header's order.
    pub(super) oauth: Vec<(String, String)>,
    pub(super) order: Order,
    pub(super) reading: Query,
    /// How often the `oauth_*` values are escaped before they are joined: official libraries do it
    /// never, RFC 5849 once.
    pub(super) values: u8,
    /// How often the URL is escaped: once is right.
    pub(super) url: u8,
    /// How often the joined parameters are escaped: once is right.
    pub(super) parameters: u8,
    pub(super) escapes: Escapes,
    pub(super) layout: Layout,
    pub(super) end: &'static str,
    pub(super) wrap: Wrap,
}

impl Draft {
    /// The base string.
    pub(super) fn text(&self) -> String {
        let escape = |text: String, times: u8| -> String {
            (0..times).fold(text, |text, _| self.escape(&text))
        };
        let url = escape(format!("{}{}", self.origin, self.path), self.url);
        let parameters = escape(self.joined(), self.parameters);
        let method = &self.method;
        let text = match self.layout {
            Layout::Whole => format!("{method}&{url}&{parameters}"),
            Layout::WithoutMethod => format!("{url}&{parameters}"),
            Layout::ParametersAlone => parameters,
            Layout::WithoutAmpersands => format!("{method}{url}{parameters}"),
        };
        text + self.end
    }

    /// What the signing function gets for this base string.
    pub(super) fn signed(&self, text: &str) -> Vec<u8> {
        let units = || text.encode_utf16();
        match self.wrap {
            Wrap::Text => text.as_bytes().to_vec(),
            Wrap::Utf16Little => units().flat_map(u16::to_le_bytes).collect(),
            Wrap::Utf16Big => units().flat_map(u16::to_be_bytes).collect(),
            Wrap::Digest => Hash::Sha256.of(text.as_bytes()),
            Wrap::HexDigest => hex::encode(Hash::Sha256.of(text.as_bytes())).into_bytes(),
        }
    }

    fn escape(&self, text: &str) -> String {
        match self.escapes {
            Escapes::Rfc => utf8_percent_encode(text, ESCAPED).to_string(),
            Escapes::Form => utf8_percent_encode(text, FORM)
                .to_string()
                .replace(' ', "+"),
            Escapes::TooMany => utf8_percent_encode(text, NON_ALPHANUMERIC).to_string(),
            Escapes::LowerHex => {
                let escaped = utf8_percent_encode(text, ESCAPED).to_string();
                lower_escapes(&escaped)
            }
        }
    }

    fn joined(&self) -> String {
        let read = |text: &str| -> String {
            let decoded = || percent_decode_str(text).decode_utf8_lossy().into_owned();
            match self.reading {
                Query::AsSent => text.to_owned(),
                Query::Decoded => decoded(),
                Query::EscapedAnew => self.escape(&decoded()),
                Query::Twice => self.escape(text),
            }
        };
        let query = self
            .query
            .iter()
            .map(|(name, value)| (read(name), read(value)));
        let query: Vec<(String, String)> = query.collect();
        let value =
            |text: &str| (0..self.values).fold(text.to_owned(), |text, _| self.escape(&text));
        let mut oauth: Vec<(String, String)> = self
            .oauth
            .iter()
            .map(|(name, text)| (name.clone(), value(text)))
            .collect();
        let pairs = match self.order {
            Order::Sorted => {
                let mut all = [query, oauth].concat();
                all.sort();
                all
            }
            Order::QueryThenHeader => [query, oauth].concat(),
            Order::HeaderThenQuery => [oauth, query].concat(),
            Order::QueryThenSorted => {
                oauth.sort();
                [query, oauth].concat()
            }
            Order::SortedThenQuery => {
                oauth.sort();
                [oauth, query].concat()
            }
        };
        let pairs = pairs.iter().map(|(name, value)| format!("{name}={value}"));
        pairs.collect::<Vec<_>>().join("&")
    }

    /// Sets one of the `oauth_*` values, or adds it.
    pub(super) fn set(&mut self, name: &str, value: &str) {
        match self.oauth.iter_mut().find(|(known, _)| known == name) {
            Some((_, known)) => value.clone_into(known),
            None => self.oauth.push((name.to_owned(), value.to_owned())),
        }
    }
}

/// The same escapes with lower-case digits.
fn lower_escapes(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut digits = 0;
    for c in text.chars() {
        match (c, digits) {
            ('%', _) => {
                digits = 2;
                out.push(c);
            }
            (c, 1..) => {
                digits -= 1;
                out.push(c.to_ascii_lowercase());
            }
            _ => out.push(c),
        }
    }
    out
}
