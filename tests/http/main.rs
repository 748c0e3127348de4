//! The real application on port 0, called over HTTP, on SQLite and on PostgreSQL.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::expect_used,
    reason = "test code"
)]

#[path = "../support/mod.rs"]
mod support;

mod catalogue;
mod docs;
mod envelopes;
mod fixtures;
mod openapi;
mod rotation;
mod sealed;
mod signatures;
