//! What operators have loaded for scoring: dated rows and factor sets of their own, as texts.
//!
//! `factor_version` rises in the transaction of every load; nodes poll it and read what is newer
//! than what they have. Loads are never changed and never deleted: a score names its set, and a sum
//! can be made again.

use super::audit::AuditDraft;
use super::connection::{AnyConnection, on_backend, snapshot};
use super::error::StoreError;
use super::pool::Store;
use super::schema::{factor_loads, factor_version};
use diesel::connection::SimpleConnection;
use diesel::prelude::*;

/// [`FactorFile::kind`] of a file that belongs to a factor set.
pub const SET: &str = "set";

/// A file as it is loaded.
#[derive(Debug, Clone, PartialEq, Eq, Queryable, Selectable, Insertable)]
#[diesel(table_name = factor_loads)]
#[diesel(treat_none_as_default_value = false)]
pub struct FactorFile {
    /// `rates`, `cpi`, `prices` or `grid`; [`SET`].
    pub kind: String,
    /// The set that it belongs to.
    pub set_id: Option<String>,
    /// Its name, without its folder.
    pub file: String,
    /// Hex SHA-256 of the file.
    pub checksum: String,
    /// Rows of the file.
    pub row_count: i32,
    /// Rows of `content`.
    pub kept: i32,
}

/// A file that was loaded.
#[derive(Debug, Clone, PartialEq, Eq, Queryable, Selectable)]
#[diesel(table_name = factor_loads)]
pub struct FactorLoad {
    /// Rows of a later load replace those of an earlier one.
    pub load_id: i32,
    /// What it is.
    #[diesel(embed)]
    pub file: FactorFile,
    /// Microseconds since 1970 UTC.
    pub loaded_at: i64,
    /// Who loaded it, as in the audit trail.
    pub loaded_by: String,
}

/// Loads with their texts, and the version that they make.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredFactors {
    /// Rises with every load.
    pub version: i64,
    /// In the order in which they were loaded.
    pub loads: Vec<(FactorLoad, String)>,
}

fn version(conn: &mut AnyConnection) -> QueryResult<i64> {
    factor_version::table
        .select(factor_version::version)
        .first(conn)
}

/// Keeps two operators from loading at once: ids are committed in their order.
fn lock(conn: &mut AnyConnection) -> QueryResult<()> {
    on_backend!(conn, c => {
        // BEGIN IMMEDIATE is the lock.
        sqlite: { let _: &mut SqliteConnection = c; Ok(()) },
        postgres: c.batch_execute("LOCK TABLE factor_loads IN SHARE ROW EXCLUSIVE MODE"),
    })
}

impl Store {
    /// The version of what is loaded: cheap, to be polled.
    pub async fn factor_version(&self) -> Result<i64, StoreError> {
        self.read(|conn| Ok(version(conn)?)).await
    }

    /// Every load, without its text.
    pub async fn factor_loads(&self) -> Result<Vec<FactorLoad>, StoreError> {
        self.read(|conn| {
            let loads = factor_loads::table.order(factor_loads::load_id);
            Ok(loads.select(FactorLoad::as_select()).load(conn)?)
        })
        .await
    }

    /// Ids of the factor sets of operators.
    pub async fn loaded_factor_sets(&self) -> Result<Vec<String>, StoreError> {
        self.read(|conn| {
            let sets = factor_loads::table.select(factor_loads::set_id).distinct();
            let sets: Vec<Option<String>> = sets.load(conn)?;
            Ok(sets.into_iter().flatten().collect())
        })
        .await
    }

    /// The loads after `load_id`; 0: all.
    pub async fn factors_after(&self, load_id: i32) -> Result<StoredFactors, StoreError> {
        self.read(move |conn| {
            snapshot(conn, |conn| {
                let loads = factor_loads::table
                    .filter(factor_loads::load_id.gt(load_id))
                    .order(factor_loads::load_id)
                    .select((FactorLoad::as_select(), factor_loads::content));
                Ok::<_, StoreError>(StoredFactors {
                    version: version(conn)?,
                    loads: loads.load(conn)?,
                })
            })
        })
        .await
    }

    /// Records files with their texts, all or none. False, and nothing is recorded, if the version
    /// is not `expected` any more: the files were validated beside what was loaded then.
    pub async fn load_factors(
        &self,
        expected: i64,
        files: Vec<(FactorFile, String)>,
        audit: AuditDraft,
    ) -> Result<bool, StoreError> {
        let (at, by) = (audit.at, audit.actor.clone());
        self.change(move |conn| {
            lock(conn)?;
            if version(conn)? != expected {
                return Ok((false, Vec::new()));
            }
            let mut entries = Vec::with_capacity(files.len());
            for (file, content) in files {
                let values = (
                    &file,
                    factor_loads::content.eq(content),
                    factor_loads::loaded_at.eq(at),
                    factor_loads::loaded_by.eq(&by),
                );
                let load_id: i32 = diesel::insert_into(factor_loads::table)
                    .values(values)
                    .returning(factor_loads::load_id)
                    .get_result(conn)?;
                entries.push(AuditDraft {
                    subject: Some(file.set_id.unwrap_or_else(|| file.kind.clone())),
                    detail: Some(format!("load {load_id} sha256 {}", file.checksum)),
                    ..audit.clone()
                });
            }
            diesel::update(factor_version::table)
                .set(factor_version::version.eq(factor_version::version + 1))
                .execute(conn)?;
            Ok::<_, StoreError>((true, entries))
        })
        .await
    }
}
