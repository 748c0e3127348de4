//! The audit trail holds, and old nonces go.

use crate::fixture::{ISSUER, Rig, draft, enrol, nonce, record, writer};
use crate::on_both;
use crate::support::{Backend, TestDatabase};
use futures_util::future::join_all;
use issuer_gateway::audit::purged::PurgeKeys;
use issuer_gateway::audit::verify::{self, Event};
use issuer_gateway::store::{Outcome, Store, now};

on_both!(
    every_chain_verifies,
    an_edited_removed_or_reordered_entry_is_found,
    expired_nonces_are_purged,
);

/// For trails of which nothing was purged: no key is needed.
pub fn no_purges() -> PurgeKeys<'static> {
    PurgeKeys::later(|| Box::pin(async { anyhow::bail!("nothing was purged") }))
}

/// The number of entries, or where the trail breaks.
pub async fn verify(store: &Store) -> Result<u64, String> {
    let mut broken = Vec::new();
    let mut observer = |event: Event<'_>| {
        if let Event::Broken { broken: found, .. } = event {
            broken.push(found.to_string());
        }
    };
    let summary = verify::verify(store, &no_purges(), &mut observer)
        .await
        .unwrap();
    match broken.is_empty() {
        true => Ok(summary.entries),
        false => Err(broken.join("; ")),
    }
}

async fn every_chain_verifies(backend: Backend) {
    let database = TestDatabase::new(backend);
    let rig = Rig::new(&database).await;
    let second = writer(&database);
    let outcomes = join_all((0..60).map(|number| {
        let writer = if number % 2 == 0 {
            &rig.writer
        } else {
            &second
        };
        writer.commit(enrol(
            rig.user(ISSUER, &format!("53440300000000{:02}", number % 40)),
        ))
    }))
    .await;
    assert!(outcomes.iter().all(Result::is_ok), "{outcomes:?}");
    rig.store.record(draft("stop")).await.unwrap();
    rig.store
        .record(draft("start").refused("because"))
        .await
        .unwrap();
    let entries = database.number(
        "SELECT count(*) AS n FROM audit_entries WHERE action IN ('user.enrol', 'start', 'stop')",
    );
    assert_eq!(entries, 62);
    assert_eq!(
        verify(&rig.store).await,
        Ok(u64::try_from(database.count("audit_entries")).unwrap())
    );
    assert!(database.count("audit_heads") >= 2);
}

async fn an_edited_removed_or_reordered_entry_is_found(backend: Backend) {
    let tampering = [
        "UPDATE audit_entries SET outcome = 'accepted' WHERE seq = 3",
        "UPDATE audit_entries SET at = at + 1 WHERE seq = 3",
        "DELETE FROM audit_entries WHERE seq = 3",
        "DELETE FROM audit_entries WHERE seq = 1",
        "DELETE FROM audit_entries WHERE seq = 5",
        "UPDATE audit_entries SET seq = -1 WHERE seq = 2; UPDATE audit_entries SET seq = 2 WHERE seq = 3; \
         UPDATE audit_entries SET seq = 3 WHERE seq = -1",
    ];
    let database = TestDatabase::new(backend);
    let store = Store::open(&database.url(), 2);
    for number in 0..5 {
        store
            .record(draft("act").refused(&number.to_string()))
            .await
            .unwrap();
    }
    // One entry for each migration, in a chain of their own.
    let all = u64::try_from(database.count("audit_entries")).unwrap();
    assert_eq!(verify(&store).await, Ok(all));
    database.execute("CREATE TABLE kept AS SELECT * FROM audit_entries");
    for sql in tampering {
        database.execute(sql);
        assert!(verify(&store).await.is_err(), "{sql}");
        database.execute("DELETE FROM audit_entries; INSERT INTO audit_entries SELECT * FROM kept");
        assert_eq!(verify(&store).await, Ok(all));
    }
}

async fn expired_nonces_are_purged(backend: Backend) {
    let database = TestDatabase::new(backend);
    let rig = Rig::new(&database).await;
    let at = now();
    for (value, expires_at) in [
        ("old", at - 61_000_000),
        ("older", at - 70_000_000),
        ("kept", at - 10_000_000),
        ("new", at + 10_000_000),
    ] {
        let mut commit = record(ISSUER, value);
        commit.nonce =
            nonce(ISSUER, value).map(|n| issuer_gateway::store::writer::Nonce { expires_at, ..n });
        assert_eq!(rig.writer.commit(commit).await, Ok(Outcome::Done));
    }
    assert_eq!(rig.store.purge_nonces(60_000_000).await, Ok(2));
    assert_eq!(rig.store.purge_nonces(60_000_000).await, Ok(0));
    assert_eq!(
        rig.writer.commit(record(ISSUER, "new")).await,
        Ok(Outcome::Replayed)
    );
    assert_eq!(
        rig.writer.commit(record(ISSUER, "old")).await,
        Ok(Outcome::Done)
    );
}
