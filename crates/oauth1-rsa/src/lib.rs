//! OAuth 1.0a request signatures with RSA and a body hash, as Mastercard's client libraries make
//! them: who is calling, proven over the exact bytes of the request.
//!
//! This crate does no I/O and starts no threads. It is no product of Mastercard's.
//!
//! # A client
//!
//! [`SigningKey::sign`] makes the value of the `Authorization` header:
//!
//! ```
//! # use openssl::{pkey::PKey, rsa::Rsa};
//! use oauth1_rsa::{SignatureMethod, SigningKey};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let private_key = PKey::from_rsa(Rsa::generate(2048)?)?;
//! let key = SigningKey::from_private_key(private_key, "client!key".to_owned())?;
//! let url = "https://api.example.com/issuers";
//! let authorization = key.sign("GET", url, b"", SignatureMethod::RsaSha256)?;
//! assert!(authorization.starts_with("OAuth oauth_consumer_key=\"client!key\","));
//! # Ok(())
//! # }
//! ```
//!
//! # A server
//!
//! A request goes through here in this order. [`Authorization::parse`] reads the header.
//! [`Authorization::check`] judges method, version, timestamp, the size of the query and the body
//! hash. The server looks up the keys of the consumer key. [`Authorization::prove`] verifies the
//! signature; [`Decoys`] make an unknown consumer key take as long as a known one. Then the server
//! uses up the nonce, and says [`SignatureError::NonceUsed`] if somebody has used it before.
//! [`Authorization::verify`] is `check` and `prove` in one step:
//!
//! ```
//! # use openssl::{pkey::PKey, rsa::Rsa};
//! use oauth1_rsa::{Authorization, Policy, PublicOrigin, Request, VerifyingKey};
//! # use oauth1_rsa::{SignatureMethod, SigningKey};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let private = PKey::from_rsa(Rsa::generate(2048)?)?;
//! # let public_key = PKey::public_key_from_pem(&private.public_key_to_pem()?)?;
//! # let key = SigningKey::from_private_key(private, "client!key".to_owned())?;
//! # let url = "https://api.example.com/issuers?page=1";
//! # let header = key.sign_at("GET", url, b"", SignatureMethod::RsaPss, 1_700_000_000, "abc")?;
//! # let now = 1_700_000_000;
//! let origins = [PublicOrigin::parse("https://api.example.com")?];
//! let request = Request { method: "GET", path: "/issuers", query: Some("page=1"), body: b"" };
//! let authorization = Authorization::parse(&header)?;
//! assert_eq!(authorization.consumer_key(), "client!key");
//! let keys = [&VerifyingKey::from_public_key(public_key)?];
//! authorization.verify(&request, &origins, &keys, &Policy::default(), now)?;
//! # Ok(())
//! # }
//! ```
//!
//! A server that answers many calls keeps a [`SpentCalls`]: it knows a replay of a call that this
//! process has answered, before the signature is verified again.
//!
//! # Differences from the RFC
//!
//! RFC 5849, with the body hash of draft-eaton-oauth-bodyhash, and with one deliberate difference:
//! `oauth_*` values enter the signature base string unescaped, because every official library does
//! that. The textbook form is accepted too. Libraries read queries in different ways; a verifier
//! tries the few base strings that they make of the same query, and none that leaves out a byte.

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
pub use error::{HeaderFault, SetupError, SignatureError};
pub use header::Authorization;
pub use origin::PublicOrigin;
pub use sign::{SignError, SigningKey};
pub use spent::{CallPrint, SpentCalls};
pub use verify::{MAX_WINDOW_SECONDS, Policy, Request, SignatureMethod, VerifyingKey};
