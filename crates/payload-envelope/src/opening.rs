//! Opening an envelope: the key that it names, its content key, and what is in it.

use openssl::error::ErrorStack;
use openssl::rand::rand_bytes;
use std::sync::Arc;
use zeroize::Zeroizing;

use crate::content::{Travel, Wrapped};
use crate::envelope::{Envelope, EnvelopeError, EnvelopeKind, Form};
use crate::fingerprint::Fingerprint;
use crate::form::EnvelopeForm;
use crate::json::Object;
use crate::jwe::JwePolicy;
use crate::keeper::KeeperAway;
use crate::key::{DecryptionKey, UnwrapError};
use crate::key_ring::KeyRing;
use crate::kind::KeyKind;
use crate::reason::CryptoReason;

/// Why a body did not open.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The body is no envelope.
    #[error(transparent)]
    Envelope(EnvelopeError),
    /// The envelope does not open, whatever the reason.
    #[error(transparent)]
    Crypto(#[from] CryptoReason),
    /// The keeper of the private key does not answer: no fault of the body's.
    #[error(transparent)]
    KeeperAway(#[from] KeeperAway),
    /// OpenSSL has no random numbers: no fault of the body's.
    #[error("OpenSSL cannot open the payload")]
    OpenSsl(#[from] ErrorStack),
}

impl From<EnvelopeError> for OpenError {
    fn from(error: EnvelopeError) -> Self {
        match error {
            EnvelopeError::Crypto(reason) => Self::Crypto(reason),
            error => Self::Envelope(error),
        }
    }
}

/// What was in an envelope.
#[derive(Debug)]
pub struct Opened {
    /// The plaintext, wiped on drop.
    pub object: Object,
    /// How it was written, which an answer mirrors.
    pub form: EnvelopeForm,
    /// The key that opened it: shows when a former key is no longer used.
    pub key: Fingerprint,
}

/// The use that is about to be made of a wrapped key, as hashes.
///
/// A sender never wraps two messages with one content key. A server that remembers these hashes can
/// refuse a second message before it decrypts it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyUse {
    /// SHA-256 of the private key's fingerprint and the decoded wrapped key (ECDH-ES: with `alg`
    /// and the ephemeral key's x coordinate).
    pub key_hash: [u8; 32],
    /// SHA-256 of the decoded rest of the message: IV, ciphertext, and the JWE's header and tag or
    /// the OAEP digest.
    pub message_hash: [u8; 32],
    /// The envelope.
    pub kind: EnvelopeKind,
    /// The private key that is to unwrap it.
    pub opener: Fingerprint,
}

/// A content key: the sender's, or a random one in its place.
pub struct ContentKey {
    /// The key.
    pub bytes: Zeroizing<Vec<u8>>,
    /// Whether it is the sender's. For the log, and to fail at the very end; nothing before may
    /// depend on it.
    pub genuine: bool,
}

impl ContentKey {
    /// A random key of the first of `lengths` (in bytes). Made in every case and beforehand, so
    /// that a failure to unwrap takes no longer than a success.
    ///
    /// # Errors
    /// OpenSSL has no random numbers.
    pub fn stand_in(lengths: &[usize]) -> Result<Self, ErrorStack> {
        let mut bytes = Zeroizing::new(vec![0; lengths.first().copied().unwrap_or_default()]);
        rand_bytes(&mut bytes)?;
        Ok(Self {
            bytes,
            genuine: false,
        })
    }

    /// The key that was unwrapped, if it has one of `lengths`; otherwise this stand-in.
    pub fn unless(self, unwrapped: Option<Zeroizing<Vec<u8>>>, lengths: &[usize]) -> Self {
        match unwrapped.filter(|key| lengths.contains(&key.len())) {
            Some(bytes) => Self {
                bytes,
                genuine: true,
            },
            None => self,
        }
    }
}

/// An envelope with the private key that it names, before anything is decrypted.
///
/// [`WrappedKey::open`] does the rest here and now. A server may instead have the private operation
/// done elsewhere: in a thread pool, or by a hardware module. It then takes [`key`](Self::key),
/// [`travel`](Self::travel), [`bytes`](Self::bytes) and [`lengths`](Self::lengths), and comes back
/// with [`decrypt`](Self::decrypt).
pub struct WrappedKey<'a> {
    envelope: &'a Envelope,
    key: &'a Arc<DecryptionKey>,
}

