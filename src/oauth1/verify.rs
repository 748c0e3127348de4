//! Verification of a parsed header against the request as it came over the wire (wire-formats.md 3.3).

use super::base_string::Message;
use super::{Authorization, PublicOrigin, Refusal, SetupError, body_hash};
use openssl::error::ErrorStack;
use openssl::md::Md;
use openssl::pkey::{HasPublic, PKey, PKeyRef, Private, Public};
use openssl::pkey_ctx::PkeyCtx;
use openssl::rsa::Padding;
use openssl::sign::RsaPssSaltlen;
use sha2::{Digest as _, Sha256};
use std::fmt;
use std::sync::LazyLock;

/// The request's bytes as they arrived: nothing decoded, normalised or decompressed.
#[derive(Clone, Copy)]
pub struct Request<'a> {
    /// The method, `POST`.
    pub method: &'a str,
    /// The path of the request line, percent-encoded as sent, without the query.
    pub path: &'a str,
    /// What follows the first `?` of the request line, if there is one.
    pub query: Option<&'a str>,
    /// The body; empty if there is none.
    pub body: &'a [u8],
}

/// What is accepted beyond a good signature.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Policy {
    /// How many seconds `oauth_timestamp` may lie in the past or in the future. Nonces must be kept
    /// for at least twice as long.
    pub window_seconds: i64,
    /// Whether `RSA-PSS` is accepted beside `RSA-SHA256` (spec decision 10).
    pub allow_pss: bool,
}

impl Default for Policy {
    /// 300 seconds either way, RSA-PSS allowed.
    fn default() -> Self {
        Self {
            window_seconds: 300,
            allow_pss: true,
        }
    }
}

/// The signature methods of official libraries (wire-formats.md 3.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SignatureMethod {
    /// `RSA-SHA256`: PKCS#1 v1.5 with SHA-256.
    RsaSha256,
    /// `RSA-PSS`: SHA-256, MGF1 with SHA-256, a salt of 32 bytes.
    RsaPss,
}

impl SignatureMethod {
    /// The method called `name` on the wire, with exactly this spelling.
    pub(super) fn from_name(name: &str) -> Option<Self> {
        [Self::RsaSha256, Self::RsaPss]
            .into_iter()
            .find(|method| method.name() == name)
    }

    /// The name on the wire.
    pub fn name(self) -> &'static str {
        match self {
            Self::RsaSha256 => "RSA-SHA256",
            Self::RsaPss => "RSA-PSS",
        }
    }

    /// Sets padding and digests on a context that was initialised to sign or to verify.
    fn configure<T>(self, context: &mut PkeyCtx<T>) -> Result<(), ErrorStack> {
        match self {
            Self::RsaSha256 => {
                context.set_rsa_padding(Padding::PKCS1)?;
                context.set_signature_md(Md::sha256())
            }
            Self::RsaPss => {
                context.set_rsa_padding(Padding::PKCS1_PSS)?;
                context.set_signature_md(Md::sha256())?;
                context.set_rsa_mgf1_md(Md::sha256())?;
                context.set_rsa_pss_saltlen(RsaPssSaltlen::custom(32))
            }
        }
    }
}

/// A client's public key, parsed once.
#[derive(Clone)]
pub struct VerifyingKey(PKey<Public>);

impl VerifyingKey {
    /// Takes an RSA key of at least 2048 bits.
    pub fn from_public_key(key: PKey<Public>) -> Result<Self, SetupError> {
        check_rsa(&key)?;
        Ok(Self(key))
    }

    fn context(&self, method: SignatureMethod) -> Result<PkeyCtx<Public>, ErrorStack> {
        let mut context = PkeyCtx::new(&self.0)?;
        context.verify_init()?;
        method.configure(&mut context)?;
        Ok(context)
    }
}

impl fmt::Debug for VerifyingKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "VerifyingKey(RSA-{})", self.0.bits())
    }
}

/// Refuses everything but RSA keys of at least 2048 bits.
pub(super) fn check_rsa<T: HasPublic>(key: &PKeyRef<T>) -> Result<(), SetupError> {
    let rsa = key.rsa().map_err(|_| SetupError::NotRsa)?;
    let bits = rsa.n().num_bits().unsigned_abs();
    if bits < 2048 {
        return Err(SetupError::KeyTooShort(bits));
    }
    Ok(())
}

/// A key whose private half was thrown away. An unknown consumer key is checked against it, so that it
/// takes as long as a known one with a bad signature.
static DECOY: LazyLock<Option<VerifyingKey>> = LazyLock::new(|| {
    let key = PKey::public_key_from_pem(include_bytes!("decoy.pem")).ok()?;
    VerifyingKey::from_public_key(key).ok()
});

