//! The wrapped data keys: versioned, one primary per purpose.

use super::audit::AuditDraft;
use super::connection::{AnyConnection, on_backend};
use super::error::StoreError;
use super::pool::Store;
use super::schema::data_keys;
use diesel::prelude::*;

/// A row of `data_keys`.
#[derive(Debug, Clone, PartialEq, Eq, Queryable, Selectable, Insertable)]
#[diesel(table_name = data_keys)]
pub struct DataKeyRow {
    /// `seal` or `index`.
    pub purpose: String,
    /// From 1.
    pub version: i32,
    /// `primary`, `active` or `retired`.
    pub state: String,
    /// The id of the KEK that wrapped it.
    pub kek_id: String,
    /// The key, encrypted under the KEK.
    pub wrapped: Vec<u8>,
    /// Microseconds since 1970 UTC.
    pub created_at: i64,
}

impl Store {
    /// Every data key, by purpose and version.
    pub async fn data_keys(&self) -> Result<Vec<DataKeyRow>, StoreError> {
        self.read(|conn| {
            let keys = data_keys::table
                .order((data_keys::purpose, data_keys::version))
                .select(DataKeyRow::as_select())
                .load(conn)?;
            Ok(keys)
        })
        .await
    }

    /// Inserts the keys whose purpose and version are free, with an audit entry each; the others stay as they are. Two
    /// nodes may do this at once: read again to see who won.
    pub async fn insert_data_keys_if_absent(
        &self,
        keys: Vec<DataKeyRow>,
    ) -> Result<(), StoreError> {
        let insert = move |conn: &mut AnyConnection| {
            let mut drafts = Vec::new();
            for key in &keys {
                if insert_if_absent(conn, key)? > 0 {
                    drafts.push(AuditDraft {
                        subject: Some(format!("{} {}", key.purpose, key.version)),
                        detail: Some(key.state.clone()),
                        ..AuditDraft::local("data-key.create")
                    });
                }
            }
            Ok::<_, StoreError>(((), drafts))
        };
        self.with_trail(insert).await
    }
}

fn insert_if_absent(conn: &mut AnyConnection, key: &DataKeyRow) -> QueryResult<usize> {
    on_backend!(conn, c => {
        sqlite: diesel::insert_into(data_keys::table).values(key).on_conflict_do_nothing().execute(c),
        postgres: diesel::insert_into(data_keys::table).values(key).on_conflict_do_nothing().execute(c),
    })
}
