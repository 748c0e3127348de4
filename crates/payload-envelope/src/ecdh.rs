//! ECDH-ES (RFC 7518, 4.6) in OpenSSL: key agreement with an ephemeral key, Concat KDF with
//! SHA-256, and AES Key Wrap (RFC 3394).
//!
//! The point of an ephemeral key is checked to lie on the curve before anything is multiplied with
//! it: a point of another curve would give parts of the private key away.

use openssl::aes::{AesKey, unwrap_key, wrap_key};
use openssl::bn::{BigNum, BigNumContext};
use openssl::ec::{EcKey, EcKeyRef, EcPoint, EcPointRef};
use openssl::error::ErrorStack;
use openssl::pkey::Private;
use openssl::sha::Sha256;
use serde_json::{Map, Value};
use zeroize::Zeroizing;

use super::base64;
use super::kind::Curve;
use super::reason::CryptoReason;

/// Length of a content key of A256GCM, and of the key that wraps one, in bytes.
pub(super) const KEY: usize = 32;
/// Length of a content key that AES Key Wrap has wrapped, in bytes.
const WRAPPED: usize = KEY + 8;
/// The longest `apu` and `apv`, in bytes: they are names.
const LONGEST_NAME: usize = 512;

/// How the content key comes out of the agreement.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Agreement {
    /// `ECDH-ES`: it is the derived key.
    Direct,
    /// `ECDH-ES+A256KW`: the derived key wraps it.
    A256Kw,
}

impl Agreement {
    /// The `alg`.
    pub fn alg(self) -> &'static str {
        match self {
            Self::Direct => "ECDH-ES",
            Self::A256Kw => "ECDH-ES+A256KW",
        }
    }

    /// The agreement of this `alg`; compared exactly.
    pub(super) fn parse(alg: &str) -> Option<Self> {
        [Self::Direct, Self::A256Kw]
            .into_iter()
            .find(|agreement| agreement.alg() == alg)
    }

    /// The length in bytes of the second segment.
    pub(super) fn wrapped_bytes(self) -> usize {
        match self {
            Self::Direct => 0,
            Self::A256Kw => WRAPPED,
        }
    }

    /// AlgorithmID: `enc` if the derived key is the content key, else `alg` (RFC 7518, 4.6.2).
    fn id(self) -> &'static str {
        match self {
            Self::Direct => "A256GCM",
            Self::A256Kw => self.alg(),
        }
    }
}

/// What a header says of the agreement: the sender's part of it.
pub struct Ephemeral {
    agreement: Agreement,
    curve: Curve,
    point: EcPoint,
    /// The x coordinate, as long as the curve's coordinates are.
    x: Vec<u8>,
    apu: Vec<u8>,
    apv: Vec<u8>,
}

impl Ephemeral {
    /// Reads `epk`, `apu` and `apv` (RFC 7518, 4.6.1).
    pub(super) fn parse(
        agreement: Agreement,
        header: &Map<String, Value>,
    ) -> Result<Self, CryptoReason> {
        let epk = header.get("epk").and_then(Value::as_object);
        let epk = epk.ok_or(CryptoReason::EphemeralKey)?;
        let text = |name| epk.get(name).and_then(Value::as_str);
        if text("kty") != Some("EC") {
            return Err(CryptoReason::EphemeralKey);
        }
        let curve = text("crv").and_then(Curve::parse);
        let curve = curve.ok_or(CryptoReason::EphemeralKey)?;
        let coordinate = |name| {
            let bytes = text(name).and_then(base64::decode);
            bytes.filter(|bytes| bytes.len() == curve.bytes())
        };
        let (Some(x), Some(y)) = (coordinate("x"), coordinate("y")) else {
            return Err(CryptoReason::EphemeralKey);
        };
        let name = |name| match header.get(name) {
            None => Ok(Vec::new()),
            Some(value) => {
                let bytes = value.as_str().and_then(base64::decode);
                let bytes = bytes.filter(|bytes| bytes.len() <= LONGEST_NAME);
                bytes.ok_or(CryptoReason::Header)
            }
        };
        Ok(Self {
            agreement,
            curve,
            point: on_curve(curve, &x, &y).ok_or(CryptoReason::EphemeralKey)?,
            apu: name("apu")?,
            apv: name("apv")?,
            x,
        })
    }

    /// How the content key comes out.
    pub(super) fn agreement(&self) -> Agreement {
        self.agreement
    }

    /// The curve that the private key must be of.
    pub(super) fn curve(&self) -> Curve {
        self.curve
    }

    /// What the shared secret comes from. Both points with this x give the same.
    pub(super) fn x(&self) -> &[u8] {
        &self.x
    }

    /// The content key, for a private key of the same curve.
    pub(super) fn unwrap(
        &self,
        key: &EcKeyRef<Private>,
        wrapped: &[u8],
    ) -> Result<Zeroizing<Vec<u8>>, ErrorStack> {
        let derived = derive(
            self.curve,
            self.agreement,
            key,
            &self.point,
            [&self.apu, &self.apv],
        )?;
        match self.agreement {
            Agreement::Direct => Ok(Zeroizing::new(derived.to_vec())),
            Agreement::A256Kw => unwrap_a256kw(&derived, wrapped),
        }
    }
}

