//! The fence on PostgreSQL: who changes the keys and who writes wait for each other, and nobody for
//! long.

use crate::data_keys::sealed;
use crate::fixture::{ISSUER, PAN, Rig, draft, enrol, record, sealed_user, writer};
use crate::support::{Backend, TestDatabase};
use diesel::connection::SimpleConnection;
use diesel::{Connection, PgConnection};
use issuer_gateway::ids::{AppId, CardholderId};
use issuer_gateway::rotation::primary::rotate_seal;
use issuer_gateway::store::directory::changes::DirectoryChange;
use issuer_gateway::store::{Outcome, Store, StoreError};
use std::time::{Duration, Instant};

/// How many wait for a lock of this kind on the fence.
fn waiting(database: &TestDatabase, mode: &str) -> i64 {
    database.number(&format!(
        "SELECT count(*) AS n FROM pg_locks l JOIN pg_class c ON c.oid = l.relation \
         WHERE c.relname = 'vault_generation' AND l.mode = '{mode}' AND NOT l.granted \
         AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())"
    ))
}

pub(crate) async fn until(what: &str, condition: impl Fn() -> bool) {
    let give_up = Instant::now() + Duration::from_secs(30);
    while !condition() {
        assert!(Instant::now() < give_up, "never came true: {what}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

/// A change waits for those who joined the fence, lets others by when that takes long, and comes
/// again.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_change_waits_for_transactions_that_have_joined() {
    let database = TestDatabase::new(Backend::Postgres);
    let rig = Rig::new(&database).await;
    let (writers, readers) = (writer(&database), Store::open(&database.url(), 2));
    let mut joined = PgConnection::establish(&database.url_text).unwrap();
    joined
        .batch_execute("BEGIN; LOCK TABLE vault_generation IN ROW SHARE MODE")
        .unwrap();
    let rotation = tokio::spawn(async move {
        let version = rotate_seal(&rig.store, &rig.vault).await;
        (version, rig)
    });
    for waits in [1, 0, 1] {
        until("the change waits, gives up, and waits again", || {
            waiting(&database, "ExclusiveLock") == waits
        })
        .await;
        assert_eq!(readers.vault_generation().await, Ok(1));
        let commit = record(ISSUER, CardholderId::random().as_str());
        assert_eq!(writers.commit(commit).await, Ok(Outcome::Done));
    }
    assert!(!rotation.is_finished());
    joined.batch_execute("COMMIT").unwrap();
    let (version, _rig) = rotation.await.unwrap();
    assert_eq!(version, Ok(2));
    assert_eq!(readers.vault_generation().await, Ok(2));
}

/// Who comes while the keys change waits until they have, and then sees it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_writer_sees_the_change_that_it_has_waited_for() {
    let database = TestDatabase::new(Backend::Postgres);
    let rig = Rig::new(&database).await;
    let keys = rig.vault.current();
    let mut changing = PgConnection::establish(&database.url_text).unwrap();
    let change = "BEGIN; LOCK TABLE vault_generation IN EXCLUSIVE MODE; \
                  UPDATE vault_generation SET version = version + 1";
    changing.batch_execute(change).unwrap();
    let commit = sealed(enrol(sealed_user(&keys, ISSUER, PAN)), &keys);
    let deletion = DirectoryChange::Delete {
        app_id: AppId(1),
        klaim_id: "any".to_owned(),
    };
    let command = rig
        .store
        .change_directory(deletion, keys.generation(), draft("act"));
    let released = async {
        until("both wait", || waiting(&database, "RowShareLock") == 2).await;
        changing.batch_execute("COMMIT").unwrap();
    };
    let (written, changed, ()) = tokio::join!(rig.writer.commit(commit), command, released);
    assert_eq!(written, Ok(Outcome::Stale));
    assert_eq!(changed, Err(StoreError::Busy));
    assert_eq!(
        (database.count("users"), database.count("oauth_nonces")),
        (0, 0)
    );
}
