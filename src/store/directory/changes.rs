//! Changes of records. The [writer](crate::store::writer) runs them, many in one transaction; the
//! unique indexes decide who gets an e-mail address or an id.

use super::SealedRecord;
use crate::ids::AppId;
use crate::store::audit::AuditDraft;
use crate::store::connection::{self, AnyConnection, on_backend};
use crate::store::data_keys::FormerIndex;
use crate::store::error::StoreError;
use crate::store::fence;
use crate::store::pool::Store;
use crate::store::schema::{directory_apps, directory_keys, directory_users};
use diesel::dsl::case_when;
use diesel::prelude::*;
use diesel::result::{DatabaseErrorKind, Error as DieselError};
use std::collections::BTreeSet;

/// What a call does to one record.
#[derive(Debug, Clone)]
pub enum DirectoryChange {
    /// Makes it.
    Create(Box<NewRecord>),
    /// Sets some of its columns.
    Update(Box<RecordUpdate>),
    /// Erases it, and revokes its user tokens.
    Delete {
        /// The app.
        app_id: AppId,
        /// The record.
        klaim_id: String,
    },
}

/// A record to be made.
#[derive(Debug, Clone)]
pub struct NewRecord {
    /// Its row.
    pub row: SealedRecord,
    /// Another record that has one of these indexes still holds the same e-mail address: of
    /// the former index key, while an index rotation is under way, or as earlier versions made it.
    pub other_email_indexes: Vec<FormerIndex>,
}

/// A change of a record.
#[derive(Debug, Clone)]
pub struct RecordUpdate {
    /// The app.
    pub app_id: AppId,
    /// The record.
    pub klaim_id: String,
    /// What is set.
    pub set: Columns,
    /// As in [`NewRecord`], where `set` has an e-mail address.
    pub other_email_indexes: Vec<FormerIndex>,
}

/// New values of columns: `None` leaves a column as it is, `Some(None)` empties it. Byte columns
/// are sealed.
#[derive(Debug, Clone, Default, AsChangeset)]
#[diesel(table_name = directory_users)]
#[expect(
    missing_docs,
    reason = "the columns of `directory_users`, described in migrations/"
)]
pub struct Columns {
    pub user_id: Option<String>,
    pub name: Option<Option<Vec<u8>>>,
    pub first_name: Option<Option<Vec<u8>>>,
    pub last_name: Option<Option<Vec<u8>>>,
    pub username: Option<Vec<u8>>,
    pub email: Option<Option<Vec<u8>>>,
    pub metadata: Option<Vec<u8>>,
    /// Set together with `email`, as is its key version.
    pub email_index: Option<Option<Vec<u8>>>,
    pub email_index_key: Option<Option<i32>>,
    /// The data key that sealed them; the row keeps the lowest one that any of its columns uses.
    #[diesel(skip_update)]
    pub seal_key: i32,
    pub updated_at: i64,
}

/// What another record of the app has already.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Taken {
    /// The e-mail address.
    Email,
    /// The user id, or the number.
    CardholderId,
    /// The klaim id: made at random, so another one will do.
    KlaimId,
}

impl Taken {
    /// Stable id for logs and audit.
    pub fn reason(self) -> &'static str {
        match self {
            Self::Email => "email-taken",
            Self::CardholderId => "user-id-taken",
            Self::KlaimId => "klaim-id-taken",
        }
    }
}

/// What became of a change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Applied {
    /// Written.
    Done,
    /// There is no such record.
    Gone,
    /// Nothing was written.
    Taken(Taken),
}

impl DirectoryChange {
    /// The app concerned.
    pub fn app_id(&self) -> AppId {
        match self {
            Self::Create(new) => AppId(new.row.app_id),
            Self::Update(update) => update.app_id,
            Self::Delete { app_id, .. } => *app_id,
        }
    }

    /// The record concerned.
    pub fn klaim_id(&self) -> &str {
        match self {
            Self::Create(new) => &new.row.klaim_id,
            Self::Update(update) => &update.klaim_id,
            Self::Delete { klaim_id, .. } => klaim_id,
        }
    }

    fn other_email_indexes(&self) -> &[FormerIndex] {
        match self {
            Self::Create(new) => &new.other_email_indexes,
            Self::Update(update) => &update.other_email_indexes,
            Self::Delete { .. } => &[],
        }
    }
}

/// PostgreSQL: whoever changes records of an app holds its row, and takes several in one order.
/// Otherwise two transactions that want each other's e-mail address would wait for the deadlock
/// detector. SQLite has one writer anyway.
pub(in crate::store) fn lock_apps(
    conn: &mut AnyConnection,
    apps: impl Iterator<Item = AppId>,
) -> QueryResult<()> {
    let apps: BTreeSet<i32> = apps.map(|app_id| app_id.0).collect();
    if apps.is_empty() {
        return Ok(());
    }
    on_backend!(conn, c => {
        sqlite: {
            let _ = c;
        },
        postgres: {
            directory_apps::table
                .filter(directory_apps::app_id.eq_any(apps))
                .order(directory_apps::app_id)
                .select(directory_apps::app_id)
                .for_update()
                .load::<i32>(c)?;
        },
    });
    Ok(())
}

