//! What reading costs: statements, counted where Diesel sends them.

use crate::fixture::{ISSUER, Rig, draft};
use crate::on_both;
use crate::passes::months::post;
use crate::passes::rows::enrol_many;
use crate::support::{Backend, TestDatabase, pool_mode};
use issuer_gateway::audit::export::{self, Filter};
use issuer_gateway::store::Store;
use issuer_gateway::store::audit::AuditDraft;
use issuer_gateway::store::url::PoolMode;

on_both!(many_chains_cost_no_more_statements_than_few);
on_both!(a_page_of_the_web_view_costs_four_statements);

async fn a_page_of_the_web_view_costs_four_statements(backend: Backend) {
    let database = TestDatabase::new(backend);
    let rig = Rig::new(&database).await;
    let ids = enrol_many(&rig, 0..1).await;
    // The second time there is a ledger.
    post(&rig, &ids[0], &[24_301, 24_302]).await;
    post(&rig, &ids[0], &[24_302]).await;
    let store = Store::open(&database.url(), 1);
    let page = async || {
        let visitor = store.visitor(ISSUER, &ids[0]).await.unwrap();
        assert!(visitor.is_some());
        let stored = store.transactions_of(ISSUER, &ids[0], 0).await.unwrap();
        assert_eq!(stored.unwrap().1.len(), 2);
    };
    // The first opens the connection.
    page().await;
    let before = store.statements().count();
    page().await;
    let cost = store.statements().count() - before;
    match pool_mode() {
        PoolMode::Session => assert_eq!(cost, 4),
        // Each of the two reads is a transaction with a limit on its statements.
        PoolMode::Transaction => assert!(cost <= 12, "{cost}"),
    }
}

async fn many_chains_cost_no_more_statements_than_few(backend: Backend) {
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
        let before = store.statements().count();
        assert!(before > 0, "they are counted");
        let entries = crate::trail::verify(&store).await.unwrap();
        let verified = store.statements().count();
        let exported = export::export(&store, &Filter::default(), &mut Vec::new())
            .await
            .unwrap();
        assert_eq!(exported, entries);
        assert!(entries >= chains as u64);
        costs.push((verified - before, store.statements().count() - verified));
    }
    assert_eq!(costs[0], costs[1], "3 and 303 chains");
    let most = match pool_mode() {
        PoolMode::Session => 10,
        // Each read is a transaction with a limit on its statements.
        PoolMode::Transaction => 30,
    };
    assert!((1..=most).contains(&costs[0].0), "{costs:?}");
}
