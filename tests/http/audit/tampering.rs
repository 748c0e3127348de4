//! Whoever changes the trail in the database is found out by `audit verify`.

use super::{assert_whole, verify};
use crate::on_both;
use crate::support::{Backend, TestDatabase};
use issuer_gateway::store::audit::{AuditDraft, AuditEntry, chain};
use issuer_gateway::store::{Store, now};
use sha2::{Digest, Sha256};

/// A trail with a chain of five entries, and another chain that vouches for its end.
struct Trail {
    database: TestDatabase,
    store: Store,
    chain: String,
    vouching: String,
    runtime: tokio::runtime::Runtime,
}

impl Trail {
    fn new(backend: Backend) -> Self {
        let database = TestDatabase::new(backend);
        let runtime = tokio::runtime::Runtime::new().unwrap();
        let store = Store::open(&database.url(), 2);
        let other = Store::open(&database.url(), 2);
        runtime.block_on(async {
            for subject in ["1", "2", "3", "4", "5"] {
                let draft = AuditDraft {
                    subject: Some(subject.to_owned()),
                    ..AuditDraft::accepted(now(), "actor", "act")
                };
                store.record(draft).await.unwrap();
            }
            let start = vec![AuditDraft::local("begin")];
            other.record_and_anchor(start).await.unwrap();
        });
        let chain_of = |action: &str| {
            let sql =
                format!("SELECT DISTINCT chain AS t FROM audit_entries WHERE action = '{action}'");
            database.texts(&sql).remove(0)
        };
        Self {
            chain: chain_of("act"),
            vouching: chain_of("begin"),
            store,
            runtime,
            database,
        }
    }

    /// Runs SQL in which `CHAIN` stands for the chain's name.
    fn tamper(&self, sql: &str) {
        self.database
            .execute(&sql.replace("CHAIN", &format!("'{}'", self.chain)));
    }

    /// `audit verify` must fail, name the chain and say this of it.
    #[track_caller]
    fn assert_broken(&self, told: &str) {
        let (status, text) = verify(&self.database, &[]);
        assert_eq!(status, 1, "{told}: {text}");
        let told = format!("BROKEN chain {}: {told}", self.chain);
        assert!(text.contains(&told), "{text}\nwithout {told}");
    }
}

on_both!(every_kind_of_tampering_is_found, |backend: Backend| {
    let trail = Trail::new(backend);
    assert_whole(&trail.database);
    trail.database.execute(
        "CREATE TABLE kept AS SELECT * FROM audit_entries; \
         CREATE TABLE kept_heads AS SELECT * FROM audit_heads",
    );
    let cases = [
        (
            "UPDATE audit_entries SET actor = 'somebody else' WHERE chain = CHAIN AND seq = 3",
            "entry 3 was edited",
        ),
        (
            "DELETE FROM audit_entries WHERE chain = CHAIN AND seq = 3",
            "entry 3 is missing",
        ),
        (
            "DELETE FROM audit_entries WHERE chain = CHAIN AND seq = 1",
            "entry 1 is missing",
        ),
        (
            "DELETE FROM audit_entries WHERE chain = CHAIN",
            "ends with entry 0, but its head records 5",
        ),
        (
            "UPDATE audit_entries SET seq = 99 WHERE chain = CHAIN AND seq = 2; \
             UPDATE audit_entries SET seq = 2 WHERE chain = CHAIN AND seq = 3; \
             UPDATE audit_entries SET seq = 3 WHERE chain = CHAIN AND seq = 99",
            "entry 2 does not follow the entry before it",
        ),
        (
            "UPDATE audit_entries SET seq = seq + 100 WHERE chain = CHAIN AND seq > 2; \
             UPDATE audit_entries SET seq = seq - 99 WHERE chain = CHAIN AND seq > 100; \
             INSERT INTO audit_entries SELECT chain, 3, at, actor, action, outcome, reason, issuer_id, \
             subject, request_id, origin, previous_hash, hash, detail \
             FROM audit_entries WHERE chain = CHAIN AND seq = 2",
            "entry 3 does not follow the entry before it",
        ),
        (
            "INSERT INTO audit_entries SELECT chain, 0, at, actor, action, outcome, reason, issuer_id, \
             subject, request_id, origin, previous_hash, hash, detail \
             FROM audit_entries WHERE chain = CHAIN AND seq = 1",
            "entry 1 is missing",
        ),
        (
            "DELETE FROM audit_entries WHERE chain = CHAIN AND seq = 5",
            "ends with entry 4, but its head records 5",
        ),
        (
            "UPDATE audit_heads SET seq = 4 WHERE chain = CHAIN",
            "ends with entry 5, but its head records 4",
        ),
        (
            "DELETE FROM audit_heads WHERE chain = CHAIN",
            "ends with entry 5, but its head records 0",
        ),
    ];
    for (sql, told) in cases {
        trail.tamper(sql);
        trail.assert_broken(told);
        // Back as it was; the verifications have left chains of their own.
        trail.tamper(
            "DELETE FROM audit_entries WHERE chain = CHAIN; \
             INSERT INTO audit_entries SELECT * FROM kept WHERE chain = CHAIN; \
             DELETE FROM audit_heads WHERE chain = CHAIN; \
             INSERT INTO audit_heads SELECT * FROM kept_heads WHERE chain = CHAIN",
        );
        assert_whole(&trail.database);
    }
});

