//! The passes over cardholders' transactions: rows that have a month in their key, and no blind
//! index. Erasure takes them with the cardholder.

use super::rows::{enrol_many, settle};
use super::{assert_verified, reindex, reseal, verify_telling, versions};
use crate::fixture::{ISSUER, Rig, draft, fresh_nonce};
use crate::on_both;
use crate::support::{Backend, TestDatabase};
use diesel::connection::SimpleConnection;
use diesel::{Connection, PgConnection};
use issuer_gateway::ids::{CardholderId, IssuerId};
use issuer_gateway::rotation::primary::{begin_index_rotation, rotate_seal};
use issuer_gateway::store::cardholders::CardholderStatus;
use issuer_gateway::store::retained::RetainedRow;
use issuer_gateway::store::transactions::{
    Book, BookError, Entries, Holder, HolderKey, LedgerRow, MonthRow, OpenBook, Posting, Rewritten,
};
use issuer_gateway::store::writer::{Act, Commit};
use issuer_gateway::store::{Outcome, StoreError, now};
use issuer_gateway::vault::{Place, SealedColumn, VaultKeys};
use std::sync::Arc;

on_both!(
    months_come_under_the_new_key,
    kept_transactions_come_under_the_new_key,
    a_month_in_another_ones_row_is_named,
    months_go_with_their_cardholder,
);

/// Writes a ledger and these months of one cardholder, whatever there is, and transactions of
/// these ids, of cards that are not enrolled.
struct Fixed {
    keys: Arc<VaultKeys>,
    months: Vec<i32>,
    kept: Vec<String>,
}

struct OpenFixed {
    ledger: (LedgerRow, i32),
    months: Vec<(MonthRow, i32)>,
    kept: Vec<RetainedRow>,
}

impl Book for Fixed {
    fn open(
        &self,
        holders: &[Option<Holder>],
        _: Vec<LedgerRow>,
    ) -> Result<Box<dyn OpenBook>, BookError> {
        let [Some(holder)] = holders else {
            return Err(BookError("nobody"));
        };
        let user_id = holder.user_id.as_str();
        let place = Place::of_issuer(ISSUER, user_id, SealedColumn::TransactionLedger);
        let ledger = self.keys.seal(place, b"ledger").unwrap();
        let month = |month: &i32| {
            let place = Place::of_month(ISSUER, user_id, *month);
            let sealed = self.keys.seal(place, month.to_string().as_bytes()).unwrap();
            let row = MonthRow {
                user_id: user_id.to_owned(),
                month: *month,
                content: sealed.bytes,
            };
            (row, sealed.key_version)
        };
        let row = LedgerRow {
            user_id: user_id.to_owned(),
            content: ledger.bytes,
        };
        let kept = |id: &String| {
            let place = Place::of_issuer(ISSUER, id, SealedColumn::RetainedTransaction);
            let sealed = self.keys.seal(place, id.as_bytes()).unwrap();
            RetainedRow {
                retained_id: id.clone(),
                pan_index: vec![7; 32],
                pan_index_key: 1,
                content: sealed.bytes,
                seal_key: sealed.key_version,
            }
        };
        Ok(Box::new(OpenFixed {
            ledger: (row, ledger.key_version),
            months: self.months.iter().map(month).collect(),
            kept: self.kept.iter().map(kept).collect(),
        }))
    }
}

impl OpenBook for OpenFixed {
    fn months(&self) -> Vec<(String, i32)> {
        let key = |(row, _): &(MonthRow, i32)| (row.user_id.clone(), row.month);
        self.months.iter().map(key).collect()
    }

    fn close(self: Box<Self>, _: Vec<MonthRow>) -> Result<Entries, BookError> {
        Ok(Entries {
            ledgers: vec![self.ledger],
            months: self.months,
            at: now(),
            retained: self.kept,
        })
    }
}

/// A cardholder's ledger and months, sealed, through the writer.
pub async fn post(rig: &Rig, user_id: &CardholderId, months: &[i32]) {
    post_and_keep(rig, user_id, months, &[]).await;
}

