//! Whoever takes entries away, or writes an anchor, is found out; and a purge takes no traces away.

use super::{
    AGES, Old, assert_broken, assert_whole, first_kept, gone, limits, older_than, purge_with,
    verify,
};
use crate::fixture::{Rig, draft};
use crate::on_both;
use crate::support::{Backend, TestDatabase};
use issuer_gateway::audit::purge;
use issuer_gateway::store::audit::AuditDraft;
use issuer_gateway::store::audit::purges::{Batch, BatchDone};
use issuer_gateway::store::{Store, now};

on_both!(
    every_kind_of_tampering_is_found,
    an_anchor_does_not_fit_another_chain,
    an_older_anchor_does_not_fit,
    who_vouched_and_goes_is_replaced,
    a_chain_that_does_not_hold_stays,
    a_forged_purge_hides_no_cut_from_the_process_that_wrote,
    a_declared_gap_that_was_a_purge_is_none,
);

async fn every_kind_of_tampering_is_found(backend: Backend) {
    let database = TestDatabase::new(backend);
    let rig = Rig::new(&database).await;
    let old = Old::new(&database, &AGES).await;
    purge_with(&rig.store, &rig.vault, &older_than(365)).await;
    database.execute(
        "CREATE TABLE kept AS SELECT * FROM audit_entries; \
         CREATE TABLE kept_heads AS SELECT * FROM audit_heads; \
         CREATE TABLE kept_purges AS SELECT * FROM audit_purges",
    );
    let other = match backend {
        Backend::Sqlite => "x'0707'",
        Backend::Postgres => "'\\x0707'",
    };
    let mac = format!("UPDATE audit_purges SET mac = {other} WHERE chain = CHAIN");
    let hash = format!("UPDATE audit_purges SET hash = {other} WHERE chain = CHAIN");
    let cases = [
        (
            "DELETE FROM audit_purges WHERE chain = CHAIN",
            "entry 1 is missing: the chain begins with entry 11, and no keyed anchor vouches",
        ),
        (
            "UPDATE audit_purges SET seq = 9 WHERE chain = CHAIN",
            "the keyed anchor of its purge up to entry 9 is forged",
        ),
        (
            "UPDATE audit_purges SET seq = 12 WHERE chain = CHAIN; \
             DELETE FROM audit_entries WHERE chain = CHAIN AND seq < 13",
            "the keyed anchor of its purge up to entry 12 is forged",
        ),
        (
            hash.as_str(),
            "the keyed anchor of its purge up to entry 10 is forged",
        ),
        (
            mac.as_str(),
            "the keyed anchor of its purge up to entry 10 is forged",
        ),
        (
            "UPDATE audit_purges SET last_at = last_at + 1 WHERE chain = CHAIN",
            "the keyed anchor of its purge up to entry 10 is forged",
        ),
        (
            "UPDATE audit_purges SET seal_key = 9 WHERE chain = CHAIN",
            "cannot be checked: there is no data key seal 9",
        ),
        (
            "DELETE FROM audit_entries WHERE chain = CHAIN AND seq = 11",
            "begins with entry 12, but was purged up to entry 10: entries behind the purge were removed",
        ),
        (
            "DELETE FROM audit_entries WHERE chain = CHAIN AND seq = 12",
            "entry 12 is missing",
        ),
        (
            "UPDATE audit_entries SET seq = 10 WHERE chain = CHAIN AND seq = 11",
            "entry 10 is there, but the chain was purged up to entry 10: it was slipped in",
        ),
        (
            "UPDATE audit_entries SET previous_hash = hash WHERE chain = CHAIN AND seq = 11",
            "entry 11 does not follow entry 10, up to which the chain was purged",
        ),
        (
            "DELETE FROM audit_entries WHERE chain = CHAIN; DELETE FROM audit_heads WHERE chain = CHAIN",
            "was purged up to entry 10, but has no entry behind",
        ),
        (
            "DELETE FROM audit_entries WHERE chain = CHAIN AND seq = 15",
            "ends with entry 14, but its head records 15",
        ),
    ];
    for (sql, told) in cases {
        database.execute(&sql.replace("CHAIN", &format!("'{}'", old.chain)));
        assert_broken(&rig, &old.chain, told).await;
        database.execute(
            "DELETE FROM audit_entries; INSERT INTO audit_entries SELECT * FROM kept; \
             DELETE FROM audit_heads; INSERT INTO audit_heads SELECT * FROM kept_heads; \
             DELETE FROM audit_purges; INSERT INTO audit_purges SELECT * FROM kept_purges",
        );
        assert_whole(&rig).await;
    }
    // A node cannot be given another vault's keys instead.
    let stranger = TestDatabase::new(backend);
    let stranger = Rig::new(&stranger).await;
    let (_, broken) = verify(&rig.store, &stranger.vault).await;
    assert!(broken[0].1.contains("is forged"), "{broken:?}");
}

