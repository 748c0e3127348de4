//! Encrypted payloads: opening what issuer servers send, sealing what they get back.
//!
//! Two envelopes carry a JSON object inside a JSON body: a compact JWE, and Mastercard's older
//! field-level encryption (wire-formats.md 1 and 2). In the order in which a request meets them:
//!
//! - [`envelope`] tells the two apart, checks the fields, and opens and seals: start reading here;
//! - [`jwe`] and [`field_level`] are the two formats, [`base64`] their lenient decoding;
//! - [`key_ring`] finds the key that a request names, by [`fingerprint`] or alias; [`key`] and
//!   [`recipient`] are the keys on the two sides;
//! - [`unwrap`] decrypts content keys on threads of its own, by the [`engine`] that was chosen:
//!   OpenSSL, or the library that `crypto_mb` loads, with the numbers of `crt`, once it has passed
//!   `known_answer`;
//! - `content` is what the two formats have in common, and where an opening ends;
//! - [`oaep`] and `cbc` are the two primitives that need care;
//! - [`reason`] lists every way in which a payload can fail to open.
//!
//! Nothing here may be called before the sender's signature over the body was verified: RSA-OAEP
//! does not say who encrypted, and the field-level scheme has no authentication tag.

pub mod base64;
mod cbc;
mod content;
mod crt;
mod crypto_mb;
pub mod engine;
pub mod envelope;
pub mod field_level;
pub mod fingerprint;
pub mod jwe;
pub mod key;
pub mod key_ring;
mod known_answer;
pub mod oaep;
pub mod reason;
pub mod recipient;
#[cfg(test)]
pub(crate) mod testing;
pub mod unwrap;

pub use engine::{Engine, MultiBuffer};
pub use envelope::{
    Accepted, Envelope, EnvelopeError, EnvelopeKind, KeyUse, OpenError, Opened, open, open_once,
    seal,
};
pub use field_level::FieldLevelHeaders;
pub use fingerprint::Fingerprint;
pub use jwe::{ContentEncryption, JwePolicy};
pub use key::{GatewayKey, KeyError, KeyState};
pub use key_ring::{KeyRing, KeyRingError};
pub use oaep::OaepDigest;
pub use reason::CryptoReason;
pub use recipient::{Recipient, SealError};
pub use unwrap::{UnwrapError, Unwrapper};
