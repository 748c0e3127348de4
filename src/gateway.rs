//! The parts of a running gateway, built once at start and shared by every use case.

pub mod web_view;

pub use web_view::WebView;

use crate::audit::refused::RefusedCalls;
use crate::audit::witness::Witness;
use crate::clock::{self, Clock};
use crate::crypto_refusals::CryptoRefusals;
use crate::footprints::Footprints;
use crate::ids::{CardholderId, ClientId};
use crate::issuers::registry::IssuerRegistry;
use crate::keys::seeded::Seed;
use crate::oauth1::{MAX_WINDOW_SECONDS, SpentCalls};
use crate::openings::Openings;
use crate::refusal::Refusal;
use crate::reloadable::Reloadable;
use crate::store::{Finder, Store, StoreError, Writer};
use crate::telemetry::Metrics;
use crate::throttle::{Buckets, Shares};
use crate::traces::Traces;
use crate::unwrap::Unwrapper;
use crate::vault::Vault;
use arc_swap::ArcSwap;
use chrono::TimeDelta;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use tokio::sync::Notify;

/// The running gateway, shared by all requests.
pub struct Gateway {
    /// Keys and rules that a reload swaps: see [`Gateway::reloadable`].
    pub current: ArcSwap<Reloadable>,
    /// The issuers, as last read from the store.
    pub registry: IssuerRegistry,
    /// The threads that run RSA private operations.
    pub unwrapper: Unwrapper,
    /// The wrapped keys that this node has seen lately.
    pub openings: Arc<Openings>,
    /// Slows down issuers whose payloads do not open.
    pub throttle: CryptoRefusals,
    /// What each issuer takes of this node.
    pub shares: Shares,
    /// Seals and opens data at rest.
    pub vault: Vault,
    /// Whether an enrolled card's number is stored, sealed, beside its blind index.
    pub store_pan: bool,
    /// Days for which transactions of cards that are not enrolled are kept; 0: they are not.
    pub retain_unenrolled: u16,
    /// The factor sets in force.
    pub footprints: Footprints,
    /// Reads.
    pub store: Store,
    /// Looks up the users of updates.
    pub finder: Finder,
    /// Commits.
    pub writer: Writer,
    /// Commits of feeds of transactions, apart: a large one must not hold up enrolments.
    pub feeds: Writer,
    /// Wakes the erasure of deleted users.
    pub erasure: Notify,
    /// The web view's address and rate limits.
    pub web_view: WebView,
    /// The users API's settings and rate limits.
    pub directory: Directory,
    /// Refusals of callers that have proven nothing, on their way to the audit trail.
    pub refused: RefusedCalls,
    /// Calls that this node has answered, to refuse them at once when they come again.
    pub spent: SpentCalls,
    /// What this node knows of its chains outside of the database, if it is to.
    pub witness: Option<Witness>,
    /// Counters and histograms.
    pub metrics: Metrics,
    /// Sends spans of calls, if it is to.
    pub traces: Option<Traces>,
    /// What time it is.
    pub clock: Clock,
    /// Whether the last read of [`Gateway::compare_clocks`] was answered.
    pub reads: AtomicBool,
    /// Makes cardholders' ids the same each time: in a sandbox whose keys are no secret.
    pub fixed_ids: Option<Seed>,
    /// Whether the last heartbeat was committed, or something else since.
    pub beats: AtomicBool,
}

impl Gateway {
    /// The keys and rules in force now. A request takes them once, and keeps them to its end.
    pub fn reloadable(&self) -> Arc<Reloadable> {
        self.current.load_full()
    }

    /// Refuses a call that would be refused for a full queue later on, before anything is spent on
    /// it: under an overload the time that it takes to verify signatures is time that the calls
    /// already taken go without.
    ///
    /// # Errors
    /// [`Refusal::Overloaded`].
    pub fn require_room(&self) -> Result<(), Refusal> {
        if self.writer.is_full() || self.unwrapper.is_full(&self.current.load().keys) {
            return Err(Refusal::Overloaded);
        }
        Ok(())
    }

    /// Reads the database's clock, and notes how far it is from this node's.
    ///
    /// # Errors
    /// The database's.
    pub async fn compare_clocks(&self) -> Result<(), StoreError> {
        let before = self.clock.now();
        let database = self.store.clock().await;
        self.reads.store(database.is_ok(), Ordering::Relaxed);
        self.clock.compare(before, database?, self.clock.now());
        Ok(())
    }

    /// Refuses a signed call on a node whose clock is further from the database's than the window:
    /// another node may have forgotten its nonce.
    ///
    /// # Errors
    /// [`Refusal::Unavailable`].
    pub fn require_clock(&self) -> Result<(), Refusal> {
        let window = TimeDelta::seconds(self.reloadable().oauth_window_seconds);
        if self.clock.is_within(window) {
            return Ok(());
        }
        Err(Refusal::Unavailable)
    }

    /// How long a nonce is kept after it has expired, by the database's clock.
    ///
    /// It expires the widest window after its timestamp. A node whose clock is off by its own
    /// window still takes calls, so it accepts a timestamp for up to two of its windows. Only of a
    /// wide window that is later.
    pub fn nonces_outlive_expiry(&self) -> TimeDelta {
        let two_windows = 2 * self.reloadable().oauth_window_seconds;
        let clocks = (two_windows - MAX_WINDOW_SECONDS).max(0);
        TimeDelta::seconds(clocks + clock::GRACE_SECONDS)
    }

    /// The id of a cardholder who comes on board: random, but in a sandbox with fixed ids.
    pub fn new_cardholder_id(&self, client_id: &ClientId, card_number: &str) -> CardholderId {
        let seed = self.fixed_ids.as_ref();
        seed.and_then(|seed| seed.cardholder_id(client_id.as_str(), card_number))
            .unwrap_or_else(CardholderId::random)
    }

    /// Puts new keys and rules in force, for requests that begin from now on.
    pub fn swap(&self, reloadable: Reloadable) {
        self.current.store(Arc::new(reloadable));
    }
}

/// The users API's part of a running gateway.
pub struct Directory {
    /// `PUT /users?id=` never creates a record.
    pub strict: bool,
    /// Whether an app marked anonymous is served without a key: on a loopback listener alone, and
    /// there only to calls that name this machine itself and were not forwarded.
    pub anonymous_allowed: bool,
    /// How often each key may call.
    pub limiter: Buckets,
}