/// The point with these coordinates, if they are below the field's order and on the curve. No more
/// is to be checked where the cofactor is 1, as on both curves (NIST SP 800-186).
fn on_curve(curve: Curve, x: &[u8], y: &[u8]) -> Option<EcPoint> {
    let group = curve.group().ok()?;
    let mut context = BigNumContext::new().ok()?;
    let (own_x, own_y) = (BigNum::from_slice(x).ok()?, BigNum::from_slice(y).ok()?);
    let [mut prime, mut a, mut b] = [
        BigNum::new().ok()?,
        BigNum::new().ok()?,
        BigNum::new().ok()?,
    ];
    group
        .components_gfp(&mut prime, &mut a, &mut b, &mut context)
        .ok()?;
    if own_x >= prime || own_y >= prime {
        return None;
    }
    let mut point = EcPoint::new(group).ok()?;
    // Refuses a point that is off the curve.
    point
        .set_affine_coordinates_gfp(group, &own_x, &own_y, &mut context)
        .inspect_err(|_| drop(ErrorStack::get()))
        .ok()?;
    Some(point)
}

/// An ephemeral key's part of a header and, for `recipient`, the second segment with the content
/// key.
pub(super) struct Agreed {
    /// `epk` as a JSON object.
    pub(super) epk: String,
    pub(super) wrapped: Vec<u8>,
}

/// Wraps a content key for a recipient with a new ephemeral key: `ECDH-ES+A256KW`, without `apu`
/// and `apv`.
pub(super) fn wrap(
    curve: Curve,
    recipient: &EcPointRef,
    cek: &[u8; KEY],
) -> Result<Agreed, ErrorStack> {
    let ephemeral = EcKey::generate(curve.group()?)?;
    let derived = derive(curve, Agreement::A256Kw, &ephemeral, recipient, [&[], &[]])?;
    let (x, y) = coordinates(curve, ephemeral.public_key())?;
    let (x, y) = (base64::encode(&x), base64::encode(&y));
    let name = curve.name();
    Ok(Agreed {
        epk: format!(r#"{{"kty":"EC","crv":"{name}","x":"{x}","y":"{y}"}}"#),
        wrapped: wrap_a256kw(&derived, cek)?,
    })
}

/// The coordinates of a point, as long as the curve's are.
pub(super) fn coordinates(
    curve: Curve,
    point: &EcPointRef,
) -> Result<(Vec<u8>, Vec<u8>), ErrorStack> {
    let (mut x, mut y) = (BigNum::new()?, BigNum::new()?);
    point.affine_coordinates(curve.group()?, &mut x, &mut y, &mut *BigNumContext::new()?)?;
    let bytes = i32::try_from(curve.bytes()).unwrap_or_default();
    Ok((x.to_vec_padded(bytes)?, y.to_vec_padded(bytes)?))
}

/// Z (NIST SP 800-56A, 5.7.1.2): the x coordinate of the product, as long as the curve's are. The
/// same multiplication as `ECDH_compute_key`'s, in constant time. OpenSSL's newer interface would
/// multiply the point with the curve's order before, to check what [`on_curve`] has checked.
fn secret(
    curve: Curve,
    own: &EcKeyRef<Private>,
    theirs: &EcPointRef,
) -> Result<Zeroizing<Vec<u8>>, ErrorStack> {
    let group = curve.group()?;
    let mut context = BigNumContext::new_secure()?;
    let mut product = EcPoint::new(group)?;
    product.mul2(group, theirs, own.private_key(), &mut context)?;
    let (mut x, mut y) = (BigNum::new_secure()?, BigNum::new_secure()?);
    product.affine_coordinates(group, &mut x, &mut y, &mut *BigNumContext::new()?)?;
    let bytes = i32::try_from(curve.bytes()).unwrap_or_default();
    let secret = Zeroizing::new(x.to_vec_padded(bytes)?);
    x.clear();
    y.clear();
    Ok(secret)
}

/// Concat KDF (NIST SP 800-56A, 5.8.1): one round of SHA-256 is all of 256 bits.
fn derive(
    curve: Curve,
    agreement: Agreement,
    own: &EcKeyRef<Private>,
    theirs: &EcPointRef,
    [apu, apv]: [&[u8]; 2],
) -> Result<Zeroizing<[u8; KEY]>, ErrorStack> {
    let secret = secret(curve, own, theirs)?;
    let mut hash = Sha256::new();
    hash.update(&1_u32.to_be_bytes());
    hash.update(&secret);
    for part in [agreement.id().as_bytes(), apu, apv] {
        hash.update(&u32::try_from(part.len()).unwrap_or(u32::MAX).to_be_bytes());
        hash.update(part);
    }
    hash.update(&256_u32.to_be_bytes());
    Ok(Zeroizing::new(hash.finish()))
}

fn wrap_a256kw(key: &[u8; KEY], cek: &[u8; KEY]) -> Result<Vec<u8>, ErrorStack> {
    let schedule = AesKey::new_encrypt(key).map_err(|_| ErrorStack::get())?;
    let mut wrapped = vec![0; WRAPPED];
    wrap_key(&schedule, None, &mut wrapped, cek).map_err(|_| ErrorStack::get())?;
    Ok(wrapped)
}

fn unwrap_a256kw(key: &[u8; KEY], wrapped: &[u8]) -> Result<Zeroizing<Vec<u8>>, ErrorStack> {
    if wrapped.len() != WRAPPED {
        return Err(ErrorStack::get());
    }
    let schedule = AesKey::new_decrypt(key).map_err(|_| ErrorStack::get())?;
    let mut cek = Zeroizing::new(vec![0; KEY]);
    unwrap_key(&schedule, None, &mut cek, wrapped).map_err(|_| ErrorStack::get())?;
    Ok(cek)
}

#[cfg(test)]
mod tests;
