//! The keys that open payloads, found by the hint that a payload carries.
//!
//! A hint names a key by the digest of its public key or of its certificate, by its JWK thumbprint,
//! or by a configured alias; no hint means the primary key of the kind that the payload is for.
//! There is no trial decryption: a hint that names no usable key is refused.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use super::fingerprint::Fingerprint;
use super::key::{DecryptionKey, KeyState};
use super::kind::KeyKind;

/// Why keys do not make a ring.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum KeyRingError {
    /// No key is primary.
    #[error("no key is primary: one must be")]
    NoPrimary,
    /// Several keys of one kind are primary.
    #[error("several keys of one kind are primary: one of RSA, P-256 and P-384 each may be")]
    SeveralPrimaries,
    /// A fingerprint or alias leads to two keys, or a key is listed twice.
    #[error("{0:?} names two keys")]
    Ambiguous(String),
    /// An empty alias, which could never match: an empty hint means the primary key.
    #[error("an alias is empty")]
    EmptyAlias,
}

impl KeyRingError {
    /// A stable kebab-case name for log and audit.
    pub fn reason(&self) -> &'static str {
        match self {
            Self::NoPrimary => "no-primary-key",
            Self::SeveralPrimaries => "several-primary-keys",
            Self::Ambiguous(_) => "ambiguous-key-name",
            Self::EmptyAlias => "empty-key-alias",
        }
    }
}

/// What a hint can be, once read.
#[derive(Debug, PartialEq, Eq, Hash)]
enum Name {
    Digest(Fingerprint),
    Alias(String),
}

impl Name {
    /// A text that reads as a digest is one, also where an alias was configured that way.
    fn parse(hint: &str) -> Self {
        match Fingerprint::parse(hint) {
            Some(digest) => Self::Digest(digest),
            None => Self::Alias(hint.to_owned()),
        }
    }
}

/// A set of keys with at most one primary of each kind, and at least one, in which every name leads
/// to one key. Immutable: a reload builds a new one.
#[derive(Debug)]
pub struct KeyRing {
    /// An RSA key first, if there is one.
    primaries: Vec<Arc<DecryptionKey>>,
    primary: Arc<DecryptionKey>,
    keys: Vec<Arc<DecryptionKey>>,
    by_name: HashMap<Name, Arc<DecryptionKey>>,
}

impl KeyRing {
    /// Checks the keys against each other and indexes them.
    pub fn new(keys: Vec<DecryptionKey>) -> Result<Self, KeyRingError> {
        let keys: Vec<_> = keys.into_iter().map(Arc::new).collect();
        let primaries = keys.iter().filter(|key| key.state() == KeyState::Primary);
        let mut primaries: Vec<_> = primaries.map(Arc::clone).collect();
        primaries.sort_by_key(|key| key.kind() != KeyKind::Rsa);
        let primary = Arc::clone(primaries.first().ok_or(KeyRingError::NoPrimary)?);
        let kinds: HashSet<_> = primaries.iter().map(|key| key.kind()).collect();
        if kinds.len() < primaries.len() {
            return Err(KeyRingError::SeveralPrimaries);
        }

        let mut by_name = HashMap::<Name, Arc<DecryptionKey>>::new();
        for key in &keys {
            let digests = [
                Some(key.fingerprint()),
                key.certificate_fingerprint(),
                Some(key.thumbprint()),
            ];
            let digests = digests
                .into_iter()
                .flatten()
                .map(|digest| digest.to_string());
            for text in digests.chain(key.aliases().iter().cloned()) {
                if text.is_empty() {
                    return Err(KeyRingError::EmptyAlias);
                }
                let former = by_name.insert(Name::parse(&text), Arc::clone(key));
                if former.is_some_and(|former| !Arc::ptr_eq(&former, key)) {
                    return Err(KeyRingError::Ambiguous(text));
                }
            }
        }
        Ok(Self {
            primaries,
            primary,
            keys,
            by_name,
        })
    }

    /// The key that opens a payload with this `kid` or fingerprint: the primary key of the kind
    /// that the payload is encrypted for if the hint is absent or empty; `None` if it names no key,
    /// or one that is disabled or destroyed.
    pub fn find(&self, hint: Option<&str>, kind: KeyKind) -> Option<&Arc<DecryptionKey>> {
        match hint {
            None | Some("") => self.primaries.iter().find(|key| key.kind() == kind),
            Some(hint) => self
                .by_name
                .get(&Name::parse(hint))
                .filter(|key| key.state().decrypts()),
        }
    }

