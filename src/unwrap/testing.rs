//! Keys of the gateway for this module's tests, and an independent encryptor.

use crate::payload::{DecryptionKey, KeyState, OaepDigest, Recipient};

#[path = "../../crates/payload-envelope/src/testing/keys.rs"]
mod keys;

pub(crate) use keys::{key, peer, public_key, wrap};

/// An identity as a key of the gateway.
pub(crate) fn gateway_key(index: usize, aliases: &[&str], state: KeyState) -> DecryptionKey {
    let aliases = aliases.iter().map(|&alias| alias.to_owned()).collect();
    DecryptionKey::new(key(index), None, aliases, state).unwrap()
}

/// An identity as the receiver of something sealed.
pub(crate) fn recipient(index: usize) -> Recipient {
    Recipient::from_public_key(public_key(index)).unwrap()
}
