//! The real program as a process: its commands, its files, its exit status, and what it writes.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::expect_used,
    reason = "test code"
)]

#[path = "../support/mod.rs"]
mod support;

mod backup;
mod canary;
mod client;
mod config_file;
mod config_secrets;
mod console;
mod elliptic;
mod explain;
mod factors_load;
mod follow;
mod footprint;
mod help;
mod issuer;
mod module_map;
mod neighbours;
mod process;
mod purge;
mod rescore;
mod sandbox;
mod serve;
mod stopping;
mod tokens;
mod transactions;
mod upgrade;
mod user;
mod users;
mod vault;
mod witness;