impl Envelope {
    /// Finds the key in `ring` that the envelope names, and checks all that can be checked without
    /// a private operation.
    pub fn wrapped_key<'a>(
        &'a self,
        ring: &'a KeyRing,
        policy: &JwePolicy,
    ) -> Result<WrappedKey<'a>, CryptoReason> {
        if let Form::Jwe(token) = &self.0
            && !policy.allows(token.enc())
        {
            return Err(CryptoReason::Algorithm);
        }
        let wrapped = self.wrapped();
        let kind = match &wrapped.travel {
            Travel::Oaep(_) => KeyKind::Rsa,
            Travel::Ecdh(ephemeral) => KeyKind::Ec(ephemeral.curve()),
        };
        let key = ring
            .find(wrapped.hint.as_deref(), kind)
            .ok_or(CryptoReason::UnknownKey)?;
        let length = match (&wrapped.travel, key.kind()) {
            (Travel::Oaep(_), KeyKind::Rsa) => key.modulus_bytes(),
            (Travel::Ecdh(ephemeral), own @ KeyKind::Ec(_)) => {
                if own != kind {
                    return Err(CryptoReason::EphemeralKey);
                }
                ephemeral.agreement().wrapped_bytes()
            }
            _ => return Err(CryptoReason::Algorithm),
        };
        if wrapped.bytes.len() != length {
            return Err(CryptoReason::WrappedKeyLength);
        }
        Ok(WrappedKey {
            envelope: self,
            key,
        })
    }

    fn wrapped(&self) -> &Wrapped {
        match &self.0 {
            Form::Jwe(token) => &token.wrapped_key,
            Form::FieldLevel(message) => &message.wrapped_key,
        }
    }
}

impl<'a> WrappedKey<'a> {
    /// The private key that unwraps it.
    pub fn key(&self) -> &'a Arc<DecryptionKey> {
        self.key
    }

    /// How the content key travels.
    pub fn travel(&self) -> &'a Travel {
        &self.envelope.wrapped().travel
    }

    /// The wrapped key: as long as the modulus; 40 bytes of AES Key Wrap; none if the agreed key is
    /// the content key.
    pub fn bytes(&self) -> &'a [u8] {
        &self.envelope.wrapped().bytes
    }

    /// The lengths in bytes that the content key may have.
    pub fn lengths(&self) -> &'static [usize] {
        self.envelope.wrapped().lengths
    }

    /// What the key is about to be used for.
    pub fn key_use(&self) -> KeyUse {
        let opener = self.key.fingerprint();
        KeyUse {
            key_hash: self.envelope.wrapped().hash(opener),
            message_hash: match &self.envelope.0 {
                Form::Jwe(token) => token.hash(),
                Form::FieldLevel(message) => message.hash(),
            },
            kind: self.envelope.kind(),
            opener,
        }
    }

    /// Decrypts and parses with a content key, genuine or not: there is one path and no early end,
    /// so that neither the error nor its time tells a wrong key from wrong content.
    pub fn decrypt(&self, content_key: &ContentKey) -> Result<Opened, CryptoReason> {
        let content = match &self.envelope.0 {
            Form::Jwe(token) => token.decrypt(&content_key.bytes),
            Form::FieldLevel(message) => message.decrypt(&content_key.bytes),
        };
        let object = content.into_object(content_key.genuine)?;
        self.key.mark_used();
        Ok(Opened {
            object,
            form: self.envelope.form(),
            key: self.key.fingerprint(),
        })
    }

    /// Unwraps here and now, then [`decrypt`](Self::decrypt)s.
    pub fn open(&self) -> Result<Opened, OpenError> {
        let stand_in = ContentKey::stand_in(self.lengths())?;
        let unwrapped = match self.key.unwrap(self.travel(), self.bytes()) {
            Err(UnwrapError::KeeperAway(away)) => return Err(away.into()),
            unwrapped => unwrapped.ok(),
        };
        Ok(self.decrypt(&stand_in.unless(unwrapped, self.lengths()))?)
    }
}

/// Opens a body that was made for `ring`, such as an answer: any length, either envelope, every
/// content encryption.
///
/// A server goes by the steps instead: it verifies the sender's signature over the body, then
/// [`Envelope::parse`], [`Envelope::wrapped_key`] and [`WrappedKey::open`].
pub fn open(ring: &KeyRing, body: &[u8]) -> Result<Opened, OpenError> {
    let envelope = Envelope::parse_answer(body)?;
    envelope.wrapped_key(ring, &JwePolicy::default())?.open()
}
