//! A KEK that is a key of a transit engine of Vault or OpenBao: the server encrypts and decrypts
//! data keys, over its HTTP API (`/v1/MOUNT/encrypt/KEY`, `decrypt`, `rewrap`).
//!
//! The key has versions; a ciphertext names the one that made it: `vault:vN:…`. So a stored data
//! key says by the KEK's id, too, which version has wrapped it, and `vault rotate-kek` brings it
//! under the newest one by `rewrap`. The token of each request comes from a file, which an agent
//! keeps fresh. It needs `update` on the three paths, and nothing else.

use super::fault;
use crate::config::Transit;
use crate::keys::http;
use crate::vault::key_wrap::{AT_TRANSIT, of_format};
use crate::vault::{KekFault, KeyBytes, KeyName, KeyWrap};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use std::fmt;
use ureq::Agent;
use zeroize::Zeroizing;

/// An answer is a few hundred bytes.
const LONGEST_ANSWER: u64 = 64 * 1024;

/// The KEK. Its id: `transit`, a colon, `transit.name` (namespace, mount and key if that is left
/// out), a colon, and the version that wraps.
pub(super) struct TransitKek {
    settings: Transit,
    agent: Agent,
    /// The id without its version: what data keys are bound to.
    name: String,
    id: String,
}

impl fmt::Debug for TransitKek {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TransitKek({})", self.id)
    }
}

impl TransitKek {
    /// Lets the server encrypt and decrypt once, which shows the version that wraps.
    pub(super) fn open(settings: &Transit) -> anyhow::Result<Self> {
        let config = Agent::config_builder()
            .http_status_as_error(false)
            .timeout_global(Some(settings.timeout()))
            .max_redirects(0)
            .tls_config(http::tls(settings.ca_file.as_deref())?)
            .build();
        let mut kek = Self {
            name: format!("transit:{}", settings.name()),
            id: String::new(),
            agent: config.into(),
            settings: settings.clone(),
        };
        let message = [0x5a; 32];
        let ciphertext = kek.encrypt(&message)?;
        if kek.decrypt(&ciphertext)?.as_slice() != message {
            return Err(kek
                .refused("transit-self-test", "the known-answer test has failed")
                .into());
        }
        let version = version(&ciphertext).ok_or_else(|| kek.malformed())?;
        kek.id = format!("{}:{version}", kek.name);
        Ok(kek)
    }

    fn encrypt(&self, plaintext: &[u8]) -> Result<String, KekFault> {
        let encoded = Zeroizing::new(STANDARD.encode(plaintext));
        let answer = self.call("encrypt", &json!({ "plaintext": encoded.as_str() }))?;
        self.member(&answer, "ciphertext")
    }

    fn decrypt(&self, ciphertext: &str) -> Result<Zeroizing<Vec<u8>>, KekFault> {
        let answer = self.call("decrypt", &json!({ "ciphertext": ciphertext }))?;
        let encoded = Zeroizing::new(self.member(&answer, "plaintext")?);
        let decoded = STANDARD.decode(encoded.as_bytes());
        decoded.map(Zeroizing::new).map_err(|_| self.malformed())
    }

    /// One request. 400 means that the server does not decrypt this; every other status has a name.
    fn call(&self, operation: &str, body: &Value) -> Result<Value, KekFault> {
        let Transit {
            address,
            mount,
            key,
            token_file,
            namespace,
            ..
        } = &self.settings;
        let token = std::fs::read_to_string(token_file).map(Zeroizing::new);
        let token = token.map_err(|error| {
            let text = format!("transit.token_file {}: {error}", token_file.display());
            fault(true, "transit-token-unreadable", text)
        })?;
        let url = format!(
            "{}/v1/{mount}/{operation}/{key}",
            address.trim_end_matches('/')
        );
        let mut request = self
            .agent
            .post(&url)
            .header("x-vault-token", token.trim())
            .header("x-vault-request", "true")
            .content_type("application/json");
        if let Some(namespace) = namespace {
            request = request.header("x-vault-namespace", namespace);
        }
        let body = Zeroizing::new(body.to_string());
        let answer = request.send(body.as_bytes());
        let mut answer = answer.map_err(|error| self.unreachable(&error))?;
        let status = answer.status().as_u16();
        // What is wrong may be in the body, with parts of the request: it is not told on.
        let text = answer
            .body_mut()
            .with_config()
            .limit(LONGEST_ANSWER)
            .read_to_string();
        match status {
            200 => {
                let text = Zeroizing::new(text.map_err(|error| self.unreachable(&error))?);
                serde_json::from_str(&text).map_err(|_| self.malformed())
            }
            400 if operation != "encrypt" => Err(KekFault::Altered),
            403 => Err(self.refused(
                "transit-forbidden",
                "the server refuses the token for this key (403)",
            )),
            404 => Err(self.refused("transit-key-absent", "the server has no such key (404)")),
            429 | 472 | 473 | 500.. => Err(self.away(&format!(
                "the server is sealed, in standby or overloaded ({status})"
            ))),
            _ => Err(self.refused("transit-refused", &format!("the server answers {status}"))),
        }
    }

