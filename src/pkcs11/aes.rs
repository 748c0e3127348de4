//! AES keys in a token, for KEKs: `CKM_AES_GCM`, encrypted and decrypted inside.

use super::{KeyQuery, Seat, TokenFault};
use cryptoki::mechanism::aead::GcmParams;
use cryptoki::mechanism::{Mechanism, MechanismType};
use cryptoki::object::{Attribute, ObjectClass};
use cryptoki::types::Ulong;
use zeroize::Zeroizing;

/// Length of an IV, in bytes.
const IV: usize = 12;
/// Length of a tag, in bits.
const TAG_BITS: u64 = 128;
const MECHANISM: &str = "CKM_AES_GCM for encryption and decryption";

/// An AES key as it was found in a token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// The token's serial number.
    pub serial: String,
    /// CKA_ID.
    pub id: Vec<u8>,
}

/// Looks at a key, and lets the token encrypt and decrypt with it once.
///
/// # Errors
/// There is not exactly one such key, it can be read out, the token has no AES-GCM, or the
/// known-answer test fails.
pub fn check(seat: &mut Seat, key: &KeyQuery) -> Result<Found, TokenFault> {
    let info = seat.mechanism(MechanismType::AES_GCM, MECHANISM)?;
    if !(info.encrypt() && info.decrypt()) {
        return Err(TokenFault::Mechanism(MECHANISM));
    }
    let handle = seat.find(ObjectClass::SECRET_KEY, key)?;
    seat.require_sealed_in(handle)?;
    let (message, aad) = ([0x5a; 32], b"issuer-gateway known answer");
    let encrypted = encrypt(seat, key, aad, &message)?;
    if *decrypt(seat, key, aad, &encrypted)? != message {
        return Err(TokenFault::SelfTest);
    }
    Ok(Found {
        serial: seat.serial()?,
        id: seat.id_of(handle)?,
    })
}

/// IV, ciphertext and tag.
pub fn encrypt(
    seat: &mut Seat,
    key: &KeyQuery,
    aad: &[u8],
    plaintext: &[u8],
) -> Result<Vec<u8>, TokenFault> {
    let handle = seat.find(ObjectClass::SECRET_KEY, key)?;
    let mut iv = [0; IV];
    openssl::rand::rand_bytes(&mut iv)
        .map_err(|_| TokenFault::Refused("no random bytes".to_owned()))?;
    let parameters = GcmParams::new(&mut iv, aad, Ulong::new(TAG_BITS))?;
    let mechanism = Mechanism::AesGcm(parameters);
    let ciphertext = seat.session().encrypt(&mechanism, handle, plaintext)?;
    // Some tokens choose the IV themselves and write it over ours.
    drop(mechanism);
    Ok([&iv[..], &ciphertext].concat())
}

/// What [`encrypt`] encrypted.
pub fn decrypt(
    seat: &mut Seat,
    key: &KeyQuery,
    aad: &[u8],
    encrypted: &[u8],
) -> Result<Zeroizing<Vec<u8>>, TokenFault> {
    let handle = seat.find(ObjectClass::SECRET_KEY, key)?;
    let (iv, ciphertext) = encrypted
        .split_first_chunk::<IV>()
        .ok_or(TokenFault::DoesNotOpen)?;
    let mut iv = *iv;
    let mechanism = Mechanism::AesGcm(GcmParams::new(&mut iv, aad, Ulong::new(TAG_BITS))?);
    let opened = seat.session().decrypt(&mechanism, handle, ciphertext)?;
    Ok(Zeroizing::new(opened))
}

/// Makes an AES-256 key in the token: sensitive, not extractable, for encryption and decryption
/// alone.
///
/// # Errors
/// There is such a key, or the token is full or refuses.
pub fn generate(seat: &mut Seat, key: &KeyQuery) -> Result<(), TokenFault> {
    match seat.find(ObjectClass::SECRET_KEY, key) {
        Err(TokenFault::KeyAbsent(_)) => {}
        Err(fault) => return Err(fault),
        Ok(_) => return Err(TokenFault::KeyUnfit("exists already")),
    }
    let mut template = vec![
        Attribute::Token(true),
        Attribute::Private(true),
        Attribute::Sensitive(true),
        Attribute::Extractable(false),
        Attribute::Encrypt(true),
        Attribute::Decrypt(true),
        Attribute::ValueLen(Ulong::new(32)),
    ];
    template.extend(
        key.label
            .clone()
            .map(|label| Attribute::Label(label.into())),
    );
    template.extend(key.id.clone().map(Attribute::Id));
    seat.session()
        .generate_key(&Mechanism::AesKeyGen, &template)?;
    Ok(())
}
