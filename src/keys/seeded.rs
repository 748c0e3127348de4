//! Keys and ids out of a text: the same text gives the same ones, on every machine.
//!
//! **Not secret.** Whoever knows the text, or guesses it, has every key. They are for fixtures of
//! tests; `sandbox --seed-keys` alone makes them.
//!
//! RSA primes are found the way FIPS 186-5, A.1.3, finds random ones: candidates with their two
//! highest bits set are tested until one is prime. They come from HMAC-SHA-256 in counter mode
//! instead of a random generator. OpenSSL tests them, derives the private key and checks it, so no
//! arithmetic of our own is involved.

use crate::ids::CardholderId;
use anyhow::{Context, ensure};
use hmac::{Hmac, KeyInit, Mac};
use openssl::bn::{BigNum, BigNumContext, BigNumContextRef, BigNumRef};
use openssl::pkey::{PKey, Private};
use openssl::rsa::RsaPrivateKeyBuilder;
use sha2::Sha256;
use std::fmt;
use zeroize::Zeroizing;

/// The public exponent.
const EXPONENT: u32 = 65_537;
/// Rounds of Miller-Rabin for a prime of 1024 bits: an error of less than 2^-128.
const ROUNDS: i32 = 64;
/// Bits of a prime.
const PRIME_BITS: usize = 1_024;
/// The primes differ in one of their highest 100 bits (FIPS 186-5, A.1.3, step 5.4).
const DISTANCE_BITS: i32 = 1_024 - 100;

/// What keys and ids are made of.
#[derive(Clone)]
pub struct Seed(Zeroizing<Vec<u8>>);

impl fmt::Debug for Seed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Seed(…)")
    }
}

impl Seed {
    /// Of a text of any length.
    pub fn new(text: &str) -> Self {
        Self(Zeroizing::new(text.as_bytes().to_vec()))
    }

    /// 32 bytes for the name of what they are for.
    pub fn bytes(&self, name: &str) -> anyhow::Result<Zeroizing<[u8; 32]>> {
        self.block(name, 0)
    }

    /// 64 hex digits for a name.
    pub fn hex(&self, name: &str) -> anyhow::Result<String> {
        Ok(hex::encode(self.bytes(name)?.as_slice()))
    }

    /// The id of the cardholder with this card at this issuer: a version 4 UUID.
    pub fn cardholder_id(&self, client_id: &str, card_number: &str) -> Option<CardholderId> {
        let bytes = self.bytes(&format!("cardholder {client_id} {card_number}"));
        let bytes = bytes.ok()?;
        let uuid = uuid::Builder::from_random_bytes(*bytes.first_chunk()?);
        CardholderId::parse(&uuid.into_uuid().to_string())
    }

    /// An RSA key of 2048 bits for a name.
    ///
    /// # Errors
    /// OpenSSL's.
    pub fn rsa(&self, name: &str) -> anyhow::Result<PKey<Private>> {
        let mut context = BigNumContext::new_secure()?;
        let e = BigNum::from_u32(EXPONENT)?;
        let one = BigNum::from_u32(1)?;
        let first = self.prime(&format!("{name} p"), &e, &mut context)?;
        let second = self.prime(&format!("{name} q"), &e, &mut context)?;
        let (p, q) = if first > second {
            (first, second)
        } else {
            (second, first)
        };
        let distance = &p - &q;
        ensure!(
            distance.num_bits() > DISTANCE_BITS,
            "the primes are too close"
        );
        let (p1, q1) = (&p - &one, &q - &one);
        let mut gcd = BigNum::new()?;
        gcd.gcd(&p1, &q1, &mut context)?;
        let mut lambda = BigNum::new()?;
        lambda.checked_div(&(&p1 * &q1), &gcd, &mut context)?;
        let mut d = BigNum::new_secure()?;
        d.mod_inverse(&e, &lambda, &mut context)?;
        let (mut dp, mut dq, mut q_inverse) = (BigNum::new()?, BigNum::new()?, BigNum::new()?);
        dp.nnmod(&d, &p1, &mut context)?;
        dq.nnmod(&d, &q1, &mut context)?;
        q_inverse.mod_inverse(&q, &p, &mut context)?;
        let key = RsaPrivateKeyBuilder::new(&p * &q, e, d)?
            .set_factors(p, q)?
            .set_crt_params(dp, dq, q_inverse)?
            .build();
        ensure!(key.check_key()?, "OpenSSL refuses the key");
        Ok(PKey::from_rsa(key)?)
    }

