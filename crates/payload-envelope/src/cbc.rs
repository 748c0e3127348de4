//! AES-CBC with PKCS#7 padding, the one content encryption without a tag of its own.
//!
//! Padding is checked here and not by OpenSSL, in time that does not depend on it, so that a caller
//! can do the same work whether it was right or wrong: no padding oracle.

use openssl::error::ErrorStack;
use openssl::symm::{self, Cipher, Crypter, Mode};
use subtle::{
    Choice, ConditionallySelectable, ConstantTimeEq, ConstantTimeGreater, ConstantTimeLess,
};
use zeroize::Zeroizing;

use super::content::Content;
use super::reason::CryptoReason;

/// The block and IV length in bytes.
pub(super) const BLOCK: usize = 16;

/// Whether a ciphertext can be one: not empty, whole blocks.
pub(super) fn is_whole(ciphertext: &[u8]) -> bool {
    !ciphertext.is_empty() && ciphertext.len().is_multiple_of(BLOCK)
}

/// Decrypts with AES-128 or AES-256, whichever the key's length (16 or 32 bytes) says. With wrong
/// padding all of the plaintext comes out, flawed. Fails only on lengths that the caller should
/// have checked.
pub(super) fn decrypt(key: &[u8], iv: &[u8; BLOCK], data: &[u8]) -> Result<Content, ErrorStack> {
    let mut crypter = Crypter::new(cipher(key), Mode::Decrypt, key, Some(iv))?;
    crypter.pad(false);
    // OpenSSL asks for a block of room beyond the data.
    let mut plaintext = Zeroizing::new(vec![0; data.len() + BLOCK]);
    let written = crypter.update(data, &mut plaintext)?;
    plaintext.truncate(written);
    let (length, padded) = unpadded_length(&plaintext);
    plaintext.truncate(length);
    let flaw = (!padded).then_some(CryptoReason::Padding);
    Ok(Content { plaintext, flaw })
}

/// Encrypts with AES-128 or AES-256 by the key's length, and pads.
pub(super) fn encrypt(key: &[u8], iv: &[u8; BLOCK], data: &[u8]) -> Result<Vec<u8>, ErrorStack> {
    symm::encrypt(cipher(key), key, Some(iv), data)
}

fn cipher(key: &[u8]) -> Cipher {
    if key.len() == 32 {
        Cipher::aes_256_cbc()
    } else {
        Cipher::aes_128_cbc()
    }
}

/// The length without PKCS#7 padding (RFC 5652, 6.3), or the whole length and `false`.
fn unpadded_length(text: &[u8]) -> (usize, bool) {
    let padding = text.last().copied().unwrap_or(0);
    let mut right = padding.ct_gt(&0) & !padding.ct_gt(&16);
    for (position, byte) in (0_u8..16).zip(text.iter().rev()) {
        right &= !position.ct_lt(&padding) | byte.ct_eq(&padding);
    }
    let cut = u8::conditional_select(&0, &padding, right);
    (
        text.len().saturating_sub(usize::from(cut)),
        Choice::into(right),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn padding_is_one_to_sixteen_equal_bytes() {
        for padding in 0..=255_u8 {
            let mut text = [0xaa; 32];
            text[32 - usize::from(padding).min(32)..].fill(padding);
            let valid = (1..=16).contains(&padding);
            let length = if valid { 32 - usize::from(padding) } else { 32 };
            assert_eq!(unpadded_length(&text), (length, valid), "{padding}");
            for broken in 2..=usize::from(padding).min(16) {
                let mut text = text;
                text[32 - broken] ^= 0x80;
                assert_eq!(unpadded_length(&text), (32, false), "{padding}, {broken}");
            }
        }
    }

    #[test]
    fn both_key_sizes_round_trip() {
        for key in [&[1; 16][..], &[2; 32][..]] {
            for length in [0, 1, 15, 16, 17, 100] {
                let text = vec![9; length];
                let sealed = encrypt(key, &[3; BLOCK], &text).unwrap();
                assert!(is_whole(&sealed));
                let opened = decrypt(key, &[3; BLOCK], &sealed).unwrap();
                assert_eq!(opened.flaw, None);
                assert_eq!(*opened.plaintext, text);
            }
        }
    }
}
