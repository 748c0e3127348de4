//! What a call is judged by: keys, issuers, clock tolerance, earlier calls.

use super::names::NamedKey;
use super::recorded::Recorded;
use crate::client::identity::{KeyFiles, SandboxFile};
use crate::config::{self, Config, KeyPlace};
use crate::issuers::Issuer;
use crate::issuers::validity::Validity;
use crate::keys::source::{self, KeyPair};
use crate::keys::{self};
use crate::oauth1::{Authorization, PublicOrigin};
use crate::payload::{KeyRing, KeyState};
use anyhow::Context;
use chrono::{DateTime, Utc};
use openssl::error::ErrorStack;
use openssl::pkey::{PKey, Public};
use std::path::Path;
use std::sync::Arc;

/// Everything that is known on the gateway's side.
#[derive(Default)]
pub struct Knowledge {
    /// Where clients say that the gateway is.
    pub origins: Vec<PublicOrigin>,
    /// How far `oauth_timestamp` may be from the clock, in seconds.
    pub window_seconds: i64,
    /// Who is on board.
    pub issuers: Vec<KnownIssuer>,
    /// The keys that requests may be encrypted to, in any state.
    pub gateway: Vec<GatewayKey>,
    /// The same as the gateway opens payloads with; `None`: no private key is here.
    pub ring: Option<KeyRing>,
    /// The nonces that earlier calls have used up.
    pub spent: Vec<Spent>,
}

/// A key of the gateway.
pub struct GatewayKey {
    /// Its names.
    pub key: NamedKey,
    /// Whether it decrypts.
    pub state: KeyState,
}

/// An issuer on board.
pub struct KnownIssuer {
    /// For people.
    pub name: String,
    /// The part of its consumer keys before `!`.
    pub client_id: String,
    /// What it may sign with.
    pub signing: Vec<SigningKey>,
    /// What answers are encrypted to; with the private half where that is here.
    pub encryption: Vec<NamedKey>,
    /// Its state and rules, if this is not only the client's own side.
    pub issuer: Option<Arc<Issuer>>,
}

/// A key that signs for a consumer key.
pub struct SigningKey {
    /// `client id!key id`
    pub consumer_key: String,
    /// The public half.
    pub key: PKey<Public>,
    /// The dates of its certificate.
    pub validity: Validity,
}

/// The key of an issuer that opens its answers: a sandbox makes those of its issuers.
pub struct OwnKey {
    /// Whose.
    pub client_id: String,
    /// The private key and its certificate.
    pub pair: KeyPair,
}

impl OwnKey {
    /// Those of a sandbox, whose files are relative to `folder`.
    ///
    /// # Errors
    /// A file that cannot be read.
    pub fn of_sandbox(sandbox: &SandboxFile, folder: &Path) -> anyhow::Result<Vec<Self>> {
        let own = sandbox.issuers.values().map(|issuer| {
            let file = folder.join(&issuer.decryption_p12);
            Ok(Self {
                client_id: issuer.client_id.clone(),
                pair: source::read_key_pair(&file, Some(&issuer.p12_password))?,
            })
        });
        own.collect()
    }
}

/// A nonce that an earlier call has used up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Spent {
    /// By which consumer key.
    pub consumer_key: String,
    /// The nonce.
    pub nonce: String,
    /// When.
    pub at: Option<DateTime<Utc>>,
}

impl Spent {
    /// The nonce that a call has used up. `None`: it was refused before its signature was proven,
    /// or with an answer that leaves the nonce unused.
    pub fn of(call: &Recorded) -> Option<Self> {
        let status = call.answer.as_ref()?.status;
        let body = call.answer.as_ref().map(|answer| answer.body.as_slice());
        let unproven = [
            "AUTHENTICATION_FAILED",
            "INVALID_BODY_HASH",
            "\"NOT_FOUND\"",
        ]
        .into_iter()
        .any(|code| contains(body.unwrap_or_default(), code.as_bytes()));
        if unproven || status >= 500 || matches!(status, 405 | 408 | 413 | 429) {
            return None;
        }
        let authorization = Authorization::parse(call.header("authorization")?).ok()?;
        Some(Self {
            consumer_key: authorization.consumer_key().to_owned(),
            nonce: authorization.nonce().to_owned(),
            at: call.at,
        })
    }
}

fn contains(text: &[u8], word: &[u8]) -> bool {
    text.windows(word.len()).any(|window| window == word)
}

