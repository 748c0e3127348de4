//! The users API (spec decision 6; cce-api.md, Part B), over plain TCP, as curl sends it.

mod access;
mod conflicts;
mod data_keys;
mod numbers;
mod profiles;
mod seeds;
mod switched_off;
mod transport;

use crate::support::gateway::{TestGateway, config};
use crate::support::{Backend, TestDatabase};
use issuer_gateway::config::Config;
use issuer_gateway::directory::{ApiKey, KeyKind};
use issuer_gateway::store::audit::AuditDraft;
use issuer_gateway::store::directory::apps::Issued;
use issuer_gateway::store::now;
use serde_json::Value;
use std::io::{Read, Write};
use std::net::TcpStream;

const UNAUTHORIZED: &str = "Unauthorized";
const NOT_FOUND: &str = "Can not find user with the given user_id.";
const EMAIL_TAKEN: &str = "Email already exists";
const USER_ID_TAKEN: &str = "User ID already exists";
const INVALID: &str = "Invalid request body";

/// What came back.
#[derive(Debug)]
struct Answer {
    status: u16,
    head: String,
    body: String,
}

impl Answer {
    fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap()
    }

    fn message(&self) -> String {
        self.json()["message"].as_str().unwrap().to_owned()
    }

    fn header(&self, name: &str) -> Option<String> {
        self.head.lines().find_map(|line| {
            let (found, value) = line.split_once(':')?;
            found
                .eq_ignore_ascii_case(name)
                .then(|| value.trim().to_owned())
        })
    }

    #[track_caller]
    fn assert_refused(&self, status: u16, message: &str) {
        assert_eq!(
            (self.status, self.message().as_str()),
            (status, message),
            "{self:?}"
        );
    }
}

/// Sends these bytes and reads the answer, which is JSON with a length whatever its status.
fn send_raw(address: &str, request: &[u8]) -> Answer {
    let mut stream = TcpStream::connect(address).unwrap();
    // The gateway may answer and hang up before it has read a body that is too large.
    stream.write_all(request).ok();
    let mut received = Vec::new();
    let mut buffer = [0; 4_096];
    let (head, length) = loop {
        let count = stream.read(&mut buffer).unwrap();
        assert!(count > 0, "the connection ended in the answer's head");
        received.extend_from_slice(&buffer[..count]);
        let text = String::from_utf8_lossy(&received).into_owned();
        if let Some((head, _)) = text.split_once("\r\n\r\n") {
            let length = head.to_lowercase();
            let length = length.split("content-length: ").nth(1).unwrap();
            let length: usize = length.lines().next().unwrap().parse().unwrap();
            break (head.to_owned(), length);
        }
    };
    let start = head.len() + 4;
    while received.len() < start + length {
        let count = stream.read(&mut buffer).unwrap();
        assert!(count > 0, "the connection ended in the answer's body");
        received.extend_from_slice(&buffer[..count]);
    }
    let answer = Answer {
        status: head.split(' ').nth(1).unwrap().parse().unwrap(),
        body: String::from_utf8(received[start..].to_vec()).unwrap(),
        head,
    };
    assert_eq!(
        answer.header("content-type").as_deref(),
        Some("application/json"),
        "{answer:?}"
    );
    assert!(answer.json().is_object(), "{answer:?}");
    answer
}

/// A gateway with apps of the users API.
struct Directory {
    gateway: TestGateway,
}

impl Directory {
    fn start(backend: Backend) -> Self {
        Self::start_with(backend, |_| {})
    }

    fn start_with(backend: Backend, change: impl FnOnce(&mut Config)) -> Self {
        let database = TestDatabase::new(backend);
        let mut config = config(&database.url_text);
        change(&mut config);
        let mut gateway = TestGateway::start_with(&config);
        gateway.database = Some(database);
        Self { gateway }
    }

    fn address(&self) -> &str {
        self.gateway.base_url.strip_prefix("http://").unwrap()
    }

    fn database(&self) -> &TestDatabase {
        self.gateway.database.as_ref().unwrap()
    }

    /// Makes an app; returns its key.
    fn app(&self, name: &str, anonymous: bool) -> String {
        let key = ApiKey::generate(KeyKind::App).unwrap();
        let store = &self.gateway.gateway.store;
        let added = store.add_directory_app(name, anonymous, key.stored(now()), audit());
        self.gateway.block_on(added).unwrap();
        key.expose().to_owned()
    }

    /// Issues a user token; returns it and its id.
    fn token(&self, app: &str, user_id: &str) -> (String, String) {
        let key = ApiKey::generate(KeyKind::User).unwrap();
        let stored = key.stored(now());
        let key_id = stored.key_id.clone();
        let store = &self.gateway.gateway.store;
        let issued = store.issue_directory_key(app, Some(user_id), stored, audit());
        assert_eq!(self.gateway.block_on(issued), Ok(Issued::Done));
        (key.expose().to_owned(), key_id)
    }

    /// Sends a body as JSON, under a key if there is one.
    fn call(&self, method: &str, target: &str, key: Option<&str>, body: &str) -> Answer {
        call(self.address(), method, target, key, body)
    }

    fn put(&self, target: &str, key: &str, body: &Value) -> Answer {
        self.call("PUT", target, Some(key), &body.to_string())
    }

    fn post(&self, key: &str, body: &Value) -> Answer {
        self.call("POST", "/users", Some(key), &body.to_string())
    }

    fn get(&self, target: &str, key: &str) -> Answer {
        self.call("GET", target, Some(key), "")
    }
}

fn call(address: &str, method: &str, target: &str, key: Option<&str>, body: &str) -> Answer {
    let authorization = key.map_or_else(String::new, |key| {
        format!("Authorization: Bearer {key}\r\n")
    });
    let request = format!(
        "{method} {target} HTTP/1.1\r\nHost: {address}\r\n{authorization}Content-Type: application/json\r\n\
         Content-Length: {}\r\n\r\n{body}",
        body.len()
    );
    send_raw(address, request.as_bytes())
}

fn audit() -> AuditDraft {
    AuditDraft::accepted(now(), "test", "test")
}
