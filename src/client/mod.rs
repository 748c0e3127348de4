//! The other side: an issuer server's client, for debugging integrations and for tests.
//!
//! It encrypts, signs, sends, and opens the answer, and keeps every stage for showing.

pub mod identity;
pub mod sample;
pub mod sample_year;

use crate::ids::CardholderId;
use crate::json::{self, Object};
use crate::oauth1::SignatureMethod;
use crate::payload::{self, EnvelopeKind, OpenError};
use anyhow::{Context, anyhow, bail};
use identity::Identity;
use serde_json::Value;
use std::time::Duration;

/// What is called.
#[derive(Debug, Clone)]
pub enum Operation {
    /// `POST /issuers/users`
    Enrol,
    /// `PUT /issuers/users/{userid}`
    Update(CardholderId),
    /// `POST /issuers/transactions`
    PostTransactions,
    /// `GET /issuers/users/{userid}/aggregate-carbon-scores`
    AggregateScore(CardholderId),
    /// `GET /issuers/users/{userid}/dashboards`, in a language.
    Dashboard(CardholderId, Option<String>),
}

impl Operation {
    fn method_and_path(&self) -> (&'static str, String) {
        match self {
            Self::Enrol => ("POST", "/issuers/users".to_owned()),
            Self::Update(user_id) => ("PUT", format!("/issuers/users/{user_id}")),
            Self::PostTransactions => ("POST", "/issuers/transactions".to_owned()),
            Self::AggregateScore(user_id) => {
                let path = format!("/issuers/users/{user_id}/aggregate-carbon-scores");
                ("GET", path)
            }
            Self::Dashboard(user_id, None) => {
                ("GET", format!("/issuers/users/{user_id}/dashboards"))
            }
            Self::Dashboard(user_id, Some(language)) => {
                let language: String =
                    url::form_urlencoded::byte_serialize(language.as_bytes()).collect();
                let path = format!("/issuers/users/{user_id}/dashboards?lang={language}");
                ("GET", path)
            }
        }
    }
}

/// A request ready to be sent.
pub struct Prepared {
    /// `POST`, `PUT` or `GET`.
    pub method: &'static str,
    /// Where it goes.
    pub url: String,
    /// The signed `Authorization` header.
    pub authorization: String,
    /// The encrypted body.
    pub body: Vec<u8>,
}

/// What came back.
pub struct Answered {
    /// HTTP status.
    pub status: u16,
    /// The body as it came.
    pub body: Vec<u8>,
    /// The body in clear: opened if it was encrypted; `None` if it is no JSON object.
    pub clear: Option<Value>,
}

/// A client with one issuer's keys.
pub struct Client {
    identity: Identity,
    agent: ureq::Agent,
}

impl Client {
    /// A client for the issuer that `identity` describes.
    pub fn new(identity: Identity) -> anyhow::Result<Self> {
        let config = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .timeout_global(Some(Duration::from_secs(30)))
            .tls_config(identity.tls()?)
            .build();
        Ok(Self {
            identity,
            agent: config.into(),
        })
    }

    /// Encrypts `clear` (JSON text) and signs the result.
    pub fn prepare(
        &self,
        operation: &Operation,
        envelope: EnvelopeKind,
        signature: SignatureMethod,
        clear: &[u8],
    ) -> anyhow::Result<Prepared> {
        let body = payload::seal(envelope, &self.identity.gateway, clear)
            .context("encrypting the request")?;
        self.sign(operation, signature, body)
    }

    /// Signs a body as it is.
    pub fn sign(
        &self,
        operation: &Operation,
        signature: SignatureMethod,
        body: Vec<u8>,
    ) -> anyhow::Result<Prepared> {
        let (method, path) = operation.method_and_path();
        let url = format!("{}{path}", self.identity.base_url.trim_end_matches('/'));
        let authorization = self
            .identity
            .signing
            .sign(method, &url, &body, signature)
            .context("signing the request")?;
        Ok(Prepared {
            method,
            url,
            authorization,
            body,
        })
    }

    /// Sends it and opens the answer.
    pub fn send(&self, request: &Prepared) -> anyhow::Result<Answered> {
        let outgoing = ureq::http::Request::builder()
            .method(request.method)
            .uri(&request.url)
            .header("Authorization", &request.authorization)
            .header("Content-Type", "application/json; charset=utf-8")
            .header("Accept", "application/json")
            .body(request.body.as_slice())?;
        let mut response = self
            .agent
            .run(outgoing)
            .with_context(|| format!("calling {}", request.url))?;
        let status = response.status().as_u16();
        let body = response
            .body_mut()
            .read_to_vec()
            .context("reading the answer")?;
        let clear = self.open(&body)?;
        Ok(Answered {
            status,
            body,
            clear,
        })
    }

    /// Opens an answer that is encrypted to this issuer; a plain one passes as it is. `None`: no
    /// JSON object.
    pub fn open(&self, body: &[u8]) -> anyhow::Result<Option<Value>> {
        let Ok(object) = json::parse_object(body) else {
            return Ok(None);
        };
        if object.get("encryptedData").is_none() {
            return Ok(Some(value(&object)));
        }
        let Some(keys) = &self.identity.decryption else {
            bail!("the answer is encrypted, and no decryption key was given");
        };
        let opened = payload::open(keys, body).map_err(|error| match error {
            OpenError::Envelope(_) => anyhow!("the answer's envelope is malformed"),
            _ => anyhow!("the answer does not open with the given decryption key"),
        })?;
        Ok(Some(value(&opened.object)))
    }
}

fn value(object: &Object) -> Value {
    Value::Object(object.members().clone())
}
