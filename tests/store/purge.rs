//! Old entries of the audit trail go behind keyed anchors, and `audit verify` holds.

mod tampering;

use crate::fixture::{ISSUER, Rig, draft, enrol};
use crate::on_both;
use crate::support::{Backend, TestDatabase};
use issuer_gateway::audit::follow::{Follower, Missed};
use issuer_gateway::audit::purge::{self, Limits, Purged, Rule};
use issuer_gateway::audit::purged::PurgeKeys;
use issuer_gateway::audit::verify::{self, Event, Summary};
use issuer_gateway::rotation;
use issuer_gateway::rotation::primary::rotate_seal;
use issuer_gateway::store::audit::purges::{Batch, BatchDone};
use issuer_gateway::store::audit::{AuditDraft, AuditHead};
use issuer_gateway::store::{Store, StoreError, now};
use issuer_gateway::vault::Vault;
use std::collections::HashMap;
use std::num::NonZeroU32;

on_both!(
    a_purged_trail_is_whole_and_goes_on,
    a_dry_run_counts_and_deletes_nothing,
    only_what_was_exported_goes,
    a_purge_goes_on_where_it_was_ended,
    purges_run_at_once_beside_writers_and_checks,
    a_check_goes_on_behind_a_purge_that_overtakes_it,
    anchors_follow_the_data_keys,
    what_is_known_from_elsewhere_may_be_purged,
    the_end_of_a_chain_stays_whatever_is_asked,
    a_batch_vouches_for_few_chains_at_once,
    declared_gaps_that_go_are_counted,
    an_export_that_fails_has_said_what_it_never_had,
);

const DAY: i64 = 86_400_000_000;

/// A chain of its own with these entries, of days ago.
struct Old {
    store: Store,
    chain: String,
}

impl Old {
    async fn new(database: &TestDatabase, days_ago: &[i64]) -> Self {
        let store = Store::open(&database.url(), 2);
        for days in days_ago {
            let at = now() - days * DAY;
            store
                .record(AuditDraft { at, ..draft("old") })
                .await
                .unwrap();
        }
        let chain = store.heads().all().remove(0).chain;
        Self { store, chain }
    }
}

/// What a batch says.
fn gone(entries: u64) -> Result<BatchDone, StoreError> {
    let gaps = Vec::new();
    Ok(BatchDone::Purged { entries, gaps })
}

/// Ten entries that are old and five that are not.
const AGES: [i64; 15] = [
    500, 499, 498, 497, 496, 495, 494, 493, 492, 491, 5, 4, 3, 2, 1,
];

fn older_than(days: i64) -> Rule {
    Rule {
        before: now() - days * DAY,
        exported: None,
    }
}

fn limits(batch: u32) -> Limits {
    Limits {
        batch: NonZeroU32::new(batch).unwrap(),
        rows_per_second: None,
    }
}

async fn purge_with(store: &Store, vault: &Vault, rule: &Rule) -> Purged {
    purge_in(store, vault, rule, 3).await
}

async fn purge_in(store: &Store, vault: &Vault, rule: &Rule, batch: u32) -> Purged {
    let purged = purge::purge(store, vault, rule, limits(batch), &mut |_| {}).await;
    purged.unwrap()
}

/// What was found, and every break with its chain.
async fn verify(store: &Store, vault: &Vault) -> (Summary, Vec<(String, String)>) {
    let mut broken = Vec::new();
    let mut observer = |event: Event<'_>| {
        if let Event::Broken { chain, broken: how } = event {
            broken.push((chain.to_owned(), how.to_string()));
        }
    };
    let summary = verify::verify(store, &PurgeKeys::Of(vault), &mut observer).await;
    (summary.unwrap(), broken)
}

async fn assert_whole(rig: &Rig) -> Summary {
    let (summary, broken) = verify(&rig.store, &rig.vault).await;
    assert_eq!((summary.broken, broken), (0, Vec::new()));
    summary
}

/// Verification must name the chain and say this of it.
async fn assert_broken(rig: &Rig, chain: &str, told: &str) {
    let (summary, broken) = verify(&rig.store, &rig.vault).await;
    assert!(summary.broken > 0, "{told}");
    let names = |(of, how): &(String, String)| of == chain && how.contains(told);
    assert!(broken.iter().any(names), "{told}: {broken:?}");
}

