//! What the writer must do, act by act, in memory.

use super::acts::{Deed, Doing};
use issuer_gateway::ids::{CardholderId, IssuerId};
use issuer_gateway::store::Outcome;
use issuer_gateway::store::directory::changes::Taken;
use issuer_gateway::store::opened_keys::Holder;
use issuer_gateway::store::writer::KEY_REUSED;
use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};

/// A user, as far as it can be told apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Known {
    pub active: bool,
    pub epoch: i32,
    pub name: Vec<u8>,
    pub card: String,
}

/// A record of the users API.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    pub user_id: String,
    pub email: Option<u8>,
}

/// All that a case has written. The trail as how often it says what.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct State {
    pub nonces: BTreeSet<(i32, String)>,
    pub keys: BTreeMap<[u8; 32], (i32, [u8; 32])>,
    pub users: BTreeMap<(i32, String), Known>,
    pub records: BTreeMap<String, Record>,
    pub trail: BTreeMap<String, usize>,
}

/// The state, and the generation of the data keys.
#[derive(Debug, Clone)]
pub struct Reference {
    pub state: State,
    pub generation: i64,
}

impl Reference {
    /// Before anything.
    pub fn new(generation: i64) -> Self {
        Self {
            state: State::default(),
            generation,
        }
    }

    /// Does it, and says what is answered.
    pub fn apply(&mut self, act: &Doing) -> Outcome {
        let outcome = self.decide(act);
        self.record(act, &outcome);
        outcome
    }

    /// Tells it that its nonce is used, though it is not.
    pub fn replay(&mut self, act: &Doing) {
        if let Some(opening) = &act.opening {
            let own = (opening.holder.issuer_id.0, opening.holder.message_hash);
            self.state.keys.entry(opening.key_hash).or_insert(own);
        }
        self.record(act, &Outcome::Replayed);
    }

    fn decide(&mut self, act: &Doing) -> Outcome {
        let reused = act.opening.as_ref().and_then(|opening| {
            let holder = opening.holder;
            let own = (holder.issuer_id.0, holder.message_hash);
            let has = *self.state.keys.entry(opening.key_hash).or_insert(own);
            (has != own).then_some(Holder {
                issuer_id: IssuerId(has.0),
                message_hash: has.1,
            })
        });
        let stale = act
            .sealed_under
            .is_some_and(|under| under != self.generation);
        if stale && reused.is_none() {
            return Outcome::Stale;
        }
        let nonce = (act.issuer_id.0, act.nonce.clone());
        if self.state.nonces.contains(&nonce) {
            return Outcome::Replayed;
        }
        let outcome = match reused {
            Some(holder) => Outcome::KeyReused(Some(holder)),
            None => self.carry_out(act),
        };
        if !matches!(outcome, Outcome::MustReEnrol(_)) {
            self.state.nonces.insert(nonce);
        }
        outcome
    }

    fn carry_out(&mut self, act: &Doing) -> Outcome {
        let issuer = act.issuer_id.0;
        let of = |user_id: &CardholderId| (issuer, user_id.as_str().to_owned());
        let users = &mut self.state.users;
        match &act.deed {
            Deed::Enrol {
                user_id,
                card,
                epoch,
            } => {
                let holder = users
                    .iter()
                    .find(|((of, _), user)| *of == issuer && user.card == *card);
                if let Some(((_, holder), user)) = holder {
                    let holder = CardholderId::parse(holder).unwrap();
                    return if user.active && user.epoch < *epoch {
                        Outcome::MustReEnrol(holder)
                    } else {
                        Outcome::CardTaken(Some(holder))
                    };
                }
                let user = Known {
                    active: true,
                    epoch: *epoch,
                    name: act.name(),
                    card: card.clone(),
                };
                users.insert(of(user_id), user);
                Outcome::Done
            }
            Deed::ReEnrol { user_id, epoch, .. } => match users.get_mut(&of(user_id)) {
                Some(user) if user.active && user.epoch < *epoch => {
                    user.epoch = *epoch;
                    user.name = act.name();
                    Outcome::Done
                }
                _ => Outcome::CardTaken(Some(user_id.clone())),
            },
            Deed::Update { user_id } => match users.get_mut(&of(user_id)) {
                Some(user) if user.active => {
                    user.name = act.name();
                    Outcome::Done
                }
                _ => Outcome::CardholderGone,
            },
            Deed::Terminate { user_ids } => {
                for user_id in user_ids {
                    if let Some(user) = users.get_mut(&of(user_id)) {
                        user.active = false;
                    }
                }
                Outcome::Done
            }
            Deed::Create { .. } | Deed::Change { .. } | Deed::Delete { .. } => {
                self.change_record(&act.deed)
            }
            Deed::Refused => Outcome::Done,
        }
    }

    fn change_record(&mut self, deed: &Deed) -> Outcome {
        let records = &mut self.state.records;
        let (id, wanted, new) = match deed {
            Deed::Create {
                record,
                user_id,
                email,
            } => {
                let wanted = Record {
                    user_id: user_id.clone(),
                    email: *email,
                };
                (record, wanted, true)
            }
            Deed::Change {
                record,
                user_id,
                email,
            } => {
                let Some(stored) = records.get(record) else {
                    return Outcome::CardholderGone;
                };
                let mut wanted = stored.clone();
                wanted.email = email.unwrap_or(wanted.email);
                wanted.user_id = user_id.clone().unwrap_or(wanted.user_id);
                (record, wanted, false)
            }
            Deed::Delete { record } => {
                return match records.remove(record) {
                    Some(_) => Outcome::Done,
                    None => Outcome::CardholderGone,
                };
            }
            _ => return Outcome::Done,
        };
        let others = || records.iter().filter(|(other, _)| *other != id);
        if wanted.email.is_some() && others().any(|(_, other)| other.email == wanted.email) {
            return Outcome::Taken(Taken::Email);
        }
        if others().any(|(_, other)| other.user_id == wanted.user_id) {
            return Outcome::Taken(Taken::CardholderId);
        }
        match records.entry(id.clone()) {
            Entry::Occupied(_) if new => return Outcome::Taken(Taken::KlaimId),
            Entry::Occupied(mut stored) => {
                stored.insert(wanted);
            }
            Entry::Vacant(free) => {
                free.insert(wanted);
            }
        }
        Outcome::Done
    }

    /// Each answer leaves its entries, but for those that decide nothing.
    fn record(&mut self, act: &Doing, outcome: &Outcome) {
        let (reason, entries) = match (outcome, &act.deed) {
            (Outcome::MustReEnrol(_) | Outcome::Stale, _) => return,
            (Outcome::Done, Deed::Terminate { user_ids }) => ("-", user_ids.len()),
            (Outcome::Done, Deed::Refused) => ("INVALID_FPAN", 1),
            (Outcome::Done, _) => ("-", 1),
            (Outcome::Replayed, _) => ("nonce-used", 1),
            (Outcome::KeyReused(_), _) => (KEY_REUSED, 1),
            (Outcome::CardTaken(_), _) => ("card-taken", 1),
            (Outcome::CardholderGone, _) => ("user-not-found", 1),
            (Outcome::Taken(taken), _) => (taken.reason(), 1),
        };
        let said = format!("{} {} {reason}", act.issuer_id.0, act.action());
        *self.state.trail.entry(said).or_default() += entries;
    }
}
