//! What an RSA signature says under a public key: the digest that was signed, by which hash and
//! padding. A signature by another key says nothing, so this tells which key signed.

use super::super::digest::Hash;
use openssl::pkey::{PKeyRef, Public};
use openssl::rsa::{Padding, Rsa};
use openssl::sign::{RsaPssSaltlen, Verifier};

/// What was signed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Recovered {
    /// PKCS#1 v1.5 (RFC 8017, 8.2) with the digest.
    Pkcs1 { hash: Hash, digest: Vec<u8> },
    /// PKCS#1 v1.5 padding around something that does not name its hash.
    Bare(Vec<u8>),
    /// PSS (RFC 8017, 8.1): a hash that binds salt and digest.
    Pss {
        hash: Hash,
        mgf1: Hash,
        salt: Vec<u8>,
        bound: Vec<u8>,
        /// The padding is long enough not to be there by chance.
        certain: bool,
    },
}

/// How PSS is used, rightly or not: hash, and hash of MGF1.
const PSS: [(Hash, Hash); 6] = [
    (Hash::Sha256, Hash::Sha256),
    (Hash::Sha256, Hash::Sha1),
    (Hash::Sha1, Hash::Sha1),
    (Hash::Sha512, Hash::Sha512),
    (Hash::Sha384, Hash::Sha384),
    (Hash::Sha512, Hash::Sha1),
];

/// What the signature says under this key: nothing if another key made it. Several readings only of
/// PSS with the longest salt, where most of the padding may be there by chance.
pub(super) fn recover(signature: &[u8], key: &PKeyRef<Public>) -> Vec<Recovered> {
    let Ok(rsa) = key.rsa() else {
        return Vec::new();
    };
    if signature.len() != key.size() {
        return Vec::new();
    }
    if let Some(content) = decrypt(&rsa, signature, Padding::PKCS1) {
        return vec![pkcs1(content)];
    }
    let Some(encoded) = decrypt(&rsa, signature, Padding::NONE) else {
        return Vec::new();
    };
    let bits = usize::try_from(rsa.n().num_bits()).unwrap_or_default();
    let mut read: Vec<Recovered> = PSS
        .into_iter()
        .filter_map(|(hash, mgf1)| pss(&encoded, bits, hash, mgf1))
        .collect();
    if let Some(at) = read
        .iter()
        .position(|read| matches!(read, Recovered::Pss { certain: true, .. }))
    {
        read = vec![read.swap_remove(at)];
    }
    read
}

fn decrypt(rsa: &Rsa<Public>, signature: &[u8], padding: Padding) -> Option<Vec<u8>> {
    let mut content = vec![0; usize::try_from(rsa.size()).ok()?];
    let length = rsa.public_decrypt(signature, &mut content, padding).ok()?;
    content.truncate(length);
    Some(content)
}

/// DigestInfo of RFC 8017, 9.2, by its fixed beginning for each hash.
fn pkcs1(content: Vec<u8>) -> Recovered {
    const BEGINNINGS: [(Hash, &str); 6] = [
        (Hash::Sha256, "3031300d060960864801650304020105000420"),
        (Hash::Sha1, "3021300906052b0e03021a05000414"),
        (Hash::Sha512, "3051300d060960864801650304020305000440"),
        (Hash::Sha384, "3041300d060960864801650304020205000430"),
        (Hash::Sha224, "302d300d06096086480165030402040500041c"),
        (Hash::Md5, "3020300c06082a864886f70d020505000410"),
    ];
    for (hash, beginning) in BEGINNINGS {
        let beginning = hex::decode(beginning).unwrap_or_default();
        if let Some(digest) = content.strip_prefix(beginning.as_slice())
            && digest.len() == hash.len()
        {
            return Recovered::Pkcs1 {
                hash,
                digest: digest.to_vec(),
            };
        }
    }
    Recovered::Bare(content)
}

/// EMSA-PSS (RFC 8017, 9.1.2), without the message.
fn pss(encoded: &[u8], modulus_bits: usize, hash: Hash, mgf1: Hash) -> Option<Recovered> {
    let bits = modulus_bits.checked_sub(1)?;
    let length = bits.div_ceil(8);
    let encoded = encoded.get(encoded.len().checked_sub(length)?..)?;
    let (last, rest) = encoded.split_last()?;
    if *last != 0xbc {
        return None;
    }
    let (masked, bound) = rest.split_at(rest.len().checked_sub(hash.len())?);
    let mut block: Vec<u8> = masked
        .iter()
        .zip(mask(mgf1, bound, masked.len()))
        .map(|(byte, mask)| byte ^ mask)
        .collect();
    let unused = 8 * length - bits;
    let first = block.first_mut()?;
    *first &= 0xff >> unused;
    let zeros = block.iter().take_while(|byte| **byte == 0).count();
    if block.get(zeros) != Some(&1) {
        return None;
    }
    Some(Recovered::Pss {
        hash,
        mgf1,
        salt: block.get(zeros + 1..)?.to_vec(),
        bound: bound.to_vec(),
        certain: zeros >= 8,
    })
}

/// MGF1 (RFC 8017, B.2.1).
fn mask(hash: Hash, seed: &[u8], length: usize) -> Vec<u8> {
    let mut mask = Vec::with_capacity(length + hash.len());
    let mut counter = 0_u32;
    while mask.len() < length {
        let block = hash.of(&[seed, &counter.to_be_bytes()].concat());
        if block.is_empty() {
            break;
        }
        mask.extend(block);
        counter += 1;
    }
    mask.truncate(length);
    mask
}

