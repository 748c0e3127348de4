//! An OpenTelemetry collector: a small server that takes spans by OTLP over HTTP, and the ways to
//! fail. It reads protobuf by the numbers of opentelemetry-proto's `.proto` files, not by our
//! types.

use super::transit::tls;
use super::until;
use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener};
use std::path::PathBuf;
use std::sync::{Arc, Mutex};

/// How the collector is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mood {
    /// It takes all.
    Well,
    /// It takes the requests, but so many spans of each not.
    Rejects(u8),
    /// Every request gets this status.
    Status(u16),
    /// It takes requests and does not answer.
    Silent,
}

/// A span as it came.
#[derive(Debug, Clone)]
pub struct SeenSpan {
    pub trace_id: String,
    pub span_id: String,
    pub state: String,
    pub parent: String,
    pub name: String,
    /// 1: internal, 2: server.
    pub kind: u64,
    pub start: u64,
    pub end: u64,
    pub attributes: BTreeMap<String, String>,
    pub is_error: bool,
    pub resource: BTreeMap<String, String>,
}

struct State {
    mood: Mood,
    /// Head and body of every request.
    received: Vec<(String, Vec<u8>)>,
    /// A sender has given up a request that was not answered.
    left: bool,
}

/// The collector. Its threads end with the process.
pub struct FakeCollector {
    pub address: SocketAddr,
    state: Arc<Mutex<State>>,
    dir: tempfile::TempDir,
}

impl FakeCollector {
    pub fn start() -> Self {
        Self::start_with(None, tempfile::tempdir().unwrap())
    }

    /// One over TLS, by an authority of its own ([`FakeCollector::ca_file`]).
    pub fn start_tls() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let tls = tls(dir.path());
        Self::start_with(Some(tls), dir)
    }

    fn start_with(tls: Option<Arc<rustls::ServerConfig>>, dir: tempfile::TempDir) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let state = Arc::new(Mutex::new(State {
            mood: Mood::Well,
            received: Vec::new(),
            left: false,
        }));
        let collector = Self {
            address: listener.local_addr().unwrap(),
            state: Arc::clone(&state),
            dir,
        };
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (tls, state) = (tls.clone(), Arc::clone(&state));
                std::thread::spawn(move || match tls {
                    None => serve(stream, &state),
                    Some(tls) => {
                        let connection = rustls::ServerConnection::new(tls).ok()?;
                        serve(rustls::StreamOwned::new(connection, stream), &state)
                    }
                });
            }
        });
        collector
    }

    pub fn endpoint(&self) -> String {
        format!("http://{}", self.address)
    }

    pub fn ca_file(&self) -> PathBuf {
        self.dir.path().join("ca.pem")
    }

    pub fn set(&self, mood: Mood) {
        self.state.lock().unwrap().mood = mood;
    }

    /// Whether a sender has given up a request that was not answered.
    pub fn was_left(&self) -> bool {
        self.state.lock().unwrap().left
    }

    /// Every head and every body that came.
    pub fn received(&self) -> Vec<(String, Vec<u8>)> {
        self.state.lock().unwrap().received.clone()
    }

    /// All spans that came.
    pub fn spans(&self) -> Vec<SeenSpan> {
        let received = self.received();
        received.iter().flat_map(|(_, body)| spans(body)).collect()
    }

    /// The spans of a trace, once its server span has come; that one first.
    pub fn trace(&self, id: &str) -> Vec<SeenSpan> {
        let of = || -> Vec<_> {
            let spans = self.spans().into_iter();
            spans.filter(|span| span.trace_id == id).collect()
        };
        until("the trace has come", || !of().is_empty());
        let mut spans = of();
        spans.sort_by_key(|span| span.kind != 2);
        spans
    }
}

fn serve<S: Read + Write>(stream: S, state: &Mutex<State>) -> Option<()> {
    let mut stream = BufReader::new(stream);
    loop {
        let (mut head, mut length) = (String::new(), 0);
        loop {
            let from = head.len();
            if stream.read_line(&mut head).ok()? == 0 {
                return None;
            }
            let line = head[from..].to_ascii_lowercase();
            if let Some(value) = line.strip_prefix("content-length: ") {
                length = value.trim().parse().ok()?;
            }
            if line.trim().is_empty() {
                break;
            }
        }
        let mut body = vec![0; length];
        stream.read_exact(&mut body).ok()?;
        let mood = {
            let mut state = state.lock().unwrap();
            state.received.push((head, body));
            state.mood
        };
        let (status, answer) = match mood {
            Mood::Well => (200, Vec::new()),
            // partial_success (1) { rejected_spans (1): so many }
            Mood::Rejects(spans) => (200, vec![0x0a, 2, 0x08, spans]),
            Mood::Status(status) => (status, b"canary".to_vec()),
            Mood::Silent => {
                let ended = stream.read_to_end(&mut Vec::new());
                state.lock().unwrap().left = true;
                ended.ok()?;
                return None;
            }
        };
        let head = format!(
            "HTTP/1.1 {status} X\r\ncontent-type: application/x-protobuf\r\ncontent-length: {}\r\n\r\n",
            answer.len()
        );
        let out = stream.get_mut();
        out.write_all(&[head.as_bytes(), &answer].concat()).ok()?;
        out.flush().ok()?;
    }
}

