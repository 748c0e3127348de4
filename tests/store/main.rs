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

mod cost;
mod data_keys;
mod factors;
mod failover;
mod fence;
mod fixture;
mod imports;
mod index_rotation;
mod issuers;
mod keks;
mod migrations;
mod model;
mod one_issuer;
mod opened_keys;
mod outage;
mod passes;
mod pooler;
mod purge;
mod refusals;
mod rescore;
mod scoring_jobs;
mod secrecy;
mod silence;
mod terminations;
mod tls;
mod trail;
mod uniqueness;
mod updates;
