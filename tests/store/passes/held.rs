//! What somebody else has locked is left for later, and no reason to give up.

use super::rows::{enrol_many, unwatched};
use super::{assert_verified, limits, versions};
use crate::fixture::Rig;
use crate::on_both;
use crate::support::{Backend, TestDatabase};
use diesel::connection::SimpleConnection;
use diesel::{Connection, PgConnection};
use issuer_gateway::rotation;
use issuer_gateway::rotation::Event;
use issuer_gateway::rotation::primary::rotate_seal;
use std::pin::pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};
use tokio::time::timeout;

on_both!(a_pass_waits_for_what_others_hold);

async fn a_pass_waits_for_what_others_hold(backend: Backend) {
    let database = TestDatabase::new(backend);
    let rig = Rig::new(&database).await;
    let ids = enrol_many(&rig, 0..5).await;
    rotate_seal(&rig.store, &rig.vault).await.unwrap();
    // PostgreSQL: one row. SQLite: the whole file.
    let (lock, row) = match backend {
        Backend::Sqlite => (Some(database.lock()), None),
        Backend::Postgres => {
            let mut conn = PgConnection::establish(&database.url_text).unwrap();
            let id = ids[2].as_str();
            conn.batch_execute(&format!(
                "BEGIN; SELECT 1 FROM users WHERE user_id = '{id}' FOR UPDATE"
            ))
            .unwrap();
            (None, Some(conn))
        }
    };
    let written = AtomicU64::new(0);
    let mut observer = |event: Event<'_>| {
        if let Event::Rows(rows) = event {
            written.fetch_add(rows, Ordering::Relaxed);
        }
    };
    let passing = rotation::reseal(&rig.store, &rig.vault, limits(2), &mut observer);
    let mut passing = pin!(passing);
    // It cannot end, however long it is given; what matters is that it does not give up.
    let mut hold = async |time| {
        let held = timeout(time, &mut passing).await;
        assert!(held.is_err(), "{held:?}");
    };
    match backend {
        // Longer than a connection waits for the file.
        Backend::Sqlite => hold(Duration::from_millis(2_500)).await,
        // The row's neighbours do not wait for it.
        Backend::Postgres => {
            let give_up = Instant::now() + Duration::from_secs(60);
            while written.load(Ordering::Relaxed) < 9 {
                assert!(Instant::now() < give_up);
                hold(Duration::from_millis(20)).await;
            }
        }
    }
    drop((lock, row));
    let passed = passing.await.unwrap();
    assert_eq!((passed.rows, passed.retired), (10, vec![1]));
    assert_eq!(versions(&rig.store).await.0, [2]);
    assert_eq!(assert_verified(&rig).await, 10);
    let again = rotation::reseal(&rig.store, &rig.vault, limits(2), &mut unwatched).await;
    assert_eq!(again.unwrap().rows, 0);
}
