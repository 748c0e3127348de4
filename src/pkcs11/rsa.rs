//! RSA keys in a token, for gateway keys.
//!
//! [`Oaep::Token`]: the token takes the OAEP padding off. [`Oaep::Raw`]: it does the bare private
//! operation (`CKM_RSA_X_509`), and the padding is checked by the caller, in constant time. SoftHSM
//! 2.6 knows OAEP with SHA-1 alone, so only `raw` works there.

use super::{KeyQuery, Seat, TokenFault};
use crate::config::Oaep;
use crate::payload::OaepDigest;
use cryptoki::mechanism::rsa::{PkcsMgfType, PkcsOaepParams, PkcsOaepSource};
use cryptoki::mechanism::{Mechanism, MechanismType};
use cryptoki::object::{Attribute, AttributeType, ObjectClass, ObjectHandle};
use cryptoki::types::Ulong;
use openssl::bn::BigNum;
use openssl::pkey::{PKey, Public};
use openssl::rsa::Rsa;
use zeroize::Zeroizing;

const RAW: &str = "CKM_RSA_X_509 for decryption";
const OAEP: &str = "CKM_RSA_PKCS_OAEP with SHA-256 for decryption (try oaep = \"raw\")";

/// Looks at a key and its mechanism, and gives the public half.
///
/// # Errors
/// There is not exactly one such key, it is not RSA, it can be read out, or the token does not
/// decrypt with the mechanism.
pub fn check(seat: &mut Seat, key: &KeyQuery, oaep: Oaep) -> Result<PKey<Public>, TokenFault> {
    let (mechanism, name) = match oaep {
        Oaep::Raw => (MechanismType::RSA_X_509, RAW),
        Oaep::Token => (MechanismType::RSA_PKCS_OAEP, OAEP),
    };
    if !seat.mechanism(mechanism, name)?.decrypt() {
        return Err(TokenFault::Mechanism(name));
    }
    let handle = seat.find(ObjectClass::PRIVATE_KEY, key)?;
    seat.require_sealed_in(handle)?;
    public_half(seat, key, handle)
}

/// Modulus and exponent stand beside the private key; where a token does not keep them there,
/// beside the public one.
fn public_half(
    seat: &mut Seat,
    key: &KeyQuery,
    private: ObjectHandle,
) -> Result<PKey<Public>, TokenFault> {
    if let Some(public) = numbers(seat, private)? {
        return Ok(public);
    }
    let public = seat.find(ObjectClass::PUBLIC_KEY, key)?;
    numbers(seat, public)?.ok_or(TokenFault::KeyUnfit("is not an RSA key"))
}

fn numbers(seat: &Seat, object: ObjectHandle) -> Result<Option<PKey<Public>>, TokenFault> {
    let asked = [AttributeType::Modulus, AttributeType::PublicExponent];
    let (mut modulus, mut exponent) = (None, None);
    for attribute in seat.session().get_attributes(object, &asked)? {
        match attribute {
            Attribute::Modulus(bytes) => modulus = Some(bytes),
            Attribute::PublicExponent(bytes) => exponent = Some(bytes),
            _ => {}
        }
    }
    let (Some(modulus), Some(exponent)) = (modulus, exponent) else {
        return Ok(None);
    };
    let key = || {
        let (n, e) = (
            BigNum::from_slice(&modulus)?,
            BigNum::from_slice(&exponent)?,
        );
        PKey::from_rsa(Rsa::from_public_components(n, e)?)
    };
    Ok(key().ok().filter(|key| key.bits() > 0))
}

/// The bare private operation: as long as the modulus, with its leading zeros.
pub fn decrypt_raw(
    seat: &mut Seat,
    key: &KeyQuery,
    wrapped: &[u8],
) -> Result<Zeroizing<Vec<u8>>, TokenFault> {
    let handle = seat.find(ObjectClass::PRIVATE_KEY, key)?;
    let message = seat
        .session()
        .decrypt(&Mechanism::RsaX509, handle, wrapped)?;
    let message = Zeroizing::new(message);
    // The standard says as long as the modulus; some tokens cut leading zeros off.
    let missing = wrapped.len().saturating_sub(message.len());
    let mut padded = Zeroizing::new(vec![0; wrapped.len()]);
    if let Some(room) = padded.get_mut(missing..) {
        let message = message.get(..room.len()).unwrap_or_default();
        room.copy_from_slice(message);
    }
    Ok(padded)
}

/// The content key, with the padding taken off inside.
///
/// # Errors
/// [`TokenFault::DoesNotOpen`] if the padding is wrong.
pub fn decrypt_oaep(
    seat: &mut Seat,
    key: &KeyQuery,
    digest: OaepDigest,
    wrapped: &[u8],
) -> Result<Zeroizing<Vec<u8>>, TokenFault> {
    let handle = seat.find(ObjectClass::PRIVATE_KEY, key)?;
    let (hash, mask) = match digest {
        OaepDigest::Sha256 => (MechanismType::SHA256, PkcsMgfType::MGF1_SHA256),
        OaepDigest::Sha512 => (MechanismType::SHA512, PkcsMgfType::MGF1_SHA512),
    };
    let mechanism =
        Mechanism::RsaPkcsOaep(PkcsOaepParams::new(hash, mask, PkcsOaepSource::empty()));
    let opened = seat.session().decrypt(&mechanism, handle, wrapped)?;
    Ok(Zeroizing::new(opened))
}

/// Makes a key pair in the token, for decryption alone: the private half is sensitive and not
/// extractable.
///
/// # Errors
/// There is such a key, or the token is full or refuses.
pub fn generate(seat: &mut Seat, key: &KeyQuery, bits: u32) -> Result<PKey<Public>, TokenFault> {
    match seat.find(ObjectClass::PRIVATE_KEY, key) {
        Err(TokenFault::KeyAbsent(_)) => {}
        Err(fault) => return Err(fault),
        Ok(_) => return Err(TokenFault::KeyUnfit("exists already")),
    }
    let names = || {
        let label = key
            .label
            .clone()
            .map(|label| Attribute::Label(label.into()));
        label.into_iter().chain(key.id.clone().map(Attribute::Id))
    };
    let public = [
        Attribute::Token(true),
        Attribute::Private(false),
        Attribute::Encrypt(true),
        Attribute::ModulusBits(Ulong::new(bits.into())),
        Attribute::PublicExponent(vec![1, 0, 1]),
    ];
    let private = [
        Attribute::Token(true),
        Attribute::Private(true),
        Attribute::Sensitive(true),
        Attribute::Extractable(false),
        Attribute::Decrypt(true),
        Attribute::Sign(false),
    ];
    let public: Vec<_> = public.into_iter().chain(names()).collect();
    let private: Vec<_> = private.into_iter().chain(names()).collect();
    let mechanism = Mechanism::RsaPkcsKeyPairGen;
    let (_, handle) = seat
        .session()
        .generate_key_pair(&mechanism, &public, &private)?;
    public_half(seat, key, handle)
}