impl Recovered {
    /// Whether this padding shows beyond doubt which key signed.
    pub(super) fn is_certain(&self) -> bool {
        !matches!(self, Self::Pss { certain: false, .. })
    }

    /// Whether it is a signature of this text.
    pub(super) fn signs(&self, text: &[u8]) -> bool {
        match self {
            Self::Pkcs1 { hash, digest } => hash.of(text) == *digest,
            Self::Bare(content) => {
                let digest = Hash::Sha256.of(text);
                *content == digest
                    || *content == text
                    || *content == hex::encode(&digest).into_bytes()
            }
            Self::Pss {
                hash, salt, bound, ..
            } => hash.of(&[&[0; 8], hash.of(text).as_slice(), salt].concat()) == *bound,
        }
    }

    /// OpenSSL's word for the same, over the whole text: the proof. What OpenSSL cannot verify
    /// because it has no such form rests on [`Recovered::signs`], which is the same comparison.
    pub(super) fn verifies(&self, key: &PKeyRef<Public>, text: &[u8], signature: &[u8]) -> bool {
        let verified = match self {
            Self::Bare(_) => return self.signs(text),
            Self::Pkcs1 { hash, .. } => Verifier::new(hash.message_digest(), key)
                .and_then(|mut verifier| verifier.verify_oneshot(signature, text)),
            Self::Pss {
                hash, mgf1, salt, ..
            } => Verifier::new(hash.message_digest(), key).and_then(|mut verifier| {
                verifier.set_rsa_padding(Padding::PKCS1_PSS)?;
                verifier.set_rsa_mgf1_md(mgf1.message_digest())?;
                let length = i32::try_from(salt.len()).unwrap_or_default();
                verifier.set_rsa_pss_saltlen(RsaPssSaltlen::custom(length))?;
                verifier.verify_oneshot(signature, text)
            }),
        };
        verified.unwrap_or(false)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use openssl::hash::MessageDigest;
    use openssl::pkey::{PKey, Private};
    use openssl::sign::Signer;

    fn pair() -> (PKey<Private>, PKey<Public>) {
        let private = PKey::from_rsa(Rsa::generate(2_048).unwrap()).unwrap();
        let public = PKey::public_key_from_der(&private.public_key_to_der().unwrap()).unwrap();
        (private, public)
    }

    #[test]
    fn the_key_the_hash_and_the_padding_are_read_out_of_a_signature() {
        let (private, public) = pair();
        let (_, other) = pair();
        for hash in Hash::ALL {
            let mut signer = Signer::new(hash.message_digest(), &private).unwrap();
            let signature = signer.sign_oneshot_to_vec(b"text").unwrap();
            let read = recover(&signature, &public);
            let digest = hash.of(b"text");
            assert_eq!(read, [Recovered::Pkcs1 { hash, digest }]);
            assert!(read[0].signs(b"text") && !read[0].signs(b"test"));
            assert!(read[0].verifies(&public, b"text", &signature));
            assert!(!read[0].verifies(&public, b"test", &signature));
            assert!(recover(&signature, &other).is_empty());
        }
    }

    #[test]
    fn pss_is_read_with_any_salt_and_mask() {
        let (private, public) = pair();
        let (_, other) = pair();
        for (hash, mgf1) in PSS {
            for salt in [0, 20, 32, 64] {
                let mut signer = Signer::new(hash.message_digest(), &private).unwrap();
                signer.set_rsa_padding(Padding::PKCS1_PSS).unwrap();
                signer.set_rsa_mgf1_md(mgf1.message_digest()).unwrap();
                signer
                    .set_rsa_pss_saltlen(RsaPssSaltlen::custom(salt))
                    .unwrap();
                let signature = signer.sign_oneshot_to_vec(b"text").unwrap();
                let read = recover(&signature, &public);
                let [found] = read.as_slice() else {
                    panic!("{hash:?} {mgf1:?} {salt}: {read:?}");
                };
                let length = usize::try_from(salt).unwrap();
                assert!(
                    matches!(found, Recovered::Pss { hash: h, mgf1: m, salt: s, .. }
                        if (*h, *m, s.len()) == (hash, mgf1, length)),
                    "{found:?}"
                );
                assert!(found.is_certain());
                assert!(found.signs(b"text") && !found.signs(b"test"));
                assert!(found.verifies(&public, b"text", &signature));
                let by_other = recover(&signature, &other);
                assert!(by_other.iter().all(|read| !read.is_certain()));
            }
        }
    }

    #[test]
    fn the_longest_salt_leaves_a_doubt_that_the_text_removes() {
        let (private, public) = pair();
        let mut signer = Signer::new(MessageDigest::sha256(), &private).unwrap();
        signer.set_rsa_padding(Padding::PKCS1_PSS).unwrap();
        signer
            .set_rsa_pss_saltlen(RsaPssSaltlen::MAXIMUM_LENGTH)
            .unwrap();
        let signature = signer.sign_oneshot_to_vec(b"text").unwrap();
        let read = recover(&signature, &public);
        let right = read.iter().find(|read| read.signs(b"text")).unwrap();
        assert!(!right.is_certain() && right.verifies(&public, b"text", &signature));
    }

    #[test]
    fn a_bare_digest_is_known_by_its_text() {
        let (private, public) = pair();
        let digest = Hash::Sha256.of(b"text");
        let rsa = private.rsa().unwrap();
        let mut signature = vec![0; 256];
        rsa.private_encrypt(&digest, &mut signature, Padding::PKCS1)
            .unwrap();
        let read = recover(&signature, &public);
        assert_eq!(read, [Recovered::Bare(digest)]);
        assert!(read[0].signs(b"text") && read[0].verifies(&public, b"text", &signature));
    }
}
