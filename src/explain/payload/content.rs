//! Decrypts content in every way that clients encrypt it, rightly or not.

use super::raw::{Raw, Scheme};
use hmac::{Hmac, KeyInit, Mac};
use openssl::symm::{Cipher, Crypter, Mode, decrypt_aead};
use sha2::Sha256;
use zeroize::Zeroizing;

/// Decrypted content.
pub(super) type Clear = Zeroizing<Vec<u8>>;

/// Why content did not decrypt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Flaw {
    /// The content key has a length that the cipher does not take.
    KeyLength,
    /// The tag does not match, or the padding is wrong.
    Content,
}

/// Decrypts by what the message says.
pub(super) fn decrypt(raw: &Raw, cek: &[u8]) -> Result<Clear, Flaw> {
    match &raw.scheme {
        Scheme::Jwe { head, enc, .. } => match enc.as_str() {
            "A128CBC-HS256" => cbc_hs256(raw, cek, head.as_bytes()),
            _ => gcm(cek, &raw.iv, head.as_bytes(), &raw.ciphertext, &raw.tag),
        },
        Scheme::FieldLevel { .. } => cbc(cek, &raw.iv, &raw.ciphertext),
    }
}

/// AES-GCM with any IV and tag that OpenSSL takes.
pub(super) fn gcm(
    cek: &[u8],
    iv: &[u8],
    aad: &[u8],
    ciphertext: &[u8],
    tag: &[u8],
) -> Result<Clear, Flaw> {
    let cipher = match cek.len() {
        16 => Cipher::aes_128_gcm(),
        24 => Cipher::aes_192_gcm(),
        32 => Cipher::aes_256_gcm(),
        _ => return Err(Flaw::KeyLength),
    };
    if iv.is_empty() || tag.len() > 16 || tag.is_empty() {
        return Err(Flaw::Content);
    }
    let clear = decrypt_aead(cipher, cek, Some(iv), aad, ciphertext, tag);
    clear.map(Zeroizing::new).map_err(|_| Flaw::Content)
}

/// RFC 7518, 5.2.2.2.
fn cbc_hs256(raw: &Raw, cek: &[u8], aad: &[u8]) -> Result<Clear, Flaw> {
    let (mac_key, key) = match cek.len() {
        32 => cek.split_at(16),
        _ => return Err(Flaw::KeyLength),
    };
    let bits = u64::try_from(aad.len()).unwrap_or_default() * 8;
    let mac = <Hmac<Sha256> as KeyInit>::new_from_slice(mac_key).map_err(|_| Flaw::KeyLength)?;
    mac.chain_update(aad)
        .chain_update(&raw.iv)
        .chain_update(&raw.ciphertext)
        .chain_update(bits.to_be_bytes())
        .verify_truncated_left(&raw.tag)
        .map_err(|_| Flaw::Content)?;
    cbc(key, &raw.iv, &raw.ciphertext)
}

/// AES-CBC with PKCS#7 padding.
pub(super) fn cbc(cek: &[u8], iv: &[u8], ciphertext: &[u8]) -> Result<Clear, Flaw> {
    let mut clear = unpadded(
        cipher(cek, Cipher::aes_128_cbc, Cipher::aes_256_cbc)?,
        cek,
        Some(iv),
        ciphertext,
    )?;
    let padding = clear.last().copied().map_or(0, usize::from);
    let end = clear.len().saturating_sub(padding);
    let right = (1..=16).contains(&padding)
        && clear.get(end..).is_some_and(|pad| {
            pad.len() == padding && pad.iter().all(|b| usize::from(*b) == padding)
        });
    if !right {
        return Err(Flaw::Content);
    }
    clear.truncate(end);
    Ok(clear)
}

/// AES-CBC, whatever is at the end.
pub(super) fn cbc_as_it_is(cek: &[u8], iv: &[u8], ciphertext: &[u8]) -> Result<Clear, Flaw> {
    let cipher = cipher(cek, Cipher::aes_128_cbc, Cipher::aes_256_cbc)?;
    unpadded(cipher, cek, Some(iv), ciphertext)
}

/// AES-ECB, which has no IV, whatever is at the end.
pub(super) fn ecb_as_it_is(cek: &[u8], ciphertext: &[u8]) -> Result<Clear, Flaw> {
    let cipher = cipher(cek, Cipher::aes_128_ecb, Cipher::aes_256_ecb)?;
    unpadded(cipher, cek, None, ciphertext)
}

fn cipher(cek: &[u8], short: fn() -> Cipher, long: fn() -> Cipher) -> Result<Cipher, Flaw> {
    match cek.len() {
        16 => Ok(short()),
        32 => Ok(long()),
        _ => Err(Flaw::KeyLength),
    }
}

fn unpadded(
    cipher: Cipher,
    cek: &[u8],
    iv: Option<&[u8]>,
    ciphertext: &[u8],
) -> Result<Clear, Flaw> {
    let block = cipher.block_size();
    if iv.is_some_and(|iv| iv.len() != block) || !ciphertext.len().is_multiple_of(block) {
        return Err(Flaw::Content);
    }
    let decrypt = || {
        let mut crypter = Crypter::new(cipher, Mode::Decrypt, cek, iv)?;
        crypter.pad(false);
        let mut clear = Zeroizing::new(vec![0; ciphertext.len() + block]);
        let length = crypter.update(ciphertext, &mut clear)?;
        clear.truncate(length);
        Ok::<_, openssl::error::ErrorStack>(clear)
    };
    decrypt().map_err(|_| Flaw::Content)
}
