//! Makes what a sandbox needs once: keys, certificates, ids. At random, or out of a text.

use crate::directory::{ApiKey, KeyKind};
use crate::keys::rotation::{generate, self_signed, self_signed_between};
use crate::keys::seeded::Seed;
use crate::vault::Kek;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use chrono::{DateTime, TimeDelta, Utc};
use openssl::pkey::{PKey, Private};
use openssl::x509::X509;

const CERTIFICATE_DAYS: u32 = 3_650;
/// Certificates of seeded keys begin here, 2026-01-01, so that they are the same every day.
const SEEDED_FROM: DateTime<Utc> = match DateTime::from_timestamp(1_767_225_600, 0) {
    Some(time) => time,
    None => DateTime::UNIX_EPOCH,
};
const SEEDED_DAYS: i64 = 36_500;

/// Where keys and ids come from.
pub(in crate::cli) enum Making {
    /// The operating system's random generator.
    Random,
    /// A text that is no secret.
    Seeded(Seed),
}

impl Making {
    /// A KEK in base64.
    pub(super) fn kek(&self) -> anyhow::Result<Vec<u8>> {
        Ok(match self {
            Self::Random => Kek::generate()?.as_bytes().to_vec(),
            Self::Seeded(seed) => STANDARD.encode(seed.bytes("kek")?.as_slice()).into_bytes(),
        })
    }

    /// An RSA key; `stem` is the name of its file.
    pub(super) fn rsa(&self, stem: &str) -> anyhow::Result<PKey<Private>> {
        match self {
            Self::Random => generate(2_048),
            Self::Seeded(seed) => seed.rsa(stem),
        }
    }

    /// A certificate of the key by itself. That of a seeded key says what it is.
    pub(super) fn certificate(&self, key: &PKey<Private>, name: &str) -> anyhow::Result<X509> {
        Ok(match self {
            Self::Random => self_signed(key, name, CERTIFICATE_DAYS)?,
            Self::Seeded(_) => {
                let name = format!("INSECURE seeded {name}");
                let until = SEEDED_FROM + TimeDelta::days(SEEDED_DAYS);
                self_signed_between(key, &name, SEEDED_FROM, until)?
            }
        })
    }

    /// 48 hex digits for a name.
    pub(super) fn hex(&self, name: &str) -> anyhow::Result<String> {
        let digits = match self {
            Self::Random => {
                let random = || uuid::Uuid::new_v4().simple().to_string();
                format!("{}{}", random(), random())
            }
            Self::Seeded(seed) => seed.hex(name)?,
        };
        Ok(digits.chars().take(48).collect())
    }

    /// A key of the users API.
    pub(super) fn api_key(&self, kind: KeyKind, name: &str) -> anyhow::Result<ApiKey> {
        Ok(match self {
            Self::Random => ApiKey::generate(kind)?,
            Self::Seeded(seed) => ApiKey::of_bytes(kind, &*seed.bytes(name)?),
        })
    }

    /// What cardholders' ids are made of, if they are not random.
    pub(super) fn seed(&self) -> Option<&Seed> {
        match self {
            Self::Random => None,
            Self::Seeded(seed) => Some(seed),
        }
    }
}
