//! What is inside bodies, for the document alone: nothing is parsed or written through these types.
//!
//! The lengths and patterns of a request's texts are not here: `limits` takes them from the
//! parsers. Doc comments are the texts of the document.

mod cardholder;
mod directory;
mod envelope;
mod errors;
mod issuer;
mod key_set;
mod supported;
mod transaction;

pub use cardholder::{
    Address, CardExpiry, Email, UpdateUserProfile, UserIds, UserName, UserProfile, UserReference,
};
pub use directory::{
    DirectoryRecord, DirectoryRecordChange, DirectoryReplacement, Message, NumberedDirectoryRecord,
};
pub use envelope::{
    EncryptedBatch, EncryptedRequest, FieldLevelAnswer, FieldLevelBatch, FieldLevelHeadersAnswer,
    FieldLevelRequest, JweAnswer, JweBatch, JweRequest,
};
pub(super) use envelope::{encrypted_batch, encrypted_request, envelope_headers};
pub use errors::{ErrorElement, ErrorList, Errors};
pub use issuer::{IssuerConfiguration, IssuerProfile, IssuerProfileDetails, PreferredTheme};
pub use key_set::{Jwk, JwkSet};
pub use supported::{
    MerchantCategory, SpendingCategory, SupportedCurrencies, SupportedCurrency,
    SupportedMerchantCategories,
};
pub use transaction::{
    AggregateCarbonScore, Dashboard, Transaction, TransactionAmount, TransactionBatch,
    TransactionCategory, TransactionOutcome, TransactionOutcomes,
};

use utoipa::ToSchema;

/// That the process is alive.
#[derive(ToSchema)]
pub struct Health {
    /// `live`
    pub status: String,
}

/// Whether the gateway can do its work, and which part of it cannot.
#[derive(ToSchema)]
pub struct Readiness {
    /// `ready`, `not ready`, or `draining`: a shutdown has begun.
    pub status: String,
    /// `ok`, `failing` (the database refused the last batch) or `hanging` (a commit does not end).
    pub writes: String,
    /// `ok` or `failing`. It is told for information: `status` does not depend on it.
    pub reads: String,
    /// `ok`, or `off`: more than 30 s from the database's.
    pub clock: String,
    /// `ok`, or `failing`: a background job cannot be kept alive.
    pub jobs: String,
}
