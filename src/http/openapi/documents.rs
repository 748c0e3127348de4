//! The document of each endpoint: a file for each group of handlers in `http`.

pub mod cardholder_deletions;
pub mod cardholders;
pub mod dashboard;
pub mod directory;
pub mod issuers;
pub mod service;
pub mod supported;
pub mod transactions;
