//! A connection pooler before PostgreSQL: session mode works, the others are refused by name at the
//! start.

use crate::fixture::{ISSUER, PAN, Rig, enrol};
use crate::support::{Backend, TestDatabase, postgres_env, postgres_url, until};
use issuer_gateway::queue::Backlog;
use issuer_gateway::store::{DatabaseUrl, Outcome, Store, Writer, migrations};
use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt;
use std::process::{Child, Command, Stdio};

/// A PgBouncer of our own on a loopback port.
struct Bouncer {
    process: Child,
    port: u16,
    _dir: tempfile::TempDir,
}

impl Bouncer {
    fn start(pool_mode: &str) -> Self {
        let program = postgres_env("ISSUER_GATEWAY_TEST_PGBOUNCER");
        let url = postgres_url();
        let (_, place) = url.rsplit_once('@').unwrap();
        let (_, server_port) = place.split_once('/').unwrap().0.rsplit_once(':').unwrap();
        for _ in 0..10 {
            let listener = TcpListener::bind("127.0.0.1:0").unwrap();
            let port = listener.local_addr().unwrap().port();
            drop(listener);
            let dir = tempfile::tempdir().unwrap();
            let ini = dir.path().join("pgbouncer.ini");
            std::fs::write(
                &ini,
                format!(
                    "[databases]\n* = host=127.0.0.1 port={server_port} user=postgres\n\
                     [pgbouncer]\nlisten_addr = 127.0.0.1\nlisten_port = {port}\nunix_socket_dir =\n\
                     auth_type = any\npool_mode = {pool_mode}\n"
                ),
            )
            .unwrap();
            std::fs::set_permissions(dir.path(), PermissionsExt::from_mode(0o755)).unwrap();
            let mut command = Command::new(&program);
            // It refuses to run as root.
            if is_root() {
                command.args(["-u", "nobody"]);
            }
            let process = command
                .arg(&ini)
                .stdout(Stdio::null())
                .stderr(Stdio::null())
                .spawn()
                .unwrap();
            let mut bouncer = Self {
                process,
                port,
                _dir: dir,
            };
            let mut ended = false;
            until("PgBouncer listens, or its port was taken", || {
                ended = bouncer.process.try_wait().unwrap().is_some();
                ended || TcpStream::connect(("127.0.0.1", port)).is_ok()
            });
            if !ended {
                return bouncer;
            }
        }
        panic!("PgBouncer does not start");
    }

    fn url(&self, database: &TestDatabase) -> DatabaseUrl {
        let (_, name) = database.url_text.rsplit_once('/').unwrap();
        let url = format!("postgresql://postgres@127.0.0.1:{}/{name}", self.port);
        DatabaseUrl::parse(&url).unwrap()
    }
}

fn is_root() -> bool {
    let id = Command::new("id").arg("-u").output().unwrap();
    id.stdout.starts_with(b"0\n")
}

impl Drop for Bouncer {
    fn drop(&mut self) {
        self.process.kill().ok();
        self.process.wait().ok();
    }
}

#[test]
fn shared_sessions_are_refused_at_the_start() {
    let database = TestDatabase::new(Backend::Postgres);
    for mode in ["transaction", "statement"] {
        let bouncer = Bouncer::start(mode);
        let url = bouncer.url(&database);
        for refused in [migrations::run(&url), migrations::pending(&url)] {
            let error = refused.unwrap_err();
            assert_eq!(error.reason(), "database-unsupported", "{mode}: {error}");
            assert!(error.to_string().contains("pool_mode = session"));
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sessions_of_its_own_are_enough() {
    let database = TestDatabase::new(Backend::Postgres);
    let bouncer = Bouncer::start("session");
    let url = bouncer.url(&database);
    assert_eq!(migrations::run(&url), Ok(Vec::new()));
    let rig = Rig::new(&database).await;
    let writer = Writer::start(&url, 2, 100, Backlog::default()).unwrap();
    let store = Store::open(&url, 2);
    assert_eq!(store.ping().await, Ok(()));
    let written = writer.commit(enrol(rig.user(ISSUER, PAN))).await;
    assert_eq!(written, Ok(Outcome::Done));
    assert_eq!(database.assert_whole(), 1);
}
