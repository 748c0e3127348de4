//! Output of `curl --trace` (hex, exact) and `curl --trace-ascii` (a dot for each byte that is not
//! printable).

use super::super::authorization::parameter;
use super::super::codec;
use super::super::digest::Hash;
use super::super::recorded::{Answer, Recorded};
use super::head::{self, RequestLine};
use super::{Found, ReadError};
use crate::oauth1::Authorization;

/// What a section holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    SentHeader,
    SentData,
    GotHeader,
    GotData,
    Other,
}

/// A section's heading: its kind and its size in bytes.
fn heading(line: &str) -> Option<(Kind, usize)> {
    // --trace-time and --trace-ids put something before it.
    let at = ["=> Send ", "<= Recv ", "== Info: "]
        .iter()
        .find_map(|start| line.find(start).filter(|at| *at <= 32))?;
    let text = line.get(at..)?;
    let size = || {
        let (_, rest) = text.split_once(", ")?;
        rest.split(' ').next()?.parse().ok()
    };
    let kinds = [
        ("=> Send header", Kind::SentHeader),
        ("=> Send data", Kind::SentData),
        ("<= Recv header", Kind::GotHeader),
        ("<= Recv data", Kind::GotData),
    ];
    let known = kinds.iter().find(|(start, _)| text.starts_with(start));
    match known {
        Some((_, kind)) => Some((*kind, size()?)),
        None => Some((Kind::Other, 0)),
    }
}

pub(super) fn is_heading(line: &[u8]) -> bool {
    let is = |kind| matches!(kind, Kind::SentHeader | Kind::SentData);
    std::str::from_utf8(line)
        .ok()
        .and_then(heading)
        .is_some_and(|(kind, _)| is(kind))
}

/// One section.
struct Section {
    kind: Kind,
    bytes: Vec<u8>,
    /// Every byte is known.
    exact: bool,
}

pub(super) fn read(text: &[u8]) -> Result<Vec<Found>, ReadError> {
    let text = String::from_utf8_lossy(text);
    let mut found: Vec<Found> = Vec::new();
    let mut exact = true;
    for section in sections(&text)? {
        let last = found.last_mut();
        match (section.kind, last) {
            (Kind::SentHeader, _) => {
                found.push(request(&section.bytes)?);
                exact = true;
            }
            (Kind::SentData, Some(last)) => {
                last.call.body.extend(&section.bytes);
                exact &= section.exact;
                if !exact {
                    mend(last);
                }
            }
            (Kind::GotHeader, Some(last)) => answer(last, &section.bytes),
            (Kind::GotData, Some(last)) => {
                if let Some(answer) = &mut last.call.answer {
                    answer.body.extend(&section.bytes);
                }
            }
            _ => {}
        }
    }
    Ok(found)
}

fn sections(text: &str) -> Result<Vec<Section>, ReadError> {
    let mut sections = Vec::new();
    let mut lines = text.lines().zip(1..).peekable();
    while let Some((line, number)) = lines.next() {
        let Some((kind, size)) = heading(line) else {
            continue;
        };
        let mut body = Vec::new();
        while let Some((line, _)) = lines.next_if(|(line, _)| heading(line).is_none()) {
            body.push(line);
        }
        if kind == Kind::Other {
            continue;
        }
        let (bytes, exact) = match hex_dump(&body, size) {
            Some(bytes) => (bytes, true),
            None => ascii_dump(&body, size).ok_or_else(|| {
                let rule = format!("a section of {size} bytes must have lines of offset: content");
                ReadError::at_line(number, rule)
            })?,
        };
        sections.push(Section { kind, bytes, exact });
    }
    Ok(sections)
}

/// Offset and content of a line.
fn cut(line: &str) -> Option<(usize, &str)> {
    let (offset, content) = line.split_once(": ").or_else(|| {
        let offset = line.strip_suffix(':')?;
        Some((offset, ""))
    })?;
    let legal = offset.len() >= 4 && offset.bytes().all(|b| b.is_ascii_hexdigit());
    let offset = usize::from_str_radix(offset, 16).ok().filter(|_| legal)?;
    Some((offset, content))
}

