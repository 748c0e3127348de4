//! One's own RSA or EC key, parsed and checked once, at load.

use openssl::ec::EcKey;
use openssl::error::ErrorStack;
use openssl::pkey::{PKey, PKeyRef, Private, Public};
use openssl::x509::{X509, X509Ref};
use serde::{Deserialize, Serialize};
use std::any::Any;
use std::fmt;
use std::str::FromStr;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::{SystemTime, UNIX_EPOCH};
use zeroize::Zeroizing;

use super::content::Travel;
use super::ecdh;
use super::fingerprint::Fingerprint;
use super::keeper::{Keeper, KeeperAway};
use super::kind::{Curve, KeyKind};
use super::oaep;

/// The states of a key, as in Tink and Vault.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum KeyState {
    /// Advertised to clients, and meant by a request that names no key. Exactly one in a ring.
    Primary,
    /// Still decrypts.
    Active,
    /// Refused; can come back.
    Disabled,
    /// Refused for ever.
    Destroyed,
}

impl KeyState {
    /// Whether a key in this state opens payloads.
    pub fn decrypts(self) -> bool {
        matches!(self, Self::Primary | Self::Active)
    }

    /// The lower-case name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Primary => "primary",
            Self::Active => "active",
            Self::Disabled => "disabled",
            Self::Destroyed => "destroyed",
        }
    }
}

impl fmt::Display for KeyState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A text that names no key state.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a key state is one of primary, active, disabled, destroyed")]
pub struct UnknownKeyState;

impl FromStr for KeyState {
    type Err = UnknownKeyState;

    fn from_str(text: &str) -> Result<Self, UnknownKeyState> {
        [Self::Primary, Self::Active, Self::Disabled, Self::Destroyed]
            .into_iter()
            .find(|state| state.as_str() == text)
            .ok_or(UnknownKeyState)
    }
}

/// Why a key cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// Ed25519, RSA-PSS, other curves and so on.
    #[error("only RSA keys, and EC keys on P-256 and P-384, are supported")]
    Kind,
    /// Outside 2048 to 4096 bits.
    #[error("RSA keys must have 2048 to 4096 bits, this one has {0}")]
    Size(u32),
    /// The numbers of a private key contradict each other, or its primes are none.
    #[error("the private key is damaged")]
    Damaged,
    /// A certificate for another key.
    #[error("the certificate does not belong to the private key")]
    CertificateMismatch,
    /// OpenSSL cannot read the key or certificate.
    #[error("OpenSSL cannot use the key or certificate")]
    Unreadable(#[from] ErrorStack),
}

impl KeyError {
    /// A stable kebab-case name for log and audit.
    pub fn reason(&self) -> &'static str {
        match self {
            Self::Kind => "key-kind",
            Self::Size(_) => "key-size",
            Self::Damaged => "key-damaged",
            Self::CertificateMismatch => "certificate-mismatch",
            Self::Unreadable(_) => "key-unreadable",
        }
    }
}

/// A private key that opens payloads, with the names that senders use for it. A server's key opens
/// requests, a client's key opens answers.
pub struct DecryptionKey {
    private: PrivateKey,
    public: PKey<Public>,
    kind: KeyKind,
    /// What an engine of the caller's has made of the private key.
    prepared: OnceLock<Box<dyn Any + Send + Sync>>,
    certificate: Option<X509>,
    fingerprint: Fingerprint,
    certificate_fingerprint: Option<Fingerprint>,
    thumbprint: Fingerprint,
    aliases: Vec<String>,
    state: KeyState,
    not_after: Option<SystemTime>,
    /// Seconds since 1970 UTC of the last payload that this key opened; 0: none yet.
    last_used: AtomicI64,
}

enum PrivateKey {
    Rsa(PKey<Private>),
    Ec(EcKey<Private>),
    Elsewhere(Arc<dyn Keeper>),
}

/// Why a content key did not unwrap.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum UnwrapError {
    /// It was not made for this key. A caller that opens payloads then continues with a random key:
    /// see [`WrappedKey`](crate::WrappedKey).
    #[error("the content key was not wrapped for this key")]
    NotForThisKey,
    /// The keeper of the private key does not answer.
    #[error(transparent)]
    KeeperAway(#[from] KeeperAway),
}

/// The numbers of a public key, big-endian.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PublicNumbers {
    /// Without leading zeros (RFC 7518, 6.3.1).
    Rsa {
        /// The modulus.
        n: Vec<u8>,
        /// The public exponent.
        e: Vec<u8>,
    },
    /// As long as the curve's coordinates are (RFC 7518, 6.2.1).
    Ec {
        /// The curve.
        curve: Curve,
        /// The x coordinate.
        x: Vec<u8>,
        /// The y coordinate.
        y: Vec<u8>,
    },
}

