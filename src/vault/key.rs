//! Keys of 32 bytes: made, read, wiped.

use super::VaultError;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use zeroize::Zeroizing;

/// Length of every key here, in bytes.
pub(super) const KEY: usize = 32;

/// A key of 32 bytes, wiped when dropped.
pub type KeyBytes = Zeroizing<[u8; KEY]>;

/// 32 bytes from the operating system's generator.
pub(super) fn random_key() -> Result<KeyBytes, VaultError> {
    let mut key = KeyBytes::default();
    openssl::rand::rand_priv_bytes(&mut *key).map_err(|_| VaultError::CannotSeal)?;
    Ok(key)
}

/// 32 bytes out of standard base64.
pub(super) fn decode_key(text: &str) -> Option<KeyBytes> {
    let mut key = KeyBytes::default();
    // A few bytes more than needed: the decoder asks for room in whole groups.
    let mut room = Zeroizing::new([0; KEY + 4]);
    let length = STANDARD.decode_slice(text, &mut *room).ok()?;
    key.copy_from_slice(room.get(..length).filter(|bytes| bytes.len() == KEY)?);
    Some(key)
}
