//! A database that comes back without what it had confirmed: an asynchronous failover.

use crate::fixture::{ISSUER, Rig, enrol};
use crate::on_both;
use crate::support::{Backend, TestDatabase};
use crate::trail::no_purges;
use issuer_gateway::audit::verify::{self, Event};
use issuer_gateway::store::audit::{AuditDraft, Gap};
use issuer_gateway::store::{Outcome, Store};

on_both!(
    a_loss_is_counted_declared_and_not_called_tampering,
    a_loss_of_everything_is_declared,
    a_change_after_a_loss_is_refused_once
);

/// Takes back the last `entries` of the chain that has the most of `action`, as a standby that
/// lagged behind does not have them.
fn lose(database: &TestDatabase, action: &str, entries: i64) {
    let chain = database
        .texts(&format!(
            "SELECT chain AS t FROM audit_entries WHERE action = '{action}' ORDER BY seq DESC LIMIT 1"
        ))
        .remove(0);
    database.execute(&format!(
        "DELETE FROM audit_entries WHERE chain = '{chain}' AND seq > \
         (SELECT max(seq) - {entries} FROM audit_entries WHERE chain = '{chain}'); \
         UPDATE audit_heads SET seq = seq - {entries}, hash = (SELECT hash FROM audit_entries \
         WHERE chain = '{chain}' ORDER BY seq DESC LIMIT 1) \
         WHERE chain = '{chain}' AND EXISTS (SELECT 1 FROM audit_entries WHERE chain = '{chain}'); \
         DELETE FROM audit_heads WHERE chain = '{chain}' \
         AND NOT EXISTS (SELECT 1 FROM audit_entries WHERE chain = '{chain}')"
    ));
}

async fn gaps(store: &Store) -> Vec<Gap> {
    let mut gaps = Vec::new();
    let mut observer = |event: Event<'_>| match event {
        Event::Broken { chain, broken } => panic!("{chain}: {broken}"),
        Event::Gap { gap, .. } => gaps.push(gap),
        _ => {}
    };
    let summary = verify::verify(store, &no_purges(), &mut observer)
        .await
        .unwrap();
    assert_eq!(summary.broken, 0);
    gaps
}

async fn a_loss_is_counted_declared_and_not_called_tampering(backend: Backend) {
    let database = TestDatabase::new(backend);
    let rig = Rig::new(&database).await;
    let writer = issuer_gateway::store::Writer::start(
        &database.url(),
        1,
        100,
        issuer_gateway::queue::Backlog::default(),
    )
    .unwrap();
    let enrolled = async |n: u32| {
        let user = rig.user(ISSUER, &format!("53440300000000{n:02}"));
        assert_eq!(writer.commit(enrol(user)).await, Ok(Outcome::Done));
    };
    for n in 0..10 {
        enrolled(n).await;
    }
    assert_eq!(writer.health().lost_entries, 0);
    lose(&database, "user.enrol", 3);
    for n in 10..15 {
        enrolled(n).await;
    }
    assert_eq!(writer.health().lost_entries, 3);
    let gaps = gaps(&rig.store).await;
    assert_eq!(gaps.len(), 1);
    assert_eq!((gaps[0].confirmed.0, gaps[0].found.0), (10, 7));
    assert!(gaps[0].covers(&gaps[0].chain, 8) && !gaps[0].covers(&gaps[0].chain, 7));
}

async fn a_loss_of_everything_is_declared(backend: Backend) {
    let database = TestDatabase::new(backend);
    let rig = Rig::new(&database).await;
    for n in 0..3 {
        let user = rig.user(ISSUER, &format!("53440300000000{n:02}"));
        assert_eq!(rig.writer.commit(enrol(user)).await, Ok(Outcome::Done));
    }
    database.execute("DELETE FROM audit_entries WHERE action = 'user.enrol'; DELETE FROM audit_heads WHERE chain NOT IN (SELECT chain FROM audit_entries)");
    for n in 3..9 {
        let user = rig.user(ISSUER, &format!("53440300000000{n:02}"));
        assert_eq!(rig.writer.commit(enrol(user)).await, Ok(Outcome::Done));
    }
    let gaps = gaps(&rig.store).await;
    assert!(!gaps.is_empty());
    assert!(gaps.iter().all(|gap| gap.found == (0, Vec::new())));
}

async fn a_change_after_a_loss_is_refused_once(backend: Backend) {
    let database = TestDatabase::new(backend);
    let store = Store::open(&database.url(), 2);
    for _ in 0..5 {
        store.record(AuditDraft::local("test")).await.unwrap();
    }
    lose(&database, "test", 2);
    let refused = store.record(AuditDraft::local("test")).await.unwrap_err();
    assert_eq!(refused.reason(), "database-chain-lost");
    assert!(refused.is_recoverable());
    store.record(AuditDraft::local("test")).await.unwrap();
    assert_eq!(store.lost_entries(), 2);
    let gaps = gaps(&store).await;
    assert_eq!(gaps.len(), 1);
    assert_eq!(gaps[0].lost(), 2);
}
