//! Calls as a sandbox keeps them: in memory, bounded, for the person who integrates a client.
//!
//! `serve` never makes an [`Observer`] or a [`Log`], so nothing of this is kept in production. A
//! recorded call holds card data in clear. It is neither written to disk nor logged: no type here
//! has `Debug` or is serialized.
//!
//! - [`RecordedCall`]: one call, as it came and as it was answered
//! - [`Observer`]: what the gateway tells about a call while it works on it
//! - [`Log`]: the last calls, and who waits for the next one

mod log;
mod observer;

pub use log::{CALLS, Log, TOTAL_BYTES};
pub use observer::Observer;

use crate::timeline::Step;
use chrono::{DateTime, Utc};
use std::time::Duration;
use zeroize::Zeroize;

/// As many bytes of each body are kept. A year of a cardholder's transactions fits.
pub const BODY_BYTES: usize = 256 * 1024;

/// One call: what came, what went out, and what the gateway found in between.
pub struct RecordedCall {
    /// Counts the calls of this run, from 1. [`Log::add`] gives it.
    pub number: u64,
    /// The answer's `X-Request-Id`, which the log and the audit trail have too.
    pub request_id: String,
    /// As it came.
    pub request: RecordedRequest,
    /// As it went out.
    pub answer: RecordedAnswer,
    /// What the gateway learned while it worked on the call.
    pub findings: Findings,
    /// From the head of the request to the answer.
    pub elapsed: Duration,
}

impl RecordedCall {
    /// Whether the gateway refused it.
    pub fn is_refused(&self) -> bool {
        self.answer.status >= 400
    }

    /// Bytes that it takes in memory, roughly.
    fn weight(&self) -> usize {
        let headers = |headers: &Headers| -> usize {
            let sizes = headers
                .iter()
                .map(|(name, value)| name.len() + value.len() + 48);
            sizes.sum()
        };
        let found = &self.findings;
        let bodies = [
            Some(&self.request.body),
            Some(&self.answer.body),
            found.clear_request.as_ref(),
            found.clear_answer.as_ref(),
        ];
        let bodies = bodies.into_iter().flatten().map(|body| body.bytes.len());
        size_of::<Self>()
            + self.request.url.len()
            + headers(&self.request.headers)
            + headers(&self.answer.headers)
            + bodies.sum::<usize>()
    }
}

/// Names in lower case and values, in the order in which they came as far as that is known.
pub type Headers = Vec<(String, String)>;

/// A request as it came over the wire, or as a tool has noted it down.
pub struct RecordedRequest {
    /// When its head had come.
    pub received: DateTime<Utc>,
    /// `POST`, `PUT`, … as sent.
    pub method: String,
    /// The address as the client called it, not decoded: `http://127.0.0.1:8080/issuers/users?a=b`.
    /// The host is that of its `Host` header.
    pub url: String,
    /// `HTTP/1.1`
    pub version: String,
    /// Bytes that are no UTF-8 are shown as U+FFFD.
    pub headers: Headers,
    /// As sent: sealed, if it was.
    pub body: Body,
}

impl RecordedRequest {
    /// The value of a header that came once; `name` is in lower case.
    pub fn header(&self, name: &str) -> Option<&str> {
        let mut values = self.headers.iter().filter(|(known, _)| known == name);
        let (_, value) = values.next()?;
        values.next().is_none().then_some(value.as_str())
    }
}

/// An answer as it went out.
pub struct RecordedAnswer {
    /// HTTP status.
    pub status: u16,
    /// As the gateway wrote them; the connection's own are missing.
    pub headers: Headers,
    /// As sent: sealed, if it was.
    pub body: Body,
    /// The stable name of the refusal, which the answer does not tell; `None`: done.
    pub reason: Option<&'static str>,
    /// What the log says beside the reason.
    pub detail: Option<&'static str>,
    /// The fault that the sandbox was asked to make, in words.
    pub fault: Option<String>,
}

/// What the gateway learned while it worked on a call. Empty where it did not get that far.
#[derive(Default)]
pub struct Findings {
    /// The proven caller.
    pub caller: Option<FoundCaller>,
    /// `JWE` or `field-level`.
    pub envelope: Option<&'static str>,
    /// The fingerprint of the gateway key that opened the payload, in hex.
    pub key: Option<String>,
    /// The payload that was opened: a JSON object.
    pub clear_request: Option<Body>,
    /// The answer before it was sealed: JSON. `None`: it went out in clear.
    pub clear_answer: Option<Body>,
    /// How long each step took, in the order in which they were done.
    pub steps: Vec<(Step, Duration)>,
}

/// An issuer whose signature verified.
pub struct FoundCaller {
    /// `client_id` of the issuer.
    pub client_id: String,
    /// The name that it goes by.
    pub name: String,
    /// `CLIENT_ID!KEY_ID`
    pub consumer_key: String,
}

/// A body, or its first [`BODY_BYTES`]. Wiped on drop.
pub struct Body {
    bytes: Vec<u8>,
    length: usize,
}

impl Body {
    /// The whole of it, however long: for requests that a tool has noted down.
    pub fn whole(bytes: Vec<u8>) -> Self {
        let length = bytes.len();
        Self { bytes, length }
    }

    /// At most [`BODY_BYTES`] of it.
    pub fn capped(body: &[u8]) -> Self {
        Self {
            bytes: body.get(..BODY_BYTES).unwrap_or(body).to_vec(),
            length: body.len(),
        }
    }

    /// What is kept of it.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Bytes that it had on the wire.
    pub fn length(&self) -> usize {
        self.length
    }

    /// Whether nothing is missing at its end.
    pub fn is_whole(&self) -> bool {
        self.bytes.len() == self.length
    }
}

impl Drop for Body {
    fn drop(&mut self) {
        self.bytes.zeroize();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_body_keeps_its_beginning_and_its_length() {
        let long = vec![b'a'; BODY_BYTES + 1];
        let body = Body::capped(&long);
        assert_eq!(
            (body.bytes().len(), body.length(), body.is_whole()),
            (BODY_BYTES, BODY_BYTES + 1, false)
        );
        assert!(Body::capped(&long[1..]).is_whole());
        assert!(Body::whole(long).is_whole());
    }

    #[test]
    fn a_header_counts_if_it_came_once() {
        let header = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        let request = RecordedRequest {
            received: DateTime::UNIX_EPOCH,
            method: "GET".to_owned(),
            url: "http://localhost/".to_owned(),
            version: "HTTP/1.1".to_owned(),
            headers: vec![header("a", "1"), header("b", "2"), header("b", "3")],
            body: Body::whole(Vec::new()),
        };
        assert_eq!(request.header("a"), Some("1"));
        assert_eq!(request.header("b"), None);
        assert_eq!(request.header("c"), None);
    }
}
