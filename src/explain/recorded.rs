//! A call as it came over the wire, kept for later.

use crate::recording::RecordedCall;
use chrono::{DateTime, Utc};

/// A recorded call. Headers may hold secrets and the body personal data: it has no `Debug`.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Recorded {
    /// `POST`, as it came.
    pub method: String,
    /// The request target as it came: `/issuers/users?lang=sv`, or a whole URL.
    pub target: String,
    /// Name and value of each header, in their order.
    pub headers: Vec<(String, String)>,
    /// The body's bytes, empty if there was none.
    pub body: Vec<u8>,
    /// Bytes of the body that are not here: nothing is said of the body then.
    pub missing: usize,
    /// When it came; `None`: not known.
    pub at: Option<DateTime<Utc>>,
    /// What was answered, if that is known.
    pub answer: Option<Answer>,
}

/// The answer to a recorded call.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Answer {
    /// HTTP status.
    pub status: u16,
    /// The body as it went out.
    pub body: Vec<u8>,
    /// The fault that the sandbox was asked for, if this is one.
    pub fault: Option<String>,
}

/// A call as the sandbox keeps it.
impl From<&RecordedCall> for Recorded {
    fn from(call: &RecordedCall) -> Self {
        let RecordedCall {
            request, answer, ..
        } = call;
        Self {
            method: request.method.clone(),
            target: request.url.clone(),
            headers: request.headers.clone(),
            body: request.body.bytes().to_vec(),
            missing: request
                .body
                .length()
                .saturating_sub(request.body.bytes().len()),
            at: Some(request.received),
            answer: Some(Answer {
                status: answer.status,
                body: answer.body.bytes().to_vec(),
                fault: answer.fault.clone(),
            }),
        }
    }
}

impl Recorded {
    /// The first header of this name, in any case.
    pub fn header(&self, name: &str) -> Option<&str> {
        let mut headers = self.headers.iter();
        headers
            .find(|(known, _)| known.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_str())
    }

    /// Every header of this name, in any case.
    pub fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.headers
            .iter()
            .filter(move |(known, _)| known.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_str())
    }

    /// The path of the target, as it came.
    pub fn path(&self) -> &str {
        let target = self.origin_form();
        target.split_once('?').map_or(target, |(path, _)| path)
    }

    /// What follows the target's first `?`.
    pub fn query(&self) -> Option<&str> {
        self.origin_form().split_once('?').map(|(_, query)| query)
    }

    /// `host[:port]` as the client named it.
    pub(super) fn authority(&self) -> Option<&str> {
        let absolute = self.target.split_once("://").map(|(_, rest)| {
            let end = rest.find(['/', '?']).unwrap_or(rest.len());
            rest.get(..end).unwrap_or_default()
        });
        absolute
            .or_else(|| self.header("host"))
            .or_else(|| self.header(":authority"))
    }

    /// The target without scheme and host, and without a fragment.
    fn origin_form(&self) -> &str {
        let target = match self.target.split_once("://") {
            Some((_, rest)) => match rest.find(['/', '?']) {
                Some(at) => rest.get(at..).unwrap_or_default(),
                None => "/",
            },
            None => &self.target,
        };
        target.split('#').next().unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn targets_are_cut_without_touching_them() {
        for (target, path, query, authority) in [
            ("/a%2Fb/?x=/y?z", "/a%2Fb/", Some("x=/y?z"), None),
            ("https://H:8443/p?q#f", "/p", Some("q"), Some("H:8443")),
            ("http://h", "/", None, Some("h")),
            ("http://h?x", "", Some("x"), Some("h")),
            ("", "", None, None),
        ] {
            let call = Recorded {
                target: target.into(),
                ..Recorded::default()
            };
            assert_eq!((call.path(), call.query()), (path, query), "{target}");
            assert_eq!(call.authority(), authority, "{target}");
        }
    }
}
