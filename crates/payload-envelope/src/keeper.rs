//! Private keys that lie elsewhere.

use std::time::Duration;
use zeroize::Zeroizing;

use super::oaep::OaepDigest;

/// Who keeps an RSA private key that cannot be had: a token, or a service. It does the private
/// operation.
pub trait Keeper: Send + Sync {
    /// Its name, which all keys of one keeper have in common.
    fn name(&self) -> &str;

    /// How many operations it does at once.
    fn at_once(&self) -> usize;

    /// How long a caller waits for it.
    fn timeout(&self) -> Duration;

    /// Unwraps a content key that is as long as the modulus. Blocks. `None` if `wrapped` was not
    /// made for this key and digest: the caller must not tell the two apart from outside.
    ///
    /// # Errors
    /// [`KeeperAway`] if the keeper cannot say.
    fn unwrap(
        &self,
        digest: OaepDigest,
        wrapped: &[u8],
    ) -> Result<Option<Zeroizing<Vec<u8>>>, KeeperAway>;
}

/// The keeper of a private key does not answer. None of it is the sender's doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the keeper of the private key does not answer")]
pub struct KeeperAway;
