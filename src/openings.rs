//! The wrapped keys that this node has seen lately, and the message of each: a check before RSA.
//!
//! The database decides: the commit that ends a call gives each wrapped key to one message
//! ([`store::opened_keys`](crate::store::opened_keys)). A node that remembers the key refuses a
//! second message without decrypting it, so even the time of the answer says nothing about the
//! plaintext. If only the database remembers the key, each node decrypts the repeat once, and its
//! answer does not depend on the plaintext.

use crate::ids::IssuerId;
use crate::payload::{EnvelopeKind, KeyUse};
use crate::store::opened_keys::{Holder, Opening};
use std::collections::hash_map::Entry;
use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// How many wrapped keys a node remembers: about 10 MB. An attacker who wants the node to forget
/// one must have this many others opened.
const REMEMBERED: usize = 65_536;

/// Remembers what wrapped keys were used for; bounded.
#[derive(Debug)]
pub struct Openings {
    known: Mutex<Known>,
    capacity: usize,
}

#[derive(Debug, Default)]
struct Known {
    holders: HashMap<[u8; 32], Use>,
    /// The oldest first, each with the serial of its use: one that came again is older in a former
    /// place.
    order: VecDeque<([u8; 32], u64)>,
    serial: u64,
}

#[derive(Debug)]
struct Use {
    holder: Holder,
    /// The database has said so; else a call is under way.
    committed: bool,
    serial: u64,
}

impl Default for Openings {
    fn default() -> Self {
        Self::with_capacity(REMEMBERED)
    }
}

impl Openings {
    fn with_capacity(capacity: usize) -> Self {
        Self {
            known: Mutex::default(),
            capacity,
        }
    }

    /// Lets a message be opened with a wrapped key, unless the key is known to be used for another
    /// one, or by another issuer.
    pub fn begin(self: &Arc<Self>, issuer_id: IssuerId, key_use: &KeyUse) -> Option<Begun> {
        let opening = Opening {
            key_hash: key_use.key_hash,
            holder: Holder {
                issuer_id,
                message_hash: key_use.message_hash,
            },
            field_level: key_use.kind == EnvelopeKind::FieldLevel,
            gateway_key: key_use.opener.short(),
        };
        let known = &mut *self.lock();
        let serial = known.serial;
        let first = match known.holders.entry(opening.key_hash) {
            Entry::Occupied(known) if known.get().holder != opening.holder => return None,
            Entry::Occupied(_) => false,
            Entry::Vacant(free) => {
                free.insert(Use {
                    holder: opening.holder,
                    committed: false,
                    serial,
                });
                known.remember(opening.key_hash, self.capacity);
                true
            }
        };
        Some(Begun {
            openings: Arc::clone(self),
            opening,
            first,
        })
    }

