//! An issuer's own programme: it looks at its profile and changes parts of it (cce-api.md 3.6 to
//! 3.8, 7.6).
//!
//! - `show`: `GET /issuers`
//! - `change`: `PUT /issuers`
//! - `configuration`: the rules for what is sent
//! - `answer`: both answers, plain JSON

mod answer;
pub mod change;
mod configuration;
pub mod show;
