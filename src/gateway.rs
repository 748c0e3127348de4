//! What every use case works with: the parts of a running gateway, built once at start.

use crate::issuers::registry::Registry;
use crate::oauth1::PublicOrigin;
use crate::payload::{JwePolicy, KeyRing, Unwrapper};
use crate::store::{Store, Writer};
use crate::telemetry::Metrics;
use crate::vault::Vault;

/// The running gateway, shared by all requests.
pub struct Gateway {
    /// Where clients say that we are: what signatures are verified over.
    pub origins: Vec<PublicOrigin>,
    /// How far `oauth_timestamp` may be from our clock, either way, in seconds.
    pub oauth_window_seconds: i64,
    /// The issuers, as last read from the store.
    pub registry: Registry,
    /// The private keys that requests are encrypted to.
    pub keys: KeyRing,
    /// Which JWE algorithms are accepted.
    pub jwe_policy: JwePolicy,
    /// The threads that run RSA private operations.
    pub unwrapper: Unwrapper,
    /// Seals and opens data at rest.
    pub vault: Vault,
    /// Reads.
    pub store: Store,
    /// Commits.
    pub writer: Writer,
    /// Counters and histograms.
    pub metrics: Metrics,
}
