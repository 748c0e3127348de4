//! The content encryptions of RFC 7518, 5.2 (AES-CBC with HMAC) and 5.3 (AES-GCM).

use aes_gcm::aead::{AeadInOut, KeyInit};
use aes_gcm::aes::cipher::consts::{U12, U16};
use aes_gcm::aes::{Aes128, Aes192, Aes256};
use aes_gcm::{Aes256Gcm, AesGcm};
use hmac::{Hmac, Mac};
use sha2::Sha256;
use zeroize::Zeroizing;

use super::{ContentEncryption, TAG};
use crate::cbc;
use crate::content::Content;
use crate::reason::CryptoReason;
use crate::recipient::SealError;

/// Verifies and decrypts. Lengths that do not fit `enc` count as a wrong tag.
pub(super) fn decrypt(
    enc: ContentEncryption,
    cek: &[u8],
    iv: &[u8],
    aad: &[u8],
    ciphertext: &[u8],
    tag: &[u8; TAG],
) -> Content {
    use ContentEncryption::{A128CbcHs256, A128Gcm, A192Gcm, A256Gcm};
    let opened = match (enc, iv.len()) {
        (A128Gcm, 12) => open_gcm::<AesGcm<Aes128, U12>>(cek, iv, aad, ciphertext, tag),
        (A128Gcm, _) => open_gcm::<AesGcm<Aes128, U16>>(cek, iv, aad, ciphertext, tag),
        (A192Gcm, 12) => open_gcm::<AesGcm<Aes192, U12>>(cek, iv, aad, ciphertext, tag),
        (A192Gcm, _) => open_gcm::<AesGcm<Aes192, U16>>(cek, iv, aad, ciphertext, tag),
        (A256Gcm, 12) => open_gcm::<AesGcm<Aes256, U12>>(cek, iv, aad, ciphertext, tag),
        (A256Gcm, _) => open_gcm::<AesGcm<Aes256, U16>>(cek, iv, aad, ciphertext, tag),
        (A128CbcHs256, _) => return open_cbc_hs256(cek, iv, aad, ciphertext, tag),
    };
    opened.map_or_else(unauthentic, |plaintext| Content {
        plaintext,
        flaw: None,
    })
}

/// Encrypts with AES-256-GCM; gives the ciphertext and the tag.
pub(super) fn encrypt_a256gcm(
    cek: &[u8; 32],
    iv: &[u8; 12],
    aad: &[u8],
    plaintext: &[u8],
) -> Result<(Vec<u8>, [u8; TAG]), SealError> {
    let mut buffer = plaintext.to_vec();
    let tag = Aes256Gcm::new(cek.into())
        .encrypt_inout_detached(iv.into(), aad, buffer.as_mut_slice().into())
        .map_err(|_| SealError::TooLong)?;
    Ok((buffer, tag.into()))
}

fn open_gcm<C: KeyInit + AeadInOut>(
    cek: &[u8],
    iv: &[u8],
    aad: &[u8],
    ciphertext: &[u8],
    tag: &[u8; TAG],
) -> Option<Zeroizing<Vec<u8>>> {
    let cipher = C::new_from_slice(cek).ok()?;
    let (iv, tag) = (iv.try_into().ok()?, tag.as_slice().try_into().ok()?);
    let mut buffer = Zeroizing::new(ciphertext.to_vec());
    cipher
        .decrypt_inout_detached(iv, aad, buffer.as_mut_slice().into(), tag)
        .ok()?;
    Some(buffer)
}

/// RFC 7518, 5.2.2.2: the first half of the key authenticates, the second decrypts; the tag is the
/// first half of an HMAC over AAD, IV, ciphertext and the AAD's length in bits. Nothing is
/// decrypted before it.
fn open_cbc_hs256(
    cek: &[u8],
    iv: &[u8],
    aad: &[u8],
    ciphertext: &[u8],
    tag: &[u8; TAG],
) -> Content {
    let verified = || {
        // A key of another length is never the sender's.
        let cek = <&[u8; 32]>::try_from(cek).ok()?;
        let (mac_key, enc_key) = cek.split_at_checked(16)?;
        let aad_bits = u64::try_from(aad.len()).ok()?.checked_mul(8)?;
        let mac = <Hmac<Sha256> as KeyInit>::new_from_slice(mac_key).ok()?;
        mac.chain_update(aad)
            .chain_update(iv)
            .chain_update(ciphertext)
            .chain_update(aad_bits.to_be_bytes())
            .verify_truncated_left(tag)
            .ok()?;
        cbc::decrypt(enc_key, iv.try_into().ok()?, ciphertext).ok()
    };
    verified().unwrap_or_else(unauthentic)
}

fn unauthentic() -> Content {
    Content {
        plaintext: Zeroizing::default(),
        flaw: Some(CryptoReason::Authentication),
    }
}
