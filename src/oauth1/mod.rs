//! OAuth 1.0a request signatures as Mastercard's client libraries make them (wire-formats.md, section 3):
//! who is calling, proven over the exact bytes of the request.
//!
//! A request goes through here in this order: [`Authorization::parse`] reads the header, the caller
//! looks up the keys of its [`client_id`](Authorization::client_id), [`Authorization::verify`] checks
//! method, version, timestamp, body hash and signature, and the caller then spends the nonce
//! ([`Refusal::NonceUsed`]). [`SigningKey`] is the other side: it signs like an official library.
//!
//! RFC 5849, with the body hash of draft-eaton-oauth-bodyhash, and with one deliberate difference:
//! `oauth_*` values enter the signature base string unescaped, because every official library does
//! that (wire-formats.md, rule 0.1). The textbook form is accepted too.

mod base_string;
mod body_hash;
mod error;
mod header;
mod origin;
mod sign;
mod verify;

#[cfg(test)]
mod tests;

pub use error::{Refusal, SetupError};
pub use header::Authorization;
pub use origin::PublicOrigin;
pub use sign::{SignError, SigningKey};
pub use verify::{Policy, Request, SignatureMethod, VerifyingKey};