fn first_kept(database: &TestDatabase, chain: &str) -> i64 {
    database.number(&format!(
        "SELECT min(seq) AS n FROM audit_entries WHERE chain = '{chain}'"
    ))
}

async fn a_purged_trail_is_whole_and_goes_on(backend: Backend) {
    let database = TestDatabase::new(backend);
    let rig = Rig::new(&database).await;
    let mixed = Old::new(&database, &AGES).await;
    let all_old = Old::new(&database, &[800, 700, 600]).await;
    let one = Old::new(&database, &[900]).await;
    let before = assert_whole(&rig).await;
    assert_eq!((before.purged, before.purged_chains), (0, 0));

    // The end of a chain stays, however old.
    let purged = purge_with(&rig.store, &rig.vault, &older_than(365)).await;
    let (entries, chains, withheld) = (12, 2, 0);
    let expected = Purged {
        entries,
        chains,
        withheld,
        gaps: 0,
    };
    assert_eq!(purged, expected);
    let after = assert_whole(&rig).await;
    assert_eq!((after.purged, after.purged_chains), (12, 2));
    assert_eq!(after.entries, before.entries - 12);
    assert_eq!(after.chains, before.chains);
    assert_eq!(first_kept(&database, &mixed.chain), 11);
    assert_eq!(first_kept(&database, &all_old.chain), 3);
    assert_eq!(first_kept(&database, &one.chain), 1);
    let anchor = rig.store.audit_purge(&mixed.chain).await;
    let anchor = anchor.unwrap().unwrap();
    assert_eq!(anchor.seq, 10);
    let days = |at: i64| (now() - at) / DAY;
    assert_eq!((days(anchor.first_at), days(anchor.last_at)), (500, 491));

    // Chains go on, and a second purge moves on.
    for old in [&mixed, &all_old, &one] {
        old.store.record(draft("new")).await.unwrap();
    }
    assert_whole(&rig).await;
    let purged = purge_with(&rig.store, &rig.vault, &older_than(3)).await;
    assert_eq!((purged.entries, purged.chains), (5, 3));
    assert_eq!(first_kept(&database, &mixed.chain), 14);
    assert_eq!(first_kept(&database, &one.chain), 2);
    let again = purge_with(&rig.store, &rig.vault, &older_than(3)).await;
    assert_eq!(again, Purged::default());
    let last = assert_whole(&rig).await;
    assert_eq!((last.purged, last.purged_chains), (17, 3));
}

async fn a_dry_run_counts_and_deletes_nothing(backend: Backend) {
    let database = TestDatabase::new(backend);
    let rig = Rig::new(&database).await;
    Old::new(&database, &AGES).await;
    Old::new(&database, &[800, 700, 600]).await;
    let before = database.dump();
    let counted = purge::count(&rig.store, &older_than(365)).await.unwrap();
    assert_eq!((counted.entries, counted.chains), (12, 2));
    assert_eq!(database.dump(), before);
    let purged = purge_with(&rig.store, &rig.vault, &older_than(365)).await;
    assert_eq!(purged, counted);
    let counted = purge::count(&rig.store, &older_than(365)).await.unwrap();
    assert_eq!(counted, Purged::default());
}

async fn only_what_was_exported_goes(backend: Backend) {
    let database = TestDatabase::new(backend);
    let rig = Rig::new(&database).await;
    let half = Old::new(&database, &AGES).await;
    let unknown = Old::new(&database, &[800, 700, 600]).await;
    let all = Old::new(&database, &[800, 700, 600]).await;
    let exported = [(half.chain.clone(), 4), (all.chain.clone(), 3)];
    let rule = Rule {
        exported: Some(HashMap::from(exported)),
        ..older_than(365)
    };
    let expected = Purged {
        entries: 6,
        chains: 2,
        withheld: 2,
        gaps: 0,
    };
    assert_eq!(purge::count(&rig.store, &rule).await.unwrap(), expected);
    assert_eq!(purge_with(&rig.store, &rig.vault, &rule).await, expected);
    assert_eq!(first_kept(&database, &half.chain), 5);
    assert_eq!(first_kept(&database, &unknown.chain), 1);
    assert_eq!(first_kept(&database, &all.chain), 3);
    assert_whole(&rig).await;
}

