//! Raw HTTP/1.1: one request or several, each with its answer or without.

use super::super::recorded::{Answer, Recorded};
use super::head::{self, RequestLine};
use super::{Found, ReadError};

/// What is left of a file.
struct Rest<'t> {
    text: &'t [u8],
    /// The number of the line that comes next.
    line: usize,
}

impl<'t> Rest<'t> {
    /// The next line without its end; `None` at the end of the file.
    fn line(&mut self) -> Option<&'t [u8]> {
        if self.text.is_empty() {
            return None;
        }
        let end = self.text.iter().position(|byte| *byte == b'\n');
        let (line, rest) = match end {
            Some(end) => self.text.split_at(end + 1),
            None => (self.text, &[][..]),
        };
        self.text = rest;
        self.line += 1;
        let line = line.strip_suffix(b"\n").unwrap_or(line);
        Some(line.strip_suffix(b"\r").unwrap_or(line))
    }

    /// So many bytes, or what is there.
    fn take(&mut self, length: usize) -> &'t [u8] {
        let (taken, rest) = self.text.split_at(length.min(self.text.len()));
        self.line += taken.iter().filter(|byte| **byte == b'\n').count();
        self.text = rest;
        taken
    }

    /// Leaves out blank lines.
    fn skip_blank(&mut self) {
        let start = self.text.len() - self.text.trim_ascii_start().len();
        self.take(start);
    }

    /// Header lines up to the blank one.
    fn headers(&mut self) -> Result<Vec<(String, String)>, ReadError> {
        let mut headers = Vec::new();
        loop {
            let number = self.line;
            match self.line() {
                None | Some(b"") => return Ok(headers),
                Some(line) => headers.push(head::header(&String::from_utf8_lossy(line), number)?),
            }
        }
    }

    /// The body that the headers announce; without an announcement up to `end`.
    fn body(
        &mut self,
        headers: &[(String, String)],
        end: impl Fn(&[u8]) -> usize,
        remarks: &mut Vec<String>,
    ) -> Result<Vec<u8>, ReadError> {
        let coding = head::named(headers, "transfer-encoding").unwrap_or_default();
        if coding.to_ascii_lowercase().contains("chunked") {
            return self.chunks();
        }
        let Some(length) = head::named(headers, "content-length") else {
            let length = end(self.text);
            return Ok(self.take(length).to_vec());
        };
        let Ok(length) = length.parse::<usize>() else {
            let rule = "Content-Length must be a number";
            return Err(ReadError::at_line(self.line, rule));
        };
        let body = self.take(length);
        if body.len() < length {
            remarks.push(format!(
                "Content-Length says {length} bytes, and the file has {} of them.",
                body.len()
            ));
        }
        Ok(body.to_vec())
    }

    /// A chunked body (RFC 9112, 7.1).
    fn chunks(&mut self) -> Result<Vec<u8>, ReadError> {
        let mut body = Vec::new();
        loop {
            let number = self.line;
            let line = self.line().unwrap_or_default();
            let size = String::from_utf8_lossy(line);
            let size = size.split(';').next().unwrap_or_default().trim();
            let Ok(size) = usize::from_str_radix(size, 16) else {
                let rule = "a chunk must begin with its size in hex";
                return Err(ReadError::at_line(number, rule));
            };
            if size == 0 {
                self.headers()?;
                return Ok(body);
            }
            let chunk = self.take(size);
            if chunk.len() < size {
                return Err(ReadError::at_line(
                    self.line,
                    "the last chunk must be whole",
                ));
            }
            body.extend(chunk);
            self.line();
        }
    }
}

pub(super) fn read(text: &[u8]) -> Result<Vec<Found>, ReadError> {
    let mut rest = Rest { text, line: 1 };
    let mut found: Vec<Found> = Vec::new();
    loop {
        rest.skip_blank();
        let number = rest.line;
        let Some(line) = rest.line() else {
            return Ok(found);
        };
        let line = String::from_utf8_lossy(line).into_owned();
        if let Some((_, request)) = RequestLine::find(&line) {
            let headers = rest.headers()?;
            let mut remarks = Vec::new();
            // These have a body only if they announce one.
            let bare = matches!(request.method.as_str(), "GET" | "HEAD" | "DELETE");
            let end: fn(&[u8]) -> usize = if bare { |_| 0 } else { request_end };
            let body = rest.body(&headers, end, &mut remarks)?;
            found.push(Found {
                call: Recorded {
                    method: request.method,
                    target: request.target,
                    headers,
                    body,
                    missing: 0,
                    at: None,
                    answer: None,
                },
                remarks,
            });
        } else if let (Some(status), Some(last)) = (head::status(&line), found.last_mut()) {
            let headers = rest.headers()?;
            // 100 Continue has no body, and the answer comes after it.
            if status < 200 {
                continue;
            }
            let mut remarks = Vec::new();
            let body = rest.body(&headers, answer_end, &mut remarks)?;
            last.call.at = head::date(&headers);
            last.call.answer = Some(Answer {
                status,
                body,
                fault: None,
            });
        } else {
            let rule = match found.is_empty() {
                true => {
                    "must be a HAR file, output of curl -v or curl --trace, or an HTTP request \
                     that begins with METHOD TARGET HTTP/1.1"
                }
                false => "what follows a body must be an answer or the next request",
            };
            return Err(ReadError::at_line(number, rule));
        }
    }
}

/// Where a request's body without an announced length ends: before an answer, or with the file.
/// (By RFC 9112 it is empty; who copies a request may leave the header out.)
fn request_end(text: &[u8]) -> usize {
    let mut at = 0;
    for line in text.split_inclusive(|byte| *byte == b'\n') {
        if line.starts_with(b"HTTP/") && head::status(&String::from_utf8_lossy(line)).is_some() {
            let before = text.get(..at).unwrap_or_default();
            return before.trim_ascii_end().len();
        }
        at += line.len();
    }
    text.len()
}

/// Where an answer's does: before the next request, or with the file.
fn answer_end(text: &[u8]) -> usize {
    let mut at = 0;
    for line in text.split_inclusive(|byte| *byte == b'\n') {
        if RequestLine::find(&String::from_utf8_lossy(line)).is_some() {
            return at;
        }
        at += line.len();
    }
    text.len()
}
