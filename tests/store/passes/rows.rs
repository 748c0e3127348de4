//! Rows with what is really sealed in them, and all of it opened again.

use crate::fixture::{ISSUER, Rig, draft, enrol, new_name, sealed_user, update};
use issuer_gateway::directory::{ApiKey, KeyKind};
use issuer_gateway::ids::{AppId, CardholderId, IssuerId};
use issuer_gateway::rotation::Event;
use issuer_gateway::sealed::SealedTable;
use issuer_gateway::store::directory::SealedRecord;
use issuer_gateway::store::directory::changes::{Applied, DirectoryChange, NewRecord};
use issuer_gateway::store::passes::RowKey;
use issuer_gateway::store::writer::Commit;
use issuer_gateway::store::{Outcome, now};
use issuer_gateway::vault::{Place, SealedColumn, VaultKeys};
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::ops::Range;

/// Sixteen digits.
pub fn pan(number: usize) -> String {
    format!("5344030000{number:06}")
}

/// The enrolment of a cardholder whose card and e-mail address have the form that they are stored
/// in.
pub fn cardholder(keys: &VaultKeys, pan: &str) -> Commit {
    let mut user = sealed_user(keys, ISSUER, pan);
    let card = format!(
        r#"{{"cardBaseCurrency":"USD","cardNumber":"{pan}","cardholderName":"Johnn Dooe","expiryMonth":"01","expiryYear":"2039"}}"#
    );
    user.card.card = seal(keys, &user.user_id, SealedColumn::Card, &card);
    let email = r#"{"type":"home","value":"johnn.dooe@gmail.com"}"#;
    user.profile.email = Some(seal(
        keys,
        &user.user_id,
        SealedColumn::CardholderEmail,
        email,
    ));
    enrol(user)
}

fn seal(keys: &VaultKeys, user_id: &CardholderId, column: SealedColumn, text: &str) -> Vec<u8> {
    let place = Place {
        owner: ISSUER.into(),
        row_id: user_id.as_str(),
        column,
        month: None,
    };
    keys.seal(place, text.as_bytes()).unwrap().bytes
}

/// Seals and commits, again for as long as the keys have changed meanwhile: what a use case does.
pub async fn settle(rig: &Rig, make: impl Fn(&VaultKeys) -> Commit) -> Outcome {
    loop {
        let keys = rig.vault.current();
        let commit = Commit {
            sealed_under: Some(keys.generation()),
            ..make(&keys)
        };
        match rig.writer.commit(commit).await.unwrap() {
            Outcome::Stale => {
                rig.vault.refresh(&rig.store).await.unwrap();
            }
            outcome => return outcome,
        }
    }
}

/// Enrols a cardholder with the card of this number.
pub async fn enrol_one(rig: &Rig, number: usize) -> CardholderId {
    let id = RefCell::new(None);
    let outcome = settle(rig, |keys| {
        let commit = cardholder(keys, &pan(number));
        id.replace(commit.audit.subject.clone());
        commit
    });
    assert_eq!(outcome.await, Outcome::Done);
    CardholderId::parse(&id.take().unwrap()).unwrap()
}

/// Cardholders with the cards of these numbers.
pub async fn enrol_many(rig: &Rig, numbers: Range<usize>) -> Vec<CardholderId> {
    let mut ids = Vec::new();
    for number in numbers {
        ids.push(enrol_one(rig, number).await);
    }
    ids
}

/// An update of the name alone.
pub async fn rename(rig: &Rig, user_id: &CardholderId, name: &str) -> Outcome {
    settle(rig, |keys| {
        let name = seal(keys, user_id, SealedColumn::CardholderName, name);
        let mut renamed = new_name(ISSUER, user_id, &name);
        renamed.profile.locale = None;
        renamed.seal_key = keys.seal_version();
        update(renamed)
    })
    .await
}

pub async fn directory_app(rig: &Rig) -> AppId {
    let key = ApiKey::generate(KeyKind::App).unwrap().stored(now());
    let audit = draft("directory.add-app");
    let added = rig.store.add_directory_app("shop", false, key, audit).await;
    added.unwrap()
}

/// A record of the users API with a name, metadata, and perhaps an e-mail address.
pub async fn record(rig: &Rig, app_id: AppId, number: usize, email: Option<&str>) {
    let keys = rig.vault.current();
    let klaim_id = format!("1753306133860_{number:05}");
    let seal = |column, text: &str| {
        let place = Place::of_app(app_id, &klaim_id, column);
        keys.seal(place, text.as_bytes()).unwrap().bytes
    };
    let index = email.map(|email| keys.app_email_index(app_id, email));
    let row = SealedRecord {
        app_id: app_id.0,
        klaim_id: klaim_id.clone(),
        user_id: number.to_string(),
        number: None,
        name: Some(seal(SealedColumn::DirectoryName, "David Renn")),
        first_name: None,
        last_name: None,
        username: None,
        email: email.map(|email| seal(SealedColumn::DirectoryEmail, email)),
        metadata: Some(seal(SealedColumn::DirectoryMetadata, "{}")),
        email_index_key: index.as_ref().map(|index| index.key_version),
        email_index: index.map(|index| index.bytes.to_vec()),
        seal_key: keys.seal_version(),
        created_at: now(),
        updated_at: now(),
    };
    let new = NewRecord {
        row,
        other_email_indexes: Vec::new(),
    };
    let change = DirectoryChange::Create(Box::new(new));
    let audit = draft("directory.create");
    let applied = rig
        .store
        .change_directory(change, keys.generation(), audit)
        .await;
    assert_eq!(applied, Ok(Applied::Done));
}

/// What is in every sealed column.
pub async fn opened(rig: &Rig) -> BTreeMap<RowKey, Vec<Option<String>>> {
    let keys = rig.vault.current();
    let mut all = BTreeMap::new();
    for table in SealedTable::ALL {
        let columns = table.columns();
        let mut after = RowKey::before_all(table);
        // A page is of one owner.
        let mut rows = Vec::new();
        loop {
            let page = rig.store.sealed_rows(&after, 10_000).await.unwrap();
            let Some(last) = page.last() else { break };
            after = last.key.clone();
            rows.extend(page);
        }
        for row in rows {
            let clear = columns.iter().zip(&row.sealed).map(|(column, sealed)| {
                let place = Place {
                    owner: IssuerId(row.key.owner).into(),
                    row_id: &row.key.id,
                    column: *column,
                    month: (table == SealedTable::TransactionMonths).then_some(row.key.part),
                };
                let clear = keys.open_sealed(place, sealed.as_ref()?).unwrap();
                Some(String::from_utf8(clear.to_vec()).unwrap())
            });
            all.insert(row.key.clone(), clear.collect());
        }
    }
    all
}

/// Nobody watches.
pub fn unwatched(_: Event<'_>) {}
