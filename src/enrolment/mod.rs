//! Enrolment and update of cardholders.
//!
//! - [`enrol`], [`update`] and [`terminate`] are the use cases: they read like the seven steps of a
//!   request
//! - [`erasure`] erases in the background what [`terminate`] has accepted
//! - [`rules`] turns a decrypted payload into an [`rules::Enrolment`] or a
//!   [`rules::ProfileUpdate`], or into every violation at once; pure
//! - [`card`] and [`profile`] hold the types those are made of: none of them can be printed, all
//!   are wiped on drop, and each writes and reads the JSON that is sealed at rest

pub mod card;
pub mod enrol;
pub mod erasure;
pub mod existing;
pub mod profile;
mod reference;
mod report;
pub mod rules;
mod stored;
pub mod terminate;
mod text;
pub mod update;

pub use stored::StoredError;
pub use text::PERSON_NAME;

use crate::issuers::Issuer;

impl<'a> rules::IssuerRules<'a> {
    /// The rules that `issuer` has chosen.
    pub fn of(issuer: &'a Issuer) -> Self {
        Self {
            donation: issuer.donation,
            unicode_names: issuer.unicode_names,
            account_ranges: &issuer.account_ranges,
        }
    }
}
