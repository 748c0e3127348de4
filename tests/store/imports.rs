//! An import that was killed goes on where it was, and one process at a time works on it.

use crate::on_both;
use crate::support::{Backend, TestDatabase};
use issuer_gateway::store::Store;
use issuer_gateway::store::audit::AuditDraft;
use issuer_gateway::store::imports::{ImportError, ImportMark, ImportRun};

on_both!(
    an_import_goes_on_where_it_was,
    another_process_takes_an_import_over,
    an_import_that_nobody_goes_on_with_is_forgotten,
);

fn entries(database: &TestDatabase) -> i64 {
    database.number("SELECT count(*) AS n FROM audit_entries WHERE action = 'transactions.import'")
}

fn run(name: &str) -> ImportRun {
    ImportRun {
        key: [7; 32],
        run: name.to_owned(),
    }
}

fn mark(position: i64) -> ImportMark {
    ImportMark {
        position,
        record: position / 10,
        digest: vec![9; 32],
        counts: format!("{{\"stored\":{position}}}"),
        rejects: 3,
    }
}

async fn an_import_goes_on_where_it_was(backend: Backend) {
    let database = TestDatabase::new(backend);
    let store = Store::open(&database.url(), 2);
    assert_eq!(store.begin_import(run("a")).await.unwrap(), None);
    assert_eq!(store.begin_import(run("a")).await.unwrap(), None);
    for position in [10, 20] {
        store.save_import(run("a"), mark(position)).await.unwrap();
    }
    let found = store.begin_import(run("b")).await.unwrap();
    assert_eq!(found, Some(mark(20)));
    let other = ImportRun {
        key: [8; 32],
        ..run("b")
    };
    assert_eq!(store.begin_import(other).await.unwrap(), None);
    let draft = AuditDraft::local("transactions.import");
    store.end_import(run("b"), draft).await.unwrap();
    assert_eq!(entries(&database), 1);
    assert_eq!(store.begin_import(run("c")).await.unwrap(), None);
}

async fn another_process_takes_an_import_over(backend: Backend) {
    let database = TestDatabase::new(backend);
    let store = Store::open(&database.url(), 2);
    store.begin_import(run("a")).await.unwrap();
    store.save_import(run("a"), mark(10)).await.unwrap();
    store.begin_import(run("b")).await.unwrap();
    let late = store.save_import(run("a"), mark(30)).await;
    assert_eq!(late, Err(ImportError::TakenOver));
    let draft = AuditDraft::local("transactions.import");
    let ended = store.end_import(run("a"), draft).await;
    assert_eq!(ended, Err(ImportError::TakenOver));
    assert_eq!(entries(&database), 0);
    assert_eq!(store.begin_import(run("c")).await.unwrap(), Some(mark(10)));
}

async fn an_import_that_nobody_goes_on_with_is_forgotten(backend: Backend) {
    let database = TestDatabase::new(backend);
    let store = Store::open(&database.url(), 2);
    store.begin_import(run("a")).await.unwrap();
    store.save_import(run("a"), mark(10)).await.unwrap();
    database.execute("UPDATE transaction_imports SET updated_at = updated_at - 7689600000000");
    assert_eq!(store.begin_import(run("b")).await.unwrap(), Some(mark(10)));
    store.save_import(run("b"), mark(20)).await.unwrap();
    database.execute("UPDATE transaction_imports SET updated_at = updated_at - 7862400000000");
    assert_eq!(store.begin_import(run("c")).await.unwrap(), None);
}
