//! One call over a connection of its own, and every way in which it may end.

use crate::node::ORIGIN;
use crate::support::gateway::{TestClient, consumer_key};
use crate::support::wire::request;
use issuer_gateway::client::{Operation, Prepared};
use serde_json::Value;
use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

/// Longer than any deadline of the gateway: who waits longer waits for ever.
const PATIENCE: Duration = Duration::from_secs(30);

/// An issuer's server.
pub(crate) fn issuer() -> TestClient {
    TestClient::new(
        ORIGIN,
        &consumer_key("demo"),
        "issuer-signing",
        Some("issuer-encryption"),
    )
}

/// Encrypts and signs an enrolment anew.
pub(crate) fn sign(client: &TestClient, clear: &Value) -> Prepared {
    client.prepare(&Operation::Enrol, clear)
}

/// How an enrolment ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Ending {
    /// 200, with the cardholder's id.
    Acknowledged(String),
    /// 503 with `Retry-After`.
    Unavailable,
    /// 401: with a nonce that was used up, or a signature that is wrong.
    Unauthorized,
    /// 400 `USER_ALREADY_EXISTS`, with its `Details`.
    Taken(String),
    /// Nobody listens: nothing was sent.
    NotSent,
    /// The connection ended before the whole answer.
    Lost,
    /// Anything else; it never may be.
    Wrong(String),
}

/// Sends a request as it is to a node.
pub(crate) fn send(client: &TestClient, address: SocketAddr, prepared: &Prepared) -> Ending {
    let Ok(mut stream) = TcpStream::connect(address) else {
        return Ending::NotSent;
    };
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream.set_write_timeout(Some(PATIENCE)).unwrap();
    let length = prepared.body.len().to_string();
    let headers = [
        ("Authorization", prepared.authorization.as_str()),
        ("Content-Type", "application/json"),
        ("Content-Length", &length),
        ("Connection", "close"),
    ];
    let path = prepared.url.strip_prefix(ORIGIN).unwrap();
    let bytes = request(prepared.method, path, &headers, &prepared.body);
    // A gateway that refuses before it has read all may have answered: the answer tells.
    stream.write_all(&bytes).ok();
    let mut answer = Vec::new();
    match stream.read_to_end(&mut answer) {
        Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {
            Ending::Wrong(format!("no answer within {PATIENCE:?}"))
        }
        _ => judge(client, &answer),
    }
}

fn judge(client: &TestClient, answer: &[u8]) -> Ending {
    let Some((status, retry_after, body)) = parse(answer) else {
        return Ending::Lost;
    };
    let Ok(Some(clear)) = client.client.open(body) else {
        return Ending::Wrong(format!("{status}: {}", String::from_utf8_lossy(body)));
    };
    let error = &clear["Errors"]["Error"][0];
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    match status {
        200 if clear["userid"].is_string() => Ending::Acknowledged(text(&clear["userid"])),
        401 => Ending::Unauthorized,
        400 if error["ReasonCode"] == "USER_ALREADY_EXISTS" => {
            Ending::Taken(text(&error["Details"]))
        }
        503 if retry_after && error["Recoverable"] == true => Ending::Unavailable,
        _ => Ending::Wrong(format!("{status}, Retry-After {retry_after}: {clear}")),
    }
}

/// Status, whether `Retry-After` has seconds, and body of a whole answer.
fn parse(answer: &[u8]) -> Option<(u16, bool, &[u8])> {
    let end = answer.windows(4).position(|four| four == b"\r\n\r\n")?;
    let head = std::str::from_utf8(answer.get(..end)?).ok()?.to_lowercase();
    let status = head.split(' ').nth(1)?.parse().ok()?;
    let header = |name: &str| head.lines().find_map(|line| line.strip_prefix(name));
    let length: usize = header("content-length: ")?.trim().parse().ok()?;
    let body = answer.get(end + 4..)?;
    let retry_after = header("retry-after: ").is_some_and(|value| value.parse::<u64>().is_ok());
    (body.len() == length).then_some((status, retry_after, body))
}