impl Knowledge {
    /// What a gateway with this configuration knows. `own` are private keys of issuers, which only
    /// a sandbox has.
    ///
    /// # Errors
    /// A key file that cannot be read.
    pub fn of_gateway(
        config: &Config,
        origins: Vec<PublicOrigin>,
        window_seconds: i64,
        issuers: &[Arc<Issuer>],
        own: &[OwnKey],
    ) -> anyhow::Result<Self> {
        let mut gateway = Vec::with_capacity(config.keys.gateway.len());
        for declared in &config.keys.gateway {
            // The file of a destroyed key may be gone.
            if declared.state == KeyState::Destroyed {
                continue;
            }
            gateway.push(GatewayKey {
                key: named(config, declared).with_context(|| declared.name())?,
                state: declared.state,
            });
        }
        let issuers = issuers.iter().map(|issuer| KnownIssuer::of(issuer, own));
        Ok(Self {
            origins,
            window_seconds,
            issuers: issuers.collect::<Result<_, _>>().context("issuers")?,
            gateway,
            ring: Some(keys::load_ring(config)?),
            spent: Vec::new(),
        })
    }
}

/// A declared key with its names; of one in a token the public half.
fn named(config: &Config, declared: &config::GatewayKey) -> anyhow::Result<NamedKey> {
    let file = match declared.place()? {
        KeyPlace::File(file) => file,
        KeyPlace::Token(object) => {
            let (_, public) = keys::token::open(&config.tokens, object, declared.oaep)?;
            return Ok(NamedKey::of_public(declared.name(), &public)?);
        }
    };
    let pair = source::read_declared(declared, file)?;
    let label = file.file_name().unwrap_or_default();
    let label = label.to_string_lossy().into_owned();
    Ok(NamedKey::of_pair(label, pair, declared.aliases.clone())?)
}

/// The window of a gateway whose configuration is not here, in seconds.
const WINDOW: i64 = 300;

impl Knowledge {
    /// What a client knows: its own keys and the gateway's certificate. Payloads stay closed.
    ///
    /// # Errors
    /// A file that cannot be read, or a base URL that is none.
    pub fn of_client(base_url: &str, files: &KeyFiles<'_>) -> anyhow::Result<Self> {
        let consumer_key = files.consumer_key;
        let client_id = consumer_key.split('!').next().unwrap_or_default();
        let signing = source::read_private_key(files.signing_key)?;
        let mut encryption = Vec::new();
        if let Some(file) = files.decryption_key {
            let pair = source::read_key_pair(file, None)?;
            let label = "the client's decryption key".to_owned();
            encryption.push(NamedKey::of_pair(label, pair, Vec::new())?);
        }
        let certificate = source::read_certificate(files.gateway_certificate)?;
        let label = "the gateway's certificate".to_owned();
        Ok(Self {
            origins: vec![PublicOrigin::parse(base_url.trim_end_matches('/'))?],
            window_seconds: WINDOW,
            issuers: vec![KnownIssuer {
                name: "this client".to_owned(),
                client_id: client_id.to_owned(),
                signing: vec![SigningKey {
                    consumer_key: consumer_key.to_owned(),
                    key: PKey::public_key_from_der(&signing.public_key_to_der()?)?,
                    validity: Validity::from_micros(None, None),
                }],
                encryption,
                issuer: None,
            }],
            gateway: vec![GatewayKey {
                key: NamedKey::of_certificate(label, certificate)?,
                state: KeyState::Primary,
            }],
            ring: None,
            spent: Vec::new(),
        })
    }
}

impl KnownIssuer {
    fn of(issuer: &Arc<Issuer>, own: &[OwnKey]) -> Result<Self, ErrorStack> {
        let mut signing = Vec::new();
        for keys in &issuer.signing {
            for (key, certificate) in keys.keys.iter().zip(keys.certificates.iter()) {
                signing.push(SigningKey {
                    consumer_key: keys.consumer_key.clone(),
                    key: PKey::public_key_from_der(&key.public_key().public_key_to_der()?)?,
                    validity: certificate.validity,
                });
            }
        }
        let client_id = issuer.client_id.as_str();
        let label = || format!("the decryption key of {}", issuer.name);
        let mut encryption: Vec<NamedKey> = Vec::new();
        for key in own.iter().filter(|key| key.client_id == client_id) {
            let pair = KeyPair {
                private: key.pair.private.clone(),
                certificate: key.pair.certificate.clone(),
            };
            encryption.push(NamedKey::of_pair(label(), pair, Vec::new())?);
        }
        for certificate in &issuer.encryption {
            let key = NamedKey::of_public(label(), certificate.recipient.public_key())?;
            if !encryption.iter().any(|known| known.is(&key)) {
                encryption.push(key);
            }
        }
        Ok(Self {
            name: issuer.name.clone(),
            client_id: client_id.to_owned(),
            signing,
            encryption,
            issuer: Some(Arc::clone(issuer)),
        })
    }
}
