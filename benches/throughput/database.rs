//! A database of its own for each phase, dropped with the value.

use anyhow::Context;
use diesel::connection::SimpleConnection;
use diesel::sql_types::{BigInt, Text};
use diesel::{Connection, PgConnection, QueryableByName, RunQueryDsl, SqliteConnection, sql_query};
use std::path::{Path, PathBuf};

/// Where it is.
pub(crate) enum Database {
    /// On the cluster that scripts/with-postgres.sh has started.
    Postgres { name: String, admin: String },
    /// A file.
    Sqlite { file: PathBuf },
}

#[derive(QueryableByName)]
struct Number {
    #[diesel(sql_type = BigInt)]
    n: i64,
}

#[derive(QueryableByName)]
struct Line {
    #[diesel(sql_type = Text)]
    t: String,
}

impl Database {
    /// An empty database on the private cluster.
    pub(crate) fn postgres() -> anyhow::Result<Self> {
        let admin = std::env::var("ISSUER_GATEWAY_TEST_POSTGRES_URL")
            .context("no PostgreSQL: run `make bench` or scripts/with-postgres.sh")?;
        let name = format!("bench_{}", uuid::Uuid::new_v4().simple());
        PgConnection::establish(&admin)?.batch_execute(&format!("CREATE DATABASE {name}"))?;
        Ok(Self::Postgres { name, admin })
    }

    /// An SQLite file that is not there yet.
    pub(crate) fn sqlite(folder: &Path) -> Self {
        let name = format!("bench-{}.db", uuid::Uuid::new_v4().simple());
        Self::Sqlite {
            file: folder.join(name),
        }
    }

    /// As `database.url` has it. PostgreSQL is on this machine: no TLS to it.
    pub(crate) fn url(&self) -> String {
        match self {
            Self::Postgres { name, admin } => {
                let server = admin.rsplit_once('/').map_or("", |(server, _)| server);
                format!("{server}/{name}?sslmode=disable")
            }
            Self::Sqlite { file } => format!("sqlite:{}", file.display()),
        }
    }

    /// A connection past the gateway; only PostgreSQL has one.
    pub(crate) fn connect(&self) -> anyhow::Result<PgConnection> {
        Ok(PgConnection::establish(&self.url())?)
    }

    fn open_file(file: &Path) -> anyhow::Result<SqliteConnection> {
        let path = file.to_str().context("the temporary folder is not UTF-8")?;
        let mut conn = SqliteConnection::establish(path)?;
        conn.batch_execute("PRAGMA busy_timeout = 10000")?;
        Ok(conn)
    }

    /// Runs SQL.
    pub(crate) fn execute(&self, sql: &str) -> anyhow::Result<()> {
        match self {
            Self::Postgres { .. } => self.connect()?.batch_execute(sql)?,
            Self::Sqlite { file } => Self::open_file(file)?.batch_execute(sql)?,
        }
        Ok(())
    }

    /// One number, selected as `n`.
    pub(crate) fn number(&self, sql: &str) -> anyhow::Result<i64> {
        let row: Number = match self {
            Self::Postgres { .. } => sql_query(sql).get_result(&mut self.connect()?)?,
            Self::Sqlite { file } => sql_query(sql).get_result(&mut Self::open_file(file)?)?,
        };
        Ok(row.n)
    }

    /// Texts, selected as `t`.
    pub(crate) fn texts(&self, sql: &str) -> anyhow::Result<Vec<String>> {
        let rows: Vec<Line> = match self {
            Self::Postgres { .. } => sql_query(sql).load(&mut self.connect()?)?,
            Self::Sqlite { file } => sql_query(sql).load(&mut Self::open_file(file)?)?,
        };
        Ok(rows.into_iter().map(|row| row.t).collect())
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        match self {
            Self::Postgres { name, admin } => {
                let drop = format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)");
                let dropped = PgConnection::establish(admin)
                    .map_err(anyhow::Error::from)
                    .and_then(|mut conn| Ok(conn.batch_execute(&drop)?));
                if let Err(error) = dropped {
                    eprintln!("{name}: {error}");
                }
            }
            Self::Sqlite { file } => {
                for suffix in ["", "-wal", "-shm"] {
                    let mut name = file.clone().into_os_string();
                    name.push(suffix);
                    // Which of them there are is up to SQLite.
                    std::fs::remove_file(name).ok();
                }
            }
        }
    }
}
