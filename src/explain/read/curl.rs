//! Output of `curl -v`. It does not show the body that was sent; the command line may, if it was
//! saved with the output.

use super::super::recorded::{Answer, Recorded};
use super::head::{self, RequestLine};
use super::{Found, ReadError};

/// The line that a request begins with.
pub(super) fn is_request_line(line: &[u8]) -> bool {
    let line = std::str::from_utf8(line).ok();
    line.and_then(|line| line.strip_prefix("> "))
        .is_some_and(|line| RequestLine::parse(line).is_some())
}

pub(super) fn read(text: &[u8]) -> Result<Vec<Found>, ReadError> {
    let text = String::from_utf8_lossy(text);
    let mut found: Vec<Found> = Vec::new();
    let mut command = String::new();
    let mut answered = false;
    for (line, number) in text.split('\n').zip(1..) {
        let line = line.strip_suffix('\r').unwrap_or(line);
        let sent = line.strip_prefix('>').map(str::trim_start);
        if let Some(request) = sent.and_then(RequestLine::parse) {
            found.push(Found {
                call: Recorded {
                    method: request.method,
                    target: request.target,
                    ..Recorded::default()
                },
                ..Found::default()
            });
            answered = false;
            continue;
        }
        let Some(last) = found.last_mut() else {
            command.push_str(line);
            command.push('\n');
            continue;
        };
        if let Some(header) = sent {
            if !header.is_empty() {
                last.call.headers.push(head::header(header, number)?);
            }
        } else if let Some(header) = line.strip_prefix("< ").or_else(|| line.strip_prefix('<')) {
            if let Some(status) = head::status(header) {
                last.call.answer = Some(Answer {
                    status,
                    ..Answer::default()
                });
                answered = true;
            } else if let Ok(header) = head::header(header, number)
                && let Some(date) = head::date(&[header])
            {
                last.call.at = Some(date);
            }
        } else if answered && !is_note(line) {
            received(last, line);
        }
    }
    for found in &mut found {
        finish(found, &command);
    }
    Ok(found)
}

/// Lines of curl's own.
fn is_note(line: &str) -> bool {
    let data = |open: &str| line.starts_with(open) && line.ends_with(" bytes data]");
    line.starts_with("* ") || data("{ [") || data("} [") || line == "*"
}

/// A line of the answer's body; curl's last note may stand behind it.
fn received(found: &mut Found, line: &str) {
    let end = line.find("* Connection #").unwrap_or(line.len());
    if let Some(answer) = &mut found.call.answer {
        answer
            .body
            .extend(line.get(..end).unwrap_or_default().bytes());
        answer.body.push(b'\n');
    }
}

/// The body, from the command line.
fn finish(found: &mut Found, command: &str) {
    let length = found.call.header("content-length");
    let length = length.and_then(|length| length.parse::<usize>().ok());
    let Some(length) = length.filter(|length| *length > 0) else {
        return;
    };
    match data(command) {
        Some(Data::Text(body)) if body.len() == length => found.call.body = body.into_bytes(),
        Some(Data::Text(body)) => {
            found.remarks.push(format!(
                "The command line has a body of {} bytes, and {length} were sent.",
                body.len()
            ));
            found.call.missing = length;
        }
        Some(Data::File(name)) => {
            found
                .remarks
                .push(format!("curl read the body from {name}."));
            found.call.missing = length;
        }
        None => found.call.missing = length,
    }
}

/// What a command line says about the body.
#[derive(Debug, PartialEq, Eq)]
enum Data {
    Text(String),
    File(String),
}

fn data(command: &str) -> Option<Data> {
    let start = command.find("curl ")?;
    let words = words(command.get(start..)?);
    let mut words = words.iter();
    let mut texts: Vec<String> = Vec::new();
    while let Some(word) = words.next() {
        let (name, value) = match word.split_once('=') {
            Some((name, value)) if name.starts_with("--") => (name, Some(value.to_owned())),
            _ => (word.as_str(), None),
        };
        let short = word.strip_prefix("-d").filter(|rest| !rest.is_empty());
        let value = match (name, short) {
            ("-d" | "--data" | "--data-ascii" | "--data-binary" | "--data-raw" | "--json", _) => {
                value.or_else(|| words.next().cloned())?
            }
            (_, Some(rest)) if !word.starts_with("--") => rest.to_owned(),
            _ => continue,
        };
        match value.strip_prefix('@') {
            Some(file) if name != "--data-raw" => return Some(Data::File(file.to_owned())),
            _ => texts.push(value),
        }
    }
    (!texts.is_empty()).then(|| Data::Text(texts.join("&")))
}

/// The words of a POSIX command line, up to its end.
fn words(text: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut characters = text.chars().peekable();
    while let Some(c) = characters.next() {
        match c {
            '\\' => match characters.next() {
                Some('\n') | None => {}
                Some(escaped) => word.get_or_insert_default().push(escaped),
            },
            '\'' => {
                let word = word.get_or_insert_default();
                word.extend(characters.by_ref().take_while(|c| *c != '\''));
            }
            '"' => quoted(&mut characters, word.get_or_insert_default()),
            '\n' => break,
            c if c.is_whitespace() => words.extend(word.take()),
            c => word.get_or_insert_default().push(c),
        }
    }
    words.extend(word);
    words
}

/// Up to the closing double quote.
fn quoted(characters: &mut std::iter::Peekable<std::str::Chars<'_>>, word: &mut String) {
    while let Some(c) = characters.next() {
        match c {
            '"' => return,
            '\\' => match characters.next() {
                Some(escaped @ ('"' | '\\' | '$' | '`')) => word.push(escaped),
                Some('\n') | None => {}
                Some(other) => {
                    word.push('\\');
                    word.push(other);
                }
            },
            c => word.push(c),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_body_is_read_out_of_the_command_line() {
        let text = |text: &str| Some(Data::Text(text.to_owned()));
        for (command, expected) in [
            (
                r#"$ curl -v -d '{"a":"b c"}' http://h"#,
                text(r#"{"a":"b c"}"#),
            ),
            (
                "curl -v \\\n  --data-binary \"{\\\"a\\\": 1}\" \\\n http://h",
                text(r#"{"a": 1}"#),
            ),
            ("curl --data=x -d y http://h", text("x&y")),
            ("curl -dx http://h", text("x")),
            ("curl --data-raw @x http://h", text("@x")),
            ("curl --json '{}' http://h", text("{}")),
            (
                "curl -d @body.json http://h",
                Some(Data::File("body.json".to_owned())),
            ),
            ("curl -v http://h\n-d x", None),
            ("nothing", None),
        ] {
            assert_eq!(data(command), expected, "{command}");
        }
    }
}
