//! What is inside bodies, for the document alone: nothing is parsed or written through these types.
//!
//! Lengths and patterns are those of cce-api.md, section 3. tests/http/openapi.rs holds them against
//! the rules that judge real requests. Doc comments are the texts of the document.

mod app_user;
mod envelope;
mod errors;
mod issuer;
mod key_set;
mod user;

pub use app_user::{AppUser, AppUserChange, AppUserReplacement, Message, ReplacedAppUser};
pub use envelope::{EncryptedRequest, FieldLevelAnswer, FieldLevelRequest, JweAnswer, JweRequest};
pub(super) use envelope::{encrypted_request, envelope_headers};
pub use errors::{ErrorElement, ErrorList, Errors};
pub use issuer::{IssuerConfiguration, IssuerProfile, IssuerProfileDetails, PreferredTheme};
pub use key_set::{Jwk, JwkSet};
pub use user::{
    Address, CardExpiry, Email, UpdateUserProfile, UserIds, UserName, UserProfile, UserReference,
};

use utoipa::ToSchema;

/// The state of a health check.
#[derive(ToSchema)]
pub struct Health {
    /// `live`, `ready`, or why not.
    pub status: String,
}
