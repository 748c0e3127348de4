//! What does the RSA private operations: OpenSSL one by one, or `crypto_mb` eight at a time.
//!
//! The engine checks each result of `crypto_mb` by the public operation. If it does not lead back,
//! the engine throws the result away, and OpenSSL does that operation again. OpenSSL also does the
//! operations that `crypto_mb` cannot: other sizes of key, a wrapped key that is too large, too few
//! at once.

use prometheus::core::Collector;
use prometheus::{Histogram, HistogramOpts, IntCounter, IntCounterVec, IntGaugeVec, Opts};
use serde::Deserialize;
use std::ffi::OsStr;
use std::path::PathBuf;
use zeroize::Zeroizing;

use super::crt::{CrtNumbers, SIZES};
use super::crypto_mb::{self, LANES, Lane, Library};
use super::known_answer;
use crate::payload::{DecryptionKey, Travel};

pub use super::crypto_mb::LoadError;

/// The names that distributions and wheels install the library under, the newest first.
const NAMES: [&str; 3] = [
    "libcrypto_mb.so.13",
    "libcrypto_mb.so.12",
    "libcrypto_mb.so.11",
];

/// A call takes the same time for one lane as for eight, some 690 µs with RSA-2048; OpenSSL takes
/// some 250 µs for each. So from three on it costs less.
const WORTHWHILE: usize = 3;

/// The setting `crypto.multi_buffer`: `off`, `auto`, or the path of the library.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(from = "String")]
pub enum MultiBuffer {
    /// OpenSSL alone. The default: the gateway trusts no library just because it is installed.
    #[default]
    Off,
    /// The library if the dynamic loader finds it and it can be used here, else OpenSSL.
    Auto,
    /// This library, or no start.
    Library(PathBuf),
}

impl From<String> for MultiBuffer {
    fn from(text: String) -> Self {
        match text.as_str() {
            "off" => Self::Off,
            "auto" => Self::Auto,
            _ => Self::Library(text.into()),
        }
    }
}

/// What does the private operations.
pub enum Engine {
    /// OpenSSL, one after the other.
    OneByOne,
    /// `crypto_mb`, loaded and tested.
    EightAtOnce(Library),
}

/// A wrapped key with what it takes to unwrap it.
pub(super) struct Wrapped<'a> {
    pub(super) key: &'a DecryptionKey,
    pub(super) travel: &'a Travel,
    pub(super) bytes: &'a [u8],
}

/// A content key; `None` if it does not unwrap.
pub(super) type Unwrapped = Option<Zeroizing<Vec<u8>>>;

impl Engine {
    /// Chooses by the setting, and says in the log what was chosen and why. Only a library that was
    /// named by its path and cannot be used is an error.
    pub fn choose(setting: &MultiBuffer) -> Result<Self, LoadError> {
        let engine = match setting {
            MultiBuffer::Off => Self::OneByOne,
            MultiBuffer::Library(path) => {
                // Absolute, so that the dynamic loader takes it for a path and looks nowhere else.
                let path = std::path::absolute(path).unwrap_or_else(|_| path.clone());
                Self::load(path.as_os_str())?
            }
            MultiBuffer::Auto => Self::find().unwrap_or_else(|reasons| {
                tracing::warn!(reasons, "crypto_mb is not used");
                Self::OneByOne
            }),
        };
        tracing::info!(engine = engine.name(), "RSA private operations");
        Ok(engine)
    }

    /// Loads the library and lets it pass its self-test.
    fn load(name: &OsStr) -> Result<Self, LoadError> {
        let library = Library::load(name)?;
        known_answer::test(&library)?;
        tracing::info!(library = %name.display(), "crypto_mb has passed its self-test");
        Ok(Self::EightAtOnce(library))
    }

    fn find() -> Result<Self, String> {
        let mut reasons = Vec::new();
        for name in NAMES {
            match Self::load(name.as_ref()) {
                Ok(engine) => return Ok(engine),
                Err(reason) => reasons.push(format!("{name}: {reason}")),
            }
        }
        Err(reasons.join("; "))
    }

    /// `openssl` or `crypto_mb`, as in the metrics.
    pub fn name(&self) -> &'static str {
        match self {
            Self::OneByOne => "openssl",
            Self::EightAtOnce(_) => "crypto_mb",
        }
    }

    /// How many wrapped keys it likes to be given at once.
    pub(super) fn width(&self) -> usize {
        match self {
            Self::OneByOne => 1,
            Self::EightAtOnce(_) => LANES,
        }
    }

    /// Unwraps them all; answers in their order.
    pub(super) fn unwrap(&self, all: &[Wrapped<'_>], counters: &Counters) -> Vec<Unwrapped> {
        let done = match self {
            Self::OneByOne => all.iter().map(|_| None).collect(),
            Self::EightAtOnce(library) => unwrap_in_lanes(library, all, counters),
        };
        let one_by_one = |one: &Wrapped<'_>| {
            counters.openssl.inc();
            one.key.unwrap(one.travel, one.bytes).ok()
        };
        done.into_iter()
            .zip(all)
            .map(|(done, one)| done.unwrap_or_else(|| one_by_one(one)))
            .collect()
    }
}