async fn an_anchor_does_not_fit_another_chain(backend: Backend) {
    let database = TestDatabase::new(backend);
    let rig = Rig::new(&database).await;
    let purged = Old::new(&database, &AGES).await;
    let victim = Old::new(&database, &[5; 15]).await;
    purge_with(&rig.store, &rig.vault, &older_than(365)).await;
    database.execute(&format!(
        "INSERT INTO audit_purges SELECT '{0}', seq, (SELECT hash FROM audit_entries \
         WHERE chain = '{0}' AND seq = 10), first_at, last_at, purged_at, seal_key, mac \
         FROM audit_purges WHERE chain = '{1}'; \
         DELETE FROM audit_entries WHERE chain = '{0}' AND seq <= 10",
        victim.chain, purged.chain
    ));
    let told = "the keyed anchor of its purge up to entry 10 is forged";
    assert_broken(&rig, &victim.chain, told).await;
}

async fn an_older_anchor_does_not_fit(backend: Backend) {
    let database = TestDatabase::new(backend);
    let rig = Rig::new(&database).await;
    let old = Old::new(&database, &AGES).await;
    purge_with(&rig.store, &rig.vault, &older_than(365)).await;
    database.execute("CREATE TABLE kept_purges AS SELECT * FROM audit_purges");
    purge_with(&rig.store, &rig.vault, &older_than(3)).await;
    assert_eq!(first_kept(&database, &old.chain), 14);
    database
        .execute("DELETE FROM audit_purges; INSERT INTO audit_purges SELECT * FROM kept_purges");
    let told = "begins with entry 14, but was purged up to entry 10: entries behind the purge were \
                removed, or its keyed anchor was moved back";
    assert_broken(&rig, &old.chain, told).await;
}

/// A chain whose end only a purged entry vouched for could be cut unnoticed.
async fn who_vouched_and_goes_is_replaced(backend: Backend) {
    let database = TestDatabase::new(backend);
    let rig = Rig::new(&database).await;
    let victim = Old::new(&database, &[5, 4, 3]).await;
    let voucher = Store::open(&database.url(), 2);
    voucher.anchor_unknown_chains().await.unwrap();
    voucher.record(draft("later")).await.unwrap();
    let chain = voucher.heads().all().remove(0).chain;
    let vouches = || {
        let by = "SELECT by_chain AS t FROM audit_anchors WHERE chain =";
        database
            .texts(&format!("{by} '{}'", victim.chain))
            .remove(0)
    };
    assert_eq!(vouches(), chain);
    let purged = purge_with(&rig.store, &rig.vault, &older_than(0)).await;
    assert!(purged.entries > 3, "{purged:?}");
    assert_ne!(vouches(), chain);
    assert_whole(&rig).await;
    let head = format!("WHERE chain = '{}'", victim.chain);
    database.execute(&format!(
        "DELETE FROM audit_entries {head}; DELETE FROM audit_heads {head}; \
         DELETE FROM audit_purges {head}; DELETE FROM audit_anchors {head}"
    ));
    let told = "entry 3 is not the one that chain";
    assert_broken(&rig, &victim.chain, told).await;
}

