//! Calls out of files that tools have written: HAR, curl's `-v`, `--trace` and `--trace-ascii`, raw
//! HTTP as tcpdump and mitmproxy show it.

mod curl;
mod har;
mod head;
mod raw;
mod trace;

use super::endpoint::Endpoint;
use super::recorded::Recorded;

/// A call out of a file.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Found {
    /// The call.
    pub call: Recorded,
    /// What a reader of the explanation has to know about the file.
    pub remarks: Vec<String>,
}

/// Why a file holds no call.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{place}: {rule}")]
pub struct ReadError {
    /// `line 3`, or the path of a member of a HAR file.
    pub place: String,
    /// The rule that it breaks.
    pub rule: String,
}

impl ReadError {
    fn at_line(line: usize, rule: impl Into<String>) -> Self {
        Self {
            place: format!("line {line}"),
            rule: rule.into(),
        }
    }
}

/// Largest file that is read, in bytes.
pub const MOST_BYTES: usize = 64 << 20;

/// Every call of a file, in its order; of a HAR file with other requests in it those of the issuer
/// API alone.
///
/// # Errors
/// The file is of no form that is known, or breaks the rules of its form.
pub fn read(file: &[u8]) -> Result<Vec<Found>, ReadError> {
    if file.len() > MOST_BYTES {
        return Err(ReadError::at_line(
            1,
            format!("the file must have at most {MOST_BYTES} bytes"),
        ));
    }
    let text = crate::json::without_bom(file);
    let start = text.trim_ascii_start();
    if start.is_empty() {
        return Err(ReadError::at_line(1, "the file must not be empty"));
    }
    let lines = || text.split(|byte| *byte == b'\n');
    let found = if start.starts_with(b"{") {
        har::read(text)?
    } else if lines().any(trace::is_heading) {
        trace::read(text)?
    } else if lines().any(curl::is_request_line) {
        curl::read(text)?
    } else {
        raw::read(text)?
    };
    if found.is_empty() {
        return Err(ReadError::at_line(1, "the file must hold a request"));
    }
    Ok(relevant(found))
}

/// Those of the issuer API, if there are any.
fn relevant(found: Vec<Found>) -> Vec<Found> {
    let is = |found: &Found| {
        let signed = found.call.header("authorization");
        let signed = signed.is_some_and(|value| value.to_ascii_lowercase().starts_with("oauth "));
        let path = found.call.path();
        signed
            || Endpoint::ALL
                .iter()
                .any(|endpoint| path.ends_with(endpoint.path))
    };
    match found.iter().any(is) {
        true => found.into_iter().filter(is).collect(),
        false => found,
    }
}

#[cfg(test)]
mod tests;
