//! The users API's tables: apps and keys ([`apps`]), records as they are read (here) and changed
//! ([`changes`]).

pub mod apps;
pub mod changes;

use super::error::StoreError;
use super::pool::Store;
use super::schema::directory_users;
use crate::ids::AppId;
use diesel::prelude::*;

/// A record, sealed as stored.
#[derive(Debug, Clone, PartialEq, Eq, Queryable, Selectable, Insertable)]
#[diesel(table_name = directory_users)]
#[expect(
    missing_docs,
    reason = "the columns of `directory_users`, described in migrations/"
)]
pub struct SealedRecord {
    pub app_id: i32,
    pub klaim_id: String,
    pub user_id: String,
    pub number: Option<i64>,
    pub name: Option<Vec<u8>>,
    pub first_name: Option<Vec<u8>>,
    pub last_name: Option<Vec<u8>>,
    pub username: Option<Vec<u8>>,
    pub email: Option<Vec<u8>>,
    pub metadata: Option<Vec<u8>>,
    pub email_index: Option<Vec<u8>>,
    pub email_index_key: Option<i32>,
    pub seal_key: i32,
    pub created_at: i64,
    pub updated_at: i64,
}

impl Store {
    /// The app's record with this user id, if there is one.
    pub async fn directory_record(
        &self,
        app_id: AppId,
        user_id: &str,
    ) -> Result<Option<SealedRecord>, StoreError> {
        let user_id = user_id.to_owned();
        self.read(move |conn| {
            let record = directory_users::table
                .filter(directory_users::app_id.eq(app_id.0))
                .filter(directory_users::user_id.eq(&user_id))
                .select(SealedRecord::as_select())
                .first(conn)
                .optional()?;
            Ok(record)
        })
        .await
    }

    /// The app's record of this number: the one created under it, else the one whose user id is its
    /// decimal.
    pub async fn directory_record_by_number(
        &self,
        app_id: AppId,
        number: i64,
    ) -> Result<Option<SealedRecord>, StoreError> {
        let found = self
            .read(move |conn| {
                let record = directory_users::table
                    .filter(directory_users::app_id.eq(app_id.0))
                    .filter(directory_users::number.eq(number))
                    .select(SealedRecord::as_select())
                    .first(conn)
                    .optional()?;
                Ok(record)
            })
            .await?;
        match found {
            Some(record) => Ok(Some(record)),
            None => self.directory_record(app_id, &number.to_string()).await,
        }
    }
}