on_both!(
    a_cut_that_mends_its_traces_is_found_by_other_chains,
    |backend: Backend| {
        let trail = Trail::new(backend);
        trail.tamper(
            "DELETE FROM audit_entries WHERE chain = CHAIN AND seq > 3; \
             UPDATE audit_heads SET seq = 3, hash = \
             (SELECT hash FROM audit_entries WHERE chain = CHAIN AND seq = 3) WHERE chain = CHAIN",
        );
        let told = format!(
            "entry 5 is not the one that chain {} vouches",
            trail.vouching
        );
        trail.assert_broken(&told);
        trail.tamper(
            "DELETE FROM audit_entries WHERE chain = CHAIN; DELETE FROM audit_heads WHERE chain = CHAIN; \
             DELETE FROM audit_anchors WHERE chain = CHAIN",
        );
        trail.assert_broken(&told);
    }
);

on_both!(
    a_chain_rewritten_with_new_hashes_is_found_by_other_chains,
    |backend: Backend| {
        let trail = Trail::new(backend);
        let read = trail.store.audit_entries(&trail.chain, 0, 10);
        let mut entries: Vec<AuditEntry> = trail.runtime.block_on(read).unwrap();
        entries[1].actor = "somebody else".to_owned();
        for number in 1..entries.len() {
            entries[number].previous_hash = entries[number - 1].hash.clone();
            entries[number].hash = Sha256::digest(chain::encode(&entries[number])).to_vec();
        }
        let bytes = |bytes: &[u8]| match backend {
            Backend::Sqlite => format!("X'{}'", hex::encode(bytes)),
            Backend::Postgres => format!("'\\x{}'::bytea", hex::encode(bytes)),
        };
        for entry in &entries {
            trail.tamper(&format!(
                "UPDATE audit_entries SET actor = '{}', previous_hash = {}, hash = {} \
                 WHERE chain = CHAIN AND seq = {}",
                entry.actor,
                bytes(&entry.previous_hash),
                bytes(&entry.hash),
                entry.seq
            ));
        }
        let end = bytes(&entries[4].hash);
        trail.tamper(&format!(
            "UPDATE audit_heads SET hash = {end} WHERE chain = CHAIN"
        ));
        trail.assert_broken(&format!(
            "entry 5 is not the one that chain {} vouches",
            trail.vouching
        ));
    }
);

on_both!(
    a_running_process_knows_the_end_of_its_chain,
    |backend: Backend| {
        let trail = Trail::new(backend);
        // Cut before anybody vouched for it, and mended: only the process itself can tell.
        trail.tamper("DELETE FROM audit_anchors");
        let record = |subject: &str| {
            let draft = AuditDraft {
                subject: Some(subject.to_owned()),
                ..AuditDraft::local("act")
            };
            trail.runtime.block_on(trail.store.record(draft))
        };
        record("6").unwrap();
        trail.tamper(
            "DELETE FROM audit_entries WHERE chain = CHAIN AND seq = 6; \
             UPDATE audit_heads SET seq = 5, hash = \
             (SELECT hash FROM audit_entries WHERE chain = CHAIN AND seq = 5) WHERE chain = CHAIN",
        );
        assert_whole(&trail.database);
        assert_eq!(record("7").unwrap_err().reason(), "database-chain-lost");
        record("7").unwrap();
        let (status, text) = verify(&trail.database, &[]);
        assert_eq!(status, 3, "{text}");
        let told = format!(
            "GAP chain {}: the database lost 1 confirmed entries after entry 5",
            trail.chain
        );
        assert!(text.contains(&told), "{text}");
        let (status, _) = verify(&trail.database, &["--known-gaps", "1"]);
        assert_eq!(status, 0);
    }
);

on_both!(
    a_chain_cannot_be_kept_from_being_vouched_for,
    |backend: Backend| {
        let trail = Trail::new(backend);
        trail.tamper("UPDATE audit_anchors SET seq = 1000000 WHERE chain = CHAIN");
        trail.assert_broken("is listed as vouched for by entry");
    }
);
