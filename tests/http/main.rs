//! The real application on port 0, called over HTTP, on SQLite and on PostgreSQL.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::expect_used,
    reason = "test code"
)]

#[path = "../support/mod.rs"]
mod support;

mod audit;
mod catalogue;
mod certificates;
mod concurrency;
mod connections;
mod console;
mod dashboard;
mod data_keys;
mod deletions;
mod directory;
mod docs;
mod donation;
mod envelopes;
mod erasure;
mod erasure_killed;
mod fixtures;
mod history;
mod housekeeping;
mod issuers;
mod layers;
mod lifecycle;
mod metrics;
mod monitoring;
mod multi_buffer;
mod openapi;
mod overload;
mod platforms;
mod readiness;
mod rotation;
mod sealed;
mod shutdown;
mod signatures;
mod store_pan;
mod supported;
mod traces;
mod transactions;
mod wrapped_keys;
