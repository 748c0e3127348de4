//! A connection pooler before PostgreSQL: session mode works, transaction mode where the gateway is
//! told of it (`make pgbouncer` runs every test of the store so), all else is refused by name.

use crate::fixture::{ISSUER, PAN, Rig, enrol};
use crate::support::bouncer::Bouncer;
use crate::support::{Backend, TestDatabase};
use diesel::prelude::*;
use diesel::sql_types::Text;
use issuer_gateway::queue::Backlog;
use issuer_gateway::store::url::PoolMode;
use issuer_gateway::store::{DatabaseUrl, Outcome, Store, StoreError, Writer, migrations};
use std::collections::BTreeSet;

fn url(bouncer: &Bouncer, database: &TestDatabase) -> DatabaseUrl {
    DatabaseUrl::parse(&bouncer.url(database.name())).unwrap()
}

#[test]
fn shared_sessions_are_refused_at_the_start() {
    let database = TestDatabase::new(Backend::Postgres);
    for mode in ["transaction", "statement"] {
        let bouncer = Bouncer::start(&database.url_text, mode);
        let url = url(&bouncer, &database);
        for refused in [migrations::run(&url), migrations::pending(&url)] {
            let error = refused.unwrap_err();
            assert_eq!(error.reason(), "database-unsupported", "{mode}: {error}");
            assert!(error.to_string().contains("pool_mode = session"));
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sessions_of_its_own_are_enough() {
    let database = TestDatabase::new(Backend::Postgres);
    let bouncer = Bouncer::start(&database.url_text, "session");
    let url = url(&bouncer, &database);
    assert_eq!(migrations::run(&url), Ok(Vec::new()));
    let rig = Rig::new(&database).await;
    let writer = Writer::start(&url, 2, 100, Backlog::default()).unwrap();
    let store = Store::open(&url, 2);
    assert_eq!(store.ping().await, Ok(()));
    let written = writer.commit(enrol(rig.user(ISSUER, PAN))).await;
    assert_eq!(written, Ok(Outcome::Done));
    assert_eq!(database.assert_whole(), 1);
}

/// What a session that serves others now still holds of a transaction of ours.
#[derive(QueryableByName)]
struct Setting {
    #[diesel(sql_type = Text)]
    t: String,
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_outlives_a_transaction_in_shared_sessions() {
    let database = TestDatabase::new(Backend::Postgres);
    let bouncer = Bouncer::start(&database.url_text, "transaction");
    let url = url(&bouncer, &database).pooled(PoolMode::Transaction);
    assert_eq!(migrations::pending(&url), Ok(Vec::new()));
    let error = migrations::run(&url).unwrap_err();
    assert!(
        error.to_string().contains("database.migrate_url"),
        "{error}"
    );
    let rig = Rig::new(&database).await;
    let writer = Writer::start(&url, 2, 100, Backlog::default()).unwrap();
    let store = Store::open(&url, 2);
    let written = writer.commit(enrol(rig.user(ISSUER, PAN))).await;
    assert_eq!(written, Ok(Outcome::Done));
    let during = settings(&store).await;
    let expected = ["1400ms", "1s", "5s", "0"].map(str::to_owned);
    assert_eq!(during, BTreeSet::from(expected));
    // Whoever gets the same sessions next.
    let mut next = PgConnection::establish(&bouncer.url(database.name())).unwrap();
    for _ in 0..8 {
        let left: Vec<Setting> = diesel::sql_query(SETTINGS).load(&mut next).unwrap();
        assert!(left.iter().all(|setting| setting.t == "0"));
    }
    assert_eq!(database.assert_whole(), 1);
}

/// The timeouts, and the number of statements that are prepared by name.
const SETTINGS: &str = "SELECT setting_of AS t FROM (VALUES (current_setting('statement_timeout')), \
    (current_setting('lock_timeout')), (current_setting('idle_in_transaction_session_timeout')), \
    ((SELECT count(*)::text FROM pg_prepared_statements))) AS settings (setting_of)";

async fn settings(store: &Store) -> BTreeSet<String> {
    let read = store.read(|conn| {
        let rows: Vec<Setting> = diesel::sql_query(SETTINGS).load(conn)?;
        Ok::<_, StoreError>(rows.into_iter().map(|row| row.t).collect())
    });
    read.await.unwrap()
}