/// As after a kill between two batches.
async fn a_purge_goes_on_where_it_was_ended(backend: Backend) {
    let database = TestDatabase::new(backend);
    let rig = Rig::new(&database).await;
    let old = Old::new(&database, &AGES).await;
    for taken in [4, 8] {
        let batch = Batch {
            chain: old.chain.clone(),
            upto: 14,
            before: older_than(365).before,
            limit: 4,
            at: now(),
        };
        let done = rig.store.purge_audit_entries(batch, rig.vault.current());
        assert_eq!(done.await, gone(4));
        assert_eq!(first_kept(&database, &old.chain), taken + 1);
        assert_whole(&rig).await;
    }
    let purged = purge_with(&rig.store, &rig.vault, &older_than(365)).await;
    assert_eq!(purged.entries, 2);
    assert_whole(&rig).await;
}

async fn purges_run_at_once_beside_writers_and_checks(backend: Backend) {
    let database = TestDatabase::new(backend);
    let rig = Rig::new(&database).await;
    for _ in 0..3 {
        Old::new(&database, &[400; 40]).await;
    }
    let others = [
        Store::open(&database.url(), 2),
        Store::open(&database.url(), 2),
    ];
    let rule = older_than(0);
    let purges = others.iter().map(async |store| {
        let mut entries = 0;
        for _ in 0..4 {
            entries += purge_with(store, &rig.vault, &rule).await.entries;
        }
        entries
    });
    let writing = async {
        for number in 0..40 {
            let user = rig.user(ISSUER, &format!("53440300000001{number:02}"));
            rig.writer.commit(enrol(user)).await.unwrap();
            rig.store.record(draft("act")).await.unwrap();
        }
    };
    let checking = async {
        for _ in 0..15 {
            assert_whole(&rig).await;
        }
    };
    let purging = futures_util::future::join_all(purges);
    let (purged, (), ()) = tokio::join!(purging, writing, checking);
    assert!(purged.iter().sum::<u64>() >= 3 * 39, "{purged:?}");
    let summary = assert_whole(&rig).await;
    assert_eq!(summary.purged, purged.iter().sum::<u64>());
    assert_eq!(database.count("users"), 40);
}

/// A check reads pages of 1,000 entries; a purge comes after the first.
async fn a_check_goes_on_behind_a_purge_that_overtakes_it(backend: Backend) {
    let database = TestDatabase::new(backend);
    let rig = Rig::new(&database).await;
    let old = Old::new(&database, &[400]).await;
    for _ in 0..5 {
        let at = now() - 400 * DAY;
        let drafts = vec![AuditDraft { at, ..draft("old") }; 500];
        old.store.record_all(drafts).await.unwrap();
    }
    let rule = older_than(365);
    let (mut purged, mut broken) = (0, Vec::new());
    let mut observer = |event: Event<'_>| match event {
        Event::Read(_) if purged == 0 => {
            let purging = purge_in(&rig.store, &rig.vault, &rule, 1_000);
            let handle = tokio::runtime::Handle::current();
            let done = tokio::task::block_in_place(|| handle.block_on(purging));
            purged = done.entries;
        }
        Event::Broken { broken: how, .. } => broken.push(how.to_string()),
        _ => {}
    };
    let keys = PurgeKeys::Of(&rig.vault);
    let summary = verify::verify(&rig.store, &keys, &mut observer).await;
    let summary = summary.unwrap();
    assert_eq!((broken, summary.broken), (Vec::new(), 0));
    assert_eq!((purged, summary.purged), (2_500, 2_500));
    assert_eq!(summary.purged_chains, 1);
    assert_whole(&rig).await;
    // What is there and was purged is no overtaking: the anchor was there before.
    database.execute(&format!(
        "UPDATE audit_entries SET seq = 2000 WHERE chain = '{}'",
        old.chain
    ));
    assert_broken(&rig, &old.chain, "entry 2000 is there").await;
}