/// Writes one change; a unique key that is taken undoes this change alone.
///
/// The unique key does not see an address that another record still has under the former index key,
/// or in the form of earlier versions. Looking first is safe: the app is locked, nobody writes such
/// an index any more, and a record that moves to the new one between the look and the change was
/// seen.
pub(in crate::store) fn apply(
    conn: &mut AnyConnection,
    change: &DirectoryChange,
) -> QueryResult<Applied> {
    for other in change.other_email_indexes() {
        if is_held(conn, change, &other.index, other.key)? {
            return Ok(Applied::Taken(Taken::Email));
        }
    }
    match connection::savepoint(conn, |conn| write(conn, change)) {
        Ok(0) => Ok(Applied::Gone),
        Ok(_) => Ok(Applied::Done),
        Err(DieselError::DatabaseError(DatabaseErrorKind::UniqueViolation, _)) => {
            name_conflict(conn, change).map(Applied::Taken)
        }
        Err(error) => Err(error),
    }
}

fn write(conn: &mut AnyConnection, change: &DirectoryChange) -> QueryResult<usize> {
    match change {
        DirectoryChange::Create(new) => diesel::insert_into(directory_users::table)
            .values(&new.row)
            .execute(conn),
        DirectoryChange::Update(update) => {
            let (stored, new) = (directory_users::seal_key, update.set.seal_key);
            let lowest = case_when(stored.lt(new), stored).otherwise(new);
            diesel::update(directory_users::table.find((update.app_id.0, &update.klaim_id)))
                .set((&update.set, stored.eq(lowest)))
                .execute(conn)
        }
        DirectoryChange::Delete { app_id, klaim_id } => {
            diesel::delete(
                directory_keys::table
                    .filter(directory_keys::app_id.eq(app_id.0))
                    .filter(directory_keys::klaim_id.eq(klaim_id)),
            )
            .execute(conn)?;
            diesel::delete(directory_users::table.find((app_id.0, klaim_id))).execute(conn)
        }
    }
}

/// Whether another record of the app has this e-mail index.
fn is_held(
    conn: &mut AnyConnection,
    change: &DirectoryChange,
    index: &[u8],
    index_key: i32,
) -> QueryResult<bool> {
    let holders: i64 = directory_users::table
        .filter(directory_users::app_id.eq(change.app_id().0))
        .filter(directory_users::klaim_id.ne(change.klaim_id()))
        .filter(directory_users::email_index_key.eq(index_key))
        .filter(directory_users::email_index.eq(index))
        .count()
        .get_result(conn)?;
    Ok(holders > 0)
}

/// The index has decided; this only tells which one, the e-mail's first (cce-api.md B2). A database
/// names one of several broken keys at its own choice.
fn name_conflict(conn: &mut AnyConnection, change: &DirectoryChange) -> QueryResult<Taken> {
    let (klaim_id, index, index_key, user_id, number) = match change {
        DirectoryChange::Create(new) => (
            &new.row.klaim_id,
            new.row.email_index.as_ref(),
            new.row.email_index_key,
            Some(&new.row.user_id),
            new.row.number,
        ),
        DirectoryChange::Update(update) => (
            &update.klaim_id,
            update.set.email_index.as_ref().and_then(Option::as_ref),
            update.set.email_index_key.flatten(),
            update.set.user_id.as_ref(),
            None,
        ),
        DirectoryChange::Delete { .. } => return Ok(Taken::KlaimId),
    };
    let others = || {
        directory_users::table
            .filter(directory_users::app_id.eq(change.app_id().0))
            .filter(directory_users::klaim_id.ne(klaim_id))
    };
    if let (Some(index), Some(index_key)) = (index, index_key)
        && is_held(conn, change, index, index_key)?
    {
        return Ok(Taken::Email);
    }
    if let Some(user_id) = user_id {
        let holders: i64 = others()
            .filter(directory_users::user_id.eq(user_id))
            .count()
            .get_result(conn)?;
        if holders > 0 {
            return Ok(Taken::CardholderId);
        }
    }
    if let Some(number) = number {
        let holders: i64 = others()
            .filter(directory_users::number.eq(number))
            .count()
            .get_result(conn)?;
        if holders > 0 {
            return Ok(Taken::CardholderId);
        }
    }
    Ok(Taken::KlaimId)
}

impl Store {
    /// Writes one change with its audit entry, outside of the writer: for commands. `sealed_under`
    /// is the generation of the data keys that sealed it.
    ///
    /// # Errors
    /// [`StoreError::Busy`] if the data keys have changed meanwhile: to be sealed and tried again.
    pub async fn change_directory(
        &self,
        change: DirectoryChange,
        sealed_under: i64,
        audit: AuditDraft,
    ) -> Result<Applied, StoreError> {
        self.operate(audit, move |conn, audit| {
            fence::join(conn)?;
            if fence::generation(conn)? != sealed_under {
                return Err(StoreError::Busy);
            }
            lock_apps(conn, std::iter::once(change.app_id()))?;
            let applied = apply(conn, &change)?;
            match applied {
                Applied::Done => {}
                Applied::Gone => audit.refuse("user-not-found"),
                Applied::Taken(taken) => audit.refuse(taken.reason()),
            }
            Ok(applied)
        })
        .await
    }
}
