//! Changes of the vault's keys while nodes serve: what the commands of `vault` do.
//!
//! - [`primary`]: new primary data keys

pub mod primary;
