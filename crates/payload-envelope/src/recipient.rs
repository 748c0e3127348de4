//! The public key that something is sealed to: a client's for answers, a server's for requests.

use openssl::ec::EcKey;
use openssl::error::ErrorStack;
use openssl::pkey::{PKey, PKeyRef, Public};
use openssl::x509::X509Ref;

use super::ecdh::{self, Agreed, Agreement};
use super::fingerprint::Fingerprint;
use super::key::KeyError;
use super::kind::{Curve, KeyKind};
use super::oaep::{self, OaepDigest};

/// An RSA public key of 2048 to 4096 bits, or an EC one on P-256 or P-384, parsed once.
#[derive(Debug, Clone)]
pub struct Recipient {
    key: PKey<Public>,
    /// The same, ready for key agreement.
    elliptic: Option<(Curve, EcKey<Public>)>,
    kind: KeyKind,
    fingerprint: Fingerprint,
}

/// A content key on its way to a recipient, in a JWE.
pub(super) struct WrappedCek {
    pub(super) alg: &'static str,
    /// The ephemeral key as a JSON object, if there is one.
    pub(super) epk: Option<String>,
    pub(super) wrapped: Vec<u8>,
}

/// Why something could not be sealed: faults of our own, none of them the receiver's.
#[derive(Debug, thiserror::Error)]
pub enum SealError {
    /// OpenSSL failed, or has no random numbers.
    #[error("OpenSSL cannot seal the payload")]
    OpenSsl(#[from] ErrorStack),
    /// Field-level encryption knows RSA alone.
    #[error("field-level encryption needs an RSA key")]
    NeedsRsa,
    /// Beyond what AES-GCM can encrypt: 64 GiB.
    #[error("the payload is too long to be sealed")]
    TooLong,
}

impl SealError {
    /// A stable kebab-case name for log and audit.
    pub fn reason(&self) -> &'static str {
        match self {
            Self::OpenSsl(_) => "seal-openssl",
            Self::NeedsRsa => "seal-needs-rsa",
            Self::TooLong => "seal-too-long",
        }
    }
}

impl Recipient {
    /// The key in a certificate. Ignores its validity dates: the caller that registers it checks
    /// them.
    pub fn from_certificate(certificate: &X509Ref) -> Result<Self, KeyError> {
        Self::from_public_key(certificate.public_key()?)
    }

    /// A bare public key.
    pub fn from_public_key(key: PKey<Public>) -> Result<Self, KeyError> {
        let kind = KeyKind::of(&key)?;
        Ok(Self {
            fingerprint: Fingerprint::of_public_key(&key)?,
            kind,
            elliptic: match kind {
                KeyKind::Rsa => None,
                KeyKind::Ec(curve) => Some((curve, key.ec_key()?)),
            },
            key,
        })
    }

    /// The key itself.
    pub fn public_key(&self) -> &PKeyRef<Public> {
        &self.key
    }

    /// SHA-256 of the SPKI: the `kid` and `publicKeyFingerprint` of what is sealed to this key.
    pub fn fingerprint(&self) -> Fingerprint {
        self.fingerprint
    }

    /// The kind of the key. Field-level encryption knows RSA alone.
    pub fn kind(&self) -> KeyKind {
        self.kind
    }

    pub(super) fn wrap(&self, digest: OaepDigest, cek: &[u8]) -> Result<Vec<u8>, SealError> {
        match self.kind {
            KeyKind::Rsa => Ok(oaep::encrypt(&self.key, digest, cek)?),
            KeyKind::Ec(_) => Err(SealError::NeedsRsa),
        }
    }

    pub(super) fn wrap_for_jwe(&self, cek: &[u8; 32]) -> Result<WrappedCek, SealError> {
        let Some((curve, key)) = &self.elliptic else {
            return Ok(WrappedCek {
                alg: "RSA-OAEP-256",
                epk: None,
                wrapped: self.wrap(OaepDigest::Sha256, cek)?,
            });
        };
        let Agreed { epk, wrapped } = ecdh::wrap(*curve, key.public_key(), cek)?;
        Ok(WrappedCek {
            alg: Agreement::A256Kw.alg(),
            epk: Some(epk),
            wrapped,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing;
    use openssl::rsa::Rsa;

    #[test]
    fn a_certificate_and_its_key_are_the_same_recipient() {
        let certified = Recipient::from_certificate(&testing::certificate(0)).unwrap();
        let bare = Recipient::from_public_key(testing::public_key(0)).unwrap();
        assert_eq!(certified.fingerprint(), bare.fingerprint());
    }

    #[test]
    fn small_keys_are_refused() {
        let small = Rsa::generate(1024).unwrap().public_key_to_der().unwrap();
        let small = PKey::public_key_from_der(&small).unwrap();
        assert_eq!(
            Recipient::from_public_key(small).unwrap_err().reason(),
            "key-size"
        );
    }
}
