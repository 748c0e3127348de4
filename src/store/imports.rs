//! How far imports of files have come, so that one that was killed goes on where it was.

use super::connection::AnyConnection;
use super::error::StoreError;
use super::now;
use super::pool::Store;
use super::schema::transaction_imports as table;
use crate::store::audit::AuditDraft;
use diesel::prelude::*;

/// Imports that nobody has gone on with for so long are forgotten: 90 days, in microseconds.
const FORGOTTEN: i64 = 90 * 24 * 3_600 * 1_000_000;

/// Which import: the file and the options, and the process that works on it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImportRun {
    /// SHA-256 of the file's size and beginning and of the options.
    pub key: [u8; 32],
    /// This process; another one that begins the same import takes it over.
    pub run: String,
}

/// What is done of an import.
#[derive(Debug, Clone, PartialEq, Eq, Queryable, Insertable, AsChangeset)]
#[diesel(table_name = table)]
pub struct ImportMark {
    /// Bytes of the file.
    pub position: i64,
    /// The last line or message of those.
    pub record: i64,
    /// SHA-256 of those bytes.
    pub digest: Vec<u8>,
    /// Records by outcome: the caller's text.
    pub counts: String,
    /// Bytes of the file of rejects.
    pub rejects: i64,
}

/// Why a mark was not written.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum ImportError {
    /// The database's words.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Another process works on the same import now.
    #[error("another process has begun to import the same file")]
    TakenOver,
}

impl From<diesel::result::Error> for ImportError {
    fn from(error: diesel::result::Error) -> Self {
        Self::Store(error.into())
    }
}

/// Writes the mark in the running transaction, if the import is still this process's.
pub fn save(
    conn: &mut AnyConnection,
    import: &ImportRun,
    mark: &ImportMark,
) -> Result<(), ImportError> {
    let rows = diesel::update(table::table.find(import.key.as_slice()))
        .filter(table::run.eq(&import.run))
        .set((mark, table::updated_at.eq(now())))
        .execute(conn)?;
    if rows == 0 {
        return Err(ImportError::TakenOver);
    }
    Ok(())
}

impl Store {
    /// Begins an import, or takes it over where another process has left it.
    pub async fn begin_import(&self, import: ImportRun) -> Result<Option<ImportMark>, StoreError> {
        self.maintain(move |conn| {
            diesel::delete(table::table)
                .filter(table::updated_at.lt(now().saturating_sub(FORGOTTEN)))
                .execute(conn)?;
            let rows = diesel::update(table::table.find(import.key.as_slice()))
                .set(table::run.eq(&import.run))
                .execute(conn)?;
            if rows == 0 {
                diesel::insert_into(table::table)
                    .values((
                        table::import_key.eq(import.key.as_slice()),
                        table::run.eq(&import.run),
                        ImportMark {
                            position: 0,
                            record: 0,
                            digest: Vec::new(),
                            counts: String::new(),
                            rejects: 0,
                        },
                        table::updated_at.eq(now()),
                    ))
                    .execute(conn)?;
                return Ok(None);
            }
            let mark: ImportMark = table::table
                .find(import.key.as_slice())
                .select((
                    table::position,
                    table::record,
                    table::digest,
                    table::counts,
                    table::rejects,
                ))
                .first(conn)?;
            Ok((mark.position > 0).then_some(mark))
        })
        .await
    }

    /// Writes the mark by itself.
    pub async fn save_import(
        &self,
        import: ImportRun,
        mark: ImportMark,
    ) -> Result<(), ImportError> {
        let saved = self.maintain(move |conn| match save(conn, &import, &mark) {
            Ok(()) => Ok(true),
            Err(ImportError::TakenOver) => Ok(false),
            Err(ImportError::Store(error)) => Err(error),
        });
        saved.await?.then_some(()).ok_or(ImportError::TakenOver)
    }

    /// Forgets an import that has come to its end, with the audit entry that tells it.
    pub async fn end_import(
        &self,
        import: ImportRun,
        draft: AuditDraft,
    ) -> Result<(), ImportError> {
        self.operate(draft, move |conn, _| {
            let rows = diesel::delete(table::table.find(import.key.as_slice()))
                .filter(table::run.eq(&import.run))
                .execute(conn)?;
            if rows == 0 {
                return Err(ImportError::TakenOver);
            }
            Ok(())
        })
        .await
    }
}
