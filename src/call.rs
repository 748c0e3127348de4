//! A call as it came over the wire. Who it is from, and how it ends: `attempt`.

use crate::ids::ClientId;
use crate::payload::FieldLevelHeaders;
use crate::recording::Observer;
use crate::refusal::Refusal;
use crate::timeline::{Step, Timeline};
use chrono::{DateTime, Utc};
use std::sync::{Arc, OnceLock};

/// What came over the wire, byte for byte; the signature covers it.
pub struct Call<'a> {
    /// `POST`, `PUT`, …
    pub method: &'a str,
    /// The path as sent, not decoded.
    pub path: &'a str,
    /// The query as sent, without `?`.
    pub query: Option<&'a str>,
    /// The `Authorization` header, if there is exactly one.
    pub authorization: Option<&'a str>,
    /// The `Content-Type` header.
    pub content_type: Option<&'a str>,
    /// The `Content-Encoding` header.
    pub content_encoding: Option<&'a str>,
    /// Field-level encryption parameters that came as headers.
    pub field_level: FieldLevelHeaders<'a>,
    /// The raw body.
    pub body: &'a [u8],
    /// Our id of this request, in the log and in the audit trail.
    pub request_id: &'a str,
    /// The peer's address, for the audit trail.
    pub peer: Option<&'a str>,
    /// Somebody on this machine called it by a name of this machine, and nothing forwarded the
    /// call.
    pub direct: bool,
    /// When it came.
    pub now: DateTime<Utc>,
    /// A sandbox watches the call; in `serve` nobody does.
    pub observer: Option<&'a Observer>,
    /// Its times, if somebody looks at them: a sandbox, or traces.
    pub timeline: Option<&'a Arc<Timeline>>,
    /// Whose it is, once its signature has verified: for the metrics.
    pub proven: &'a OnceLock<ClientId>,
}

impl Call<'_> {
    /// Notes, if somebody looks at the times, that a step has ended.
    pub fn reached(&self, step: Step) {
        if let Some(timeline) = self.timeline {
            timeline.reached(step);
        }
    }

    /// The body must be declared as JSON; parameters such as `charset` do not matter
    /// (wire-formats.md 4.1). It must come as it is, not compressed: the signature covers the bytes
    /// of the JSON text.
    ///
    /// # Errors
    /// [`Refusal::MediaType`], [`Refusal::ContentEncoding`].
    pub fn require_json(&self) -> Result<(), Refusal> {
        let media_type = self
            .content_type
            .and_then(|value| value.split(';').next())
            .unwrap_or("")
            .trim();
        if !media_type.eq_ignore_ascii_case("application/json") {
            return Err(Refusal::MediaType);
        }
        match self.content_encoding.and_then(coding) {
            Some(coding) => Err(Refusal::ContentEncoding(coding)),
            None => Ok(()),
        }
    }
}

/// The first coding of a `Content-Encoding` that changes the bytes, by its registered name.
fn coding(header: &str) -> Option<&'static str> {
    const KNOWN: [&str; 8] = [
        "gzip",
        "x-gzip",
        "deflate",
        "br",
        "zstd",
        "compress",
        "x-compress",
        "aws-chunked",
    ];
    let mut codings = header.split(',').map(str::trim);
    let coding = codings.find(|name| !name.is_empty() && !name.eq_ignore_ascii_case("identity"))?;
    let known = KNOWN
        .into_iter()
        .find(|known| known.eq_ignore_ascii_case(coding));
    Some(known.unwrap_or("another coding than identity"))
}

#[cfg(test)]
mod tests {
    use super::coding;

    #[test]
    fn codings_are_named_by_what_is_registered() {
        for (header, expected) in [
            ("", None),
            ("identity", None),
            ("Identity, ", None),
            ("gzip", Some("gzip")),
            ("identity, GZIP", Some("gzip")),
            ("br;q=1", Some("another coding than identity")),
            ("canary", Some("another coding than identity")),
        ] {
            assert_eq!(coding(header), expected, "{header}");
        }
    }
}
