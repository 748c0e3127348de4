//! Encrypted JSON payloads as card APIs exchange them: opened and sealed, on either side.
//!
//! Two envelopes carry a JSON object inside a JSON body: a compact JWE, and the older field-level
//! encryption of Mastercard's APIs. This crate does no I/O and starts no threads; OpenSSL does the
//! RSA and EC operations. It is no product of Mastercard's.
//!
//! # A client
//!
//! [`seal`] encrypts a request to a [`Recipient`], and [`open`] decrypts the answer with a
//! [`KeyRing`] of the client's own key:
//!
//! ```
//! # use openssl::{pkey::PKey, rsa::Rsa};
//! use payload_envelope::{DecryptionKey, EnvelopeKind, KeyRing, KeyState, Recipient};
//! use payload_envelope::{json, open, seal};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let private_key = PKey::from_rsa(Rsa::generate(2048)?)?;
//! # let public_key = PKey::public_key_from_pem(&private_key.public_key_to_pem()?)?;
//! let recipient = Recipient::from_public_key(public_key)?;
//! let clear = json::to_ascii(&serde_json::json!({"userid": "7"}));
//! let body = seal(EnvelopeKind::Jwe, &recipient, &clear)?;
//!
//! let key = DecryptionKey::new(private_key, None, Vec::new(), KeyState::Primary)?;
//! let opened = open(&KeyRing::new(vec![key])?, &body)?;
//! assert_eq!(opened.object.get("userid"), Some(&"7".into()));
//! # Ok(())
//! # }
//! ```
//!
//! # A server
//!
//! Nothing may be decrypted before the sender's signature over the body was verified: RSA-OAEP does
//! not say who encrypted, and the field-level scheme has no authentication tag. After that:
//! [`Envelope::parse`] tells the two envelopes apart and checks their members;
//! [`Envelope::wrapped_key`] finds the key that the sender names by [`Fingerprint`] or alias;
//! [`WrappedKey::key_use`] names the use of the content key, so that a server can refuse a key that
//! comes twice; [`WrappedKey::open`] decrypts, or [`WrappedKey::decrypt`] if a thread pool has
//! unwrapped the content key. A [`Keeper`] does the private operation of a key that lies in a
//! hardware module. [`Opened::form`] says how the request was
//! written: envelope, encoding, digest. Give it to [`seal_as`], because no client reads every form.
//!
//! [`CryptoReason`] lists every way in which a payload can fail to open. All have one text, because
//! an answer that told them apart would be an oracle: the reason is for the log.

mod base64;
mod cbc;
mod content;
mod ecdh;
mod envelope;
pub mod field_level;
mod fingerprint;
mod form;
pub mod json;
mod jwe;
mod keeper;
mod key;
mod key_ring;
mod kind;
mod oaep;
mod opening;
mod reason;
mod recipient;
#[cfg(test)]
mod testing;

pub use content::Travel;
pub use ecdh::{Agreement, Ephemeral};
pub use envelope::{Accepted, BrokenRule, Envelope, EnvelopeError, EnvelopeKind, seal, seal_as};
pub use field_level::FieldLevelHeaders;
pub use fingerprint::Fingerprint;
pub use form::{Encoding, EnvelopeForm, FieldLevelForm, HeaderNames, Sealed};
pub use jwe::{ContentEncryption, JwePolicy};
pub use keeper::{Keeper, KeeperAway};
pub use key::{DecryptionKey, KeyError, KeyState, PublicNumbers, UnknownKeyState, UnwrapError};
pub use key_ring::{KeyRing, KeyRingError};
pub use kind::{Curve, KeyKind};
pub use oaep::OaepDigest;
pub use opening::{ContentKey, KeyUse, OpenError, Opened, WrappedKey, open};
pub use reason::CryptoReason;
pub use recipient::{Recipient, SealError};
