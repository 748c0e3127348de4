//! Compares a copy with its source, by SQLite's own interface on both sides, without Diesel.

use super::BackupError;
use super::online::Connection;
use crate::store::audit::AuditHead;

/// What is in a copy, all of it compared with its source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Content {
    /// Tables.
    pub tables: usize,
    /// Rows of all tables together.
    pub rows: u64,
    /// The newest migration that was applied; empty if none was.
    pub migration: String,
    /// Chains of the audit trail.
    pub chains: u64,
    /// Entries of the audit trail.
    pub entries: u64,
}

const TABLES: &str =
    "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite%' ORDER BY name";
const MIGRATIONS: &str = "SELECT version FROM __diesel_schema_migrations ORDER BY version";

/// Chains whose end is not the entry that it should be.
const LOOSE_ENDS: &str = "SELECT h.chain FROM audit_heads h LEFT JOIN audit_entries e \
    ON e.chain = h.chain AND e.seq = h.seq AND e.hash = h.hash WHERE e.chain IS NULL";

/// Checks the copy by itself, then against its source, whose snapshot is still open, then for what
/// is known from elsewhere.
pub(super) fn compare(
    source: &Connection,
    copy: &Connection,
    known: &[AuditHead],
) -> Result<Content, BackupError> {
    let unfit = |what: String| Err(BackupError::Unfit(what));
    let integrity = copy.rows("PRAGMA integrity_check")?;
    if integrity != ["ok"] {
        return unfit(format!("integrity_check: {}", integrity.join("; ")));
    }
    if let Some(table) = copy.rows("PRAGMA foreign_key_check")?.first() {
        return unfit(format!("foreign_key_check: a row of {table}"));
    }
    let tables = same(source, copy, TABLES)?;
    let mut rows = 0;
    for table in &tables {
        rows += same_number(source, copy, &format!("SELECT count(*) FROM \"{table}\""))?;
    }
    let has = |table: &str| tables.iter().any(|name| name == table);
    let mut content = Content {
        tables: tables.len(),
        rows,
        migration: String::new(),
        chains: 0,
        entries: 0,
    };
    if has("__diesel_schema_migrations") {
        content.migration = same(source, copy, MIGRATIONS)?.pop().unwrap_or_default();
    }
    if has("audit_heads") {
        content.chains = same_number(source, copy, "SELECT count(*) FROM audit_heads")?;
        content.entries = same_number(source, copy, "SELECT count(*) FROM audit_entries")?;
        if let Some(chain) = copy.rows(LOOSE_ENDS)?.first() {
            return unfit(format!("chain {chain} of the audit trail lacks its end"));
        }
        let has_purges = has("audit_purges");
        for AuditHead { chain, seq, hash } in known {
            let (quoted, hash) = (chain.replace('\'', "''"), hex::encode(hash));
            let entry = format!(
                "SELECT count(*) FROM audit_entries WHERE chain = '{quoted}' AND seq = {seq} AND hash = x'{hash}'"
            );
            // A purge leaves the last entry, so the chain goes on behind what it took.
            let purged = format!(
                "SELECT count(*) FROM audit_purges p JOIN audit_heads h ON h.chain = p.chain \
                 WHERE p.chain = '{quoted}' AND p.seq >= {seq} AND h.seq > {seq}"
            );
            let is_purged = || Ok::<_, BackupError>(has_purges && copy.rows(&purged)? == ["1"]);
            if copy.rows(&entry)? != ["1"] && !is_purged()? {
                return unfit(format!(
                    "chain {chain} of the audit trail lacks entry {seq}, which this node has acknowledged: see `audit verify`"
                ));
            }
        }
    }
    Ok(content)
}

fn same(source: &Connection, copy: &Connection, sql: &str) -> Result<Vec<String>, BackupError> {
    let (one, other) = (source.rows(sql)?, copy.rows(sql)?);
    match one == other {
        true => Ok(other),
        false => Err(BackupError::Unfit(format!(
            "it differs from its source: {sql}"
        ))),
    }
}

fn same_number(source: &Connection, copy: &Connection, sql: &str) -> Result<u64, BackupError> {
    let rows = same(source, copy, sql)?;
    let number = rows.first().and_then(|row| row.parse().ok());
    number.ok_or_else(|| BackupError::Unfit(format!("no number: {sql}")))
}
