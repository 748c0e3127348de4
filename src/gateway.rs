//! What every use case works with: the parts of a running gateway, built once at start.

use crate::audit::refused::RefusedCalls;
use crate::directory::Directory;
use crate::issuers::registry::Registry;
use crate::live::Live;
use crate::payload::Unwrapper;
use crate::store::{Store, Writer};
use crate::telemetry::Metrics;
use crate::vault::Vault;
use arc_swap::ArcSwap;
use std::sync::Arc;
use tokio::sync::Notify;

/// The running gateway, shared by all requests.
pub struct Gateway {
    /// Keys and rules that a reload swaps: see [`Gateway::live`].
    pub current: ArcSwap<Live>,
    /// The issuers, as last read from the store.
    pub registry: Registry,
    /// The threads that run RSA private operations.
    pub unwrapper: Unwrapper,
    /// Seals and opens data at rest.
    pub vault: Vault,
    /// Reads.
    pub store: Store,
    /// Commits.
    pub writer: Writer,
    /// Wakes the erasure of deleted users.
    pub erasure: Notify,
    /// The users API's settings and rate limits.
    pub directory: Directory,
    /// Refusals of callers that have proven nothing, on their way to the audit trail.
    pub refused: RefusedCalls,
    /// Counters and histograms.
    pub metrics: Metrics,
}

impl Gateway {
    /// The keys and rules in force now. A request takes them once, and keeps them to its end.
    pub fn live(&self) -> Arc<Live> {
        self.current.load_full()
    }

    /// Puts new keys and rules in force, for requests that begin from now on.
    pub fn swap(&self, live: Live) {
        self.current.store(Arc::new(live));
    }
}
