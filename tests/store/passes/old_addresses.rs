//! Blind indexes that an earlier version made of e-mail addresses: they still keep an address from
//! being given twice, `verify` names them, and `reindex` makes them anew.

use super::rows::{directory_app, enrol_one, record};
use super::{assert_verified, reindex, reindex_telling, verify_telling};
use crate::fixture::{ISSUER, Rig, draft};
use crate::on_both;
use crate::support::{Backend, TestDatabase};
use issuer_gateway::ids::{AppId, OwnerId};
use issuer_gateway::rotation::primary::begin_index_rotation;
use issuer_gateway::store::directory::changes::{
    Applied, Columns, DirectoryChange, RecordUpdate, Taken,
};
use issuer_gateway::vault::{BlindIndex, Place, SealedColumn};

on_both!(
    an_old_index_is_made_anew,
    an_old_index_still_holds_its_address,
    two_records_that_are_one_now_are_named_and_left,
);

/// Composed in today's index, as it was sent in that of before.
const ADDRESS: &str = "zoe\u{308}@münchen.example";

fn literal(backend: Backend, index: &BlindIndex) -> String {
    let hex = hex::encode(index.bytes);
    match backend {
        Backend::Sqlite => format!("X'{hex}'"),
        Backend::Postgres => format!("'\\x{hex}'"),
    }
}

/// A record whose index is as an earlier version made it.
async fn old_record(
    rig: &Rig,
    database: &TestDatabase,
    backend: Backend,
    app: AppId,
    number: usize,
) {
    record(rig, app, number, Some(ADDRESS)).await;
    let old = rig
        .vault
        .current()
        .old_email_indexes(OwnerId::App(app), ADDRESS);
    database.execute(&format!(
        "UPDATE directory_users SET email_index = {} WHERE user_id = '{number}'",
        literal(backend, &old[0])
    ));
}

async fn an_old_index_is_made_anew(backend: Backend) {
    let database = TestDatabase::new(backend);
    let rig = Rig::new(&database).await;
    let app = directory_app(&rig).await;
    old_record(&rig, &database, backend, app, 1).await;
    // A cardholder's likewise.
    let cardholder = enrol_one(&rig, 1).await;
    let keys = rig.vault.current();
    let place = Place::of_issuer(ISSUER, cardholder.as_str(), SealedColumn::CardholderEmail);
    let email = format!("{{\"value\":\"{ADDRESS}\"}}");
    let email = hex::encode(keys.seal(place, email.as_bytes()).unwrap().bytes);
    let email = match backend {
        Backend::Sqlite => format!("X'{email}'"),
        Backend::Postgres => format!("'\\x{email}'"),
    };
    let old = keys.old_email_indexes(OwnerId::Issuer(ISSUER), ADDRESS);
    database.execute(&format!(
        "UPDATE users SET email = {email}, email_index = {}",
        literal(backend, &old[0])
    ));

    let (verified, misfits) = verify_telling(&rig).await;
    assert_eq!(verified.misfits, 2);
    for misfit in misfits {
        assert!(
            misfit.contains("earlier version; run `vault rotate-index`"),
            "{misfit}"
        );
    }
    begin_index_rotation(&rig.store, &rig.vault).await.unwrap();
    assert_eq!(reindex(&rig).await.retired, [1]);
    assert_verified(&rig).await;
    let keys = rig.vault.current();
    for (table, index) in [
        (
            "directory_users",
            keys.app_email_index(app, "ZOË@xn--mnchen-3ya.example"),
        ),
        (
            "users",
            keys.email_index(ISSUER, "ZOË@xn--mnchen-3ya.example"),
        ),
    ] {
        let found = format!("{table} WHERE email_index = {}", literal(backend, &index));
        assert_eq!(database.count(&found), 1, "{table}");
    }
}

async fn an_old_index_still_holds_its_address(backend: Backend) {
    let database = TestDatabase::new(backend);
    let rig = Rig::new(&database).await;
    let app = directory_app(&rig).await;
    old_record(&rig, &database, backend, app, 1).await;
    record(&rig, app, 2, None).await;
    let take = async || {
        let keys = rig.vault.current();
        let index = keys.app_email_index(app, ADDRESS);
        let mut others = keys.old_email_indexes(OwnerId::App(app), ADDRESS);
        others.extend(keys.former_app_email_index(app, ADDRESS));
        let update = RecordUpdate {
            app_id: app,
            klaim_id: "1753306133860_00002".to_owned(),
            set: Columns {
                email_index: Some(Some(index.bytes.to_vec())),
                email_index_key: Some(Some(index.key_version)),
                seal_key: keys.seal_version(),
                updated_at: 2,
                ..Columns::default()
            },
            other_email_indexes: others.into_iter().map(Into::into).collect(),
        };
        let change = DirectoryChange::Update(Box::new(update));
        let audit = draft("directory.update");
        let changed = rig.store.change_directory(change, keys.generation(), audit);
        changed.await.unwrap()
    };
    assert_eq!(take().await, Applied::Taken(Taken::Email));
    begin_index_rotation(&rig.store, &rig.vault).await.unwrap();
    assert_eq!(take().await, Applied::Taken(Taken::Email));
    reindex(&rig).await;
    assert_eq!(take().await, Applied::Taken(Taken::Email));
}

async fn two_records_that_are_one_now_are_named_and_left(backend: Backend) {
    let database = TestDatabase::new(backend);
    let rig = Rig::new(&database).await;
    let app = directory_app(&rig).await;
    old_record(&rig, &database, backend, app, 1).await;
    record(&rig, app, 2, Some(ADDRESS)).await;
    begin_index_rotation(&rig.store, &rig.vault).await.unwrap();
    let (passed, misfits) = reindex_telling(&rig).await;
    assert_eq!(
        (passed.rows, passed.misfits, passed.retired),
        (1, 1, Vec::new())
    );
    assert!(
        misfits[0].contains("another row has the same value"),
        "{misfits:?}"
    );
    // The app deletes one of the two, or gives it another address.
    database.execute("DELETE FROM directory_users WHERE user_id = '2'");
    assert_eq!(reindex(&rig).await.retired, [1]);
    assert_verified(&rig).await;
}