impl PublicNumbers {
    /// Those of any key.
    pub(crate) fn of(key: &PKeyRef<Public>) -> Result<Self, KeyError> {
        Ok(match KeyKind::of(key)? {
            KeyKind::Rsa => {
                let rsa = key.rsa()?;
                Self::Rsa {
                    n: rsa.n().to_vec(),
                    e: rsa.e().to_vec(),
                }
            }
            KeyKind::Ec(curve) => {
                let key = key.ec_key()?;
                let (x, y) = ecdh::coordinates(curve, key.public_key())?;
                Self::Ec { curve, x, y }
            }
        })
    }
}

impl DecryptionKey {
    /// Checks a key (RSA of 2048 to 4096 bits, EC on P-256 or P-384), and that the certificate is
    /// its own. `aliases` are further texts that clients may send as `kid` or fingerprint; they are
    /// compared exactly.
    ///
    /// The check of the primes takes some 20 ms (RSA-2048).
    pub fn new(
        private: PKey<Private>,
        certificate: Option<X509>,
        aliases: Vec<String>,
        state: KeyState,
    ) -> Result<Self, KeyError> {
        let public = PKey::public_key_from_der(&private.public_key_to_der()?)?;
        let private = match KeyKind::of(&private)? {
            KeyKind::Rsa if !private.rsa()?.check_key().unwrap_or(false) => {
                return Err(KeyError::Damaged);
            }
            KeyKind::Rsa => PrivateKey::Rsa(private),
            KeyKind::Ec(_) => {
                let key = private.ec_key()?;
                key.check_key().map_err(|_| KeyError::Damaged)?;
                PrivateKey::Ec(key)
            }
        };
        Self::with(private, public, certificate, aliases, state)
    }

    /// A key whose private half lies elsewhere: RSA of 2048 to 4096 bits.
    pub fn kept(
        keeper: Arc<dyn Keeper>,
        public: PKey<Public>,
        certificate: Option<X509>,
        aliases: Vec<String>,
        state: KeyState,
    ) -> Result<Self, KeyError> {
        if KeyKind::of(&public)? != KeyKind::Rsa {
            return Err(KeyError::Kind);
        }
        let private = PrivateKey::Elsewhere(keeper);
        Self::with(private, public, certificate, aliases, state)
    }

    fn with(
        private: PrivateKey,
        public: PKey<Public>,
        certificate: Option<X509>,
        aliases: Vec<String>,
        state: KeyState,
    ) -> Result<Self, KeyError> {
        let certificate_fingerprint = match &certificate {
            Some(certificate) if !certificate.public_key()?.public_eq(&public) => {
                return Err(KeyError::CertificateMismatch);
            }
            Some(certificate) => Some(Fingerprint::of_certificate(certificate)?),
            None => None,
        };
        Ok(Self {
            kind: KeyKind::of(&public)?,
            fingerprint: Fingerprint::of_public_key(&public)?,
            thumbprint: Fingerprint::thumbprint(&PublicNumbers::of(&public)?),
            prepared: OnceLock::new(),
            private,
            public,
            certificate,
            certificate_fingerprint,
            aliases,
            state,
            not_after: None,
            last_used: AtomicI64::new(0),
        })
    }

    /// The same key, to be replaced by then. Only warnings follow from it.
    pub fn ending(self, not_after: Option<SystemTime>) -> Self {
        Self { not_after, ..self }
    }

    /// When the key should have been replaced, if that was declared.
    pub fn not_after(&self) -> Option<SystemTime> {
        self.not_after
    }

    /// Notes that the key has opened a payload now.
    pub(crate) fn mark_used(&self) {
        let now = SystemTime::now().duration_since(UNIX_EPOCH);
        let seconds = now.map_or(0, |elapsed| elapsed.as_secs());
        let seconds = i64::try_from(seconds).unwrap_or(i64::MAX);
        self.last_used.fetch_max(seconds, Ordering::Relaxed);
    }

    /// When the key last opened a payload since it was loaded, in seconds since 1970 UTC.
    pub fn last_used(&self) -> Option<i64> {
        Some(self.last_used.load(Ordering::Relaxed)).filter(|seconds| *seconds > 0)
    }

    /// The state.
    pub fn state(&self) -> KeyState {
        self.state
    }

    /// SHA-256 of the SPKI.
    pub fn fingerprint(&self) -> Fingerprint {
        self.fingerprint
    }

    /// The certificate that clients encrypt to, if the key has one.
    pub fn certificate(&self) -> Option<&X509Ref> {
        self.certificate.as_deref()
    }

    /// SHA-256 of the certificate.
    pub fn certificate_fingerprint(&self) -> Option<Fingerprint> {
        self.certificate_fingerprint
    }

    /// The JWK thumbprint (RFC 7638).
    pub fn thumbprint(&self) -> Fingerprint {
        self.thumbprint
    }

    /// Further names.
    pub fn aliases(&self) -> &[String] {
        &self.aliases
    }

    /// The public key's numbers.
    pub fn public_numbers(&self) -> Result<PublicNumbers, KeyError> {
        PublicNumbers::of(&self.public)
    }