/// `0000: 50 4f 53 54 ... POST`; `None` if it is not this form or not whole.
fn hex_dump(lines: &[&str], size: usize) -> Option<Vec<u8>> {
    let mut bytes: Vec<u8> = Vec::new();
    for line in lines {
        let (offset, content) = cut(line)?;
        if offset != bytes.len() {
            return None;
        }
        for pair in content
            .split(' ')
            .take(16.min(size.checked_sub(bytes.len())?))
        {
            let pair = Some(pair).filter(|pair| pair.len() == 2)?;
            bytes.push(u8::from_str_radix(pair, 16).ok()?);
        }
    }
    (bytes.len() == size).then_some(bytes)
}

/// `0000: POST /issuers HTTP/1.1`, a line for each CR LF and each 64 bytes; says whether all bytes
/// are known.
fn ascii_dump(lines: &[&str], size: usize) -> Option<(Vec<u8>, bool)> {
    let lines: Vec<(usize, &str)> = lines.iter().filter_map(|line| cut(line)).collect();
    let mut bytes = Vec::new();
    let mut exact = true;
    for (index, (offset, content)) in lines.iter().enumerate() {
        if *offset != bytes.len() {
            return None;
        }
        bytes.extend(content.bytes());
        exact &= !content.contains('.');
        let next = lines.get(index + 1).map_or(size, |(offset, _)| *offset);
        match next.checked_sub(bytes.len())? {
            0 => {}
            2 => bytes.extend(b"\r\n"),
            // A blank at the end that an editor has removed.
            1 => bytes.push(b' '),
            _ => return None,
        }
    }
    (bytes.len() == size).then_some((bytes, exact))
}

fn request(head: &[u8]) -> Result<Found, ReadError> {
    let text = String::from_utf8_lossy(head);
    let mut lines = text.lines();
    let first = lines.next().and_then(RequestLine::parse);
    let first = first.ok_or_else(|| {
        ReadError::at_line(
            1,
            "the header that was sent must begin with METHOD TARGET HTTP/1.1",
        )
    })?;
    let headers = lines
        .filter(|line| !line.is_empty())
        .map(|line| head::header(line, 1));
    Ok(Found {
        call: Recorded {
            method: first.method,
            target: first.target,
            headers: headers.collect::<Result<_, _>>()?,
            ..Recorded::default()
        },
        ..Found::default()
    })
}

fn answer(found: &mut Found, head: &[u8]) {
    let text = String::from_utf8_lossy(head);
    for line in text.lines() {
        if let Some(status) = head::status(line) {
            found.call.answer = Some(Answer {
                status,
                ..Answer::default()
            });
        } else if let Ok(header) = head::header(line, 1)
            && let Some(date) = head::date(&[header])
        {
            found.call.at = Some(date);
        }
    }
}

/// In a trace in ASCII a dot may stand for a line feed. Where the body hash says so, it does.
fn mend(found: &mut Found) {
    const REMARK: &str = "The trace shows a dot for each byte of the body that is not printable; \
                          curl --trace shows all bytes.";
    if !found.remarks.iter().any(|remark| remark == REMARK) {
        found.remarks.push(REMARK.to_owned());
    }
    let Some(header) = found.call.header("authorization") else {
        return;
    };
    let Ok(authorization) = Authorization::parse(header) else {
        return;
    };
    let Some(hash) = parameter(&authorization, "oauth_body_hash").map(str::to_owned) else {
        return;
    };
    let fits = |body: &[u8]| codec::to_base64(&Hash::Sha256.of(body)) == hash;
    let body = &found.call.body;
    let mut end = body.clone();
    if end.last() == Some(&b'.') {
        end.pop();
        end.push(b'\n');
    }
    let between = between_tokens(body);
    let mended = [end, between].into_iter().find(|body| fits(body));
    if let (Some(mended), false) = (mended, fits(body)) {
        found.call.body = mended;
    }
}

/// With a line feed for each dot outside of strings and numbers.
fn between_tokens(body: &[u8]) -> Vec<u8> {
    let (mut inside, mut escaped) = (false, false);
    let is_digit = |at: Option<usize>| {
        at.and_then(|at| body.get(at))
            .is_some_and(u8::is_ascii_digit)
    };
    body.iter()
        .enumerate()
        .map(|(at, byte)| {
            match byte {
                _ if escaped => escaped = false,
                b'\\' if inside => escaped = true,
                b'"' => inside = !inside,
                _ => {}
            }
            let in_number = is_digit(at.checked_sub(1)) && is_digit(Some(at + 1));
            match byte {
                b'.' if !inside && !in_number => b'\n',
                other => *other,
            }
        })
        .collect()
}
