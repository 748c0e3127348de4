//! Verification of a parsed header against the request as it came over the wire.

use super::base_string::{Digest, Message};
use super::{Authorization, Decoys, PublicOrigin, SetupError, SignatureError, body_hash};
use openssl::error::ErrorStack;
use openssl::md::Md;
use openssl::pkey::{HasPublic, PKey, PKeyRef, Private, Public};
use openssl::pkey_ctx::PkeyCtx;
use openssl::rsa::Padding;
use openssl::sign::RsaPssSaltlen;
use sha2::{Digest as _, Sha256};
use std::fmt;

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

/// The widest window that can be configured, in seconds. Nonces are kept until none so wide would
/// take their timestamp, whatever the window is now.
pub const MAX_WINDOW_SECONDS: i64 = 900;

/// Limits that hold besides a good signature.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Policy {
    /// How many seconds `oauth_timestamp` may lie in the past or in the future, at most
    /// [`MAX_WINDOW_SECONDS`].
    pub window_seconds: i64,
    /// Whether `RSA-PSS` is accepted beside `RSA-SHA256`.
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

/// The signature methods that Mastercard's client libraries use.
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
pub struct VerifyingKey {
    key: PKey<Public>,
    /// Bits of the modulus, and the exponent: what a verification costs.
    bits: u32,
    exponent: Vec<u8>,
}

impl VerifyingKey {
    /// Takes an RSA key of at least 2048 bits.
    pub fn from_public_key(key: PKey<Public>) -> Result<Self, SetupError> {
        check_rsa(&key)?;
        let rsa = key.rsa().map_err(|_| SetupError::NotRsa)?;
        Ok(Self {
            bits: rsa.n().num_bits().unsigned_abs(),
            exponent: rsa.e().to_vec(),
            key,
        })
    }

    /// The key itself: for tools that find out why a signature does not verify.
    pub fn public_key(&self) -> &PKeyRef<Public> {
        &self.key
    }

    /// Whether a verification with either key takes the same time.
    pub(super) fn costs(&self, other: &Self) -> bool {
        self.bits == other.bits && self.exponent == other.exponent
    }

    #[cfg(test)]
    pub(super) fn cost(&self) -> String {
        format!(
            "{} bits, exponent {}",
            self.bits,
            hex::encode(&self.exponent).trim_start_matches('0')
        )
    }

    fn context(&self, method: SignatureMethod) -> Result<PkeyCtx<Public>, ErrorStack> {
        let mut context = PkeyCtx::new(&self.key)?;
        context.verify_init()?;
        method.configure(&mut context)?;
        Ok(context)
    }
}

impl fmt::Debug for VerifyingKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "VerifyingKey(RSA-{})", self.bits)
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

/// What the proof of one signature took.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Work {
    /// Base strings that were hashed.
    pub(super) candidates: usize,
    /// RSA public operations.
    pub(super) verifications: usize,
}

impl Authorization<'_> {
    /// [`check`](Self::check), then [`prove`](Self::prove) without decoys.
    pub fn verify(
        &self,
        request: &Request<'_>,
        origins: &[PublicOrigin],
        keys: &[&VerifyingKey],
        policy: &Policy,
        now_unix_seconds: i64,
    ) -> Result<(), SignatureError> {
        self.check(request, policy.window_seconds, now_unix_seconds)?;
        self.prove(request, origins, keys, &Decoys::default(), policy.allow_pss)
    }

    /// Checks all that costs little and says nothing of who calls, in this order: that the method
    /// is known, version, timestamp, the limits of path and query, body hash.
    pub fn check(
        &self,
        request: &Request<'_>,
        window_seconds: i64,
        now_unix_seconds: i64,
    ) -> Result<(), SignatureError> {
        if self.method().is_none() {
            return Err(SignatureError::UnsupportedSignatureMethod);
        }
        if self.version().is_some_and(|version| version != "1.0") {
            return Err(SignatureError::UnsupportedVersion);
        }
        let distance = self.timestamp().abs_diff(now_unix_seconds);
        if !u64::try_from(window_seconds).is_ok_and(|window| distance <= window) {
            return Err(SignatureError::TimestampOutOfWindow);
        }
        self.message(request)?;
        body_hash::check(self.body_hash(), request.body)
    }

    /// Checks the signature, and at last whether its method is allowed: only a proven holder of the
    /// consumer key learns that.
    ///
    /// `origins` are the public origins of this server; the client may have signed any one of them.
    /// `keys` are the keys of this consumer key, one of which must have signed; none means that
    /// nobody has it. A signature that fails is verified against `decoys` as well, so that answer
    /// and work are the same whether the consumer key is known or not. The nonce is not checked:
    /// after `Ok`, the caller spends it, in the transaction that it guards.
    pub fn prove(
        &self,
        request: &Request<'_>,
        origins: &[PublicOrigin],
        keys: &[&VerifyingKey],
        decoys: &Decoys,
        allow_pss: bool,
    ) -> Result<(), SignatureError> {
        let mut work = Work::default();
        self.prove_counted(request, origins, keys, decoys, allow_pss, &mut work)
    }

    pub(super) fn prove_counted(
        &self,
        request: &Request<'_>,
        origins: &[PublicOrigin],
        keys: &[&VerifyingKey],
        decoys: &Decoys,
        allow_pss: bool,
        work: &mut Work,
    ) -> Result<(), SignatureError> {
        let method = self
            .method()
            .ok_or(SignatureError::UnsupportedSignatureMethod)?;
        let mut own = contexts(keys.iter().copied(), method);
        let mut candidates: Vec<Digest> = Vec::new();
        let proven = self
            .message(request)?
            .any_candidate(origins, |_, candidate| {
                candidates.push(*candidate);
                self.is_signed(candidate, &mut own, work)
            });
        work.candidates += candidates.len();
        if !proven {
            let mut decoys = contexts(decoys.beside(keys), method);
            for candidate in &candidates {
                for decoy in &mut decoys {
                    self.is_signed(candidate, std::slice::from_mut(decoy), work);
                }
            }
            return Err(SignatureError::SignatureInvalid);
        }
        if method == SignatureMethod::RsaPss && !allow_pss {
            return Err(SignatureError::UnsupportedSignatureMethod);
        }
        Ok(())
    }

    /// The base strings that [`prove`](Self::prove) holds the signature against, in this order: for
    /// tools that show a client what it should have signed. A server has no use for them.
    ///
    /// # Errors
    /// Those of path and query: too long, or with an `oauth_*` parameter.
    pub fn base_strings(
        &self,
        request: &Request<'_>,
        origins: &[PublicOrigin],
    ) -> Result<Vec<String>, SignatureError> {
        Ok(self.message(request)?.all(origins))
    }

    fn message<'a>(&'a self, request: &Request<'a>) -> Result<Message<'a>, SignatureError> {
        let Request {
            method,
            path,
            query,
            ..
        } = *request;
        Message::new(method, path, query, self.signed().collect())
    }

    /// Whether one of the keys signed this base string.
    fn is_signed(&self, candidate: &Digest, keys: &mut [PkeyCtx<Public>], work: &mut Work) -> bool {
        keys.iter_mut().any(|context| {
            work.verifications += 1;
            // OpenSSL reports many a bad signature as an error: to us the two are one.
            context.verify(candidate, self.signature()).unwrap_or(false)
        })
    }
}

fn contexts<'k>(
    keys: impl Iterator<Item = &'k VerifyingKey>,
    method: SignatureMethod,
) -> Vec<PkeyCtx<Public>> {
    keys.filter_map(|key| key.context(method).ok()).collect()
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
