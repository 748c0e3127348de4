//! The audit trail as a whole: what is noted of callers that prove nothing, verification, export.
//!
//! - [`node`]: start, stop and reload of a node, its keys, its anchors
//! - [`refused`]: refusals before authentication, bounded whatever arrives
//! - [`verify`]: is every entry there, unchanged and in its place
//! - [`witness`]: what a node knows of its chains, outside of the database
//! - [`export`]: the trail as JSON lines
//!
//! `attempt` writes the entries of proven calls with what they do, `store` those of operators with
//! theirs.

pub mod export;
pub mod node;
pub mod refused;
pub mod verify;
pub mod witness;

/// Entries read at once: the trail is never in memory as a whole.
const PAGE: i64 = 1_000;
