//! The schema's versions, built into the binary, for both databases.
//!
//! Two nodes may start at once: PostgreSQL lets one in by an advisory lock, SQLite by BEGIN IMMEDIATE.
//! What was applied is in the audit trail.

use super::audit::{self, AuditChain, AuditDraft};
use super::connection::{AnyConnection, Use, open, transaction};
use super::error::StoreError;
use super::url::DatabaseUrl;
use diesel::migration::{Migration, MigrationSource};
use diesel::{RunQueryDsl, sql_query};
use diesel_migrations::{EmbeddedMigrations, MigrationHarness, embed_migrations};

const SQLITE: EmbeddedMigrations = embed_migrations!("migrations/sqlite");
const POSTGRES: EmbeddedMigrations = embed_migrations!("migrations/postgres");

/// PostgreSQL's advisory lock for migrations: "issuer-g" as a number.
const ADVISORY_LOCK: i64 = 0x6973_7375_6572_2d67;

/// Brings the database to the newest schema; returns the versions that were applied now. Blocks.
pub fn run(url: &DatabaseUrl) -> Result<Vec<String>, StoreError> {
    let mut conn = open(url, Use::Migrating)?;
    let applied = match &mut conn {
        AnyConnection::Sqlite(conn) => conn.immediate_transaction(|conn| apply(conn, SQLITE))?,
        // The lock goes with the connection.
        AnyConnection::Postgres(conn) => {
            sql_query("SELECT pg_advisory_lock($1)")
                .bind::<diesel::sql_types::BigInt, _>(ADVISORY_LOCK)
                .execute(conn)?;
            apply(conn, POSTGRES)?
        }
    };
    if !applied.is_empty() {
        record(&mut conn, &applied)?;
    }
    Ok(applied)
}

/// One entry for each migration, in a chain of their own. The first migrations make the trail, so the entries come last.
fn record(conn: &mut AnyConnection, applied: &[String]) -> Result<(), StoreError> {
    let draft = |version: &String| AuditDraft {
        subject: Some(version.clone()),
        ..AuditDraft::local("database.migrate")
    };
    let drafts: Vec<_> = applied.iter().map(draft).collect();
    transaction(conn, |conn| {
        audit::append(conn, &AuditChain::start(), &drafts)
    })?;
    Ok(())
}

/// The versions that [`run`] would apply, oldest first. Blocks; does not create an SQLite file.
pub fn pending(url: &DatabaseUrl) -> Result<Vec<String>, StoreError> {
    if let DatabaseUrl::Sqlite(path) = url
        && !path.exists()
    {
        return names(MigrationSource::<diesel::sqlite::Sqlite>::migrations(
            &SQLITE,
        ));
    }
    match open(url, Use::Migrating)? {
        AnyConnection::Sqlite(mut conn) => names(conn.pending_migrations(SQLITE)),
        AnyConnection::Postgres(mut conn) => names(conn.pending_migrations(POSTGRES)),
    }
}

type AnyError = Box<dyn std::error::Error + Send + Sync>;

fn names<DB: diesel::backend::Backend>(
    migrations: Result<Vec<Box<dyn Migration<DB>>>, AnyError>,
) -> Result<Vec<String>, StoreError> {
    let migrations = migrations.map_err(|_| failed())?;
    Ok(migrations
        .iter()
        .map(|m| m.name().version().to_string())
        .collect())
}

fn apply<DB, C>(conn: &mut C, source: EmbeddedMigrations) -> Result<Vec<String>, StoreError>
where
    DB: diesel::backend::Backend,
    C: MigrationHarness<DB>,
{
    let applied = conn.run_pending_migrations(source).map_err(|error| {
        // The text is about our own SQL: no rows are in it.
        tracing::error!(%error, "a migration failed");
        failed()
    })?;
    Ok(applied.iter().map(ToString::to_string).collect())
}

fn failed() -> StoreError {
    StoreError::internal("a migration failed")
}
