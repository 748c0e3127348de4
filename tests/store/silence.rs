//! The database falls silent while its connections stay: what was asked is answered, and writing
//! goes on without a restart.

use crate::fixture::{ISSUER, PAN, Rig, enrol, record};
use crate::outage::{recovered, through};
use crate::support::proxy::Proxy;
use crate::support::{Backend, TestDatabase, pool_mode, until};
use crate::trail::no_purges;
use futures_util::future::join_all;
use issuer_gateway::audit::verify::{self, Event};
use issuer_gateway::ids::CardholderId;
use issuer_gateway::queue::Backlog;
use issuer_gateway::store::audit::Heads;
use issuer_gateway::store::{DatabaseUrl, Outcome, Store, StoreError, Writer};
use std::process::Command;
use std::time::Duration;

/// How long a COMMIT is waited for here.
const COMMIT: Duration = Duration::from_millis(1_000);
/// Far more than any limit: what is still silent then is so for ever.
const PATIENCE: Duration = Duration::from_secs(60);

fn writer(url: &DatabaseUrl, threads: usize) -> Writer {
    let heads = Heads::default();
    let queue = (1_000, Backlog::default());
    Writer::start_with("calls", url, threads, queue, COMMIT, &heads).unwrap()
}

async fn in_time<T>(answer: impl Future<Output = T>) -> T {
    tokio::time::timeout(PATIENCE, answer)
        .await
        .expect("no answer while the database is silent")
}

/// The same in clear, so that the proxy can read what passes.
fn in_clear(database: &TestDatabase) -> (Proxy, DatabaseUrl) {
    let serving = database.serving_text();
    let (before, name) = serving.rsplit_once('/').unwrap();
    let (start, host) = before.rsplit_once('@').unwrap();
    let proxy = Proxy::start(host.to_owned());
    let url = format!("{start}@{}/{name}?sslmode=disable", proxy.address);
    let url = DatabaseUrl::parse(&url).unwrap();
    (proxy, url.pooled(pool_mode()))
}

