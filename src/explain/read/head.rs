//! The lines before a body: request or status line, and headers (RFC 9112).

use super::ReadError;
use chrono::{DateTime, Utc};

/// The methods that are looked for where a request may begin anywhere.
const METHODS: [&str; 7] = ["GET", "POST", "PUT", "DELETE", "PATCH", "HEAD", "OPTIONS"];

/// A request's first line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct RequestLine {
    pub(super) method: String,
    pub(super) target: String,
}

impl RequestLine {
    /// `POST /issuers HTTP/1.1`
    pub(super) fn parse(line: &str) -> Option<Self> {
        let mut words = line.trim_end().split(' ');
        let (method, target, version) = (words.next()?, words.next()?, words.next()?);
        let legal = |b: u8| b.is_ascii_alphabetic() || b == b'-';
        let is_request = words.next().is_none()
            && !method.is_empty()
            && method.bytes().all(legal)
            && !target.is_empty()
            && version.starts_with("HTTP/");
        is_request.then(|| Self {
            method: method.to_owned(),
            target: target.to_owned(),
        })
    }

    /// The same behind something else, as in `tcpdump -A`; also where it begins.
    pub(super) fn find(line: &str) -> Option<(usize, Self)> {
        METHODS.iter().find_map(|method| {
            let at = line.find(&format!("{method} "))?;
            Some((at, Self::parse(line.get(at..)?)?))
        })
    }
}

/// The status of `HTTP/1.1 401 Unauthorized`.
pub(super) fn status(line: &str) -> Option<u16> {
    let mut words = line.trim_end().split(' ');
    let version = words.next()?;
    let status = words.next()?.parse().ok()?;
    (version.starts_with("HTTP/") && (100..600).contains(&status)).then_some(status)
}

/// Name and value of a header line; `number` is the line's, for the error.
pub(super) fn header(line: &str, number: usize) -> Result<(String, String), ReadError> {
    if line.starts_with([' ', '\t']) {
        let rule = "a header must be in one line: this one begins with white space";
        return Err(ReadError::at_line(number, rule));
    }
    // Pseudo-headers of HTTP/2 begin with a colon.
    let colon = line.get(1..).and_then(|rest| rest.find(':'));
    let cut = colon.map(|at| line.split_at(at + 1));
    let Some((name, value)) = cut.filter(|(name, _)| !name.contains([' ', '\t'])) else {
        return Err(ReadError::at_line(number, "a header must be name: value"));
    };
    let value = value.strip_prefix(':').unwrap_or(value);
    Ok((name.to_owned(), value.trim().to_owned()))
}

/// The first header of a name.
pub(super) fn named<'h>(headers: &'h [(String, String)], name: &str) -> Option<&'h str> {
    let mut headers = headers.iter();
    headers
        .find(|(known, _)| known.eq_ignore_ascii_case(name))
        .map(|(_, value)| value.as_str())
}

/// The moment in an answer's `Date`.
pub(super) fn date(headers: &[(String, String)]) -> Option<DateTime<Utc>> {
    let date = DateTime::parse_from_rfc2822(named(headers, "date")?).ok()?;
    Some(date.to_utc())
}
