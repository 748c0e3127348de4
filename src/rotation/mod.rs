//! Changes of the vault's keys while nodes serve: what the commands of `vault` do.
//!
//! - [`primary`]: new primary data keys
//! - [`kek`]: all data keys under another KEK

pub mod kek;
pub mod primary;
