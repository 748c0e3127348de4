//! The audit trail above the store: entries about nodes and unproven callers, verification, export.
//!
//! - [`node`]: start, stop and reload of a node, its keys, its anchors
//! - [`refused`]: refusals before authentication, with a bound on their entries
//! - [`verify`]: checks that every entry is there, unchanged and in its place
//! - [`purge`]: deletes old entries behind keyed anchors; [`purged`]: those anchors, for the check
//! - [`witness`]: the ends of a node's chains, kept outside of the database
//! - [`export`]: the trail as JSON lines; [`follow`]: the same while it grows
//!
//! The entry of a proven call is written in the call's own commit, and the entry of an operator's
//! command in the command's transaction (`store`).

pub mod export;
pub mod follow;
pub mod node;
pub mod purge;
pub mod purged;
pub mod refused;
pub mod verify;
pub mod witness;

/// Entries read at once: the trail is never in memory as a whole.
const PAGE: i64 = 1_000;
