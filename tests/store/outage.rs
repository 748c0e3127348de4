//! The database goes away and comes back: answers come in time, nothing is half-written, no restart
//! is needed.

use crate::fixture::{ISSUER, Rig, enrol, finder, record};
use crate::support::proxy::Proxy;
use crate::support::{Backend, TestDatabase, pool_mode};
use futures_util::future::join_all;
use issuer_gateway::ids::CardholderId;
use issuer_gateway::queue::Backlog;
use issuer_gateway::store::{DatabaseUrl, Outcome, Store, StoreError, Writer};

/// The database's URL, through the proxy.
pub fn through(database: &TestDatabase) -> (Proxy, DatabaseUrl) {
    let serving = database.serving_text();
    let (before, name) = serving.rsplit_once('/').unwrap();
    let (start, host) = before.rsplit_once('@').unwrap();
    let proxy = Proxy::start(host.to_owned());
    let url = DatabaseUrl::parse(&format!("{start}@{}/{name}", proxy.address)).unwrap();
    (proxy, url.pooled(pool_mode()))
}

/// Tries until the writer has recovered; a bound on the number of tries, none on time.
pub async fn recovered(writer: &Writer, store: &Store) {
    for _ in 0..10_000 {
        let written = writer
            .commit(record(ISSUER, CardholderId::random().as_str()))
            .await;
        match written {
            Ok(Outcome::Done) => {
                while store.ping().await.is_err() {
                    tokio::task::yield_now().await;
                }
                return;
            }
            Ok(other) => panic!("{other:?}"),
            Err(error) => assert!(error.is_recoverable(), "{error:?}"),
        }
        tokio::task::yield_now().await;
    }
    panic!("the writer did not recover");
}

pub fn assert_whole(database: &TestDatabase, done: usize) {
    // One that was answered 503 because the connection broke at COMMIT may be there, as a whole.
    assert!(database.assert_whole() >= i64::try_from(done).unwrap());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cut_connection_is_answered_at_once_and_comes_back() {
    let database = TestDatabase::new(Backend::Postgres);
    let rig = Rig::new(&database).await;
    let (proxy, url) = through(&database);
    let (writer, store) = (
        Writer::start(&url, 2, 1_000, Backlog::default()).unwrap(),
        Store::open(&url, 3),
    );
    let lookups = finder(&store);
    let mut done = 0;
    for round in 0..3 {
        let users: Vec<_> = (0..20)
            .map(|n| rig.user(ISSUER, &format!("534403{round}0000000{n:02}")))
            .collect();
        let outcomes = join_all(users.iter().map(|user| writer.commit(enrol(user.clone())))).await;
        assert!(
            outcomes.iter().all(|o| *o == Ok(Outcome::Done)),
            "{outcomes:?}"
        );
        done += outcomes.len();
        assert_eq!(store.ping().await, Ok(()));

        proxy.cut();
        let user = rig.user(ISSUER, "5344035555555557");
        let outcomes = join_all((0..20).map(|_| writer.commit(enrol(user.clone())))).await;
        for outcome in outcomes {
            assert!(
                matches!(outcome, Err(StoreError::Unavailable(_))),
                "{outcome:?}"
            );
        }
        assert!(store.ping().await.unwrap_err().is_recoverable());
        assert!(lookups.user(ISSUER, &user.user_id).await.is_err());
        proxy.restore();
        recovered(&writer, &store).await;
        assert_eq!(lookups.user(ISSUER, &user.user_id).await, Ok(None));
        assert_whole(&database, done);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_connection_that_died_while_idle_is_not_noticed() {
    let database = TestDatabase::new(Backend::Postgres);
    let (proxy, url) = through(&database);
    let (writer, store) = (
        Writer::start(&url, 1, 100, Backlog::default()).unwrap(),
        Store::open(&url, 3),
    );
    for number in 0..5 {
        assert_eq!(
            writer.commit(record(ISSUER, &number.to_string())).await,
            Ok(Outcome::Done)
        );
        assert_eq!(store.ping().await, Ok(()));
        proxy.cut();
        proxy.restore();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_vanished_is_answered_by_the_deadline() {
    let database = TestDatabase::new(Backend::Postgres);
    let rig = Rig::new(&database).await;
    let (proxy, url) = through(&database);
    let (writer, store) = (
        Writer::start(&url, 2, 1_000, Backlog::default()).unwrap(),
        Store::open(&url, 3),
    );
    assert_eq!(
        writer.commit(record(ISSUER, "before")).await,
        Ok(Outcome::Done)
    );
    assert_eq!(store.ping().await, Ok(()));
    proxy.hold();
    // Far more than 2 s: the answer may not depend on the server.
    let patience = std::time::Duration::from_secs(30);
    let commits = join_all(
        (0..20).map(|n| writer.commit(enrol(rig.user(ISSUER, &format!("53440300000000{n:02}"))))),
    );
    let outcomes = tokio::time::timeout(patience, commits)
        .await
        .expect("no answer without the server");
    for outcome in outcomes {
        assert!(
            outcome.as_ref().is_err_and(StoreError::is_recoverable),
            "{outcome:?}"
        );
    }
    let ping = tokio::time::timeout(patience, store.ping())
        .await
        .expect("no answer without the server");
    assert!(ping.unwrap_err().is_recoverable());
    proxy.restore();
    recovered(&writer, &store).await;
    assert_whole(&database, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_refused_connection_is_answered_and_names_no_password() {
    // Nobody listens on port 1.
    let url = DatabaseUrl::parse("postgresql://user:hunter2@127.0.0.1:1/db").unwrap();
    let writer = Writer::start(&url, 2, 100, Backlog::default()).unwrap();
    let store = Store::open(&url, 2);
    let written = writer.commit(record(ISSUER, "n")).await.unwrap_err();
    let read = store.ping().await.unwrap_err();
    for error in [written, read] {
        assert_eq!(error.reason(), "database-unavailable");
        let text = format!("{error} {error:?}");
        assert!(
            text.contains("127.0.0.1") && !text.contains("hunter2"),
            "{text}"
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_locked_sqlite_file_is_busy_and_comes_back() {
    use diesel::Connection;
    use diesel::connection::SimpleConnection;
    let database = TestDatabase::new(Backend::Sqlite);
    let writer = Writer::start(&database.url(), 2, 100, Backlog::default()).unwrap();
    let path = database.dir().join("gateway.db");
    let mut other = diesel::SqliteConnection::establish(path.to_str().unwrap()).unwrap();
    other.batch_execute("BEGIN IMMEDIATE").unwrap();
    let error = writer.commit(record(ISSUER, "n")).await.unwrap_err();
    assert!(error.is_recoverable(), "{error:?}");
    other.batch_execute("COMMIT").unwrap();
    let store = Store::open(&database.url(), 1);
    recovered(&writer, &store).await;
}
