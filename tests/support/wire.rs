//! HTTP/1.1 over a bare socket: for requests that no library sends, and for headers of answers.

use super::document;
use issuer_gateway::json;
use serde_json::Value;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

/// An answer as it came.
#[derive(Debug)]
pub struct WireAnswer {
    pub status: u16,
    headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl WireAnswer {
    /// The value of a header; the name in lower case.
    pub fn header(&self, name: &str) -> Option<&str> {
        let (_, value) = self.headers.iter().find(|(known, _)| known == name)?;
        Some(value)
    }

    /// Asserts what every answer promises (wire-formats.md, rule 8) and returns the object.
    #[track_caller]
    pub fn json(&self) -> Value {
        assert_eq!(
            self.header("content-type"),
            Some("application/json"),
            "{self:?}"
        );
        assert_eq!(
            self.header("content-length"),
            Some(self.body.len().to_string().as_str()),
            "{self:?}"
        );
        let object = json::parse_object(&self.body).expect("the body is a JSON object");
        Value::Object(object.members().clone())
    }

    /// Asserts an error answer of one element and returns it.
    #[track_caller]
    pub fn error(&self, status: u16, reason_code: &str) -> Value {
        let clear = self.json();
        assert_eq!(self.status, status, "{clear}");
        assert_eq!(
            clear.as_object().unwrap().len(),
            1,
            "only Errors, never an envelope: {clear}"
        );
        let errors = clear["Errors"]["Error"].as_array().unwrap();
        assert_eq!(errors.len(), 1, "{clear}");
        assert_eq!(errors[0]["ReasonCode"], reason_code, "{clear}");
        assert_eq!(
            errors[0]["Recoverable"],
            Value::Bool(status >= 500),
            "{clear}"
        );
        errors[0].clone()
    }
}

/// A connection to a test gateway.
pub struct Wire {
    stream: TcpStream,
    unread: Vec<u8>,
}

impl Wire {
    /// Connects to `http://host:port`.
    pub fn connect(base_url: &str) -> Self {
        let address = base_url.strip_prefix("http://").unwrap();
        let address = address.split('/').next().unwrap();
        let stream = TcpStream::connect(address).unwrap();
        stream
            .set_read_timeout(Some(Duration::from_secs(30)))
            .unwrap();
        Self {
            stream,
            unread: Vec::new(),
        }
    }

    /// Sends bytes. The gateway may have answered and closed already: then the answer tells.
    pub fn send(&mut self, bytes: &[u8]) {
        self.stream.write_all(bytes).ok();
    }

    /// Reads one answer; `None` if the connection ends before a byte of it.
    pub fn read(&mut self, to_method: &str) -> Option<WireAnswer> {
        let head_end = loop {
            if let Some(end) = self.unread.windows(4).position(|w| w == b"\r\n\r\n") {
                break end;
            }
            if !self.fill() {
                assert!(self.unread.is_empty(), "the answer was cut in its header");
                return None;
            }
        };
        let head = String::from_utf8(self.unread[..head_end].to_vec()).unwrap();
        self.unread.drain(..head_end + 4);
        let mut lines = head.split("\r\n");
        let status = lines.next().unwrap().split(' ').nth(1).unwrap();
        let headers: Vec<(String, String)> = lines
            .map(|line| line.split_once(':').unwrap())
            .map(|(name, value)| (name.to_lowercase(), value.trim().to_owned()))
            .collect();
        let mut answer = WireAnswer {
            status: status.parse().unwrap(),
            headers,
            body: Vec::new(),
        };
        let length: usize = answer
            .header("content-length")
            .expect("Content-Length")
            .parse()
            .unwrap();
        if to_method != "HEAD" {
            while self.unread.len() < length {
                assert!(self.fill(), "the answer was cut in its body");
            }
            answer.body = self.unread.drain(..length).collect();
        }
        Some(answer)
    }

    /// Waits for `100 Continue`: from then on the handler is reading the body of a request that
    /// asked for it.
    pub fn read_continue(&mut self) {
        const CONTINUE: &[u8] = b"HTTP/1.1 100 Continue\r\n\r\n";
        while self.unread.len() < CONTINUE.len() {
            assert!(self.fill(), "the connection ended before 100 Continue");
        }
        let interim: Vec<u8> = self.unread.drain(..CONTINUE.len()).collect();
        assert_eq!(interim, CONTINUE, "{}", String::from_utf8_lossy(&interim));
    }

    /// Whether the gateway has closed the connection, without a byte more.
    pub fn is_closed(&mut self) -> bool {
        self.unread.is_empty() && !self.fill()
    }

    fn fill(&mut self) -> bool {
        let mut buffer = [0; 8_192];
        match self.stream.read(&mut buffer) {
            Ok(0) => false,
            Ok(length) => {
                self.unread.extend_from_slice(&buffer[..length]);
                true
            }
            Err(error) if error.kind() == std::io::ErrorKind::ConnectionReset => false,
            Err(error) => panic!("no answer: {error}"),
        }
    }
}

/// The text of a request; `Content-Length` only if a header says so.
pub fn request(method: &str, path: &str, headers: &[(&str, &str)], body: &[u8]) -> Vec<u8> {
    let mut bytes = format!("{method} {path} HTTP/1.1\r\nHost: test\r\n").into_bytes();
    for (name, value) in headers {
        bytes.extend_from_slice(format!("{name}: {value}\r\n").as_bytes());
    }
    bytes.extend_from_slice(b"\r\n");
    bytes.extend_from_slice(body);
    bytes
}

/// Sends one request on a connection of its own and reads the answer.
pub fn exchange(
    base_url: &str,
    method: &str,
    path: &str,
    headers: &[(&str, &str)],
    body: &[u8],
) -> WireAnswer {
    let mut wire = Wire::connect(base_url);
    wire.send(&request(method, path, headers, body));
    let answer = wire.read(method).expect("an answer");
    let clear: Option<Value> = serde_json::from_slice(&answer.body).ok();
    document::assert_status_documented(method, path, answer.status, clear.as_ref());
    answer
}
