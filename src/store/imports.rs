//! How far imports of files have come, so that one that was killed goes on where it was.

use super::connection::AnyConnection;
use super::error::StoreError;
use super::fence;
use super::now;
use super::pool::Store;
use super::schema::transaction_imports as table;
use super::transactions::Posting;
use super::writer::postings;
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
#[derive(Debug, Clone, Default, PartialEq, Eq, Queryable, Insertable, AsChangeset)]
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
    /// The data keys have changed since the batch was sealed and indexed; nothing was written.
    #[error("the data keys have changed")]
    KeysChanged,
    /// What the caller had to do before the commit has failed; nothing was written.
    #[error("the file of rejects cannot be written: {0}")]
    Aborted(String),
    /// A rehearsal has come to its end, and is rolled back.
    #[error("rehearsed")]
    Rehearsed,
}

impl From<diesel::result::Error> for ImportError {
    fn from(error: diesel::result::Error) -> Self {
        Self::Store(error.into())
    }
}

fn mark_of(conn: &mut AnyConnection, key: &[u8; 32]) -> QueryResult<Option<ImportMark>> {
    table::table
        .find(key.as_slice())
        .select((
            table::position,
            table::record,
            table::digest,
            table::counts,
            table::rejects,
        ))
        .first(conn)
        .optional()
}

/// Writes the mark in the running transaction, if the import is still this process's.
fn save(
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
    /// Begins an import, or takes it over where another process has left it; `draft` tells it in
    /// the audit trail.
    pub async fn begin_import(
        &self,
        import: ImportRun,
        draft: AuditDraft,
    ) -> Result<Option<ImportMark>, StoreError> {
        self.operate(draft, move |conn, _| {
            diesel::delete(table::table)
                .filter(table::updated_at.lt(now().saturating_sub(FORGOTTEN)))
                .execute(conn)?;
            let mark = mark_of(conn, &import.key)?;
            if mark.is_some() {
                diesel::update(table::table.find(import.key.as_slice()))
                    .set(table::run.eq(&import.run))
                    .execute(conn)?;
            } else {
                diesel::insert_into(table::table)
                    .values((
                        table::import_key.eq(import.key.as_slice()),
                        table::run.eq(&import.run),
                        ImportMark::default(),
                        table::updated_at.eq(now()),
                    ))
                    .execute(conn)?;
            }
            Ok(mark.filter(|mark| mark.position > 0))
        })
        .await
    }

    /// How far an import is.
    pub async fn import_mark(&self, key: [u8; 32]) -> Result<Option<ImportMark>, StoreError> {
        self.read(move |conn| Ok(mark_of(conn, &key)?)).await
    }

    /// Enters the postings of a batch, which were sealed under the data keys of `generation`, and
    /// the mark that `settle` makes of what became of them.
    ///
    /// # Errors
    /// Nothing is written, but for a lost connection: see [`Store::import_mark`] then.
    pub async fn import_batch(
        &self,
        import: ImportRun,
        generation: i64,
        postings: Vec<Posting>,
        settle: impl FnOnce() -> Result<ImportMark, String> + Send + 'static,
    ) -> Result<(), ImportError> {
        self.at_length(move |conn| {
            fence::join(conn)?;
            if fence::generation(conn)? != generation {
                return Err(ImportError::KeysChanged);
            }
            let postings: Vec<&Posting> = postings.iter().collect();
            postings::enter(conn, &postings, true)?;
            save(conn, &import, &settle().map_err(ImportError::Aborted)?)
        })
        .await
    }

    /// Finds out what would become of these postings, and writes nothing.
    pub async fn rehearse_batch(&self, postings: Vec<Posting>) -> Result<(), StoreError> {
        let rehearsed = self.at_length(move |conn| {
            let postings: Vec<&Posting> = postings.iter().collect();
            postings::enter(conn, &postings, false)?;
            Err::<(), _>(ImportError::Rehearsed)
        });
        match rehearsed.await {
            Err(ImportError::Store(error)) => Err(error),
            _ => Ok(()),
        }
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
