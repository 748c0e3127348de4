//! Decoys: keys that a failing signature is verified against, besides the keys of its consumer key.
//! With them the time of a refusal does not tell whether anybody has that consumer key, or how many
//! keys of which size.
//!
//! Keys differ in the cost of a verification: by the length of the modulus and the exponent. For
//! each cost, a failing signature is tried with as many keys as the consumer key with the most of
//! them has. The decoys are keys of other clients. Their results do not count.

use super::VerifyingKey;
use openssl::pkey::PKey;
use std::sync::LazyLock;

/// The keys that failing signatures are verified against as well.
#[derive(Debug, Clone)]
pub struct Decoys(Vec<Vec<VerifyingKey>>);

/// A key whose private half was thrown away: for an installation without issuers.
static NOBODYS: LazyLock<Option<VerifyingKey>> = LazyLock::new(|| {
    let key = PKey::public_key_from_pem(include_bytes!("decoy.pem")).ok()?;
    VerifyingKey::from_public_key(key).ok()
});

impl Default for Decoys {
    /// One key of 2048 bits, which is nobody's.
    fn default() -> Self {
        Self(NOBODYS.iter().map(|key| vec![key.clone()]).collect())
    }
}

impl Decoys {
    /// Decoys for an installation whose consumer keys have these keys.
    pub fn among<'k>(consumer_keys: impl Iterator<Item = &'k [VerifyingKey]>) -> Self {
        let mut most: Vec<Vec<VerifyingKey>> = Vec::new();
        for keys in consumer_keys {
            for key in keys {
                let alike: Vec<&VerifyingKey> =
                    keys.iter().filter(|other| other.costs(key)).collect();
                let known = most
                    .iter_mut()
                    .find(|known| known.first().is_some_and(|first| first.costs(key)));
                match known {
                    Some(known) if known.len() >= alike.len() => {}
                    Some(known) => *known = alike.into_iter().cloned().collect(),
                    None => most.push(alike.into_iter().cloned().collect()),
                }
            }
        }
        if most.is_empty() {
            return Self::default();
        }
        Self(most)
    }

    /// The decoys to try besides `own`.
    pub(super) fn beside<'d>(
        &'d self,
        own: &'d [&VerifyingKey],
    ) -> impl Iterator<Item = &'d VerifyingKey> {
        self.0.iter().flat_map(|alike| {
            let of_own = own
                .iter()
                .filter(|key| alike.first().is_some_and(|first| first.costs(key)));
            alike.iter().skip(of_own.count())
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use openssl::bn::BigNum;
    use openssl::rsa::Rsa;

    fn key(bits: u32, exponent: u32) -> VerifyingKey {
        let exponent = BigNum::from_u32(exponent).unwrap();
        let pem = Rsa::generate_with_e(bits, &exponent).unwrap();
        let pem = pem.public_key_to_pem().unwrap();
        VerifyingKey::from_public_key(PKey::public_key_from_pem(&pem).unwrap()).unwrap()
    }

    fn costs(decoys: &Decoys, own: &[VerifyingKey]) -> Vec<String> {
        let own: Vec<&VerifyingKey> = own.iter().collect();
        let tried = own.iter().copied().chain(decoys.beside(&own));
        let mut tried: Vec<String> = tried.map(|key| key.cost()).collect();
        tried.sort();
        tried
    }

    #[test]
    fn whoever_is_named_as_many_keys_of_each_cost_are_tried() {
        let small = || key(2048, 65_537);
        let callers = [
            vec![small()],
            vec![small(), small(), key(2048, 3)],
            vec![key(3072, 65_537)],
            vec![small()],
            vec![],
        ];
        let decoys = Decoys::among(callers.iter().map(Vec::as_slice));
        let expected = costs(&decoys, &[]);
        assert_eq!(expected.len(), 4, "{expected:?}");
        for own in &callers {
            assert_eq!(costs(&decoys, own), expected);
        }
        let without_anybody = Decoys::among(std::iter::empty());
        assert_eq!(costs(&without_anybody, &[]), ["2048 bits, exponent 10001"]);
    }
}