/// A field of a protobuf message.
enum Field<'a> {
    Number(u64),
    Bytes(&'a [u8]),
}

impl Field<'_> {
    fn number(&self) -> u64 {
        match self {
            Self::Number(number) => *number,
            Self::Bytes(_) => panic!("a number was expected"),
        }
    }

    fn bytes(&self) -> &[u8] {
        match self {
            Self::Number(_) => panic!("bytes were expected"),
            Self::Bytes(bytes) => bytes,
        }
    }

    fn text(&self) -> String {
        String::from_utf8(self.bytes().to_vec()).unwrap()
    }
}

fn varint(rest: &mut &[u8]) -> u64 {
    let mut number = 0;
    for shift in (0..).step_by(7) {
        let (byte, after) = rest.split_first().unwrap();
        *rest = after;
        number |= u64::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            break;
        }
    }
    number
}

/// The fields of a message in their order.
fn fields(mut rest: &[u8]) -> Vec<(u64, Field<'_>)> {
    let mut found = Vec::new();
    while !rest.is_empty() {
        let key = varint(&mut rest);
        let mut take = |length: usize| {
            let (bytes, after) = rest.split_at(length);
            rest = after;
            bytes
        };
        let field = match key & 7 {
            1 => Field::Number(u64::from_le_bytes(take(8).try_into().unwrap())),
            5 => Field::Number(u32::from_le_bytes(take(4).try_into().unwrap()).into()),
            0 => Field::Number(varint(&mut rest)),
            2 => {
                let length = usize::try_from(varint(&mut rest)).unwrap();
                let (bytes, after) = rest.split_at(length);
                rest = after;
                Field::Bytes(bytes)
            }
            other => panic!("wire type {other}"),
        };
        found.push((key >> 3, field));
    }
    found
}

/// The messages in a repeated field.
fn all<'a>(message: &'a [u8], number: u64) -> impl Iterator<Item = Vec<u8>> + 'a {
    let fields = fields(message).into_iter();
    let ours = fields.filter(move |(known, _)| *known == number);
    ours.map(|(_, field)| field.bytes().to_vec())
}

/// `KeyValue`s in a repeated field.
fn attributes(message: &[u8], number: u64) -> BTreeMap<String, String> {
    let pair = |pair: Vec<u8>| {
        let key = all(&pair, 1).next().unwrap();
        let value = all(&pair, 2).next().unwrap();
        let value = fields(&value).pop().map(|(number, field)| match number {
            1 => field.text(),
            3 => field.number().to_string(),
            other => panic!("a value of kind {other}"),
        });
        (String::from_utf8(key).unwrap(), value.unwrap())
    };
    all(message, number).map(pair).collect()
}

/// The spans of an `ExportTraceServiceRequest`.
fn spans(request: &[u8]) -> Vec<SeenSpan> {
    let mut seen = Vec::new();
    for of_resource in all(request, 1) {
        let resource = all(&of_resource, 1).next().unwrap();
        let resource = attributes(&resource, 1);
        for scope in all(&of_resource, 2) {
            seen.extend(all(&scope, 2).map(|span| read(&span, &resource)));
        }
    }
    seen
}

fn read(span: &[u8], resource: &BTreeMap<String, String>) -> SeenSpan {
    let found = fields(span);
    let field = |number: u64| found.iter().find(|(known, _)| *known == number);
    let bytes = |number| field(number).map_or(Vec::new(), |(_, field)| field.bytes().to_vec());
    let text = |number| field(number).map_or(String::new(), |(_, field)| field.text());
    let number = |number| field(number).map_or(0, |(_, field)| field.number());
    let status = bytes(15);
    let seen = SeenSpan {
        trace_id: hex::encode(bytes(1)),
        span_id: hex::encode(bytes(2)),
        state: text(3),
        parent: hex::encode(bytes(4)),
        name: text(5),
        kind: number(6),
        start: number(7),
        end: number(8),
        attributes: attributes(span, 9),
        is_error: fields(&status)
            .iter()
            .any(|(n, code)| *n == 3 && code.number() == 2),
        resource: resource.clone(),
    };
    assert_eq!((seen.trace_id.len(), seen.span_id.len()), (32, 16));
    seen
}
