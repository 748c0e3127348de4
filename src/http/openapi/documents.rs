//! What each endpoint says of itself: a file for each group of handlers in `http`.

pub mod issuer_users;
pub mod issuers;
pub mod service;
pub mod user_deletions;
pub mod users;
