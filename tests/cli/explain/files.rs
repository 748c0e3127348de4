//! Sends requests as they are, and writes what tools would have recorded of it.

use super::world::{Request, World};
use chrono::{DateTime, Utc};
use serde_json::{Value, json};
use std::io::{Read, Write};
use std::net::TcpStream;

/// A request that was answered.
#[derive(Clone)]
pub(crate) struct Answered {
    pub(crate) request: Request,
    pub(crate) at: DateTime<Utc>,
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

/// Head and body as they go over the wire.
fn head(request: &Request) -> String {
    let mut head = format!("{} {} HTTP/1.1\r\n", request.method, request.target);
    for (name, value) in &request.headers {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    head + &format!("Content-Length: {}\r\n\r\n", request.body.len())
}

pub(crate) fn send(world: &World, request: &Request) -> Answered {
    let address = world.base_url.strip_prefix("http://").unwrap();
    let mut stream = TcpStream::connect(address).unwrap();
    let at = Utc::now();
    stream.write_all(head(request).as_bytes()).unwrap();
    stream.write_all(&request.body).unwrap();
    let mut answer = Vec::new();
    let mut piece = [0; 4_096];
    loop {
        let length = stream.read(&mut piece).unwrap();
        answer.extend(&piece[..length]);
        if length == 0 || is_whole(&answer) {
            break;
        }
    }
    let end = end_of_head(&answer).unwrap();
    let text = std::str::from_utf8(&answer[..end]).unwrap();
    let mut lines = text.lines();
    let status = lines.next().unwrap().split(' ').nth(1).unwrap();
    let headers = lines
        .filter_map(|line| line.split_once(": "))
        .map(|(name, value)| (name.to_owned(), value.to_owned()));
    Answered {
        request: request.clone(),
        at,
        status: status.parse().unwrap(),
        headers: headers.collect(),
        body: answer[end..].to_vec(),
    }
}

/// A page of the sandbox.
pub(crate) fn get(world: &World, path: &str) -> Answered {
    let host = world.base_url.strip_prefix("http://").unwrap();
    let request = Request {
        method: "GET".to_owned(),
        target: path.to_owned(),
        headers: vec![("Host".to_owned(), host.to_owned())],
        body: Vec::new(),
    };
    let answered = send(world, &request);
    assert_eq!(answered.status, 200, "{path}");
    answered
}

fn end_of_head(answer: &[u8]) -> Option<usize> {
    let at = answer.windows(4).position(|end| end == b"\r\n\r\n")?;
    Some(at + 4)
}

fn is_whole(answer: &[u8]) -> bool {
    let Some(end) = end_of_head(answer) else {
        return false;
    };
    let text = String::from_utf8_lossy(&answer[..end]).to_lowercase();
    let length = text
        .lines()
        .find_map(|line| line.strip_prefix("content-length: "));
    answer.len() >= end + length.map_or(0, |length| length.parse().unwrap())
}

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap()
}

fn answer_head(sent: &Answered) -> String {
    let mut head = format!("HTTP/1.1 {} Status\r\n", sent.status);
    for (name, value) in &sent.headers {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    head + "\r\n"
}

/// One raw exchange.
pub(crate) fn raw(sent: &Answered) -> String {
    format!(
        "{}{}\r\n{}{}",
        head(&sent.request),
        text(&sent.request.body),
        answer_head(sent),
        text(&sent.body)
    )
}

/// A HAR file.
pub(crate) fn har(calls: &[&Answered]) -> String {
    let entries: Vec<Value> = calls.iter().map(|sent| entry(sent)).collect();
    json!({"log": {"version": "1.2", "creator": {"name": "test"}, "entries": entries}}).to_string()
}

fn entry(sent: &Answered) -> Value {
    let listed = |headers: &[(String, String)]| -> Value {
        headers
            .iter()
            .map(|(name, value)| json!({"name": name, "value": value}))
            .collect()
    };
    let request = &sent.request;
    let host = request.headers.iter().find(|(name, _)| name == "Host");
    let mut entry = json!({
        "startedDateTime": sent.at.to_rfc3339(),
        "request": {"method": request.method, "httpVersion": "HTTP/1.1",
                    "url": format!("http://{}{}", host.unwrap().1, request.target),
                    "headers": listed(&request.headers)},
        "response": {"status": sent.status, "headers": listed(&sent.headers),
                     "content": {"text": text(&sent.body)}}
    });
    if !request.body.is_empty() {
        entry["request"]["postData"] = json!({"text": text(&request.body)});
    }
    entry
}

/// `curl -v`.
pub(crate) fn curl(sent: &Answered) -> String {
    let mut shown = String::from("*   Trying 127.0.0.1:8080...\n* Connected to 127.0.0.1\n");
    for line in head(&sent.request).lines() {
        shown.push_str(&format!("> {line}\r\n"));
    }
    shown.push_str(&format!(
        "}} [{} bytes data]\n* upload completely sent off: {} bytes\n",
        sent.request.body.len(),
        sent.request.body.len()
    ));
    for line in answer_head(sent).lines() {
        shown.push_str(&format!("< {line}\r\n"));
    }
    shown
        + &format!(
            "{{ [{} bytes data]\n{}* Connection #0 to host 127.0.0.1 left intact\n",
            sent.body.len(),
            text(&sent.body)
        )
}

/// `curl -v` with the command that was typed.
pub(crate) fn curl_with_command(sent: &Answered) -> String {
    format!(
        "$ curl -v -X {} -H 'Content-Type: application/json' \\\n  --data '{}' 'http://127.0.0.1{}'\n{}",
        sent.request.method,
        text(&sent.request.body),
        sent.request.target,
        curl(sent)
    )
}

/// `curl --trace`.
pub(crate) fn trace(sent: &Answered) -> String {
    let dump = |bytes: &[u8]| {
        let mut shown = String::new();
        for (index, line) in bytes.chunks(16).enumerate() {
            let hex: String = line.iter().map(|byte| format!("{byte:02x} ")).collect();
            let ascii: String = line.iter().map(|byte| printable(*byte)).collect();
            shown.push_str(&format!("{:04x}: {hex:<48}{ascii}\n", 16 * index));
        }
        shown
    };
    sections(sent, dump)
}

/// `curl --trace-ascii`.
pub(crate) fn trace_ascii(sent: &Answered) -> String {
    // As curl does it: at most 64 bytes in a line, and a new one after each CR LF.
    let dump = |bytes: &[u8]| {
        let mut shown = String::new();
        let mut at = 0;
        while at < bytes.len() {
            let rest = &bytes[at..];
            let end = rest.windows(2).position(|pair| pair == b"\r\n");
            let length = end.unwrap_or(rest.len()).min(64);
            let line: String = rest[..length].iter().map(|byte| printable(*byte)).collect();
            shown.push_str(&format!("{at:04x}: {line}\n"));
            at += length + if end == Some(length) { 2 } else { 0 };
        }
        shown
    };
    sections(sent, dump)
}

fn printable(byte: u8) -> char {
    match byte {
        b' '..=b'~' => char::from(byte),
        _ => '.',
    }
}

fn sections(sent: &Answered, dump: impl Fn(&[u8]) -> String) -> String {
    let mut shown = String::from("== Info:   Trying 127.0.0.1:8080...\n");
    let head = head(&sent.request);
    let mut section = |heading: &str, bytes: &[u8]| {
        let length = bytes.len();
        shown.push_str(&format!("{heading}, {length} bytes (0x{length:x})\n"));
        shown.push_str(&dump(bytes));
    };
    section("=> Send header", head.as_bytes());
    section("=> Send data", &sent.request.body);
    for line in answer_head(sent).split_inclusive("\r\n") {
        section("<= Recv header", line.as_bytes());
    }
    section("<= Recv data", &sent.body);
    shown + "== Info: Connection #0 to host 127.0.0.1 left intact\n"
}