/// Every chain holds and nothing is half-written.
async fn assert_sound(database: &TestDatabase) {
    database.assert_whole();
    let store = Store::open(&database.url(), 1);
    let mut observer = |event: Event<'_>| {
        assert!(!matches!(event, Event::Broken { .. }), "{event:?}");
    };
    let summary = verify::verify(&store, &no_purges(), &mut observer)
        .await
        .unwrap();
    assert_eq!((summary.broken, summary.gaps), (0, 0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn connections_that_only_acknowledge_are_given_up() {
    let database = TestDatabase::new(Backend::Postgres);
    let rig = Rig::new(&database).await;
    let (proxy, url) = through(&database);
    let writer = writer(&url, 2);
    let store = Store::open_with(&url, 1, COMMIT);
    let users: Vec<_> = (0..20)
        .map(|n| rig.user(ISSUER, &format!("53440300000000{n:02}")))
        .collect();
    for _ in 0..2 {
        let before = writer.health();
        recovered(&writer, &store).await;
        // A writer that is not connected would open a connection that is not silent.
        while writer.health().connected < 2 {
            let records = (0..20).map(|_| record(ISSUER, CardholderId::random().as_str()));
            join_all(records.map(|record| writer.commit(record))).await;
        }
        proxy.swallow();
        let commits = join_all(users.iter().map(|user| writer.commit(enrol(user.clone()))));
        let (outcomes, ping) = in_time(async { tokio::join!(commits, store.ping()) }).await;
        let failed = outcomes.iter().filter(|outcome| outcome.is_err()).count();
        assert!(failed > 0, "nothing was under way on a silent connection");
        for error in outcomes.into_iter().filter_map(Result::err) {
            assert!(error.is_recoverable(), "{error:?}");
        }
        assert!(ping.unwrap_err().is_recoverable());
        in_time(recovered(&writer, &store)).await;
        assert!(writer.health().given_up > before.given_up);
        assert!(writer.health().connected > 0);
    }
    assert_sound(&database).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_commit_without_an_answer_is_in_doubt_and_was_stored() {
    let database = TestDatabase::new(Backend::Postgres);
    let rig = Rig::new(&database).await;
    let (proxy, url) = in_clear(&database);
    let (writer, store) = (writer(&url, 1), Store::open(&url, 1));
    recovered(&writer, &store).await;

    proxy.swallow_answer_to(b"COMMIT");
    let user = rig.user(ISSUER, PAN);
    let stored = user.user_id.clone();
    let lost = in_time(writer.commit(enrol(user.clone()))).await;
    assert_eq!(lost, Err(StoreError::InDoubt));
    let health = writer.health();
    assert_eq!((health.in_doubt, health.given_up), (1, 1));

    let again = in_time(writer.commit(enrol(rig.user(ISSUER, PAN)))).await;
    assert_eq!(again, Ok(Outcome::CardTaken(Some(stored))));
    assert_eq!(database.count("users"), 1);
    assert_eq!(writer.health().lost_entries, 0);
    assert_sound(&database).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_change_without_an_answer_frees_its_connection_and_the_chain() {
    let database = TestDatabase::new(Backend::Postgres);
    let (proxy, url) = in_clear(&database);
    let store = Store::open_with(&url, 1, COMMIT);
    let draft = || issuer_gateway::store::audit::AuditDraft::local("test");
    store.record(draft()).await.unwrap();
    proxy.swallow_answer_to(b"COMMIT");
    let lost = in_time(store.record(draft())).await;
    assert!(lost.unwrap_err().is_recoverable());
    in_time(async { while store.record(draft()).await.is_err() {} }).await;
    // The one whose answer was lost is there, in the chain that was given up.
    assert_eq!(database.count("audit_entries WHERE action = 'test'"), 3);
    assert_sound(&database).await;
}

/// Server processes that the test has stopped, which run again when this is dropped.
struct Frozen(Vec<i64>);

impl Frozen {
    fn stop(pids: Vec<i64>) -> Self {
        signal("-STOP", &pids);
        Self(pids)
    }
}

impl Drop for Frozen {
    fn drop(&mut self) {
        signal("-CONT", &self.0);
    }
}

fn signal(signal: &str, pids: &[i64]) {
    let mut kill = Command::new("kill");
    kill.arg(signal).args(pids.iter().map(i64::to_string));
    assert!(kill.status().unwrap().success());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_frozen_server_process_is_left_behind_and_ended() {
    let database = TestDatabase::new(Backend::Postgres);
    let url = format!("{}?application_name=frozen", database.url_text);
    let url = DatabaseUrl::parse(&url).unwrap();
    let (writer, store) = (writer(&url, 1), Store::open_with(&url, 1, COMMIT));
    recovered(&writer, &store).await;
    let backends = "SELECT pid::text AS t FROM pg_stat_activity \
         WHERE datname = current_database() AND application_name = 'frozen'";
    let pids: Vec<i64> = database
        .texts(backends)
        .iter()
        .map(|pid| pid.parse().unwrap())
        .collect();
    assert_eq!(pids.len(), 2, "the writer's and the pool's");
    let frozen = Frozen::stop(pids.clone());
    let (written, read) =
        in_time(async { tokio::join!(writer.commit(record(ISSUER, "n")), store.ping()) }).await;
    assert!(written.unwrap_err().is_recoverable());
    assert!(read.unwrap_err().is_recoverable());
    in_time(recovered(&writer, &store)).await;
    assert!(writer.health().given_up > 0);
    drop(frozen);
    // Told to end while they were stopped: they hold nothing any longer.
    until("the frozen processes are gone", || {
        let left = database.texts(backends);
        pids.iter().all(|pid| !left.contains(&pid.to_string()))
    });
    assert_sound(&database).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_commit_under_way_is_waited_for_beyond_the_deadline() {
    let database = TestDatabase::new(Backend::Postgres);
    let rig = Rig::new(&database).await;
    // Deferred, so that COMMIT itself takes longer than a commit that has not begun would be waited
    // for.
    database.execute(
        "CREATE FUNCTION slow() RETURNS trigger LANGUAGE plpgsql AS \
         $$ BEGIN SET LOCAL statement_timeout = 0; PERFORM pg_sleep(2); RETURN NULL; END $$; \
         CREATE CONSTRAINT TRIGGER slow AFTER INSERT ON users DEFERRABLE INITIALLY DEFERRED \
         FOR EACH ROW EXECUTE FUNCTION slow()",
    );
    let url = format!("{}?options=-c%20statement_timeout%3D0", database.url_text);
    let url = DatabaseUrl::parse(&url).unwrap();
    let writer = Writer::start(&url, 1, 1_000, Backlog::default()).unwrap();
    let slow = writer.commit(enrol(rig.user(ISSUER, PAN)));
    let behind = async {
        until("the slow one is under way", || {
            writer.health().oldest_under_way.is_some()
        });
        writer.commit(record(ISSUER, "behind")).await
    };
    let (slow, behind) = in_time(async { tokio::join!(slow, behind) }).await;
    assert_eq!(slow, Ok(Outcome::Done));
    // That one was not begun: it is withdrawn, and stays so.
    assert_eq!(behind, Err(StoreError::Timeout));
    assert_eq!(writer.commit(record(ISSUER, "n")).await, Ok(Outcome::Done));
    assert_eq!(database.count("oauth_nonces WHERE nonce = 'behind'"), 0);
}
