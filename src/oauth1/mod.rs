//! OAuth 1.0a request signatures as Mastercard's client libraries make them (wire-formats.md,
//! section 3): who is calling, proven over the exact bytes of the request.
//!
//! A request goes through here in this order: [`Authorization::parse`] reads the header,
//! [`Authorization::check`] judges method, version, timestamp, the size of the query and the body
//! hash, the caller looks up the keys of the consumer key, [`Authorization::prove`] verifies the
//! signature, and the caller then spends the nonce ([`SignatureError::NonceUsed`]). [`SpentCalls`]
//! knows a replay of a call that this node has answered before its signature is verified again.
//! [`SigningKey`] is the other side: it signs like an official library.
//!
//! RFC 5849, with the body hash of draft-eaton-oauth-bodyhash, and with one deliberate difference:
//! `oauth_*` values enter the signature base string unescaped, because every official library does
//! that (wire-formats.md, rule 0.1). The textbook form is accepted too.

mod base_string;
mod body_hash;
mod decoys;
mod error;
mod forms;
mod header;
mod origin;
mod sign;
mod spent;
mod verify;

#[cfg(test)]
mod tests;

pub use base_string::MAX_ORIGINS;
pub use decoys::Decoys;
pub use error::{SetupError, SignatureError};
pub use header::Authorization;
pub use origin::PublicOrigin;
pub use sign::{SignError, SigningKey};
pub use spent::{CallPrint, SpentCalls};
pub use verify::{MAX_WINDOW_SECONDS, Policy, Request, SignatureMethod, VerifyingKey};
