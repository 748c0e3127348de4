//! The kinds of keys that payloads are encrypted to.

use openssl::ec::{EcGroup, EcGroupRef};
use openssl::error::ErrorStack;
use openssl::nid::Nid;
use openssl::pkey::{HasPublic, Id, PKeyRef};
use std::fmt;
use std::sync::OnceLock;

use super::key::KeyError;

/// The curves of EC keys (RFC 7518, 6.2.1.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Curve {
    /// P-256.
    P256,
    /// P-384.
    P384,
}

impl Curve {
    /// Both.
    pub const ALL: [Self; 2] = [Self::P256, Self::P384];

    /// `crv`, as in a JWK.
    pub fn name(self) -> &'static str {
        match self {
            Self::P256 => "P-256",
            Self::P384 => "P-384",
        }
    }

    /// The curve of this name; compared exactly.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|curve| curve.name() == name)
    }

    /// The length of a coordinate in bytes.
    pub fn bytes(self) -> usize {
        match self {
            Self::P256 => 32,
            Self::P384 => 48,
        }
    }

    /// The curve in OpenSSL.
    pub fn nid(self) -> Nid {
        match self {
            Self::P256 => Nid::X9_62_PRIME256V1,
            Self::P384 => Nid::SECP384R1,
        }
    }

    /// The curve with its tables, made once.
    pub(crate) fn group(self) -> Result<&'static EcGroupRef, ErrorStack> {
        static GROUPS: [OnceLock<EcGroup>; 2] = [const { OnceLock::new() }; 2];
        let [p256, p384] = &GROUPS;
        let made = match self {
            Self::P256 => p256,
            Self::P384 => p384,
        };
        if let Some(group) = made.get() {
            return Ok(group);
        }
        let group = EcGroup::from_curve_name(self.nid())?;
        Ok(made.get_or_init(|| group))
    }

    fn of(group: &EcGroupRef) -> Option<Self> {
        let nid = group.curve_name()?;
        Self::ALL.into_iter().find(|curve| curve.nid() == nid)
    }
}

/// What kind of key it is, and so how content keys travel to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum KeyKind {
    /// RSA of 2048 to 4096 bits: RSA-OAEP.
    Rsa,
    /// EC: ECDH-ES.
    Ec(Curve),
}

impl KeyKind {
    /// The kind of a key.
    ///
    /// # Errors
    /// [`KeyError::Kind`] or [`KeyError::Size`] if payloads are not encrypted to such keys.
    pub fn of<T: HasPublic>(key: &PKeyRef<T>) -> Result<Self, KeyError> {
        match (key.id(), key.bits()) {
            (Id::RSA, 2048..=4096) => Ok(Self::Rsa),
            (Id::RSA, bits) => Err(KeyError::Size(bits)),
            (Id::EC, _) => Curve::of(key.ec_key()?.group())
                .map(Self::Ec)
                .ok_or(KeyError::Kind),
            _ => Err(KeyError::Kind),
        }
    }
}

impl fmt::Display for KeyKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Rsa => "RSA",
            Self::Ec(curve) => curve.name(),
        })
    }
}
