//! What a PostgreSQL server says of itself is told by SQLSTATE, in whatever language, to a role
//! without privileges.

use crate::fixture::{ISSUER, PAN, Rig, enrol};
use crate::support::{Backend, TestDatabase, postgres_env};
use diesel::{QueryResult, RunQueryDsl, sql_query};
use issuer_gateway::queue::Backlog;
use issuer_gateway::store::{DatabaseUrl, Outcome, Store, StoreError, Writer};

/// A database whose server speaks German, and the URL of a role that may do nothing but use it.
fn german() -> (TestDatabase, DatabaseUrl, Role) {
    let locale = postgres_env("ISSUER_GATEWAY_TEST_PG_GERMAN");
    let database = TestDatabase::new(Backend::Postgres);
    let name = format!("r_{}", uuid::Uuid::new_v4().simple());
    database.execute(&format!(
        "CREATE ROLE {name} LOGIN; GRANT ALL ON ALL TABLES IN SCHEMA public TO {name}; \
         GRANT ALL ON ALL SEQUENCES IN SCHEMA public TO {name}; \
         ALTER ROLE {name} SET lc_messages = '{locale}'; ALTER ROLE {name} SET temp_file_limit = '64kB'"
    ));
    let url = database
        .url_text
        .replacen("postgres@", &format!("{name}@"), 1);
    (database, DatabaseUrl::parse(&url).unwrap(), Role(name))
}

/// Dropped at the end; roles belong to the cluster.
struct Role(String);

impl Drop for Role {
    fn drop(&mut self) {
        let database = TestDatabase::empty(Backend::Postgres);
        database.execute(&format!("ALTER ROLE {} NOLOGIN", self.0));
    }
}

async fn run(store: &Store, sql: &str) -> StoreError {
    let sql = sql.to_owned();
    let ran = store.read(move |conn| {
        sql_query(&sql).execute(conn)?;
        Ok(())
    });
    ran.await.unwrap_err()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_german_server_is_understood() {
    let (database, url, _role) = german();
    let store = Store::open(&url, 2);
    let german = store.read(|conn| {
        let said: QueryResult<usize> = sql_query("SELECT 1/0").execute(conn);
        Ok(said.unwrap_err().to_string())
    });
    assert_eq!(german.await.unwrap(), "Division durch Null");

    // Those that the server raises by itself.
    let timeout = run(&store, "SELECT pg_sleep(60)").await;
    assert_eq!(timeout, StoreError::Timeout);
    let files = run(
        &store,
        "SELECT count(*) FROM (SELECT generate_series(1, 2000000) AS n ORDER BY n DESC) AS x",
    )
    .await;
    assert_eq!(files.reason(), "database-unavailable", "{files:?}");
    let ended = run(&store, "SELECT pg_terminate_backend(pg_backend_pid())").await;
    assert_eq!(ended.reason(), "database-unavailable", "{ended:?}");
    let lock = database.lock();
    let locked = run(&store, "SELECT count(*) FROM oauth_nonces").await;
    drop(lock);
    assert_eq!(locked, StoreError::Busy);
    let read_only = store.read(|conn| {
        sql_query("SET default_transaction_read_only = on").execute(conn)?;
        let written = sql_query("DELETE FROM oauth_nonces").execute(conn);
        sql_query("RESET default_transaction_read_only").execute(conn)?;
        written?;
        Ok(())
    });
    assert_eq!(
        read_only.await.unwrap_err().reason(),
        "database-unavailable"
    );

    // Those that a test cannot bring about: raised in their place, under their number.
    for (state, reason) in [
        ("40P01", "database-busy"),
        ("53100", "database-unavailable"),
        ("53200", "database-unavailable"),
        ("55000", "database-busy"),
        ("57P03", "database-unavailable"),
        ("58030", "database-unavailable"),
        ("22001", "database-internal"),
        ("XX001", "database-internal"),
    ] {
        let raise =
            format!("DO $$ BEGIN RAISE EXCEPTION 'Hoppla' USING ERRCODE = '{state}'; END $$");
        let error = run(&store, &raise).await;
        assert_eq!(error.reason(), reason, "{state}: {error:?}");
        assert!(!format!("{error} {error:?}").contains("Hoppla"));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_disk_is_not_the_requests_fault_and_passes() {
    let (database, url, _role) = german();
    let rig = Rig::new(&database).await;
    let writer = Writer::start(&url, 1, 100, Backlog::default()).unwrap();
    database.execute(
        "CREATE FUNCTION full_disk() RETURNS trigger LANGUAGE plpgsql AS \
         $$ BEGIN RAISE EXCEPTION 'kann nicht schreiben' USING ERRCODE = '53100'; END $$; \
         CREATE TRIGGER full_disk BEFORE INSERT ON users EXECUTE FUNCTION full_disk(); \
         CREATE CONSTRAINT TRIGGER full_at_commit AFTER INSERT ON scoring_jobs DEFERRABLE INITIALLY DEFERRED \
         FOR EACH ROW EXECUTE FUNCTION full_disk()",
    );
    for trigger in ["full_disk ON users", "full_at_commit ON scoring_jobs"] {
        let refused = writer.commit(enrol(rig.user(ISSUER, PAN))).await;
        let full = StoreError::Unavailable("the disk is full".into());
        assert_eq!(refused, Err(full), "{trigger}");
        // Known not to be written, the connection stays.
        let health = writer.health();
        assert_eq!((health.in_doubt, health.connected), (0, 1), "{trigger}");
        assert!(health.last_failure > health.last_commit);
        database.execute(&format!("DROP TRIGGER {trigger}"));
    }
    let written = writer.commit(enrol(rig.user(ISSUER, PAN))).await;
    assert_eq!(written, Ok(Outcome::Done));
    assert_eq!(database.assert_whole(), 1);
}