async fn anchors_follow_the_data_keys(backend: Backend) {
    let database = TestDatabase::new(backend);
    let rig = Rig::new(&database).await;
    let old = Old::new(&database, &AGES).await;
    Old::new(&database, &[800, 700, 600]).await;
    purge_with(&rig.store, &rig.vault, &older_than(365)).await;
    let limits = Limits {
        batch: NonZeroU32::new(1).unwrap(),
        rows_per_second: None,
    };
    let version = || database.number("SELECT CAST(min(seal_key) AS BIGINT) AS n FROM audit_purges");
    let reseal = async || {
        let passed = rotation::reseal(&rig.store, &rig.vault, limits, &mut |_| {}).await;
        passed.unwrap()
    };
    let verified = async || {
        let verified = rotation::verify(&rig.store, &rig.vault, limits, &mut |_| {}).await;
        let verified = verified.unwrap();
        (verified.rows, verified.misfits)
    };
    rotate_seal(&rig.store, &rig.vault).await.unwrap();
    assert_whole(&rig).await;
    assert_eq!(version(), 1);
    let passed = reseal().await;
    assert_eq!(
        (passed.rows, passed.misfits, passed.retired),
        (2, 0, vec![1])
    );
    assert_eq!(version(), 2);
    assert_whole(&rig).await;
    assert_eq!(verified().await, (2, 0));
    // A purge goes on under the newest key.
    rotate_seal(&rig.store, &rig.vault).await.unwrap();
    purge_with(&rig.store, &rig.vault, &older_than(3)).await;
    assert_whole(&rig).await;
    assert_eq!(version(), 2);

    // A forged one keeps its key from being wiped: nobody could check it any more.
    let forge = |by| {
        let (set, chain) = ("UPDATE audit_purges SET first_at = first_at +", &old.chain);
        database.execute(&format!("{set} {by} WHERE chain <> '{chain}'"));
    };
    forge(1);
    assert_eq!(verified().await, (2, 1));
    let passed = reseal().await;
    assert_eq!((passed.misfits, passed.retired), (1, Vec::new()));
    forge(-1);
    // So does one that names a newer key than it is under.
    let claim = |version| {
        let (set, chain) = ("UPDATE audit_purges SET seal_key =", &old.chain);
        database.execute(&format!("{set} {version} WHERE chain <> '{chain}'"));
    };
    claim(3);
    let passed = reseal().await;
    assert_eq!((passed.misfits, passed.retired), (1, Vec::new()));
    claim(2);
    let passed = reseal().await;
    assert_eq!((passed.misfits, passed.retired), (0, vec![2]));
    assert_eq!(version(), 3);
    assert_whole(&rig).await;
    // Another process, which was opened before.
    let late = Vault::open(&rig.store, rig.kek.alone()).await.unwrap();
    rotate_seal(&rig.store, &rig.vault).await.unwrap();
    reseal().await;
    let purged = purge_with(&rig.store, &late, &older_than(2)).await;
    assert_eq!(purged.entries, 1);
    let (summary, broken) = verify(&rig.store, &late).await;
    assert_eq!((summary.broken, broken), (0, Vec::new()));
    assert_whole(&rig).await;
    // And one that only checks.
    let late = Vault::open(&rig.store, rig.kek.alone()).await.unwrap();
    rotate_seal(&rig.store, &rig.vault).await.unwrap();
    reseal().await;
    let (summary, broken) = verify(&rig.store, &late).await;
    assert_eq!((summary.broken, broken), (0, Vec::new()));
}

async fn what_is_known_from_elsewhere_may_be_purged(backend: Backend) {
    let database = TestDatabase::new(backend);
    let rig = Rig::new(&database).await;
    let old = Old::new(&database, &AGES).await;
    let known = async |seq, hash| {
        let (chain, keys) = (old.chain.clone(), PurgeKeys::Of(&rig.vault));
        let head = AuditHead { chain, seq, hash };
        let known = [head];
        let missing = verify::acknowledged(&rig.store, &keys, &known, &mut |_| {}).await;
        missing.unwrap()
    };
    let hash = async |seq| {
        rig.store
            .audit_hash(&old.chain, seq)
            .await
            .unwrap()
            .unwrap()
    };
    let (fourth, tenth) = (hash(4).await, hash(10).await);
    purge_with(&rig.store, &rig.vault, &older_than(365)).await;
    assert_eq!(known(4, fourth.clone()).await, 0);
    assert_eq!(known(10, tenth).await, 0);
    // The last purged one is compared.
    assert_eq!(known(10, fourth.clone()).await, 1);
    assert_eq!(known(16, fourth.clone()).await, 1);
    database.execute("UPDATE audit_purges SET purged_at = purged_at + 1");
    assert_eq!(known(4, fourth).await, 1);
}

