//! A small HTTPS server that speaks the HTTP API of a transit engine: encrypt, decrypt and rewrap
//! with AES-256-GCM, versions of a key, a token, and the ways to fail.

use aes_gcm::Aes256Gcm;
use aes_gcm::aead::{Aead, KeyInit};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use openssl::asn1::Asn1Time;
use openssl::ec::{EcGroup, EcKey};
use openssl::hash::MessageDigest;
use openssl::nid::Nid;
use openssl::pkey::{PKey, Private};
use openssl::x509::extension::SubjectAlternativeName;
use openssl::x509::{X509, X509Name};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

/// How the server is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mood {
    /// It works.
    Well,
    /// Every request gets this status.
    Status(u16),
    /// It takes requests and does not answer.
    Silent,
    /// It answers with something else than a transit engine.
    Odd,
}

struct State {
    mood: Mood,
    token: String,
    /// By version.
    keys: BTreeMap<u32, [u8; 32]>,
    calls: Vec<String>,
}

/// The server. Its threads end with the process.
pub struct TransitServer {
    pub address: SocketAddr,
    state: Arc<Mutex<State>>,
    dir: tempfile::TempDir,
}

impl TransitServer {
    /// A server with one version of the key `gateway`.
    pub fn start() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let tls = tls(dir.path());
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let state = Arc::new(Mutex::new(State {
            mood: Mood::Well,
            token: "s.first".to_owned(),
            keys: BTreeMap::from([(1, random())]),
            calls: Vec::new(),
        }));
        let server = Self {
            address: listener.local_addr().unwrap(),
            state: Arc::clone(&state),
            dir,
        };
        server.write_token("s.first");
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let (tls, state) = (Arc::clone(&tls), Arc::clone(&state));
                // A client that does not trust us, or that has gone, is not our failure.
                std::thread::spawn(move || serve(stream.ok()?, tls, &state));
            }
        });
        server
    }

    fn with<T>(&self, change: impl FnOnce(&mut State) -> T) -> T {
        change(&mut self.state.lock().unwrap())
    }

    pub fn set(&self, mood: Mood) {
        self.with(|state| state.mood = mood);
    }

    /// Another version of the key, which encrypts from now on.
    pub fn rotate(&self) {
        self.with(|state| {
            let next = state.keys.keys().max().unwrap() + 1;
            state.keys.insert(next, random());
        });
    }

    /// Former versions decrypt no more.
    pub fn forget_former_versions(&self) {
        self.with(|state| {
            let newest = *state.keys.keys().max().unwrap();
            state.keys.retain(|version, _| *version == newest);
        });
    }

    /// The token that the server takes from now on.
    pub fn expect_token(&self, token: &str) {
        self.with(|state| state.token = token.to_owned());
    }

    /// The token that is sent.
    pub fn write_token(&self, token: &str) {
        std::fs::write(self.token_file(), format!("{token}\n")).unwrap();
    }

    pub fn token_file(&self) -> PathBuf {
        self.dir.path().join("token")
    }

    pub fn ca_file(&self) -> PathBuf {
        self.dir.path().join("ca.pem")
    }

    /// The operations that were asked for since the last look.
    pub fn calls(&self) -> Vec<String> {
        self.with(|state| std::mem::take(&mut state.calls))
    }

    /// The table for `[vault.kek]`.
    pub fn toml(&self) -> String {
        format!(
            "transit = {{ address = \"https://{}\", key = \"gateway\", token_file = \"{}\", ca_file = \"{}\", timeout_ms = 10000 }}",
            self.address,
            self.token_file().display(),
            self.ca_file().display()
        )
    }
}

fn random() -> [u8; 32] {
    let mut key = [0; 32];
    openssl::rand::rand_bytes(&mut key).unwrap();
    key
}

/// TLS by an authority of its own, whose certificate is put into `dir` as `ca.pem`.
pub fn tls(dir: &Path) -> Arc<rustls::ServerConfig> {
    let (certificate, key) = certificate();
    std::fs::write(dir.join("ca.pem"), certificate.to_pem().unwrap()).unwrap();
    let key = PrivatePkcs8KeyDer::from(key.private_key_to_pkcs8().unwrap());
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let tls = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(
            vec![CertificateDer::from(certificate.to_der().unwrap())],
            PrivateKeyDer::from(key),
        )
        .unwrap();
    Arc::new(tls)
}

