//! Initialization vectors for AES-GCM: 96 random bits each (NIST SP 800-38D, 8.2.2).

use super::VaultError;
use std::cell::RefCell;

/// Bytes of an initialization vector.
pub(super) const IV: usize = 12;
/// Drawn from OpenSSL at once: an enrolment takes six.
const AT_ONCE: usize = 64;

thread_local! {
    /// An IV is no secret: it stands in clear before its ciphertext. So a thread may draw some
    /// ahead.
    static AHEAD: RefCell<Vec<[u8; IV]>> = const { RefCell::new(Vec::new()) };
}

/// An IV that nobody had before.
///
/// # Errors
/// [`VaultError::CannotSeal`]: OpenSSL has no random bytes.
pub(super) fn fresh() -> Result<[u8; IV], VaultError> {
    AHEAD.with_borrow_mut(|ahead| {
        if ahead.is_empty() {
            let mut drawn = [0; IV * AT_ONCE];
            openssl::rand::rand_bytes(&mut drawn).map_err(|_| VaultError::CannotSeal)?;
            ahead.extend_from_slice(drawn.as_chunks().0);
        }
        ahead.pop().ok_or(VaultError::CannotSeal)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn no_two_are_alike_on_any_thread() {
        let threads: Vec<_> = (0..4)
            .map(|_| {
                std::thread::spawn(|| {
                    let drawn = (0..3 * AT_ONCE).map(|_| fresh().unwrap());
                    drawn.collect::<Vec<_>>()
                })
            })
            .collect();
        let all: Vec<_> = threads
            .into_iter()
            .flat_map(|thread| thread.join().unwrap())
            .collect();
        let different: HashSet<_> = all.iter().collect();
        assert_eq!(different.len(), 4 * 3 * AT_ONCE);
    }
}