async fn the_end_of_a_chain_stays_whatever_is_asked(backend: Backend) {
    let database = TestDatabase::new(backend);
    let rig = Rig::new(&database).await;
    let old = Old::new(&database, &AGES).await;
    for (entries, upto) in [(14, i64::MAX), (0, 15)] {
        let batch = Batch {
            chain: old.chain.clone(),
            upto,
            before: now(),
            limit: 1_000,
            at: now(),
        };
        let done = rig.store.purge_audit_entries(batch, rig.vault.current());
        assert_eq!(done.await, gone(entries));
    }
    assert_eq!(first_kept(&database, &old.chain), 15);
    assert_whole(&rig).await;
}

/// Each chain that a purged entry vouched for is one more entry of the same transaction.
async fn a_batch_vouches_for_few_chains_at_once(backend: Backend) {
    let database = TestDatabase::new(backend);
    let rig = Rig::new(&database).await;
    let chains = 300;
    for _ in 0..chains {
        let store = Store::open(&database.url(), 1);
        store.record(draft("act")).await.unwrap();
    }
    let voucher = Store::open(&database.url(), 2);
    voucher.anchor_unknown_chains().await.unwrap();
    voucher.record(draft("later")).await.unwrap();
    let chain = voucher.heads().all().remove(0).chain;
    let end = database.number(&format!(
        "SELECT max(seq) AS n FROM audit_entries WHERE chain = '{chain}'"
    ));
    assert!(end > chains, "{end}");
    let mut left = end - 1;
    for expected in [256, left - 256] {
        let batch = Batch {
            chain: chain.clone(),
            upto: i64::MAX,
            before: now(),
            limit: 5_000,
            at: now(),
        };
        let done = rig.store.purge_audit_entries(batch, rig.vault.current());
        assert_eq!(done.await, gone(expected.try_into().unwrap()));
        left -= expected;
        assert_whole(&rig).await;
    }
    assert_eq!(left, 0);
    let by = format!("audit_anchors WHERE by_chain = '{chain}'");
    assert_eq!(database.count(&by), 0);
}

async fn declared_gaps_that_go_are_counted(backend: Backend) {
    let database = TestDatabase::new(backend);
    let rig = Rig::new(&database).await;
    let old = Old::new(&database, &[500]).await;
    let declared = |seq: i64, days: i64| AuditDraft {
        at: now() - days * DAY,
        subject: Some(format!("lost {seq}")),
        detail: Some(format!("confirmed={seq}:00 found=0:")),
        ..draft("audit.gap")
    };
    let drafts = vec![declared(3, 450), declared(4, 400), declared(5, 5)];
    old.store.record_all(drafts).await.unwrap();
    old.store.record(draft("later")).await.unwrap();
    assert_eq!(assert_whole(&rig).await.gaps, 3);
    let mut told = Vec::new();
    let rule = older_than(365);
    let mut observer = |gone: Purged| told.push((gone.entries, gone.gaps));
    let purged = purge::purge(&rig.store, &rig.vault, &rule, limits(2), &mut observer).await;
    let purged = purged.unwrap();
    assert_eq!((purged.entries, purged.gaps), (3, 2));
    assert_eq!(told, [(2, 1), (1, 1)]);
    assert_eq!(assert_whole(&rig).await.gaps, 1);
}

/// The state that names the entries behind may be on the disk, or not: it is told before.
async fn an_export_that_fails_has_said_what_it_never_had(backend: Backend) {
    let database = TestDatabase::new(backend);
    let rig = Rig::new(&database).await;
    let old = Old::new(&database, &AGES).await;
    purge_with(&rig.store, &rig.vault, &older_than(365)).await;
    let dir = tempfile::tempdir().unwrap();
    // There is no folder for the state.
    let (to, state) = (dir.path().join("audit.jsonl"), dir.path().join("no/state"));
    let mut follower = Follower::open(&to, &state).unwrap();
    let mut told = Vec::new();
    let mut missed = |missed: Missed| told.push((missed.chain, missed.from, missed.to));
    let round = follower.catch_up(&rig.store, || false, &mut missed).await;
    let error = format!("{:#}", round.unwrap_err());
    assert!(error.contains("--state"), "{error}");
    assert_eq!(told, [(old.chain.clone(), 1, 10)]);
}