/// The same, and transactions of these ids, of cards that are not enrolled.
pub async fn post_and_keep(rig: &Rig, user_id: &CardholderId, months: &[i32], kept: &[String]) {
    let posting = |_: &VaultKeys| Commit {
        nonce: fresh_nonce(ISSUER),
        act: Act::Post(Box::new(Posting {
            issuer_id: ISSUER,
            epoch: 1,
            holders: vec![HolderKey::Id(user_id.clone())],
            items: 1,
            book: Arc::new(Fixed {
                keys: rig.vault.current(),
                months: months.to_vec(),
                kept: kept.to_vec(),
            }),
        })),
        audit: draft("transactions.post"),
        opening: None,
        sealed_under: None,
    };
    assert_eq!(settle(rig, posting).await, Outcome::Done);
}

/// Writes a cardholder's ledger anew, and one month.
pub async fn rewrite(
    rig: &Rig,
    issuer_id: IssuerId,
    user_id: &CardholderId,
) -> Result<Rewritten, StoreError> {
    let keys = rig.vault.current();
    let generation = keys.generation();
    let book = Arc::new(Rewriting {
        keys,
        user_id: user_id.clone(),
    });
    let user_ids = vec![user_id.as_str().to_owned()];
    let store = &rig.store;
    store
        .rewrite_ledgers(issuer_id, user_ids, generation, book)
        .await
}

/// Gets ledgers instead of cardholders.
struct Rewriting {
    keys: Arc<VaultKeys>,
    user_id: CardholderId,
}

impl Book for Rewriting {
    fn open(
        &self,
        _: &[Option<Holder>],
        ledgers: Vec<LedgerRow>,
    ) -> Result<Box<dyn OpenBook>, BookError> {
        assert_eq!(ledgers.len(), 1);
        let holder = Holder {
            user_id: self.user_id.clone(),
            enrolled_at: 1,
        };
        let fixed = Fixed {
            keys: self.keys.clone(),
            months: vec![24_302],
            kept: Vec::new(),
        };
        fixed.open(&[Some(holder)], ledgers)
    }
}

/// Each row's month and seal key, in order.
fn stored(database: &TestDatabase, table: &str, month: &str) -> Vec<String> {
    let sql =
        format!("SELECT {month} || ' under ' || seal_key AS t FROM {table} ORDER BY {month}, 1");
    database.texts(&sql)
}

async fn months_come_under_the_new_key(backend: Backend) {
    let database = TestDatabase::new(backend);
    let rig = Rig::new(&database).await;
    let ids = enrol_many(&rig, 0..2).await;
    post(&rig, &ids[0], &[24_301, 24_302, 24_303]).await;
    rotate_seal(&rig.store, &rig.vault).await.unwrap();
    // What is written now is under the new key.
    post(&rig, &ids[1], &[24_303]).await;
    post(&rig, &ids[0], &[24_302]).await;
    assert_eq!(assert_verified(&rig).await, 10);
    let months = |of: [i32; 4]| {
        let months = [24_301, 24_302, 24_303, 24_303].iter().zip(of);
        let mut all: Vec<_> = months
            .map(|(month, key)| format!("{month} under {key}"))
            .collect();
        all.sort();
        all
    };
    assert_eq!(
        stored(&database, "transaction_months", "month"),
        months([1, 2, 1, 2])
    );

    // A limit of three rows ends a batch between two months of one cardholder.
    let passed = reseal(&rig).await;
    assert_eq!((passed.rows, passed.retired), (4 + 2, vec![1]));
    assert_eq!(versions(&rig.store).await, (vec![2], vec![1]));
    assert_eq!(
        stored(&database, "transaction_months", "month"),
        months([2, 2, 2, 2])
    );
    assert_eq!(database.count("transaction_ledgers WHERE seal_key = 2"), 2);
    assert_eq!(assert_verified(&rig).await, 10);

    // A blind index has none of them.
    begin_index_rotation(&rig.store, &rig.vault).await.unwrap();
    assert_eq!(reindex(&rig).await.rows, 4);
    assert_eq!(assert_verified(&rig).await, 10);
}

