//! A private key's numbers for the Chinese remainder theorem, in the form in which the multi-buffer
//! library takes them, and the check of what it makes of them.

use openssl::bn::{BigNum, BigNumContext, BigNumRef};
use openssl::error::ErrorStack;
use openssl::pkey::{PKeyRef, Private, Public};
use openssl::rsa::{Padding, Rsa, RsaRef};
use zeroize::Zeroizing;

use crate::payload::DecryptionKey;

/// The moduli that the library knows, in bits. A key of another size is OpenSSL's alone.
pub(super) const SIZES: [i32; 3] = [2048, 3072, 4096];

/// The numbers. Each of the five secret ones is half as long as the modulus: 64-bit words, the
/// least first.
pub(super) struct CrtNumbers {
    bits: i32,
    pub(super) p: Zeroizing<Vec<u64>>,
    pub(super) q: Zeroizing<Vec<u64>>,
    /// d mod (p-1)
    pub(super) dp: Zeroizing<Vec<u64>>,
    /// d mod (q-1)
    pub(super) dq: Zeroizing<Vec<u64>>,
    /// 1/q mod p
    pub(super) iq: Zeroizing<Vec<u64>>,
    /// Big-endian.
    modulus: Vec<u8>,
    public: Rsa<Public>,
}

impl CrtNumbers {
    /// The numbers of one of the gateway's keys, which keeps them once they are made. `None` for a
    /// key that the library cannot take: OpenSSL does its operations.
    pub(super) fn of_key(key: &DecryptionKey) -> Option<&Self> {
        let made = |key: &PKeyRef<Private>| Self::of(&*key.rsa().ok()?).ok()?;
        key.prepared(made)?.as_ref()
    }

    /// `None` for a key of another form: another size, three primes, or primes of different
    /// lengths.
    pub(super) fn of(key: &RsaRef<Private>) -> Result<Option<Self>, ErrorStack> {
        let Some(bits) = SIZES.into_iter().find(|bits| *bits == key.n().num_bits()) else {
            return Ok(None);
        };
        let numbers = (key.p(), key.q(), key.dmp1(), key.dmq1(), key.iqmp());
        let (Some(p), Some(q), Some(dp), Some(dq), Some(iq)) = numbers else {
            return Ok(None);
        };
        let mut product = BigNum::new()?;
        product.checked_mul(p, q, &mut *BigNumContext::new()?)?;
        let halves = [p, q].iter().all(|prime| prime.num_bits() == bits / 2);
        if !halves || product.ucmp(key.n()).is_ne() {
            return Ok(None);
        }
        let bytes = bits / 16;
        Ok(Some(Self {
            bits,
            p: words(p, bytes)?,
            q: words(q, bytes)?,
            dp: words(dp, bytes)?,
            dq: words(dq, bytes)?,
            iq: words(iq, bytes)?,
            modulus: key.n().to_vec(),
            public: Rsa::from_public_components(key.n().to_owned()?, key.e().to_owned()?)?,
        }))
    }

    /// The size of the modulus: one of [`SIZES`].
    pub(super) fn bits(&self) -> i32 {
        self.bits
    }

    /// The five secret numbers.
    pub(super) fn numbers(&self) -> [&[u64]; 5] {
        [&self.p, &self.q, &self.dp, &self.dq, &self.iq]
    }

    /// Whether a wrapped key is a number below the modulus, of full length. Any other is left to
    /// OpenSSL, which refuses it.
    pub(super) fn takes(&self, wrapped: &[u8]) -> bool {
        wrapped.len() == self.modulus.len() && wrapped < self.modulus.as_slice()
    }

    /// Whether `message` is what the private operation makes of `wrapped`: the public operation, by
    /// OpenSSL, leads back.
    ///
    /// Anyone who sees a wrong result of an operation by the Chinese remainder theorem may be able
    /// to compute the key from it.
    pub(super) fn confirms(&self, message: &[u8], wrapped: &[u8]) -> bool {
        let mut back = vec![0; self.modulus.len()];
        let done = self
            .public
            .public_encrypt(message, &mut back, Padding::NONE)
            .is_ok();
        done && back == wrapped
    }
}

fn words(number: &BigNumRef, bytes: i32) -> Result<Zeroizing<Vec<u64>>, ErrorStack> {
    let big_endian = Zeroizing::new(number.to_vec_padded(bytes)?);
    let (words, _) = big_endian.as_chunks();
    let words = words.iter().rev().map(|word| u64::from_be_bytes(*word));
    // Collected into its final size: growing would leave copies behind.
    let mut collected = Zeroizing::new(Vec::with_capacity(big_endian.len() / 8));
    collected.extend(words);
    Ok(collected)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::payload::OaepDigest;
    use crate::unwrap::testing;

    fn number(words: &[u64]) -> BigNum {
        let bytes: Vec<u8> = words.iter().rev().flat_map(|w| w.to_be_bytes()).collect();
        BigNum::from_slice(&bytes).unwrap()
    }

    #[test]
    fn the_numbers_are_the_keys_own() {
        for (index, bits) in [(0, 2048), (4, 3072)] {
            let rsa = testing::key(index).rsa().unwrap();
            let numbers = CrtNumbers::of(&rsa).unwrap().unwrap();
            assert_eq!(numbers.bits(), bits);
            let own = [rsa.p(), rsa.q(), rsa.dmp1(), rsa.dmq1(), rsa.iqmp()];
            for (words, own) in numbers.numbers().into_iter().zip(own) {
                assert_eq!(i32::try_from(words.len()).unwrap(), bits / 128);
                assert_eq!(number(words), own.unwrap().to_owned().unwrap());
            }
        }
    }

    #[test]
    fn only_the_right_message_is_confirmed() {
        let rsa = testing::key(0).rsa().unwrap();
        let numbers = CrtNumbers::of(&rsa).unwrap().unwrap();
        let wrapped = testing::wrap(&testing::peer(0), OaepDigest::Sha256, &[7; 32]);
        let mut message = vec![0; 256];
        rsa.private_decrypt(&wrapped, &mut message, Padding::NONE)
            .unwrap();
        assert!(numbers.confirms(&message, &wrapped));
        for at in [0, 100, 255] {
            let mut other = message.clone();
            other[at] ^= 1;
            assert!(!numbers.confirms(&other, &wrapped));
            let mut other = wrapped.clone();
            other[at] ^= 1;
            assert!(!numbers.confirms(&message, &other));
        }
        for other in [&message[1..], &[0; 256], &[0xff; 256], &[]] {
            assert!(!numbers.confirms(other, &wrapped));
        }
    }
}
