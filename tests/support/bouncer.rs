//! A PgBouncer of a test's own.

use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt;
use std::process::{Child, Command, Stdio};

/// Server sessions for each database, which all connections of a test share.
const SESSIONS: u32 = 3;

/// On a loopback port, in front of one server.
pub struct Bouncer {
    process: Child,
    port: u16,
    _dir: tempfile::TempDir,
}

impl Bouncer {
    /// In front of the server that the superuser's URL `server` names.
    pub fn start(server: &str, pool_mode: &str) -> Self {
        let program = super::postgres_env("ISSUER_GATEWAY_TEST_PGBOUNCER");
        let (_, place) = server.rsplit_once('@').unwrap();
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
                     auth_type = any\npool_mode = {pool_mode}\ndefault_pool_size = {SESSIONS}\n\
                     max_client_conn = 1000\n"
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
            super::until("PgBouncer listens, or its port was taken", || {
                ended = bouncer.process.try_wait().unwrap().is_some();
                ended || TcpStream::connect(("127.0.0.1", port)).is_ok()
            });
            if !ended {
                return bouncer;
            }
        }
        panic!("PgBouncer does not start");
    }

    /// The URL of a database of that server.
    pub fn url(&self, database: &str) -> String {
        format!("postgresql://postgres@127.0.0.1:{}/{database}", self.port)
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