/// Unwraps what `crypto_mb` can and does well; `None` is left to OpenSSL.
fn unwrap_in_lanes(
    library: &Library,
    all: &[Wrapped<'_>],
    counters: &Counters,
) -> Vec<Option<Unwrapped>> {
    let mut done: Vec<_> = all.iter().map(|_| None).collect();
    for bits in SIZES {
        let of_size = done.iter_mut().zip(all).filter_map(|(done, one)| {
            let key = CrtNumbers::of_key(one.key).filter(|key| key.bits() == bits)?;
            let wrapped = one.bytes;
            let Travel::Oaep(digest) = one.travel else {
                return None;
            };
            key.takes(wrapped)
                .then_some((done, *digest, Lane { key, wrapped }))
        });
        let mut of_size: Vec<_> = of_size.collect();
        for group in of_size.chunks_mut(LANES) {
            if group.len() < WORTHWHILE {
                continue;
            }
            let lanes: Vec<_> = group.iter().map(|(_, _, lane)| *lane).collect();
            for ((done, digest, lane), message) in group.iter_mut().zip(library.private_crt(&lanes))
            {
                let right = message.filter(|message| lane.key.confirms(message, lane.wrapped));
                let Some(message) = right else {
                    counters.thrown_away.inc();
                    tracing::error!("a wrong result of crypto_mb was thrown away");
                    continue;
                };
                counters.crypto_mb.inc();
                **done = Some(crypto_mb::unpad_oaep(digest.message_digest(), &message));
            }
        }
    }
    done
}

/// Metrics of the private operations.
pub(super) struct Counters {
    engine: IntGaugeVec,
    operations: IntCounterVec,
    openssl: IntCounter,
    crypto_mb: IntCounter,
    thrown_away: IntCounter,
    in_tokens: IntCounter,
    tokens: IntGaugeVec,
    batch_sizes: Histogram,
}

impl Counters {
    pub(super) fn new(engine: &Engine) -> Result<Self, prometheus::Error> {
        let in_use = IntGaugeVec::new(
            Opts::new(
                "issuer_gateway_rsa_engine",
                "What does private operations: openssl, or crypto_mb eight at a time",
            ),
            &["engine"],
        )?;
        in_use.with_label_values(&[engine.name()]).set(1);
        let operations = IntCounterVec::new(
            Opts::new(
                "issuer_gateway_rsa_operations_total",
                "Private operations, by what did them",
            ),
            &["engine"],
        )?;
        Ok(Self {
            engine: in_use,
            openssl: operations.with_label_values(&["openssl"]),
            crypto_mb: operations.with_label_values(&["crypto_mb"]),
            in_tokens: operations.with_label_values(&["pkcs11"]),
            tokens: IntGaugeVec::new(
                Opts::new(
                    "issuer_gateway_token_up",
                    "Whether the token answered the last private operation: 1, or 0",
                ),
                &["token"],
            )?,
            operations,
            thrown_away: IntCounter::new(
                "issuer_gateway_rsa_thrown_away_total",
                "Wrong results of crypto_mb, which OpenSSL has done again",
            )?,
            batch_sizes: Histogram::with_opts(
                HistogramOpts::new(
                    "issuer_gateway_rsa_batch_size",
                    "Wrapped keys that one thread took at once",
                )
                .buckets(vec![1.0, 2.0, 3.0, 4.0, 6.0, 8.0]),
            )?,
        })
    }

    /// A token did an operation, or it did not answer.
    pub(super) fn kept(&self, token: &str, answered: bool) {
        self.in_tokens.inc_by(answered.into());
        let up = self.tokens.with_label_values(&[token]);
        up.set(answered.into());
    }

    /// A thread has taken so many keys at once.
    pub(super) fn taken(&self, keys: usize) {
        let keys = u32::try_from(keys).unwrap_or(u32::MAX);
        self.batch_sizes.observe(f64::from(keys));
    }

    /// The metrics, to be registered.
    pub(super) fn collectors(&self) -> [Box<dyn Collector>; 5] {
        [
            Box::new(self.tokens.clone()),
            Box::new(self.batch_sizes.clone()),
            Box::new(self.engine.clone()),
            Box::new(self.operations.clone()),
            Box::new(self.thrown_away.clone()),
        ]
    }
}

#[cfg(test)]
mod tests;