    fn member(&self, answer: &Value, name: &str) -> Result<String, KekFault> {
        let member = answer.get("data").and_then(|data| data.get(name));
        let text = member.and_then(Value::as_str);
        text.map(str::to_owned).ok_or_else(|| self.malformed())
    }

    fn unreachable(&self, error: &ureq::Error) -> KekFault {
        match error {
            ureq::Error::Timeout(_) => self.away("the server has not answered in time"),
            // A certificate, a name or a port that is wrong may be mended over there.
            error => self.away(&format!("the server cannot be reached: {error}")),
        }
    }

    fn away(&self, text: &str) -> KekFault {
        fault(true, "transit-away", format!("{}: {text}", self.name))
    }

    fn refused(&self, reason: &'static str, text: &str) -> KekFault {
        fault(false, reason, format!("{}: {text}", self.name))
    }

    fn malformed(&self) -> KekFault {
        self.refused(
            "transit-malformed",
            "the server's answer is none of a transit engine",
        )
    }
}

impl KeyWrap for TransitKek {
    fn id(&self) -> &str {
        &self.id
    }

    fn opens(&self, id: &str) -> bool {
        let version = id
            .strip_prefix(&self.name)
            .and_then(|id| id.strip_prefix(':'));
        version.is_some_and(|version| version.parse::<u32>().is_ok())
    }

    fn wrap(&self, name: &KeyName<'_>, key: &KeyBytes) -> Result<Vec<u8>, KekFault> {
        let ciphertext = self.encrypt(&name.bind(&self.name, key))?;
        self.current(&ciphertext)
    }

    fn unwrap(&self, name: &KeyName<'_>, wrapped: &[u8]) -> Result<KeyBytes, KekFault> {
        let ciphertext = text_of(wrapped)?;
        let opened = self.decrypt(ciphertext)?;
        name.unbind(&self.name, &opened).ok_or(KekFault::Altered)
    }

    fn rewrap(&self, wrapped: &[u8]) -> Option<Result<Vec<u8>, KekFault>> {
        let rewrapped = || {
            let body = json!({ "ciphertext": text_of(wrapped)? });
            let answer = self.call("rewrap", &body)?;
            self.current(&self.member(&answer, "ciphertext")?)
        };
        Some(rewrapped())
    }
}

impl TransitKek {
    /// A ciphertext of the version in the KEK's id, format byte first. The server may have got a
    /// newer version since the KEK was loaded: then the id that is stored would be wrong.
    fn current(&self, ciphertext: &str) -> Result<Vec<u8>, KekFault> {
        let version = version(ciphertext).ok_or_else(|| self.malformed())?;
        if self.id != format!("{}:{version}", self.name) {
            let text =
                format!("the key has a new version, {version}: load the configuration again");
            return Err(self.refused("transit-new-version", &text));
        }
        Ok([&[AT_TRANSIT], ciphertext.as_bytes()].concat())
    }
}

fn text_of(wrapped: &[u8]) -> Result<&str, KekFault> {
    std::str::from_utf8(of_format(AT_TRANSIT, wrapped)?).map_err(|_| KekFault::Altered)
}

/// N of `vault:vN:…`.
fn version(ciphertext: &str) -> Option<u32> {
    let rest = ciphertext.strip_prefix("vault:v")?;
    rest.split_once(':')?.0.parse().ok()
}

#[cfg(test)]
mod tests;
