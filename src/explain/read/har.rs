//! HAR (HTTP Archive 1.2), as browsers, proxies and API clients export it.

use super::super::recorded::{Answer, Recorded};
use super::{Found, ReadError};
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use chrono::DateTime;
use serde_json::Value;

pub(super) fn read(text: &[u8]) -> Result<Vec<Found>, ReadError> {
    let file: Value = serde_json::from_slice(text).map_err(|error| {
        let fault = error.to_string();
        let end = fault.rfind(" at line ").unwrap_or(fault.len());
        let fault = fault.get(..end).unwrap_or_default();
        ReadError::at_line(
            error.line().max(1),
            format!("the file must be JSON: {fault}"),
        )
    })?;
    let entries = file.pointer("/log/entries").and_then(Value::as_array);
    let entries = entries.ok_or_else(|| broken("log.entries", "must be an array, as in HAR"))?;
    let read = |(index, entry): (usize, &Value)| {
        Entry {
            entry,
            place: format!("log.entries[{index}]"),
        }
        .read()
    };
    entries.iter().enumerate().map(read).collect()
}

fn broken(place: impl Into<String>, rule: &str) -> ReadError {
    ReadError {
        place: place.into(),
        rule: rule.to_owned(),
    }
}

struct Entry<'v> {
    entry: &'v Value,
    place: String,
}

impl Entry<'_> {
    fn read(&self) -> Result<Found, ReadError> {
        let started = self.entry.get("startedDateTime").and_then(Value::as_str);
        let at = started
            .map(|text| {
                DateTime::parse_from_rfc3339(text)
                    .map_err(|_| self.broken("startedDateTime", "must be an RFC 3339 time"))
            })
            .transpose()?;
        let url = self.text("request/url")?;
        let post = self.entry.pointer("/request/postData");
        let body = match post {
            Some(post) => self.body(post, "request.postData")?,
            None => Vec::new(),
        };
        let said = self.entry.pointer("/request/bodySize");
        let said = said.and_then(Value::as_u64).filter(|size| *size > 0);
        let missing = said.filter(|_| body.is_empty());
        Ok(Found {
            call: Recorded {
                method: self.text("request/method")?.to_owned(),
                target: url.to_owned(),
                headers: self.headers("request/headers")?,
                missing: missing.map_or(0, |size| usize::try_from(size).unwrap_or(usize::MAX)),
                body,
                at: at.map(|at| at.to_utc()),
                answer: self.answer()?,
            },
            remarks: Vec::new(),
        })
    }

    fn answer(&self) -> Result<Option<Answer>, ReadError> {
        let status = self
            .entry
            .pointer("/response/status")
            .and_then(Value::as_u64);
        // 0: nothing was answered.
        let status = status.and_then(|status| u16::try_from(status).ok());
        let Some(status) = status.filter(|status| *status >= 100) else {
            return Ok(None);
        };
        let content = self.entry.pointer("/response/content");
        let body = match content {
            Some(content) => self.body(content, "response.content")?,
            None => Vec::new(),
        };
        Ok(Some(Answer {
            status,
            body,
            fault: None,
        }))
    }

    /// `text`, in base64 if `encoding` says so.
    fn body(&self, content: &Value, place: &str) -> Result<Vec<u8>, ReadError> {
        let text = match content.get("text") {
            None | Some(Value::Null) => return Ok(Vec::new()),
            Some(Value::String(text)) => text,
            Some(_) => return Err(self.broken(&format!("{place}.text"), "must be a string")),
        };
        match content.get("encoding").and_then(Value::as_str) {
            Some("base64") => BASE64_STANDARD.decode(text).map_err(|_| {
                self.broken(&format!("{place}.text"), "must be base64, as encoding says")
            }),
            _ => Ok(text.clone().into_bytes()),
        }
    }

    fn headers(&self, path: &str) -> Result<Vec<(String, String)>, ReadError> {
        let headers = self.entry.pointer(&format!("/{path}"));
        let Some(headers) = headers else {
            return Ok(Vec::new());
        };
        let name = path.replace('/', ".");
        let headers = headers
            .as_array()
            .ok_or_else(|| self.broken(&name, "must be an array"))?;
        let read = |(index, header): (usize, &Value)| {
            let text = |member: &str| {
                let value = header.get(member).and_then(Value::as_str);
                let place = format!("{name}[{index}].{member}");
                value
                    .map(str::to_owned)
                    .ok_or_else(|| self.broken(&place, "must be a string"))
            };
            Ok((text("name")?, text("value")?))
        };
        headers.iter().enumerate().map(read).collect()
    }

    fn text(&self, path: &str) -> Result<&str, ReadError> {
        let value = self
            .entry
            .pointer(&format!("/{path}"))
            .and_then(Value::as_str);
        value.ok_or_else(|| self.broken(&path.replace('/', "."), "must be a string"))
    }

    fn broken(&self, member: &str, rule: &str) -> ReadError {
        broken(format!("{}.{member}", self.place), rule)
    }
}