fn certificate() -> (X509, PKey<Private>) {
    let group = EcGroup::from_curve_name(Nid::X9_62_PRIME256V1).unwrap();
    let key = PKey::from_ec_key(EcKey::generate(&group).unwrap()).unwrap();
    let mut name = X509Name::builder().unwrap();
    name.append_entry_by_nid(Nid::COMMONNAME, "transit")
        .unwrap();
    let name = name.build();
    let mut builder = X509::builder().unwrap();
    builder.set_version(2).unwrap();
    builder.set_subject_name(&name).unwrap();
    builder.set_issuer_name(&name).unwrap();
    builder.set_pubkey(&key).unwrap();
    builder
        .set_not_before(&Asn1Time::days_from_now(0).unwrap())
        .unwrap();
    builder
        .set_not_after(&Asn1Time::days_from_now(2).unwrap())
        .unwrap();
    let context = builder.x509v3_context(None, None);
    let names = SubjectAlternativeName::new()
        .ip("127.0.0.1")
        .dns("localhost")
        .build(&context)
        .unwrap();
    builder.append_extension(names).unwrap();
    builder.sign(&key, MessageDigest::sha256()).unwrap();
    (builder.build(), key)
}

/// Requests of one connection, until the other side ends it.
fn serve(stream: TcpStream, tls: Arc<rustls::ServerConfig>, state: &Mutex<State>) -> Option<()> {
    let connection = rustls::ServerConnection::new(tls).ok()?;
    let mut stream = BufReader::new(rustls::StreamOwned::new(connection, stream));
    loop {
        let (path, token, body) = request(&mut stream)?;
        let answered = answer(&mut state.lock().unwrap(), &path, &token, &body);
        let Some((status, answer)) = answered else {
            // The connection stays open, and nobody answers on it: until the other side has enough.
            stream.read_to_end(&mut Vec::new()).ok()?;
            return None;
        };
        let head = format!(
            "HTTP/1.1 {status} X\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{answer}",
            answer.len()
        );
        stream.get_mut().write_all(head.as_bytes()).ok()?;
        stream.get_mut().flush().ok()?;
    }
}

fn request(stream: &mut impl BufRead) -> Option<(String, String, Vec<u8>)> {
    let mut line = String::new();
    stream.read_line(&mut line).ok()?;
    let path = line.split(' ').nth(1)?.to_owned();
    let (mut length, mut token) = (0, String::new());
    loop {
        line.clear();
        stream.read_line(&mut line).ok()?;
        let Some((name, value)) = line.trim().split_once(": ") else {
            break;
        };
        match name.to_ascii_lowercase().as_str() {
            "content-length" => length = value.parse().ok()?,
            "x-vault-token" => token = value.to_owned(),
            _ => {}
        }
    }
    let mut body = vec![0; length];
    stream.read_exact(&mut body).ok()?;
    Some((path, token, body))
}

fn answer(state: &mut State, path: &str, token: &str, body: &[u8]) -> Option<(u16, String)> {
    let refuse = |status: u16| Some((status, json!({ "errors": ["canary"] }).to_string()));
    match state.mood {
        Mood::Silent => return None,
        Mood::Status(status) => return refuse(status),
        Mood::Odd => return Some((200, "{\"data\":{}}".to_owned())),
        Mood::Well => {}
    }
    if token != state.token {
        return refuse(403);
    }
    let operation = path
        .strip_prefix("/v1/transit/")
        .and_then(|rest| rest.strip_suffix("/gateway"));
    let Some(operation) = operation else {
        return refuse(404);
    };
    state.calls.push(operation.to_owned());
    let body: Value = serde_json::from_slice(body).ok()?;
    let text = |name: &str| body.get(name).and_then(Value::as_str).unwrap_or_default();
    let data = match operation {
        "encrypt" => {
            let plaintext = STANDARD.decode(text("plaintext")).ok()?;
            json!({ "ciphertext": encrypt(state, &plaintext) })
        }
        "decrypt" | "rewrap" => match decrypt(state, text("ciphertext")) {
            None => return refuse(400),
            Some(plaintext) if operation == "rewrap" => {
                json!({ "ciphertext": encrypt(state, &plaintext) })
            }
            Some(plaintext) => json!({ "plaintext": STANDARD.encode(plaintext) }),
        },
        _ => return refuse(404),
    };
    Some((200, json!({ "data": data }).to_string()))
}

fn encrypt(state: &State, plaintext: &[u8]) -> String {
    let (version, key) = state.keys.last_key_value().unwrap();
    let mut iv = [0; 12];
    openssl::rand::rand_bytes(&mut iv).unwrap();
    let sealed = Aes256Gcm::new(key.into())
        .encrypt((&iv).into(), plaintext)
        .unwrap();
    format!(
        "vault:v{version}:{}",
        STANDARD.encode([&iv[..], &sealed].concat())
    )
}

fn decrypt(state: &State, ciphertext: &str) -> Option<Vec<u8>> {
    let (version, sealed) = ciphertext.strip_prefix("vault:v")?.split_once(':')?;
    let key = state.keys.get(&version.parse().ok()?)?;
    let sealed = STANDARD.decode(sealed).ok()?;
    let (iv, sealed) = sealed.split_first_chunk::<12>()?;
    Aes256Gcm::new(key.into()).decrypt(iv.into(), sealed).ok()
}
