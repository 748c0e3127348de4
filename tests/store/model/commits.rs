//! The commit that an act is asked for by.

use super::acts::{Deed, Doing, Scene};
use crate::fixture::{Rig, draft, new_name, nonce};
use issuer_gateway::ids::CardholderId;
use issuer_gateway::store::directory::SealedRecord;
use issuer_gateway::store::directory::changes::{
    Columns, DirectoryChange, NewRecord, RecordUpdate,
};
use issuer_gateway::store::now;
use issuer_gateway::store::writer::{Act, Commit, NewCardholder, Termination};
use issuer_gateway::vault::VaultKeys;

impl Doing {
    /// What an enrolment or an update writes as the name.
    pub fn name(&self) -> Vec<u8> {
        self.number.to_be_bytes().to_vec()
    }

    /// What the trail calls it.
    pub fn action(&self) -> &'static str {
        match self.deed {
            // As the product calls it: what counts enrolments counts these.
            Deed::Enrol { .. } => "user.enrol",
            Deed::ReEnrol { .. } => "re-enrol",
            Deed::Update { .. } => "update",
            Deed::Terminate { .. } => "terminate",
            Deed::Create { .. } => "create",
            Deed::Change { .. } => "change",
            Deed::Delete { .. } => "delete",
            Deed::Refused => "refused",
        }
    }

    pub fn commit(&self, scene: &Scene, keys: &VaultKeys, rig: &Rig) -> Commit {
        let mut audit = draft(self.action());
        audit.issuer_id = Some(self.issuer_id);
        if matches!(self.deed, Deed::Refused) {
            audit = audit.refused("INVALID_FPAN");
        }
        Commit {
            nonce: nonce(self.issuer_id, &self.nonce),
            opening: self.opening.clone(),
            act: self.act(scene, keys, rig),
            audit,
            sealed_under: self.sealed_under,
        }
    }

    fn act(&self, scene: &Scene, keys: &VaultKeys, rig: &Rig) -> Act {
        let cardholder = |user_id: &CardholderId, card: &str, enrolment_epoch| {
            let mut new = NewCardholder {
                user_id: user_id.clone(),
                enrolment_epoch,
                ..rig.user(self.issuer_id, card)
            };
            new.profile.name = Some(self.name());
            Box::new(new)
        };
        let app_id = scene.app_id;
        match &self.deed {
            Deed::Enrol {
                user_id,
                card,
                epoch,
            } => Act::Enrol(cardholder(user_id, card, *epoch)),
            Deed::ReEnrol {
                user_id,
                card,
                epoch,
            } => Act::ReEnrol(cardholder(user_id, card, *epoch)),
            Deed::Update { user_id } => {
                Act::Update(Box::new(new_name(self.issuer_id, user_id, &self.name())))
            }
            Deed::Terminate { user_ids } => Act::Terminate(Box::new(Termination {
                issuer_id: self.issuer_id,
                user_ids: user_ids.clone(),
                at: now(),
            })),
            Deed::Create {
                record,
                user_id,
                email,
            } => {
                let row = SealedRecord {
                    app_id: app_id.0,
                    klaim_id: record.clone(),
                    user_id: user_id.clone(),
                    number: None,
                    name: None,
                    first_name: None,
                    last_name: None,
                    username: None,
                    email: email.map(|email| vec![email]),
                    metadata: None,
                    email_index: email.map(index),
                    email_index_key: email.map(|_| 1),
                    seal_key: keys.seal_version(),
                    created_at: 1,
                    updated_at: 1,
                };
                Act::Directory(Box::new(DirectoryChange::Create(Box::new(NewRecord {
                    row,
                    other_email_indexes: Vec::new(),
                }))))
            }
            Deed::Change {
                record,
                user_id,
                email,
            } => {
                let set = Columns {
                    user_id: user_id.clone(),
                    email: email.map(|email| email.map(|email| vec![email])),
                    email_index: email.map(|email| email.map(index)),
                    email_index_key: email.map(|email| email.map(|_| 1)),
                    seal_key: keys.seal_version(),
                    updated_at: 2,
                    ..Columns::default()
                };
                Act::Directory(Box::new(DirectoryChange::Update(Box::new(RecordUpdate {
                    app_id,
                    klaim_id: record.clone(),
                    set,
                    other_email_indexes: Vec::new(),
                }))))
            }
            Deed::Delete { record } => Act::Directory(Box::new(DirectoryChange::Delete {
                app_id,
                klaim_id: record.clone(),
            })),
            Deed::Refused => Act::Record,
        }
    }
}

fn index(email: u8) -> Vec<u8> {
    vec![email; 32]
}
