//! The database: Diesel on SQLite (embedded default) and PostgreSQL (production).
//!
//! - [`url`], [`connection`], [`pool`]: the database's address, one connection type for both
//!   databases, the [`Store`] with its deadlines
//! - [`migrations`], [`schema`], [`error`]: versions, tables, the one error type
//! - `claim`: whether a write happens, decided by its caller until it begins, then by the database
//! - [`writer`]: many enrolments and updates, one commit; [`finder`]: many lookups, one query
//! - [`heartbeat`]: a small commit while nobody calls
//! - [`fence`]: keeps a writer from sealing under keys that were just replaced
//! - [`erasure`]: erases the data of deleted cardholders; [`passes`]: brings every sealed row under
//!   newer keys; [`pace`]: how fast, and how patiently
//! - [`imports`]: how far imports of files have come
//! - `owners`: goes from issuer to issuer, because a statement on a large table is one issuer's
//! - [`backup`]: a copy of the SQLite file while nodes serve
//! - [`cardholders`], [`issuers`], [`directory`], [`data_keys`], [`nonces`], [`opened_keys`],
//!   [`factors`], [`transactions`], [`scoring_jobs`], [`retained`], [`audit`]: one file per
//!   aggregate
//!
//! # Doors
//!
//! The rest of the program comes in by two doors, and never sees a connection or a transaction:
//!
//! - [`Store`]: one question or one change, each a method of its own on a connection of the pool
//! - [`Writer`]: the frequent calls, many commits in one transaction; [`Finder`] looks up the
//!   cardholders of many calls with one query
//!
//! Behind the first door a method runs its closure by `Store::read`, `Store::change` (with the
//! audit entries that it earned; `operate`: with exactly one) or `Store::maintain` (with none;
//! `at_length`: without a deadline).
//!
//! The store stores the values that it is given: sealing and blind indexes are the vault's work.
//! Times are microseconds since 1970 UTC, bound by the caller.

pub mod audit;
pub mod backup;
pub mod cardholders;
mod claim;
pub mod connection;
pub mod data_keys;
pub mod directory;
pub mod erasure;
pub mod error;
pub mod factors;
pub mod fence;
pub mod finder;
pub mod heartbeat;
pub mod imports;
pub mod issuers;
pub mod key_usage;
pub mod migrations;
pub mod nonces;
pub mod opened_keys;
mod owners;
pub mod pace;
pub mod passes;
pub mod pool;
pub mod retained;
pub mod schema;
pub mod scoring_jobs;
pub mod transactions;
pub mod url;
pub mod writer;

pub use error::StoreError;
pub use finder::Finder;
pub use pool::Store;
pub use url::DatabaseUrl;
pub use writer::{Commit, Outcome, Writer, WriterHealth};

/// Now, in microseconds since 1970 UTC, as every `*_at` column has it.
pub fn now() -> i64 {
    chrono::Utc::now().timestamp_micros()
}