    /// The key that is advertised to clients: the RSA one, if there is one.
    pub fn primary(&self) -> &Arc<DecryptionKey> {
        &self.primary
    }

    /// The primary keys of all kinds, RSA first.
    pub fn primaries(&self) -> &[Arc<DecryptionKey>] {
        &self.primaries
    }

    /// All keys in the order in which they were given.
    pub fn keys(&self) -> &[Arc<DecryptionKey>] {
        &self.keys
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{certificate, key, own_key};
    use openssl::hash::MessageDigest;

    fn ring() -> KeyRing {
        KeyRing::new(vec![
            own_key(0, &["current", "Key A"], KeyState::Primary),
            own_key(1, &["former"], KeyState::Active),
            own_key(2, &["off"], KeyState::Disabled),
        ])
        .unwrap()
    }

    #[test]
    fn every_name_of_a_key_finds_it() {
        let ring = ring();
        for (index, aliases) in [(0, vec!["current", "Key A"]), (1, vec!["former"])] {
            let key_digest = openssl::sha::sha256(&key(index).public_key_to_der().unwrap());
            let digest = certificate(index).digest(MessageDigest::sha256()).unwrap();
            let mut hints: Vec<String> = aliases.into_iter().map(str::to_owned).collect();
            let jwk = crate::testing::thumbprint(&key(index));
            for digest in [&key_digest[..], &digest[..], &jwk[..]] {
                let base64 = openssl::base64::encode_block(digest);
                hints.extend([
                    hex::encode(digest),
                    hex::encode_upper(digest),
                    base64.trim_end_matches('=').to_owned(),
                    base64.replace('+', "-").replace('/', "_"),
                    base64,
                ]);
            }
            for hint in hints {
                let found = ring.find(Some(&hint), KeyKind::Rsa).unwrap();
                assert!(Arc::ptr_eq(found, &ring.keys()[index]), "{hint}");
            }
        }
    }

    #[test]
    fn no_hint_means_the_primary_key() {
        let ring = ring();
        for hint in [None, Some("")] {
            assert!(Arc::ptr_eq(
                ring.find(hint, KeyKind::Rsa).unwrap(),
                ring.primary()
            ));
        }
    }

    #[test]
    fn unknown_and_disabled_keys_are_not_found() {
        let disabled = ring().keys()[2].fingerprint().to_string();
        let foreign = own_key(3, &[], KeyState::Active).fingerprint().to_string();
        for hint in [
            "nobody", "CURRENT", "current ", " ", "off", &disabled, &foreign,
        ] {
            assert!(ring().find(Some(hint), KeyKind::Rsa).is_none(), "{hint}");
        }
        let ring = KeyRing::new(vec![
            own_key(0, &[], KeyState::Primary),
            own_key(1, &["gone"], KeyState::Destroyed),
        ]);
        assert!(ring.unwrap().find(Some("gone"), KeyKind::Rsa).is_none());
    }

    #[test]
    fn exactly_one_primary_and_no_name_for_two_keys() {
        use KeyState::{Active, Primary};
        let digest = own_key(1, &[], Active).fingerprint().to_string();
        let upper = digest.to_uppercase();
        for (keys, reason) in [
            (vec![], "no-primary-key"),
            (vec![own_key(0, &[], Active)], "no-primary-key"),
            (
                vec![own_key(0, &[], Primary), own_key(1, &[], Primary)],
                "several-primary-keys",
            ),
            (
                vec![own_key(0, &[], Primary), own_key(0, &[], Active)],
                "ambiguous-key-name",
            ),
            (
                vec![own_key(0, &["a"], Primary), own_key(1, &["a"], Active)],
                "ambiguous-key-name",
            ),
            (
                vec![own_key(0, &[&upper], Primary), own_key(1, &[], Active)],
                "ambiguous-key-name",
            ),
            (vec![own_key(0, &[""], Primary)], "empty-key-alias"),
        ] {
            assert_eq!(KeyRing::new(keys).unwrap_err().reason(), reason);
        }
        let own = vec![
            own_key(0, &["a", "a"], Primary),
            own_key(1, &[&digest], Active),
        ];
        assert!(KeyRing::new(own).is_ok(), "a key may repeat its own names");
    }
}