async fn kept_transactions_come_under_the_new_key(backend: Backend) {
    let database = TestDatabase::new(backend);
    let rig = Rig::new(&database).await;
    let ids = enrol_many(&rig, 0..1).await;
    let kept: Vec<String> = (0..4).map(|n| format!("{n:032x}")).collect();
    post_and_keep(&rig, &ids[0], &[24_301], &kept).await;
    assert_eq!(assert_verified(&rig).await, 2 + 1 + 1 + 4);
    rotate_seal(&rig.store, &rig.vault).await.unwrap();
    assert_eq!(reseal(&rig).await.retired, vec![1]);
    assert_eq!(
        database.count("retained_transactions WHERE seal_key = 2"),
        4
    );
    assert_eq!(assert_verified(&rig).await, 8);

    // The first has the content of the last.
    database.execute(&format!(
        "UPDATE retained_transactions SET content = (SELECT content FROM retained_transactions \
         WHERE retained_id = '{}') WHERE retained_id = '{}'",
        kept[3], kept[0]
    ));
    let (verified, misfits) = verify_telling(&rig).await;
    assert_eq!((verified.rows, verified.misfits), (8, 1));
    assert!(misfits[0].contains(&kept[0]), "{misfits:?}");
    assert!(misfits[0].contains("retained_transactions"), "{misfits:?}");
}

async fn a_month_in_another_ones_row_is_named(backend: Backend) {
    let database = TestDatabase::new(backend);
    let rig = Rig::new(&database).await;
    let ids = enrol_many(&rig, 0..1).await;
    post(&rig, &ids[0], &[24_301, 24_302]).await;
    database.execute(
        "UPDATE transaction_months SET content = \
         (SELECT content FROM transaction_months WHERE month = 24301) WHERE month = 24302",
    );
    let (verified, misfits) = verify_telling(&rig).await;
    assert_eq!((verified.rows, verified.misfits), (5, 1));
    let named = format!(
        "transaction_months: issuer 1, user {}, month 24302: transaction_months.content: \
         a sealed value does not open in its place",
        ids[0].as_str()
    );
    assert_eq!(misfits, [named]);
}

async fn months_go_with_their_cardholder(backend: Backend) {
    let database = TestDatabase::new(backend);
    let rig = Rig::new(&database).await;
    let ids = enrol_many(&rig, 0..3).await;
    for id in &ids[..2] {
        post(&rig, id, &[24_301, 24_302]).await;
    }
    for id in [&ids[0], &ids[2]] {
        let (status, audit) = (CardholderStatus::Terminating, draft("user.set-status"));
        let set = rig.store.set_user_status(ISSUER, id, status, audit).await;
        assert_eq!(set, Ok(true));
    }
    if backend == Backend::Postgres {
        // Somebody is at work on the ledger: the erasure comes back later, and does the others.
        let mut conn = PgConnection::establish(&database.url_text).unwrap();
        let id = ids[0].as_str();
        conn.batch_execute(&format!(
            "BEGIN; SELECT 1 FROM transaction_ledgers WHERE user_id = '{id}' FOR UPDATE"
        ))
        .unwrap();
        assert_eq!(rig.store.erase_users(now()).await, Ok(1));
        assert_eq!(rig.store.erase_users(now()).await, Ok(0));
        assert_eq!(database.count("transaction_ledgers"), 2);
        conn.batch_execute("ROLLBACK").unwrap();
    }
    let left = if backend == Backend::Postgres { 1 } else { 2 };
    assert_eq!(rig.store.erase_users(now()).await, Ok(left));
    let of_the_other = format!("WHERE user_id = '{}'", ids[1].as_str());
    for (table, rows) in [("transaction_ledgers", 1), ("transaction_months", 2)] {
        assert_eq!(database.count(table), rows);
        assert_eq!(database.count(&format!("{table} {of_the_other}")), rows);
    }
    assert_eq!(assert_verified(&rig).await, 3 + 1 + 1 + 2);
}
