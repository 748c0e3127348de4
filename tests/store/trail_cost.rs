//! What reading the trail costs: statements, counted where Diesel sends them.

use crate::fixture::draft;
use crate::on_both;
use crate::support::{Backend, TestDatabase};
use diesel::connection::{Instrumentation, InstrumentationEvent, set_default_instrumentation};
use issuer_gateway::audit::export::{self, Filter};
use issuer_gateway::store::Store;
use issuer_gateway::store::audit::AuditDraft;
use std::collections::HashMap;
use std::sync::{Mutex, Once};

on_both!(many_chains_cost_no_more_statements_than_few);

/// Statements by the URL of the connection: other tests run meanwhile, each on a database of its
/// own.
static STATEMENTS: Mutex<Option<HashMap<String, usize>>> = Mutex::new(None);

/// Counts for one connection.
#[derive(Default)]
struct Counter(String);

impl Instrumentation for Counter {
    fn on_connection_event(&mut self, event: InstrumentationEvent<'_>) {
        match event {
            InstrumentationEvent::StartEstablishConnection { url, .. } => self.0 = url.to_owned(),
            InstrumentationEvent::StartQuery { .. } => {
                let mut all = STATEMENTS.lock().unwrap();
                *all.get_or_insert_default()
                    .entry(self.0.clone())
                    .or_default() += 1;
            }
            _ => {}
        }
    }
}

/// Statements that were sent to this database so far.
fn statements(database: &TestDatabase) -> usize {
    let name = match database.backend {
        Backend::Sqlite => database.dir().display().to_string(),
        Backend::Postgres => database.serving_text(),
    };
    let all = STATEMENTS.lock().unwrap();
    let all = all.iter().flatten();
    all.filter(|(url, _)| url.contains(&name))
        .map(|(_, count)| count)
        .sum()
}

async fn many_chains_cost_no_more_statements_than_few(backend: Backend) {
    static COUNTING: Once = Once::new();
    COUNTING.call_once(|| {
        set_default_instrumentation(|| Some(Box::new(Counter::default()))).unwrap();
    });
    let database = TestDatabase::new(backend);
    let store = Store::open(&database.url(), 1);
    let mut costs = Vec::new();
    for chains in [3, 300] {
        for _ in 0..chains {
            // A process that starts, acts, and is gone.
            let process = Store::open(&database.url(), 1);
            process.record(draft("act")).await.unwrap();
        }
        store
            .record_and_anchor(vec![AuditDraft::local("begin")])
            .await
            .unwrap();
        let before = statements(&database);
        assert!(before > chains, "they are counted");
        let entries = crate::trail::verify(&store).await.unwrap();
        let verified = statements(&database);
        let exported = export::export(&store, &Filter::default(), &mut Vec::new())
            .await
            .unwrap();
        assert_eq!(exported, entries);
        assert!(entries >= chains as u64);
        costs.push((verified - before, statements(&database) - verified));
    }
    assert_eq!(costs[0], costs[1], "3 and 303 chains");
    assert!(costs[0].0 <= 10, "{costs:?}");
}
