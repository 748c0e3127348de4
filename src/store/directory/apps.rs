//! Apps of the users API and their keys. A key is known by its hash alone.

use crate::ids::AppId;
use crate::store::audit::AuditDraft;
use crate::store::error::StoreError;
use crate::store::pool::Store;
use crate::store::schema::{directory_apps, directory_keys, directory_users};
use diesel::prelude::*;

/// A new key, as it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewKey {
    /// SHA-256 of the whole key.
    pub key_hash: Vec<u8>,
    /// Its name in listings and audit trail.
    pub key_id: String,
    /// Microseconds since 1970 UTC.
    pub created_at: i64,
}

/// Whom a key belongs to.
#[derive(Debug, Clone, PartialEq, Eq, Queryable)]
pub struct KeyOwner {
    /// The app's number.
    pub app_id: i32,
    /// The app's name.
    pub app_name: String,
    /// SHA-256 of the whole key.
    pub key_hash: Vec<u8>,
    /// Its name in listings and audit trail.
    pub key_id: String,
    /// The one record that a user token reaches; `None` for an app key.
    pub klaim_id: Option<String>,
}

/// An app.
#[derive(Debug, Clone, PartialEq, Eq, Queryable, Selectable)]
#[diesel(table_name = directory_apps)]
pub struct AppRow {
    /// Its number.
    pub app_id: i32,
    /// The operator's name for it.
    pub name: String,
    /// Whether `/users?id=` needs no key.
    pub anonymous: bool,
    /// Microseconds since 1970 UTC.
    pub created_at: i64,
}

/// A key in a listing.
#[derive(Debug, Clone, PartialEq, Eq, Queryable, Selectable)]
#[diesel(table_name = directory_keys)]
pub struct KeyRow {
    /// The app's number.
    pub app_id: i32,
    /// Its name.
    pub key_id: String,
    /// The one record that a user token reaches; `None` for an app key.
    pub klaim_id: Option<String>,
    /// Microseconds since 1970 UTC.
    pub created_at: i64,
}

/// What became of issuing a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Issued {
    /// It is stored.
    Done,
    /// There is no app of this name.
    UnknownApp,
    /// The app has no such user.
    UnknownUser,
}

impl Store {
    /// Makes an app with its first key.
    ///
    /// # Errors
    /// [`StoreError::Duplicate`] if the name is taken, or an app is anonymous already.
    pub async fn add_directory_app(
        &self,
        name: &str,
        anonymous: bool,
        key: NewKey,
        audit: AuditDraft,
    ) -> Result<AppId, StoreError> {
        let name = name.to_owned();
        self.operate(audit, move |conn, _| {
            let app_id: i32 = diesel::insert_into(directory_apps::table)
                .values((
                    directory_apps::name.eq(&name),
                    directory_apps::anonymous.eq(anonymous),
                    directory_apps::created_at.eq(key.created_at),
                ))
                .returning(directory_apps::app_id)
                .get_result(conn)?;
            insert_key(conn, app_id, None, &key)?;
            Ok(AppId(app_id))
        })
        .await
    }

    /// Every app, by name.
    pub async fn directory_apps(&self) -> Result<Vec<AppRow>, StoreError> {
        self.read(|conn| {
            let apps = directory_apps::table
                .order(directory_apps::name)
                .select(AppRow::as_select())
                .load(conn)?;
            Ok(apps)
        })
        .await
    }

    /// Every key of an app, the oldest first.
    pub async fn directory_keys(&self, app_id: AppId) -> Result<Vec<KeyRow>, StoreError> {
        self.read(move |conn| {
            let keys = directory_keys::table
                .filter(directory_keys::app_id.eq(app_id.0))
                .order((directory_keys::created_at, directory_keys::key_id))
                .select(KeyRow::as_select())
                .load(conn)?;
            Ok(keys)
        })
        .await
    }

    /// Stores a token for one user of an app, or, without `user_id`, another key of the app.
    pub async fn issue_directory_key(
        &self,
        app: &str,
        user_id: Option<&str>,
        key: NewKey,
        audit: AuditDraft,
    ) -> Result<Issued, StoreError> {
        let (app, user_id) = (app.to_owned(), user_id.map(str::to_owned));
        self.operate(audit, move |conn, audit| {
            let app_id: Option<i32> = directory_apps::table
                .filter(directory_apps::name.eq(&app))
                .select(directory_apps::app_id)
                .first(conn)
                .optional()?;
            let Some(app_id) = app_id else {
                audit.refuse("app-not-found");
                return Ok(Issued::UnknownApp);
            };
            let mut klaim_id = None;
            if let Some(user_id) = &user_id {
                klaim_id = directory_users::table
                    .filter(directory_users::app_id.eq(app_id))
                    .filter(directory_users::user_id.eq(user_id))
                    .select(directory_users::klaim_id)
                    .first::<String>(conn)
                    .optional()?;
                if klaim_id.is_none() {
                    audit.refuse("user-not-found");
                    return Ok(Issued::UnknownUser);
                }
            }
            audit.subject.clone_from(&klaim_id);
            insert_key(conn, app_id, klaim_id, &key)?;
            Ok(Issued::Done)
        })
        .await
    }

    /// Revokes a key by its id; false if there is none.
    pub async fn revoke_directory_key(
        &self,
        key_id: &str,
        audit: AuditDraft,
    ) -> Result<bool, StoreError> {
        let key_id = key_id.to_owned();
        self.operate(audit, move |conn, audit| {
            let revoked =
                diesel::delete(directory_keys::table.filter(directory_keys::key_id.eq(&key_id)))
                    .execute(conn)?;
            if revoked == 0 {
                audit.refuse("key-not-found");
            }
            Ok(revoked == 1)
        })
        .await
    }

    /// The owner of the key with this hash.
    pub async fn find_directory_key(
        &self,
        key_hash: [u8; 32],
    ) -> Result<Option<KeyOwner>, StoreError> {
        self.read(move |conn| {
            let owner = directory_keys::table
                .inner_join(
                    directory_apps::table.on(directory_apps::app_id.eq(directory_keys::app_id)),
                )
                .filter(directory_keys::key_hash.eq(key_hash.as_slice()))
                .select((
                    directory_apps::app_id,
                    directory_apps::name,
                    directory_keys::key_hash,
                    directory_keys::key_id,
                    directory_keys::klaim_id,
                ))
                .first(conn)
                .optional()?;
            Ok(owner)
        })
        .await
    }

    /// The app that calls without a key belong to, if there is one.
    pub async fn anonymous_directory_app(&self) -> Result<Option<AppRow>, StoreError> {
        self.read(|conn| {
            let app = directory_apps::table
                .filter(directory_apps::anonymous.eq(true))
                .select(AppRow::as_select())
                .first(conn)
                .optional()?;
            Ok(app)
        })
        .await
    }
}

fn insert_key(
    conn: &mut crate::store::connection::AnyConnection,
    app_id: i32,
    klaim_id: Option<String>,
    key: &NewKey,
) -> QueryResult<usize> {
    diesel::insert_into(directory_keys::table)
        .values((
            directory_keys::key_hash.eq(&key.key_hash),
            directory_keys::key_id.eq(&key.key_id),
            directory_keys::app_id.eq(app_id),
            directory_keys::klaim_id.eq(klaim_id),
            directory_keys::created_at.eq(key.created_at),
        ))
        .execute(conn)
}
