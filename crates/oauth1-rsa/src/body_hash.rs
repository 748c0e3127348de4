//! `oauth_body_hash`: SHA-256 over the body's bytes as they arrived (draft-eaton-oauth-bodyhash).

use super::SignatureError;
use base64::{Engine as _, prelude::BASE64_STANDARD};
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;

/// The hash of `body` in padded standard base64, 44 characters.
pub(super) fn of(body: &[u8]) -> String {
    BASE64_STANDARD.encode(Sha256::digest(body))
}

/// Compares what the client claims with the body that arrived.
///
/// Without a body the claim may be absent; if it is there, it must be the hash of zero bytes.
pub(super) fn check(claimed: Option<&str>, body: &[u8]) -> Result<(), SignatureError> {
    match claimed {
        Some(claimed) => {
            let matches = of(body).as_bytes().ct_eq(claimed.as_bytes());
            bool::from(matches)
                .then_some(())
                .ok_or(SignatureError::BodyHashMismatch)
        }
        None if body.is_empty() => Ok(()),
        None => Err(SignatureError::BodyHashMissing),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn claims_are_checked_against_the_raw_bytes() {
        let empty = "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=";
        let abc = "ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0=";
        let mismatch = Err(SignatureError::BodyHashMismatch);
        for (claimed, body, expected) in [
            (None, "", Ok(())),
            (None, "abc", Err(SignatureError::BodyHashMissing)),
            (Some(empty), "", Ok(())),
            (Some(empty), "abc", mismatch),
            (Some(abc), "abc", Ok(())),
            (Some(abc), "abc\n", mismatch),
            (Some(abc), "", mismatch),
            (Some(""), "", mismatch),
            (Some(abc.trim_end_matches('=')), "abc", mismatch),
            (
                Some(&abc.replace('+', "-").replace('/', "_")),
                "abc",
                mismatch,
            ),
        ] {
            assert_eq!(
                check(claimed, body.as_bytes()),
                expected,
                "{claimed:?} {body:?}"
            );
        }
    }
}
