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

/// Begins it, and says how far it is.
async fn begin(store: &Store, import: ImportRun) -> Option<ImportMark> {
    let draft = AuditDraft::local("transactions.import-begin");
    store.begin_import(import, draft).await.unwrap()
}

/// Enters nothing, and says how far it is by now.
async fn save(store: &Store, import: ImportRun, position: i64) -> Result<(), ImportError> {
    let settle = move || Ok(mark(position));
    // No vault has made data keys here, so their generation is the first one.
    store.import_batch(import, 0, Vec::new(), settle).await
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
    assert_eq!(begin(&store, run("a")).await, None);
    assert_eq!(begin(&store, run("a")).await, None);
    for position in [10, 20] {
        save(&store, run("a"), position).await.unwrap();
    }
    let found = begin(&store, run("b")).await;
    assert_eq!(found, Some(mark(20)));
    let other = ImportRun {
        key: [8; 32],
        ..run("b")
    };
    assert_eq!(begin(&store, other).await, None);
    let draft = AuditDraft::local("transactions.import");
    store.end_import(run("b"), draft).await.unwrap();
    assert_eq!(entries(&database), 1);
    assert_eq!(begin(&store, run("c")).await, None);
}

async fn another_process_takes_an_import_over(backend: Backend) {
    let database = TestDatabase::new(backend);
    let store = Store::open(&database.url(), 2);
    begin(&store, run("a")).await;
    save(&store, run("a"), 10).await.unwrap();
    begin(&store, run("b")).await;
    let late = save(&store, run("a"), 30).await;
    assert_eq!(late, Err(ImportError::TakenOver));
    let draft = AuditDraft::local("transactions.import");
    let ended = store.end_import(run("a"), draft).await;
    assert_eq!(ended, Err(ImportError::TakenOver));
    assert_eq!(entries(&database), 0);
    assert_eq!(begin(&store, run("c")).await, Some(mark(10)));
}

async fn an_import_that_nobody_goes_on_with_is_forgotten(backend: Backend) {
    let database = TestDatabase::new(backend);
    let store = Store::open(&database.url(), 2);
    begin(&store, run("a")).await;
    save(&store, run("a"), 10).await.unwrap();
    database.execute("UPDATE transaction_imports SET updated_at = updated_at - 7689600000000");
    assert_eq!(begin(&store, run("b")).await, Some(mark(10)));
    save(&store, run("b"), 20).await.unwrap();
    database.execute("UPDATE transaction_imports SET updated_at = updated_at - 7862400000000");
    assert_eq!(begin(&store, run("c")).await, None);
}