impl Authorization<'_> {
    /// Checks method, version, timestamp, body hash and signature, in this order.
    ///
    /// `origins` are the public origins of this server; the client may have signed any one of them.
    /// `keys` are the keys of this consumer key, one of which must have signed. With none, which
    /// means that nobody has this consumer key, the answer and the work are those of a bad signature.
    /// The nonce is not checked: after `Ok`, the caller spends it, in the transaction that it guards.
    pub fn verify(
        &self,
        request: &Request<'_>,
        origins: &[PublicOrigin],
        keys: &[&VerifyingKey],
        policy: &Policy,
        now_unix_seconds: i64,
    ) -> Result<(), Refusal> {
        let method = self
            .method()
            .filter(|method| policy.allow_pss || *method != SignatureMethod::RsaPss)
            .ok_or(Refusal::UnsupportedSignatureMethod)?;
        if self.version().is_some_and(|version| version != "1.0") {
            return Err(Refusal::UnsupportedVersion);
        }
        let distance = self.timestamp().abs_diff(now_unix_seconds);
        if !u64::try_from(policy.window_seconds).is_ok_and(|window| distance <= window) {
            return Err(Refusal::TimestampOutOfWindow);
        }
        body_hash::check(self.body_hash(), request.body)?;

        let Request {
            method: verb,
            path,
            query,
            ..
        } = *request;
        let message = Message::new(verb, path, query, self.signed().collect())?;
        let decoy: Option<&VerifyingKey> = DECOY.as_ref().filter(|_| keys.is_empty());
        let mut contexts: Vec<PkeyCtx<Public>> = keys
            .iter()
            .copied()
            .chain(decoy)
            .filter_map(|key| key.context(method).ok())
            .collect();
        let verified = message.any_candidate(origins, |base_string| {
            let digest = Sha256::digest(base_string);
            // OpenSSL reports many a bad signature as an error: to us the two are one.
            contexts
                .iter_mut()
                .any(|context| context.verify(&digest, self.signature()).unwrap_or(false))
        });
        if verified && !keys.is_empty() {
            Ok(())
        } else {
            Err(Refusal::SignatureInvalid)
        }
    }
}

/// Signs `message` with `key`; beside verification, so that both set the same parameters.
pub(super) fn sign(
    key: &PKeyRef<Private>,
    method: SignatureMethod,
    message: &str,
) -> Result<Vec<u8>, ErrorStack> {
    let mut context = PkeyCtx::new(key)?;
    context.sign_init()?;
    method.configure(&mut context)?;
    let mut signature = Vec::new();
    context.sign_to_vec(&Sha256::digest(message), &mut signature)?;
    Ok(signature)
}

#[cfg(test)]
mod tests {
    use super::*;
    use openssl::ec::{EcGroup, EcKey};
    use openssl::nid::Nid;
    use openssl::rsa::Rsa;

    fn public(bits: u32) -> PKey<Public> {
        let pem = Rsa::generate(bits).unwrap().public_key_to_pem().unwrap();
        PKey::public_key_from_pem(&pem).unwrap()
    }

    #[test]
    fn only_rsa_keys_of_2048_bits_and_more_are_taken() {
        let weak = VerifyingKey::from_public_key(public(1024)).unwrap_err();
        assert_eq!(weak, SetupError::KeyTooShort(1024));
        let key = VerifyingKey::from_public_key(public(2048)).unwrap();
        assert_eq!(format!("{key:?}"), "VerifyingKey(RSA-2048)");

        let group = EcGroup::from_curve_name(Nid::X9_62_PRIME256V1).unwrap();
        let ec = PKey::from_ec_key(EcKey::generate(&group).unwrap()).unwrap();
        let ec = PKey::public_key_from_pem(&ec.public_key_to_pem().unwrap()).unwrap();
        assert_eq!(
            VerifyingKey::from_public_key(ec).unwrap_err(),
            SetupError::NotRsa
        );
    }

    #[test]
    fn the_decoy_is_a_key() {
        assert!(DECOY.is_some());
    }

    #[test]
    fn method_names_are_exact() {
        for name in [
            "",
            "rsa-sha256",
            "RSA-PSS-SHA256",
            "RSA-SHA1",
            "HMAC-SHA256",
            "PLAINTEXT",
        ] {
            assert_eq!(SignatureMethod::from_name(name), None, "{name}");
        }
        for method in [SignatureMethod::RsaSha256, SignatureMethod::RsaPss] {
            assert_eq!(SignatureMethod::from_name(method.name()), Some(method));
        }
    }
}
