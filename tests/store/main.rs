//! The store and the vault on both databases. PostgreSQL comes from scripts/with-postgres.sh.
#![allow(
    unreachable_pub,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "test code"
)]

#[path = "../support/mod.rs"]
mod support;

mod data_keys;
mod fence;
mod fixture;
mod index_rotation;
mod issuers;
mod keks;
mod migrations;
mod opened_keys;
mod outage;
mod passes;
mod secrecy;
mod terminations;
mod tls;
mod trail;
mod uniqueness;
mod updates;
