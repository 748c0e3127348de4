//! A private PostgreSQL server that a test kills, freezes and fills up.

use crate::support::{postgres_env, until};
use rustix::process::{Pid, Signal, getuid, kill_process};
use std::ffi::OsStr;
use std::fs;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// Runs until it is dropped.
pub(crate) struct Cluster {
    programs: PathBuf,
    /// Who runs it: PostgreSQL refuses root.
    owner: Option<&'static str>,
    port: u16,
    dir: tempfile::TempDir,
}

impl Cluster {
    pub(crate) fn start() -> Self {
        let owner = getuid().is_root().then(|| {
            let known = |name| {
                Command::new("id")
                    .arg(name)
                    .output()
                    .unwrap()
                    .status
                    .success()
            };
            if known("postgres") {
                "postgres"
            } else {
                "nobody"
            }
        });
        let mut cluster = Self {
            programs: postgres_env("ISSUER_GATEWAY_TEST_PG_BIN").into(),
            owner,
            port: 0,
            dir: tempfile::tempdir().unwrap(),
        };
        cluster.give_to_owner(cluster.dir.path());
        let made = cluster
            .program("initdb")
            .args([
                "-U",
                "postgres",
                "-A",
                "trust",
                "-E",
                "UTF8",
                "--locale=C",
                "-N",
            ])
            .status()
            .unwrap();
        assert!(made.success());
        until("PostgreSQL starts", || {
            // Another process may take the port between this look and PostgreSQL's.
            let listener = TcpListener::bind("127.0.0.1:0").unwrap();
            cluster.port = listener.local_addr().unwrap().port();
            drop(listener);
            cluster.try_start()
        });
        cluster
    }

    /// Makes the server's owner the owner of a folder.
    pub(crate) fn give_to_owner(&self, folder: &Path) {
        if let Some(owner) = self.owner {
            let given = Command::new("chown").arg(owner).arg(folder).status();
            assert!(given.unwrap().success());
        }
    }

    /// The superuser's URL.
    pub(crate) fn url(&self) -> String {
        format!("postgresql://postgres@127.0.0.1:{}/postgres", self.port)
    }

    fn data(&self) -> PathBuf {
        self.dir.path().join("data")
    }

    /// One of PostgreSQL's programs, quiet, for this cluster, run by its owner.
    fn program(&self, name: &str) -> Command {
        let program = self.programs.join(name);
        let mut command = match self.owner {
            None => Command::new(program),
            Some(owner) => {
                let mut command = Command::new("runuser");
                command.args(["-u", owner, "--"]).arg(program);
                command
            }
        };
        command
            .arg("-D")
            .arg(self.data())
            .current_dir(self.dir.path());
        command
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        command
    }

    /// A crash of the server's processes keeps what the kernel has been given, so nothing waits for
    /// the disk.
    fn try_start(&self) -> bool {
        let dir = self.dir.path().display();
        let settings = format!(
            "-c listen_addresses=127.0.0.1 -p {} -k {dir} -c unix_socket_permissions=0700 -c fsync=off -c lc_messages=C",
            self.port
        );
        let log = self.dir.path().join("server.log");
        let arguments: [&OsStr; 8] = [
            "-l".as_ref(),
            log.as_ref(),
            "-w".as_ref(),
            "-t".as_ref(),
            "30".as_ref(),
            "-o".as_ref(),
            settings.as_ref(),
            "start".as_ref(),
        ];
        self.program("pg_ctl")
            .args(arguments)
            .status()
            .unwrap()
            .success()
    }

    /// Stops every process of the server for a moment that lasts until [`Self::thaw`]. The kernel
    /// goes on acknowledging.
    pub(crate) fn freeze(&self) -> Vec<Pid> {
        let postmaster = self.postmaster().expect("the server runs");
        kill_process(postmaster, Signal::STOP).unwrap();
        // It makes no more children; those it has may end.
        let children = children(postmaster);
        for child in &children {
            kill_process(*child, Signal::STOP).ok();
        }
        [vec![postmaster], children].concat()
    }

    /// Undoes [`Self::freeze`].
    pub(crate) fn thaw(&self, frozen: &[Pid]) {
        for process in frozen {
            kill_process(*process, Signal::CONT).ok();
        }
    }

    /// kill -9 of every process.
    pub(crate) fn kill(&self) {
        let processes = self.freeze();
        for process in &processes {
            kill_process(*process, Signal::KILL).ok();
        }
        until("the server's processes are gone", || {
            processes.iter().all(|process| !lives(*process))
        });
        // A process that nobody has waited for yet would look alive to the next server.
        fs::remove_file(self.data().join("postmaster.pid")).unwrap();
    }

    /// After [`Self::kill`]. It recovers on its own.
    pub(crate) fn restart(&self) {
        until("PostgreSQL starts again", || self.try_start());
    }

    fn postmaster(&self) -> Option<Pid> {
        let text = fs::read_to_string(self.data().join("postmaster.pid")).ok()?;
        Pid::from_raw(text.lines().next()?.parse().ok()?)
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        if let Some(postmaster) = self.postmaster() {
            self.thaw(&[vec![postmaster], children(postmaster)].concat());
            let mut stop = self.program("pg_ctl");
            stop.args(["-m", "immediate", "-w", "stop"]).status().ok();
        }
    }
}

/// State and parent of a process (proc(5)): they follow the name in parentheses.
fn state(process: &str) -> Option<(char, i32)> {
    let stat = fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
    let (_, after) = stat.rsplit_once(") ")?;
    let mut fields = after.split(' ');
    Some((fields.next()?.chars().next()?, fields.next()?.parse().ok()?))
}

fn lives(process: Pid) -> bool {
    state(&process.as_raw_pid().to_string()).is_some_and(|(state, _)| state != 'Z')
}

fn children(parent: Pid) -> Vec<Pid> {
    let names = fs::read_dir("/proc").unwrap().map_while(Result::ok);
    names
        .filter_map(|entry| entry.file_name().into_string().ok())
        .filter(|name| state(name).is_some_and(|(_, of)| of == parent.as_raw_pid()))
        .filter_map(|name| Pid::from_raw(name.parse().ok()?))
        .collect()
}
