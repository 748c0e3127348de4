//! An issuer's own programme: it reads its profile and changes parts of it (cce-api.md 3.6 to 3.8,
//! 7.6).
//!
//! - `show`: `GET /issuers`
//! - `change`: `PUT /issuers`
//! - `configuration`: the rules for the body of a change
//! - `answer`: both answers, plain JSON
//! - `supported`: `GET /supported-merchant-categories`, `GET /supported-currencies`

mod answer;
pub mod change;
mod configuration;
pub mod show;
pub mod supported;
