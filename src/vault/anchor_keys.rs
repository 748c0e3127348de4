//! The keyed anchors of purges in the audit trail: the MAC is HMAC-SHA-256 under a key derived from
//! the data key: HMAC-SHA-256(data key, `issuer-gateway audit purge key 1` and a byte 1), which is
//! HKDF-Expand (RFC 5869, 2.3) for one block.

use super::blind_index::keyed;
use super::key::KeyBytes;
use super::{Vault, VaultError, VaultKeys};
use crate::store::Store;
use crate::store::audit::purges::AnchorKeys;
use crate::store::audit::{Broken, PurgeAnchor};
use crate::store::pace::patiently;
use hmac::Mac;
use zeroize::Zeroizing;

/// Part of the derivation: never change it.
const LABEL: &[u8] = b"issuer-gateway audit purge key 1";

/// How often an anchor that does not hold is read again.
const LOOKS: usize = 2;

impl Vault {
    /// Checks an anchor that was read. One that does not hold is read again, and so are the keys: a
    /// purge or a change of keys may have written it meanwhile. The one that is returned may be
    /// newer.
    pub async fn check_anchor(
        &self,
        store: &Store,
        mut anchor: PurgeAnchor,
    ) -> Result<Result<PurgeAnchor, Broken>, VaultError> {
        let mut checked = anchor.check(&*self.current());
        for _ in 0..LOOKS {
            if checked.is_ok() {
                break;
            }
            if let Some(newer) = patiently(|| store.audit_purge(&anchor.chain)).await? {
                anchor = newer;
            }
            self.refresh(store).await?;
            checked = anchor.check(&*self.current());
        }
        Ok(checked.map(|()| anchor))
    }
}

impl AnchorKeys for VaultKeys {
    fn generation(&self) -> i64 {
        self.generation
    }

    fn version(&self) -> i32 {
        self.seal_version
    }

    fn mac(&self, version: i32, message: &[u8]) -> Option<[u8; 32]> {
        let mut root = self.seal.root(u32::try_from(version).ok()?)?;
        root.update(LABEL);
        root.update(&[1]);
        let key: KeyBytes = Zeroizing::new(root.finalize().into_bytes().into());
        let mut mac = keyed(&key);
        mac.update(message);
        Some(mac.finalize().into_bytes().into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn anchor() -> PurgeAnchor {
        PurgeAnchor {
            chain: "c".to_owned(),
            seq: 7,
            hash: vec![1; 32],
            first_at: 10,
            last_at: 20,
            purged_at: 30,
            seal_key: 0,
            mac: Vec::new(),
        }
    }

    #[test]
    fn an_anchor_is_good_for_what_it_says_alone() {
        let keys = VaultKeys::random(3);
        let mut good = anchor();
        good.vouch(&keys).unwrap();
        assert_eq!((good.seal_key, good.check(&keys)), (3, Ok(())));
        let edits: [fn(&mut PurgeAnchor); 8] = [
            |a| a.chain.push('x'),
            |a| a.seq += 1,
            |a| a.hash[0] ^= 1,
            |a| a.first_at -= 1,
            |a| a.last_at += 1,
            |a| a.purged_at += 1,
            |a| a.mac[31] ^= 1,
            |a| a.mac.truncate(31),
        ];
        for (number, edit) in edits.iter().enumerate() {
            let mut forged = good.clone();
            edit(&mut forged);
            let broken = Err(Broken::ForgedPurge(forged.seq));
            assert_eq!(forged.check(&keys), broken, "edit {number}");
        }
        let other = VaultKeys::random(3);
        assert_eq!(good.check(&other), Err(Broken::ForgedPurge(7)));
        let (purged, version) = (7, 3);
        let unknown = Err(Broken::PurgeUnderUnknownKey { purged, version });
        assert_eq!(good.check(&VaultKeys::random(4)), unknown);
    }

    /// Anchors in databases are made so.
    #[test]
    fn it_is_hmac_under_a_derived_key() {
        let keys = VaultKeys::random(1);
        let mut root = keys.seal.root(1).unwrap();
        root.update(b"issuer-gateway audit purge key 1\x01");
        let key: KeyBytes = Zeroizing::new(root.finalize().into_bytes().into());
        let mut mac = keyed(&key);
        let mut told = b"issuer-gateway audit purge 1".to_vec();
        told.extend_from_slice(&[0, 0, 0, 1, b'c']);
        for number in [7_i64, 10, 20, 30] {
            told.extend_from_slice(&number.to_be_bytes());
        }
        told.extend_from_slice(&[0, 0, 0, 1]);
        told.extend_from_slice(&[1; 32]);
        mac.update(&told);
        let expected: [u8; 32] = mac.finalize().into_bytes().into();
        let mut anchor = anchor();
        anchor.vouch(&keys).unwrap();
        assert_eq!(anchor.mac, expected);
    }
}
