//! What a case consists of, at random.

use issuer_gateway::ids::{AppId, CardholderId, IssuerId};
use issuer_gateway::store::Outcome;
use issuer_gateway::store::opened_keys::{Holder, Opening};
use issuer_gateway::vault::VaultKeys;
use proptest::collection::vec;
use proptest::option::weighted;
use proptest::prelude::*;

/// What is asked for at once.
#[derive(Debug, Clone)]
pub struct Round {
    pub acts: Vec<Asked>,
    /// The issuers turn donation on: who has enrolled before is of a lower epoch from now on.
    pub next_epoch: bool,
    /// The data keys change meanwhile.
    pub rotate: bool,
}

/// One call. Small numbers, so that they meet.
#[derive(Debug, Clone)]
pub struct Asked {
    pub second: bool,
    issuer: u8,
    /// One that others may have too; `None`: its own.
    nonce: Option<u8>,
    /// A wrapped key, and the message that came with it.
    opening: Option<(u8, u8)>,
    /// Sealed under keys that are no longer in force.
    stale: bool,
    kind: Kind,
}

/// Users are counted over the whole case, so that a number may be one of before, one that is just
/// being enrolled, or nobody's.
#[derive(Debug, Clone)]
enum Kind {
    Enrol {
        card: u8,
    },
    ReEnrol {
        user: u8,
    },
    Update {
        user: u8,
    },
    Terminate {
        users: Vec<u8>,
    },
    Create {
        record: u8,
        user_id: u8,
        email: Option<u8>,
    },
    Change {
        record: u8,
        user_id: Option<u8>,
        email: Option<Option<u8>>,
    },
    Delete {
        record: u8,
    },
    Refused,
}

/// A case: a few rounds.
pub fn rounds() -> impl Strategy<Value = Vec<Round>> {
    let round = (vec(asked(), 1..=7), any::<bool>(), any::<u8>());
    let round = round.prop_map(|(acts, next_epoch, rotate)| Round {
        acts,
        next_epoch,
        rotate: rotate % 8 == 0,
    });
    vec(round, 1..=4)
}

fn asked() -> impl Strategy<Value = Asked> {
    let kind = prop_oneof![
        6 => (0..3_u8).prop_map(|card| Kind::Enrol { card }),
        2 => any::<u8>().prop_map(|user| Kind::ReEnrol { user }),
        4 => any::<u8>().prop_map(|user| Kind::Update { user }),
        2 => vec(any::<u8>(), 1..=3).prop_map(|users| Kind::Terminate { users }),
        2 => (0..3_u8, 0..3_u8, weighted(0.7, 0..2_u8))
            .prop_map(|(record, user_id, email)| Kind::Create { record, user_id, email }),
        2 => (0..3_u8, weighted(0.5, 0..3_u8), weighted(0.7, weighted(0.7, 0..2_u8)))
            .prop_map(|(record, user_id, email)| Kind::Change { record, user_id, email }),
        1 => (0..3_u8).prop_map(|record| Kind::Delete { record }),
        1 => Just(Kind::Refused),
    ];
    (
        any::<bool>(),
        0..2_u8,
        weighted(0.4, 0..3_u8),
        weighted(0.4, (0..3_u8, 0..2_u8)),
        any::<u8>(),
        kind,
    )
        .prop_map(|(second, issuer, nonce, opening, stale, kind)| Asked {
            second,
            issuer,
            nonce,
            opening,
            stale: stale % 8 == 0,
            kind,
        })
}

/// A call with everything that it names.
#[derive(Debug, Clone)]
pub struct Doing {
    /// Counted over the whole case; what it writes says which one it was.
    pub number: usize,
    pub issuer_id: IssuerId,
    pub nonce: String,
    pub opening: Option<Opening>,
    /// `None` for what holds nothing sealed.
    pub sealed_under: Option<i64>,
    pub deed: Deed,
}

/// What a call does.
#[derive(Debug, Clone)]
pub enum Deed {
    Enrol {
        user_id: CardholderId,
        card: String,
        epoch: i32,
    },
    ReEnrol {
        user_id: CardholderId,
        card: String,
        epoch: i32,
    },
    Update {
        user_id: CardholderId,
    },
    Terminate {
        user_ids: Vec<CardholderId>,
    },
    Create {
        record: String,
        user_id: String,
        email: Option<u8>,
    },
    Change {
        record: String,
        user_id: Option<String>,
        email: Option<Option<u8>>,
    },
    Delete {
        record: String,
    },
    Refused,
}

