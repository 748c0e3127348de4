//! The real program under load, killed, frozen, filled up and cut off: nothing that it acknowledged
//! is lost.
//!
//! Each test starts `issuer-gateway serve` on a database of its own, lets callers enrol without a
//! pause, does one thing to it, and then asks what [`checks`] asks. Tests take turns, since each of
//! them keeps both cores busy.
//!
//! `make test` runs each once. `make chaos` repeats each for `CHAOS_SECONDS` or `CHAOS_ROUNDS`;
//! `CHAOS_SEED` makes the same choices again (docs/operations.md).
#![cfg(target_os = "linux")]
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    reason = "test code"
)]

#[path = "../support/mod.rs"]
mod support;

mod calls;
mod checks;
mod cluster;
mod cut;
mod database;
mod full;
mod killed;
mod line;
mod load;
mod node;
mod readers;
mod replay;
mod silent;
mod size;