    fn prime(
        &self,
        name: &str,
        e: &BigNumRef,
        context: &mut BigNumContextRef,
    ) -> anyhow::Result<BigNum> {
        let one = BigNum::from_u32(1)?;
        let blocks = u32::try_from(PRIME_BITS / 256)?;
        for candidate in 0..100_000_u32 {
            let mut bytes = Zeroizing::new(Vec::with_capacity(PRIME_BITS / 8));
            for block in 0..blocks {
                let counter = 1 + candidate * blocks + block;
                bytes.extend_from_slice(self.block(name, counter)?.as_slice());
            }
            // The two highest bits: the product of two primes has all of its 2048. The lowest: odd.
            if let [first, .., last] = bytes.as_mut_slice() {
                *first |= 0b1100_0000;
                *last |= 1;
            }
            let number = BigNum::from_slice(&bytes)?;
            if !number.is_prime_fasttest(ROUNDS, context, true)? {
                continue;
            }
            let mut rest = BigNum::new()?;
            rest.nnmod(&(&number - &one), e, context)?;
            if rest.num_bits() > 0 {
                return Ok(number);
            }
        }
        Err(anyhow::anyhow!("no prime was found")).context(name.to_owned())
    }

    /// HMAC-SHA-256 under the seed of the name, its length before it, and the counter.
    fn block(&self, name: &str, counter: u32) -> anyhow::Result<Zeroizing<[u8; 32]>> {
        let mut mac = Hmac::<Sha256>::new_from_slice(&self.0).context("the seed")?;
        mac.update(b"issuer-gateway seeded keys 1");
        mac.update(&u64::try_from(name.len())?.to_be_bytes());
        mac.update(name.as_bytes());
        mac.update(&counter.to_be_bytes());
        Ok(Zeroizing::new(mac.finalize().into_bytes().into()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use openssl::hash::MessageDigest;
    use openssl::sign::{Signer, Verifier};
    use rsa::pkcs8::DecodePrivateKey;
    use rsa::traits::PublicKeyParts;

    #[test]
    fn the_same_text_gives_the_same_keys() {
        let (one, other) = (Seed::new("ci"), Seed::new("other"));
        let key = one.rsa("gateway").unwrap();
        let der = key.private_key_to_pkcs8().unwrap();
        assert_eq!(
            der,
            one.rsa("gateway").unwrap().private_key_to_pkcs8().unwrap()
        );
        assert_ne!(
            der,
            one.rsa("demo/signing")
                .unwrap()
                .private_key_to_pkcs8()
                .unwrap()
        );
        assert_ne!(
            der,
            other
                .rsa("gateway")
                .unwrap()
                .private_key_to_pkcs8()
                .unwrap()
        );
        assert_eq!(one.hex("x").unwrap(), one.hex("x").unwrap());
        assert_ne!(one.hex("x").unwrap(), other.hex("x").unwrap());
        let id = one.cardholder_id("demo", "5344035171224363").unwrap();
        assert_eq!(id, one.cardholder_id("demo", "5344035171224363").unwrap());
        assert_ne!(id, one.cardholder_id("basic", "5344035171224363").unwrap());
        assert_eq!(&id.as_str()[14..15], "4");
    }

    #[test]
    fn a_key_is_a_sound_rsa_key_for_another_implementation_too() {
        let key = Seed::new("ci").rsa("gateway").unwrap();
        assert_eq!(key.bits(), 2_048);
        let other = rsa::RsaPrivateKey::from_pkcs8_der(&key.private_key_to_pkcs8().unwrap());
        let other = other.unwrap();
        other.validate().unwrap();
        assert_eq!(other.n().bits(), 2_048);
        let mut signer = Signer::new(MessageDigest::sha256(), &key).unwrap();
        let signature = signer.sign_oneshot_to_vec(b"text").unwrap();
        let mut verifier = Verifier::new(MessageDigest::sha256(), &key).unwrap();
        assert!(verifier.verify_oneshot(&signature, b"text").unwrap());
    }

    #[test]
    fn the_keys_stay_what_they_were() {
        // Fixtures of other projects hold them.
        let fingerprint = |name: &str| {
            let der = Seed::new("ci")
                .rsa(name)
                .unwrap()
                .public_key_to_der()
                .unwrap();
            hex::encode(openssl::sha::sha256(&der))
        };
        assert_eq!(
            fingerprint("gateway"),
            "2ab82f1f06108291c0291c0a141b03978b5754fb861f612f9fddf67d073298d4"
        );
    }
}