/// A call and its answer.
#[derive(Debug)]
pub struct Told {
    pub act: Doing,
    pub outcome: Outcome,
}

/// What a case has named so far.
pub struct Scene {
    case: i32,
    pub app_id: AppId,
    epoch: i32,
    number: usize,
    /// Everybody whose enrolment was asked for, with the card.
    pub users: Vec<(IssuerId, CardholderId, String)>,
}

impl Scene {
    pub fn new(case: i32, app_id: AppId) -> Self {
        Self {
            case,
            app_id,
            epoch: 1,
            number: 0,
            users: Vec::new(),
        }
    }

    /// Nobody else's in this database.
    pub fn issuer_id(&self, number: u8) -> IssuerId {
        IssuerId(2 * self.case + i32::from(number))
    }

    /// What a round asks for.
    pub fn acts(&mut self, round: &Round, keys: &VaultKeys) -> Vec<Doing> {
        self.epoch += i32::from(round.next_epoch);
        // First who enrols, so that others may name them.
        let first = self.users.len();
        for asked in &round.acts {
            if let Kind::Enrol { card } = asked.kind {
                let issuer_id = self.issuer_id(asked.issuer);
                let card = format!("534403000000{card:04}");
                self.users.push((issuer_id, CardholderId::random(), card));
            }
        }
        let mut enrolled = first;
        let mut doing = |asked: &Asked| {
            let deed = self.deed(&asked.kind, &mut enrolled);
            self.number += 1;
            let own = format!("own {}", self.number);
            Doing {
                number: self.number,
                issuer_id: self.issuer_id(asked.issuer),
                nonce: asked.nonce.map_or(own, |number| format!("shared {number}")),
                opening: asked
                    .opening
                    .map(|(key, message)| self.opening(asked.issuer, key, message)),
                sealed_under: sealed(&deed).then(|| keys.generation() - i64::from(asked.stale)),
                deed,
            }
        };
        round.acts.iter().map(&mut doing).collect()
    }

    fn deed(&self, kind: &Kind, enrolled: &mut usize) -> Deed {
        let epoch = self.epoch;
        let record = |number: &u8| format!("{}_{number}", self.case);
        let user_id = |number: &u8| format!("user {number}");
        match kind {
            Kind::Enrol { .. } => {
                let (_, user_id, card) = self.users[*enrolled].clone();
                *enrolled += 1;
                Deed::Enrol {
                    user_id,
                    card,
                    epoch,
                }
            }
            Kind::ReEnrol { user } => {
                let (user_id, card) = self.user(*user);
                Deed::ReEnrol {
                    user_id,
                    card,
                    epoch,
                }
            }
            Kind::Update { user } => Deed::Update {
                user_id: self.user(*user).0,
            },
            Kind::Terminate { users } => {
                let mut user_ids: Vec<_> = users.iter().map(|user| self.user(*user).0).collect();
                user_ids.sort();
                user_ids.dedup();
                Deed::Terminate { user_ids }
            }
            Kind::Create {
                record: number,
                user_id: user,
                email,
            } => Deed::Create {
                record: record(number),
                user_id: user_id(user),
                email: *email,
            },
            Kind::Change {
                record: number,
                user_id: user,
                email,
            } => Deed::Change {
                record: record(number),
                user_id: user.as_ref().map(user_id),
                email: *email,
            },
            Kind::Delete { record: number } => Deed::Delete {
                record: record(number),
            },
            Kind::Refused => Deed::Refused,
        }
    }

    fn user(&self, number: u8) -> (CardholderId, String) {
        let number = usize::from(number) % (self.users.len() + 1);
        let known = self.users.get(number);
        let known = known.map(|(_, user_id, card)| (user_id.clone(), card.clone()));
        known.unwrap_or_else(|| (CardholderId::random(), "5344030000009999".to_owned()))
    }

    fn opening(&self, issuer: u8, key: u8, message: u8) -> Opening {
        let mut key_hash = [key; 32];
        key_hash[..4].copy_from_slice(&self.case.to_be_bytes());
        Opening {
            key_hash,
            holder: Holder {
                issuer_id: self.issuer_id(issuer),
                message_hash: [message; 32],
            },
            field_level: true,
            gateway_key: 1,
        }
    }
}

/// Whether it holds anything sealed.
fn sealed(deed: &Deed) -> bool {
    match deed {
        Deed::Enrol { .. }
        | Deed::ReEnrol { .. }
        | Deed::Update { .. }
        | Deed::Create { .. }
        | Deed::Change { .. } => true,
        Deed::Terminate { .. } | Deed::Delete { .. } | Deed::Refused => false,
    }
}
