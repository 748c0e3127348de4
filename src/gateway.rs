//! What every use case works with: the parts of a running gateway, built once at start.

use crate::audit::refused::RefusedCalls;
use crate::directory::Directory;
use crate::issuers::registry::Registry;
use crate::live::Live;
use crate::oauth1::SpentCalls;
use crate::openings::Openings;
use crate::payload::Unwrapper;
use crate::refusal::Refusal;
use crate::store::{Commit, Finder, Outcome, Store, StoreError, Writer};
use crate::telemetry::Metrics;
use crate::throttle::Throttle;
use crate::vault::{Vault, VaultError, VaultKeys};
use arc_swap::ArcSwap;
use std::sync::Arc;
use tokio::sync::Notify;

/// How often something is sealed because the data keys have changed under it.
const SEALINGS: u32 = 8;

/// The running gateway, shared by all requests.
pub struct Gateway {
    /// Keys and rules that a reload swaps: see [`Gateway::live`].
    pub current: ArcSwap<Live>,
    /// The issuers, as last read from the store.
    pub registry: Registry,
    /// The threads that run RSA private operations.
    pub unwrapper: Unwrapper,
    /// The wrapped keys that this node has seen lately.
    pub openings: Arc<Openings>,
    /// Slows down issuers whose payloads do not open.
    pub throttle: Throttle,
    /// Seals and opens data at rest.
    pub vault: Vault,
    /// Reads.
    pub store: Store,
    /// Looks up the users of updates.
    pub finder: Finder,
    /// Commits.
    pub writer: Writer,
    /// Wakes the erasure of deleted users.
    pub erasure: Notify,
    /// The users API's settings and rate limits.
    pub directory: Directory,
    /// Refusals of callers that have proven nothing, on their way to the audit trail.
    pub refused: RefusedCalls,
    /// Calls that this node has answered, to refuse them at once when they come again.
    pub spent: SpentCalls,
    /// Counters and histograms.
    pub metrics: Metrics,
}

impl Gateway {
    /// The keys and rules in force now. A request takes them once, and keeps them to its end.
    pub fn live(&self) -> Arc<Live> {
        self.current.load_full()
    }

    /// Refuses a call that would be refused for a full queue later on, before anything is spent on it: under an overload
    /// the time that it takes to verify signatures is time that the calls already taken go without.
    ///
    /// # Errors
    /// [`Refusal::Overloaded`].
    pub fn require_room(&self) -> Result<(), Refusal> {
        if self.unwrapper.is_full() || self.writer.is_full() {
            return Err(Refusal::Overloaded);
        }
        Ok(())
    }

    /// Puts new keys and rules in force, for requests that begin from now on.
    pub fn swap(&self, live: Live) {
        self.current.store(Arc::new(live));
    }

    /// Commits what `seal` makes with the data keys in force. If they change before it is written, nothing is: it is sealed
    /// again with the new ones.
    ///
    /// # Errors
    /// Those of `seal`, of the writer and of the vault; [`StoreError::Busy`] if the keys change faster than this can follow.
    pub async fn commit_sealed<E>(
        &self,
        seal: impl Fn(&VaultKeys) -> Result<Commit, E>,
    ) -> Result<Outcome, E>
    where
        E: From<StoreError> + From<VaultError>,
    {
        let mut keys = self.vault.current();
        for _ in 0..SEALINGS {
            let commit = Commit {
                sealed_under: Some(keys.generation()),
                ..seal(&keys)?
            };
            match self.writer.commit(commit).await? {
                Outcome::Stale => keys = self.vault.beyond(&self.store, keys.generation()).await?,
                outcome => return Ok(outcome),
            }
        }
        Err(StoreError::Busy.into())
    }
}