/// Somebody makes an entry look old, so that a purge would take it away.
async fn a_chain_that_does_not_hold_stays(backend: Backend) {
    let database = TestDatabase::new(backend);
    let rig = Rig::new(&database).await;
    let old = Old::new(&database, &AGES).await;
    database.execute(&format!(
        "UPDATE audit_entries SET at = 1 WHERE chain = '{}' AND seq = 11",
        old.chain
    ));
    let rule = older_than(365);
    let refused = purge::purge(&rig.store, &rig.vault, &rule, limits(100), &mut |_| {}).await;
    let refused = refused.unwrap_err();
    assert!(refused.is::<purge::BrokenChain>());
    let refused = refused.to_string();
    let told = format!("chain {}: entry 11 was edited", old.chain);
    assert_eq!(refused, told);
    assert_eq!(first_kept(&database, &old.chain), 1);
    assert_eq!(database.count("audit_purges"), 0);
    // Nor does one go on behind a forged anchor.
    let other = Old::new(&database, &[5; 6]).await;
    let batch = |limit, upto| Batch {
        chain: other.chain.clone(),
        upto,
        before: now(),
        limit,
        at: now(),
    };
    let keys = rig.vault.current();
    let done = rig
        .store
        .purge_audit_entries(batch(2, 5), keys.clone())
        .await;
    assert_eq!(done, gone(2));
    database.execute("UPDATE audit_purges SET purged_at = purged_at + 1");
    let done = rig.store.purge_audit_entries(batch(2, 5), keys).await;
    assert!(matches!(done, Ok(BatchDone::Broken(_))), "{done:?}");
    assert_eq!(first_kept(&database, &other.chain), 3);
}

/// Somebody cuts the chain of a running process, and says for a while that a purge took the rest.
async fn a_forged_purge_hides_no_cut_from_the_process_that_wrote(backend: Backend) {
    let database = TestDatabase::new(backend);
    let rig = Rig::new(&database).await;
    let old = Old::new(&database, &[5, 4, 3]).await;
    let chain = format!("chain = '{}'", old.chain);
    database.execute(&format!(
        "INSERT INTO audit_purges SELECT chain, seq, hash, at, at, at, 1, hash FROM audit_entries \
         WHERE {chain} AND seq = 3; \
         DELETE FROM audit_entries WHERE {chain} AND seq = 3; \
         UPDATE audit_heads SET seq = 2, hash = \
         (SELECT hash FROM audit_entries WHERE {chain} AND seq = 2) WHERE {chain}"
    ));
    let refused = old.store.record(draft("4")).await.unwrap_err();
    assert_eq!(refused.reason(), "database-chain-lost");
    for act in ["4", "5"] {
        old.store.record(draft(act)).await.unwrap();
    }
    database.execute("DELETE FROM audit_purges");
    old.store.record(draft("6")).await.unwrap();
    assert_eq!(
        database.count("audit_entries WHERE action = 'audit.gap'"),
        1
    );
    assert_eq!(assert_whole(&rig).await.gaps, 1);
}

/// A process that looked for its confirmed end while a purge took it, since the chain had gone on.
async fn a_declared_gap_that_was_a_purge_is_none(backend: Backend) {
    let database = TestDatabase::new(backend);
    let rig = Rig::new(&database).await;
    let old = Old::new(&database, &AGES).await;
    let hash = async |seq| {
        let hash = rig.store.audit_hash(&old.chain, seq).await;
        hex::encode(hash.unwrap().unwrap())
    };
    let declare = async |confirmed: (i64, &str), found: (i64, &str)| {
        let ((confirmed, one), (found, other)) = (confirmed, found);
        let declared = AuditDraft {
            subject: Some(old.chain.clone()),
            detail: Some(format!("confirmed={confirmed}:{one} found={found}:{other}")),
            ..draft("audit.gap")
        };
        rig.store.record(declared).await.unwrap();
    };
    let (ninth, tenth, end) = (hash(9).await, hash(10).await, hash(15).await);
    declare((10, &tenth), (15, &end)).await;
    // No purge took it so far.
    assert_eq!(assert_whole(&rig).await.gaps, 1);
    purge_with(&rig.store, &rig.vault, &older_than(365)).await;
    assert_eq!(assert_whole(&rig).await.gaps, 0);
    // It was another one, the chain had lost its end, or the end was not purged.
    declare((10, &ninth), (15, &end)).await;
    declare((10, &tenth), (9, &ninth)).await;
    declare((14, &ninth), (15, &end)).await;
    assert_eq!(assert_whole(&rig).await.gaps, 3);
}