    /// The kind.
    pub fn kind(&self) -> KeyKind {
        self.kind
    }

    /// The size of the modulus or of the field in bits.
    pub fn bits(&self) -> u32 {
        self.public.bits()
    }

    /// The size of an RSA modulus in bytes, which is the length of a wrapped key.
    pub fn modulus_bytes(&self) -> usize {
        self.public.size()
    }

    /// Who keeps the private key, if it lies elsewhere.
    pub fn keeper(&self) -> Option<&Arc<dyn Keeper>> {
        match &self.private {
            PrivateKey::Elsewhere(keeper) => Some(keeper),
            PrivateKey::Rsa(_) | PrivateKey::Ec(_) => None,
        }
    }

    /// Unwraps a content key: the private operation, a quarter of a millisecond with RSA-2048. A
    /// [`Keeper`] takes as long as it does.
    ///
    /// # Errors
    /// [`UnwrapError`].
    pub fn unwrap(
        &self,
        travel: &Travel,
        wrapped: &[u8],
    ) -> Result<Zeroizing<Vec<u8>>, UnwrapError> {
        let unwrapped = match (&self.private, travel) {
            (PrivateKey::Rsa(key), Travel::Oaep(digest)) => {
                oaep::decrypt(key, *digest, wrapped).ok()
            }
            (PrivateKey::Ec(key), Travel::Ecdh(ephemeral))
                if self.kind == KeyKind::Ec(ephemeral.curve()) =>
            {
                ephemeral.unwrap(key, wrapped).ok()
            }
            (PrivateKey::Elsewhere(keeper), Travel::Oaep(digest)) => {
                keeper.unwrap(*digest, wrapped)?
            }
            _ => None,
        };
        unwrapped.ok_or(UnwrapError::NotForThisKey)
    }

    /// What `prepare` makes of an RSA private key, once, for an engine that does not take OpenSSL's
    /// keys. It is kept as long as the key. `None` if something of another type was made before, or
    /// if the key is EC or lies elsewhere.
    pub fn prepared<T: Any + Send + Sync>(
        &self,
        prepare: impl FnOnce(&PKeyRef<Private>) -> T,
    ) -> Option<&T> {
        let PrivateKey::Rsa(private) = &self.private else {
            return None;
        };
        let prepared = self.prepared.get_or_init(|| Box::new(prepare(private)));
        prepared.downcast_ref()
    }
}

impl fmt::Debug for DecryptionKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DecryptionKey")
            .field("fingerprint", &self.fingerprint)
            .field("state", &self.state)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing;
    use openssl::ec::{EcGroup, EcKey};
    use openssl::nid::Nid;
    use openssl::rsa::Rsa;

    #[test]
    fn only_sound_keys_of_sensible_size() {
        let ec = EcGroup::from_curve_name(Nid::SECP521R1).unwrap();
        let ec = PKey::from_ec_key(EcKey::generate(&ec).unwrap()).unwrap();
        let rsa = |bits| PKey::from_rsa(Rsa::generate(bits).unwrap()).unwrap();
        for (key, reason) in [
            (ec, "key-kind"),
            (PKey::generate_ed25519().unwrap(), "key-kind"),
            (rsa(1024), "key-size"),
            (rsa(2047), "key-size"),
            (testing::damaged_key(), "key-damaged"),
        ] {
            let error = DecryptionKey::new(key, None, Vec::new(), KeyState::Active).unwrap_err();
            assert_eq!(error.reason(), reason);
        }
    }

    #[test]
    fn the_certificate_must_be_the_keys_own() {
        let build = |certificate| {
            let certificate = Some(testing::certificate(certificate));
            DecryptionKey::new(testing::key(0), certificate, Vec::new(), KeyState::Active)
        };
        assert_eq!(build(1).unwrap_err().reason(), "certificate-mismatch");
        let key = build(0).unwrap();
        assert_eq!((key.bits(), key.modulus_bytes()), (2048, 256));
        assert!(key.certificate_fingerprint().is_some());
    }

    #[test]
    fn states_have_lower_case_names() {
        for (state, name) in [
            (KeyState::Primary, "primary"),
            (KeyState::Active, "active"),
            (KeyState::Disabled, "disabled"),
            (KeyState::Destroyed, "destroyed"),
        ] {
            assert_eq!(name.parse(), Ok(state));
            assert_eq!(state.to_string(), name);
            assert_eq!(serde_json::to_value(state).unwrap(), name);
            assert_eq!(
                serde_json::from_value::<KeyState>(name.into()).unwrap(),
                state
            );
        }
        assert_eq!("Primary".parse::<KeyState>(), Err(UnknownKeyState));
    }

    #[test]
    fn debug_shows_no_numbers_of_the_key() {
        let key = testing::own_key(0, &[], KeyState::Primary);
        let expected = format!(
            "DecryptionKey {{ fingerprint: {}, state: Primary, .. }}",
            key.fingerprint()
        );
        assert_eq!(format!("{key:?}"), expected);
    }
}
