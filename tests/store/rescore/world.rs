//! An issuer with cardholders and their transactions, and two factor sets.

use crate::fixture::{Rig, declaration, draft, enrol};
use crate::support::{Backend, TestDatabase};
use chrono::{DateTime, NaiveDate, Utc};
use issuer_gateway::footprint::builtin::FILES;
use issuer_gateway::footprint::set::Mcc;
use issuer_gateway::footprint::{Country, Currency, Grams, Money, Month, SetId};
use issuer_gateway::footprints::{Footprints, SET_FILES, Scorers};
use issuer_gateway::ids::CardholderId;
use issuer_gateway::issuers::Issuer;
use issuer_gateway::issuers::registry::IssuerRegistry;
use issuer_gateway::store::factors::{FactorFile, SET};
use issuer_gateway::store::writer::Act;
use issuer_gateway::store::{Commit, Outcome};
use issuer_gateway::transactions::item::{Holder, Item, Kind, SourceId};
use issuer_gateway::transactions::post::{Batch, Posted};
use issuer_gateway::transactions::read::{self, CardholderMonths};
use issuer_gateway::transactions::rescore::{Rescored, Run, Target};
use issuer_gateway::vault::VaultError;
use std::sync::Arc;

pub(crate) const OWN: &str = "own-1";

/// An issuer with cardholders, and the set `own-1`, in which groceries are another basket.
pub(crate) struct World {
    pub(crate) database: TestDatabase,
    pub(crate) rig: Arc<Rig>,
    pub(crate) issuer: Arc<Issuer>,
    pub(crate) users: Vec<CardholderId>,
    pub(crate) now: DateTime<Utc>,
}

/// A file of the compiled-in set; groceries are scored as services of veterinarians.
pub(crate) fn own(name: &str) -> String {
    let file = FILES.iter().find(|(known, _)| *known == name);
    let (_, text) = file.unwrap();
    let lines = text.lines().map(|line| {
        if name == "mcc.csv" && line.starts_with("5411,") {
            "5411,5411,\"Grocery Stores, Supermarkets\",groceries,spend,541940=1,medium,"
        } else {
            line
        }
    });
    lines.map(|line| format!("{line}\n")).collect()
}

impl World {
    pub(crate) async fn of(backend: Backend, count: usize) -> Self {
        let database = TestDatabase::new(backend);
        let rig = Rig::new(&database).await;
        let mut declared = declaration("demo", &["5344"]);
        declared.time_zone = chrono_tz::Europe::Stockholm;
        let applied = rig
            .store
            .apply_issuers(vec![declared], draft("issuer.apply"));
        let id = applied.await.unwrap()[0].issuer_id;
        let mut users = Vec::new();
        for number in 0..count {
            let user = rig.user(id, &format!("5344{number:012}"));
            users.push(user.user_id.clone());
            rig.writer.commit(enrol(user)).await.unwrap();
        }
        let files = SET_FILES.map(|name| {
            let file = FactorFile {
                kind: SET.to_owned(),
                set_id: Some(OWN.to_owned()),
                file: name.to_owned(),
                checksum: name.to_owned(),
                row_count: 1,
                kept: 1,
            };
            (file, own(name))
        });
        let loaded = rig
            .store
            .load_factors(0, files.to_vec(), draft("factors.load"));
        assert!(loaded.await.unwrap());
        let registry = IssuerRegistry::load(&rig.store).await.unwrap();
        Self {
            database,
            issuer: registry.issuers()[0].clone(),
            rig: Arc::new(rig),
            users,
            now: Utc::now(),
        }
    }

    pub(crate) async fn scorers(&self) -> Arc<Scorers> {
        Footprints::load(&self.rig.store).await.unwrap().current()
    }

    /// A day of this or a former month.
    pub(crate) fn day(&self, months_ago: i32) -> NaiveDate {
        let month = Month::of(self.issuer.today(self.now)).plus(-months_ago);
        month.first_day().unwrap()
    }

    pub(crate) fn item(&self, user: usize, source: &str, euros: i64, months_ago: i32) -> Item {
        Item {
            source: SourceId::parse(source).unwrap(),
            holder: Holder::Id(self.users[user].clone()),
            mcc: Mcc::parse("5411").unwrap(),
            amount: Money::parse(&euros.to_string(), Currency::eur()).unwrap(),
            fallbacks: Vec::new(),
            date: self.day(months_ago),
            kind: Kind::Purchase,
            country: Country::from_alpha3("SWE"),
            merchant: None,
            brand: None,
            original: None,
            unscored: None,
        }
    }

    pub(crate) async fn post(&self, items: Vec<Item>) -> Vec<Posted> {
        let batch = Batch::new(self.issuer.clone(), self.scorers().await, items, self.now);
        let keys = self.rig.vault.current();
        let commit = Commit {
            nonce: None,
            act: Act::Post(Box::new(batch.posting(&keys))),
            audit: draft("transactions.post"),
            opening: None,
            sealed_under: Some(keys.generation()),
        };
        assert_eq!(self.rig.writer.commit(commit).await, Ok(Outcome::Done));
        batch.results()
    }

    /// Three purchases of everybody, one of them 11 and one 12 months ago.
    pub(crate) async fn purchases(&self) {
        for (number, _) in self.users.iter().enumerate() {
            let items = [(0, 10), (11, 20), (12, 40)]
                .map(|(ago, euros)| self.item(number, &format!("p-{number}-{ago}"), euros, ago));
            let posted = self.post(items.into()).await;
            assert!(
                posted
                    .iter()
                    .all(|posted| matches!(posted, Posted::Stored(_)))
            );
        }
    }

    pub(crate) async fn target(&self) -> Target {
        let scorers = self.scorers().await;
        let set = SetId::stored(OWN).unwrap();
        Target::Set(Arc::clone(scorers.get(&set).unwrap()))
    }

    pub(crate) async fn rescore(&self, target: &Target) -> Rescored {
        let run = Run {
            store: &self.rig.store,
            vault: &self.rig.vault,
            issuer: &self.issuer,
            target,
            per_second: None,
        };
        assert_eq!(
            run.count().await.unwrap(),
            self.database.count("transaction_ledgers") as u64
        );
        run.run(|_| {}).await.unwrap()
    }

    pub(crate) async fn months(&self, user: usize) -> CardholderMonths {
        months(&self.rig, &self.issuer, &self.users[user])
            .await
            .unwrap()
    }

    pub(crate) async fn set(&self, user: usize) -> String {
        self.months(user).await.ledger.set.to_string()
    }
}

pub(crate) async fn months(
    rig: &Rig,
    issuer: &Issuer,
    user: &CardholderId,
) -> Result<CardholderMonths, VaultError> {
    let first = Month::new(2000, 1).unwrap();
    let read = read::cardholder((&rig.store, &rig.vault), issuer.id, user, first);
    Ok(read.await?.unwrap())
}

/// Of the months up to so many ago.
pub(crate) fn total(months: &CardholderMonths, from: Month) -> Grams {
    let counted = months.months.range(from..);
    counted.fold(Grams::default(), |sum, (_, month)| {
        let sums = month.sums.total().unwrap();
        // The sums are those of the transactions.
        let mut again = Grams::default();
        for transaction in &month.transactions {
            again = again.checked_add(transaction.scored.sums().co2e).unwrap();
        }
        assert_eq!(sums.co2e, again);
        sum.checked_add(sums.co2e).unwrap()
    })
}
