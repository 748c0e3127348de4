//! The newest schema, made once and copied for each test: migrations run once in a test binary on
//! SQLite, and once in a cluster on PostgreSQL, however many binaries ask.

use super::postgres_url;
use diesel::connection::SimpleConnection;
use diesel::sql_types::Bool;
use diesel::{Connection, PgConnection, QueryableByName, RunQueryDsl, sql_query};
use issuer_gateway::store::{DatabaseUrl, migrations};
use sha2::{Digest, Sha256};
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

/// PostgreSQL's advisory lock for making a template: "template" as a number. A lock belongs to the
/// database `postgres` here, so it meets none of the product's.
const LOCK: i64 = 0x7465_6d70_6c61_7465;

/// Makes an SQLite file with the newest schema.
pub fn copy_sqlite(path: &Path) {
    static FILE: OnceLock<Vec<u8>> = OnceLock::new();
    let bytes = FILE.get_or_init(|| {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("template.db");
        migrations::run(&DatabaseUrl::sqlite(&path)).unwrap();
        // The last connection to close has moved the journal into the file.
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 1);
        std::fs::read(path).unwrap()
    });
    // Private from the start, as the product makes it.
    let mut file = std::fs::OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)
        .unwrap();
    file.write_all(bytes).unwrap();
}

/// The name of the private cluster's database with the newest schema.
pub fn postgres() -> &'static str {
    static NAME: OnceLock<String> = OnceLock::new();
    NAME.get_or_init(|| {
        let name = format!("template_{}", digest("migrations/postgres"));
        let mut admin = PgConnection::establish(&postgres_url()).unwrap();
        // The other binaries wait here. The lock goes with the connection.
        admin
            .batch_execute(&format!("SELECT pg_advisory_lock({LOCK})"))
            .unwrap();
        if !exists(&mut admin, &name) {
            make_postgres(&mut admin, &name);
        }
        name
    })
}

/// It gets its name once it is complete: who is killed half way leaves nothing that looks like one.
fn make_postgres(admin: &mut PgConnection, name: &str) {
    let unfinished = format!("unfinished_{name}");
    for sql in [
        format!("DROP DATABASE IF EXISTS {unfinished} WITH (FORCE)"),
        format!("CREATE DATABASE {unfinished}"),
    ] {
        admin.batch_execute(&sql).unwrap();
    }
    let url = postgres_url();
    let url = format!("{}/{unfinished}", url.rsplit_once('/').unwrap().0);
    migrations::run(&DatabaseUrl::parse(&url).unwrap()).unwrap();
    for sql in [
        // A connection to it would keep everybody from copying it.
        format!("ALTER DATABASE {unfinished} WITH ALLOW_CONNECTIONS false"),
        format!("ALTER DATABASE {unfinished} RENAME TO {name}"),
    ] {
        admin.batch_execute(&sql).unwrap();
    }
}

fn exists(admin: &mut PgConnection, name: &str) -> bool {
    #[derive(QueryableByName)]
    struct Row {
        #[diesel(sql_type = Bool)]
        there: bool,
    }
    let sql =
        format!("SELECT EXISTS (SELECT 1 FROM pg_database WHERE datname = '{name}') AS there");
    sql_query(sql).get_result::<Row>(admin).unwrap().there
}

/// 16 hexadecimal digits that stand for the text and the names of all migrations in a folder.
fn digest(folder: &str) -> String {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
    let mut files = Vec::new();
    collect(&folder, &mut files);
    assert!(!files.is_empty());
    files.sort();
    let mut hash = Sha256::new();
    for file in files {
        let name = file.strip_prefix(&folder).unwrap().to_str().unwrap();
        for part in [name.as_bytes(), &std::fs::read(&file).unwrap()] {
            hash.update(part.len().to_be_bytes());
            hash.update(part);
        }
    }
    hex::encode(&hash.finalize()[..8])
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect(&path, files);
        } else {
            files.push(path);
        }
    }
}