    fn learn(&self, key_hash: [u8; 32], holder: Holder) {
        let known = &mut *self.lock();
        match known.holders.entry(key_hash) {
            Entry::Occupied(mut held) => {
                let held = held.get_mut();
                held.holder = holder;
                held.committed = true;
            }
            Entry::Vacant(free) => {
                free.insert(Use {
                    holder,
                    committed: true,
                    serial: known.serial,
                });
                known.remember(key_hash, self.capacity);
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Known {
    /// Notes the place of a key that was just inserted, and forgets the oldest beyond `capacity`.
    /// Calls that ended without a commit have left their places in the order.
    fn remember(&mut self, key_hash: [u8; 32], capacity: usize) {
        self.order.push_back((key_hash, self.serial));
        self.serial += 1;
        while self.holders.len() > capacity || self.order.len() > 2 * capacity {
            let Some((oldest, serial)) = self.order.pop_front() else {
                return;
            };
            if let Entry::Occupied(held) = self.holders.entry(oldest)
                && held.get().serial == serial
            {
                held.remove();
            }
        }
    }
}

/// A message that is being opened. If its call ends without a commit, dropping it leaves the
/// wrapped key free again.
#[derive(Debug)]
pub struct Begun {
    openings: Arc<Openings>,
    opening: Opening,
    first: bool,
}

impl Begun {
    /// The claim for the call's commit.
    pub fn opening(&self) -> &Opening {
        &self.opening
    }

    /// The database has given the wrapped key to this message.
    pub fn won(&self) {
        self.lost(self.opening.holder);
    }

    /// The database has it as this one's.
    pub fn lost(&self, holder: Holder) {
        self.openings.learn(self.opening.key_hash, holder);
    }
}

impl Drop for Begun {
    fn drop(&mut self) {
        if !self.first {
            return;
        }
        let known = &mut *self.openings.lock();
        if let Entry::Occupied(mine) = known.holders.entry(self.opening.key_hash)
            && !mine.get().committed
            && mine.get().holder == self.opening.holder
        {
            mine.remove();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::payload::KeyState;
    use crate::unwrap::testing::gateway_key;

    const A: IssuerId = IssuerId(1);
    const B: IssuerId = IssuerId(2);

    fn key_use(key: u8, message: u8) -> KeyUse {
        KeyUse {
            key_hash: [key; 32],
            message_hash: [message; 32],
            kind: EnvelopeKind::FieldLevel,
            opener: gateway_key(0, &[], KeyState::Primary).fingerprint(),
        }
    }

    #[test]
    fn a_key_that_is_in_use_opens_the_same_message_of_the_same_issuer_alone() {
        let openings = Arc::new(Openings::default());
        let first = openings.begin(A, &key_use(1, 1)).unwrap();
        assert!(openings.begin(A, &key_use(1, 1)).is_some());
        assert!(openings.begin(A, &key_use(1, 2)).is_none());
        assert!(openings.begin(B, &key_use(1, 1)).is_none());
        assert!(openings.begin(B, &key_use(2, 1)).is_some());
        first.won();
        drop(first);
        assert!(openings.begin(A, &key_use(1, 1)).is_some());
        assert!(openings.begin(B, &key_use(1, 1)).is_none());
    }

    #[test]
    fn a_call_that_ends_without_a_commit_leaves_its_key_free() {
        let openings = Arc::new(Openings::default());
        let first = openings.begin(A, &key_use(1, 1)).unwrap();
        let again = openings.begin(A, &key_use(1, 1)).unwrap();
        drop(first);
        drop(again);
        assert!(openings.begin(B, &key_use(1, 2)).is_some());
    }

    #[test]
    fn what_the_database_says_replaces_what_was_thought() {
        let openings = Arc::new(Openings::default());
        let begun = openings.begin(B, &key_use(1, 2)).unwrap();
        begun.lost(Holder {
            issuer_id: A,
            message_hash: [1; 32],
        });
        drop(begun);
        assert!(openings.begin(B, &key_use(1, 2)).is_none());
        assert!(openings.begin(A, &key_use(1, 1)).is_some());
    }

    #[test]
    fn the_oldest_are_forgotten_first_and_no_more_is_kept_than_fits() {
        let openings = Arc::new(Openings::with_capacity(3));
        for round in 0..100 {
            // Comes and goes without a commit.
            drop(openings.begin(A, &key_use(200, round)));
        }
        for key in 1..=4 {
            openings.begin(A, &key_use(key, 1)).unwrap().won();
        }
        let known = openings.lock();
        assert_eq!((known.holders.len(), known.order.len()), (3, 3));
        drop(known);
        assert!(openings.begin(B, &key_use(1, 1)).is_some());
        assert!(openings.begin(B, &key_use(4, 1)).is_none());
    }

    #[test]
    fn a_key_that_came_again_is_as_young_as_its_last_call() {
        let openings = Arc::new(Openings::with_capacity(3));
        drop(openings.begin(A, &key_use(1, 1)));
        for key in [2, 3, 1, 4] {
            openings.begin(A, &key_use(key, 1)).unwrap().won();
        }
        for (key, free) in [(2, true), (1, false)] {
            assert_eq!(openings.begin(B, &key_use(key, 2)).is_some(), free, "{key}");
        }
    }
}
