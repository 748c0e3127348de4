//! The users API (spec decision 6): one kind of record behind three published ways to update it.
//!
//! - [`access`]: API keys, and who calls
//! - [`rules`]: bodies and ids parsed, every broken rule reported (pure)
//! - [`record`]: a record opened, and its new columns sealed; [`answer`]: the JSON that goes back
//! - [`read`], [`write`]: the use cases; `attempt`: how those that write end
//!
//! A user id is the app's own text and may be changed; a klaim id is ours and never changes: it
//! names the record in the database, the seals and the audit trail.

pub mod access;
pub mod answer;
mod attempt;
pub mod read;
pub mod record;
pub mod refusal;
pub mod rules;
pub mod write;

pub use access::{ApiKey, KeyHolder, KeyKind};
pub use refusal::DirectoryRefusal;
